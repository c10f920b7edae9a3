//! Environments over dextra-sim: observation, reward, success, reset; and the suboptimal experts
//! that act in them.
//!
//! A task is one Rust file (what is observed and rewarded) and one TOML file beside its scene
//! (every number a researcher changes). [`Env`] follows Gymnasium: [`Env::reset`] with a seed,
//! [`Env::step`] with an action in [-1, 1].
//!
//! ```no_run
//! # fn main() -> Result<(), dextra_tasks::TaskError> {
//! use dextra_tasks::{Env, EnvOptions, Expert};
//! let mut env = Env::make("door", &EnvOptions::default())?;
//! let mut expert = Expert::new(env.task_model())?;
//! env.reset(7);
//! expert.reset(7);
//! loop {
//!     let action = expert.act(&env);
//!     let step = env.step(&action);
//!     if step.terminated || step.truncated {
//!         break;
//!     }
//! }
//! println!("opened: {}", env.episode_success());
//! # Ok(())
//! # }
//! ```

mod config;
mod door;
mod env;
mod error;
mod expert;
mod geometry;
mod hammer;
mod measure;
mod pen;
mod randomise;
mod relocate;
mod reward;
mod scenes;
mod task;
mod task_model;

pub use env::{Env, EnvOptions, EnvSnapshot, Step};
pub use error::TaskError;
pub use expert::{Expert, ExpertState, PalmTracker, Tracking, Waypoint, difference, displaced};
pub use measure::Measure;
pub use reward::{RewardKind, RewardTerm};
pub use scenes::scenes_dir;
pub use task::{task_names, task_purpose};
pub use task_model::TaskModel;
