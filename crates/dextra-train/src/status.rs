//! What a session says about itself and what it can be told.

use serde::Serialize;

use crate::{
    edit::{Edit, Setting},
    evaluate::EvalResult,
    statistics::Milestones,
};

/// A message to a running session, applied between rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Rest after the round in progress.
    Pause,
    /// Go on.
    Resume,
    /// Make one round (and the evaluation due before it), then rest.
    StepRound,
    /// Change a field of the configuration.
    Edit(Edit),
    /// Hand over some episodes of the replay memory ([`crate::Session::take_memory`]).
    ShowMemory,
    /// Write a checkpoint.
    Checkpoint,
    /// Write a checkpoint and end.
    Stop,
}

/// What a session is doing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Phase {
    /// Loading.
    #[default]
    Starting,
    /// Making rounds.
    Running,
    /// Resting until told to go on.
    Paused,
    /// Running the policy alone.
    Evaluating,
    /// Ended, everything written.
    Finished,
    /// Ended by an error.
    Failed(String),
}

/// Where a session stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// Whether it rests.
    pub paused: bool,
    /// Environment steps made.
    pub steps: u64,
    /// Environment steps to make.
    pub total_steps: u64,
    /// Updates made.
    pub updates: u64,
    /// Training episodes completed.
    pub episodes: u64,
    /// Training episodes lost to non-finite physics.
    pub failures: u64,
    /// Success rate of the newest training episodes that the policy acted in alone.
    pub success_rate: Option<f64>,
    /// Success rate of the newest training episodes that the expert acted in alone.
    pub expert_success_rate: Option<f64>,
    /// Success rate of the newest training episodes that both acted in.
    pub intertwined_success_rate: Option<f64>,
    /// Environment steps per second, recently.
    pub env_steps_per_sec: f64,
    /// Updates per second, recently.
    pub updates_per_sec: f64,
    /// Seconds of training so far, pauses excluded.
    pub elapsed_secs: f64,
    /// Seconds to the last step at the present rate.
    pub eta_secs: Option<f64>,
    /// The newest evaluation.
    pub last_eval: Option<EvalResult>,
    /// When evaluations first reached 50% and 90%.
    pub milestones: Milestones,
    /// Round whose parameters act.
    pub policy_version: u64,
    /// Environment steps in the newest checkpoint.
    pub checkpoint_steps: Option<u64>,
    /// The fields that can be edited, as they stand.
    pub settings: Vec<Setting>,
    /// Why the newest edit was refused, if it was.
    pub refused_edit: Option<String>,
}
