//! A take: every step since the episode began, with the way back to any of them.

use dextra_data::{
    Episode, Source, Transition,
    dataset::{Recording, Start, States},
};
use dextra_tasks::{Env, EnvSnapshot, TaskError};
use dextra_train::{SUCCESS_HOLD_STEPS, TrainError, snapshot_bytes};

use crate::driver::{DriveState, Driven};

/// Every so many steps the whole environment is kept; those between are simulated again, to the bit.
const ANCHOR_STEPS: usize = 16;

/// One control step.
#[derive(Clone)]
struct Step {
    transition: Transition,
    success: bool,
    busy: bool,
    assisted: bool,
    /// The state before it: positions, velocities, clock, and what the hand had been led to.
    qpos: Vec<f64>,
    qvel: Vec<f64>,
    time_secs: f64,
    drive: DriveState,
}

/// The steps of an episode so far.
pub struct Take {
    seed: u64,
    steps: Vec<Step>,
    /// The environment before every [`ANCHOR_STEPS`]th step.
    anchors: Vec<EnvSnapshot>,
    /// Environments before successive steps from the first number on: where a rewind passes through.
    nearby: (usize, Vec<EnvSnapshot>),
    splices: Vec<usize>,
    /// What was there before the last rewind: positions from a step on.
    replaced: (usize, Vec<Vec<f64>>),
}

impl Take {
    /// A take that begins with the episode of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            steps: Vec::new(),
            anchors: Vec::new(),
            nearby: (0, Vec::new()),
            splices: Vec::new(),
            replaced: (0, Vec::new()),
        }
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it has no steps.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Seed of its reset.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Steps before which it went back in time and began anew.
    pub fn splices(&self) -> &[usize] {
        &self.splices
    }

    /// Steps after which the task has been solved without a break until now.
    pub fn held_steps(&self) -> usize {
        self.steps
            .iter()
            .rev()
            .take_while(|step| step.success)
            .count()
    }

    /// Positions that the take had at a step before it was last rewound.
    pub fn replaced(&self, step: usize) -> Option<&[f64]> {
        let (first, states) = &self.replaced;
        let state = states.get(step.checked_sub(*first)?)?;
        Some(state)
    }

    /// Takes a step of the environment and notes everything about it. Why the physics lost it, if it did.
    pub(crate) fn advance(
        &mut self,
        env: &mut Env,
        drive: &DriveState,
        driven: Driven,
    ) -> dextra_tasks::Step {
        if self.steps.len().is_multiple_of(ANCHOR_STEPS) {
            self.anchors.push(env.snapshot());
        }
        let obs = env.observation().to_vec();
        let sim = env.sim();
        let (qpos, qvel, time_secs) = (sim.qpos().to_vec(), sim.qvel().to_vec(), sim.time_secs());
        let step = env.step(&driven.action);
        self.steps.push(Step {
            transition: Transition {
                obs,
                action: driven.action,
                expert_action: None,
                reward: step.reward,
                terminated: step.terminated,
                source: Source::Human,
            },
            success: step.success,
            busy: driven.busy,
            assisted: driven.assisted,
            qpos,
            qvel,
            time_secs,
            drive: drive.clone(),
        });
        step
    }

    /// Puts the environment to before a step, to the bit; what the hand had been led to there.
    pub(crate) fn show(
        &mut self,
        env: &mut Env,
        step: usize,
    ) -> Result<Option<DriveState>, TaskError> {
        let Some(shown) = self.steps.get(step) else {
            return Ok(None);
        };
        let drive = shown.drive.clone();
        let block = step - step % ANCHOR_STEPS;
        if self.nearby.0 != block || self.nearby.1.len() <= step - block {
            env.restore(&self.anchors[block / ANCHOR_STEPS])?;
            let mut nearby = vec![env.snapshot()];
            for passed in &self.steps[block..step] {
                env.step(&passed.transition.action);
                nearby.push(env.snapshot());
            }
            self.nearby = (block, nearby);
        }
        env.restore(&self.nearby.1[step - block])?;
        Ok(Some(drive))
    }

    /// Forgets the steps from one on: the take goes on from there.
    pub(crate) fn splice(&mut self, step: usize) {
        if step >= self.steps.len() {
            return;
        }
        let gone = self.steps.drain(step..).map(|step| step.qpos);
        self.replaced = (step, gone.collect());
        self.anchors.truncate(step.div_ceil(ANCHOR_STEPS));
        self.nearby = (0, Vec::new());
        self.splices.retain(|&splice| splice < step);
        if step > 0 {
            self.splices.push(step);
        }
    }

    /// The take as a dataset keeps it, without its idle head and tail: the steps before the driver first
    /// changed anything, and those after success was held or the driver last did. `None` of a take
    /// without a step.
    ///
    /// # Errors
    /// When the environment cannot go back to where the trimmed take begins.
    pub fn into_recording(mut self, env: &mut Env) -> Result<Option<Recording>, TrainError> {
        let steps = self.steps.len();
        if steps == 0 {
            return Ok(None);
        }
        let mut states = States::default();
        let mut note = |qpos: &[f64], qvel: &[f64], time_secs: f64| {
            states.qpos.extend_from_slice(qpos);
            states.qvel.extend_from_slice(qvel);
            states.time_secs.push(time_secs);
        };
        for step in &self.steps {
            note(&step.qpos, &step.qvel, step.time_secs);
        }
        let sim = env.sim();
        note(sim.qpos(), sim.qvel(), sim.time_secs());
        let held = self.held_steps() >= SUCCESS_HOLD_STEPS;
        let first = self.steps.iter().position(|step| step.busy).unwrap_or(0);
        let last = self.steps.iter().rposition(|step| step.busy);
        let end = if held {
            steps
        } else {
            last.map_or(steps, |last| last + 1)
        };
        let mut recording = Recording {
            episode: Episode {
                transitions: self
                    .steps
                    .iter()
                    .map(|step| step.transition.clone())
                    .collect(),
                final_obs: env.observation().to_vec(),
                seed: self.seed,
                success: held,
            },
            step_success: self.steps.iter().map(|step| step.success).collect(),
            states: Some(states),
            start: Start::Reset,
            snapshot: None,
            splices: self.splices.clone(),
            assisted: spans(self.steps.iter().map(|step| step.assisted)),
            trimmed: [0, 0],
        };
        if (first, end) != (0, steps) {
            let snapshot = match first {
                0 => None,
                first => {
                    self.show(env, first)?;
                    Some(snapshot_bytes(env)?)
                }
            };
            let cut = recording.cut(first..end, snapshot);
            recording = cut.map_err(|reason| TrainError::Replay { reason })?;
        }
        Ok(Some(recording))
    }
}

/// The runs of steps for which something holds, as first and one past the last.
fn spans(flags: impl Iterator<Item = bool>) -> Vec<[usize; 2]> {
    let mut spans: Vec<[usize; 2]> = Vec::new();
    for (step, flag) in flags.enumerate() {
        match spans.last_mut() {
            Some([_, end]) if flag && *end == step => *end = step + 1,
            _ if flag => spans.push([step, step + 1]),
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_the_runs_of_set_flags() {
        let flags = [true, true, false, true, false, false, true];
        assert_eq!(spans(flags.into_iter()), [[0, 2], [3, 4], [6, 7]]);
        assert!(spans([false; 3].into_iter()).is_empty());
    }
}
