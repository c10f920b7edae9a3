//! Suboptimal experts: waypoint-tracking controllers (Jeong et al. 2020, algorithm 2); where no waypoint of
//! the palm would help, learnt primitives, or libraries of posture sequences.
//!
//! A waypoint controller is a list of motions. Each has a timer, a target frame for the palm relative to a
//! part of the scene, a posture of the hand and, where things go wrong, a jump to another motion.
//! The palm follows its target by damped least-squares inverse kinematics; nothing is learnt.
//! Such an expert is deliberately simple, varied by noise on its waypoints, and far from perfect.

mod arm;
mod config;
mod controller;
mod math;
mod plan;
mod primitives;
mod sequences;
mod tracker;

use std::sync::Arc;

use dextra_sim::{Model, Pose};
use serde::{Deserialize, Serialize};

pub(crate) use config::ExpertTable;
pub use tracker::{PalmTracker, Tracking, difference, displaced};

use crate::{Env, TaskError, TaskModel, config::Source};

/// The `[expert]` table checked against the scene.
#[derive(Clone, Debug)]
pub(crate) enum ExpertPlan {
    Waypoints(plan::WaypointPlan),
    Sequences(sequences::SequencePlan),
    Primitives(primitives::PrimitivePlan),
}

impl ExpertPlan {
    pub fn compile(
        table: ExpertTable,
        model: &Model,
        obs_dim: usize,
        source: &Source,
    ) -> Result<Self, TaskError> {
        Ok(match table {
            ExpertTable::Waypoints(config) => {
                Self::Waypoints(plan::WaypointPlan::compile(config, model, source)?)
            }
            ExpertTable::Sequences(config) => {
                Self::Sequences(sequences::SequencePlan::compile(config, model, source)?)
            }
            ExpertTable::Primitives(config) => Self::Primitives(
                primitives::PrimitivePlan::compile(config, model, obs_dim, source)?,
            ),
        })
    }
}

/// What changes in an expert. Together with the environment's state it decides the next action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpertState {
    seed: u64,
    /// The motion under way.
    motion: usize,
    /// Control steps since it began.
    elapsed: usize,
    /// Motions begun before it in this episode: each has noise of its own.
    visits: u64,
    /// The action that a posture is held with; empty where none is.
    held: Vec<f32>,
}

/// Where an expert wants the palm and the fingers.
#[derive(Clone, Debug, PartialEq)]
pub struct Waypoint {
    /// Name of the motion.
    pub name: String,
    /// The palm as near to the motion's target as the arm can bring it, in the world.
    pub palm: Pose,
    /// Name of the hand's posture.
    pub posture: String,
}

/// A task's expert.
///
/// Ask it exactly once per control step, whoever acts: it keeps time.
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

    /// Begins an episode. The seed decides by how much each waypoint or posture is missed.
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
        let action = match &self.plan {
            ExpertPlan::Waypoints(plan) => {
                self.state = controller::advance(plan, &self.state, sim);
                controller::action(plan, &self.model, &self.state, sim)
            }
            ExpertPlan::Sequences(plan) => {
                self.state.motion = plan.posture(self.state.elapsed);
                let goal = self.model.task.goal(sim);
                plan.action(&goal, self.state.elapsed, self.state.seed)
            }
            ExpertPlan::Primitives(plan) => {
                if plan.decides_at(self.state.elapsed) {
                    let solved = self.model.task.success(sim) && !self.state.held.is_empty();
                    self.state.motion = usize::from(!solved);
                    if !solved {
                        let (obs, step) = (env.observation(), self.state.elapsed);
                        self.state.held = plan.posture(obs, step, self.state.seed);
                    }
                }
                self.state.held.clone()
            }
        };
        self.state.elapsed += 1;
        action
    }

    /// Name of the motion, or of the posture approached or held, of the last action.
    pub fn phase(&self) -> &str {
        match &self.plan {
            ExpertPlan::Waypoints(plan) => &plan.motions[self.state.motion].name,
            ExpertPlan::Sequences(plan) => &plan.names[self.state.motion],
            ExpertPlan::Primitives(_) => primitives::PHASES[self.state.motion],
        }
    }

    /// What it is after at the moment; `None` where it does not lead the palm.
    pub fn waypoint(&self, env: &Env) -> Option<Waypoint> {
        match &self.plan {
            ExpertPlan::Waypoints(plan) => {
                Some(plan.waypoint(&plan.motions[self.state.motion], &self.state, env.sim()))
            }
            ExpertPlan::Sequences(_) | ExpertPlan::Primitives(_) => None,
        }
    }

    /// All that it leads the palm to in the course of an episode, as the scene stands now.
    pub fn waypoints(&self, env: &Env) -> Vec<Waypoint> {
        match &self.plan {
            ExpertPlan::Waypoints(plan) => plan
                .motions
                .iter()
                .map(|motion| plan.waypoint(motion, &self.state, env.sim()))
                .collect(),
            ExpertPlan::Sequences(_) | ExpertPlan::Primitives(_) => Vec::new(),
        }
    }

    /// Its state.
    pub fn state(&self) -> ExpertState {
        self.state.clone()
    }

    /// Continues from a state of the same task's expert. A motion that the plan does not have
    /// stands for its last one.
    pub fn set_state(&mut self, state: ExpertState) {
        self.state = state;
        let motions = match &self.plan {
            ExpertPlan::Waypoints(plan) => plan.motions.len(),
            ExpertPlan::Sequences(plan) => plan.names.len(),
            ExpertPlan::Primitives(_) => primitives::PHASES.len(),
        };
        self.state.motion = self.state.motion.min(motions - 1);
    }
}
