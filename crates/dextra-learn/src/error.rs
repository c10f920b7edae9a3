//! What can go wrong in learning.

use std::path::PathBuf;

/// A refused configuration, batch or file.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// A number outside its range.
    #[error("learner configuration: {field} = {value} must be {range}")]
    Config {
        /// The field of [`crate::LearnConfig`].
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        range: &'static str,
    },
    /// A batch that does not fit the networks.
    #[error("the batch's {field} has {found} numbers, the learner expects {expected}")]
    Batch {
        /// The array.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// Bytes that are no learner state, or the state of another learner.
    #[error("not the state of this learner: {0}")]
    State(String),
    /// A policy file that cannot be read or used.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tensor library refused an operation.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
}
