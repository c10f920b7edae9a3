//! The environment: a task, a simulation and a time limit.

use std::sync::Arc;

use dextra_sim::{Sim, Snapshot};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{Measure, RewardKind, RewardTerm, TaskError, TaskModel};

/// How to run a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnvOptions {
    /// What is rewarded.
    pub reward: RewardKind,
    /// Control steps of an episode, at least 1; `None` for the task's own number.
    pub horizon: Option<usize>,
    /// Whether masses, friction, the object's size and the actuators' gains vary from episode to
    /// episode, within the ranges of the task's file; those of a file without ranges do not.
    pub randomise: bool,
    /// Control steps for which each action is held, at least 1 (`None`): a decision less often. Rewards
    /// add up over them; success and horizon count control steps as ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_repeat: Option<usize>,
}

/// What a step led to; the observation is [`Env::observation`].
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Sum of the terms.
    pub reward: f32,
    /// What the reward is made of.
    pub terms: Vec<RewardTerm>,
    /// Whether the episode ended by itself: the task says so, or `failure` is set. Nothing that could
    /// follow has any value.
    pub terminated: bool,
    /// Whether the time is up.
    pub truncated: bool,
    /// Whether the task is solved at this moment.
    pub success: bool,
    /// Why the step is worthless: an action or a state that is not finite. Such an episode should
    /// not be learnt from; the observation is that of the last good step.
    pub failure: Option<String>,
}

impl Step {
    /// This step and the one before it as one.
    fn after(mut self, before: Step) -> Self {
        self.reward += before.reward;
        for (term, earlier) in self.terms.iter_mut().zip(before.terms) {
            term.value += earlier.value;
        }
        self
    }
}

/// A moment of an environment. Restored, it continues to the same bits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnvSnapshot {
    task: String,
    sim: Snapshot,
    observation: Vec<f32>,
    progress: Progress,
}

/// How far an episode has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    seed: u64,
    step_index: usize,
    success_steps: usize,
    total_reward: f64,
    failure: Option<String>,
}

/// An environment: Gymnasium's `reset` and `step`. Owned by one thread.
pub struct Env {
    task_model: Arc<TaskModel>,
    reward: RewardKind,
    horizon: usize,
    randomise: bool,
    action_repeat: usize,
    /// Factors of the dense reward's terms, in their order; empty where all are 1.
    reward_weights: Vec<f32>,
    sim: Sim,
    observation: Vec<f32>,
    ctrl: Vec<f64>,
    progress: Progress,
}

impl Env {
    /// An environment by the name of its task, reset with seed 0.
    ///
    /// # Errors
    /// When the task is unknown, its files are missing or wrong, or it cannot be as `options` asks.
    pub fn make(task: &str, options: &EnvOptions) -> Result<Self, TaskError> {
        let model = TaskModel::load(task)?;
        model.check(options)?;
        Ok(Self::with_model(model, options))
    }

    /// An environment that shares its task and scene with others, reset with seed 0.
    pub fn with_model(task_model: Arc<TaskModel>, options: &EnvOptions) -> Self {
        let mut env = Self {
            reward: options.reward,
            horizon: options.horizon.unwrap_or(task_model.horizon).max(1),
            randomise: options.randomise,
            action_repeat: options.action_repeat.unwrap_or(1).max(1),
            reward_weights: Vec::new(),
            sim: Sim::new(Arc::clone(&task_model.model)),
            observation: Vec::with_capacity(task_model.obs_dim()),
            ctrl: vec![0.0; task_model.action_dim()],
            progress: Progress::default(),
            task_model,
        };
        env.reset(0);
        env
    }

    /// The task and its scene.
    pub fn task_model(&self) -> &Arc<TaskModel> {
        &self.task_model
    }

    /// Name of the task.
    pub fn task(&self) -> &str {
        self.task_model.name
    }

    /// Number of observed values.
    pub fn obs_dim(&self) -> usize {
        self.task_model.obs_dim()
    }

    /// Number of action values.
    pub fn action_dim(&self) -> usize {
        self.task_model.action_dim()
    }

    /// Control steps of an episode.
    pub fn horizon(&self) -> usize {
        self.horizon
    }

    /// Seconds of a step: those of a control step, as often as an action is repeated.
    pub fn control_dt_secs(&self) -> f64 {
        self.task_model.control_dt_secs() * self.action_repeat as f64
    }

