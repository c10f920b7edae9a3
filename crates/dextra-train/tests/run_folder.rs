//! A run's folder: what is in it, and what happens when it cannot be written.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use dextra_train::{
    Act, ActChoice, Command, EvalSeeds, Failure, Phase, RunFolder, RunLog, Session, TrainConfig,
    Trainer, columns, evaluate, load_policy, read_events, shipped_policy,
};

fn event_file(run: &Path) -> PathBuf {
    let mut found: Vec<_> = fs::read_dir(run)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("events.out.tfevents"))
        .collect();
    found.sort();
    found.pop().unwrap()
}

fn rows(run: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(run.join("progress.csv")).unwrap();
    assert_eq!(reader.headers().unwrap().len(), columns().len() + 3);
    reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

fn events(run: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(run.join("events.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_run_leaves_everything_behind_and_can_be_extended() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("deep/run");
    let session = Session::start(common::small(), out.clone()).unwrap();
    session.watch(Some(0));
    let mut frames = VecDeque::new();
    while !session.is_finished() {
        session.take_frames(&mut frames);
        thread::sleep(Duration::from_millis(5));
    }
    session.take_frames(&mut frames);
    assert_eq!(session.status().phase, Phase::Finished);
    assert!(session.policy().is_some());
    let metrics = session.take_metrics();
    let outcome = session.join().unwrap();
    assert_eq!((outcome.steps, outcome.interrupted), (1_200, false));
    assert_eq!(outcome.final_eval.unwrap().episodes, 2);

    // Frames are one actor's, in order, with a pose for every body.
    assert!(!frames.is_empty() && frames.iter().all(|frame| frame.actor == 0));
    assert!(frames.iter().all(|frame| frame.body_poses.len() > 20));

    // The configuration says what wrote it and can start another run.
    let text = fs::read_to_string(out.join("config.toml")).unwrap();
    assert!(
        text.contains("[provenance]") && text.contains("rapier = ") && text.contains("scene = ")
    );
    let mut config = TrainConfig::default();
    config.merge_toml(&text, "config.toml").unwrap();
    assert_eq!(config, common::small());

    // One row per round and evaluation, the same in CSV, TensorBoard and memory.
    let table = rows(&out);
    assert_eq!(table.len(), 12 + 2);
    assert_eq!(metrics.len(), table.len());
    let curves = read_events(&event_file(&out)).unwrap();
    assert_eq!(curves.len(), 1 + table.len());
    let last = metrics
        .iter()
        .rev()
        .find(|row| row.values.len() > 4)
        .unwrap();
    let curve = curves
        .iter()
        .rev()
        .find(|e| e.summary.as_ref().is_some_and(|s| s.value.len() > 4));
    let values = &curve.unwrap().summary.as_ref().unwrap().value;
    assert_eq!(values.len(), last.values.len());
    assert!(
        values
            .iter()
            .any(|value| value.tag == "critic_loss" && value.simple_value > 0.0)
    );

    // The written policy is the trained one.
    let score = |path: &Path| {
        let policy = load_policy(path).unwrap().acting(ActChoice::Mean);
        let config = common::small();
        evaluate(
            &policy,
            &config.task,
            &config.env(),
            2,
            EvalSeeds::Final.first(),
        )
        .unwrap()
    };
    let whole = outcome.final_eval.unwrap();
    assert_eq!(score(&out).mean_return, whole.mean_return);
    assert_eq!(
        score(&out.join("policy.safetensors")).mean_return,
        whole.mean_return
    );

    // More steps continue where it stood: no row is lost or written twice.
    let extend = |config: &mut TrainConfig| Ok(config.set("steps", "1500")?);
    let outcome = Session::resume_with(&out, extend, RunLog::default())
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(outcome.steps, 1_500);
    let steps: Vec<u64> = rows(&out)
        .iter()
        .map(|row| row[0].parse().unwrap())
        .collect();
    assert!(steps.is_sorted() && steps.len() == 15 + 2, "{steps:?}");
    let resumed = events(&out)
        .into_iter()
        .find(|event| event["event"] == "resume")
        .unwrap();
    assert_eq!(resumed["config"]["steps"], 1_500);
}

/// The reference reader, where Python has it (`DEXTRA_PYTHON`, set by `tests/run`).
/// The last evaluation changes which policy is kept, though no step follows it.
#[test]
fn the_last_checkpoint_holds_what_the_last_evaluation_chose() {
    let parent = tempfile::tempdir().unwrap();
    let run = parent.path().join("run");
    let small = common::small();
    let config = TrainConfig {
        checkpoint_every_secs: 1e-3,
        eval_every_steps: small.steps / 2,
        ..small
    };
    let steps = config.steps;
    let session = Session::start(config, run.clone()).unwrap();
    session.join().unwrap();
    // Neither evaluation has a success: the later is no worse, and its policy is the one to keep.
    assert_eq!(load_policy(&run).unwrap().trained_steps, steps);
}

#[test]
fn tensorboard_reads_the_curves() {
    const READ: &str = "import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
curves = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0})
curves.Reload()
for point in curves.Scalars('steps_per_sec'): print(point.step)";
    let Some(python) = std::env::var_os("DEXTRA_PYTHON") else {
        eprintln!("skipped: DEXTRA_PYTHON is not set");
        return;
    };
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("run");
    let config = TrainConfig {
        steps: 500,
        ..common::small()
    };
    Session::start(config, out.clone()).unwrap().join().unwrap();
    let output = process::Command::new(python)
        .args(["-c", READ])
        .arg(&out)
        .output()
        .unwrap();
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(
            message.contains("No module named 'tensorboard'"),
            "{message}"
        );
        eprintln!("skipped: Python has no tensorboard");
        return;
    }
    let steps = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        steps.split_whitespace().collect::<Vec<_>>(),
        ["100", "200", "300", "400", "500"]
    );
}

