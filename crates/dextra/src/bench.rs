//! `dextra bench`: how fast the parts are on this machine.

use std::{
    hint::black_box,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use dextra_data::{Episode, Replay, Source};
use dextra_learn::Learner;
use dextra_tasks::{Env, EnvOptions, Expert};
use dextra_train::{Act, LoadedPolicy, TrainConfig, generator, load_policy, record_episode};
use rand::Rng;
use serde::Serialize;

use crate::{
    clock::{peak_memory_mib, thread_cpu_secs},
    error::{CliError, check_task},
};

/// Episodes of a scenario; timing repeats them.
const EPISODES: u64 = 5;

/// Options of `dextra bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task.
    #[arg(long, default_value = "door")]
    task: String,
    /// The policy that brings the hand into contact [default: the task's expert].
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Instead, make a dataset of that many episodes of one step and measure how long it takes to list it.
    #[arg(long, value_name = "EPISODES", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    list: Option<u64>,
    /// Seconds for each measurement.
    #[arg(long, value_name = "S", default_value_t = 5.0, value_parser = seconds)]
    seconds: f64,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "it must be a number")?;
    if (0.01..=3600.0).contains(&value) {
        Ok(value)
    } else {
        Err("it must lie in 0.01 to 3600".into())
    }
}

#[derive(Serialize)]
struct Report {
    task: String,
    random: Speed,
    contact: Speed,
    updates_per_sec: f64,
    peak_memory_mib: Option<f64>,
}

/// Steps per second of wall clock and of the thread's own processor time.
#[derive(Serialize)]
struct Speed {
    physics_steps_per_cpu_sec: Option<f64>,
    env_steps_per_cpu_sec: Option<f64>,
    physics_steps_per_sec: f64,
    env_steps_per_sec: f64,
}

/// Measures on one thread and prints.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    check_task(&args.task)?;
    if let Some(episodes) = args.list {
        return crate::bench_list::run(&args.task, episodes, args.json);
    }
    let policy = args.policy.as_deref().map(load_policy).transpose()?;
    let mut env = Env::make(&args.task, &EnvOptions::default())?;
    if let Some(policy) = &policy
        && (policy.obs_dim, policy.action_dim) != (env.obs_dim(), env.action_dim())
    {
        return Err(CliError::Failed(format!(
            "the policy does not fit the task {}",
            args.task
        )));
    }
    let limit = Duration::from_secs_f64(args.seconds);
    let random = record_random(&mut env);
    let contact = record_contact(&mut env, policy.as_ref())?;
    let report = Report {
        random: replay_speed(&mut env, &random, limit),
        contact: replay_speed(&mut env, &contact, limit),
        updates_per_sec: update_speed(&env, contact, limit)?,
        peak_memory_mib: peak_memory_mib(),
        task: args.task,
    };
    if args.json {
        let line = serde_json::to_string(&report)
            .map_err(|error| CliError::Failed(format!("cannot write JSON: {error}")))?;
        println!("{line}");
    } else {
        print(&report, policy.is_some());
    }
    Ok(ExitCode::SUCCESS)
}

/// Actions drawn uniformly.
fn record_random(env: &mut Env) -> Vec<Episode> {
    let mut rng = generator(0, "bench", 0);
    record(env, |env, _| {
        (0..env.action_dim())
            .map(|_| rng.random_range(-1.0f32..=1.0))
            .collect()
    })
}

/// The policy's or the expert's actions: the hand at work.
fn record_contact(env: &mut Env, policy: Option<&LoadedPolicy>) -> Result<Vec<Episode>, CliError> {
    let mut rng = generator(0, "bench", 1);
    if let Some(policy) = policy {
        return Ok(record(env, |env, _| {
            policy.act(env.observation(), &mut rng)
        }));
    }
    let mut expert = Expert::new(env.task_model())?;
    Ok(record(env, |env, first| {
        if first {
            expert.reset(env.seed());
        }
        expert.act(env)
    }))
}

