//! From device events to datasets: keep, discard, retake, undo, rewind, trim.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path, sync::Arc};

use dextra_data::dataset::{Dataset, Start};
use dextra_tasks::{EnvOptions, TaskModel};
use dextra_teleop::{Button, Input, Notice, Phase, Recorder, Rig, Script};
use dextra_train::{dataset_env, replay_actions};

fn rig(task: &str) -> Arc<Rig> {
    Rig::load(&TaskModel::load(task).unwrap()).unwrap()
}

fn recorder(root: &Path, seed: u64) -> Recorder {
    Recorder::open(&rig("door"), &EnvOptions::default(), root, seed).unwrap()
}

/// What the recorder says to a script.
fn said(recorder: &mut Recorder, script: &str) -> Vec<Notice> {
    Script::parse(script).unwrap().record(recorder).unwrap()
}

fn press(name: &str) -> Input {
    Input::Press(Button::named(name).unwrap())
}

fn release(name: &str) -> Input {
    Input::Release(Button::named(name).unwrap())
}

/// Every episode of a dataset repeats here to the bit.
fn repeats(root: &Path) {
    let dataset = Dataset::open(root).unwrap();
    let mut env = dataset_env(&dataset).unwrap();
    for index in 0..dataset.len() {
        let recording = dataset.read(index).unwrap();
        let report = replay_actions(&mut env, &recording).unwrap();
        assert_eq!(report.divergence, None, "episode {index}");
        assert_eq!(report.steps, recording.episode.len());
    }
}

#[test]
fn a_success_is_kept_by_itself_and_repeats_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut recorder = recorder(&root, 18);
    let script = include_str!("scripts/door.txt");
    let notices = said(&mut recorder, script);
    let [
        Notice::Kept {
            index: 0,
            steps,
            success: true,
            ..
        },
    ] = notices[..]
    else {
        panic!("{notices:?}");
    };
    // The next episode is at its countdown.
    assert_eq!(recorder.session().take().seed(), 19);
    assert!(matches!(recorder.session().phase(), Phase::Countdown(_)));
    drop(recorder);
    let dataset = Dataset::open(&root).unwrap();
    let recording = dataset.read(0).unwrap();
    assert_eq!(recording.episode.len(), steps);
    let held = recording
        .step_success
        .iter()
        .rev()
        .take_while(|solved| **solved);
    assert_eq!(held.count(), 10);
    repeats(&root);
}

#[test]
fn keep_discard_retake_and_undo_are_keys() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut recorder = recorder(&root, 0);
    let seed = |recorder: &Recorder| recorder.session().take().seed();
    assert!(matches!(
        said(&mut recorder, "0 press Enter")[..],
        [Notice::Nothing(_)]
    ));
    let drive = "3 press W\n4 release W\n4.5 press";
    let notices = said(&mut recorder, &format!("{drive} R"));
    assert_eq!((&notices[..], seed(&recorder)), (&[Notice::Retaken][..], 0));
    recorder.input(&release("R")).unwrap();
    let notices = said(&mut recorder, &format!("{drive} Delete"));
    assert_eq!(
        (&notices[..], seed(&recorder)),
        (&[Notice::Discarded][..], 1)
    );
    recorder.input(&release("Delete")).unwrap();
    recorder.input(&release("Enter")).unwrap();
    for _ in 0..2 {
        let notices = said(&mut recorder, &format!("{drive} Enter"));
        assert!(
            matches!(notices[..], [Notice::Kept { success: false, .. }]),
            "{notices:?}"
        );
        recorder.input(&release("Enter")).unwrap();
    }
    assert_eq!((recorder.episodes(), recorder.counts()), (2, [2, 2]));
    let notices = said(&mut recorder, "0 press Backspace");
    assert_eq!(
        (&notices[..], seed(&recorder)),
        (&[Notice::Undone(1)][..], 2)
    );
    assert_eq!(recorder.episodes(), 1);
    drop(recorder);
    let seeds: Vec<u64> = Dataset::open(&root)
        .unwrap()
        .episodes()
        .map(|e| e.seed)
        .collect();
    assert_eq!(seeds, [1]);
    // Whoever goes on later gets the episodes that are missing.
    let again = self::recorder(&root, 0);
    assert_eq!((seed(&again), again.counts()), (0, [0, 0]));
    drop(again);
    assert_eq!(self::recorder(&root, 1).session().take().seed(), 2);
}

