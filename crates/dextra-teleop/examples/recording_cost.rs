//! What recording costs: steps per second of an environment alone, and of a session that drives it and notes
//! everything, with the same actions.
//!
//! `cargo run --release -p dextra-teleop --example recording_cost -- door`

use std::{env, process::ExitCode, sync::Arc, time::Instant};

use dextra_tasks::{Env, EnvOptions, TaskModel};
use dextra_teleop::{Button, Driver, Input, Phase, Rig, Session, TeleopError};

/// Control steps of a run, and runs of each kind; the quickest counts, for the machine has other work.
const STEPS: usize = 400;
const RUNS: usize = 9;
/// Keys that are held meanwhile.
const KEYS: [&str; 3] = ["W", "E", "K"];

fn main() -> ExitCode {
    let task = env::args().nth(1).unwrap_or_else(|| "door".into());
    match measure(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(task: &str) -> Result<(), TeleopError> {
    let rig = Rig::load(&TaskModel::load(task)?)?;
    let options = Session::env_options(&rig, &EnvOptions::default());
    let keys = || {
        KEYS.iter()
            .filter_map(|name| Button::named(name))
            .map(Input::Press)
    };
    let mut quickest = [f64::INFINITY; 3];
    for _ in 0..RUNS {
        let mut session = Session::new(&rig, &options, 0);
        while !matches!(session.phase(), Phase::Driving) {
            session.tick()?;
        }
        for key in keys() {
            session.input(&key);
        }
        let began = Instant::now();
        while session.take().len() < STEPS {
            session.tick()?;
        }
        note(&mut quickest[0], began);

        // The same actions once more: driven but not noted, and then not even driven.
        let mut env = Env::with_model(Arc::clone(rig.task()), &options);
        let mut driver = Driver::new(&rig, &env);
        for key in keys() {
            driver.input(&key);
        }
        let dt_secs = env.control_dt_secs() / session.speed();
        let mut actions = Vec::with_capacity(STEPS);
        let began = Instant::now();
        for _ in 0..STEPS {
            let driven = driver.step(&env, &[], dt_secs);
            env.step(&driven.action);
            actions.push(driven.action);
        }
        note(&mut quickest[1], began);
        env.reset(0);
        let began = Instant::now();
        for action in &actions {
            env.step(action);
        }
        note(&mut quickest[2], began);
    }
    let rate = |secs: f64| STEPS as f64 / secs;
    let [recorded, driven, alone] = quickest;
    println!(
        "{task}: {:.0} steps/s alone, {:.0} driven, {:.0} driven and recorded; recording costs {:.1}%, \
         driving {:.1}%",
        rate(alone),
        rate(driven),
        rate(recorded),
        100.0 * (recorded - driven) / driven,
        100.0 * (driven - alone) / alone
    );
    Ok(())
}

fn note(quickest: &mut f64, began: Instant) {
    *quickest = quickest.min(began.elapsed().as_secs_f64());
}