/// Episodes whose actions can be replayed without the time that choosing them takes. `act` is told
/// when an episode begins. The learner's speed is measured with an expert's action in every row.
fn record(env: &mut Env, mut act: impl FnMut(&Env, bool) -> Vec<f32>) -> Vec<Episode> {
    (0..EPISODES)
        .map(|seed| {
            let act = |env: &Env| act(env, env.step_index() == 0);
            let mut episode = record_episode(env, seed, Source::Expert, act);
            for transition in &mut episode.transitions {
                transition.expert_action = Some(transition.action.clone());
            }
            episode
        })
        .collect()
}

/// Replays the episodes until `limit`, resets included.
fn replay_speed(env: &mut Env, episodes: &[Episode], limit: Duration) -> Speed {
    let (began, cpu_began) = (Instant::now(), thread_cpu_secs());
    let mut steps = 0u64;
    'limit: for episode in episodes.iter().cycle() {
        env.reset(episode.seed);
        for transition in &episode.transitions {
            black_box(env.step(&transition.action));
            steps += 1;
            if began.elapsed() >= limit {
                break 'limit;
            }
        }
    }
    let wall = began.elapsed().as_secs_f64();
    let cpu = cpu_began
        .and_then(|before| Some(thread_cpu_secs()? - before))
        .filter(|&t| t > 0.0);
    let physics = (env.control_dt_secs() / env.sim().model().timestep_secs).round();
    let steps = steps as f64;
    Speed {
        physics_steps_per_cpu_sec: cpu.map(|cpu| steps * physics / cpu),
        env_steps_per_cpu_sec: cpu.map(|cpu| steps / cpu),
        physics_steps_per_sec: steps * physics / wall,
        env_steps_per_sec: steps / wall,
    }
}

/// Updates of the default learner on those episodes, sampling included.
fn update_speed(env: &Env, episodes: Vec<Episode>, limit: Duration) -> Result<f64, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::Failed(error.to_string());
    let config = TrainConfig::default();
    let learn = &config.learn;
    let mut learner = Learner::new(learn, env.obs_dim(), env.action_dim(), config.seed)
        .map_err(|error| failed(&error))?;
    let mut replay = Replay::new(config.replay_capacity, env.obs_dim(), env.action_dim());
    for episode in episodes {
        replay.push(episode).map_err(|error| failed(&error))?;
    }
    let mut rng = generator(0, "bench", 2);
    let (mut updates, mut began) = (0u64, Instant::now());
    loop {
        let shape = (learn.sequences, learn.sequence_length, learn.n_step);
        let batch = replay.sample(&mut rng, shape.0, shape.1, shape.2, learn.discount);
        if let Some(batch) = batch {
            learner.update(&batch).map_err(|error| failed(&error))?;
        }
        updates += 1;
        // The first updates touch every buffer for the first time.
        if updates == 3 {
            began = Instant::now();
        } else if updates > 3 && began.elapsed() >= limit {
            return Ok((updates - 3) as f64 / began.elapsed().as_secs_f64());
        }
    }
}

fn print(report: &Report, with_policy: bool) {
    let actor = if with_policy {
        "the policy acting"
    } else {
        "the expert acting"
    };
    println!(
        "{} on one thread, steps per second (per second of processor time)",
        report.task
    );
    for (name, speed) in [("random actions", &report.random), (actor, &report.contact)] {
        let cpu = |x: Option<f64>| x.map_or("unknown".into(), |x| format!("{x:.0}"));
        println!(
            "  {name}: physics {:.0} ({}), environment {:.0} ({})",
            speed.physics_steps_per_sec,
            cpu(speed.physics_steps_per_cpu_sec),
            speed.env_steps_per_sec,
            cpu(speed.env_steps_per_cpu_sec)
        );
    }
    println!(
        "learner: {:.1} updates/s with the default preset",
        report.updates_per_sec
    );
    if let Some(memory) = report.peak_memory_mib {
        println!("peak memory: {memory:.0} MiB");
    }
}