    /// Names of the dense reward's terms.
    pub fn dense_terms(&self) -> Vec<&'static str> {
        let terms = self.task_model.task.dense_terms(&self.sim);
        terms.iter().map(|term| term.name).collect()
    }

    /// Multiplies each term of the dense reward by `weight` of its name, from the next step on.
    pub fn weigh_dense_terms(&mut self, weight: impl Fn(&str) -> f64) {
        let weights = self.dense_terms().into_iter().map(weight);
        self.reward_weights = weights.map(|weight| weight as f32).collect();
    }

    fn weighted_terms(&self) -> Vec<RewardTerm> {
        let mut terms = self.task_model.task.dense_terms(&self.sim);
        for (term, weight) in terms.iter_mut().zip(&self.reward_weights) {
            term.value *= weight;
        }
        terms
    }

    /// Begins the episode of a seed and returns its first observation. The same seed gives the
    /// same episode, whatever happened before.
    pub fn reset(&mut self, seed: u64) -> &[f32] {
        self.vary(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let placed = self.task_model.task.reset(&mut self.sim, &mut rng);
        self.progress = Progress {
            seed,
            failure: placed.err().map(|error| error.to_string()),
            ..Progress::default()
        };
        self.observe();
        &self.observation
    }

    /// The observation of the present state.
    pub fn observation(&self) -> &[f32] {
        &self.observation
    }

    /// Takes one step: `action` is clipped to [-1, 1], scaled to the actuators' control ranges and held
    /// for the task's number of timesteps, as often as actions are repeated.
    pub fn step(&mut self, action: &[f32]) -> Step {
        let mut step = self.control_step(action);
        for _ in 1..self.action_repeat {
            if step.terminated || step.truncated {
                break;
            }
            step = self.control_step(action).after(step);
        }
        step
    }

    fn control_step(&mut self, action: &[f32]) -> Step {
        if self.progress.failure.is_none() {
            self.progress.failure = self.advance(action).err();
        }
        self.progress.step_index += 1;
        if self.progress.failure.is_some() {
            return Step {
                reward: 0.0,
                terms: Vec::new(),
                terminated: true,
                truncated: false,
                success: false,
                failure: self.progress.failure.clone(),
            };
        }
        self.observe();
        let task = &self.task_model.task;
        let (success, terminated) = (task.success(&self.sim), task.terminated(&self.sim));
        let terms = match self.reward.success_term(success) {
            Some(term) => vec![term],
            None => self.weighted_terms(),
        };
        let reward = terms.iter().map(|term| term.value).sum();
        self.progress.success_steps += usize::from(success);
        self.progress.total_reward += f64::from(reward);
        Step {
            reward,
            terms,
            terminated,
            truncated: !terminated && self.progress.step_index >= self.horizon,
            success,
            failure: None,
        }
    }

    /// The simulation.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Control steps taken in this episode.
    pub fn step_index(&self) -> usize {
        self.progress.step_index
    }

    /// Seed of this episode.
    pub fn seed(&self) -> u64 {
        self.progress.seed
    }

    /// Whether this episode counts as a success by now: at least as many successful steps as the task
    /// asks for (`evaluate_success` of mj_envs: more than 25, of the pen more than 20).
    pub fn episode_success(&self) -> bool {
        self.progress.success_steps >= self.task_model.min_success_steps
    }

    /// What success asks for, and how far it is met now: the task is solved where all of it holds.
    pub fn measures(&self) -> Vec<Measure> {
        self.task_model.task.measures(&self.sim)
    }

    /// Control steps of this episode at which the task was solved, and how many make it a success.
    pub fn solved_steps(&self) -> (usize, usize) {
        let needed = self.task_model.min_success_steps;
        (self.progress.success_steps, needed)
    }

    /// Sum of the rewards of this episode.
    pub fn episode_return(&self) -> f64 {
        self.progress.total_reward
    }

    /// This moment, as a value.
    pub fn snapshot(&self) -> EnvSnapshot {
        EnvSnapshot {
            task: self.task().to_owned(),
            sim: self.sim.snapshot(),
            observation: self.observation.clone(),
            progress: self.progress.clone(),
        }
    }

    /// Goes back (or forth) to a moment of any environment of the same task and scene.
    ///
    /// # Errors
    /// When the snapshot is of another task or scene.
    pub fn restore(&mut self, snapshot: &EnvSnapshot) -> Result<(), TaskError> {
        if snapshot.task != self.task() {
            return Err(TaskError::OtherTask {
                found: snapshot.task.clone(),
                expected: self.task().to_owned(),
            });
        }
        self.vary(snapshot.progress.seed);
        self.sim.restore(&snapshot.sim)?;
        self.observation.clone_from(&snapshot.observation);
        self.progress.clone_from(&snapshot.progress);
        Ok(())
    }

    /// Puts the simulation into a state, as [`Sim::set_state`] does, and observes it; whether the task
    /// is solved there. To look at recorded states: the episode's counters stay as they are.
    ///
    /// # Errors
    /// When a length is wrong or a value is not finite; nothing changes then.
    pub fn set_state(&mut self, qpos: &[f64], qvel: &[f64]) -> Result<bool, TaskError> {
        self.sim.set_state(qpos, qvel)?;
        self.observe();
        Ok(self.task_model.task.success(&self.sim))
    }

    /// Makes the scene that of the episode with this seed, if scenes vary.
    fn vary(&mut self, seed: u64) {
        let randomise = self.task_model.randomise.as_ref();
        if let Some(randomise) = randomise.filter(|_| self.randomise) {
            self.sim = Sim::new(randomise.model(&self.task_model.model, seed));
        }
    }

    /// Simulates one control step, or says why that failed.
    fn advance(&mut self, action: &[f32]) -> Result<(), String> {
        if action.len() != self.ctrl.len() {
            let expected = self.ctrl.len();
            return Err(format!(
                "the action has {} values, not {expected}",
                action.len()
            ));
        }
        for (index, (ctrl, &a)) in self.ctrl.iter_mut().zip(action).enumerate() {
            if !a.is_finite() {
                let name = &self.task_model.model.actuators[index].name;
                return Err(format!("the action of `{name}` is not finite ({a})"));
            }
            let (middle, half) = self.task_model.action_scale(index);
            *ctrl = middle + half * f64::from(a.clamp(-1.0, 1.0));
        }
        for _ in 0..self.task_model.frame_skip {
            self.sim.step(&self.ctrl);
            if !self.sim.is_finite() {
                return Err(format!(
                    "the physics diverged at {:.3} s",
                    self.sim.time_secs()
                ));
            }
        }
        Ok(())
    }

    fn observe(&mut self) {
        self.observation.clear();
        self.task_model
            .task
            .observe(&self.sim, &mut self.observation);
    }
}
