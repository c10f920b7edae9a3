//! The command as a user meets it: exit codes, messages, a short training from end to end.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

const SMALL: [&str; 10] = [
    "--set=learn.hidden=16",
    "--set=learn.sequences=4",
    "--set=actors=2",
    "--set=round_steps=50",
    "--set=warmup_steps=400",
    "--set=eval_every_steps=400",
    "--set=eval_episodes=1",
    "--set=final_eval_episodes=2",
    "--set=stop_at_success=never",
    "--seed=1",
];

fn dextra(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dextra"));
    command
        .args(args)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asserts the exit code and that the one message holds every part, without panic or backtrace.
fn refused(args: &[&str], code: i32, parts: &[&str]) {
    let output = dextra(args);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    assert!(message.starts_with("error: "), "{args:?}: {message}");
    assert!(
        !message.contains("panicked") && !message.contains("backtrace"),
        "{message}"
    );
    for part in parts {
        assert!(
            message.contains(part),
            "{args:?}: no `{part}` in: {message}"
        );
    }
}

#[test]
fn wrong_command_lines_exit_with_2_and_a_remedy() {
    refused(&["trian"], 2, &["train"]);
    refused(&["train", "--sed", "1"], 2, &["--seed"]);
    refused(&["train", "--seed", "one"], 2, &["one"]);
    refused(
        &["train", "door", "--set", "utd_ration=1"],
        2,
        &["`utd_ration`", "`utd_ratio`"],
    );
    refused(
        &["train", "door", "--set", "kl=1"],
        2,
        &["`kl`", "`learn.kl`"],
    );
    refused(&["train", "door", "--set", "utd_ratio"], 2, &["key=value"]);
    refused(
        &["train", "door", "--set", "lambda_psi=2"],
        2,
        &["`lambda_psi` cannot be 2", "0 to 1"],
    );
    refused(
        &["train", "door", "--set", "learn.hidden=17"],
        2,
        &["learn.hidden", "multiple of 16"],
    );
    refused(&["train", "dor"], 2, &["unknown task `dor`", "`door`"]);
    refused(
        &["train", "door", "--preset", "best"],
        2,
        &["`best`", "`default`", "`paper`"],
    );
    refused(
        &["train", "door", "--reward", "denser"],
        2,
        &["denser", "dense"],
    );
    refused(
        &["train", "door", "--steps", "lots"],
        2,
        &["`steps`", "lots"],
    );
    refused(
        &["train", "door", "--config", "/nonexistent.toml"],
        2,
        &["/nonexistent.toml"],
    );
    refused(
        &["train", "door", "--resume", "a", "--out", "b"],
        2,
        &["--resume", "--out"],
    );
    refused(
        &["train", "door", "--set", "reward_weights.reach=2"],
        2,
        &["`reward_weights.reach`", "`reward` dense"],
    );
    refused(&["eval", "expert", "--episodes", "0"], 2, &["0"]);
    refused(
        &["eval", "expert", "--task", "drawer"],
        2,
        &["unknown task `drawer`"],
    );
    refused(&["bench", "--seconds", "-1"], 2, &["-1"]);
    refused(&["export", "runs/door"], 2, &["--out"]);
    refused(
        &["export", "runs/door", "--out", "policy.zip"],
        2,
        &["policy.zip", ".npz"],
    );
}

#[test]
fn what_cannot_be_read_or_written_exits_with_1_and_is_named() {
    refused(
        &["train", "door", "--edits", "/nonexistent/events.jsonl"],
        1,
        &["/nonexistent/events.jsonl"],
    );
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("junk.npz"), b"PK\x03\x04 and then nothing").unwrap();
    fs::write(path("junk.safetensors"), [0xff; 64]).unwrap();
    fs::write(path("junk.txt"), b"junk").unwrap();
    fs::create_dir(path("empty")).unwrap();
    refused(&["eval", &path("junk.npz")], 1, &["junk.npz"]);
    refused(
        &["eval", &path("junk.safetensors")],
        1,
        &["junk.safetensors"],
    );
    refused(&["eval", &path("junk.txt")], 1, &["junk.txt"]);
    refused(
        &["eval", &path("empty")],
        1,
        &["empty", "not one of Dextra's"],
    );
    refused(&["eval", &path("gone")], 1, &["gone"]);
    refused(&["train", "--resume", &path("empty")], 1, &["empty"]);
    refused(&["train", "door", "--out", "/proc/run"], 1, &["/proc/run"]);
    refused(
        &["train", "door", "--out", folder.path().to_str().unwrap()],
        1,
        &["is not empty"],
    );
}

#[test]
fn without_a_display_the_app_points_to_the_terminal() {
    refused(&[], 1, &["dextra train door"]);
    refused(&["--set", "learn.kll=1"], 2, &["`learn.kl`"]);
}

#[test]
fn doctor_tells_versions_and_tasks() {
    let output = dextra(&["doctor"]);
    let report = text(&output.stdout);
    assert!(output.status.success(), "{report}");
    for part in [
        "dextra ",
        "rapier ",
        "processor",
        "memory",
        "door",
        "display      none",
    ] {
        assert!(report.contains(part), "no `{part}` in: {report}");
    }
}

#[test]
fn a_reader_that_goes_away_meets_no_panic() {
    let mut child = command(&["doctor"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let complaint = text(&output.stderr);
    assert!(!complaint.contains("panicked"), "{complaint}");
    assert_eq!(output.status.code(), Some(141));
}

#[test]
fn a_short_training_can_be_evaluated_and_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run").display().to_string();
    let mut args = vec!["train", "door", "--steps", "800", "--out", &run];
    args.extend(SMALL);
    let output = dextra(&args);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert!(
        out.contains("800 steps, 100 updates") && out.contains("policy alone"),
        "{out}"
    );

    let eval = |seed: &str| {
        let output = dextra(&["eval", &run, "--episodes", "2", "--seed", seed, "--json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let result = eval("5");
    assert_eq!(result, eval("5"), "evaluation repeats");
    assert_eq!(result["episodes"], 2);
    assert_eq!(result["trained_steps"], 800);
    assert!(result["success_rate"].is_f64() && result["ci"].as_array().unwrap().len() == 2);

    let output = dextra(&["train", "--resume", &run, "--steps", "1k"]);
    assert!(
        text(&output.stdout).contains("1000 steps, 150 updates"),
        "{}",
        text(&output.stderr)
    );
    refused(
        &["train", "door", "--out", &run],
        1,
        &["holds a run already", "--resume"],
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_a_checkpoint_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut args = vec![
        "train",
        "door",
        "--steps",
        "10M",
        "--out",
        run.to_str().unwrap(),
    ];
    args.extend(SMALL);
    let child = command(&args)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let started = |run: &Path| {
        fs::read_to_string(run.join("progress.csv")).is_ok_and(|rows| rows.lines().count() > 3)
    };
    for _ in 0..1_000 {
        if started(&run) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(
        out.contains("continue with: dextra train --resume"),
        "{out}"
    );
    let checkpoints = fs::read_dir(run.join("checkpoints")).unwrap().count();
    assert!(checkpoints > 0);
}

#[test]
fn a_scene_that_is_not_there_is_told_before_a_window_is_asked_for() {
    refused(&["view", "no/such.xml"], 1, &["no/such.xml", "door"]);
}
