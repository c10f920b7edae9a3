//! Plays a script of device events in the episode of a seed, and says how the take ended.
//!
//! `cargo run --release -p dextra-teleop --example play_script -- door 18 FILE`

use std::{env, path::Path, process::ExitCode};

use dextra_tasks::{EnvOptions, TaskModel};
use dextra_teleop::{Rig, Script, Session, TeleopError};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [task, seed, file] = arguments.as_slice() else {
        eprintln!("usage: play_script TASK SEED FILE");
        return ExitCode::FAILURE;
    };
    let Ok(seed) = seed.parse() else {
        eprintln!("the seed is not a whole number");
        return ExitCode::FAILURE;
    };
    match play(task, seed, Path::new(file)) {
        Ok(end) => {
            println!("{end}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn play(task: &str, seed: u64, file: &Path) -> Result<String, TeleopError> {
    let rig = Rig::load(&TaskModel::load(task)?)?;
    let mut session = Session::new(&rig, &EnvOptions::default(), seed);
    Script::read(file)?.play(&mut session)?;
    Ok(format!(
        "{:?} after {} steps",
        session.phase(),
        session.take().len()
    ))
}
