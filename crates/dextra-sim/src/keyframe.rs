//! States that a scene names.

/// A state that the file names (`<key>`); what it leaves out is the reference configuration at rest
/// with no control.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyframe {
    /// Its name; keyframes without one are called `key<index>`.
    pub name: String,
    /// Simulated time, seconds.
    pub time_secs: f64,
    /// Positions, as many as the model's `nq`.
    pub qpos: Vec<f64>,
    /// Velocities, as many as the model's `nv`.
    pub qvel: Vec<f64>,
    /// Controls, as many as the model's `nu`.
    pub ctrl: Vec<f64>,
}
