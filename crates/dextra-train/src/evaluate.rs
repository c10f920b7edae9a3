//! How good a policy is: complete episodes on seeds of their own, nobody helping.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use dextra_learn::{NpzPolicy, Policy};
use dextra_tasks::{Env, EnvOptions, Expert, TaskError, TaskModel};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{config::ActChoice, error::TrainError, seeds::generator, statistics::wilson_interval};

/// Something that answers an observation with an action.
pub trait Act: Sync {
    /// The action, nominally in [-1, 1]; `rng` is the only source of chance.
    fn act(&self, obs: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32>;
}

/// A learned policy with a way of acting.
#[derive(Clone)]
pub struct ActingPolicy {
    /// The parameters.
    pub policy: Arc<Policy>,
    /// How it picks actions.
    pub mode: ActChoice,
}

impl Act for ActingPolicy {
    fn act(&self, obs: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
        self.policy.act(obs, rng, self.mode.into())
    }
}

impl Act for NpzPolicy {
    fn act(&self, obs: &[f32], _rng: &mut ChaCha8Rng) -> Vec<f32> {
        NpzPolicy::act(self, obs)
    }
}

/// The outcome of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalResult {
    /// Episodes run.
    pub episodes: usize,
    /// Episodes that ended in success by the task's rule.
    pub successes: usize,
    /// Successes per episode.
    pub success_rate: f64,
    /// Lower end of Wilson's 95% interval.
    pub ci_low: f64,
    /// Upper end of Wilson's 95% interval.
    pub ci_high: f64,
    /// Mean sum of rewards.
    pub mean_return: f64,
    /// Mean number of control steps.
    pub mean_length: f64,
    /// Episodes ended by a non-finite physics state; they count as failures.
    pub failures: usize,
    /// Environment steps that the policy had been trained for.
    pub steps: u64,
}

impl EvalResult {
    /// Two evaluations of the same policy as one.
    pub(crate) fn joined(&self, other: &Self) -> Self {
        let episodes = self.episodes + other.episodes;
        let successes = self.successes + other.successes;
        let (ci_low, ci_high) = wilson_interval(successes, episodes);
        let n = episodes.max(1) as f64;
        let mean = |x: f64, y: f64| (x * self.episodes as f64 + y * other.episodes as f64) / n;
        Self {
            episodes,
            successes,
            success_rate: successes as f64 / n,
            ci_low,
            ci_high,
            mean_return: mean(self.mean_return, other.mean_return),
            mean_length: mean(self.mean_length, other.mean_length),
            failures: self.failures + other.failures,
            steps: self.steps,
        }
    }
}

/// One episode's contribution.
#[derive(Clone, Copy)]
pub(crate) struct Outcome {
    pub success: bool,
    pub total_reward: f64,
    pub length: usize,
    pub failed: bool,
}

/// Runs `policy` alone for `episodes` episodes with seeds `first_seed`, `first_seed + 1`, ...
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// When the task is unknown or its files cannot be read.
pub fn evaluate(
    policy: &dyn Act,
    task: &str,
    options: &EnvOptions,
    episodes: usize,
    first_seed: u64,
) -> Result<EvalResult, TrainError> {
    let model = TaskModel::load(task)?;
    model.check(options)?;
    evaluate_policy(
        policy,
        &model,
        options,
        episodes,
        first_seed,
        &AtomicBool::new(false),
    )
    .and_then(|result| result.ok_or(TrainError::Stopped("evaluation")))
}

/// As [`evaluate`], for the task's own expert.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_expert(
    task: &str,
    options: &EnvOptions,
    episodes: usize,
    first_seed: u64,
) -> Result<EvalResult, TrainError> {
    let model = TaskModel::load(task)?;
    model.check(options)?;
    let run = |seed: u64, env: &mut Env| -> Result<Outcome, TaskError> {
        let mut expert = Expert::new(env.task_model())?;
        expert.reset(seed);
        Ok(episode(env, seed, |env| expert.act(env)))
    };
    run_all(
        &run,
        &model,
        options,
        episodes,
        first_seed,
        &AtomicBool::new(false),
    )
    .and_then(|result| result.ok_or(TrainError::Stopped("evaluation")))
}

/// As [`evaluate`] on a model at hand; `None` when `cancel` was set before the end.
pub(crate) fn evaluate_policy(
    policy: &dyn Act,
    model: &Arc<TaskModel>,
    options: &EnvOptions,
    episodes: usize,
    first_seed: u64,
    cancel: &AtomicBool,
) -> Result<Option<EvalResult>, TrainError> {
    let run = |seed: u64, env: &mut Env| -> Result<Outcome, TaskError> {
        let mut rng = generator(seed, "evaluation", 0);
        Ok(episode(env, seed, |env| {
            policy.act(env.observation(), &mut rng)
        }))
    };
    run_all(&run, model, options, episodes, first_seed, cancel)
}

type Run<'a> = &'a (dyn Fn(u64, &mut Env) -> Result<Outcome, TaskError> + Sync);

fn run_all(
    run: Run,
    model: &Arc<TaskModel>,
    options: &EnvOptions,
    episodes: usize,
    first_seed: u64,
    cancel: &AtomicBool,
) -> Result<Option<EvalResult>, TrainError> {
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(episodes.max(1));
    // Thread t runs episodes t, t + threads, ...; sums go by episode, whoever ran it.
    let work = |first: usize| -> Result<Vec<Outcome>, TaskError> {
        let mut env = Env::with_model(Arc::clone(model), options);
        (first..episodes)
            .step_by(threads)
            .take_while(|_| !cancel.load(Ordering::Relaxed))
            .map(|i| run(first_seed.wrapping_add(i as u64), &mut env))
            .collect()
    };
    let shares = thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|t| scope.spawn(move || work(t))).collect();
        let mut shares = vec![work(0).map_err(TrainError::from)];
        for helper in helpers {
            let joined = helper.join().map_err(|_| TrainError::Stopped("evaluation"));
            shares.push(joined.and_then(|share| share.map_err(TrainError::from)));
        }
        shares
    });
    let shares = shares.into_iter().collect::<Result<Vec<_>, _>>()?;
    let outcomes: Vec<Outcome> = (0..episodes)
        .map_while(|i| shares[i % threads].get(i / threads).copied())
        .collect();
    Ok((outcomes.len() == episodes).then(|| summary(&outcomes)))
}

/// One episode from its reset to its end.
pub(crate) fn episode(env: &mut Env, seed: u64, mut act: impl FnMut(&Env) -> Vec<f32>) -> Outcome {
    env.reset(seed);
    loop {
        let action = act(env);
        let step = env.step(&action);
        if step.terminated || step.truncated {
            return Outcome {
                success: env.episode_success() && step.failure.is_none(),
                total_reward: env.episode_return(),
                length: env.step_index(),
                failed: step.failure.is_some(),
            };
        }
    }
}

fn summary(outcomes: &[Outcome]) -> EvalResult {
    let episodes = outcomes.len();
    let n = episodes.max(1) as f64;
    let successes = outcomes.iter().filter(|o| o.success).count();
    let (ci_low, ci_high) = wilson_interval(successes, episodes);
    EvalResult {
        episodes,
        successes,
        success_rate: successes as f64 / n,
        ci_low,
        ci_high,
        mean_return: outcomes.iter().map(|o| o.total_reward).sum::<f64>() / n,
        mean_length: outcomes.iter().map(|o| o.length as f64).sum::<f64>() / n,
        failures: outcomes.iter().filter(|o| o.failed).count(),
        steps: 0,
    }
}
