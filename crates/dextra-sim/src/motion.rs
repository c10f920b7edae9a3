//! How fast bodies move at the start of a step.

use rapier3d::prelude as rp;

use crate::{build::Plan, world::World};

/// Velocities of the links of multibodies, which the engine only brings up to date while it steps.
pub(crate) struct Motion {
    links: Vec<(rp::RigidBodyHandle, rp::MultibodyIndex, usize)>,
    /// Of each rigid body, by the index in its handle; `None` for those that are up to date.
    velocities: Vec<Option<(rp::Vector, rp::Vector)>>,
}

impl Motion {
    /// Finds the links that carry colliders.
    pub(crate) fn new(world: &World, plan: &Plan) -> Self {
        let mut links: Vec<(rp::RigidBodyHandle, rp::MultibodyIndex, usize)> = Vec::new();
        for collider in plan.colliders.iter().flatten() {
            let parent = world.colliders.get(*collider).and_then(|c| c.parent());
            let link = parent.and_then(|p| Some((p, *world.multibody_joints.rigid_body_link(p)?)));
            if let Some((handle, link)) = link
                && !links.iter().any(|(known, ..)| *known == handle)
            {
                links.push((handle, link.multibody, link.id));
            }
        }
        Self {
            velocities: vec![None; world.bodies.len()],
            links,
        }
    }

    /// Reads the velocities before a step.
    pub(crate) fn read(&mut self, world: &World) {
        for &(handle, multibody, link) in &self.links {
            let Some(multibody) = world.multibody_joints.get_multibody(multibody) else {
                continue;
            };
            let v = multibody.body_jacobian(link) * multibody.generalized_velocity();
            self.velocities[handle.into_raw_parts().0 as usize] = Some((
                rp::Vector::new(v[0], v[1], v[2]),
                rp::Vector::new(v[3], v[4], v[5]),
            ));
        }
    }

    /// Velocity of the point of a rigid body that is at `point`.
    pub(crate) fn velocity(
        &self,
        bodies: &rp::RigidBodySet,
        handle: Option<rp::RigidBodyHandle>,
        point: rp::Vector,
    ) -> rp::Vector {
        let Some((handle, body)) = handle.and_then(|h| Some((h, bodies.get(h)?))) else {
            return rp::Vector::ZERO;
        };
        let own = self.velocities.get(handle.into_raw_parts().0 as usize);
        let (linvel, angvel) = own
            .copied()
            .flatten()
            .unwrap_or((body.linvel(), body.angvel()));
        linvel + angvel.cross(point - body.center_of_mass())
    }

    /// Angular velocity of a rigid body.
    pub(crate) fn spin(
        &self,
        bodies: &rp::RigidBodySet,
        handle: rp::RigidBodyHandle,
    ) -> rp::Vector {
        let own = self.velocities.get(handle.into_raw_parts().0 as usize);
        match own.copied().flatten() {
            Some((_, angvel)) => angvel,
            None => bodies.get(handle).map_or(rp::Vector::ZERO, |b| b.angvel()),
        }
    }
}
