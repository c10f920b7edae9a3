//! An environment with someone acting in it: policy, expert, or both by turns.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use dextra_data::{Episode, Source, Transition};
use dextra_sim::Sim;
use dextra_tasks::{Env, EnvSnapshot, Expert, ExpertState, Step, TaskError, TaskModel};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    config::{ConfigError, TrainConfig},
    error::TrainError,
    evaluate::Act,
    exploration::{EpisodePlan, Exploration, Held},
    readings::Readings,
    seeds::{episode_seed, generator},
    takeover::{Outside, Takeover},
};

/// One step of a training environment, for those who watch.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which actor.
    pub actor: usize,
    /// Which of its episodes.
    pub episode: u64,
    /// Step in the episode, from 1.
    pub step: usize,
    /// Seed the episode was reset with.
    pub seed: u64,
    /// Reward of the step.
    pub reward: f32,
    /// The reward's named terms.
    pub terms: Vec<(&'static str, f32)>,
    /// Whether the task is solved at this step.
    pub success: bool,
    /// Whether the episode counts as a success by now.
    pub episode_success: bool,
    /// Sum of the episode's rewards so far.
    pub episode_return: f64,
    /// Who acted.
    pub source: Source,
    /// Steps of the episode so far that a person made.
    pub by_hand: usize,
    /// The observation that the action answered.
    pub obs: Vec<f32>,
    /// The action, in [-1, 1]; empty in a frame that no action led to.
    pub action: Vec<f32>,
    /// Position (m) and quaternion (w, x, y, z) of every body, in the model's order.
    pub body_poses: Vec<[f32; 7]>,
    /// Contacts, touch and controls after the step.
    pub readings: Readings,
    /// Round whose parameters acted.
    pub policy_version: u64,
}

/// Where actors offer their frames: a bounded queue that drops what does not fit, so that nobody who
/// watches can make an actor wait.
#[derive(Clone, Debug)]
pub struct FrameSink {
    sender: Sender<Frame>,
    watched: Arc<AtomicUsize>,
}

impl FrameSink {
    const NOBODY: usize = usize::MAX;

    /// A sink that holds up to `capacity` frames, watching nobody, and where they come out.
    pub fn new(capacity: usize) -> (Self, Receiver<Frame>) {
        let (sender, receiver) = bounded(capacity);
        (
            Self {
                sender,
                watched: Arc::new(AtomicUsize::new(Self::NOBODY)),
            },
            receiver,
        )
    }

    /// Chooses whose frames are wanted.
    pub fn watch(&self, actor: Option<usize>) {
        self.watched
            .store(actor.unwrap_or(Self::NOBODY), Ordering::Relaxed);
    }

    fn wants(&self, actor: usize) -> bool {
        self.watched.load(Ordering::Relaxed) == actor && !self.sender.is_full()
    }

    fn offer(&self, frame: Frame) {
        // Full or unwatched: the frame is dropped, which is what a watcher prefers to a queue.
        let _ = self.sender.try_send(frame);
    }
}

/// An episode in which the physics left the finite range. It never enters the replay memory; its seed
/// and actions reproduce it.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Which actor.
    pub actor: usize,
    /// Which of its episodes.
    pub episode: u64,
    /// Seed the episode was reset with.
    pub seed: u64,
    /// Step at which it failed, from 1.
    pub step: usize,
    /// What the simulation says.
    pub message: String,
    /// Positions after the step (`null` where not finite).
    pub qpos: Vec<f64>,
    /// Velocities after the step (`null` where not finite).
    pub qvel: Vec<f64>,
    /// Every action of the episode, the failing one last.
    pub actions: Vec<Vec<f32>>,
}

/// A finished episode and what the statistics want to know of it.
pub(crate) struct Finished {
    pub episode: Episode,
    pub plan: EpisodePlan,
    pub total_reward: f64,
    /// Whether it was only begun: then success and length say nothing.
    pub begun: bool,
    /// Whether a person made some of its steps: then success says nothing of the policy.
    pub by_hand: bool,
}

/// What an actor did in a round.
#[derive(Default)]
pub(crate) struct Collected {
    pub finished: Vec<Finished>,
    pub failures: Vec<Failure>,
    /// What a person did.
    pub takeovers: Vec<Takeover>,
}

/// What continues an actor exactly.
#[derive(Serialize, Deserialize)]
pub(crate) struct ActorState {
    env: EnvSnapshot,
    expert: Option<ExpertState>,
    rng: ChaCha8Rng,
    plan: EpisodePlan,
    cut: Option<usize>,
    held: Held,
    episode: u64,
    transitions: Vec<Transition>,
}

