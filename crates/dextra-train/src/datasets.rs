//! Datasets of recorded episodes: made by an actor, trimmed and verified, learnt from.

use std::{
    ops::Range,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dextra_data::{
    Episode, Source,
    dataset::{self, Dataset, DatasetError, EpisodeInfo, Header, Origin, Recording},
};
use dextra_tasks::{Env, EnvOptions, RewardKind, TaskModel, task_purpose};

use crate::{
    config::TrainConfig,
    demonstrations::Demonstrator,
    error::TrainError,
    provenance::Provenance,
    recording::record_take,
    replay::{begin, replay_actions, snapshot_bytes},
    seeds::{episode_seed, generator},
};

/// Steps in a row with the task solved that make a take a success, as in Isaac Lab.
pub const SUCCESS_HOLD_STEPS: usize = 10;

/// What a dataset of a task, with environments as `options` asks, says of itself.
pub fn dataset_header(model: &TaskModel, options: &EnvOptions) -> Result<Header, TrainError> {
    let scene = model.model();
    let provenance = Provenance::of(model);
    let scale = |index| {
        let (middle, half) = model.action_scale(index);
        [middle as f32, half as f32]
    };
    let options = serde_json::to_value(options).map_err(|error| TrainError::Replay {
        reason: format!("the environment's options have no JSON form: {error}"),
    })?;
    Ok(Header {
        task: model.name().into(),
        instruction: task_purpose(model.name()).into(),
        origin: Origin::Simulated {
            rapier: provenance.rapier,
            scene: provenance.scene,
        },
        options,
        fps: (1.0 / model.control_dt_secs()).round() as u32,
        obs_dim: model.obs_dim(),
        actuators: scene.actuators.iter().map(|a| a.name.clone()).collect(),
        action_scale: (0..model.action_dim()).map(scale).collect(),
        state_dims: [scene.nq, scene.nv],
    })
}

/// An environment as a dataset's episodes were recorded in.
///
/// # Errors
/// When the dataset is of a task that does not exist here, or its options are not understood.
pub fn dataset_env(dataset: &Dataset) -> Result<Env, TrainError> {
    let header = dataset.header();
    let options: EnvOptions = serde_json::from_value(header.options.clone()).map_err(|error| {
        let reason = format!("has environment options that are not understood: {error}");
        unusable(dataset.root(), reason)
    })?;
    Ok(Env::make(&header.task, &options)?)
}

/// How a dataset's physics differ from this program's; `None` when they do not.
pub fn physics_difference(header: &Header, model: &TaskModel) -> Option<String> {
    let now = Provenance::of(model);
    match &header.origin {
        Origin::Imported { from } => Some(format!("{from} instead of Dextra's simulation")),
        Origin::Simulated { rapier, scene } => {
            let recorded = Provenance {
                rapier: rapier.clone(),
                scene: scene.clone(),
                dextra: now.dextra.clone(),
            };
            recorded.difference(&now)
        }
    }
}

/// How to record.
#[derive(Clone, Copy, Debug)]
pub struct RecordOptions {
    /// Episodes to keep.
    pub episodes: usize,
    /// Seed of the episodes' reset seeds.
    pub seed: u64,
    /// Whether an episode without success is thrown away and another one tried.
    pub successes_only: bool,
}

/// What a recording session did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Episodes kept.
    pub kept: usize,
    /// Successes among them.
    pub successes: usize,
    /// Episodes thrown away for want of success.
    pub discarded: usize,
    /// Episodes lost to non-finite physics.
    pub failures: usize,
}

/// Episodes tried for each that is wanted, before the actor counts as unable.
const TRIES: usize = 50;

/// Appends episodes of an actor (`expert`, or the path of a policy) to a dataset, making it where there
/// is none. Every kept episode is on the disk before the next begins. The episodes are those of the
/// seed, in order, without those that the dataset has: to continue is to ask once more.
///
/// # Errors
/// When there is no such actor, the dataset is of another kind, or the actor succeeds too rarely.
pub fn record_dataset(
    root: &Path,
    task: &str,
    env_options: &EnvOptions,
    actor: &str,
    options: &RecordOptions,
    cancel: &AtomicBool,
    mut on_kept: impl FnMut(usize, &EpisodeInfo),
) -> Result<(Dataset, Recorded), TrainError> {
    let mut env = Env::make(task, env_options)?;
    let model = Arc::clone(env.task_model());
    let mut actor_state = Demonstrator::load(actor, &model)?;
    let mut dataset = Dataset::append_to(root, dataset_header(&model, env_options)?)?;
    let mut known: Vec<u64> = dataset.episodes().map(|episode| episode.seed).collect();
    known.sort_unstable();
    let source = actor_state.source();
    let mut seeds = generator(options.seed, "recording", 0);
    let mut done = Recorded::default();
    let mut tried = 0;
    while done.kept < options.episodes && !cancel.load(Ordering::Relaxed) {
        let seed = episode_seed(&mut seeds);
        if known.binary_search(&seed).is_ok() {
            continue;
        }
        if tried >= TRIES * options.episodes {
            return Err(TrainError::Demonstrator {
                demonstrator: actor.to_owned(),
                found: done.kept,
                tries: tried,
            });
        }
        tried += 1;
        actor_state.reset(seed);
        let take = record_take(&mut env, seed, source, |env| actor_state.act(env));
        if take.failure.is_some() {
            done.failures += 1;
        } else if options.successes_only && !take.episode.success {
            done.discarded += 1;
        } else {
            let recording = take.into_recording();
            let index = dataset.append(&recording)?;
            done.kept += 1;
            done.successes += usize::from(recording.episode.success);
            on_kept(index, &recording.info());
        }
    }
    Ok((dataset, done))
}

