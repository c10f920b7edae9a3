//! Forces from outside, as a person's mouse applies them.

use rapier3d::prelude as rp;

use super::Sim;
use crate::{
    build::Plan,
    convert::{array, vector},
    model::Model,
    split::velocity_at,
    world::World,
};

/// A force at a point of a body and a torque, over one step; world frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Push {
    /// The body; one that nothing moves stays where it is.
    pub body: usize,
    /// Where the force acts, metres.
    pub point: [f64; 3],
    /// Newton.
    pub force_n: [f64; 3],
    /// Newton metres.
    pub torque_nm: [f64; 3],
}

/// Applies a push; returns the rigid body that it acts on.
pub(super) fn begin(world: &mut World, plan: &Plan, push: &Push) -> Option<rp::RigidBodyHandle> {
    let numbers = push.force_n.iter().chain(&push.torque_nm);
    if !numbers.chain(&push.point).all(|x| x.is_finite()) {
        return None;
    }
    let mount = plan.mounts.get(push.body).copied().flatten()?;
    let body = world.bodies.get_mut(mount.rigid)?;
    body.add_force_at_point(vector(push.force_n), vector(push.point), true);
    body.add_torque(vector(push.torque_nm), true);
    Some(mount.rigid)
}

/// Takes it away again: the engine would go on applying it.
pub(super) fn end(world: &mut World, rigid: rp::RigidBodyHandle) {
    if let Some(body) = world.bodies.get_mut(rigid) {
        body.reset_forces(false);
        body.reset_torques(false);
    }
}

impl Sim {
    /// Whether joints move a body, its own or those of a body that it is fixed to.
    pub fn moves(&self, body: usize) -> bool {
        self.plan.mounts.get(body).is_some_and(Option::is_some)
    }

    /// Velocity of the point of a body that is at `point` (world frame, m/s), and the body's angular
    /// velocity (rad/s); zero for a body that nothing moves.
    pub fn velocity_at(&self, body: usize, point: [f64; 3]) -> ([f64; 3], [f64; 3]) {
        let Some(mount) = self.plan.mounts.get(body).copied().flatten() else {
            return Default::default();
        };
        let (linear, angular) = velocity_at(&self.state.world, mount.rigid, vector(point));
        (array(linear), array(angular))
    }

    /// The mass that a body seems to have when it is pulled at a point (world frame), kg: the mean over
    /// directions, with everything that its joints make move along. Zero for a body that nothing moves.
    pub fn effective_mass(&self, body: usize, point: [f64; 3]) -> f64 {
        self.apparent(body, Some(point))
    }

    /// As [`Sim::effective_mass`], the moment of inertia when it is turned, kg m^2.
    pub fn effective_inertia(&self, body: usize) -> f64 {
        self.apparent(body, None)
    }

    fn apparent(&self, body: usize, point: Option<[f64; 3]>) -> f64 {
        let mount = self.plan.mounts.get(body).copied().flatten();
        let inverse =
            mount.and_then(|mount| inverse(&self.state.world, mount.rigid, point.map(vector)));
        match inverse {
            Some(inverse) if inverse > 0.0 => f64::from(1.0 / inverse),
            _ => 0.0,
        }
    }
}

/// Mean over the three directions of the inverse mass at a point, or without one of the inverse moment
/// of inertia.
fn inverse(world: &World, rigid: rp::RigidBodyHandle, point: Option<rp::Vector>) -> Option<f32> {
    let body = world.bodies.get(rigid)?;
    let link = world.multibody_joints.rigid_body_link(rigid);
    let Some((id, multibody)) =
        link.and_then(|l| Some((l.id, world.multibody_joints.get_multibody(l.multibody)?)))
    else {
        let moments = body.mass_properties().local_mprops.principal_inertia();
        return Some(match point {
            Some(_) => 1.0 / body.mass(),
            None => {
                moments
                    .to_array()
                    .iter()
                    .map(|moment| 1.0 / moment)
                    .sum::<f32>()
                    / 3.0
            }
        });
    };
    let jacobian = multibody.body_jacobian(id);
    let mut inverse = 0.0;
    for k in 0..3 {
        let row = match point {
            None => jacobian.row(3 + k).into_owned(),
            // d(point)/dq = linear + angular x arm, row k.
            Some(point) => {
                let arm = point - body.center_of_mass();
                let (i, j) = ((k + 1) % 3, (k + 2) % 3);
                jacobian.row(k) + jacobian.row(3 + i) * arm[j] - jacobian.row(3 + j) * arm[i]
            }
        };
        let row = row.transpose();
        let solved = multibody.inv_augmented_mass().solve(&row)?;
        inverse += row.dot(&solved) / 3.0;
    }
    Some(inverse)
}

impl Model {
    /// The bodies of the subtree of `body`, itself first.
    pub fn subtree(&self, body: usize) -> Vec<usize> {
        let mut inside = vec![false; self.bodies.len()];
        for (index, found) in self.bodies.iter().enumerate() {
            inside[index] = index == body || found.parent.is_some_and(|parent| inside[parent]);
        }
        (0..inside.len()).filter(|&index| inside[index]).collect()
    }
}
