//! What all episodes of a dataset have in common, and the sidecar that says it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{error::DatasetError, files};

/// Version of the layout; readers refuse a later one.
const FORMAT: u32 = 1;

/// Where the episodes come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// Dextra's own simulation.
    Simulated {
        /// Version of the physics engine.
        rapier: String,
        /// Hash of the compiled scene and its physics options.
        scene: String,
    },
    /// A file of another program.
    Imported {
        /// What it was.
        from: String,
    },
}

/// What all episodes of a dataset have in common. Two datasets with equal headers can be merged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name of the task.
    pub task: String,
    /// What the hand is to do, as a sentence.
    pub instruction: String,
    /// Where the episodes come from.
    pub origin: Origin,
    /// The environment's options, in their own words.
    pub options: serde_json::Value,
    /// Control steps per second.
    pub fps: u32,
    /// Length of an observation.
    pub obs_dim: usize,
    /// Name of every action value.
    pub actuators: Vec<String>,
    /// Middle and half of every actuator's control range: an action `a` commands
    /// `middle + half * a`.
    pub action_scale: Vec<[f32; 2]>,
    /// Lengths of `qpos` and `qvel`; both 0 where no state of a simulator is known.
    pub state_dims: [usize; 2],
}

impl Header {
    /// Length of an action.
    pub fn action_dim(&self) -> usize {
        self.actuators.len()
    }

    fn check(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}; it is foreign or damaged"));
        let dims = [self.obs_dim, self.action_dim(), 1 + self.state_dims[0]];
        if dims.iter().any(|dim| !(1..=100_000).contains(dim)) {
            return wrong("states senseless lengths");
        }
        if !(1..=100_000).contains(&self.fps) {
            return wrong("states a senseless number of steps per second");
        }
        if self.action_scale.len() != self.action_dim() {
            return wrong("has not as many action scales as actuators");
        }
        Ok(())
    }

    /// What differs between two headers, in a few words; `None` when nothing does.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let pairs = [
            ("task", self.task == other.task),
            (
                "physics version or scene, or origin",
                self.origin == other.origin,
            ),
            ("environment options", self.options == other.options),
            ("control rate", self.fps == other.fps),
        ];
        let found = pairs.iter().find(|(_, same)| !same).map(|(what, _)| *what);
        found
            .or((self != other).then_some("observation, action or state lengths"))
            .map(str::to_owned)
    }
}

#[derive(Serialize, Deserialize)]
struct Sidecar {
    format: u32,
    dextra: String,
    dataset: Header,
}

/// The sidecar of a dataset.
pub(crate) fn sidecar_path(root: &Path) -> PathBuf {
    root.join("meta/dextra.json")
}

pub(crate) fn write(root: &Path, header: &Header) -> Result<(), DatasetError> {
    let path = sidecar_path(root);
    let sidecar = Sidecar {
        format: FORMAT,
        dextra: env!("CARGO_PKG_VERSION").into(),
        dataset: header.clone(),
    };
    header
        .check()
        .map_err(|reason| DatasetError::unusable(&path, reason))?;
    files::write_whole(&path, &to_json(&path, &sidecar)?)
}

pub(crate) fn read(root: &Path) -> Result<Header, DatasetError> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let path = sidecar_path(root);
    if !path.exists() {
        let reason = "is not one of Dextra's datasets: it has no meta/dextra.json";
        return Err(DatasetError::unusable(root, reason));
    }
    let bytes = files::read(&path)?;
    let foreign = |error: serde_json::Error| {
        DatasetError::unusable(
            &path,
            format!("is not Dextra's: it is foreign or damaged ({error})"),
        )
    };
    let version: Version = serde_json::from_slice(&bytes).map_err(foreign)?;
    if version.format > FORMAT {
        let reason = format!(
            "was written by a later Dextra (layout {}, this one reads {FORMAT}): update Dextra",
            version.format
        );
        return Err(DatasetError::unusable(&path, reason));
    }
    let sidecar: Sidecar = serde_json::from_slice(&bytes).map_err(foreign)?;
    let checked = sidecar.dataset.check();
    checked.map_err(|reason| DatasetError::unusable(&path, reason))?;
    Ok(sidecar.dataset)
}

pub(crate) fn to_json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, DatasetError> {
    serde_json::to_vec_pretty(value)
        .map_err(|error| DatasetError::unusable(path, format!("has no JSON form: {error}")))
}
