#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::{collections::BTreeMap, fs};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{Episode, Source, Transition};

const OBS: usize = 5;
const ACTION: usize = 3;
const STATE: [usize; 2] = [4, 3];

fn header() -> Header {
    Header {
        task: "door".into(),
        instruction: "open the door".into(),
        origin: Origin::Simulated {
            rapier: "1.2.3".into(),
            scene: "abc".into(),
        },
        options: serde_json::json!({ "reward": "sparse" }),
        fps: 100,
        obs_dim: OBS,
        actuators: ["a", "b", "c"].map(str::to_owned).to_vec(),
        action_scale: vec![[0.0, 1.0]; ACTION],
        state_dims: STATE,
    }
}

/// An episode of random numbers.
fn recording(seed: u64, steps: usize) -> Recording {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut floats =
        |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
    let transitions = (0..steps)
        .map(|step| Transition {
            obs: floats(OBS),
            action: floats(ACTION),
            expert_action: None,
            reward: step as f32 - 0.1,
            terminated: seed.is_multiple_of(2) && step + 1 == steps,
            source: if step < 2 {
                Source::Human
            } else {
                Source::Expert
            },
        })
        .collect();
    let final_obs = floats(OBS);
    let mut doubles =
        |n: usize| -> Vec<f64> { (0..n).map(|_| rng.random_range(-3.0..3.0)).collect() };
    Recording {
        episode: Episode {
            transitions,
            final_obs,
            seed,
            success: true,
        },
        step_success: (0..steps).map(|step| step + 3 >= steps).collect(),
        states: Some(States {
            qpos: doubles((steps + 1) * STATE[0]),
            qvel: doubles((steps + 1) * STATE[1]),
            time_secs: doubles(steps + 1),
        }),
        start: Start::Reset,
        snapshot: None,
        splices: vec![1],
        assisted: vec![[0, 2]],
        trimmed: [0, 0],
    }
}

pub(crate) fn recorded(root: &Path, episodes: u64) -> Vec<Recording> {
    let recordings: Vec<_> = (0..episodes)
        .map(|seed| recording(u64::MAX - seed, 4 + seed as usize))
        .collect();
    let mut dataset = Dataset::create(root, header()).unwrap();
    for recording in &recordings {
        dataset.append(recording).unwrap();
    }
    recordings
}

fn all(dataset: &Dataset) -> Vec<Recording> {
    (0..dataset.len())
        .map(|index| dataset.read(index).unwrap())
        .collect()
}

/// Every file below a folder with its bytes.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn episodes_come_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut recordings = recorded(&root, 3);
    let late = recordings[2].cut(2..5, Some(vec![1, 2, 3])).unwrap();
    Dataset::open_to_write(&root)
        .unwrap()
        .append(&late)
        .unwrap();
    recordings.push(late);
    let dataset = Dataset::open(&root).unwrap();
    assert_eq!(dataset.repairs(), [""; 0]);
    assert_eq!(dataset.steps(), 4 + 5 + 6 + 3);
    assert_eq!(all(&dataset), recordings);
    let infos: Vec<_> = dataset.episodes().cloned().collect();
    assert_eq!(
        infos,
        recordings.iter().map(Recording::info).collect::<Vec<_>>()
    );
    assert_eq!(infos[3].start, Start::Snapshot);
    assert_eq!(infos[3].trimmed, [2, 1]);
    assert_eq!(infos[0].sources, [Source::Human, Source::Expert]);
    let findings = dataset.check();
    assert!(findings.len() == 1 && !findings[0].fatal, "{findings:?}");
    assert!(findings[0].message.contains("seed of another"));
}

