//! How the physics engine is set for a scene: the `[physics]` table of a task's TOML.

use serde::{Deserialize, Serialize};

use crate::error::SceneError;

/// Settings that MJCF has no words for. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PhysicsOptions {
    /// Bodies whose child chains become multibodies of their own, welded to them
    /// (fingers on a palm). Much faster, slightly softer.
    pub split_at: Vec<String>,
    /// Solver substeps per timestep; 2 to 4 for impacts.
    pub substeps: u32,
    /// Gauss-Seidel sweeps over the contacts within a substep.
    pub contact_sweeps: u32,
    /// Distance ahead at which contacts are found, metres.
    pub prediction_m: f64,
    /// The most that a torsional or rolling friction coefficient may be, metres.
    pub torsion_cap_m: f64,
}

impl Default for PhysicsOptions {
    fn default() -> Self {
        Self {
            split_at: Vec::new(),
            substeps: 1,
            contact_sweeps: 12,
            prediction_m: 0.002,
            torsion_cap_m: 1.0,
        }
    }
}

impl PhysicsOptions {
    /// Checks that every setting is in range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn validate(&self) -> Result<(), SceneError> {
        let positive = [
            ("substeps", f64::from(self.substeps)),
            ("contact_sweeps", f64::from(self.contact_sweeps)),
            ("prediction_m", self.prediction_m),
            ("torsion_cap_m", self.torsion_cap_m),
        ];
        match positive
            .into_iter()
            .find(|(_, value)| !(*value > 0.0 && value.is_finite()))
        {
            Some((key, value)) => Err(SceneError::Options {
                key,
                problem: format!("{value} must be positive and finite"),
            }),
            None => Ok(()),
        }
    }
}
