//! How often a task's expert succeeds, and in which motion it is when the time is up if not.
//!
//! `cargo run --release -p dextra-tasks --example expert_rate -- door 100 [first seed]`

use std::{collections::BTreeMap, env, process::ExitCode};

use dextra_tasks::{Env, EnvOptions, Expert, TaskError};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let task = arguments.first().map_or("door", String::as_str);
    let number = |index: usize, default: u64| {
        arguments
            .get(index)
            .map_or(Ok(default), |argument| argument.parse::<u64>())
    };
    let (Ok(episodes), Ok(first_seed)) = (number(1, 100), number(2, 0)) else {
        eprintln!("usage: expert_rate [task] [episodes] [first seed]");
        return ExitCode::FAILURE;
    };
    match report(task, episodes, first_seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn report(task: &str, episodes: u64, first_seed: u64) -> Result<(), TaskError> {
    let mut env = Env::make(task, &EnvOptions::default())?;
    let mut expert = Expert::new(env.task_model())?;
    let mut last_phases: BTreeMap<String, u64> = BTreeMap::new();
    let mut first_success_steps = Vec::new();
    let mut successes = 0;
    for seed in first_seed..first_seed + episodes {
        env.reset(seed);
        expert.reset(seed);
        let mut first_success = None;
        loop {
            let action = expert.act(&env);
            let step = env.step(&action);
            if step.success {
                first_success.get_or_insert(env.step_index());
            }
            if step.terminated || step.truncated {
                break;
            }
        }
        if env.episode_success() {
            successes += 1;
            first_success_steps.extend(first_success);
        } else {
            *last_phases.entry(expert.phase().to_owned()).or_default() += 1;
        }
    }
    let (low, high) = wilson_interval(successes as f64, episodes as f64);
    println!(
        "{task}: {successes} of {episodes} = {:.0}% [{:.0}-{:.0}]",
        100.0 * successes as f64 / episodes.max(1) as f64,
        100.0 * low,
        100.0 * high
    );
    first_success_steps.sort_unstable();
    if let (Some(median), Some(last)) = (
        first_success_steps.get(first_success_steps.len() / 2),
        first_success_steps.last(),
    ) {
        println!("first successful step: median {median}, latest {last}");
    }
    for (phase, count) in last_phases {
        println!("{count} ended without success in `{phase}`");
    }
    Ok(())
}

/// Wilson's 95% interval of a proportion.
fn wilson_interval(successes: f64, trials: f64) -> (f64, f64) {
    if trials == 0.0 {
        return (0.0, 1.0);
    }
    let (z, p) = (1.96, successes / trials);
    let middle = p + z * z / (2.0 * trials);
    let spread = z * (p * (1.0 - p) / trials + z * z / (4.0 * trials * trials)).sqrt();
    let scale = 1.0 + z * z / trials;
    ((middle - spread) / scale, (middle + spread) / scale)
}
