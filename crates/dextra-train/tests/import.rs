//! Demonstrations of other programs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{fs, path::Path, sync::atomic::AtomicBool};

use dextra_data::{
    dataset::{Dataset, Origin, Start},
    foreign::{self, write_csv, write_minari},
};
use dextra_tasks::{EnvOptions, RewardKind};
use dextra_train::{RecordOptions, Trainer, import, record_dataset};

#[test]
fn dapgs_demonstrations_of_the_door_are_read_and_learnt_from() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("../shared/data/door-v0_demos.pickle");
    if !file.exists() {
        eprintln!("skipped: {} is not here", file.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    let dataset = import(&file, "door", &set).unwrap();
    // 6,729 steps, of which the last of each episode has no observation after it.
    assert_eq!((dataset.len(), dataset.steps()), (25, 6_729 - 25));
    assert_eq!(
        dataset
            .check()
            .iter()
            .filter(|finding| finding.fatal)
            .count(),
        0
    );
    let from = "DAPG (door-v0_demos.pickle)".to_owned();
    assert_eq!(dataset.header().origin, Origin::Imported { from });
    let first = dataset.read(0).unwrap();
    assert_eq!((first.start, first.episode.len()), (Start::Elsewhere, 299));
    let actions = first.episode.transitions.iter().flat_map(|t| &t.action);
    assert!(
        actions.clone().any(|a| a.abs() == 1.0),
        "what lay outside is clipped"
    );
    // The dense reward pays 10 while the door is open beyond 1.35 rad: success told by other means.
    for index in 0..dataset.len() {
        let recording = dataset.read(index).unwrap();
        let told = recording
            .step_success
            .iter()
            .filter(|&&solved| solved)
            .count();
        let paid = recording
            .episode
            .transitions
            .iter()
            .filter(|t| t.reward > 17.0);
        assert!(
            told.abs_diff(paid.count()) <= 1,
            "episode {index}: {told} steps"
        );
    }
    let successes = dataset.episodes().filter(|episode| episode.success).count();
    // Most of the recordings end before the door has stood open for ten steps.
    assert_eq!(successes, 6);
    let mut config = common::small();
    config.learn_from(&set.display().to_string(), successes);
    for reward in [RewardKind::Sparse, RewardKind::Dense] {
        config.reward = reward;
        Trainer::new(config.clone()).unwrap();
    }
    let error = import(&file, "hammer", &folder.path().join("no"))
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("39 observed values"), "{error}");
    assert!(!folder.path().join("no").exists());
}

#[test]
fn what_is_exported_is_imported_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let options = RecordOptions {
        episodes: 2,
        seed: 4,
        successes_only: false,
    };
    let dense = EnvOptions {
        reward: RewardKind::Dense,
        ..EnvOptions::default()
    };
    let cancel = AtomicBool::new(false);
    let (dataset, _) = record_dataset(
        &path("set"),
        "door",
        &dense,
        "expert",
        &options,
        &cancel,
        |_, _| {},
    )
    .unwrap();
    write_minari(&dataset, &path("minari")).unwrap();
    let again = import(&path("minari"), "door", &path("again")).unwrap();
    assert_eq!(again.len(), 2);
    for index in 0..2 {
        let (mut ours, theirs) = (dataset.read(index).unwrap(), again.read(index).unwrap());
        assert_eq!(ours.step_success, theirs.step_success);
        for transition in &mut ours.episode.transitions {
            transition.source = dextra_data::Source::Demonstration;
        }
        ours.episode.success = theirs.episode.success;
        assert_eq!(ours.episode, theirs.episode);
    }
    write_csv(&dataset, &path("set.csv")).unwrap();
    let mut table = csv::Reader::from_path(path("set.csv")).unwrap();
    assert_eq!(table.headers().unwrap().len(), 3 + 39 + 28 + 3);
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), dataset.steps());
    let again = import(&path("set.csv"), "door", &path("of-table")).unwrap();
    let (ours, theirs) = (dataset.read(1).unwrap(), again.read(1).unwrap());
    // Where the last action led is not in the table.
    let steps = theirs.episode.len();
    assert_eq!(steps, ours.episode.len() - 1);
    assert_eq!(theirs.episode.final_obs, ours.episode.obs(steps));
    assert_eq!(
        theirs.episode.transitions[7].action,
        ours.episode.transitions[7].action
    );
    let reward: f32 = rows[5][3 + 39 + 28].parse().unwrap();
    assert_eq!(
        reward,
        dataset.read(0).unwrap().episode.transitions[5].reward
    );

    // A folder that is there is left alone.
    let error = write_minari(&dataset, &path("minari")).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
}

#[test]
fn what_is_no_demonstration_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let refused = |name: &str, part: &str| {
        let error = import(&path(name), "door", &path("out"))
            .map(|_| ())
            .unwrap_err();
        let error = error.to_string();
        assert!(error.contains(name) && error.contains(part), "{error}");
        assert!(!path("out").exists());
    };
    fs::write(
        path("code.pickle"),
        b"\x80\x03cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.",
    )
    .unwrap();
    refused("code.pickle", "wants to run `posix.system`");
    fs::write(path("short.pickle"), b"\x80\x03]").unwrap();
    refused("short.pickle", "ends too early");
    fs::write(path("empty.pickle"), b"\x80\x03].").unwrap();
    refused("empty.pickle", "holds no episodes");
    fs::write(path("words.txt"), b"words").unwrap();
    refused("words.txt", "neither");
    refused("gone.pickle", "No such file");
    fs::create_dir_all(path("hdf5/data")).unwrap();
    refused("hdf5", "data/metadata.json");
    fs::write(
        path("hdf5/data/metadata.json"),
        br#"{"data_format": "hdf5"}"#,
    )
    .unwrap();
    // With the feature it is missed, without it nothing reads it.
    refused("hdf5", "main_data.hdf5");
    fs::write(
        path("hdf5/data/metadata.json"),
        br#"{"data_format": "arrow"}"#,
    )
    .unwrap();
    refused("hdf5", "stored as arrow");
    fs::write(path("table.csv"), "episode,reward\n0,1\n").unwrap();
    refused("table.csv", "no columns `observation[0]`");
    let many = br#"{"data_format": "parquet", "total_episodes": 99999999999}"#;
    fs::write(path("hdf5/data/metadata.json"), many).unwrap();
    refused("hdf5", "part-0.parquet");
    assert!(foreign::read(&path("hdf5")).is_err());
    assert!(Dataset::open(&path("hdf5")).is_err());
}
