//! Learning from recorded episodes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{path::Path, sync::atomic::AtomicBool};

use dextra_data::dataset::Dataset;
use dextra_tasks::{Env, EnvOptions, RewardKind};
use dextra_train::{
    RecordOptions, TrainConfig, Trainer, dataset_env, record_dataset, replay_actions,
};

fn recorded(root: &Path, episodes: usize) {
    let options = RecordOptions {
        episodes,
        seed: 0,
        successes_only: true,
    };
    let cancel = AtomicBool::new(false);
    let env = EnvOptions::default();
    let (dataset, done) =
        record_dataset(root, "door", &env, "expert", &options, &cancel, |_, _| {}).unwrap();
    assert_eq!((dataset.len(), done.successes), (episodes, episodes));
}

fn learner(root: &Path, demonstrations: usize) -> TrainConfig {
    let mut config = common::small();
    config.learn_from(&root.display().to_string(), demonstrations);
    config.warmup_steps = 0;
    config
}

#[test]
fn a_run_learns_from_a_dataset_and_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 3);
    let weights = |config: &TrainConfig| {
        let mut trainer = Trainer::new(config.clone()).unwrap();
        while trainer.updates() == 0 {
            trainer.round(None).unwrap();
        }
        trainer.checkpoint().unwrap().learner
    };
    let config = learner(&root, 3);
    let learnt = weights(&config);
    assert_eq!(learnt, weights(&config));
    assert_ne!(
        learnt,
        weights(&learner(&root, 2)),
        "the demonstrations make no difference"
    );

    let refused = |config: TrainConfig, part: &str| {
        let error = Trainer::new(config).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("set"), "{error}");
    };
    refused(learner(&root, 4), "3 successful episodes, fewer");
    let dense = TrainConfig {
        reward: RewardKind::Dense,
        ..config.clone()
    };
    refused(dense, "not recorded with the dense reward");
    let pen = TrainConfig {
        task: "pen".into(),
        ..config.clone()
    };
    refused(pen, "task door, not pen");
    // Told by what was recorded, whatever the reward was called then.
    let binary = TrainConfig {
        reward: RewardKind::Binary,
        ..config
    };
    Trainer::new(binary).unwrap();
}

#[test]
fn cloning_makes_the_demonstrated_actions_likelier() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 1);
    let mut config = TrainConfig {
        demonstrator: root.display().to_string(),
        demonstrations: 1,
        warmup_steps: 0,
        utd_ratio: 2.0,
        ..TrainConfig::preset("bc").unwrap()
    };
    config.actors = 2;
    config.learn.hidden = 32;
    config.learn.sequences = 8;
    let mut trainer = Trainer::new(config).unwrap();
    let mut losses: Vec<f64> = Vec::new();
    while losses.len() < 4 {
        let row = trainer.round(None).unwrap().row;
        let loss = row.values.iter().find(|(name, _)| *name == "policy_loss");
        losses.extend(loss.map(|(_, loss)| *loss));
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < first - 1.0, "{losses:?}");
}

#[test]
fn a_replay_says_where_it_leaves_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 1);
    let dataset = Dataset::open(&root).unwrap();
    let mut recording = dataset.read(0).unwrap();
    let mut env = dataset_env(&dataset).unwrap();
    // Whatever happened in the environment before.
    env.reset(77);
    let report = replay_actions(&mut env, &recording).unwrap();
    assert_eq!((report.steps, report.divergence), (200, None));
    assert_eq!(report.success_steps[0], report.success_steps[1]);
    recording.episode.transitions[50].action[3] += 1e-3;
    let report = replay_actions(&mut env, &recording).unwrap();
    let divergence = report.divergence.unwrap();
    assert_eq!((divergence.step, divergence.what), (51, "observation"));
    assert!(divergence.by > 0.0 && report.qpos_error > 0.0);
    // In an environment of other masses it leaves at once.
    let options = EnvOptions {
        randomise: true,
        ..EnvOptions::default()
    };
    let recording = dataset.read(0).unwrap();
    let mut other = Env::make("door", &options).unwrap();
    let report = replay_actions(&mut other, &recording).unwrap();
    assert!(report.divergence.unwrap().step < 3);
}
