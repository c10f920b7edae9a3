//! Demonstrations of other programs, as a dataset.

use std::path::Path;

use dextra_data::{
    Episode, Source, Transition,
    dataset::{Dataset, DatasetError, Header, Origin, Recording, Start},
    foreign::{self, Trajectory},
};
use dextra_tasks::{EnvOptions, RewardKind, TaskModel};

use crate::{SUCCESS_HOLD_STEPS, actor::clipped, dataset_header, error::TrainError};

/// Makes a dataset of the episodes in another program's file or folder ([`foreign::read`]): demonstrations to
/// learn from, of which no simulator's state is known. Actions are clipped to [-1, 1], as the environments do. Rewards
/// are taken to be the dense ones, and success is told from the observations.
///
/// # Errors
/// When the file cannot be read, is of another task, or success cannot be told from the task's
/// observations.
pub fn import(path: &Path, task: &str, out: &Path) -> Result<Dataset, TrainError> {
    let model = TaskModel::load(task)?;
    let unusable = |reason: String| DatasetError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let (trajectories, what) = foreign::read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let options = EnvOptions {
        reward: RewardKind::Dense,
        ..EnvOptions::default()
    };
    let header = Header {
        origin: Origin::Imported {
            from: format!("{what} ({name})"),
        },
        state_dims: [0, 0],
        ..dataset_header(&model, &options)?
    };
    let recordings = trajectories
        .into_iter()
        .enumerate()
        .map(|(index, trajectory)| {
            recording(trajectory, index, &model)
                .map_err(|reason| unusable(format!("episode {index}: {reason}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut dataset = Dataset::create(out, header)?;
    for recording in &recordings {
        dataset.append(recording)?;
    }
    Ok(dataset)
}

fn recording(trajectory: Trajectory, index: usize, model: &TaskModel) -> Result<Recording, String> {
    let Trajectory {
        obs,
        actions,
        rewards,
        terminated,
        seed,
    } = trajectory;
    let (obs_dim, action_dim) = (model.obs_dim(), model.action_dim());
    let fits = obs.iter().all(|obs| obs.len() == obs_dim)
        && actions.iter().all(|action| action.len() == action_dim);
    if !fits {
        return Err(format!(
            "it has {} observed values and {} actions, the task {} has {obs_dim} and {action_dim}",
            obs.first().map_or(0, Vec::len),
            actions.first().map_or(0, Vec::len),
            model.name()
        ));
    }
    let solved = obs[1..].iter().map(|obs| model.observed_success(obs));
    let solved: Option<Vec<bool>> = solved.collect();
    let step_success = solved.ok_or_else(|| {
        let task = model.name();
        format!("success cannot be told from what the task {task} observes")
    })?;
    let steps = actions.len();
    let mut obs = obs.into_iter();
    let rows = obs.by_ref().take(steps).zip(actions).zip(rewards);
    let transitions = rows
        .enumerate()
        .map(|(row, ((obs, action), reward))| Transition {
            obs,
            action: clipped(action),
            expert_action: None,
            reward,
            terminated: terminated && row + 1 == steps,
            source: Source::Demonstration,
        });
    let transitions = transitions.collect();
    let mut recording = Recording {
        episode: Episode {
            transitions,
            final_obs: obs.next().unwrap_or_default(),
            seed: seed.unwrap_or(index as u64),
            success: false,
        },
        step_success,
        states: None,
        start: Start::Elsewhere,
        snapshot: None,
        splices: Vec::new(),
        assisted: Vec::new(),
        trimmed: [0, 0],
    };
    recording.episode.success = recording.longest_success() >= SUCCESS_HOLD_STEPS;
    Ok(recording)
}
