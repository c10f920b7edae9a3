//! The frames that were shown, kept, and the one time cursor over them: scene, plots and numbers all show
//! the frame that it stands on.

use std::{collections::VecDeque, ops::Range};

use bevy::prelude::*;
use dextra_learn::Inspection;
use dextra_train::Frame;

use crate::source::Blend;

/// Frames kept: twenty episodes of 200 steps, some megabytes.
const CAPACITY: usize = 4_000;

/// A frame and what the critics say of it, once they have.
pub(crate) struct Kept {
    /// The frame.
    pub frame: Frame,
    /// The improved policy at the state that the frame's action answered.
    pub inspection: Option<Inspection>,
}

/// What was played, newest last. While the cursor stands on it, nothing is added: what a person looks at
/// does not run away.
#[derive(Resource, Default)]
pub(crate) struct Tape {
    kept: VecDeque<Kept>,
    /// Frames that have left, so that a number names a frame for good.
    left: u64,
    /// The number of the frame that the cursor stands on; `None` follows what plays.
    cursor: Option<u64>,
    /// Whether what plays was held by the cursor and should go on with it.
    pub holds: bool,
}

impl Tape {
    /// Keeps a frame that is about to play.
    pub fn record(&mut self, frame: &Frame) {
        if self.cursor.is_some() {
            return;
        }
        if self.kept.len() == CAPACITY {
            self.kept.pop_front();
            self.left += 1;
        }
        self.kept.push_back(Kept {
            frame: frame.clone(),
            inspection: None,
        });
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.left += self.kept.len() as u64;
        self.kept.clear();
        self.cursor = None;
    }

    /// Whether the cursor follows what plays.
    pub fn is_live(&self) -> bool {
        self.cursor.is_none()
    }

    /// The frame that the cursor stands on.
    pub fn pinned(&self) -> Option<&Kept> {
        self.get(self.cursor?)
    }

    /// The pinned frame as a picture.
    pub fn blend(&self) -> Option<Blend<'_>> {
        let frame = &self.pinned()?.frame;
        Some(Blend {
            older: frame,
            newer: frame,
            share: 0.0,
        })
    }

    /// The number of the frame that is shown: the pinned one, or `live`, the one on screen.
    pub fn shown(&self, live: Option<&Frame>) -> Option<u64> {
        self.cursor.or_else(|| self.number_of(live?))
    }

    /// The frame of a number.
    pub fn get(&self, number: u64) -> Option<&Kept> {
        self.kept
            .get(usize::try_from(number.checked_sub(self.left)?).ok()?)
    }

    /// Notes what the critics say of a frame.
    pub fn note(&mut self, number: u64, inspection: Inspection) {
        let index = number.checked_sub(self.left).map(|index| index as usize);
        if let Some(kept) = index.and_then(|index| self.kept.get_mut(index)) {
            kept.inspection = Some(inspection);
        }
    }

    /// The numbers of the frames of the episode that frame `number` is of.
    pub fn episode(&self, number: u64) -> Range<u64> {
        let same = |a: u64, b: u64| match (self.get(a), self.get(b)) {
            (Some(a), Some(b)) => {
                (a.frame.actor, a.frame.episode) == (b.frame.actor, b.frame.episode)
            }
            _ => false,
        };
        let (mut start, mut end) = (number, number + 1);
        while start > 0 && same(start - 1, number) {
            start -= 1;
        }
        while same(end, number) {
            end += 1;
        }
        start..end
    }

    /// Puts the cursor on a frame.
    pub fn pin(&mut self, number: u64) {
        if self.get(number).is_some() {
            self.cursor = Some(number);
        }
    }

    /// Moves the cursor by so many frames, within what is kept; `live` is the frame on screen.
    pub fn step(&mut self, by: i64, live: Option<&Frame>) {
        let Some(shown) = self.shown(live) else {
            return;
        };
        let last = self.left + self.kept.len() as u64 - 1;
        let next = shown.saturating_add_signed(by).clamp(self.left, last);
        self.cursor = Some(next);
    }

    /// Puts the cursor on the first frame of the episode before the shown one, or of the one after.
    pub fn turn_to(&mut self, next: bool, live: Option<&Frame>) {
        let Some(shown) = self.shown(live) else {
            return;
        };
        let here = self.episode(shown);
        let other = if next {
            here.end
        } else {
            here.start.saturating_sub(1)
        };
        if self.get(other).is_some() {
            self.cursor = Some(self.episode(other).start);
        }
    }

    /// Follows what plays again. Whether that was held and should go on.
    pub fn release(&mut self) -> bool {
        self.cursor = None;
        std::mem::take(&mut self.holds)
    }

    /// The newest kept frame of the same episode and step.
    fn number_of(&self, frame: &Frame) -> Option<u64> {
        let same = |kept: &Kept| {
            let kept = &kept.frame;
            (kept.actor, kept.episode, kept.step) == (frame.actor, frame.episode, frame.step)
        };
        let index = self.kept.iter().rposition(same)?;
        Some(self.left + index as u64)
    }
}

