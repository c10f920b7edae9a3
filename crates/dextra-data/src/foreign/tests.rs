#![allow(clippy::unwrap_used)]
use std::fs;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::dataset::{
    Dataset,
    tests::{mutated, recorded},
};

/// Whatever bytes stand in a file of a Minari dataset, reading ends with an answer.
#[test]
fn no_bytes_of_a_minari_dataset_make_the_reader_panic() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (folder.path().join("set"), folder.path().join("minari"));
    recorded(&root, 2);
    write_minari(&Dataset::open(&root).unwrap(), &out).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut read_well = 0;
    for name in [
        "data/metadata.json",
        "data/0/metadata.json",
        "data/1/part-0.parquet",
    ] {
        let good = fs::read(out.join(name)).unwrap();
        for _ in 0..500 {
            fs::write(out.join(name), mutated(&good, &mut rng)).unwrap();
            match read(&out) {
                Ok((trajectories, _)) => {
                    read_well += 1;
                    assert!(
                        trajectories
                            .iter()
                            .all(|trajectory| trajectory.check().is_ok())
                    );
                }
                Err(error) => assert!(error.to_string().contains("minari"), "{error}"),
            }
        }
        fs::write(out.join(name), &good).unwrap();
    }
    assert!(
        read_well > 50,
        "too few mutations are readable: {read_well}"
    );
    assert_eq!(read(&out).unwrap().0.len(), 2);
}

#[cfg(not(feature = "hdf5"))]
#[test]
fn without_hdf5_the_message_says_what_to_build() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demos.hdf5");
    fs::write(&path, "").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(
        error.contains("demos.hdf5") && error.contains("--features hdf5"),
        "{error}"
    );
}
