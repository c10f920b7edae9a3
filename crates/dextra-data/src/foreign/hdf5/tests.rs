#![allow(clippy::unwrap_used)]
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::dataset::{
    Dataset, Recording,
    tests::{mutated, recorded},
};

/// A file in the oldest of HDF5's formats, without checksums: `python tests/reference/hdf5.py fixture FILE`,
/// h5py 3.16. Two episodes of 6 and 4 steps.
const OLD: &[u8] = include_bytes!("h5py.hdf5");

/// A dataset of three episodes as files of the three kinds.
fn written() -> (Vec<Recording>, Vec<(Vec<u8>, &'static str)>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let recordings = recorded(&root, 3);
    let dataset = Dataset::open(&root).unwrap();
    let path = |name: &str| folder.path().join(name);
    write_d4rl(&dataset, &path("d4rl.hdf5")).unwrap();
    write_robomimic(&dataset, &path("robomimic.hdf5")).unwrap();
    write_minari_hdf5(&dataset, &path("minari")).unwrap();
    let error = write_minari_hdf5(&dataset, &path("minari")).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    let of_folder = super::super::read(&path("minari")).unwrap();
    assert_eq!((of_folder.0.len(), of_folder.1), (3, "Minari"));
    let bytes = |name: &str| std::fs::read(path(name)).unwrap();
    let files = vec![
        (bytes("d4rl.hdf5"), "D4RL"),
        (bytes("robomimic.hdf5"), "robomimic"),
        (bytes("minari/data/main_data.hdf5"), "Minari"),
    ];
    (recordings, files)
}

#[test]
fn what_is_written_is_read() {
    let (recordings, files) = written();
    for (bytes, kind) in files {
        let (read, found) = read_bytes(bytes).unwrap();
        assert_eq!((found, read.len()), (kind, 3));
        for (trajectory, recording) in read.iter().zip(&recordings) {
            trajectory.check().unwrap();
            let episode = &recording.episode;
            for step in 0..=episode.len() {
                assert_eq!(trajectory.obs[step], episode.obs(step), "{kind}");
            }
            for (step, transition) in episode.transitions.iter().enumerate() {
                assert_eq!(trajectory.actions[step], transition.action);
                assert_eq!(trajectory.rewards[step], transition.reward);
            }
            let ended = episode.transitions.last().unwrap().terminated;
            // robomimic does not tell why an episode is over.
            assert_eq!(trajectory.terminated, ended && kind != "robomimic");
            let seed = (kind == "Minari").then_some(episode.seed);
            assert_eq!(trajectory.seed, seed);
        }
    }
}

#[test]
fn an_empty_dataset_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    recorded(&root, 0);
    let dataset = Dataset::open(&root).unwrap();
    let error = write_d4rl(&dataset, &folder.path().join("no.hdf5")).unwrap_err();
    assert!(error.to_string().contains("has no episodes"), "{error}");
    assert!(!folder.path().join("no.hdf5").exists());
}

#[test]
fn a_file_of_the_oldest_format_is_read() {
    let (read, kind) = read_bytes(OLD.to_vec()).unwrap();
    assert_eq!(kind, "D4RL");
    let steps: Vec<_> = read.iter().map(|t| t.actions.len()).collect();
    // The last action of an episode, of which the outcome is not there, is left out.
    assert_eq!(steps, [5, 3]);
    // obs[step][k] is step + k / 10, the actions minus that; the rewards count.
    assert_eq!(read[1].obs[1], [7.0, 7.1, 7.2]);
    assert_eq!(read[1].actions[1], [-7.0, -7.1]);
    assert_eq!(read[0].rewards, [0.0, 1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn no_bytes_make_the_reader_fail_otherwise_than_by_saying_so() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let (_, mut files) = written();
    files.push((OLD.to_vec(), "D4RL"));
    let mut read_well = 0;
    for (good, _) in &files {
        for _ in 0..1_000 {
            read_well += usize::from(read_bytes(mutated(good, &mut rng)).is_ok());
        }
    }
    assert!(
        read_well > 50,
        "too few mutations are readable: {read_well}"
    );
    for wrong in [&b""[..], b"words", b"\x89HDF\r\n\x1a\n"] {
        assert!(read_bytes(wrong.to_vec()).is_err());
    }
}
