//! What can go wrong with a task.

use std::path::PathBuf;

use dextra_sim::{SceneError, SimError};
use thiserror::Error;

/// A task that cannot be made or continued.
#[derive(Debug, Error)]
pub enum TaskError {
    /// No task has that name.
    #[error(
        "no task is called `{name}`{}; the tasks are: {known}",
        suggestion(nearest)
    )]
    UnknownTask {
        /// The name asked for.
        name: String,
        /// The task with the most similar name, if one is similar.
        nearest: Option<String>,
        /// All names, separated by commas.
        known: String,
    },
    /// The folder with the scenes is nowhere.
    #[error(
        "no folder `scenes` with task files: looked in {tried}; set DEXTRA_SCENES to where it is"
    )]
    NoScenes {
        /// Where it was looked for, separated by commas.
        tried: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A task file that is not TOML, or has a wrong, missing or unknown key.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where in it and what, with the allowed keys.
        message: String,
    },
    /// A task file with a value that makes no sense.
    #[error("{path}: `{key}` is {value}; it must be {allowed}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key, dotted.
        key: String,
        /// What it is set to.
        value: String,
        /// What it may be set to.
        allowed: String,
    },
    /// A scene that cannot be loaded or lacks a part that the task names.
    #[error("{path}: {source}")]
    Scene {
        /// The task file, which names the scene.
        path: PathBuf,
        /// What is wrong.
        source: Box<SceneError>,
    },
    /// Scenes that should vary, by a task file that does not say how.
    #[error(
        "the task {task} cannot be randomised: {task}.toml has no table `[randomise]`; add one, or leave \
         `randomise` off"
    )]
    NothingVaries {
        /// The task.
        task: String,
    },
    /// A state that does not fit the scene.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// A task file without `[expert]`.
    #[error(
        "task `{task}` has no expert: its task file has no table `[expert]`; to learn without one, set \
         lambda_psi = 0"
    )]
    NoExpert {
        /// The task.
        task: String,
    },
    /// A scene whose hand cannot be led.
    #[error(
        "the actuator {actuator} is no position servo on a joint; the palm can only be led where all are"
    )]
    NoServo {
        /// The actuator.
        actuator: String,
    },
    /// A snapshot of another task.
    #[error("the snapshot is of task `{found}`, this environment runs `{expected}`")]
    OtherTask {
        /// The snapshot's task.
        found: String,
        /// The environment's task.
        expected: String,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}
