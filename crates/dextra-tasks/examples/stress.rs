//! What a task's physics does under random, bang-bang and expert actions: whether it stays finite,
//! how far joints pass their limits, how low bodies get (the table is at 0), and the dense return.
//!
//! `cargo run --release -p dextra-tasks --example stress -- door 100 [first seed]`

use std::{env, ops::Range, process::ExitCode};

use dextra_sim::Sim;
use dextra_tasks::{Env, EnvOptions, Expert, RewardKind, TaskError};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ACTORS: [&str; 3] = ["random", "bang-bang", "expert"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let task = arguments.first().map_or("door", String::as_str);
    let number = |index: usize, default: u64| {
        arguments
            .get(index)
            .map_or(Ok(default), |argument| argument.parse::<u64>())
    };
    let (Ok(episodes), Ok(first_seed)) = (number(1, 100), number(2, 0)) else {
        eprintln!("usage: stress [task] [episodes] [first seed]");
        return ExitCode::FAILURE;
    };
    for actor in ACTORS {
        match report(task, actor, first_seed..first_seed + episodes) {
            Ok(line) => println!("{line}"),
            Err(TaskError::NoExpert { .. }) => println!("{task}, {actor}: has none"),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// The worst of some episodes.
#[derive(Default)]
struct Worst {
    /// How far beyond its range a joint was, rad or m, and which.
    beyond: f64,
    joint: String,
    lowest_m: f64,
    failures: usize,
}

fn report(task: &str, actor: &str, seeds: Range<u64>) -> Result<String, TaskError> {
    let options = EnvOptions {
        reward: RewardKind::Dense,
        ..EnvOptions::default()
    };
    let mut env = Env::make(task, &options)?;
    let mut expert = match actor {
        "expert" => Some(Expert::new(env.task_model())?),
        _ => None,
    };
    let mut worst = Worst {
        lowest_m: f64::INFINITY,
        ..Worst::default()
    };
    let mut returns = Vec::new();
    for seed in seeds {
        env.reset(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Stream 0 is the environment's reset.
        rng.set_stream(1);
        if let Some(expert) = &mut expert {
            expert.reset(seed);
        }
        loop {
            let action = match &mut expert {
                Some(expert) => expert.act(&env),
                None => (0..env.action_dim())
                    .map(|_| match rng.random_range(-1.0..1.0_f32) {
                        a if actor == "random" => a,
                        a => a.signum(),
                    })
                    .collect(),
            };
            let step = env.step(&action);
            worst.failures += usize::from(step.failure.is_some());
            worst.add(env.sim());
            if step.terminated || step.truncated {
                break;
            }
        }
        returns.push(env.episode_return());
    }
    let mean = returns.iter().sum::<f64>() / returns.len().max(1) as f64;
    Ok(format!(
        "{task}, {actor}: {} of {} episodes failed; joints at most {:.3} beyond their range ({}); \
         bodies at least at {:.3} m; mean return {mean:.1}",
        worst.failures,
        returns.len(),
        worst.beyond,
        worst.joint,
        worst.lowest_m
    ))
}

impl Worst {
    fn add(&mut self, sim: &Sim) {
        let model = sim.model();
        for joint in &model.joints {
            let Some([low, high]) = joint.range else {
                continue;
            };
            let q = sim.qpos()[joint.qpos_adr];
            let beyond = (low - q).max(q - high);
            if beyond > self.beyond {
                (self.beyond, self.joint) = (beyond, joint.name.clone());
            }
        }
        for body in 1..model.bodies.len() {
            self.lowest_m = self.lowest_m.min(match model.bodies[body].joints.len() {
                0 => f64::INFINITY,
                _ => sim.body_pose(body).pos[2],
            });
        }
    }
}
