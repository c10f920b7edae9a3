//! Demonstrations that other programs wrote: DAPG's pickles, Minari's datasets, and with the feature `hdf5`
//! D4RL's and robomimic's files; and datasets written as others read them.

mod csv;
mod dapg;
#[cfg(feature = "hdf5")]
mod hdf5;
mod minari;
mod pickle;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::dataset::DatasetError;

pub use csv::write_csv;
#[cfg(feature = "hdf5")]
pub use hdf5::{write_d4rl, write_minari_hdf5, write_robomimic};
pub use minari::write_minari;

/// An episode of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectory {
    /// Observation before every action, and the last one.
    pub obs: Vec<Vec<f32>>,
    /// The actions, as they stand in the file.
    pub actions: Vec<Vec<f32>>,
    /// The reward of every action.
    pub rewards: Vec<f32>,
    /// Whether the task itself ended with the last action.
    pub terminated: bool,
    /// The seed of the reset, where one is known.
    pub seed: Option<u64>,
}

impl Trajectory {
    /// Why it is no episode.
    fn check(&self) -> Result<(), String> {
        let steps = self.actions.len();
        if steps == 0 {
            return Err("it has no steps".into());
        }
        if self.obs.len() != steps + 1 || self.rewards.len() != steps {
            return Err("it has not as many observations and rewards as actions".into());
        }
        let finite = |row: &Vec<f32>| row.iter().all(|x| x.is_finite());
        if !self.obs.iter().chain(&self.actions).all(finite) || !finite(&self.rewards) {
            return Err("it has numbers that are not finite".into());
        }
        Ok(())
    }
}

/// What a build without the feature `hdf5` lacks.
#[cfg(not(feature = "hdf5"))]
pub const NO_HDF5: &str =
    "needs HDF5, which this build lacks: build it with `cargo build --release --features hdf5`";

/// Reads the episodes of a DAPG pickle (`.pickle`, `.pkl`), of an HDF5 file (`.hdf5`, `.h5`) of D4RL's or
/// robomimic's, of a table as [`write_csv`] writes (`.csv`), or of a Minari dataset's folder, and says what it
/// was.
///
/// # Errors
/// When it is none of them, or damaged; of HDF5 without the feature `hdf5`.
pub fn read(path: &Path) -> Result<(Vec<Trajectory>, &'static str), DatasetError> {
    let unusable = |reason: String| DatasetError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let kind = path.extension().and_then(|kind| kind.to_str());
    let (trajectories, what) = if path.is_dir() {
        (minari::read(path)?, "Minari")
    } else if matches!(kind, Some("pickle" | "pkl")) {
        let bytes = crate::dataset::files::read(path)?;
        let read = dapg::read(&bytes);
        let read = read.map_err(|reason| unusable(format!("is no DAPG pickle: {reason}")))?;
        (read, "DAPG")
    } else if matches!(kind, Some("hdf5" | "h5")) && path.exists() {
        read_hdf5(path)?
    } else if kind == Some("csv") {
        let bytes = crate::dataset::files::read(path)?;
        let read = csv::read(&bytes);
        let read = read.map_err(|reason| unusable(format!("is no table of episodes: {reason}")))?;
        (read, "CSV")
    } else if path.exists() {
        let reason = "is neither a .pickle file of DAPG's, an .hdf5 or .csv file nor the folder of a Minari dataset";
        return Err(unusable(reason.into()));
    } else {
        return Err(unusable("does not exist".into()));
    };
    if trajectories.is_empty() {
        return Err(unusable("holds no episodes".into()));
    }
    for (index, trajectory) in trajectories.iter().enumerate() {
        let checked = trajectory.check();
        checked.map_err(|reason| unusable(format!("cannot be used: episode {index}: {reason}")))?;
    }
    Ok((trajectories, what))
}

#[cfg(feature = "hdf5")]
use hdf5::read as read_hdf5;

#[cfg(not(feature = "hdf5"))]
fn read_hdf5(path: &Path) -> Result<(Vec<Trajectory>, &'static str), DatasetError> {
    Err(DatasetError::Unusable {
        path: path.to_owned(),
        reason: NO_HDF5.into(),
    })
}
