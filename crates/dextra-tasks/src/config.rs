//! Task files: TOML in which an unknown, missing or senseless key is an error that names the file,
//! the key and what is allowed.

use std::{
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use dextra_sim::{Model, PhysicsOptions, SceneError};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    TaskError, TaskModel,
    expert::{ExpertPlan, ExpertTable},
    randomise::{Randomise, RandomiseTable},
    task::Task,
};

/// A task file. What differs between tasks: how they reset (`R`), the weights of the dense reward
/// (`W`) and what counts as success (`S`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskFile<R, W, S> {
    /// The scene, beside the task file.
    scene: PathBuf,
    /// Control steps of an episode.
    horizon: usize,
    /// Timesteps of a control step.
    frame_skip: usize,
    #[serde(default)]
    physics: PhysicsOptions,
    reset: R,
    reward: Rewards<W>,
    success: S,
    /// Absent where nothing else may vary.
    randomise: Option<RandomiseTable>,
    /// Absent where no expert is known.
    expert: Option<ExpertTable>,
}

/// The `[reward]` table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rewards<W> {
    dense: W,
}

/// What a task file says that only its task understands.
pub(crate) struct Tables<R, W, S> {
    pub reset: R,
    pub dense: W,
    pub success: S,
}

/// What all tasks have in common, and the scene.
pub(crate) struct Frame<'a> {
    source: &'a Source,
    scene: PathBuf,
    pub model: Model,
    horizon: usize,
    frame_skip: usize,
    randomise: Option<RandomiseTable>,
    expert: Option<ExpertTable>,
}

impl Frame<'_> {
    /// The task with its scene. `min_steps` is the number of successful steps that make an episode a
    /// success.
    pub fn finish(
        self,
        name: &'static str,
        min_steps: usize,
        task: impl Task + 'static,
    ) -> Result<TaskModel, TaskError> {
        let source = self.source;
        let reachable = (1..=self.horizon).contains(&min_steps);
        source.require(
            "success.min_steps",
            min_steps,
            reachable,
            "1 to the horizon",
        )?;
        let model = Arc::new(self.model);
        let randomise = self
            .randomise
            .map(|table| Randomise::compile(table, &model, source));
        let expert = self
            .expert
            .map(|table| ExpertPlan::compile(table, &model, task.obs_dim(), source));
        Ok(TaskModel {
            name,
            file: source.path.clone(),
            scene: self.scene,
            horizon: self.horizon,
            frame_skip: self.frame_skip,
            min_success_steps: min_steps,
            task: Box::new(task),
            randomise: randomise.transpose()?,
            expert: expert.transpose()?,
            model,
        })
    }
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

    /// A file that is named beside this one.
    pub fn beside(&self, file: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new(".")).join(file)
    }

    /// Parses, checks what all tasks have in common and loads the scene.
    pub fn parse<R, W, S>(&self) -> Result<(Tables<R, W, S>, Frame<'_>), TaskError>
    where
        R: DeserializeOwned,
        W: DeserializeOwned,
        S: DeserializeOwned,
    {
        let unread = |error: toml::de::Error| TaskError::Parse {
            path: self.path.clone(),
            message: error.to_string(),
        };
        let file: TaskFile<R, W, S> = toml::from_str(&self.text).map_err(unread)?;
        let table: toml::Table = toml::from_str(&self.text).map_err(unread)?;
        for (key, value) in &table {
            self.require_numbers(key, value)?;
        }
        self.require("horizon", file.horizon, file.horizon > 0, "at least 1")?;
        self.require(
            "frame_skip",
            file.frame_skip,
            file.frame_skip > 0,
            "at least 1",
        )?;
        let scene = self.beside(&file.scene);
        let model = self.scene(Model::load(&scene, &file.physics))?;
        let frame = Frame {
            source: self,
            scene,
            model,
            horizon: file.horizon,
            frame_skip: file.frame_skip,
            randomise: file.randomise,
            expert: file.expert,
        };
        let tables = Tables {
            reset: file.reset,
            dense: file.reward.dense,
            success: file.success,
        };
        Ok((tables, frame))
    }

    /// An error unless every number of a value is finite.
    fn require_numbers(&self, key: &str, value: &toml::Value) -> Result<(), TaskError> {
        match value {
            toml::Value::Float(number) => {
                self.require(key, number, number.is_finite(), "a finite number")
            }
            toml::Value::Array(values) => values.iter().try_for_each(|value| {
                match value.get("name").and_then(toml::Value::as_str) {
                    Some(name) => self.require_numbers(&format!("{key}.{name}"), value),
                    None => self.require_numbers(key, value),
                }
            }),
            toml::Value::Table(table) => table.iter().try_for_each(|(name, value)| {
                self.require_numbers(&format!("{key}.{name}"), value)
            }),
            _ => Ok(()),
        }
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

    /// An error unless the range is in order.
    pub fn require_range(&self, key: &str, range: [f64; 2]) -> Result<(), TaskError> {
        let good = range[0] <= range[1];
        self.require(key, range, good, "[low, high], finite, with low <= high")
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
    fn what_varies_must_make_sense() {
        refused(
            "mass = [0.7, 1.3]",
            "mass = [1.3, 0.7]",
            &["randomise.mass", "low <= high"],
        );
        refused(
            "gain = [0.8, 1.2]",
            "gain = [0.0, 1.2]",
            &["randomise.gain", "0 < low"],
        );
        refused(
            "object = \"latch\"",
            "object = \"lach\"",
            &["lach", "latch"],
        );
    }

    #[test]
    fn what_cannot_vary_is_not_varied_in_silence() {
        let mut source = Source::read(&scenes_dir().unwrap().join("door.toml")).unwrap();
        let (table, end) = (
            source.text.find("[randomise]").unwrap(),
            source.text.find("[expert]").unwrap(),
        );
        source.text.replace_range(table..end, "");
        let model = door::load(&source).unwrap();
        let mut options = crate::EnvOptions::default();
        assert!(model.check(&options).is_ok());
        options.randomise = true;
        let error = model.check(&options).unwrap_err().to_string();
        assert!(
            error.contains("door.toml") && error.contains("[randomise]"),
            "{error}"
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
