//! The state of a simulation as a value.

use serde::{Deserialize, Serialize};

use crate::{drive::DriveState, pose::Pose, split::WeldState, world::World};

/// Everything that changes in a [`crate::Sim`]. A simulation restored from it continues to the
/// same bits, in this process or, through serde, in another one.
///
/// It belongs to the model whose [`crate::Model::hash`] it carries.
#[derive(Clone, Serialize, Deserialize)]
pub struct Snapshot {
    pub(crate) model_hash: String,
    pub(crate) state: State,
}

impl Snapshot {
    /// The hash of the model that the snapshot belongs to.
    pub fn model_hash(&self) -> &str {
        &self.model_hash
    }

    /// Simulated time, seconds.
    pub fn time_secs(&self) -> f64 {
        self.state.time_secs
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("model_hash", &self.model_hash)
            .field("time_secs", &self.state.time_secs)
            .finish_non_exhaustive()
    }
}

/// The changing part of a simulation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct State {
    pub world: World,
    pub drive: DriveState,
    pub welds: Vec<WeldState>,
    /// Pose of every body in its parent; only those that nothing moves may differ from the model's.
    pub body_poses: Vec<Pose>,
    pub qpos: Vec<f64>,
    pub qvel: Vec<f64>,
    pub time_secs: f64,
    pub finite: bool,
}

impl State {
    /// As `clone`, reusing the memory of `self`.
    pub(crate) fn assign(&mut self, other: &State) {
        self.world.assign(&other.world);
        self.drive.clone_from(&other.drive);
        self.welds.clone_from(&other.welds);
        self.body_poses.clone_from(&other.body_poses);
        self.qpos.clone_from(&other.qpos);
        self.qvel.clone_from(&other.qvel);
        (self.time_secs, self.finite) = (other.time_secs, other.finite);
    }
}
