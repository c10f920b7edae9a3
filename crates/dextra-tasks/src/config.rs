//! Task files: TOML in which an unknown, missing or senseless key is an error that names the file,
//! the key and what is allowed.

use std::{
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
};

use dextra_sim::{Model, PhysicsOptions, SceneError};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{TaskError, expert::ExpertTable};

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
    pub expert: Option<ExpertTable>,
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
            source: Box::new(source),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::{door, scenes_dir};

    /// The message about a door file in which `from` reads `to`.
    fn message(from: &str, to: &str) -> String {
        let mut source = Source::read(&scenes_dir().unwrap().join("door.toml")).unwrap();
        assert!(
            source.text.contains(from),
            "the door's file has no `{from}`"
        );
        source.text = source.text.replacen(from, to, 1);
        let error = door::load(&source)
            .expect_err("accepted a bad file")
            .to_string();
        assert!(error.contains("door.toml"), "no file in: {error}");
        error
    }

    #[track_caller]
    fn refused(from: &str, to: &str, expected: &[&str]) {
        let message = message(from, to);
        for part in expected {
            assert!(message.contains(part), "no `{part}` in: {message}");
        }
    }

    #[test]
    fn unknown_keys_are_errors_that_list_the_known_ones() {
        refused(
            "horizon =",
            "horizont = 3\nhorizon =",
            &["horizont", "frame_skip"],
        );
        refused("frame_x_m =", "frame_w_m =", &["frame_w_m", "frame_x_m"]);
        refused(
            "contact_sweeps",
            "contact_swaps",
            &["contact_swaps", "contact_sweeps"],
        );
    }

    #[test]
    fn missing_keys_are_named() {
        refused("hinge_rad = 1.35", "", &["hinge_rad"]);
        refused("frame_skip = 5", "", &["frame_skip"]);
    }

    #[test]
    fn senseless_values_are_told_what_is_allowed() {
        refused(
            "[-0.3, -0.2]",
            "[-0.2, -0.3]",
            &["reset.frame_x_m", "low <= high"],
        );
        refused(
            "[-0.3, -0.2]",
            "[nan, -0.2]",
            &["reset.frame_x_m", "finite"],
        );
        refused(
            "reach = -0.1",
            "reach = inf",
            &["reward.dense.reach", "finite"],
        );
        refused("horizon = 200", "horizon = 0", &["horizon", "at least 1"]);
        refused(
            "min_steps = 26",
            "min_steps = 900",
            &["success.min_steps", "1 to the horizon"],
        );
    }

    #[test]
    fn expert_names_must_exist() {
        refused(
            "to = \"approach\"",
            "to = \"aproach\"",
            &["retry.to", "approach, reach"],
        );
        refused(
            "posture = \"hook\"",
            "posture = \"hock\"",
            &["posture", "flat, hook, open"],
        );
        refused("THJ4", "THJ9", &["THJ9"]);
        refused(
            "position_noise_m =",
            "position_noise_m = -1 #",
            &["position_noise_m", "at least"],
        );
    }

    #[test]
    fn a_joint_is_spoken_of_in_its_unit() {
        refused(
            "latch = { by_rad = 0.8",
            "latch = { by_m = 0.8",
            &["expert.motions.turn.lead.latch.by", "by_rad"],
        );
        refused(
            "below_rad = 1.2",
            "below_m = 1.2",
            &["expert.motions.turn.retry.below", "below_rad"],
        );
    }

    #[test]
    fn an_absent_scene_is_an_error() {
        refused("adroit_door.xml", "adroit_dor.xml", &["adroit_dor.xml"]);
    }
}