/// What a kill can leave: any part of the last episode's files but the data file, and half-written ones.
#[test]
fn whatever_a_kill_leaves_the_kept_episodes_are_mended() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let recordings = recorded(&whole, 3);
    let fewer = folder.path().join("fewer");
    recorded(&fewer, 2);
    let (complete, before) = (files(&whole), files(&fewer));
    let relative: Vec<PathBuf> = complete
        .keys()
        .map(|path| path.strip_prefix(&whole).unwrap().to_owned())
        .collect();
    // The order in which an append touches files.
    let order = [
        "data/chunk-000/file-002.parquet",
        "meta/episodes/chunk-000/file-002.parquet",
        "meta/episodes.jsonl",
        "meta/stats.json",
        "meta/info.json",
    ];
    for written in 0..=order.len() {
        for half in [false, true] {
            let root = folder.path().join(format!("killed-{written}-{half}"));
            for path in &relative {
                let late = order.iter().position(|name| Path::new(name) == path);
                let bytes = match late {
                    Some(place) if place >= written => before.get(&fewer.join(path)),
                    _ => complete.get(&whole.join(path)),
                };
                if let Some(bytes) = bytes {
                    fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
                    fs::write(root.join(path), bytes).unwrap();
                }
            }
            if let Some(next) = order.get(written).filter(|_| half) {
                let bytes = &complete[&whole.join(next)];
                if *next == "meta/episodes.jsonl" {
                    fs::write(root.join(next), &bytes[..bytes.len() - 20]).unwrap();
                } else {
                    let path = root.join(next).with_extension("writing");
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
                }
            }
            let dataset = Dataset::open(&root).unwrap();
            let kept = if written == 0 { 2 } else { 3 };
            assert_eq!(all(&dataset), recordings[..kept], "{written} {half}");
            let complained = !dataset.repairs().is_empty();
            let disturbed = half && written < order.len() || (1..order.len()).contains(&written);
            assert_eq!(
                complained,
                disturbed,
                "{written} {half}: {:?}",
                dataset.repairs()
            );
            // What was mended is what would have been written.
            if kept == 3 {
                for (path, bytes) in &complete {
                    let again = root.join(path.strip_prefix(&whole).unwrap());
                    // JSON rounds the last bit of a statistic that was read and added to.
                    let same = fs::read(again).unwrap() == *bytes;
                    assert!(
                        same || path.ends_with("stats.json"),
                        "{written} {half} {path:?}"
                    );
                }
                let mean = |root: &Path| lerobot::read_stats(root).unwrap()["action"].mean[0];
                assert!((mean(&root) - mean(&whole)).abs() < 1e-12);
            }
            assert_eq!(Dataset::open(&root).unwrap().repairs(), [""; 0]);
        }
    }
}

#[test]
fn an_interrupted_creation_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 0);
    fs::remove_file(root.join("meta/dextra.json")).unwrap();
    let mut dataset = Dataset::append_to(&root, header()).unwrap();
    dataset.append(&recording(1, 3)).unwrap();
    assert_eq!(dataset.len(), 1);
    // A folder of someone else's stays as it is.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.tex"), "words").unwrap();
    let error = Dataset::append_to(&other, header())
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("is not empty"), "{error}");
    assert_eq!(files(&other).len(), 1);
}

#[test]
fn one_writes_while_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut writer = Dataset::create(&root, header()).unwrap();
    writer.append(&recording(1, 3)).unwrap();
    let mut reader = Dataset::open(&root).unwrap();
    assert_eq!(reader.len(), 1);
    let error = reader.append(&recording(2, 3)).unwrap_err().to_string();
    assert!(error.contains("opened to be read"), "{error}");
    let error = Dataset::open_to_write(&root).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("is being written"), "{error}");
    let mut other = header();
    other.task = "pen".into();
    drop(writer);
    let error = Dataset::append_to(&root, other).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("another task"), "{error}");
}

#[test]
fn what_is_no_episode_of_this_task_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut dataset = Dataset::create(&root, header()).unwrap();
    let mut refused = |part: &str, change: &dyn Fn(&mut Recording)| {
        let mut recording = recording(5, 4);
        change(&mut recording);
        let error = dataset.append(&recording).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("seed 5"), "{error}");
    };
    refused("no steps", &|r| r.episode.transitions.clear());
    refused("action of step 2 is outside", &|r| {
        r.episode.transitions[2].action[0] = 1.1
    });
    refused("action of step 2 is outside", &|r| {
        r.episode.transitions[2].action[0] = f32::NAN
    });
    refused("observation of step 4 is not finite", &|r| {
        r.episode.final_obs[0] = f32::NAN
    });
    refused("6 values", &|r| r.episode.transitions[1].obs.push(0.0));
    refused("qvel of step 1", &|r| {
        r.states.as_mut().unwrap().qvel[4] = f64::INFINITY
    });
    refused("qpos has 0", &|r| r.states = None);
    refused("snapshot", &|r| r.snapshot = Some(vec![]));
    assert_eq!(Dataset::open(&root).unwrap().len(), 0);
}

