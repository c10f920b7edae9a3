//! Recording, replaying and changing datasets as a user does it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dextra"));
    command.args(args);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command that must succeed prints.
fn done(args: &[&str]) -> String {
    let output = command(args).output().unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// A file of the source tree.
fn of_the_tree(path: &str) -> String {
    format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// The one message of a command that must fail.
fn refused(args: &[&str], parts: &[&str]) {
    let Output { status, stderr, .. } = command(args).output().unwrap();
    let message = text(&stderr);
    assert_eq!(status.code(), Some(1), "{args:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

fn episodes(dataset: &str) -> u64 {
    let info = done(&["dataset", "info", dataset, "--json"]);
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    info["total_episodes"].as_u64().unwrap()
}

#[test]
fn what_is_recorded_repeats_to_the_bit_and_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (set, more) = (path("set"), path("more"));
    let out = done(&["record", "door", "--episodes", "3", "--out", &set]);
    assert!(out.contains("3 episodes kept"), "{out}");
    let out = done(&["replay", &set]);
    assert_eq!(
        out.matches("200 steps, the same to the bit").count(),
        3,
        "{out}"
    );
    let out = done(&["replay", &set, "--by", "state", "--episode", "1"]);
    assert!(out.contains("observations differ by at most"), "{out}");
    assert!(done(&["dataset", "check", &set]).contains("3 episodes read, no errors"));

    // A trimmed episode begins at a snapshot, and still repeats.
    let out = done(&["dataset", "trim", &set, "1", "--from", "30", "--to", "90"]);
    assert!(
        out.contains("30 steps cut from its head, 110 from its tail"),
        "{out}"
    );
    let out = done(&["replay", &set, "--episode", "1"]);
    assert!(out.contains("60 steps, the same to the bit"), "{out}");

    // Recording goes on where it stopped, with other episodes.
    done(&["record", "door", "--episodes", "1", "--out", &set]);
    assert_eq!(episodes(&set), 4);
    let check = done(&["dataset", "check", &set]);
    assert!(!check.contains("seed of another"), "{check}");
    done(&["record", "door", "--episodes", "4", "--out", &more]);
    let last = |set: &str| {
        let info = done(&["dataset", "info", set, "--episodes"]);
        info.lines().last().unwrap().to_owned()
    };
    assert_eq!(
        last(&set),
        last(&more),
        "asked once or twice, the episodes are the same"
    );

    done(&["dataset", "delete", &set, "0", "3"]);
    done(&["dataset", "merge", &set, &more, "--out", &path("both")]);
    assert_eq!(episodes(&path("both")), 6);
    let parts = [path("first"), path("second")];
    done(&[
        "dataset",
        "split",
        &path("both"),
        "--at",
        "2",
        "--out",
        &parts[0],
        &parts[1],
    ]);
    assert_eq!((episodes(&parts[0]), episodes(&parts[1])), (2, 4));
    assert!(done(&["dataset", "stats", &parts[1]]).contains("action[27]"));
    assert_eq!(
        done(&["replay", &parts[1]])
            .matches("same to the bit")
            .count(),
        4
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let set = path("set");
    done(&["record", "door", "--episodes", "2", "--out", &set]);
    refused(
        &["dataset", "info", &path("gone")],
        &["gone", "not one of Dextra's datasets"],
    );
    refused(&["record", "pen", "--out", &set], &["set", "another task"]);
    refused(
        &["record", "door", "--out", &set, "--reward", "dense"],
        &["environment options"],
    );
    refused(
        &["replay", &set, "--episode", "2"],
        &["no episode 2", "0 to 1"],
    );
    refused(&["dataset", "delete", &set, "5"], &["no episode 5"]);
    refused(
        &["dataset", "split", &set, "--at", "2", "--out", "a", "b"],
        &["split at 1 to 1"],
    );
    refused(
        &[
            "record",
            "door",
            "--actor",
            &path("gone.npz"),
            "--out",
            &path("new"),
        ],
        &["gone.npz"],
    );
    refused(
        &["train", "pen", "--demos", &set],
        &["set", "task door, not pen"],
    );

    // Recorded with another engine: said when replayed, refused when learnt from.
    let sidecar = folder.path().join("set/meta/dextra.json");
    let written = fs::read_to_string(&sidecar).unwrap();
    let old = written.replace(dextra_sim::RAPIER_VERSION, "0.1.2");
    assert_ne!(old, written);
    fs::write(&sidecar, old).unwrap();
    let output = command(&["replay", &set]).output().unwrap();
    assert!(text(&output.stderr).contains("recorded with Rapier 0.1.2 instead of"));
    let demos = format!("demonstrator={set}");
    refused(
        &[
            "train",
            "door",
            "--set",
            &demos,
            "--set",
            "demonstrations=1",
            "--out",
            &path("run"),
        ],
        &["Rapier 0.1.2", "cannot be mixed"],
    );
    fs::write(&sidecar, written).unwrap();

    // An episode whose action was changed: the replay says where it leaves the recording.
    let data = folder.path().join("set/data/chunk-000/file-001.parquet");
    let mut bytes = fs::read(&data).unwrap();
    bytes[300] ^= 4;
    fs::write(&data, bytes).unwrap();
    refused(
        &["replay", &set],
        &["file-001.parquet is damaged", "dataset delete"],
    );
    refused(&["dataset", "check", &set], &["1 errors found"]);
    done(&["dataset", "delete", &set, "1"]);
    assert_eq!(episodes(&set), 1);
}

/// A kill at any moment loses at most the episode under way.
#[cfg(unix)]
#[test]
fn a_killed_recording_keeps_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set").display().to_string();
    let mut before = 0;
    for kill in 0..8u64 {
        let mut child = command(&["record", "door", "--episodes", "1000", "--out", &set])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Killed some time after it kept its first or second episode, or at once.
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = 0;
        while told < kill % 3 {
            let line = lines.next().unwrap().unwrap();
            told += u64::from(line.contains(" kept: "));
        }
        thread::sleep(Duration::from_millis(17 * kill));
        child.kill().unwrap();
        child.wait().unwrap();
        let rest = lines.map(Result::unwrap);
        told += rest.filter(|line| line.contains(" kept: ")).count() as u64;
        if !Path::new(&set).join("meta/dextra.json").exists() {
            assert_eq!(told, 0);
            continue;
        }
        let now = episodes(&set);
        // What was said to be kept is there; one more may have been kept and not yet said.
        assert!(
            (before + told..=before + told + 1).contains(&now),
            "{before} + {told}: {now}"
        );
        before = now;
    }
    assert!(before >= 7);
    let out = done(&["replay", &set]);
    assert_eq!(out.matches("the same to the bit").count() as u64, before);
    assert!(done(&["dataset", "check", &set]).contains("no errors"));
}

/// The readers that others use (`DEXTRA_PYTHON`, set by `tests/run`).
#[test]
fn the_reference_readers_read_it() {
    let Some(python) = std::env::var_os("DEXTRA_PYTHON") else {
        eprintln!("skipped: DEXTRA_PYTHON is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set").display().to_string();
    done(&["record", "door", "--episodes", "3", "--out", &set]);
    let minari = folder.path().join("minari").display().to_string();
    done(&[
        "dataset", "export", &set, "--format", "minari", "--out", &minari,
    ]);
    let readers = [
        ("read_dataset.py", &set, "pandas: 3 episodes, 600 steps"),
        ("read_minari.py", &minari, "minari: 3 episodes, 600 steps"),
    ];
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference");
    for (script, written, expected) in readers {
        let output = Command::new(&python)
            .arg(scripts.join(script))
            .arg(written)
            .output();
        let output = output.unwrap();
        let told = text(&output.stdout);
        if output.status.code() == Some(3) {
            eprintln!("skipped: {told}");
            continue;
        }
        assert!(output.status.success(), "{told}{}", text(&output.stderr));
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn the_driving_controls_record_what_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (set, script) = (
        path("set"),
        of_the_tree("crates/dextra-teleop/tests/scripts/door.txt"),
    );
    let by_script = [
        "record", "door", "--script", &script, "--seed", "18", "--out", &set,
    ];
    let out = done(&by_script);
    assert!(out.contains("1 takes kept"), "{out}");
    // A script belongs to one episode.
    let output = command(&by_script).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("an episode of seed 18 already"));
    done(&[
        "record",
        "door",
        "--actor",
        "operator",
        "--episodes",
        "2",
        "--out",
        &set,
    ]);
    let out = done(&["replay", &set]);
    assert_eq!(out.matches("the same to the bit").count(), 3, "{out}");
    let list = done(&["dataset", "info", &set, "--episodes"]);
    assert_eq!(list.matches("[Human]").count(), 3, "{list}");
    assert!(!list.contains("no success"), "{list}");

    let bad = folder.path().join("bad.txt");
    fs::write(&bad, "1 press W\n2 push W\n").unwrap();
    let bad = bad.display().to_string();
    refused(
        &["record", "door", "--script", &bad, "--out", &set],
        &["bad.txt, line 2", "neither"],
    );
    refused(
        &[
            "record",
            "pen",
            "--actor",
            "operator",
            "--out",
            &path("pen"),
        ],
        &["no plan for the task pen", "script"],
    );
}
