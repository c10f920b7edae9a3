//! What wrote a file: versions and scene.

use dextra_tasks::TaskModel;
use serde::{Deserialize, Serialize};

/// Version of Dextra.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What wrote a run: physics and scene decide what a policy learned in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of Dextra.
    pub dextra: String,
    /// Version of the physics engine.
    pub rapier: String,
    /// Hash of the compiled scene and its physics options.
    pub scene: String,
}

impl Provenance {
    /// This program, with that task.
    pub fn of(model: &TaskModel) -> Self {
        Self {
            dextra: VERSION.into(),
            rapier: dextra_sim::RAPIER_VERSION.into(),
            scene: model.model().hash().into(),
        }
    }

    /// How `self`, which wrote something, differs in physics from `now`; `None` when it does not.
    pub fn difference(&self, now: &Self) -> Option<String> {
        if self.rapier != now.rapier {
            Some(format!("Rapier {} instead of {}", self.rapier, now.rapier))
        } else if self.scene != now.scene {
            let short = |hash: &str| hash.chars().take(12).collect::<String>();
            Some(format!(
                "scene {} instead of {}",
                short(&self.scene),
                short(&now.scene)
            ))
        } else {
            None
        }
    }
}
