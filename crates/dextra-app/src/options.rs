//! What the window is opened with.

use std::path::PathBuf;

use dextra_train::TrainConfig;

/// How to open the window.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// The task to show and to learn.
    pub task: String,
    /// Configuration of the training that the Train button starts.
    pub config: TrainConfig,
    /// Run folder of that training; `None` makes one under `runs/`.
    pub out: Option<PathBuf>,
    /// Whether the training starts at once.
    pub train: bool,
    /// A policy to show from the start: a run folder, a `policy.safetensors` or a DAPG `.npz`.
    pub policy: Option<PathBuf>,
    /// What to open at once: a scene in the sandbox, by its MJCF file or a task's name, or a dataset's
    /// folder in the episode browser.
    pub view: Option<PathBuf>,
    /// Most frames per second to draw; `None` chooses by the graphics adapter.
    pub max_fps: Option<f64>,
    /// Whether to report widgets and state on standard output and to obey lines on standard input,
    /// for scripted tests.
    pub e2e: bool,
}

impl AppOptions {
    /// The window as `dextra` opens it: the configured task, the expert moving, nothing training.
    pub fn new(config: TrainConfig) -> Self {
        Self {
            task: config.task.clone(),
            config,
            out: None,
            train: false,
            policy: None,
            view: None,
            max_fps: None,
            e2e: false,
        }
    }
}
