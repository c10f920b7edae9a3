//! The training loop: actors, learner, evaluation, run folder; no window.
//!
//! A [`Trainer`] is the loop as a value: [`Trainer::round`] lets the actors collect and the learner
//! update side by side, and the outcome depends on the configuration alone, never on timing. A
//! [`Session`] runs a trainer on a thread of its own, writes its run folder and lets others watch
//! and command it; nobody who watches can make it wait.

mod actor;
mod checkpoint;
mod config;
mod demonstrations;
mod edit;
mod error;
mod evaluate;
mod exploration;
mod export;
mod hindsight;
mod keys;
mod memory;
mod metrics;
mod policy;
mod provenance;
mod recording;
mod run_folder;
mod seeds;
mod session;
mod statistics;
mod status;
mod tensorboard;
mod trainer;

pub use actor::{Failure, Frame, FrameSink};
pub use checkpoint::{Checkpoint, latest_checkpoint};
pub use config::{ActChoice, ConfigError, TrainConfig};
pub use edit::{Edit, ScheduledEdit, Setting, read_edits};
pub use error::TrainError;
pub use evaluate::{Act, ActingPolicy, EvalResult, evaluate, evaluate_expert};
pub use exploration::{EpisodePlan, Exploration};
pub use export::{Export, ExportOptions, export};
pub use metrics::{MetricRow, columns};
pub use policy::{LoadedPolicy, load_policy, shipped_policy};
pub use provenance::{Provenance, VERSION};
pub use recording::record_episode;
pub use run_folder::RunFolder;
pub use seeds::{EvalSeeds, generator};
pub use session::{Outcome, Session};
pub use statistics::{Milestones, wilson_interval};
pub use status::{Command, Phase, Status};
pub use tensorboard::{Event, Summary, SummaryValue, read_events};
pub use trainer::{RoundReport, Trainer};
