//! Finds keys that turn the pen as some episode asks: tries keys at random and looks which goals the pen
//! then holds. The pen always begins alike, so that one attempt serves the goals of all seeds.
//!
//! `cargo run --release -p dextra-teleop --example find_pen_script -- 300 > pen.txt`

use std::{env, process::ExitCode};

use dextra_sim::Sim;
use dextra_tasks::{Env, EnvOptions, TaskModel};
use dextra_teleop::{Button, Driver, Input, Rig, Script, TeleopError};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// Goals that are looked at.
const SEEDS: u64 = 200;
/// A goal is worth showing when the pen begins at least this far from it (rad).
const FAR_RAD: f64 = 0.8;
/// Control steps of an attempt.
const STEPS: usize = 160;
/// The pen must hold the goal for so many control steps.
const HOLD_STEPS: usize = 30;
/// So near the task counts it as solved.
const SOLVED_RAD: f64 = 0.3;
/// Keys that are held for a while.
const HELD: &[&str] = &["Z", "X", "T", "G", "C", "V", "K", "J", "I", "U", "O", "P"];
/// Keys that are touched.
const TOUCHED: &[&str] = &["2", "3", "4", "5", "6", "7", "1"];

fn main() -> ExitCode {
    let attempts = env::args().nth(1).map_or(Ok(300), |n| n.parse::<u64>());
    let Ok(attempts) = attempts else {
        eprintln!("usage: find_pen_script [attempts]");
        return ExitCode::FAILURE;
    };
    match search(attempts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn search(attempts: u64) -> Result<(), TeleopError> {
    let rig = Rig::load(&TaskModel::load("pen")?)?;
    let options = EnvOptions {
        horizon: Some(10 * STEPS),
        ..EnvOptions::default()
    };
    let mut env = Env::with_model(rig.task().clone(), &options);
    let start = axis(env.sim(), "object");
    let goals: Vec<(u64, [f64; 3])> = (0..SEEDS)
        .map(|seed| {
            env.reset(seed);
            (seed, axis(env.sim(), "target"))
        })
        .filter(|(_, goal)| angle(*goal, start) > FAR_RAD)
        .collect();
    let mut best = f64::INFINITY;
    for attempt in 0..attempts {
        let script = random_script(&mut StdRng::seed_from_u64(attempt));
        let path = play(&rig, &mut env, &script);
        for (seed, goal) in &goals {
            let off: Vec<f64> = path.iter().map(|axis| angle(*axis, *goal)).collect();
            let worst = |steps: &[f64]| steps.iter().copied().fold(0.0, f64::max);
            let held = off
                .windows(HOLD_STEPS)
                .map(worst)
                .fold(f64::INFINITY, f64::min);
            if held < best {
                best = held;
                eprintln!("attempt {attempt}: held the goal of seed {seed} within {best:.2} rad");
                if best < SOLVED_RAD {
                    let far = angle(*goal, start);
                    println!(
                        "# pen, seed {seed}: {far:.2} rad away at first, held within {best:.2} rad"
                    );
                    println!("{}", script.text());
                }
            }
        }
    }
    Ok(())
}

/// A handful of keys, at random.
fn random_script(rng: &mut StdRng) -> Script {
    let mut events = Vec::new();
    for _ in 0..rng.random_range(3..8) {
        let at = 0.08 * f64::from(rng.random_range(0..70));
        let (keys, steps) = match rng.random_bool(0.4) {
            true => (TOUCHED, 1),
            false => (HELD, rng.random_range(3..25)),
        };
        let button = keys.choose(rng).and_then(|name| Button::named(name));
        if let Some(button) = button {
            events.push((at, Input::Press(button)));
            events.push((at + 0.08 * f64::from(steps), Input::Release(button)));
        }
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut script = Script::default();
    for (at, input) in events {
        // A script begins with the countdown.
        script.push(3.0 + at, input);
    }
    script
}

/// Where the pen points after every step, as long as it is near its place.
fn play(rig: &std::sync::Arc<Rig>, env: &mut Env, script: &Script) -> Vec<[f64; 3]> {
    env.reset(0);
    let mut driver = Driver::new(rig, env);
    let mut events = script.events().iter().peekable();
    let mut path = Vec::new();
    for step in 0..STEPS {
        let secs = 3.0 + 0.08 * step as f64;
        while let Some((_, input)) = events.next_if(|(at, _)| *at <= secs + 1e-4) {
            driver.input(input);
        }
        let driven = driver.step(env, &[], 0.08);
        env.step(&driven.action);
        let (pen, place) = (point(env.sim(), "object"), place(env.sim()));
        let away: f64 = (0..3).map(|k| (pen[k] - place[k]).powi(2)).sum();
        if away.sqrt() > 0.07 {
            break;
        }
        path.push(axis(env.sim(), "object"));
    }
    path
}

fn ends(sim: &Sim, what: &str) -> [[f64; 3]; 2] {
    ["top", "bottom"].map(|end| {
        let site = sim.model().site(&format!("{what}_{end}"));
        site.map_or([0.0; 3], |site| sim.site_pose(site).pos)
    })
}

fn axis(sim: &Sim, what: &str) -> [f64; 3] {
    let [top, bottom] = ends(sim, what);
    let v = [0, 1, 2].map(|k| top[k] - bottom[k]);
    let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.map(|x| x / length)
}

fn point(sim: &Sim, what: &str) -> [f64; 3] {
    let [top, bottom] = ends(sim, what);
    [0, 1, 2].map(|k| (top[k] + bottom[k]) / 2.0)
}

fn place(sim: &Sim) -> [f64; 3] {
    let site = sim.model().site("eps_ball");
    site.map_or([0.0; 3], |site| sim.site_pose(site).pos)
}

fn angle(a: [f64; 3], b: [f64; 3]) -> f64 {
    let cosine: f64 = (0..3).map(|k| a[k] * b[k]).sum();
    cosine.clamp(-1.0, 1.0).acos()
}
