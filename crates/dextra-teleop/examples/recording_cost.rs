//! What recording costs: steps per second of an environment alone, and of a session that drives it and notes
//! everything, with the same actions, in turn within one process. Where the system tells, in processor time: what
//! else the machine does is not counted then.
//!
//! `cargo run --release -p dextra-teleop --example recording_cost -- door`

use std::{env, fs, process::ExitCode, sync::Arc, time::Instant};

use dextra_tasks::{Env, EnvOptions, TaskModel};
use dextra_teleop::{Button, Driver, Input, Phase, Rig, Session, TeleopError};

/// Control steps of a block, and blocks of each kind, in turn.
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
    let clock = Clock::start();
    let mut secs = [0.0; 3];
    for block in 1..=BLOCKS {
        let began = clock.secs();
        while session.take().len() < block * STEPS {
            session.tick()?;
        }
        secs[0] += clock.secs() - began;
        // The same actions once more: driven but not noted, and then not even driven.
        let mut actions = Vec::with_capacity(STEPS);
        let began = clock.secs();
        for _ in 0..STEPS {
            let step = driver.step(&driven, &[], dt_secs);
            driven.step(&step.action);
            actions.push(step.action);
        }
        secs[1] += clock.secs() - began;
        let began = clock.secs();
        for action in &actions {
            alone.step(action);
        }
        secs[2] += clock.secs() - began;
    }
    let [recorded, driven, alone] = secs;
    let rate = |secs: f64| (STEPS * BLOCKS) as f64 / secs;
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

/// Processor time of this thread, or the time of day where the system does not tell.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn secs(&self) -> f64 {
        let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanos = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        nanos.map_or_else(|| self.0.elapsed().as_secs_f64(), |nanos| nanos * 1e-9)
    }
}
