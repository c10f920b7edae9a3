//! What recording costs: steps per second of an environment alone, and of a session that drives it and notes
//! everything, with the same actions.
//!
//! `cargo run --release -p dextra-teleop --example recording_cost -- door`

use std::{env, process::ExitCode, sync::Arc, time::Instant};

use dextra_tasks::{Env, EnvOptions, TaskModel};
use dextra_teleop::{Button, Driver, Input, Phase, Rig, Session, TeleopError};

/// Control steps of a block, and blocks of each kind, in turn; medians count, for the machine has other work.
const STEPS: usize = 20;
const BLOCKS: usize = 150;
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
    let mut session = Session::new(&rig, &options, 0);
    while !matches!(session.phase(), Phase::Driving) {
        session.tick()?;
    }
    let environment = || Env::with_model(Arc::clone(rig.task()), &options);
    let (mut driven, mut alone) = (environment(), environment());
    let mut driver = Driver::new(&rig, &driven);
    for key in keys() {
        session.input(&key);
        driver.input(&key);
    }
    let dt_secs = driven.control_dt_secs() / session.speed();
    let mut blocks = [const { Vec::new() }; 3];
    for block in 1..=BLOCKS {
        let began = Instant::now();
        while session.take().len() < block * STEPS {
            session.tick()?;
        }
        blocks[0].push(began.elapsed().as_secs_f64());
        // The same actions once more: driven but not noted, and then not even driven.
        let mut actions = Vec::with_capacity(STEPS);
        let began = Instant::now();
        for _ in 0..STEPS {
            let step = driver.step(&driven, &[], dt_secs);
            driven.step(&step.action);
            actions.push(step.action);
        }
        blocks[1].push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        for action in &actions {
            alone.step(action);
        }
        blocks[2].push(began.elapsed().as_secs_f64());
    }
    let [recorded, driven, alone] = blocks.map(median);
    let rate = |secs: f64| STEPS as f64 / secs;
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

fn median(mut secs: Vec<f64>) -> f64 {
    secs.sort_by(f64::total_cmp);
    secs[secs.len() / 2]
}
