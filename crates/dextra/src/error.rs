//! What the command answers when it cannot do what was asked.

use std::process::ExitCode;

use dextra_data::dataset::DatasetError;
use dextra_tasks::TaskError;
use dextra_teleop::TeleopError;
use dextra_train::{ConfigError, TrainError};

/// An error with its exit code.
#[derive(Debug)]
pub enum CliError {
    /// The command line or configuration is wrong: code 2.
    Usage(String),
    /// Something failed: code 1.
    Failed(String),
}

impl CliError {
    /// The process's exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Usage(message) | Self::Failed(message)) = self;
        f.write_str(message)
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Config(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<TaskError> for CliError {
    fn from(error: TaskError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<DatasetError> for CliError {
    fn from(error: DatasetError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<TeleopError> for CliError {
    fn from(error: TeleopError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Refuses a task that does not exist, naming the nearest.
pub fn check_task(task: &str) -> Result<(), CliError> {
    let known = dextra_tasks::task_names();
    if known.contains(&task) {
        return Ok(());
    }
    let likeness = |name: &&&str| (strsim::jaro_winkler(task, name) * 1e6) as u64;
    let nearest = known
        .iter()
        .max_by_key(likeness)
        .copied()
        .unwrap_or_default();
    let all = known.join(", ");
    Err(CliError::Usage(format!(
        "unknown task `{task}`; did you mean `{nearest}`? The tasks are: {all}"
    )))
}
