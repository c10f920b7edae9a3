//! The driving controls suffice: scripted devices complete every task through them alone.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use dextra_tasks::{EnvOptions, TaskModel};
use dextra_teleop::{End, Phase, Rig, Script, Session};

/// The scripts, and the seed of the episode that each was made for. Of the pen the seed was chosen for its
/// goal, 0.9 rad away: one that a preset, a synergy and the wrist reach.
///
/// `door`, `hammer` and `relocate` are what the scripted operator pressed:
/// `cargo run --release -p dextra-teleop --example operate -- TASK 1 SEED 1 FILE`; `pen` was found by the
/// example `find_pen_script`.
const SCRIPTS: &[(&str, u64)] = &[("door", 18), ("hammer", 6), ("relocate", 1), ("pen", 91)];

/// Simulated seconds that a script may take.
const LIMIT_SECS: f64 = 60.0;

fn completes(task: &str, seed: u64) {
    let rig = Rig::load(&TaskModel::load(task).unwrap()).unwrap();
    let mut session = Session::new(&rig, &EnvOptions::default(), seed);
    let path = format!("{}/tests/scripts/{task}.txt", env!("CARGO_MANIFEST_DIR"));
    let script = Script::read(Path::new(&path)).unwrap();
    script.play(&mut session).unwrap();
    let steps = session.take().len();
    assert_eq!(
        *session.phase(),
        Phase::Ended(End::Success),
        "{task}: {steps} steps"
    );
    assert!(steps as f64 * session.env().control_dt_secs() < LIMIT_SECS);
    // Without the keys nothing comes of it.
    session.begin(seed);
    while session.take().len() < 2 * steps {
        session.tick().unwrap();
    }
    assert_eq!(*session.phase(), Phase::Driving, "{task} by itself");
}

#[test]
fn keys_alone_open_the_door() {
    completes(SCRIPTS[0].0, SCRIPTS[0].1);
}

#[test]
fn keys_alone_drive_the_nail() {
    completes(SCRIPTS[1].0, SCRIPTS[1].1);
}

#[test]
fn keys_alone_carry_the_ball() {
    completes(SCRIPTS[2].0, SCRIPTS[2].1);
}

#[test]
fn keys_alone_turn_the_pen() {
    completes(SCRIPTS[3].0, SCRIPTS[3].1);
}
