//! From one model's state to another's, where their joints match by name: for scenes that change while
//! they run.

use super::Sim;
use crate::error::SimError;

impl Sim {
    /// Takes over what can be taken from a simulation of another model: time, positions and velocities
    /// of joints of the same name and kind, and poses of bodies of the same name that had been set
    /// ([`Sim::set_body_pose`]). What has no counterpart starts as the model says.
    ///
    /// # Errors
    /// When a value of the other simulation is not finite; nothing changes then.
    pub fn adopt(&mut self, from: &Self) -> Result<(), SimError> {
        let mut qpos = self.model.reference_qpos();
        let mut qvel = vec![0.0; self.model.nv];
        for joint in &self.model.joints {
            let same = |other: &&crate::Joint| other.name == joint.name && other.kind == joint.kind;
            let Some(other) = from.model.joints.iter().find(same) else {
                continue;
            };
            let dofs = joint.kind.dofs();
            // A free joint has a quaternion among its positions.
            let positions = if dofs == 6 { 7 } else { dofs };
            qpos[joint.qpos_adr..][..positions]
                .copy_from_slice(&from.qpos()[other.qpos_adr..][..positions]);
            qvel[joint.dof_adr..][..dofs].copy_from_slice(&from.qvel()[other.dof_adr..][..dofs]);
        }
        super::check("qpos", &qpos, qpos.len())?;
        super::check("qvel", &qvel, qvel.len())?;
        let mut poses: Vec<_> = self.model.bodies.iter().map(|body| body.pose).collect();
        for (pose, body) in poses.iter_mut().zip(&self.model.bodies) {
            let others = from.model.bodies.iter().zip(&from.state.body_poses);
            let other = others
                .into_iter()
                .find(|(other, _)| other.name == body.name);
            if let Some((other, set)) = other
                && *set != other.pose
            {
                *pose = *set;
            }
        }
        self.state.body_poses = poses;
        self.state.time_secs = from.state.time_secs;
        self.assign(&qpos, &qvel);
        Ok(())
    }

    /// Sets the simulated time, seconds.
    pub fn set_time(&mut self, time_secs: f64) {
        self.state.time_secs = time_secs;
    }
}
