//! `dextra replay`: recorded episodes once more, compared with what was recorded.

use std::{path::PathBuf, process::ExitCode};

use dextra_data::dataset::Dataset;
use dextra_train::{ReplayReport, dataset_env, physics_difference, replay_actions, replay_states};
use serde_json::json;

use crate::{dataset::say_repairs, error::CliError};

/// What is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// The actions, from where the episode begins: same version, same bits.
    Action,
    /// The states: what is observed in each, whatever the physics would have done.
    State,
}

/// Options of `dextra replay`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the dataset.
    dataset: PathBuf,
    /// The episode, counted from 0 [default: all].
    #[arg(long, value_name = "K")]
    episode: Option<usize>,
    /// What is repeated.
    #[arg(long, value_enum, default_value_t = By::Action)]
    by: By,
    /// Print one line of JSON per episode.
    #[arg(long)]
    json: bool,
}

/// Replays and prints; fails when a replay by action diverges.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let dataset = Dataset::open(&args.dataset)?;
    say_repairs(&dataset);
    let mut env = dataset_env(&dataset)?;
    if let Some(difference) = physics_difference(dataset.header(), env.task_model()) {
        eprintln!("note: this dataset was recorded with {difference}");
    }
    let episodes = match args.episode {
        Some(episode) => episode..episode + 1,
        None => 0..dataset.len(),
    };
    let mut diverged = 0;
    let count = episodes.len();
    for index in episodes {
        let recording = dataset.read(index)?;
        let report = match args.by {
            By::Action => replay_actions(&mut env, &recording)?,
            By::State => replay_states(&mut env, &recording)?,
        };
        diverged += usize::from(report.divergence.is_some());
        if args.json {
            println!("{}", as_json(index, &report));
        } else {
            println!("episode {index}: {}", describe(args.by, &report));
        }
    }
    if diverged > 0 {
        let message = format!("{diverged} of {count} episodes did not repeat to the bit");
        return Err(CliError::Failed(message));
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(by: By, report: &ReplayReport) -> String {
    let ReplayReport {
        steps,
        divergence,
        obs_error,
        qpos_error,
        qvel_error,
        success_steps: [recorded, replayed],
    } = report;
    match (by, divergence) {
        (By::Action, None) => format!("{steps} steps, the same to the bit"),
        (By::Action, Some(divergence)) => format!(
            "the {} differs by {:e} after step {}; at most: observation {obs_error:e}, qpos \
             {qpos_error:e}, qvel {qvel_error:e}; successful steps {replayed} instead of {recorded} \
             of {steps}",
            divergence.what, divergence.by, divergence.step
        ),
        (By::State, _) => format!(
            "{steps} states, observations differ by at most {obs_error:e}; successful steps \
             {replayed}, recorded {recorded}"
        ),
    }
}

fn as_json(index: usize, report: &ReplayReport) -> serde_json::Value {
    let divergence = report.divergence.as_ref();
    json!({
        "episode": index,
        "steps": report.steps,
        "divergence": divergence.map(|d| json!({ "step": d.step, "what": d.what, "by": d.by })),
        "obs_error": report.obs_error,
        "qpos_error": report.qpos_error,
        "qvel_error": report.qvel_error,
        "recorded_success_steps": report.success_steps[0],
        "replayed_success_steps": report.success_steps[1],
    })
}
