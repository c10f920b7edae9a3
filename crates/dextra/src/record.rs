//! `dextra record`: episodes of an actor into a dataset.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dextra_train::{RecordOptions, TrainConfig, record_dataset};

use crate::{
    dataset::say_repairs,
    drive,
    error::{CliError, check_task},
};

/// Options of `dextra record`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task.
    pub task: String,
    /// Folder of the dataset; episodes are appended to one that is there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Episodes to keep.
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub episodes: u64,
    /// Who acts: the word `expert`, a run's folder, a checkpoint, a policy's file, or `operator`: a scripted
    /// person at the driving controls.
    #[arg(long, value_name = "WHO", default_value = "expert")]
    actor: String,
    /// Drive the hand with the device events in a file, in the episode that a reset with `--seed` begins.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["actor", "episodes"])]
    script: Option<PathBuf>,
    /// Keep only episodes that succeed.
    #[arg(long)]
    pub successes_only: bool,
    /// Seed of the episodes; those that the dataset already has are left out.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The reward to record: dense, sparse or binary [default: sparse].
    #[arg(long, value_name = "KIND")]
    reward: Option<String>,
    /// Vary masses, friction, the object's size and the actuators' gains from episode to episode.
    #[arg(long)]
    randomise: bool,
}

/// Records until all episodes are kept, or an interrupt.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    check_task(&args.task)?;
    let mut config = TrainConfig::default();
    if let Some(reward) = &args.reward {
        config.set("reward", reward)?;
    }
    config.randomise = args.randomise;
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancel);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
        .map_err(|error| CliError::Failed(format!("cannot catch Ctrl-C: {error}")))?;
    if let Some(script) = &args.script {
        return drive::script(&args, script, &config.env());
    }
    if args.actor == drive::OPERATOR {
        return drive::operator(&args, &config.env(), &cancel);
    }
    let options = RecordOptions {
        episodes: args.episodes as usize,
        seed: args.seed,
        successes_only: args.successes_only,
    };
    let (dataset, done) = record_dataset(
        &args.out,
        &args.task,
        &config.env(),
        &args.actor,
        &options,
        &cancel,
        |index, episode| {
            let outcome = if episode.success {
                "success"
            } else {
                "no success"
            };
            eprintln!("episode {index} kept: {} steps, {outcome}", episode.steps);
        },
    )?;
    say_repairs(&dataset);
    println!(
        "{} episodes kept, {} of them successes; {} discarded, {} lost to non-finite physics",
        done.kept, done.successes, done.discarded, done.failures
    );
    println!(
        "{} holds {} episodes, {} steps",
        dataset.root().display(),
        dataset.len(),
        dataset.steps()
    );
    Ok(if cancel.load(Ordering::Relaxed) {
        ExitCode::from(130)
    } else {
        ExitCode::SUCCESS
    })
}