/// What a trim did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// The steps that stay.
    pub kept: Range<usize>,
    /// Whether they still count as a success.
    pub success: bool,
}

/// Cuts an episode down to a range of its steps; simulates it once more and keeps the result only if it
/// is the same to the bit.
///
/// # Errors
/// When the range does not fit, or the episode does not repeat here; the dataset is then unchanged.
pub fn trim(root: &Path, index: usize, range: Range<usize>) -> Result<Trimmed, TrainError> {
    let short = trimmed(&Dataset::open(root)?, index, range.clone())?;
    dataset::replace(root, index, &short)?;
    Ok(Trimmed {
        kept: range,
        success: short.episode.success,
    })
}

/// An episode cut down to a range of its steps, which were simulated once more and are the same to the
/// bit. It counts as a success as long as success is still held for [`SUCCESS_HOLD_STEPS`].
///
/// # Errors
/// As [`trim`].
pub fn trimmed(
    dataset: &Dataset,
    index: usize,
    range: Range<usize>,
) -> Result<Recording, TrainError> {
    let recording = dataset.read(index)?;
    let mut env = dataset_env(dataset)?;
    let snapshot = match range.start {
        0 => None,
        start => {
            begin(&mut env, &recording)?;
            let lead = recording.episode.transitions.iter().take(start);
            for transition in lead {
                env.step(&transition.action);
            }
            Some(snapshot_bytes(&env)?)
        }
    };
    let mut short = recording
        .cut(range, snapshot)
        .map_err(|reason| unusable(dataset.root(), format!("episode {index}: {reason}")))?;
    short.episode.success &= short.longest_success() >= SUCCESS_HOLD_STEPS;
    if let Some(divergence) = replay_actions(&mut env, &short)?.divergence {
        return Err(TrainError::Replay {
            reason: format!(
                "it does not repeat here: the {} differs by {:e} after step {}; it was not trimmed",
                divergence.what, divergence.by, divergence.step
            ),
        });
    }
    Ok(short)
}

/// The steps of an episode between its idle head and its idle tail: those before the action first
/// moves, and those after it last moved or after success was held.
pub fn busy_range(recording: &Recording) -> Range<usize> {
    const MOVES: f32 = 1e-3;
    let transitions = &recording.episode.transitions;
    let moves = |step: usize| {
        let (before, now) = (&transitions[step - 1].action, &transitions[step].action);
        before.iter().zip(now).any(|(a, b)| (a - b).abs() > MOVES)
    };
    let steps = transitions.len();
    let head = (1..steps)
        .find(|&step| moves(step))
        .map_or(0, |step| step - 1);
    let moved = (1..steps)
        .rev()
        .find(|&step| moves(step))
        .map_or(steps, |step| step + 1);
    let held = recording
        .step_success
        .windows(SUCCESS_HOLD_STEPS)
        .position(|steps| steps.iter().all(|&solved| solved))
        .map_or(0, |first| first + SUCCESS_HOLD_STEPS);
    head..moved.max(held).max(head + 1).min(steps)
}

/// The first successful episodes of a dataset, as many as the run asks for, with the run's reward.
///
/// # Errors
/// When the dataset is of another task, scene or physics version, tells no reward of that kind, or has
/// fewer successes.
pub(crate) fn demonstrations(
    root: &Path,
    model: &TaskModel,
    config: &TrainConfig,
) -> Result<Vec<Episode>, TrainError> {
    let dataset = Dataset::open(root)?;
    let header = dataset.header();
    if header.task != model.name() {
        let reason = format!("is of the task {}, not {}", header.task, model.name());
        return Err(unusable(root, reason));
    }
    // What was recorded elsewhere is another simulation by its nature, and says so.
    let ours = matches!(header.origin, Origin::Simulated { .. });
    if let Some(difference) = physics_difference(header, model).filter(|_| ours) {
        let reason =
            format!("was recorded with {difference}; record it anew, the two cannot be mixed");
        return Err(unusable(root, reason));
    }
    if (header.obs_dim, header.action_dim()) != (model.obs_dim(), model.action_dim()) {
        let reason = "has observations or actions of other lengths than the task".to_owned();
        return Err(unusable(root, reason));
    }
    let recorded_reward = header.options.get("reward").cloned();
    let dense = serde_json::to_value(RewardKind::Dense).ok();
    if config.reward == RewardKind::Dense && recorded_reward != dense {
        let reason = "was not recorded with the dense reward: learn with `reward` sparse or binary";
        return Err(unusable(root, reason.into()));
    }
    let mut episodes = Vec::with_capacity(config.demonstrations);
    for (index, info) in dataset.episodes().enumerate() {
        if episodes.len() == config.demonstrations {
            break;
        }
        if info.success {
            episodes.push(episode(dataset.read(index)?, config.reward));
        }
    }
    if episodes.len() < config.demonstrations {
        let reason = format!(
            "has {} successful episodes, fewer than `demonstrations` = {}",
            episodes.len(),
            config.demonstrations
        );
        return Err(unusable(root, reason));
    }
    Ok(episodes)
}

/// The episode as a demonstration, with that kind of reward.
fn episode(recording: Recording, reward: RewardKind) -> Episode {
    let mut episode = recording.episode;
    for (transition, &solved) in episode.transitions.iter_mut().zip(&recording.step_success) {
        transition.source = Source::Demonstration;
        if let Some(value) = reward.of_success(solved) {
            transition.reward = value;
        }
    }
    episode
}

fn unusable(root: &Path, reason: String) -> TrainError {
    let path = root.to_owned();
    DatasetError::Unusable { path, reason }.into()
}
