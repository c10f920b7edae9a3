//! A run of 2N steps equals N, save, load, N: to the bit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{fs, path::Path, sync::atomic::AtomicBool};

use dextra_train::{Checkpoint, RunFolder, TrainConfig, TrainError, Trainer, latest_checkpoint};

fn advance(trainer: &mut Trainer, to: u64) {
    while trainer.steps() < to {
        if trainer.evaluation_due() {
            trainer.evaluate(&AtomicBool::new(false)).unwrap();
        }
        trainer.round(None).unwrap();
    }
}

fn trained(config: &TrainConfig, steps: u64) -> Trainer {
    let mut trainer = Trainer::new(config.clone()).unwrap();
    advance(&mut trainer, steps);
    trainer
}

#[test]
fn resume_is_exact_even_in_mid_episode() {
    resumes_exactly(&common::small());
}

/// The scene under way is the episode's own, and the demonstrations are those of the run's beginning.
#[test]
fn so_it_is_with_varied_scenes_and_demonstrations() {
    resumes_exactly(&TrainConfig {
        randomise: true,
        demonstrations: 2,
        ..common::small()
    });
}

fn resumes_exactly(config: &TrainConfig) {
    let through = trained(config, 1_200).checkpoint().unwrap();

    let folder = tempfile::tempdir().unwrap();
    // 700 steps: every actor is in the middle of an episode.
    trained(config, 700)
        .checkpoint()
        .unwrap()
        .write(folder.path())
        .unwrap();
    let mut resumed = Trainer::from_checkpoint(&Checkpoint::read(folder.path()).unwrap()).unwrap();
    assert_eq!(resumed.steps(), 700);
    advance(&mut resumed, 1_200);
    let resumed = resumed.checkpoint().unwrap();

    assert_eq!(through.updates, resumed.updates);
    assert!(
        through.learner == resumed.learner,
        "networks, moments, duals"
    );
    assert!(through.replay == resumed.replay, "replay memory");
    assert!(through.policy == resumed.policy, "the best policy");
    assert_eq!(through.policy_steps, resumed.policy_steps);
}

#[test]
fn the_two_newest_checkpoints_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(common::small()).unwrap();
    for steps in [100, 200, 300] {
        advance(&mut trainer, steps);
        trainer.checkpoint().unwrap().write(folder.path()).unwrap();
    }
    // Writing the same one again replaces it.
    trainer.checkpoint().unwrap().write(folder.path()).unwrap();
    let names: Vec<_> = sorted(&folder.path().join("checkpoints"));
    assert_eq!(names, ["000000200", "000000300"]);
    assert!(
        latest_checkpoint(folder.path())
            .unwrap()
            .ends_with("000000300")
    );
    assert_eq!(Checkpoint::read(folder.path()).unwrap().steps, 300);
}

fn sorted(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The message that reading `path` ends with.
fn refusal(path: &Path) -> String {
    match Checkpoint::read(path) {
        Err(error @ TrainError::Checkpoint { .. }) => error.to_string(),
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("{} was read", path.display()),
    }
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused_with_the_one_before_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(common::small()).unwrap();
    for steps in [100, 200] {
        advance(&mut trainer, steps);
        trainer.checkpoint().unwrap().write(folder.path()).unwrap();
    }
    let newest = latest_checkpoint(folder.path()).unwrap();
    let file = |name: &str| newest.join(name);
    let edit = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let whole = fs::read(file(name)).unwrap();
        fs::write(file(name), change(whole.clone())).unwrap();
        let message = refusal(folder.path());
        fs::write(file(name), whole).unwrap();
        message
    };

    let truncated = edit("learner.safetensors", &|bytes| {
        bytes[..bytes.len() / 2].to_vec()
    });
    assert!(
        truncated.contains("is truncated: learner.safetensors has"),
        "{truncated}"
    );
    assert!(truncated.contains("the one before it is") && truncated.contains("000000100"));

    let flipped = edit("replay.bin", &|mut bytes| {
        bytes[10] ^= 1;
        bytes
    });
    assert!(
        flipped.contains("is damaged: replay.bin was changed"),
        "{flipped}"
    );

    let later = edit("manifest.json", &|bytes| {
        let text = String::from_utf8(bytes).unwrap();
        text.replace("\"format\": 1", "\"format\": 99").into_bytes()
    });
    assert!(
        later.contains("written by a later Dextra (layout 99"),
        "{later}"
    );

    let foreign = edit("manifest.json", &|_| b"{\"model\": \"resnet\"}".to_vec());
    assert!(foreign.contains("foreign or damaged"), "{foreign}");

    let empty = tempfile::tempdir().unwrap();
    assert!(refusal(empty.path()).contains("is not one of Dextra's"));
    assert!(refusal(Path::new("/nonexistent")).contains("does not exist"));

    // What was refused was not touched.
    assert_eq!(Checkpoint::read(folder.path()).unwrap().steps, 200);
}

#[test]
fn continuing_from_an_earlier_checkpoint_sets_the_later_ones_aside() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(common::small()).unwrap();
    for steps in [100, 200] {
        advance(&mut trainer, steps);
        trainer.checkpoint().unwrap().write(folder.path()).unwrap();
    }
    RunFolder::open(folder.path(), 100).unwrap();
    let names = sorted(&folder.path().join("checkpoints"));
    assert_eq!(names, ["000000100", "000000200.aside0"]);
    assert_eq!(Checkpoint::read(folder.path()).unwrap().steps, 100);
}

#[test]
fn another_scene_and_another_number_of_actors_are_refused() {
    let checkpoint = trained(&common::small(), 100).checkpoint().unwrap();
    let mut other = checkpoint.clone();
    other.provenance.scene = "0123456789abcdef".into();
    let message = Trainer::from_checkpoint(&other).err().unwrap().to_string();
    assert!(
        message.contains("was written with scene 0123456789ab instead of"),
        "{message}"
    );

    let config = TrainConfig {
        actors: 4,
        ..checkpoint.config.clone()
    };
    let message = Trainer::from_checkpoint(&Checkpoint {
        config,
        ..checkpoint
    })
    .err()
    .unwrap()
    .to_string();
    assert!(message.contains("holds 2 actors, not 4"), "{message}");
}
