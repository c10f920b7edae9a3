//! One step, and the steps between two resets.

use serde::{Deserialize, Serialize};

/// Who chose an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Source {
    /// The policy being trained.
    Policy = 0,
    /// The suboptimal expert.
    Expert = 1,
    /// A recorded demonstration.
    Demonstration = 2,
    /// A person driving the hand.
    Human = 3,
}

/// One control step: the state it began in, what was done, what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// Observation before the action.
    pub obs: Vec<f32>,
    /// The action as the environment applied it, in [-1, 1].
    pub action: Vec<f32>,
    /// What the expert would have done here, where one was asked: it keeps time, so its answer cannot
    /// be worked out later from the observation.
    pub expert_action: Option<Vec<f32>>,
    /// Reward of the step.
    pub reward: f32,
    /// The task itself ended here, so no value follows. An episode that merely ran out of time is
    /// truncated: its last transition is not terminated and [`Episode::final_obs`] has a value.
    pub terminated: bool,
    /// Who acted.
    pub source: Source,
}

/// The steps from a reset to the episode's end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// The steps in order.
    pub transitions: Vec<Transition>,
    /// Observation after the last step.
    pub final_obs: Vec<f32>,
    /// Seed of the reset.
    pub seed: u64,
    /// Whether the task's rule counts the episode as a success.
    pub success: bool,
}

impl Episode {
    /// Number of steps.
    pub fn len(&self) -> usize {
        self.transitions.len()
    }

    /// Whether the episode has no steps.
    pub fn is_empty(&self) -> bool {
        self.transitions.is_empty()
    }

    /// The observation before step `t`, the final one for `t` = [`Episode::len`] and beyond.
    pub fn obs(&self, t: usize) -> &[f32] {
        self.transitions
            .get(t)
            .map_or(&self.final_obs, |transition| &transition.obs)
    }
}
