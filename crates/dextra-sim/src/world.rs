//! The engine's state: everything that changes while it steps.

use rapier3d::prelude as rp;
use serde::{Deserialize, Serialize};

use crate::build::Dof;

/// The engine's sets.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct World {
    pub islands: rp::IslandManager,
    pub broad_phase: rp::BroadPhaseBvh,
    pub narrow_phase: rp::NarrowPhase,
    pub bodies: rp::RigidBodySet,
    pub colliders: rp::ColliderSet,
    pub impulse_joints: rp::ImpulseJointSet,
    pub multibody_joints: rp::MultibodyJointSet,
}

impl World {
    /// A world with nothing in it.
    pub(crate) fn new() -> Self {
        Self {
            islands: rp::IslandManager::new(),
            // Rearranging the tree at every step costs more than a few dozen colliders repay.
            broad_phase: rp::BroadPhaseBvh::with_optimization_strategy(
                rp::BvhOptimizationStrategy::None,
            ),
            narrow_phase: rp::NarrowPhase::new(),
            bodies: rp::RigidBodySet::new(),
            colliders: rp::ColliderSet::new(),
            impulse_joints: rp::ImpulseJointSet::new(),
            multibody_joints: rp::MultibodyJointSet::new(),
        }
    }

    /// As `clone`, reusing the memory of `self`.
    pub(crate) fn assign(&mut self, other: &World) {
        self.islands.clone_from(&other.islands);
        self.broad_phase.clone_from(&other.broad_phase);
        self.narrow_phase.clone_from(&other.narrow_phase);
        self.bodies.clone_from(&other.bodies);
        self.colliders.clone_from(&other.colliders);
        self.impulse_joints.clone_from(&other.impulse_joints);
        self.multibody_joints.clone_from(&other.multibody_joints);
    }

    /// Position and velocity of a hinge or slide.
    pub(crate) fn scalar(&self, dof: &Dof) -> (f32, f32) {
        let Some(multibody) = self.multibody_joints.get_multibody(dof.multibody) else {
            return (f32::NAN, f32::NAN);
        };
        let position = multibody
            .link(dof.link)
            .map(|link| link.joint().coords()[dof.axis]);
        (
            position.unwrap_or(f32::NAN),
            multibody.generalized_velocity()[dof.index],
        )
    }

    /// Sets position and velocity of a hinge or slide; forward kinematics has to follow.
    pub(crate) fn set_scalar(&mut self, dof: &Dof, position: f32, velocity: f32) {
        let Some(multibody) = self.multibody_joints.get_multibody_mut(dof.multibody) else {
            return;
        };
        multibody.generalized_velocity_mut()[dof.index] = velocity;
        let Some(link) = multibody.link_mut(dof.link) else {
            return;
        };
        let offset = dof.index - link.assembly_id();
        // The engine moves joints by differences: the second one takes the rounding of the first.
        for _ in 0..2 {
            let mut displacement = [0.0; 6];
            displacement[offset] = position - link.joint.coords()[dof.axis];
            link.joint.apply_displacement(&displacement);
        }
    }

    /// Linear and angular velocity of a free rigid body, which may be the root of a multibody.
    pub(crate) fn free_velocity(
        &self,
        handle: rp::RigidBodyHandle,
        rigid: &rp::RigidBody,
    ) -> (rp::Vector, rp::Vector) {
        let link = self.multibody_joints.rigid_body_link(handle);
        match link.and_then(|l| self.multibody_joints.get_multibody(l.multibody)) {
            Some(multibody) => {
                let v = multibody.generalized_velocity();
                (
                    rp::Vector::new(v[0], v[1], v[2]),
                    rp::Vector::new(v[3], v[4], v[5]),
                )
            }
            None => (rigid.linvel(), rigid.angvel()),
        }
    }

    /// Sets the velocity of a multibody's free root.
    pub(crate) fn set_root_velocity(
        &mut self,
        root: rp::RigidBodyHandle,
        linvel: rp::Vector,
        angvel: rp::Vector,
    ) {
        let link = self.multibody_joints.rigid_body_link(root).copied();
        let chain = link.and_then(|l| self.multibody_joints.get_multibody_mut(l.multibody));
        if let Some(multibody) = chain {
            let mut velocity = multibody.generalized_velocity_mut();
            for k in 0..3 {
                velocity[k] = linvel[k];
                velocity[3 + k] = angvel[k];
            }
        }
    }
}
