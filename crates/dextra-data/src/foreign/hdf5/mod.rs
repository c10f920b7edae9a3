//! HDF5 files of demonstrations: D4RL's, robomimic's, Minari's.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use hdf5_pure::File;

use super::Trajectory;
use crate::dataset::{DatasetError, files};

pub use write::{write_d4rl, write_minari_hdf5, write_robomimic};

/// The episodes of a file, and whose kind of file it is.
pub(super) fn read(path: &Path) -> Result<(Vec<Trajectory>, &'static str), DatasetError> {
    let bytes = files::read(path)?;
    read_bytes(bytes).map_err(|reason| DatasetError::Unusable {
        path: path.to_owned(),
        reason: format!("cannot be used: {reason}"),
    })
}

fn read_bytes(bytes: Vec<u8>) -> Result<(Vec<Trajectory>, &'static str), String> {
    // A file that contradicts itself is no more than another damaged file.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let file = File::from_bytes(bytes).map_err(|error| format!("it is no HDF5: {error}"))?;
        read::episodes(&file.root())
    }));
    read.unwrap_or_else(|_| Err("it contradicts itself".into()))
}
