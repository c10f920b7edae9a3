//! HDF5 files, with h5py on the other side (`DEXTRA_PYTHON`, set by `tests/run`).
#![cfg(feature = "hdf5")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    path::Path,
    process::{Command, Output},
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command that must succeed prints.
fn done(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dextra"))
        .args(args)
        .output();
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// What the other side prints; `None` when it is not there.
fn h5py(action: &str, path: &Path) -> Option<String> {
    let Some(python) = std::env::var_os("DEXTRA_PYTHON") else {
        eprintln!("skipped: DEXTRA_PYTHON is not set");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/hdf5.py");
    let command = Command::new(python)
        .arg(script)
        .arg(action)
        .arg(path)
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = command.unwrap();
    if status.code() == Some(3) {
        eprintln!("skipped: {}", text(&stdout));
        return None;
    }
    assert!(status.success(), "{}{}", text(&stdout), text(&stderr));
    Some(text(&stdout))
}

#[test]
fn what_dextra_writes_is_read_by_h5py() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let set = path("set");
    done(&["record", "door", "--episodes", "3", "--out", &set]);
    for (format, name) in [
        ("d4rl", "d4rl.hdf5"),
        ("robomimic", "robomimic.hdf5"),
        ("minari-hdf5", "minari"),
    ] {
        let out = path(name);
        let said = done(&["dataset", "export", &set, "--format", format, "--out", &out]);
        assert!(said.contains("3 episodes written"), "{said}");
    }
    let Some(told) = h5py("read", folder.path()) else {
        return;
    };
    for kind in ["d4rl", "robomimic", "minari"] {
        assert!(
            told.contains(&format!("{kind}: 3 episodes, 600 steps")),
            "{told}"
        );
    }
}

#[test]
fn what_h5py_writes_is_read_by_dextra() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    if h5py("write", folder.path()).is_none() {
        return;
    }
    for (from, kind, steps) in [
        // Without the last observations, each episode loses its last action.
        ("door-d4rl.hdf5", "D4RL", 117),
        ("door-robomimic.hdf5", "robomimic", 120),
        ("door-minari", "Minari", 120),
    ] {
        let out = path(&format!("of-{from}"));
        let said = done(&[
            "dataset",
            "import",
            &path(from),
            "--task",
            "door",
            "--out",
            &out,
        ]);
        let expected = format!("door, 3 episodes (2 successes), {steps} steps");
        assert!(said.contains(&expected), "{said}");
        assert!(
            said.contains(&format!("imported from {kind} ({from})")),
            "{said}"
        );
        assert!(done(&["dataset", "check", &out]).contains("no errors"));
    }
    let list = done(&["dataset", "info", &path("of-door-minari"), "--episodes"]);
    assert!(list.contains("seed 102"), "{list}");
}
