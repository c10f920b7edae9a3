//! `dextra train`: a run in the terminal.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use dextra_train::{Command, EvalResult, Outcome, RunLog, Session, TrainConfig, TrainError};

use crate::{
    clock::stamp,
    config_args::ConfigArgs,
    error::{CliError, check_task},
    progress::Progress,
};

/// Options of `dextra train`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task to learn [default: door].
    task: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Folder of the run [default: runs/<task>-<reward>-s<seed>-<time>].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Continue the run in this folder exactly where its newest checkpoint stands.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "seed", "reward", "preset", "config", "demos"])]
    resume: Option<PathBuf>,
    /// Apply the edits of another run at the same steps, and what was driven by hand in it: its
    /// events.jsonl.
    #[arg(long, value_name = "FILE")]
    edits: Option<PathBuf>,
}

/// Trains to the end, or to an interrupt.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
        .map_err(|error| CliError::Failed(format!("cannot catch Ctrl-C: {error}")))?;
    let log = args.edits.as_deref().map(RunLog::read).transpose()?;
    let log = log.unwrap_or_default();
    let session = match &args.resume {
        Some(dir) => resume(dir, &args, log)?,
        None => {
            let config = args.config.resolve(args.task.as_deref())?;
            let out = args.out.clone().unwrap_or_else(|| default_folder(&config));
            Session::start_with(config, out, log)?
        }
    };
    let mut progress = Progress::new(session.folder());
    let mut told = false;
    while !session.is_finished() {
        if interrupted.load(Ordering::Relaxed) && !told {
            told = true;
            progress.say("stopping after this round, with a checkpoint");
            session.command(Command::Stop);
        }
        progress.show(&session.status());
        thread::sleep(Duration::from_millis(100));
    }
    progress.show(&session.status());
    progress.finish();
    let outcome = session.join()?;
    summarise(&outcome);
    Ok(if outcome.interrupted {
        ExitCode::from(130)
    } else {
        ExitCode::SUCCESS
    })
}

fn resume(dir: &Path, args: &Args, log: RunLog) -> Result<Session, CliError> {
    if let Some(task) = &args.task {
        check_task(task)?;
    }
    let configure = |config: &mut TrainConfig| {
        if let Some(task) = args.task.as_ref().filter(|task| **task != config.task) {
            return Err(TrainError::Checkpoint {
                path: dir.to_owned(),
                reason: format!("is of the task {}, not {task}", config.task),
            });
        }
        Ok(args.config.apply(config)?)
    };
    Ok(Session::resume_with(dir, configure, log)?)
}

/// A folder of the run's own under `runs`.
pub fn default_folder(config: &TrainConfig) -> PathBuf {
    let reward = format!("{:?}", config.reward).to_lowercase();
    let name = format!("{}-{reward}-s{}-{}", config.task, config.seed, stamp());
    Path::new("runs").join(name)
}

fn summarise(outcome: &Outcome) {
    println!(
        "{} steps, {} updates, {} episodes in {:.1} min",
        outcome.steps,
        outcome.updates,
        outcome.episodes,
        outcome.elapsed_secs / 60.0
    );
    let milestones = [
        ("50%", outcome.milestones.to_50),
        ("90%", outcome.milestones.to_90),
    ];
    for (level, reached) in milestones {
        match reached {
            Some(at) => println!(
                "{level} success after {:.1} min, {} steps",
                at.secs / 60.0,
                at.steps
            ),
            None => println!("{level} success not reached"),
        }
    }
    if outcome.failures > 0 {
        println!(
            "{} episodes lost to non-finite physics, see failures/",
            outcome.failures
        );
    }
    let folder = outcome.folder.display();
    match &outcome.final_eval {
        Some(result) => {
            println!(
                "policy alone, fresh seeds: {} (the best of the run's evaluations, from {} steps)",
                describe(result),
                result.steps
            );
            println!("run folder: {folder}");
        }
        None => println!(
            "interrupted; the checkpoint is in {folder}; continue with: dextra train --resume {folder}"
        ),
    }
}

/// `97 of 100 episodes succeed (97.0%, 95% interval 91.5 to 99.0%)`
pub fn describe(result: &EvalResult) -> String {
    format!(
        "{} of {} episodes succeed ({:.1}%, 95% interval {:.1} to {:.1}%)",
        result.successes,
        result.episodes,
        100.0 * result.success_rate,
        100.0 * result.ci_low,
        100.0 * result.ci_high
    )
}
