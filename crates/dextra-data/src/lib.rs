//! Transitions, episodes, the replay memory and datasets on disk.
//!
//! Actors make [`Episode`]s, [`Replay`] keeps the newest of them, and the learner draws [`Batch`]es
//! of consecutive steps from it. Everything is plain memory in a fixed order: the same pushes and the
//! same generator give the same batches to the bit, and a replay that went through a file is the
//! replay it was.

mod batch;
pub mod dataset;
mod episode;
pub mod foreign;
mod replay;

pub use batch::Batch;
pub use episode::{Episode, Source, Transition};
pub use replay::Replay;

/// What is wrong with an episode or with a memory's shape.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum DataError {
    /// An episode without a single step.
    #[error("the episode with seed {seed} has no steps")]
    EmptyEpisode {
        /// The episode's reset seed.
        seed: u64,
    },
    /// A vector whose length is not the memory's.
    #[error(
        "step {step} of the episode with seed {seed}: {field} has {found} numbers, the replay memory holds {expected}"
    )]
    Shape {
        /// The episode's reset seed.
        seed: u64,
        /// The step, counted from 0.
        step: usize,
        /// Which vector.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// A number that is not finite: one such number would poison every network it reaches.
    #[error(
        "step {step} of the episode with seed {seed}: {field} is not finite; the episode was not stored"
    )]
    NotFinite {
        /// The episode's reset seed.
        seed: u64,
        /// The step, counted from 0.
        step: usize,
        /// Which quantity.
        field: &'static str,
    },
}