/// The sum of the rewards after a frame to the end of its episode, discounted per step; the frame's own
/// reward, which its action brought, included.
pub(crate) fn return_from(tape: &Tape, number: u64, discount: f64) -> f64 {
    (number..tape.episode(number).end)
        .rev()
        .filter_map(|number| tape.get(number))
        .fold(0.0, |sum, kept| {
            f64::from(kept.frame.reward) + discount * sum
        })
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use dextra_data::Source;

    /// A frame of an episode, with its step as reward.
    pub(crate) fn frame(episode: u64, step: usize) -> Frame {
        Frame {
            actor: 0,
            episode,
            step,
            seed: 7,
            reward: step as f32,
            terms: vec![("reach", -0.1), ("open", step as f32)],
            success: step > 3,
            episode_success: false,
            episode_return: 0.0,
            source: Source::Policy,
            by_hand: 0,
            obs: vec![0.5; 4],
            action: vec![0.1, -0.2],
            body_poses: Vec::new(),
            readings: dextra_train::Readings::default(),
            policy_version: 0,
        }
    }

    /// Three episodes of five steps.
    pub(crate) fn tape() -> Tape {
        let mut tape = Tape::default();
        for episode in 1..=3 {
            for step in 1..=5 {
                tape.record(&frame(episode, step));
            }
        }
        tape
    }

    fn at(tape: &Tape) -> (u64, usize) {
        let frame = &tape.pinned().unwrap().frame;
        (frame.episode, frame.step)
    }

    #[test]
    fn the_cursor_moves_over_steps_and_episodes_and_stays_on_the_tape() {
        let (mut tape, live) = (tape(), frame(3, 4));
        assert!(tape.is_live() && tape.blend().is_none());
        tape.step(-1, Some(&live));
        assert_eq!(at(&tape), (3, 3));
        tape.turn_to(false, Some(&live));
        assert_eq!(at(&tape), (2, 1));
        tape.step(-1, Some(&live));
        assert_eq!(at(&tape), (1, 5));
        tape.step(-99, Some(&live));
        assert_eq!(at(&tape), (1, 1));
        tape.turn_to(false, Some(&live));
        assert_eq!(at(&tape), (1, 1));
        tape.step(99, Some(&live));
        assert_eq!(at(&tape), (3, 5));
        tape.turn_to(true, Some(&live));
        assert_eq!(at(&tape), (3, 5));
        assert_eq!(tape.blend().unwrap().newer.step, 5);
    }

    #[test]
    fn while_the_cursor_stands_the_tape_does_too() {
        let mut tape = tape();
        tape.pin(7);
        tape.record(&frame(4, 1));
        assert_eq!(at(&tape), (2, 3));
        assert_eq!(tape.episode(7), 5..10);
        tape.holds = true;
        assert!(tape.release() && tape.is_live() && !tape.holds);
        assert_eq!(tape.shown(Some(&frame(4, 1))), None);
        tape.record(&frame(4, 1));
        assert_eq!(tape.shown(Some(&frame(4, 1))), Some(15));
    }

    #[test]
    fn a_full_tape_drops_the_oldest_and_keeps_its_numbers() {
        let mut tape = Tape::default();
        for step in 1..=CAPACITY + 10 {
            tape.record(&frame(1, step));
        }
        assert!(tape.get(9).is_none());
        assert_eq!(tape.get(10).unwrap().frame.step, 11);
        assert_eq!(tape.episode(2_000), 10..CAPACITY as u64 + 10);
        tape.pin(9);
        assert!(tape.is_live());
        tape.clear();
        assert!(tape.get(10).is_none() && tape.shown(Some(&frame(1, 20))).is_none());
    }

    #[test]
    fn the_return_that_followed_is_discounted_to_the_end_of_the_episode() {
        let tape = tape();
        // Steps 4 and 5 of the second episode.
        assert!((return_from(&tape, 8, 0.5) - (4.0 + 0.5 * 5.0)).abs() < 1e-9);
    }
}
