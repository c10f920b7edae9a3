//! Splitting a hand into multibodies that are welded together.
//!
//! A multibody's cost grows with the square of its size, so the chains below a body (the fingers
//! of a palm) may become multibodies of their own, each on a free root that an impulse joint welds
//! to the body. Three measures make the weld stiff (all measured: any one missing lets a grasp
//! creep): the weld's impulses, which the engine does not warm-start for multibodies, are applied
//! again as external forces; the root carries an armature, because a finger's tip would see only
//! grams through a free root; and a force gives back what that armature takes from the motion.

use rapier3d::prelude as rp;
use serde::{Deserialize, Serialize};

use crate::{
    convert::{array, to_engine},
    model::Model,
    pose::Pose,
    world::World,
};

/// Added to a root's translation, kg: about `ROOT_INERTIA` over a finger's length squared.
const ROOT_MASS: f32 = 0.3;
/// Added to a root's rotation, kg m^2: at least a finger joint's inertia.
const ROOT_INERTIA: f32 = 1e-3;
/// Share of the body's mass that each root takes, and the most that all may take.
const SHARE: f32 = 0.12;
const ALL_SHARES: f32 = 0.6;

/// A root welded to a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weld {
    pub root: rp::RigidBodyHandle,
    /// The rigid body that it is welded to.
    pub base: rp::RigidBodyHandle,
    /// The root's frame in the base's: its centre of mass.
    pub frame: Pose,
    joint: rp::ImpulseJointHandle,
    share: f32,
}

/// What a weld remembers from step to step.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WeldState {
    /// Force and torque from the root on the base, in the base's frame.
    force: rp::Vector,
    torque: rp::Vector,
    /// The root's velocity a step ago.
    linvel: rp::Vector,
    angvel: rp::Vector,
}

/// How many chains hang on a body.
pub(crate) fn chains(model: &Model, body: usize) -> usize {
    model
        .bodies
        .iter()
        .filter(|b| b.parent == Some(body) && !b.joints.is_empty())
        .count()
}

/// Inserts one of `count` roots, welded to `base` at its centre of mass.
pub(crate) fn insert(
    world: &mut World,
    base: rp::RigidBodyHandle,
    mass: &rp::MassProperties,
    count: usize,
) -> Weld {
    let share = SHARE.min(ALL_SHARES / count.max(1) as f32);
    let frame = Pose {
        pos: array(mass.local_com),
        quat: Pose::IDENTITY.quat,
    };
    let offset = to_engine(&frame);
    let pose = world
        .bodies
        .get(base)
        .map_or(rp::Pose::IDENTITY, |b| *b.position());
    let own = scaled(mass, share, rp::Vector::ZERO);
    let root = rp::RigidBodyBuilder::dynamic()
        .pose(pose * offset)
        .can_sleep(false)
        .additional_mass_properties(own);
    let root = world.bodies.insert(root);
    let weld = rp::FixedJointBuilder::new()
        .local_frame1(offset)
        .local_frame2(rp::Pose::IDENTITY);
    let joint = world.impulse_joints.insert(base, root, weld, true);
    Weld {
        root,
        base,
        frame,
        joint,
        share,
    }
}

/// Takes the roots' shares from the bodies that they are welded to.
pub(crate) fn lighten(world: &mut World, welds: &[Weld]) {
    let mut done: Vec<rp::RigidBodyHandle> = Vec::new();
    for weld in welds {
        if done.contains(&weld.base) {
            continue;
        }
        done.push(weld.base);
        let shares: f32 = welds
            .iter()
            .filter(|w| w.base == weld.base)
            .map(|w| w.share)
            .sum();
        if let Some(body) = world.bodies.get_mut(weld.base) {
            body.recompute_mass_properties_from_colliders(&world.colliders);
            let mass = body.mass_properties().local_mprops;
            let rest = scaled(&mass, 1.0 - shares, mass.local_com);
            body.set_additional_mass_properties(rest, true);
        }
    }
}

