//! The loop as a value: lock-step rounds, parallel and still the same every time.
//!
//! In round k the actors collect a fixed number of steps with the parameters published after round
//! k-1, while the learner makes a fixed number of updates on the episodes complete after round k-1.
//! At the round's end both hand over. Nothing depends on which of the two is faster.

mod evaluation;
mod saved;

use std::{num::NonZero, sync::Arc, thread, time::Instant};

use dextra_data::{Episode, Replay};
use dextra_learn::{LearnConfig, Learner, Policy};
use dextra_tasks::{Env, TaskModel};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    actor::{Actor, Collected, Failure, FrameSink},
    config::TrainConfig,
    demonstrations,
    edit::Edit,
    error::TrainError,
    evaluate::{ActingPolicy, EvalResult},
    exploration::EpisodePlan,
    hindsight::relabelled,
    memory::Memory,
    metrics::{INTERVENTION_RATE, MetricRow, UpdateMeans},
    provenance::Provenance,
    seeds::generator,
    statistics::{Milestones, RecentEpisodes},
    takeover::{Outside, Takeover},
};

/// Actors, learner and replay memory of one run.
pub struct Trainer {
    config: TrainConfig,
    model: Arc<TaskModel>,
    /// Names of the dense reward's terms.
    terms: Vec<&'static str>,
    actors: Vec<Actor>,
    learner: Learner,
    policy: Arc<Policy>,
    /// The policy that did best in evaluations so far.
    best: Option<Arc<Policy>>,
    memory: Memory,
    replay_rng: ChaCha8Rng,
    progress: Progress,
}

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub steps: u64,
    pub rounds: u64,
    pub episodes: u64,
    pub failures: u64,
    pub elapsed_secs: f64,
    pub recent: RecentEpisodes,
    pub next_eval_steps: u64,
    pub monitored_episodes: u64,
    pub last_eval: Option<EvalResult>,
    pub best_eval: Option<EvalResult>,
    pub milestones: Milestones,
    pub solved: bool,
}

/// What a round did.
#[derive(Debug)]
pub struct RoundReport {
    /// Measurements.
    pub row: MetricRow,
    /// Episodes lost to non-finite physics.
    pub failures: Vec<Failure>,
    /// Steps that a person made.
    pub takeovers: Vec<Takeover>,
}

impl Trainer {
    /// A run at its beginning.
    ///
    /// # Errors
    /// When the configuration is out of range, the task is unknown, its files cannot be read or its
    /// demonstrator cannot demonstrate.
    pub fn new(config: TrainConfig) -> Result<Self, TrainError> {
        let mut trainer = Self::empty(config)?;
        for episode in demonstrations::record(&trainer.model, &trainer.config)? {
            trainer.memory.demonstrations.push(episode)?;
        }
        Ok(trainer)
    }

