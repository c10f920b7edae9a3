//! A running training is edited, resumed and repeated: the repeated run has the same bits.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{fs, path::Path, thread, time::Duration};

use dextra_tasks::RewardKind;
use dextra_train::{
    ActChoice, Checkpoint, Command, Edit, RunLog, ScheduledEdit, Session, Setting, Status,
    TrainConfig, Trainer,
};

/// Dense, so that there are reward weights; evaluated by resampling, which the KL bound changes.
fn config() -> TrainConfig {
    TrainConfig {
        reward: RewardKind::Dense,
        eval_mode: ActChoice::Resample,
        ..common::small()
    }
}

fn edit(key: &str, value: f64) -> Command {
    Command::Edit(Edit {
        key: key.into(),
        value,
    })
}

fn wait(session: &Session, what: impl Fn(&Status) -> bool) -> Status {
    for _ in 0..3_000 {
        let status = session.status();
        if what(&status) {
            return status;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{:?}", session.status());
}

fn setting(status: &Status, key: &str) -> Setting {
    let found = status.settings.iter().find(|setting| setting.key == key);
    found.unwrap().clone()
}

/// Everything of a run but the clock.
fn product(run: &Path) -> (u64, Vec<u8>, Vec<u8>, Vec<u8>) {
    let checkpoint = Checkpoint::read(run).unwrap();
    (
        checkpoint.updates,
        checkpoint.learner,
        checkpoint.replay,
        checkpoint.policy,
    )
}

#[test]
fn an_edited_and_resumed_run_repeats_to_the_bit_from_its_log() {
    let parent = tempfile::tempdir().unwrap();
    let (first, again) = (parent.path().join("first"), parent.path().join("again"));

    let session = Session::start(config(), first.clone()).unwrap();
    // Before the first round or between later ones, whatever the machine's speed.
    session.command(edit("utd_ratio", 0.5));
    session.command(edit("reward_weights.reach", 3.0));
    wait(&session, |s| s.steps >= 500);
    session.command(edit("learn.kl", 0.2));
    session.command(edit("learn.learning_rate", 2e-3));
    session.command(edit("lambda_psi", 0.25));
    session.command(edit("lambda_psi", 9.0));
    let status = wait(&session, |s| s.refused_edit.is_some());
    assert!(status.refused_edit.unwrap().contains("0 to 1"));
    session.command(Command::Stop);
    session.join().unwrap();

    let session = Session::resume(&first).unwrap();
    session.command(Command::Pause);
    session.command(edit("learn.prior_learning_rate", 1e-4));
    let status = wait(&session, |s| {
        s.paused && setting(s, "learn.prior_learning_rate").value == 1e-4
    });
    let kl = setting(&status, "learn.kl");
    assert_eq!((kl.value, kl.initial), (0.2, config().learn.kl));
    assert_eq!(setting(&status, "reward_weights.reach").value, 3.0);
    assert_eq!(setting(&status, "reward_weights.open").initial, 1.0);
    session.command(Command::Resume);
    session.join().unwrap();

    let log = RunLog::read(&first.join("events.jsonl")).unwrap();
    let keys: Vec<_> = log.edits.iter().map(|e| e.edit.key.as_str()).collect();
    let expected = [
        "utd_ratio",
        "reward_weights.reach",
        "learn.kl",
        "learn.learning_rate",
        "lambda_psi",
        "learn.prior_learning_rate",
    ];
    assert_eq!(keys, expected);

    let session = Session::start_with(config(), again.clone(), log.clone()).unwrap();
    session.join().unwrap();
    assert!(product(&first) == product(&again));
    assert_eq!(RunLog::read(&again.join("events.jsonl")).unwrap(), log);

    // Without the edits it is another run.
    let plain = parent.path().join("plain");
    Session::start(config(), plain.clone())
        .unwrap()
        .join()
        .unwrap();
    assert!(product(&first) != product(&plain));
}

#[test]
fn reward_weights_change_the_reward_of_later_steps_alone() {
    let reach = |weight: f64| {
        let mut trainer = Trainer::new(config()).unwrap();
        let edit = Edit {
            key: "reward_weights.reach".into(),
            value: weight,
        };
        trainer.edit(&edit).unwrap();
        trainer.round(None).unwrap();
        trainer.checkpoint().unwrap()
    };
    let as_it_is = {
        let mut trainer = Trainer::new(config()).unwrap();
        trainer.round(None).unwrap();
        trainer.checkpoint().unwrap()
    };
    assert!(reach(1.0).loop_state.len() == as_it_is.loop_state.len());
    assert!(reach(1.0).replay == as_it_is.replay);
    assert!(reach(2.0).loop_state != reach(1.0).loop_state);
    assert_eq!(reach(2.0).config.reward_weights["reach"], 2.0);
}

#[test]
fn edits_that_do_not_fit_are_refused_before_anything_runs() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("run");
    let refused = |key: &str| {
        let edits = vec![ScheduledEdit {
            step: 0,
            before_evaluation: false,
            edit: Edit {
                key: key.into(),
                value: 2.0,
            },
        }];
        let error = Session::start_with(common::small(), out.clone(), edits).err();
        error.unwrap().to_string()
    };
    assert!(refused("learn.hidden").contains("what can: learn.learning_rate"));
    assert!(refused("lambda_intertwine").contains("0 to 1"));
    assert!(!out.exists());

    let mut config = common::small();
    config.set("reward_weights.reach", "2").unwrap();
    let error = Trainer::new(config.clone()).err().unwrap().to_string();
    assert!(error.contains("`reward` dense"), "{error}");
    config.reward = RewardKind::Dense;
    assert!(Trainer::new(config.clone()).is_ok());
    config.set("reward_weights.reech", "2").unwrap();
    let error = Trainer::new(config).err().unwrap().to_string();
    assert!(
        error.contains("reech") && error.contains("hinge_error"),
        "{error}"
    );
    let missing = RunLog::read(Path::new("/nonexistent/events.jsonl"));
    assert!(missing.err().unwrap().to_string().contains("/nonexistent"));
    let _ = fs::remove_dir_all(&out);
}
