#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::{sync::atomic::AtomicBool, time::Duration};

use dextra_tasks::EnvOptions;
use dextra_train::{RecordOptions, record_dataset};

use super::*;

/// The next thing said that `pick` knows.
fn wait<T>(worker: &Worker, pick: impl Fn(Told) -> Option<T>) -> T {
    loop {
        let told = worker.told.recv_timeout(Duration::from_secs(60));
        if let Some(found) = pick(told.expect("it says something")) {
            return found;
        }
    }
}

fn listed(worker: &Worker) -> (Listing, usize) {
    wait(worker, |told| match told {
        Told::Listed(listing, chosen) => Some((listing, chosen)),
        _ => None,
    })
}

fn done(worker: &Worker) -> String {
    wait(worker, |told| match told {
        Told::Done(text) => Some(text),
        _ => None,
    })
}

fn played(worker: &Worker) -> Played {
    wait(worker, |told| match told {
        Told::Played(played) => Some(played),
        Told::Hidden(_, why) => panic!("{why}"),
        _ => None,
    })
}

#[test]
fn episodes_are_shown_trimmed_deleted_and_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let options = RecordOptions {
        episodes: 3,
        seed: 1,
        successes_only: true,
    };
    let (env_options, cancel) = (EnvOptions::default(), AtomicBool::new(false));
    let record = record_dataset(
        &root,
        "door",
        &env_options,
        "expert",
        &options,
        &cancel,
        |_, _| {},
    );
    let (dataset, _) = record.unwrap();
    let before: Vec<_> = (0..3).map(|index| dataset.read(index).unwrap()).collect();
    drop(dataset);

    let worker = Worker::start(root.clone());
    let (listing, chosen) = listed(&worker);
    assert_eq!((listing.episodes.len(), listing.undo, chosen), (3, 0, 0));
    worker.ask(Request::Show(1));
    let shown = played(&worker);
    assert_eq!((shown.episode, shown.steps()), (1, 200));
    assert_eq!(shown.poses.len(), 201);
    // The moments are those of the recording: the hinge turns the door's body.
    let door = shown.model.body("door").unwrap();
    let (first, last) = (&shown.poses[0][door], &shown.poses[200][door]);
    assert!(first.quat != last.quat, "the door has not moved");

    worker.ask(Request::Trim(1, 10..190));
    let (listing, chosen) = listed(&worker);
    assert_eq!((listing.episodes[1].steps, chosen), (180, 1));
    assert_eq!(listing.undo, 1);
    let text = done(&worker);
    assert!(
        text.contains("the same to the bit, still a success"),
        "{text}"
    );
    worker.ask(Request::Repeat(1));
    let text = done(&worker);
    assert!(
        text.contains("same to the bit in 180 steps, success held"),
        "{text}"
    );
    // Without the steps in which the door is open it is no success.
    worker.ask(Request::Trim(2, 0..20));
    let text = done(&worker);
    assert!(text.contains("no longer a success"), "{text}");
    worker.ask(Request::Delete(0));
    let (listing, chosen) = listed(&worker);
    assert_eq!((listing.episodes.len(), listing.undo, chosen), (2, 3, 0));
    done(&worker);
    for left in [2, 1, 0] {
        worker.ask(Request::Undo);
        assert_eq!(listed(&worker).0.undo, left);
        assert_eq!(done(&worker), "The edit was taken back");
    }
    let dataset = Dataset::open(&root).unwrap();
    let after: Vec<_> = (0..3).map(|index| dataset.read(index).unwrap()).collect();
    assert_eq!(after, before);
    worker.ask(Request::Undo);
    assert_eq!(done(&worker), "No edit to take back");
    worker.ask(Request::Trim(0, 20..20));
    assert!(done(&worker).contains("are not in an episode"));
}

#[test]
fn a_folder_that_is_no_dataset_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Worker::start(folder.path().to_owned());
    let why = wait(&worker, |told| match told {
        Told::Failed(why) => Some(why),
        _ => None,
    });
    assert!(why.contains("not one of Dextra's datasets"), "{why}");
}
