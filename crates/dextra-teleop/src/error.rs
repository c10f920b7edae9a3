//! What can go wrong while driving and recording, each with its file and what to do.

use std::{io, path::PathBuf};

/// Why a hand cannot be driven or a take not be kept.
#[derive(Debug, thiserror::Error)]
pub enum TeleopError {
    /// A file that cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file that is not TOML, or has a wrong, missing or unknown key.
    #[error("{}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where in it and what.
        message: String,
    },
    /// A value that makes no sense.
    #[error("{}: `{key}` is {value}; it must be {allowed}", path.display())]
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
    /// A line of a script that is not understood.
    #[error("{}, line {line}: {reason}", path.display())]
    Script {
        /// The script.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A task that the scripted operator cannot drive.
    #[error(
        "the scripted operator has no plan for the task {task}, whose expert does not lead the palm; drive \
         it with a script of device events"
    )]
    NoPlan {
        /// The task.
        task: String,
    },
    /// A task, its scene or its expert.
    #[error(transparent)]
    Task(#[from] dextra_tasks::TaskError),
    /// What recording needs of the training loop.
    #[error(transparent)]
    Train(#[from] dextra_train::TrainError),
    /// A dataset that cannot be written.
    #[error(transparent)]
    Dataset(#[from] dextra_data::dataset::DatasetError),
}