    /// A run at its beginning, with nothing in its memory.
    fn empty(config: TrainConfig) -> Result<Self, TrainError> {
        config.validate()?;
        let env = Env::make(&config.task, &config.env())?;
        let model = Arc::clone(env.task_model());
        let terms = env.dense_terms();
        config.check_reward_weights(&terms)?;
        let learner = Learner::new(&config.learn, env.obs_dim(), env.action_dim(), config.seed)?;
        let actors = (0..config.actors)
            .map(|index| Actor::new(index, &model, &config))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            policy: learner.policy(),
            best: None,
            memory: Memory::new(&config, env.obs_dim(), env.action_dim()),
            replay_rng: generator(config.seed, "replay", 0),
            progress: Progress {
                next_eval_steps: config.eval_every_steps,
                ..Progress::default()
            },
            config,
            model,
            terms,
            actors,
            learner,
        })
    }

    fn unfit(&self, reason: String) -> TrainError {
        TrainError::checkpoint(format!("at {} steps", self.progress.steps).as_ref(), reason)
    }

    /// What writes this run.
    pub fn provenance(&self) -> Provenance {
        Provenance::of(&self.model)
    }

    /// The run's configuration.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// Names of the terms of the task's dense reward.
    pub fn reward_terms(&self) -> &[&'static str] {
        &self.terms
    }

    /// Changes a field of the run from the next round on; returns its value before. What the replay memory
    /// holds stays as it was collected.
    ///
    /// # Errors
    /// When the field cannot be edited or the value is out of its range; nothing has changed then.
    pub fn edit(&mut self, edit: &Edit) -> Result<f64, TrainError> {
        let config = self.config.edited(edit, &self.terms)?;
        for actor in &mut self.actors {
            actor.configure(&config)?;
        }
        self.learner.set_rates(&config.learn)?;
        let before = std::mem::replace(&mut self.config, config);
        // The bound on the KL acts too; a resumed run would publish it as well.
        self.policy = self.learner.policy();
        Ok(before.number(&edit.key).unwrap_or_default())
    }

    /// At most `most` episodes to look at: demonstrations, up to a quarter, then others evenly over what
    /// the replay memory holds, oldest first.
    pub fn some_episodes(&self, most: usize) -> Vec<Episode> {
        let evenly = |replay: &Replay, most: usize| -> Vec<Episode> {
            let every = replay.episodes().len().div_ceil(most.max(1)).max(1);
            replay.episodes().step_by(every).cloned().collect()
        };
        let mut episodes = evenly(&self.memory.demonstrations, most / 4);
        episodes.extend(evenly(&self.memory.replay, most - episodes.len()));
        episodes
    }

    /// Length of an action.
    pub(crate) fn action_dim(&self) -> usize {
        self.policy.action_dim()
    }

    /// Environment steps made.
    pub fn steps(&self) -> u64 {
        self.progress.steps
    }

    /// Updates made.
    pub fn updates(&self) -> u64 {
        self.learner.updates()
    }

    /// The newest policy, acting as evaluations do.
    pub fn policy(&self) -> ActingPolicy {
        ActingPolicy {
            policy: Arc::clone(&self.policy),
            mode: self.config.eval_mode,
        }
    }

    /// The policy that did best in the run's evaluations, or the newest before the first.
    pub fn best_policy(&self) -> ActingPolicy {
        let policy = Arc::clone(self.best.as_ref().unwrap_or(&self.policy));
        ActingPolicy {
            policy,
            mode: self.config.eval_mode,
        }
    }

    fn best_steps(&self) -> u64 {
        self.progress
            .best_eval
            .map_or(self.progress.steps, |result| result.steps)
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether all steps are made, or the task is solved.
    pub fn is_finished(&self) -> bool {
        self.progress.solved || self.progress.steps >= self.config.steps
    }

    /// One lock-step round: actors and learner side by side, then the hand-over.
    ///
    /// # Errors
    /// When an update fails or its losses are not finite.
    pub fn round(&mut self, sink: Option<&FrameSink>) -> Result<RoundReport, TrainError> {
        self.round_with(&Outside {
            sink,
            ..Outside::default()
        })
    }

    /// As [`Trainer::round`], with somebody who may drive in an actor's place. The round is as long as
    /// always: when the other actors and the learner have done their part, they wait for its steps.
    ///
    /// # Errors
    /// As [`Trainer::round`].
    pub fn round_with(&mut self, outside: &Outside) -> Result<RoundReport, TrainError> {
        let began = Instant::now();
        let updates = self.updates_due();
        let steps_each = self.config.round_steps;
        let version = self.progress.rounds;
        let acting = ActingPolicy {
            policy: Arc::clone(&self.policy),
            mode: self.config.act_mode,
        };
        let (actors, learner) = (&mut self.actors, &mut self.learner);
        let (memory, rng) = (&self.memory, &mut self.replay_rng);
        let learn_config = &self.config.learn;
        let (collected, learned) = thread::scope(|scope| {
            let collecting =
                scope.spawn(|| collect_all(actors, &acting, version, steps_each, outside));
            let learned = learn(learner, learn_config, memory, rng, updates);
            (collecting.join(), learned)
        });
        let collected = collected.map_err(|_| TrainError::Stopped("actors"))?;
        let means = learned?;
        let done = collected.iter().flat_map(|actor| &actor.takeovers);
        let takeovers: Vec<Takeover> = done.cloned().collect();
        let failures = self.hand_over(collected)?;
        let secs = began.elapsed().as_secs_f64();
        self.progress.elapsed_secs += secs;
        let by_hand: usize = takeovers.iter().map(|done| done.actions.len()).sum();
        let intervention_rate = by_hand as f64 / self.steps_per_round() as f64;
        let mut row = self.row(&means, updates, secs);
        row.values.push((INTERVENTION_RATE, intervention_rate));
        Ok(RoundReport {
            row,
            failures,
            takeovers,
        })
    }

    fn steps_per_round(&self) -> u64 {
        self.config.round_steps * self.actors.len() as u64
    }

    /// Updates of the coming round: the ratio holds exactly over the steps after the warm-up.
    fn updates_due(&self) -> u64 {
        let config = &self.config;
        let due = |steps: u64| {
            (config.utd_ratio * steps.saturating_sub(config.warmup_steps) as f64).floor() as u64
        };
        if self.memory.replay.is_empty() {
            return 0;
        }
        due(self.progress.steps + self.steps_per_round()) - due(self.progress.steps)
    }

    fn hand_over(&mut self, collected: Vec<Collected>) -> Result<Vec<Failure>, TrainError> {
        let mut failures = Vec::new();
        for from_actor in collected {
            for finished in from_actor.finished {
                let (success, length) =
                    (finished.episode.success, finished.episode.transitions.len());
                if !finished.begun && !finished.by_hand {
                    let total = finished.total_reward;
                    self.progress
                        .recent
                        .push(finished.plan, success, total, length);
                }
                self.progress.episodes += u64::from(!finished.begun);
                self.keep(finished.episode)?;
            }
            failures.extend(from_actor.failures);
        }
        self.progress.failures += failures.len() as u64;
        self.progress.steps += self.steps_per_round();
        self.progress.rounds += 1;
        self.policy = self.learner.policy();
        Ok(failures)
    }

    /// Keeps an episode, and what it did reach if that was not its goal.
    fn keep(&mut self, episode: Episode) -> Result<(), TrainError> {
        let config = &self.config;
        let again = (config.hindsight && !episode.success)
            .then(|| relabelled(&self.model, config.reward, config.end_on_success, &episode))
            .flatten();
        self.memory.replay.push(episode)?;
        again.map_or(Ok(()), |episode| Ok(self.memory.replay.push(episode)?))
    }

    fn row(&self, means: &UpdateMeans, updates: u64, secs: f64) -> MetricRow {
        let progress = &self.progress;
        let recent = &progress.recent;
        let mut values = vec![
            ("steps_per_sec", self.steps_per_round() as f64 / secs),
            ("updates_per_sec", updates as f64 / secs),
            ("episodes", progress.episodes as f64),
            ("replay_steps", self.memory.replay.len() as f64),
        ];
        let known = [
            ("episode_return", recent.mean_return()),
            ("episode_length", recent.mean_length()),
            ("success_rate", recent.success_rate(EpisodePlan::Policy)),
            (
                "expert_success_rate",
                recent.success_rate(EpisodePlan::Expert),
            ),
            (
                "intertwined_success_rate",
                recent.success_rate(EpisodePlan::Intertwined),
            ),
        ];
        values.extend(
            known
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        values.extend(means.values());
        self.metric_row(values)
    }

    pub(crate) fn metric_row(&self, values: Vec<(&'static str, f64)>) -> MetricRow {
        MetricRow {
            step: self.progress.steps,
            updates: self.updates(),
            wall_secs: self.progress.elapsed_secs,
            values,
        }
    }
}

/// Lets every actor take its steps, on all cores but the learner's. While a person drives, each has a thread
/// of its own, for most of the time one of them only waits.
fn collect_all(
    actors: &mut [Actor],
    policy: &ActingPolicy,
    version: u64,
    steps_each: u64,
    outside: &Outside,
) -> Vec<Collected> {
    let spare = thread::available_parallelism().map_or(1, |n| NonZero::get(n) - 1);
    let threads = if outside.is_driven() {
        actors.len()
    } else {
        spare.max(1)
    };
    let share = actors.len().div_ceil(threads);
    let work = |actors: &mut [Actor]| -> Vec<Collected> {
        actors
            .iter_mut()
            .map(|actor| actor.collect(policy, version, steps_each, outside))
            .collect()
    };
    let mut shares = actors.chunks_mut(share);
    let Some(own) = shares.next() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let helpers: Vec<_> = shares
            .map(|share| scope.spawn(move || work(share)))
            .collect();
        let mut collected = work(own);
        for helper in helpers {
            match helper.join() {
                Ok(share) => collected.extend(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        collected
    })
}

/// Makes the round's updates.
fn learn(
    learner: &mut Learner,
    config: &LearnConfig,
    memory: &Memory,
    rng: &mut ChaCha8Rng,
    updates: u64,
) -> Result<UpdateMeans, TrainError> {
    let mut means = UpdateMeans::default();
    for _ in 0..updates {
        let Some(batch) = memory.sample(rng, config) else {
            break;
        };
        let metrics = learner.update(&batch)?;
        let losses = [
            ("critic loss", metrics.critic_loss),
            ("policy loss", metrics.policy_loss),
            ("mean Q", metrics.q_mean),
        ];
        if let Some(&(quantity, _)) = losses.iter().find(|(_, value)| !value.is_finite()) {
            return Err(TrainError::Diverged {
                quantity,
                updates: learner.updates(),
            });
        }
        means.add(&metrics);
    }
    Ok(means)
}
