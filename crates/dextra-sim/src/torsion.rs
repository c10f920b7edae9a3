//! Friction against turning: MuJoCo's `condim` 4 (torsion) and 6 (torsion and rolling).
//!
//! The engine's contacts are points that resist sliding only. Here every two bodies whose contacts
//! also resist turning are joined by a joint whose angular motors hold the relative speed at zero,
//! with at most the torque `mu N`: about the normal with the torsional coefficient, about the
//! tangents with the rolling one. Solved together with the contacts it holds without creep up to
//! the limit. `N` and the normal are those of the last step; bodies with several contact points get
//! one joint, about the sum of their normal forces. Without contact it is disabled and costs nothing.

use std::collections::BTreeMap;

use rapier3d::prelude as rp;

use crate::{build::Plan, contact::Rules, model::Model, world::World};

/// The joints that resist turning; what changes of them is in the [`World`].
pub(crate) struct Torsion {
    joints: Vec<rp::ImpulseJointHandle>,
    /// Of each pair of geoms, smaller index first.
    pairs: BTreeMap<(usize, usize), Pair>,
    loads: Vec<Load>,
}

/// Two geoms that resist turning against each other.
struct Pair {
    joint: usize,
    /// -1 where the first geom is on the joint's second body.
    side: f32,
    torsion: f32,
    rolling: f32,
}

/// What the contacts of two bodies carried over the last step.
#[derive(Clone, Copy, Default)]
struct Load {
    /// Normal impulses times torsional coefficient, from the joint's first body to its second.
    torsion: rp::Vector,
    /// The same with the rolling coefficient.
    rolling: rp::Vector,
}

impl Torsion {
    /// Inserts the joints that the model's rules ask for, disabled.
    pub(crate) fn new(model: &Model, rules: &Rules, world: &mut World, plan: &Plan) -> Self {
        let mut bodies: Vec<[rp::RigidBodyHandle; 2]> = Vec::new();
        let mut joints = Vec::new();
        let mut pairs = BTreeMap::new();
        let cap = model.options.torsion_cap_m;
        for (geoms, turning) in rules.turning() {
            let rigid = |geom: usize| world.colliders.get(plan.colliders[geom]?)?.parent();
            let Some((a, b)) = rigid(geoms.0).zip(rigid(geoms.1)) else {
                continue;
            };
            let known = bodies
                .iter()
                .position(|&pair| pair == [a, b] || pair == [b, a]);
            let joint = known.unwrap_or_else(|| {
                bodies.push([a, b]);
                joints.push(world.impulse_joints.insert(a, b, motors(), false));
                joints.len() - 1
            });
            let pair = Pair {
                joint,
                side: if bodies[joint][0] == a { 1.0 } else { -1.0 },
                torsion: turning.torsion.min(cap) as f32,
                rolling: turning.rolling.min(cap) as f32,
            };
            pairs.insert(geoms, pair);
        }
        Self {
            loads: vec![Load::default(); joints.len()],
            joints,
            pairs,
        }
    }

    /// Sets the joints' torques for the next step, of `dt` seconds, from the contacts of the last.
    pub(crate) fn apply(&mut self, world: &mut World, dt: f32) {
        if self.joints.is_empty() {
            return;
        }
        self.measure(world);
        for (&handle, load) in self.joints.iter().zip(&self.loads) {
            let Some(joint) = world.impulse_joints.get(handle) else {
                continue;
            };
            let touching = load.torsion != rp::Vector::ZERO || load.rolling != rp::Vector::ZERO;
            if !touching && !joint.data.is_enabled() {
                continue;
            }
            let turn = |handle| world.bodies.get(handle).map(|b| b.position().rotation);
            let turns = turn(joint.body1()).zip(turn(joint.body2()));
            let Some((joint, (turn1, turn2))) =
                world.impulse_joints.get_mut(handle, false).zip(turns)
            else {
                continue;
            };
            joint.data.set_enabled(touching);
            if touching {
                aim(&mut joint.data, load, [turn1, turn2], dt);
            }
        }
    }

    fn measure(&mut self, world: &World) {
        self.loads.fill(Load::default());
        let geom = |collider| world.colliders.get(collider).map(|c| c.user_data as usize);
        for pair in world.narrow_phase.contact_pairs() {
            if !pair.has_any_active_contact() {
                continue;
            }
            let Some((a, b)) = geom(pair.collider1).zip(geom(pair.collider2)) else {
                continue;
            };
            let Some(own) = self.pairs.get(&(a.min(b), a.max(b))) else {
                continue;
            };
            let side = if a < b { own.side } else { -own.side };
            let load = &mut self.loads[own.joint];
            for manifold in pair.solver_manifolds() {
                let impulse: f32 = manifold.points.iter().map(|p| p.data.impulse).sum();
                let push = manifold.data.normal * (side * impulse);
                load.torsion += push * own.torsion;
                load.rolling += push * own.rolling;
            }
        }
    }
}

/// Angular motors that hold still, as yet without torque.
fn motors() -> rp::GenericJoint {
    let mut joint = rp::GenericJointBuilder::new(rp::JointAxesMask::empty())
        .contacts_enabled(true)
        .build();
    for axis in AXES {
        joint.set_motor_model(axis, rp::MotorModel::ForceBased);
        joint.set_motor_velocity(axis, 0.0, 0.0);
        joint.set_motor_max_force(axis, 0.0);
    }
    joint.set_enabled(false);
    joint
}

/// About the normal, then about the tangents.
const AXES: [rp::JointAxis; 3] = [
    rp::JointAxis::AngX,
    rp::JointAxis::AngY,
    rp::JointAxis::AngZ,
];

/// Turns a joint's first axis to the normal and bounds its torques.
fn aim(joint: &mut rp::GenericJoint, load: &Load, turns: [rp::Rotation; 2], dt: f32) {
    let (torsion, rolling) = (load.torsion.length() / dt, load.rolling.length() / dt);
    let push = if torsion > 0.0 {
        load.torsion
    } else {
        load.rolling
    };
    let frame = rp::Rotation::from_rotation_arc(rp::Vector::X, push.normalize_or_zero());
    joint.local_frame1.rotation = turns[0].inverse() * frame;
    joint.local_frame2.rotation = turns[1].inverse() * frame;
    joint.motor_axes = rp::JointAxesMask::empty();
    for (axis, torque) in AXES.into_iter().zip([torsion, rolling, rolling]) {
        if torque > 0.0 {
            joint.motor_axes |= axis.into();
            joint.motors[axis as usize].max_force = torque;
        }
    }
}