pub(crate) struct Actor {
    index: usize,
    env: Env,
    /// Absent where the task has none and none is asked for.
    expert: Option<Expert>,
    exploration: Exploration,
    end_on_success: bool,
    rng: ChaCha8Rng,
    plan: EpisodePlan,
    /// The step after which the episode is cut, when it is only begun.
    cut: Option<usize>,
    held: Held,
    episode: u64,
    transitions: Vec<Transition>,
}

impl Actor {
    pub fn new(
        index: usize,
        model: &Arc<TaskModel>,
        config: &TrainConfig,
    ) -> Result<Self, TaskError> {
        let mut actor = Self {
            index,
            env: config.make_env(model),
            expert: expert(model, config)?,
            exploration: exploration(config),
            end_on_success: config.end_on_success,
            rng: generator(config.seed, "actor", index as u64),
            plan: EpisodePlan::Policy,
            cut: None,
            held: Held::new(generator(config.seed, "actor", index as u64)),
            episode: 0,
            transitions: Vec::new(),
        };
        actor.begin_episode();
        Ok(actor)
    }

    /// Takes over what may change while a run goes on: who acts how often, and how the reward's terms
    /// are weighed. An episode under way keeps its plan.
    ///
    /// # Errors
    /// When the expert is to act and the run was started without one.
    pub fn configure(&mut self, config: &TrainConfig) -> Result<(), TrainError> {
        if self.expert.is_none() && config.lambda_psi > 0.0 {
            return Err(TrainError::Config(ConfigError::BadValue {
                key: "lambda_psi".into(),
                value: config.lambda_psi.to_string(),
                reason: "the run was started without an expert".into(),
            }));
        }
        self.exploration = exploration(config);
        config.weigh(&mut self.env);
        Ok(())
    }

    pub fn state(&self) -> ActorState {
        ActorState {
            env: self.env.snapshot(),
            expert: self.expert.as_ref().map(Expert::state),
            rng: self.rng.clone(),
            plan: self.plan,
            cut: self.cut,
            held: self.held.clone(),
            episode: self.episode,
            transitions: self.transitions.clone(),
        }
    }

    pub fn set_state(&mut self, state: ActorState) -> Result<(), TaskError> {
        self.env.restore(&state.env)?;
        if let Some(state) = state.expert {
            // Edited since, a configuration may no longer ask for the expert that the run has.
            let expert = match self.expert.take() {
                Some(expert) => expert,
                None => Expert::new(self.env.task_model())?,
            };
            self.expert.insert(expert).set_state(state);
        }
        self.rng = state.rng;
        self.plan = state.plan;
        self.cut = state.cut;
        self.held = state.held;
        self.episode = state.episode;
        self.transitions = state.transitions;
        Ok(())
    }

    /// Takes `steps` control steps.
    pub fn collect(
        &mut self,
        policy: &dyn Act,
        policy_version: u64,
        steps: u64,
        outside: &Outside,
    ) -> Collected {
        let mut collected = Collected::default();
        for round_step in 0..steps {
            let before = &self.transitions;
            let by_hand = outside.action(self.index, round_step, &self.env, before);
            let by_hand = by_hand.map(clipped);
            if let Some(action) = &by_hand {
                Takeover::note(&mut collected.takeovers, self.index, round_step, action);
                // Nobody takes over an episode to see it cut.
                self.cut = None;
            }
            let step = self.step(policy, policy_version, by_hand, outside.sink);
            if let Some(message) = step.failure {
                collected.failures.push(self.failure(message));
                self.begin_episode();
            } else if step.terminated || step.truncated || self.is_done() {
                collected.finished.push(self.finish());
                self.begin_episode();
            }
        }
        collected
    }

    /// Whether the episode has shown what it can, or should.
    fn is_done(&self) -> bool {
        let begun = self.cut.is_some_and(|last| self.env.step_index() >= last);
        begun || self.end_on_success && self.env.episode_success()
    }

    fn begin_episode(&mut self) {
        let seed = episode_seed(&mut self.rng);
        self.env.reset(seed);
        if let Some(expert) = &mut self.expert {
            expert.reset(seed);
        }
        self.plan = self.exploration.plan(&mut self.rng);
        self.cut = self.exploration.cut(&mut self.rng);
        self.episode += 1;
        self.transitions.clear();
    }

