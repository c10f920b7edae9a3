//! Policies from files: a run, a checkpoint, `policy.safetensors`, DAPG's `.npz`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use dextra_learn::{NpzPolicy, Policy};
use dextra_tasks::scenes_dir;
use rand_chacha::ChaCha8Rng;

use crate::{
    checkpoint::Checkpoint,
    config::{ActChoice, TrainConfig},
    error::TrainError,
    evaluate::{Act, ActingPolicy},
    provenance::Provenance,
};

/// A policy that was read from a file, ready to act.
pub struct LoadedPolicy {
    /// Length of an observation.
    pub obs_dim: usize,
    /// Length of an action.
    pub action_dim: usize,
    /// The run's configuration, where the file holds one.
    pub config: Option<TrainConfig>,
    /// What wrote it, where the file says so.
    pub origin: Option<Provenance>,
    /// Environment steps it was trained for, where the file says so.
    pub trained_steps: u64,
    form: Form,
}

enum Form {
    Learned(ActingPolicy),
    Npz(Box<NpzPolicy>),
}

impl LoadedPolicy {
    /// The policy acting in another way; a `.npz` policy has only one.
    #[must_use]
    pub fn acting(mut self, mode: ActChoice) -> Self {
        if let Form::Learned(acting) = &mut self.form {
            acting.mode = mode;
        }
        self
    }

    /// The networks, of a policy that Dextra learned: critics too.
    pub fn networks(&self) -> Option<&Arc<Policy>> {
        match &self.form {
            Form::Learned(acting) => Some(&acting.policy),
            Form::Npz(_) => None,
        }
    }

    fn learned(policy: Arc<Policy>) -> Self {
        Self {
            obs_dim: policy.obs_dim(),
            action_dim: policy.action_dim(),
            config: None,
            origin: None,
            trained_steps: 0,
            form: Form::Learned(ActingPolicy {
                policy,
                mode: ActChoice::Mean,
            }),
        }
    }
}

impl Act for LoadedPolicy {
    fn act(&self, obs: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
        match &self.form {
            Form::Learned(policy) => policy.act(obs, rng),
            Form::Npz(policy) => Act::act(policy.as_ref(), obs, rng),
        }
    }
}

/// The trained policy that comes with Dextra for a task: `assets/policies` beside the scenes. `None` where
/// there is none that can be read.
pub fn shipped_policy(task: &str) -> Option<PathBuf> {
    let beside = scenes_dir().ok()?.join("../assets/policies");
    let path = beside.join(format!("{task}.safetensors"));
    load_policy(&path).is_ok().then_some(path)
}

/// Reads a policy: from a run's folder (its newest checkpoint) or a checkpoint's folder, the one that
/// did best so far; or from a `.safetensors` file or a `.npz` file in DAPG's layout. A learned one
/// acts by its mean.
///
/// # Errors
/// When the path is none of these, or damaged.
pub fn load_policy(path: &Path) -> Result<LoadedPolicy, TrainError> {
    if path.is_dir() {
        let checkpoint = Checkpoint::read(path)?;
        let policy = LoadedPolicy::learned(Arc::new(Policy::load(&checkpoint.policy)?));
        return Ok(LoadedPolicy {
            config: Some(checkpoint.config),
            origin: Some(checkpoint.provenance),
            trained_steps: checkpoint.policy_steps,
            ..policy
        });
    }
    let bytes = fs::read(path).map_err(|error| TrainError::io("read", path, error))?;
    let bad = |reason: String| TrainError::Policy {
        path: path.to_owned(),
        reason,
    };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => {
            let policy = Policy::load(&bytes).map_err(|error| bad(error.to_string()))?;
            Ok(LoadedPolicy::learned(Arc::new(policy)))
        }
        Some("npz") => {
            let policy = NpzPolicy::load(path).map_err(|error| bad(error.to_string()))?;
            Ok(LoadedPolicy {
                obs_dim: policy.obs_dim(),
                action_dim: policy.action_dim(),
                config: None,
                origin: None,
                trained_steps: 0,
                form: Form::Npz(Box::new(policy)),
            })
        }
        _ => Err(bad(
            "it is neither a run's folder nor a .safetensors or .npz file".into(),
        )),
    }
}
