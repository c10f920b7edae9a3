//! `dextra eval`: how often a policy succeeds alone.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use dextra_tasks::TaskModel;
use dextra_train::{
    ActChoice, EvalResult, EvalSeeds, LoadedPolicy, Provenance, TrainConfig, evaluate,
    evaluate_expert, load_policy,
};
use serde_json::json;

use crate::{
    error::{CliError, check_task},
    train::describe,
};

/// Options of `dextra eval`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's folder, a checkpoint, a policy.safetensors, a policy in DAPG's .npz layout, or the
    /// word `expert`.
    policy: PathBuf,
    /// The task [default: the checkpoint's, or door].
    #[arg(long)]
    task: Option<String>,
    /// Episodes to run.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    episodes: u64,
    /// Which block of evaluation seeds; no training ever uses any of them.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The reward to add up: dense, sparse or binary [default: the checkpoint's, or sparse].
    #[arg(long, value_name = "KIND")]
    reward: Option<String>,
    /// How a learned policy acts: mean, resample or prior [default: mean].
    #[arg(long, value_name = "HOW")]
    mode: Option<String>,
    /// Vary masses, friction, the object's size and the actuators' gains from episode to episode, within
    /// the ranges of the task's file [default: as the checkpoint was trained].
    #[arg(long)]
    randomise: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Evaluates and prints.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let policy = match args.policy.to_str() {
        Some("expert") => None,
        _ => Some(load_policy(&args.policy)?),
    };
    let held = policy.as_ref().and_then(|policy| policy.config.clone());
    let mut config = held.unwrap_or_default();
    if let Some(task) = &args.task {
        check_task(task)?;
        config.task = task.clone();
    }
    if let Some(reward) = &args.reward {
        config.set("reward", reward)?;
    }
    if args.randomise {
        config.randomise = true;
    }
    if let Some(mode) = &args.mode {
        config.set("eval_mode", mode)?;
    }
    let result = evaluate_with(policy, &args, &config)?;
    if args.json {
        println!("{}", as_json(&args, &config, &result));
    } else {
        println!("{}: {}", args.policy.display(), describe(&result));
        println!(
            "mean return {:.2}, mean length {:.1} steps",
            result.mean_return, result.mean_length
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn evaluate_with(
    policy: Option<LoadedPolicy>,
    args: &Args,
    config: &TrainConfig,
) -> Result<EvalResult, CliError> {
    let episodes = args.episodes as usize;
    let first_seed = EvalSeeds::Command(args.seed).first();
    let (task, options) = (config.task.as_str(), config.env());
    let Some(policy) = policy else {
        return Ok(evaluate_expert(task, &options, episodes, first_seed)?);
    };
    check_fit(&policy, &args.policy, config)?;
    let steps = policy.trained_steps;
    let policy = policy.acting(config.eval_mode);
    let result = evaluate(&policy, task, &options, episodes, first_seed)?;
    Ok(EvalResult { steps, ..result })
}

/// Refuses a policy for other numbers of observations and actions; says aloud when it was trained in
/// another scene or physics version.
pub fn check_fit(policy: &LoadedPolicy, path: &Path, config: &TrainConfig) -> Result<(), CliError> {
    let model = TaskModel::load(&config.task)?;
    if (policy.obs_dim, policy.action_dim) != (model.obs_dim(), model.action_dim()) {
        return Err(CliError::Failed(format!(
            "{} maps {} observations to {} actions, the task {} has {} and {}",
            path.display(),
            policy.obs_dim,
            policy.action_dim,
            config.task,
            model.obs_dim(),
            model.action_dim()
        )));
    }
    let difference = policy
        .origin
        .as_ref()
        .and_then(|origin| origin.difference(&Provenance::of(&model)));
    if let Some(difference) = difference {
        eprintln!("note: this policy was trained with {difference}");
    }
    Ok(())
}

fn as_json(args: &Args, config: &TrainConfig, result: &EvalResult) -> serde_json::Value {
    let mode = match config.eval_mode {
        ActChoice::Mean => "mean",
        ActChoice::Prior => "prior",
        ActChoice::Resample => "resample",
    };
    json!({
        "policy": args.policy,
        "task": config.task,
        "reward": config.reward,
        "mode": mode,
        "seed": args.seed,
        "episodes": result.episodes,
        "successes": result.successes,
        "success_rate": result.success_rate,
        "ci": [result.ci_low, result.ci_high],
        "mean_return": result.mean_return,
        "mean_length": result.mean_length,
        "failures": result.failures,
        "trained_steps": result.steps,
    })
}