#[test]
fn episodes_are_deleted_replaced_split_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let recordings = recorded(&root, 5);
    delete(&root, &[1, 3]).unwrap();
    let kept = [0, 2, 4].map(|i| recordings[i].clone());
    assert_eq!(all(&Dataset::open(&root).unwrap()), kept);
    let short = recordings[2].cut(0..2, None).unwrap();
    replace(&root, 1, &short).unwrap();
    let changed = [kept[0].clone(), short, kept[2].clone()];
    let dataset = Dataset::open(&root).unwrap();
    assert_eq!(all(&dataset), changed);
    assert_eq!(dataset.check(), []);
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    split(&root, 1, &first, &second).unwrap();
    assert_eq!(all(&Dataset::open(&second).unwrap()), changed[1..]);
    let merged = folder.path().join("merged");
    merge(&[&second, &first], &merged).unwrap();
    let dataset = Dataset::open(&merged).unwrap();
    let turned = [changed[1].clone(), changed[2].clone(), changed[0].clone()];
    assert_eq!((all(&dataset), dataset.check()), (turned.to_vec(), vec![]));
    // Nothing but the four folders is left.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);

    let error = delete(&root, &[7]).unwrap_err().to_string();
    assert!(error.contains("no episode 7: it has 3"), "{error}");
    assert_eq!(all(&Dataset::open(&root).unwrap()), changed);
}

#[test]
fn an_edit_that_was_killed_between_its_two_renames_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let recordings = recorded(&root, 2);
    fs::rename(&root, folder.path().join(".set.before-edit")).unwrap();
    assert_eq!(all(&Dataset::open(&root).unwrap()), recordings);
}

#[test]
fn damage_is_named_and_can_be_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let recordings = recorded(&root, 3);
    let path = root.join("data/chunk-000/file-001.parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let dataset = Dataset::open(&root).unwrap();
    let error = dataset.read(1).unwrap_err().to_string();
    assert!(
        error.contains("file-001.parquet is damaged") && error.contains("delete"),
        "{error}"
    );
    let findings = dataset.check();
    assert_eq!(findings.len(), 1);
    assert!(findings[0].fatal && findings[0].episode == Some(1));
    fs::remove_file(&path).unwrap();
    let error = dataset.read(1).unwrap_err().to_string();
    assert!(error.contains("is missing"), "{error}");
    drop(dataset);
    delete(&root, &[1]).unwrap();
    let kept = [recordings[0].clone(), recordings[2].clone()];
    assert_eq!(all(&Dataset::open(&root).unwrap()), kept);
}

#[test]
fn foreign_and_later_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let message = |root: &Path| Dataset::open(root).map(|_| ()).unwrap_err().to_string();
    assert!(message(folder.path()).contains("no meta/dextra.json"));
    let root = folder.path().join("set");
    recorded(&root, 1);
    let path = root.join("meta/dextra.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    assert!(message(&root).contains("later Dextra (layout 2, this one reads 1)"));
    fs::write(
        &path,
        text.replace("\"obs_dim\": 5", "\"obs_dim\": 99999999"),
    )
    .unwrap();
    assert!(message(&root).contains("senseless lengths"));
    fs::write(&path, "[]").unwrap();
    assert!(message(&root).contains("foreign or damaged"));
}

/// Whatever bytes stand in a file, reading ends with an answer.
#[test]
fn no_bytes_make_a_reader_panic() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 2);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut read = 0;
    // Parquet by itself: no hash stands before it.
    for name in ["data/chunk-000/file-001.parquet", "meta/tasks.parquet"] {
        let good = fs::read(root.join(name)).unwrap();
        for _ in 0..1500 {
            let table = table::decode(mutated(&good, &mut rng));
            if let Ok((recording, _)) =
                table.and_then(|table| Recording::from_table(table, &header(), 1))
            {
                read += usize::from(recording.check(&header()).is_ok());
            }
        }
    }
    assert!(
        read > 0,
        "every mutation was noticed: the test mutates too much"
    );
    // A dataset with one file changed.
    for name in [
        "meta/dextra.json",
        "meta/episodes.jsonl",
        "meta/info.json",
        "meta/stats.json",
    ] {
        let good = fs::read(root.join(name)).unwrap();
        for _ in 0..60 {
            fs::write(root.join(name), mutated(&good, &mut rng)).unwrap();
            if let Ok(dataset) = Dataset::open(&root) {
                for index in 0..dataset.len().min(3) {
                    let _ = dataset.read(index);
                }
            }
            fs::write(root.join(name), &good).unwrap();
            Dataset::open(&root).unwrap();
        }
    }
}