#[test]
fn commands_are_obeyed_between_rounds_and_logged() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("run");
    let config = TrainConfig {
        steps: 1_000_000,
        ..common::small()
    };
    let session = Session::start(config, out.clone()).unwrap();
    session.command(Command::Pause);
    let wait_for = |reached: &dyn Fn(&dextra_train::Status) -> bool| {
        for _ in 0..2_000 {
            let status = session.status();
            if reached(&status) {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("{:?}", session.status());
    };
    let before = wait_for(&|status| status.phase == Phase::Paused);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(session.status().steps, before.steps);
    session.command(Command::StepRound);
    wait_for(&|status| status.steps == before.steps + 100 && status.phase == Phase::Paused);
    session.command(Command::Checkpoint);
    wait_for(&|status| status.checkpoint_steps == Some(before.steps + 100));
    session.command(Command::Resume);
    wait_for(&|status| status.episodes > 0);
    assert!(session.take_memory().is_none());
    session.command(Command::ShowMemory);
    let shown = (0..2_000).find_map(|_| {
        thread::sleep(Duration::from_millis(5));
        session.take_memory()
    });
    assert!(shown.is_some_and(|episodes| (1..=60).contains(&episodes.len())));
    // As closing the window does.
    drop(session);
    let names: Vec<_> = events(&out)
        .iter()
        .map(|e| e["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.first().unwrap(), "start");
    assert_eq!(names.last().unwrap(), "end");
    assert_eq!(names.iter().filter(|name| *name == "command").count(), 5);
    let resumed = Session::resume(&out).unwrap();
    assert!(resumed.status().steps > before.steps || !resumed.is_finished());
}

#[test]
fn an_occupied_folder_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("notes.txt"), "mine").unwrap();
    let error = Session::start(common::small(), parent.path().into())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("is not empty") && error.contains("--out"),
        "{error}"
    );
    fs::write(parent.path().join("config.toml"), "").unwrap();
    let error = Session::start(common::small(), parent.path().into())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("holds a run already") && error.contains("--resume"),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(parent.path().join("notes.txt")).unwrap(),
        "mine"
    );
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    // Not even root can make folders here.
    let out = PathBuf::from("/proc/dextra-run");
    let error = Session::start(common::small(), out)
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with("cannot create /proc/dextra-run:"),
        "{error}"
    );
}

/// `/dev/full` answers every write as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_run_with_its_checkpoint_whole() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("run");
    let config = TrainConfig {
        steps: 600,
        ..common::small()
    };
    Session::start(config, out.clone()).unwrap().join().unwrap();
    let log = fs::read(out.join("events.jsonl")).unwrap();

    fs::remove_file(out.join("events.jsonl")).unwrap();
    std::os::unix::fs::symlink("/dev/full", out.join("events.jsonl")).unwrap();
    let error = Session::resume(&out).err().unwrap().to_string();
    assert!(
        error.contains("cannot write") && error.contains("events.jsonl"),
        "{error}"
    );
    assert!(error.contains("free some space"), "{error}");

    fs::remove_file(out.join("events.jsonl")).unwrap();
    fs::write(out.join("events.jsonl"), log).unwrap();
    let extend = |config: &mut TrainConfig| Ok(config.set("steps", "700")?);
    assert_eq!(
        Session::resume_with(&out, extend, RunLog::default())
            .unwrap()
            .join()
            .unwrap()
            .steps,
        700
    );
}

