//! A task with its scene: all that environments of one task share.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dextra_sim::{Model, scene_files};

use crate::{EnvOptions, TaskError, expert::ExpertPlan, randomise::Randomise, task, task::Task};

/// A task with its compiled scene. Immutable and shared between environments.
#[derive(Debug)]
pub struct TaskModel {
    pub(crate) name: &'static str,
    pub(crate) model: Arc<Model>,
    /// The task's file, and the scene beside it.
    pub(crate) file: PathBuf,
    pub(crate) scene: PathBuf,
    pub(crate) horizon: usize,
    pub(crate) frame_skip: usize,
    /// Successful steps that make an episode a success.
    pub(crate) min_success_steps: usize,
    pub(crate) task: Box<dyn Task>,
    pub(crate) randomise: Option<Randomise>,
    pub(crate) expert: Option<ExpertPlan>,
}

impl TaskModel {
    /// Loads a task and its scene by name.
    ///
    /// # Errors
    /// When the name is unknown, or its files are missing or wrong.
    pub fn load(task: &str) -> Result<Arc<Self>, TaskError> {
        task::load(task).map(Arc::new)
    }

    /// Whether environments of this task can be as `options` asks.
    ///
    /// # Errors
    /// When scenes should vary and the task's file does not say how.
    pub fn check(&self, options: &EnvOptions) -> Result<(), TaskError> {
        if options.randomise && self.randomise.is_none() {
            let task = self.name.to_owned();
            return Err(TaskError::NothingVaries { task });
        }
        Ok(())
    }

    /// Name of the task.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The scene.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The MJCF file of the scene.
    pub fn scene_file(&self) -> &Path {
        &self.scene
    }

    /// The files that the task was loaded from: its own, the scene's and what that includes.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.file.clone()];
        files.extend(scene_files(&self.scene));
        files
    }

    /// Control steps of an episode, unless an environment is asked for another number.
    pub fn horizon(&self) -> usize {
        self.horizon
    }

    /// Number of observed values.
    pub fn obs_dim(&self) -> usize {
        self.task.obs_dim()
    }

    /// Number of action values: one per actuator.
    pub fn action_dim(&self) -> usize {
        self.model.nu
    }

    /// Seconds of a control step.
    pub fn control_dt_secs(&self) -> f64 {
        self.model.timestep_secs * self.frame_skip as f64
    }

    /// Successful steps that make an episode a success.
    pub fn min_success_steps(&self) -> usize {
        self.min_success_steps
    }

    /// An observation as it would be, had its episode asked for what `achieved`, another observation of
    /// the episode, shows, and whether that moment would be a success. `None` where all episodes of
    /// the task ask the same, and of a goal that it never sets.
    pub fn hindsight(&self, obs: &[f32], achieved: &[f32]) -> Option<(Vec<f32>, bool)> {
        self.task.hindsight(obs, achieved)
    }

    /// Whether an observation shows the task solved; `None` where observations do not tell.
    pub fn observed_success(&self, obs: &[f32]) -> Option<bool> {
        self.task.observed_success(obs)
    }

    /// Middle and half of an actuator's control range: an action `a` commands
    /// `middle + half * a`. An actuator without a range takes the action as it is.
    pub fn action_scale(&self, actuator: usize) -> (f64, f64) {
        match self.model.actuators[actuator].ctrl_range {
            Some([low, high]) => ((low + high) / 2.0, (high - low) / 2.0),
            None => (0.0, 1.0),
        }
    }
}