fn scaled(mass: &rp::MassProperties, share: f32, com: rp::Vector) -> rp::MassProperties {
    rp::MassProperties::with_principal_inertia_frame(
        com,
        mass.mass() * share,
        mass.principal_inertia() * share,
        mass.principal_inertia_local_frame,
    )
}

/// Gives a multibody's free root its armature.
pub(crate) fn add_inertia(multibody: &mut rp::Multibody) {
    let armature = multibody.armature_mut();
    for k in 0..6 {
        armature[k] = if k < 3 { ROOT_MASS } else { ROOT_INERTIA };
    }
}

/// Puts a root where its base is, moving with it; returns the weld's state at rest.
///
/// The multibody's forward kinematics has to follow.
pub(crate) fn place(world: &mut World, weld: &Weld) -> WeldState {
    let Some(base) = world.bodies.get(weld.base).map(|b| *b.position()) else {
        return WeldState::default();
    };
    let pose = base * to_engine(&weld.frame);
    let (linvel, angvel) = velocity_at(world, weld.base, pose.translation);
    if let Some(root) = world.bodies.get_mut(weld.root) {
        root.set_position(pose, true);
    }
    world.set_root_velocity(weld.root, linvel, angvel);
    WeldState {
        linvel,
        angvel,
        ..WeldState::default()
    }
}

/// Velocity of the point of a rigid body that is at `point`, and the body's angular velocity.
pub(crate) fn velocity_at(
    world: &World,
    rigid: rp::RigidBodyHandle,
    point: rp::Vector,
) -> (rp::Vector, rp::Vector) {
    let Some(body) = world.bodies.get(rigid) else {
        return Default::default();
    };
    let link = world.multibody_joints.rigid_body_link(rigid);
    let chain = link.and_then(|l| Some((l.id, world.multibody_joints.get_multibody(l.multibody)?)));
    let (linvel, angvel) = match chain {
        Some((id, multibody)) => {
            // A link's own velocity is only brought up to date when the engine steps.
            let v = multibody.body_jacobian(id) * multibody.generalized_velocity();
            (
                rp::Vector::new(v[0], v[1], v[2]),
                rp::Vector::new(v[3], v[4], v[5]),
            )
        }
        None => (body.linvel(), body.angvel()),
    };
    (linvel + angvel.cross(point - body.center_of_mass()), angvel)
}

/// Applies the welds' forces of the last step again, and the roots' compensation.
pub(crate) fn apply(
    world: &mut World,
    welds: &[Weld],
    states: &mut [WeldState],
    dt: f32,
    substeps: u32,
) {
    for weld in welds {
        for handle in [weld.base, weld.root] {
            if let Some(body) = world.bodies.get_mut(handle) {
                body.reset_forces(false);
                body.reset_torques(false);
            }
        }
    }
    let per_impulse = substeps as f32 / dt;
    for (weld, state) in welds.iter().zip(states) {
        let Some(joint) = world.impulse_joints.get(weld.joint) else {
            continue;
        };
        let i = joint.impulses;
        state.force += rp::Vector::new(i[0], i[1], i[2]) * per_impulse;
        // The engine's angular rows act on half angles.
        state.torque += rp::Vector::new(i[3], i[4], i[5]) * (0.5 * per_impulse);
        let Some(at) = world
            .bodies
            .get(weld.root)
            .map(|b| b.position().translation)
        else {
            continue;
        };
        let (linvel, angvel) = velocity_at(world, weld.base, at);
        let Some(base) = world.bodies.get_mut(weld.base) else {
            continue;
        };
        let turn = base.position().rotation;
        let (force, torque) = (turn * state.force, turn * state.torque);
        base.add_force_at_point(force, at, false);
        base.add_torque(torque, false);
        let Some(root) = world.bodies.get_mut(weld.root) else {
            continue;
        };
        root.add_force((linvel - state.linvel) * (ROOT_MASS / dt) - force, false);
        root.add_torque(
            (angvel - state.angvel) * (ROOT_INERTIA / dt) - torque,
            false,
        );
        (state.linvel, state.angvel) = (linvel, angvel);
    }
}
