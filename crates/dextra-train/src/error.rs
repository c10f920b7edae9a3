//! What can go wrong while training, each with what it concerns and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::config::ConfigError;

/// Why a training could not start, continue or be read back.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A configuration that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The task, its scene or its expert could not be made or restored.
    #[error(transparent)]
    Task(#[from] dextra_tasks::TaskError),
    /// The learner could not be made, updated or restored.
    #[error(transparent)]
    Learn(#[from] dextra_learn::LearnError),
    /// An episode that the replay memory refuses.
    #[error(transparent)]
    Data(#[from] dextra_data::DataError),
    /// A dataset that cannot be read, written or used.
    #[error(transparent)]
    Dataset(#[from] dextra_data::dataset::DatasetError),
    /// A recorded episode that cannot be repeated.
    #[error("the episode cannot be replayed: {reason}")]
    Replay {
        /// Why not, and what to do.
        reason: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}{}", path.display(), remedy(source))]
    Io {
        /// What was tried: `write`, `read`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A checkpoint that cannot be used.
    #[error("the checkpoint {} {reason}", path.display())]
    Checkpoint {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A file that holds no policy.
    #[error("{} holds no policy: {reason}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Someone who should show how it is done and cannot.
    #[error(
        "the demonstrator `{demonstrator}` succeeds in {found} of {tries} episodes: too few to learn \
         from; choose another with `demonstrator`, or fewer `demonstrations`"
    )]
    Demonstrator {
        /// Who was asked.
        demonstrator: String,
        /// Successful episodes.
        found: usize,
        /// Episodes tried.
        tries: usize,
    },
    /// A folder that holds a run already, or none.
    #[error("{} {reason}", path.display())]
    RunFolder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A log of events that cannot be read.
    #[error("{}, line {line} {reason}", path.display())]
    EventLog {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Steps driven by hand in another run that this one cannot repeat.
    #[error("what was driven by hand at step {step} cannot be repeated: {reason}")]
    Takeover {
        /// Environment steps made by then.
        step: u64,
        /// Why not.
        reason: String,
    },
    /// The learner's numbers left the finite range.
    #[error(
        "the learner's {quantity} is not finite after {updates} updates: the training has diverged; \
         resume from an earlier checkpoint with a lower learn.learning_rate"
    )]
    Diverged {
        /// Which number.
        quantity: &'static str,
        /// Updates made so far.
        updates: u64,
    },
    /// A thread of the training ended without an answer.
    #[error("the {0} stopped unexpectedly; this is a fault of Dextra, please report it")]
    Stopped(&'static str),
}

impl TrainError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn checkpoint(path: &Path, reason: impl Into<String>) -> Self {
        Self::Checkpoint {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space: a checkpoint written before is whole, and `--resume` continues from it"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "; choose a folder that can be written with `--out`"
        }
        _ => "",
    }
}
