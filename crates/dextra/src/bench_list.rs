//! `dextra bench --list`: how long it takes to list a dataset.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use dextra_data::{Source, dataset::Dataset};
use dextra_tasks::{Env, EnvOptions};
use dextra_train::{TrainError, dataset_header, record_take};
use serde_json::json;

use crate::error::CliError;

/// Times it is listed; the slowest counts.
const LISTINGS: usize = 5;

/// A folder that is removed in the end, whatever happens.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays lies in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes the dataset, lists it and prints.
pub fn run(task: &str, episodes: u64, as_json: bool) -> Result<ExitCode, CliError> {
    let scratch = Scratch(env::temp_dir().join(format!("dextra-list-{}", std::process::id())));
    let root = scratch.0.join("set");
    let begun = Instant::now();
    fill(&root, task, episodes)?;
    let made_secs = begun.elapsed().as_secs_f64();
    let mut listed_secs: f64 = 0.0;
    for _ in 0..LISTINGS {
        let begun = Instant::now();
        let dataset = Dataset::open(&root)?;
        let steps: usize = dataset.episodes().map(|episode| episode.steps).sum();
        listed_secs = listed_secs.max(begun.elapsed().as_secs_f64());
        if (dataset.len() as u64, steps as u64) != (episodes, episodes) {
            let message = format!("{} of {episodes} episodes were listed", dataset.len());
            return Err(CliError::Failed(message));
        }
    }
    if as_json {
        let line =
            json!({ "episodes": episodes, "made_secs": made_secs, "listed_secs": listed_secs });
        println!("{line}");
    } else {
        println!(
            "{episodes} episodes, kept one by one in {made_secs:.1} s, are listed in {listed_secs:.3} s \
             (the slowest of {LISTINGS})"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Keeps episodes of one step, each with a seed of its own.
fn fill(root: &Path, task: &str, episodes: u64) -> Result<(), CliError> {
    let options = EnvOptions {
        horizon: Some(1),
        ..EnvOptions::default()
    };
    let mut env = Env::make(task, &options)?;
    let mut dataset = Dataset::create(root, dataset_header(env.task_model(), &options)?)?;
    for seed in 0..episodes {
        let rest = |env: &Env| vec![0.0; env.action_dim()];
        let take = record_take(&mut env, seed, Source::Expert, rest);
        if let Some(failure) = take.failure {
            return Err(TrainError::Replay { reason: failure }.into());
        }
        dataset.append(&take.into_recording())?;
    }
    Ok(())
}
