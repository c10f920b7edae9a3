//! Demonstrations that other programs wrote: DAPG's pickles and Minari's datasets; and datasets written as
//! others read them.

mod csv;
mod dapg;
mod minari;
mod pickle;

use std::path::Path;

use crate::dataset::DatasetError;

pub use csv::write_csv;
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

/// Reads the episodes of a DAPG pickle (`.pickle`, `.pkl`) or of a Minari dataset's folder, and says what
/// it was.
///
/// # Errors
/// When it is neither, or damaged.
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
    } else if path.exists() {
        let reason = "is neither a .pickle file of DAPG's nor the folder of a Minari dataset";
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