/// Bytes with some flipped, some cut out, or the end lost.
pub(crate) fn mutated(good: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    match rng.random_range(0..4) {
        0 => bytes.truncate(rng.random_range(0..good.len())),
        1 => {
            let from = rng.random_range(0..good.len());
            let to = (from + rng.random_range(1..16)).min(good.len());
            bytes.drain(from..to);
        }
        _ => {
            for _ in 0..rng.random_range(1..4) {
                let place = rng.random_range(0..good.len());
                bytes[place] = rng.random();
            }
        }
    }
    bytes
}

#[test]
fn thousands_of_episodes_are_listed_without_reading_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 1);
    // The list alone says what there is: no data file is looked at.
    let line = fs::read_to_string(root.join("meta/episodes.jsonl")).unwrap();
    fs::write(root.join("meta/episodes.jsonl"), line.repeat(10_000)).unwrap();
    fs::remove_dir_all(root.join("data")).unwrap();
    let _writer = lock(&root).unwrap();
    let dataset = Dataset::open(&root).unwrap();
    assert_eq!((dataset.len(), dataset.steps()), (10_000, 40_000));
}

#[test]
fn edits_are_taken_back_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let recordings = recorded(&root, 4);
    let before = files(&root);
    let mut history = EditHistory::new(&root);
    assert!(!history.undo().unwrap(), "there was nothing to take back");
    history.delete(&[1]).unwrap();
    let short = recordings[2].cut(1..4, Some(vec![7])).unwrap();
    history.replace(1, &short).unwrap();
    let edited = [recordings[0].clone(), short, recordings[3].clone()];
    assert_eq!(all(&Dataset::open(&root).unwrap()), edited);
    assert_eq!(history.len(), 2);
    // A second history does not remove what the first one keeps.
    let second = EditHistory::new(&root);
    assert!(history.undo().unwrap() && history.undo().unwrap());
    drop(second);
    assert_eq!(files(&root), before);
    assert!(!history.undo().unwrap());

    // What could not be done leaves nothing to take back.
    assert!(history.delete(&[9]).is_err());
    assert!(history.is_empty());
    history.delete(&[0, 1, 2, 3]).unwrap();
    assert!(Dataset::open(&root).unwrap().is_empty());
    assert!(history.undo().unwrap());
    assert_eq!(files(&root), before);
    history.delete(&[3]).unwrap();
    drop(history);
    assert_eq!(all(&Dataset::open(&root).unwrap()), recordings[..3]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_edit_is_not_taken_back_over_what_was_recorded_since() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 2);
    let mut history = EditHistory::new(&root);
    history.delete(&[0]).unwrap();
    let mut writer = Dataset::open_to_write(&root).unwrap();
    let error = history.undo().unwrap_err().to_string();
    assert!(error.contains("is being written"), "{error}");
    writer.append(&recording(9, 3)).unwrap();
    drop(writer);
    let error = history.undo().unwrap_err().to_string();
    assert!(error.contains("has changed since"), "{error}");
    assert_eq!(Dataset::open(&root).unwrap().len(), 2);
}

#[test]
fn what_a_killed_history_has_left_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 2);
    let left = folder.path().join(".set.undo-0");
    recorded(&left, 1);
    drop(EditHistory::new(&root));
    assert!(!left.exists() && root.exists());
}

/// Between two renames of an undo there is no dataset: whoever opens it finishes the undo.
#[test]
fn an_undo_that_was_killed_between_its_renames_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let recordings = recorded(&root, 3);
    let mut history = EditHistory::new(&root);
    history.delete(&[0]).unwrap();
    fs::rename(
        folder.path().join(".set.undo-0"),
        folder.path().join(".set.before-edit"),
    )
    .unwrap();
    fs::rename(&root, folder.path().join(".set.edit")).unwrap();
    assert_eq!(all(&Dataset::open(&root).unwrap()), recordings);
}