#[test]
fn idle_heads_and_tails_are_cut_off_and_what_is_left_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut recorder = recorder(&root, 0);
    // At an eighth of the speed a control step takes 0.08 s: 25 idle steps, 25 busy, 12 idle.
    let notices = said(&mut recorder, "5 press W\n7 release W\n7.92 press Enter");
    let [Notice::Kept { steps, trimmed, .. }] = notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!((steps, trimmed), (25, [25, 12]));
    assert!(
        notices[0].to_string().contains("trimmed 25"),
        "{}",
        notices[0]
    );
    drop(recorder);
    let recording = Dataset::open(&root).unwrap().read(0).unwrap();
    assert_eq!(recording.start, Start::Snapshot);
    repeats(&root);
}

#[test]
fn a_rewound_take_is_spliced_and_repeats_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut recorder = recorder(&root, 0);
    recorder.input(&press("W")).unwrap();
    let until = |recorder: &mut Recorder, steps: usize| {
        while recorder.session().take().len() < steps {
            recorder.tick().unwrap();
        }
    };
    until(&mut recorder, 40);
    let at_40 = recorder.session().env().sim().qpos().to_vec();
    let target_at_40 = recorder.session().driver().target();
    until(&mut recorder, 100);
    recorder.input(&release("W")).unwrap();
    recorder.input(&press("Left")).unwrap();
    // Back through several kept snapshots, a step a tick.
    while *recorder.session().phase() != Phase::Rewinding(40) {
        recorder.tick().unwrap();
    }
    assert_eq!(recorder.session().env().sim().qpos(), at_40);
    assert_eq!(recorder.session().driver().target(), target_at_40);
    recorder.input(&release("Left")).unwrap();
    recorder.tick().unwrap();
    assert_eq!(*recorder.session().phase(), Phase::Driving);
    assert_eq!(recorder.session().take().len(), 40);
    // The old take is still there to be seen.
    assert_eq!(recorder.session().take().replaced(40).unwrap(), at_40);
    assert!(recorder.session().take().replaced(99).is_some());
    assert!(recorder.session().take().replaced(100).is_none());
    recorder.input(&press("E")).unwrap();
    until(&mut recorder, 60);
    let notice = recorder.input(&press("Enter")).unwrap();
    assert!(
        matches!(notice, Some(Notice::Kept { steps: 60, .. })),
        "{notice:?}"
    );
    drop(recorder);
    let recording = Dataset::open(&root).unwrap().read(0).unwrap();
    assert_eq!(recording.splices, [40]);
    repeats(&root);
}

#[test]
fn thirty_seconds_can_be_rewound() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = recorder(&folder.path().join("set"), 0);
    while recorder.session().take().len() < 3000 {
        recorder.tick().unwrap();
    }
    recorder.input(&press("Left")).unwrap();
    let mut ticks = 0;
    while *recorder.session().phase() != Phase::Rewinding(0) {
        recorder.tick().unwrap();
        ticks += 1;
    }
    assert_eq!(ticks, 3000);
    assert!(
        recorder
            .session()
            .env()
            .sim()
            .qpos()
            .iter()
            .all(|q| *q == 0.0)
    );
}

#[test]
fn what_was_assisted_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut recorder = recorder(&root, 0);
    // The wrist is held still for 12 control steps in the middle.
    let script = "3 press W\n5 press H\n5.96 release H\n8 press Enter";
    assert!(matches!(
        said(&mut recorder, script)[..],
        [Notice::Kept { .. }]
    ));
    drop(recorder);
    let recording = Dataset::open(&root).unwrap().read(0).unwrap();
    assert_eq!(recording.assisted, [[25, 37]]);
}

#[test]
fn a_take_that_the_disk_refuses_can_be_kept_once_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut recorder = recorder(&root, 0);
    // A file where the data's folder should be.
    fs::write(root.join("data"), "").unwrap();
    let script = Script::parse("3 press W\n4 release W\n4.5 press Enter").unwrap();
    let message = script.record(&mut recorder).unwrap_err().to_string();
    assert!(message.contains("data"), "{message}");
    fs::remove_file(root.join("data")).unwrap();
    recorder.input(&release("Enter")).unwrap();
    let notice = recorder.input(&press("Enter")).unwrap();
    assert!(
        matches!(notice, Some(Notice::Kept { index: 0, .. })),
        "{notice:?}"
    );
    repeats(&root);
}