#[test]
fn files_that_hold_no_policy_are_refused() {
    let parent = tempfile::tempdir().unwrap();
    for name in ["policy.npz", "policy.safetensors", "policy.pt"] {
        let path = parent.path().join(name);
        fs::write(&path, b"not a policy at all").unwrap();
        let error = load_policy(&path).err().unwrap().to_string();
        assert!(
            error.contains(name) && error.contains("holds no policy"),
            "{error}"
        );
    }
    let missing = load_policy(&parent.path().join("gone.npz"))
        .err()
        .unwrap()
        .to_string();
    assert!(
        missing.starts_with("cannot read") && missing.contains("gone.npz"),
        "{missing}"
    );
}

#[test]
fn a_lost_episode_is_dumped_with_what_reproduces_it() {
    let parent = tempfile::tempdir().unwrap();
    let config = common::small();
    let provenance = Trainer::new(config.clone()).unwrap().provenance();
    let mut folder = RunFolder::create(parent.path(), &config, &provenance).unwrap();
    let failure = Failure {
        actor: 1,
        episode: 7,
        seed: 99,
        step: 2,
        message: "the physics diverged at 0.020 s".into(),
        qpos: vec![0.5, f64::NAN],
        qvel: vec![f64::INFINITY, 0.0],
        actions: vec![vec![0.1], vec![0.2]],
    };
    let path = folder.failure(400, &failure).unwrap();
    assert!(path.starts_with(parent.path().join("failures")));
    let dump: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(
        (dump["seed"].as_u64(), dump["step"].as_u64()),
        (Some(99), Some(2))
    );
    assert_eq!(dump["qpos"], serde_json::json!([0.5, null]));
    assert_eq!(dump["actions"].as_array().unwrap().len(), 2);
    let event = events(parent.path()).pop().unwrap();
    assert_eq!(
        (event["event"].as_str(), event["step"].as_u64()),
        (Some("physics_failure"), Some(400))
    );
}

/// A policy whose numbers went wrong: the environment refuses its actions.
struct Broken;

impl Act for Broken {
    fn act(&self, _obs: &[f32], _rng: &mut rand_chacha::ChaCha8Rng) -> Vec<f32> {
        vec![f32::NAN; 28]
    }
}

#[test]
fn an_episode_that_leaves_the_finite_range_is_a_failure_of_its_policy() {
    let config = common::small();
    let result = evaluate(&Broken, "door", &config.env(), 2, EvalSeeds::Final.first()).unwrap();
    assert_eq!(
        (result.failures, result.successes, result.mean_length),
        (2, 0, 1.0)
    );
}

#[test]
fn the_policies_that_come_with_dextra_are_skilled() {
    for task in ["door", "hammer", "relocate"] {
        let path = shipped_policy(task).expect("no policy in assets/policies");
        let policy = load_policy(&path).unwrap().acting(ActChoice::Mean);
        let options = TrainConfig::default().env();
        let result = evaluate(&policy, task, &options, 10, EvalSeeds::Final.first()).unwrap();
        assert!(result.successes >= 8, "{task}: {} of 10", result.successes);
    }
    assert_eq!(shipped_policy("no such task"), None);
}

#[test]
fn a_run_from_before_a_column_was_added_goes_on() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("run");
    let config = TrainConfig {
        steps: 600,
        ..common::small()
    };
    Session::start(config, out.clone()).unwrap().join().unwrap();
    let path = out.join("progress.csv");
    let without_last = |line: &str| line.rsplit_once(',').unwrap().0.to_owned();
    let text = fs::read_to_string(&path).unwrap();
    let older: Vec<_> = text.lines().map(without_last).collect();
    fs::write(&path, older.join("\n") + "\n").unwrap();

    let extend = |config: &mut TrainConfig| Ok(config.set("steps", "700")?);
    let session = Session::resume_with(&out, extend, RunLog::default()).unwrap();
    session.join().unwrap();
    let rows = rows(&out);
    assert!(rows.iter().all(|row| row.len() == columns().len() + 3));
    assert_eq!(rows.last().unwrap()[0], "700");
}
