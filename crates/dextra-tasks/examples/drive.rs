//! Lets another program act in one of our environments, through standard input and output.
//!
//! `drive TASK [dense|sparse|binary]`
//!
//! Each line of input is one of
//!
//! - `reset SEED`: begins the episode of that seed; prints the observation;
//! - an action, numbers in [-1, 1] between commas: takes a control step; prints the reward, whether
//!   the step was a success (0 or 1), whether the episode is over (0 or 1), then the observation.
//!
//! Every answer is one line of numbers between commas.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    num::ParseFloatError,
};

use dextra_tasks::{Env, EnvOptions, RewardKind};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let task = args
        .next()
        .ok_or("usage: drive TASK [dense|sparse|binary]")?;
    let reward = match args.next().as_deref() {
        None | Some("dense") => RewardKind::Dense,
        Some("sparse") => RewardKind::Sparse,
        Some("binary") => RewardKind::Binary,
        Some(other) => return Err(format!("no reward is called {other}").into()),
    };
    let options = EnvOptions {
        reward,
        ..EnvOptions::default()
    };
    let mut env = Env::make(&task, &options)?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if let Some(seed) = line.strip_prefix("reset ") {
            writeln!(out, "{}", joined(env.reset(seed.trim().parse()?)))?;
        } else {
            let action: Vec<f32> = line
                .split(',')
                .map(|x| x.trim().parse())
                .collect::<Result<_, ParseFloatError>>()?;
            let step = env.step(&action);
            if let Some(failure) = step.failure {
                return Err(failure.into());
            }
            let done = step.terminated || step.truncated;
            let flags = [u8::from(step.success), u8::from(done)];
            let obs = joined(env.observation());
            writeln!(out, "{},{},{},{obs}", step.reward, flags[0], flags[1])?;
        }
        out.flush()?;
    }
    Ok(())
}

fn joined(numbers: &[f32]) -> String {
    let texts: Vec<String> = numbers.iter().map(f32::to_string).collect();
    texts.join(",")
}
