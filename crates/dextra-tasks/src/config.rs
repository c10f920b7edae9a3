//! Task files: TOML in which an unknown, missing or senseless key is an error that names the file,
//! the key and what is allowed.

use std::{
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
};

use dextra_sim::{Model, PhysicsOptions, SceneError};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{TaskError, expert::ExpertConfig};

/// A task file. What differs between tasks: how they reset (`R`), the weights of the dense reward
/// (`W`) and what counts as success (`S`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskFile<R, W, S> {
    /// The scene, beside the task file.
    pub scene: PathBuf,
    /// Control steps of an episode.
    pub horizon: usize,
    /// Timesteps of a control step.
    pub frame_skip: usize,
    #[serde(default)]
    pub physics: PhysicsOptions,
    pub reset: R,
    pub reward: Rewards<W>,
    pub success: S,
    /// Absent where no expert is known.
    pub expert: Option<ExpertConfig>,
}

/// The `[reward]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rewards<W> {
    pub dense: W,
}

/// A task file and its text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    pub fn read(path: &Path) -> Result<Self, TaskError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                path: path.to_owned(),
                text,
            }),
            Err(source) => Err(TaskError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Parses, checks what all tasks have in common and loads the scene.
    pub fn parse<R, W, S>(&self) -> Result<(TaskFile<R, W, S>, Model), TaskError>
    where
        TaskFile<R, W, S>: DeserializeOwned,
    {
        let file: TaskFile<R, W, S> =
            toml::from_str(&self.text).map_err(|error| TaskError::Parse {
                path: self.path.clone(),
                message: error.to_string(),
            })?;
        self.require("horizon", file.horizon, file.horizon > 0, "at least 1")?;
        self.require(
            "frame_skip",
            file.frame_skip,
            file.frame_skip > 0,
            "at least 1",
        )?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let model = self.scene(Model::load(&folder.join(&file.scene), &file.physics))?;
        Ok((file, model))
    }

    /// An error about a value unless `good`.
    pub fn require(
        &self,
        key: impl Into<String>,
        value: impl Debug,
        good: bool,
        allowed: impl Into<String>,
    ) -> Result<(), TaskError> {
        if good {
            return Ok(());
        }
        Err(TaskError::Value {
            path: self.path.clone(),
            key: key.into(),
            value: format!("{value:?}"),
            allowed: allowed.into(),
        })
    }

    /// An error unless the range is finite and in order.
    pub fn require_range(&self, key: &str, range: [f64; 2]) -> Result<(), TaskError> {
        let good = range.iter().all(|v| v.is_finite()) && range[0] <= range[1];
        self.require(key, range, good, "[low, high], finite, with low <= high")
    }

    /// An error unless the value is finite.
    pub fn require_finite(&self, key: &str, value: f64) -> Result<(), TaskError> {
        self.require(key, value, value.is_finite(), "a finite number")
    }

    /// Adds the task file to an error about its scene.
    pub fn scene<T>(&self, result: Result<T, SceneError>) -> Result<T, TaskError> {
        result.map_err(|source| TaskError::Scene {
            path: self.path.clone(),
            source,
        })
    }
}
