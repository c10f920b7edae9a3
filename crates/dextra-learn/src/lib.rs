//! Networks and Relative Entropy Q-Learning.
//!
//! [`Learner`] takes batches of consecutive steps and learns; [`Policy`] is the immutable copy of it
//! that actors act with. The algorithm is one page, `req.rs`, in the paper's order and names; what
//! carries it is beside it: the networks as one fused operation each (`mlp.rs`, `vmath.rs`, `gradient.rs`), the
//! per-state temperature (`temperature.rs`), the bounds on the prior's moves (`trust_region.rs`), the
//! optimiser (`adam.rs`), the file (`state.rs`). An update runs on the calling thread alone.

mod adam;
mod config;
mod error;
mod gradient;
mod learner;
mod mlp;
mod network;
mod normaliser;
mod npz;
mod policy;
mod policy_file;
mod req;
mod state;
mod student;
mod temperature;
mod trust_region;
mod vmath;

pub use config::{LearnConfig, Weight};
pub use error::LearnError;
pub use learner::{Learner, UpdateMetrics};
pub use npz::NpzPolicy;
pub use policy::{ActMode, Inspection, Policy};
pub use student::{Pairs, Student};
