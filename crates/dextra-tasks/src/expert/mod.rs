//! Suboptimal experts: waypoint-tracking controllers (Jeong et al. 2020, algorithm 2).
//!
//! An expert is a list of motions. Each has a timer, a target frame for the palm relative to a
//! part of the scene, a posture of the hand and, where things go wrong, a jump to another motion.
//! The palm follows its target by damped least-squares inverse kinematics; nothing is learnt.
//! Such an expert is deliberately simple, varied by noise on its waypoints, and far from perfect.

mod arm;
mod config;
mod controller;
mod math;
mod plan;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use config::ExpertConfig;
pub(crate) use plan::ExpertPlan;

use crate::{Env, TaskError, TaskModel};

/// What changes in an expert. Together with the environment's state it decides the next action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpertState {
    seed: u64,
    /// The motion under way.
    motion: usize,
    /// Control steps since it began.
    elapsed: usize,
    /// Motions begun before it in this episode: each has noise of its own.
    visits: u64,
}

/// A task's waypoint controller.
///
/// Ask it exactly once per control step, whoever acts: its motions advance on timers.
#[derive(Clone, Debug)]
pub struct Expert {
    model: Arc<TaskModel>,
    plan: ExpertPlan,
    state: ExpertState,
}

impl Expert {
    /// The expert of a task, reset with seed 0.
    ///
    /// # Errors
    /// When the task has none.
    pub fn new(model: &Arc<TaskModel>) -> Result<Self, TaskError> {
        let no_expert = || TaskError::NoExpert {
            task: model.name().to_owned(),
        };
        let plan = model.expert.clone().ok_or_else(no_expert)?;
        Ok(Self {
            model: Arc::clone(model),
            plan,
            state: ExpertState::default(),
        })
    }

    /// Begins an episode. The seed decides by how much each waypoint is missed.
    pub fn reset(&mut self, seed: u64) {
        self.state = ExpertState {
            seed,
            ..ExpertState::default()
        };
    }

    /// The action for the environment's present state, each value in [-1, 1].
    ///
    /// Depends on nothing but that state and [`Expert::state`].
    pub fn act(&mut self, env: &Env) -> Vec<f32> {
        let sim = env.sim();
        self.state = controller::advance(&self.plan, &self.state, sim);
        let action = controller::action(&self.plan, &self.model, &self.state, sim);
        self.state.elapsed += 1;
        action
    }

    /// Name of the motion of the last action.
    pub fn phase(&self) -> &str {
        &self.plan.motions[self.state.motion].name
    }

    /// Its state.
    pub fn state(&self) -> ExpertState {
        self.state.clone()
    }

    /// Continues from a state of the same task's expert. A motion that the plan does not have
    /// stands for its last one.
    pub fn set_state(&mut self, state: ExpertState) {
        self.state = state;
        self.state.motion = self.state.motion.min(self.plan.motions.len() - 1);
    }
}
