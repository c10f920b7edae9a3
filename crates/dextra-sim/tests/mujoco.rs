//! Our physics beside MuJoCo's on the same scene.
//!
//! The comparisons, their bars and their tables are Python scripts in `tests/reference`, because
//! MuJoCo and the published environment are Python packages. They run where `DEXTRA_PYTHON` (or
//! `~/.cache/dextra-python/bin/python`, which `tests/run` makes) has them; elsewhere the tests say
//! that they are skipped.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::SystemTime,
};

/// An interpreter that can import `modules`, or `None` after saying why not.
fn python(modules: &str) -> Option<PathBuf> {
    let python = env::var_os("DEXTRA_PYTHON")
        .map(PathBuf::from)
        .or_else(|| {
            Some(Path::new(&env::var_os("HOME")?).join(".cache/dextra-python/bin/python"))
        })?;
    let import = Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .output();
    if import.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!(
        "skipped: {} cannot import {modules}; `tests/run` sets it up, or point DEXTRA_PYTHON at \
         an interpreter that can",
        python.display()
    );
    None
}

fn run(python: &Path, script: &str, args: &[&str]) -> Output {
    // From the package's folder, where cargo runs tests.
    let root = Path::new("../..");
    let output = Command::new(python)
        .arg(root.join("tests/reference").join(script))
        .args(args)
        .output()
        .expect("the interpreter started a moment ago");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    output
}

/// The built `trace` example; `None` where it is older than its sources, as after a run of this test
/// alone, which does not rebuild examples. The script then has cargo build it.
fn trace() -> Option<PathBuf> {
    let directory = env::current_exe()
        .ok()?
        .parent()?
        .parent()?
        .join("examples");
    let path = directory.join(format!("trace{}", env::consts::EXE_SUFFIX));
    let built = path.metadata().and_then(|file| file.modified()).ok()?;
    let changed = ["src", "examples", "Cargo.toml"]
        .into_iter()
        .filter_map(|part| newest(Path::new(part)))
        .max()?;
    (built > changed).then_some(path)
}

/// How a script is told of the built `trace`.
fn trace_args(trace: &Option<PathBuf>) -> Vec<&str> {
    trace.as_ref().map_or_else(Vec::new, |path| {
        let path = path.to_str().expect("cargo's paths are UTF-8 here");
        vec!["--trace", path]
    })
}

/// When the newest file in a folder, or the file itself, was last written.
fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return path.metadata().and_then(|file| file.modified()).ok();
    }
    let entries = path.read_dir().ok()?;
    entries
        .filter_map(|entry| newest(&entry.ok()?.path()))
        .max()
}

/// Masses and kinematics alike; servo steps within 3 mrad rms; a limp hand within 5 mrad after half
/// a second; the latch holds the door shut and lets it go when turned; dry friction breaks away at
/// the same torque. The script holds the bars and fails when one is missed.
#[test]
fn physics_agrees_with_mujoco() {
    let Some(python) = python("mujoco, numpy") else {
        return;
    };
    let trace = trace();
    let output = run(&python, "fidelity.py", &trace_args(&trace));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "a bar was missed (table above)\n{errors}"
    );
}

/// A pen in a pinch turns from the same torque on, and as fast; hammer blows drive a nail as deep,
/// and it stays there; things sink into each other and bounce off alike; coupled joints share their
/// load.
#[test]
fn contacts_agree_with_mujoco() {
    let Some(python) = python("mujoco, numpy") else {
        return;
    };
    let output = run(&python, "contacts.py", &trace_args(&trace()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "a bar was missed (table above)\n{errors}"
    );
}

/// Our scene files are the published models, number by number and over 200 control steps.
#[test]
fn scenes_are_the_published_ones() {
    let Some(python) = python("mujoco, gymnasium_robotics") else {
        return;
    };
    for task in ["door", "hammer", "pen", "relocate"] {
        let output = run(&python, "check_scene.py", &["--task", task]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{task}: the scenes disagree (table above)\n{errors}"
        );
    }
}

/// The published environments' recorded open loops, until the hand touches something.
#[test]
fn recorded_open_loops_agree() {
    let Some(python) = python("mujoco, numpy") else {
        return;
    };
    let output = run(&python, "open_loop.py", &trace_args(&trace()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "a bar was missed (table above)\n{errors}"
    );
}

/// Hands of other makers weigh and stand as in MuJoCo and come to rest in the same posture; what all
/// actuators of a joint do together is bounded alike.
#[test]
fn hands_of_other_makers_agree_with_mujoco() {
    let Some(python) = python("mujoco, numpy") else {
        return;
    };
    let output = run(&python, "hands.py", &trace_args(&trace()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "a bar was missed (table above)\n{errors}"
    );
}