    /// One step. The expert is asked at every step, whoever acts: it keeps time, and its answer is
    /// what the expert-augmented update learns from (equation 4 of the paper). A person is an expert who
    /// knows better.
    fn step(
        &mut self,
        policy: &dyn Act,
        policy_version: u64,
        by_hand: Option<Vec<f32>>,
        sink: Option<&FrameSink>,
    ) -> Step {
        let asked = self.expert.as_mut().map(|expert| expert.act(&self.env));
        let human = by_hand.is_some();
        let expert_action = by_hand.or(asked.map(clipped));
        let redraw = self.exploration.redraws_at(self.env.step_index());
        if redraw {
            self.held.expert_acts = self.exploration.expert_acts(self.plan, &mut self.rng);
            self.held.noise = self.rng.clone();
        }
        let obs = self.env.observation().to_vec();
        let (action, source) = match &expert_action {
            Some(action) if human => (action.clone(), Source::Human),
            Some(action) if self.held.expert_acts => (action.clone(), Source::Expert),
            _ => {
                let mut noise = self.held.noise.clone();
                let action = clipped(policy.act(&obs, &mut noise));
                if redraw {
                    self.rng = noise;
                }
                (action, Source::Policy)
            }
        };
        let step = self.env.step(&action);
        let transition = Transition {
            obs,
            action,
            expert_action,
            reward: step.reward,
            terminated: step.terminated,
            source,
        };
        self.transitions.push(transition);
        if let Some(sink) = sink.filter(|sink| sink.wants(self.index)) {
            sink.offer(self.frame(&step, policy_version));
        }
        step
    }

    /// Steps of the episode so far that a person made.
    fn by_hand(&self) -> usize {
        let human = |transition: &&Transition| transition.source == Source::Human;
        self.transitions.iter().filter(human).count()
    }

    fn finish(&mut self) -> Finished {
        let by_hand = self.by_hand() > 0;
        let episode = Episode {
            transitions: std::mem::take(&mut self.transitions),
            final_obs: self.env.observation().to_vec(),
            seed: self.env.seed(),
            success: self.env.episode_success(),
        };
        Finished {
            episode,
            plan: self.plan,
            total_reward: self.env.episode_return(),
            begun: self.cut.is_some(),
            by_hand,
        }
    }

    fn failure(&mut self, message: String) -> Failure {
        let transitions = std::mem::take(&mut self.transitions);
        Failure {
            actor: self.index,
            episode: self.episode,
            seed: self.env.seed(),
            step: transitions.len(),
            message,
            qpos: self.env.sim().qpos().to_vec(),
            qvel: self.env.sim().qvel().to_vec(),
            actions: transitions.into_iter().map(|t| t.action).collect(),
        }
    }

    /// The step just made.
    fn frame(&self, step: &Step, policy_version: u64) -> Frame {
        let newest = self.transitions.last();
        Frame {
            actor: self.index,
            episode: self.episode,
            step: self.env.step_index(),
            seed: self.env.seed(),
            reward: step.reward,
            terms: step
                .terms
                .iter()
                .map(|term| (term.name, term.value))
                .collect(),
            success: step.success,
            episode_success: self.env.episode_success(),
            episode_return: self.env.episode_return(),
            source: newest.map_or(Source::Policy, |transition| transition.source),
            by_hand: self.by_hand(),
            obs: newest.map_or_else(Vec::new, |transition| transition.obs.clone()),
            action: newest.map_or_else(Vec::new, |transition| transition.action.clone()),
            body_poses: body_poses(self.env.sim()),
            readings: Readings::of(&self.env),
            policy_version,
        }
    }
}

/// Position (m) and quaternion (w, x, y, z) of every body, in the model's order.
pub(crate) fn body_poses(sim: &Sim) -> Vec<[f32; 7]> {
    (0..sim.model().bodies.len())
        .map(|body| {
            let pose = sim.body_pose(body);
            let ([x, y, z], [w, i, j, k]) = (pose.pos, pose.quat);
            [x, y, z, w, i, j, k].map(|v| v as f32)
        })
        .collect()
}

fn exploration(config: &TrainConfig) -> Exploration {
    Exploration {
        lambda_psi: config.lambda_psi,
        lambda_intertwine: config.lambda_intertwine,
        hold_steps: config.exploration_hold_steps,
        beginning_share: config.beginning_share,
        beginning_steps: config.beginning_steps,
    }
}

/// The task's expert. A task without one can still be learnt, as long as no share of the data is to come
/// from it; one whose word the learner does not want either is not asked at all.
fn expert(model: &Arc<TaskModel>, config: &TrainConfig) -> Result<Option<Expert>, TaskError> {
    if config.lambda_psi == 0.0 && !config.learn.expert_term {
        return Ok(None);
    }
    match Expert::new(model) {
        Err(TaskError::NoExpert { .. }) if config.lambda_psi == 0.0 => Ok(None),
        made => made.map(Some),
    }
}

/// The action as the environment applies it: what the critic learns about must be what was done.
pub(crate) fn clipped(mut action: Vec<f32>) -> Vec<f32> {
    for a in &mut action {
        *a = a.clamp(-1.0, 1.0);
    }
    action
}

#[cfg(test)]
mod tests;
