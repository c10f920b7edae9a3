//! The training loop: actors, learner, evaluation, run folder; no window.
//!
//! A [`Trainer`] is the loop as a value: [`Trainer::round`] lets the actors collect and the learner
//! update side by side, and the outcome depends on the configuration alone, never on timing. A
//! [`Session`] runs a trainer on a thread of its own, writes its run folder and lets others watch
//! and command it; nobody who watches can make it wait.

mod actor;
mod checkpoint;
mod config;
mod datasets;
mod demonstrations;
mod edit;
mod error;
mod evaluate;
mod exploration;
mod export;

mod hindsight;
mod import;
mod keys;
mod log;
mod memory;
mod metrics;
mod policy;
mod provenance;
mod readings;
mod recording;
mod replay;
mod run_folder;
mod runner;
mod screening;
mod seeds;
mod session;
mod statistics;
mod status;
mod takeover;
mod tensorboard;
mod trainer;

pub use actor::{Failure, Frame, FrameSink};
pub use checkpoint::{Checkpoint, latest_checkpoint};
pub use config::{ActChoice, ConfigError, TrainConfig};
pub use datasets::{
    RecordOptions, Recorded, SUCCESS_HOLD_STEPS, Trimmed, busy_range, dataset_env, dataset_header,
    physics_difference, record_dataset, trim, trimmed,
};
pub use edit::{Edit, ScheduledEdit, Setting};
pub use error::TrainError;
pub use evaluate::{Act, ActingPolicy, EvalResult, evaluate, evaluate_expert};
pub use exploration::{EpisodePlan, Exploration};
pub use export::{Export, ExportOptions, export};
pub use import::import;
pub use log::{RunLog, ScheduledTakeover};
pub use metrics::{MetricRow, columns};
pub use policy::{LoadedPolicy, load_policy, shipped_policy};
pub use provenance::{Provenance, VERSION};
pub use readings::Readings;
pub use recording::{Take, record_episode, record_take};
pub use replay::{
    Divergence, ReplayReport, begin, replay_actions, replay_states, snapshot_bytes, visit_states,
};
pub use run_folder::RunFolder;
pub use screening::{Screening, screen};
pub use seeds::{EvalSeeds, generator};
pub use session::{Outcome, Session};
pub use statistics::{Milestones, wilson_interval};
pub use status::{Command, Phase, Status};
pub use takeover::{Outside, Pilot, Seat, Takeover};
pub use tensorboard::{Event, Summary, SummaryValue, read_events};
pub use trainer::{RoundReport, Trainer};
