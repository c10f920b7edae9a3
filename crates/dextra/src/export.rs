//! `dextra export`: a policy in the layout that travels.

use std::{path::PathBuf, process::ExitCode};

use dextra_tasks::TaskModel;
use dextra_train::{
    Act, ActChoice, EvalSeeds, ExportOptions, TrainError, evaluate, export, load_policy,
};
use serde_json::json;

use crate::{
    error::{CliError, check_task},
    eval::check_fit,
    train::describe,
};

/// Options of `dextra export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's folder, a checkpoint or a policy.safetensors; a learned policy is imitated as it acts
    /// by its mean.
    policy: PathBuf,
    /// The file to write, `.npz`.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The task [default: the checkpoint's, or door].
    #[arg(long)]
    task: Option<String>,
    /// Rounds of collecting episodes and fitting.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// Episodes collected in a round.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    episodes: u64,
    /// Units of both hidden layers.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=4096))]
    hidden: u64,
    /// Seed of the imitation.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Episodes in which both policies are measured at the end.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    eval_episodes: u64,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Imitates, writes, measures and prints.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    if args.out.extension().is_none_or(|kind| kind != "npz") {
        return Err(CliError::Usage(format!(
            "--out {}: the file's name must end in .npz",
            args.out.display()
        )));
    }
    let teacher = load_policy(&args.policy)?;
    let mut config = teacher.config.clone().unwrap_or_default();
    if let Some(task) = &args.task {
        check_task(task)?;
        config.task = task.clone();
    }
    check_fit(&teacher, &args.policy, &config)?;
    let teacher = teacher.acting(ActChoice::Mean);
    let options = ExportOptions {
        rounds: args.rounds as usize,
        episodes: args.episodes as usize,
        hidden: args.hidden as usize,
        seed: args.seed,
        ..ExportOptions::default()
    };
    let model = TaskModel::load(&config.task)?;
    let student = export(&teacher, &model, &options, |round, error| {
        eprintln!("round {round} of {}: error {error:.4} rms", args.rounds);
    })?;
    student.policy.save(&args.out).map_err(TrainError::from)?;
    // What is measured is the file.
    let written = load_policy(&args.out)?;
    let measured = |policy: &dyn Act| {
        let (episodes, seed) = (args.eval_episodes as usize, EvalSeeds::Command(0).first());
        evaluate(policy, &config.task, &config.env(), episodes, seed)
    };
    let (theirs, ours) = (measured(&teacher)?, measured(&written)?);
    if args.json {
        let result = json!({
            "policy": args.policy,
            "out": args.out,
            "task": config.task,
            "pairs": student.pairs,
            "fitted_rms": student.fitted_rms,
            "fresh_rms": student.fresh_rms,
            "episodes": args.eval_episodes,
            "policy_successes": theirs.successes,
            "out_successes": ours.successes,
        });
        println!("{result}");
    } else {
        println!(
            "error per action: {:.4} rms on the {} steps learnt from, {:.4} on fresh ones",
            student.fitted_rms, student.pairs, student.fresh_rms
        );
        println!("{}: {}", args.policy.display(), describe(&theirs));
        println!("{}: {}", args.out.display(), describe(&ours));
    }
    Ok(ExitCode::SUCCESS)
}
