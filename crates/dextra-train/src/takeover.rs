//! A person in an actor's place: for some steps of a round somebody else drives an environment.
//!
//! What was done is reported with the round and can be done again: a round that is given the same actions
//! for the same steps ends with the same bits.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use dextra_data::Transition;
use dextra_tasks::Env;
use serde::{Deserialize, Serialize};

use crate::actor::FrameSink;

/// Someone who drives an environment in the policy's place, step by step.
pub trait Pilot: Send {
    /// The action for the environment's present state, after the steps `before` of its episode; `None`
    /// gives the environment back. A pilot may take the time that a person needs for a step, no more:
    /// the round ends when its steps are made.
    fn act(&mut self, env: &Env, before: &[Transition]) -> Option<Vec<f32>>;
}

/// Successive steps of one actor that were driven by hand, within a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Takeover {
    /// Which actor.
    pub actor: usize,
    /// The first of its steps, counted from 0 in the round.
    pub first: u64,
    /// The action of each step, in [-1, 1].
    pub actions: Vec<Vec<f32>>,
}

impl Takeover {
    /// The action for a step of the round, if it is among these.
    fn action(&self, actor: usize, step: u64) -> Option<&Vec<f32>> {
        let index = usize::try_from(step.checked_sub(self.first)?).ok()?;
        self.actions.get(index).filter(|_| self.actor == actor)
    }

    /// Notes an action at a step: behind the newest stretch, or as a new one.
    pub(crate) fn note(done: &mut Vec<Self>, actor: usize, step: u64, action: &[f32]) {
        let goes_on = |last: &&mut Self| last.first + last.actions.len() as u64 == step;
        match done.last_mut().filter(goes_on) {
            Some(last) => last.actions.push(action.to_vec()),
            None => done.push(Self {
                actor,
                first: step,
                actions: vec![action.to_vec()],
            }),
        }
    }
}

/// Where a pilot sits: at one actor's environment, or at none. The window puts a pilot in, the actors ask
/// it, and it leaves by itself.
#[derive(Default)]
pub struct Seat {
    /// Number of the actor and one; 0 while nobody sits there.
    taken: AtomicUsize,
    pilot: Mutex<Option<Box<dyn Pilot>>>,
}

impl Seat {
    /// Lets a pilot drive an actor's environment, from its next step until the pilot gives it back.
    pub fn take(&self, actor: usize, pilot: Box<dyn Pilot>) {
        *self.pilot.lock().unwrap_or_else(PoisonError::into_inner) = Some(pilot);
        self.taken.store(actor + 1, Ordering::Release);
    }

    /// The actor whose environment is driven.
    pub fn actor(&self) -> Option<usize> {
        self.taken.load(Ordering::Acquire).checked_sub(1)
    }

    fn act(&self, actor: usize, env: &Env, before: &[Transition]) -> Option<Vec<f32>> {
        if self.actor() != Some(actor) {
            return None;
        }
        let mut pilot = self.pilot.lock().unwrap_or_else(PoisonError::into_inner);
        let action = pilot.as_mut()?.act(env, before);
        if action.is_none() {
            *pilot = None;
            self.taken.store(0, Ordering::Release);
        }
        action
    }
}

/// Those outside of the loop who watch it or have a hand in it. Nobody, by default.
#[derive(Clone, Copy, Default)]
pub struct Outside<'a> {
    /// Who watches.
    pub sink: Option<&'a FrameSink>,
    /// Who may drive.
    pub seat: Option<&'a Seat>,
    /// What was done by hand in this round when it was made before.
    pub again: &'a [Takeover],
}

impl Outside<'_> {
    /// The action of whoever drives an actor's environment by hand at this step of the round.
    pub(crate) fn action(
        &self,
        actor: usize,
        step: u64,
        env: &Env,
        before: &[Transition],
    ) -> Option<Vec<f32>> {
        let again = self.again.iter().find_map(|done| done.action(actor, step));
        again
            .cloned()
            .or_else(|| self.seat?.act(actor, env, before))
    }

    /// Whether somebody drives at a person's pace, so that the other actors should not wait in line.
    pub(crate) fn is_driven(&self) -> bool {
        self.seat.is_some_and(|seat| seat.actor().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_noted_and_found_again() {
        let mut done = Vec::new();
        for (step, value) in [(3, 0.1), (4, 0.2), (7, 0.3)] {
            Takeover::note(&mut done, 1, step, &[value]);
        }
        assert_eq!(done.len(), 2);
        let at = |actor, step| done.iter().find_map(|d| d.action(actor, step)).cloned();
        assert_eq!(at(1, 4), Some(vec![0.2]));
        assert_eq!(at(1, 7), Some(vec![0.3]));
        assert_eq!((at(1, 5), at(1, 2), at(0, 4)), (None, None, None));
    }
}
