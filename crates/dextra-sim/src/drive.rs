//! Everything that acts on joints: actuators, tendons, springs, damping, dry friction, limits.
//!
//! As in MuJoCo's Euler integrator, forces that depend on positions are taken at the start of a
//! step and velocity terms are implicit. A joint's limit is its law (see [`crate::limit`]) solved
//! exactly: `f = m (aref - a)` with `m = 1 / R` is a force `m aref` and a virtual mass `m` on the
//! joint's diagonal. A tendon's limit couples joints and takes the acceleration of the step before.

use rapier3d::{na::DVector, prelude as rp};
use serde::{Deserialize, Serialize};

use crate::{
    build::{self, Coordinate, Dof, Plan},
    contact::Rules,
    limit::{Active, Law, Limit},
    model::{Actuator, Model, SolverParams, Tendon, Transmission},
    world::World,
};

/// Multibodies up to this size get exact dry friction, which costs a solver row per joint.
const EXACT_FRICTION_DOFS: usize = 6;
/// `d` of MuJoCo's dry friction: its default `solimp` at zero.
const FRICTION_IMPEDANCE: f64 = 0.9;
/// Below this speed regularised dry friction is viscous.
const FRICTION_SPEED: f64 = 0.005;
/// The engine takes joint forces as springs: one so soft that only its offset counts.
const CARRIER_STIFFNESS: f32 = 1e-3;

/// What acts on one joint over a step.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    force: f64,
    damping: f64,
    inertia: f64,
}

/// A hinge or slide with its constants.
#[derive(Clone, Debug)]
struct DrivenJoint {
    dof: Dof,
    qpos: usize,
    qvel: usize,
    stiffness: f64,
    springref: f64,
    base: Load,
    /// Dry friction to regularise; zero where the engine has an exact row.
    friction: f64,
    /// Dry friction of the engine's exact row.
    exact_friction: f64,
    limit: Option<Limit>,
    /// To what the actuators' forces on it add up at most.
    actuator_range: Option<[f64; 2]>,
}

/// The laws of a model's joints.
#[derive(Clone, Debug)]
pub(crate) struct Drive {
    dt: f64,
    joints: Vec<Option<DrivenJoint>>,
    tendon_limits: Vec<Option<Limit>>,
    /// `b` of MuJoCo's dry friction.
    friction_damping: f64,
    loads: Vec<Load>,
    /// The loads before the actuators.
    passive: Vec<Load>,
}

/// What the laws remember from step to step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct DriveState {
    /// `qvel` a step ago.
    qvel: Vec<f64>,
    /// Force on each joint over the last step, its limits apart.
    joint_force: Vec<f64>,
    /// Virtual mass and acceleration of each joint's lower and upper limit over the last step.
    joint_limits: Vec<[(f64, f64); 2]>,
    /// Force of each tendon's lower and upper limit over the last step.
    tendon_force: Vec<[f64; 2]>,
}

impl DriveState {
    /// The state of a simulation that starts with these velocities.
    pub(crate) fn start(model: &Model, qvel: &[f64]) -> Self {
        Self {
            qvel: qvel.to_vec(),
            joint_force: vec![0.0; model.joints.len()],
            joint_limits: vec![[(0.0, 0.0); 2]; model.joints.len()],
            tendon_force: vec![[0.0; 2]; model.tendons.len()],
        }
    }
}

impl Drive {
    /// Prepares the laws, and sets the engine's exact dry friction where it is used.
    pub(crate) fn new(model: &Model, rules: &Rules, world: &mut World, plan: &Plan) -> Self {
        let dt = model.timestep_secs;
        let inertia = InverseInertia::new(model, rules);
        let mut joints = Vec::with_capacity(model.joints.len());
        for (index, joint) in model.joints.iter().enumerate() {
            let Coordinate::Scalar(dof) = plan.coordinates[index] else {
                joints.push(None);
                continue;
            };
            let exact = world
                .multibody_joints
                .get_multibody_mut(dof.multibody)
                .filter(|mb| mb.ndofs() <= EXACT_FRICTION_DOFS);
            let (friction, exact_friction) = match exact {
                Some(multibody) => {
                    multibody.frictions_mut()[dof.index] = joint.frictionloss as f32;
                    (0.0, joint.frictionloss)
                }
                None => (joint.frictionloss, 0.0),
            };
            let limit = joint.range.map(|range| {
                Limit::new(range, joint.margin, &joint.limit, inertia.joints[index], dt)
            });
            joints.push(Some(DrivenJoint {
                dof,
                qpos: joint.qpos_adr,
                qvel: joint.dof_adr,
                stiffness: joint.stiffness,
                springref: joint.springref,
                base: Load {
                    force: 0.0,
                    damping: joint.damping,
                    inertia: joint.armature,
                },
                friction,
                exact_friction,
                limit,
                actuator_range: joint.actuator_force_range,
            }));
        }
        let tendon_limits = model
            .tendons
            .iter()
            .zip(&inertia.tendons)
            .map(|(t, &a)| {
                t.range
                    .map(|range| Limit::new(range, t.margin, &t.limit, a, dt))
            })
            .collect();
        Self {
            dt,
            loads: vec![Load::default(); joints.len()],
            passive: vec![Load::default(); joints.len()],
            joints,
            tendon_limits,
            friction_damping: Law::new(&SolverParams::default(), dt).damping,
        }
    }

    /// Sets the joint forces of the next step. `ctrl` is used as it is.
    pub(crate) fn apply(
        &mut self,
        model: &Model,
        world: &mut World,
        state: &mut DriveState,
        (qpos, qvel): (&[f64], &[f64]),
        ctrl: &[f64],
    ) {
        for (load, joint) in self.loads.iter_mut().zip(&self.joints) {
            let Some(joint) = joint else { continue };
            let (q, v) = (qpos[joint.qpos], qvel[joint.qvel]);
            *load = joint.base;
            load.force -= joint.stiffness * (q - joint.springref);
            load.damping += joint.friction / v.abs().max(FRICTION_SPEED);
        }
        for (index, tendon) in model.tendons.iter().enumerate() {
            self.pull_tendon(index, tendon, state, qpos, qvel);
        }
        self.passive.copy_from_slice(&self.loads);
        for (actuator, &u) in model.actuators.iter().zip(ctrl) {
            self.actuate(model, actuator, u, qpos, qvel);
        }
        self.bound_actuators(qvel);
        for (index, joint) in self.joints.iter().enumerate() {
            let Some(joint) = joint else { continue };
            let Some(limit) = &joint.limit else { continue };
            let (q, v) = (qpos[joint.qpos], qvel[joint.qvel]);
            let acceleration = (v - state.qvel[joint.qvel]) / self.dt;
            let force = self.loads[index].force;
            let change = force - std::mem::replace(&mut state.joint_force[index], force);
            for (n, side) in [1.0, -1.0].into_iter().enumerate() {
                let last = std::mem::take(&mut state.joint_limits[index][n]);
                let Some(soft) = limit.law(side, q, v) else {
                    continue;
                };
                let stop = limit.stop(side, q, v);
                let active = stop
                    .filter(|s| s.acceleration > soft.acceleration)
                    .unwrap_or(soft);
                let held = self.held(
                    joint,
                    limit.inverse_inertia,
                    &active,
                    side * v,
                    side * force,
                );
                if let Some(push) = held {
                    self.loads[index].force += side * push;
                    continue;
                }
                // A limit only pushes: it acts if the joint, left alone, would accelerate less.
                // What it would do alone is what it did in the last step, less the limit's part,
                // plus the change of force since.
                let pushed = last.0 * (last.1 - side * acceleration);
                let alone = side * acceleration + limit.inverse_inertia * (side * change - pushed);
                if active.acceleration > alone {
                    let d = active.impedance;
                    let mass = d / ((1.0 - d) * limit.inverse_inertia);
                    state.joint_limits[index][n] = (mass, active.acceleration);
                    self.loads[index].inertia += mass;
                    self.loads[index].force += side * mass * active.acceleration;
                }
            }
        }
        self.write(world);
        state.qvel.copy_from_slice(qvel);
    }

    /// Puts the joints that the last step drove past the end of their stops back there, at rest, which
    /// MuJoCo does not. Whether there were any: then links have to be brought to where their joints are.
    pub(crate) fn hold(&self, model: &Model, world: &mut World, qpos: &[f64]) -> bool {
        let mut any = false;
        for (joint, driven) in model.joints.iter().zip(&self.joints) {
            let limited = driven.as_ref().and_then(|d| Some((d, d.limit.as_ref()?)));
            let Some((driven, limit)) = limited else {
                continue;
            };
            if let Some(end) = limit.end(qpos[driven.qpos]) {
                world.set_scalar(&driven.dof, (end - joint.reference) as f32, 0.0);
                any = true;
            }
        }
        any
    }

    /// The push of a limit against which dry friction holds its joint, which moves away from it
    /// with the speed `v` under the force `force`; `None` when it slips.
    ///
    /// MuJoCo first solves limit and friction as equally soft constraints, and then, with the
    /// limit's force as it is, makes friction stick (its noslip solver). So the force is that of a
    /// joint that yields a little, although it does not: about half of the full one. A nail stays
    /// where it has been driven in the margin of its stop thanks to that.
    fn held(
        &self,
        joint: &DrivenJoint,
        inverse_inertia: f64,
        active: &Active,
        v: f64,
        force: f64,
    ) -> Option<f64> {
        if joint.exact_friction == 0.0 {
            return None;
        }
        let resistance = (1.0 - active.impedance) / active.impedance * inverse_inertia;
        let share = 1.0 - FRICTION_IMPEDANCE;
        let drag = self.friction_damping * v;
        let wanted =
            active.acceleration - share * inverse_inertia * force + FRICTION_IMPEDANCE * drag;
        let push = (wanted / (resistance + share * inverse_inertia)).max(0.0);
        let yielding = active.acceleration - resistance * push;
        let friction = (yielding + drag).abs() * FRICTION_IMPEDANCE / (share * inverse_inertia);
        (friction <= joint.exact_friction).then_some(push)
    }

    fn sum(&self, terms: &[(usize, f64)], values: impl Fn(&DrivenJoint) -> f64) -> f64 {
        terms
            .iter()
            .map(|&(j, c)| c * self.joints[j].as_ref().map_or(0.0, &values))
            .sum()
    }

    fn add_force(&mut self, terms: &[(usize, f64)], force: f64) {
        for &(j, c) in terms {
            self.loads[j].force += c * force;
        }
    }

    fn pull_tendon(
        &mut self,
        index: usize,
        tendon: &Tendon,
        state: &mut DriveState,
        qpos: &[f64],
        qvel: &[f64],
    ) {
        let length = self.sum(&tendon.terms, |j| qpos[j.qpos]);
        let velocity = self.sum(&tendon.terms, |j| qvel[j.qvel]);
        let stretch = length - length.clamp(tendon.springlength[0], tendon.springlength[1]);
        let passive = -tendon.stiffness * stretch - tendon.damping * velocity;
        if passive != 0.0 {
            self.add_force(&tendon.terms, passive);
        }
        let Some(limit) = &self.tendon_limits[index] else {
            return;
        };
        let before = state.tendon_force[index];
        let mut forces = [0.0; 2];
        for (n, side) in [1.0, -1.0].into_iter().enumerate() {
            let Some(active) = limit.law(side, length, velocity) else {
                continue;
            };
            let last = self.sum(&tendon.terms, |j| state.qvel[j.qvel]);
            let acceleration = side * (velocity - last) / self.dt;
            // Without the limit's own force: f = (aref - a0) / (A + R), and A + R = A / d.
            let unlimited = acceleration - limit.inverse_inertia * before[n];
            let force = (active.acceleration - unlimited) * active.impedance;
            forces[n] = (force / limit.inverse_inertia).max(0.0);
        }
        state.tendon_force[index] = forces;
        if forces != [0.0; 2] {
            self.add_force(&tendon.terms, forces[0] - forces[1]);
        }
    }

    fn actuate(&mut self, model: &Model, actuator: &Actuator, u: f64, qpos: &[f64], qvel: &[f64]) {
        let single;
        let terms: &[(usize, f64)] = match actuator.transmission {
            Transmission::Joint(joint) => {
                single = [(joint, 1.0)];
                &single
            }
            Transmission::Tendon(tendon) => &model.tendons[tendon].terms,
        };
        let gear = actuator.gear;
        let length = gear * self.sum(terms, |j| qpos[j.qpos]);
        let velocity = gear * self.sum(terms, |j| qvel[j.qvel]);
        let [constant, per_length, per_velocity] = actuator.bias;
        let elastic = actuator.gain * u + constant + per_length * length;
        let force = elastic + per_velocity * velocity;
        let clamped = actuator
            .force_range
            .map_or(force, |[lo, hi]| force.clamp(lo, hi));
        // A servo's own damping is implicit, unless its force is saturated.
        match actuator.transmission {
            Transmission::Joint(joint) if clamped == force && per_velocity < 0.0 => {
                self.loads[joint].damping -= per_velocity * gear * gear;
                self.loads[joint].force += gear * elastic;
            }
            _ => self.add_force(terms, gear * clamped),
        }
    }

    /// Clamps what all actuators do to a joint (MuJoCo's `actuatorfrcrange`).
    fn bound_actuators(&mut self, qvel: &[f64]) {
        let joints = self.joints.iter().zip(&mut self.loads).zip(&self.passive);
        for ((joint, load), passive) in joints {
            let bounded = joint.as_ref().and_then(|j| Some((j, j.actuator_range?)));
            let Some((joint, [low, high])) = bounded else {
                continue;
            };
            let damping = load.damping - passive.damping;
            let force = load.force - passive.force - damping * qvel[joint.qvel];
            let clamped = force.clamp(low, high);
            // As of a saturated servo, nothing of it is implicit.
            if clamped != force {
                load.damping = passive.damping;
                load.force = passive.force + clamped;
            }
        }
    }

    /// Hands the loads to the engine.
    fn write(&self, world: &mut World) {
        for (load, joint) in self.loads.iter().zip(&self.joints) {
            let Some(DrivenJoint { dof, .. }) = joint else {
                continue;
            };
            let Some(multibody) = world.multibody_joints.get_multibody_mut(dof.multibody) else {
                continue;
            };
            multibody.damping_mut()[dof.index] = load.damping as f32;
            multibody.armature_mut()[dof.index] = load.inertia as f32;
            let v = multibody.generalized_velocity()[dof.index];
            let Some(link) = multibody.link_mut(dof.link) else {
                continue;
            };
            let q = link.joint.coords()[dof.axis] + self.dt as f32 * v;
            let rest = q + load.force as f32 / CARRIER_STIFFNESS;
            link.joint.set_spring(dof.axis, CARRIER_STIFFNESS, rest);
        }
    }
}

/// Diagonal of the inverse mass matrix at the reference configuration (MuJoCo's `dof_invweight0`
/// and `tendon_invweight0`), from a world without splits.
struct InverseInertia {
    joints: Vec<f64>,
    tendons: Vec<f64>,
}

impl InverseInertia {
    fn new(model: &Model, rules: &Rules) -> Self {
        let (mut world, plan) = build::build(model, rules, &[]);
        let mut diagonals: Vec<(rp::MultibodyIndex, DVector<f32>)> = Vec::new();
        for chain in &plan.chains {
            if let Some(multibody) = world.multibody_joints.get_multibody_mut(chain.multibody) {
                diagonals.push((
                    chain.multibody,
                    multibody.dof_inverse_inertia(&world.bodies),
                ));
            }
        }
        let dof = |joint: usize| match plan.coordinates[joint] {
            Coordinate::Scalar(dof) => Some(dof),
            Coordinate::Free => None,
        };
        let joints = (0..model.joints.len())
            .map(|j| {
                let dof = dof(j)?;
                let (_, diagonal) = diagonals.iter().find(|(mb, _)| *mb == dof.multibody)?;
                Some(f64::from(diagonal[dof.index]))
            })
            .map(|inverse| inverse.unwrap_or(1.0))
            .collect();
        let tendons = model
            .tendons
            .iter()
            .map(|tendon| {
                let per_multibody = plan.chains.iter().filter_map(|chain| {
                    let multibody = world.multibody_joints.get_multibody(chain.multibody)?;
                    let mut row = DVector::<f32>::zeros(multibody.ndofs());
                    for &(joint, coefficient) in &tendon.terms {
                        if let Some(dof) = dof(joint).filter(|d| d.multibody == chain.multibody) {
                            row[dof.index] += coefficient as f32;
                        }
                    }
                    let solved = multibody.inv_augmented_mass().solve(&row)?;
                    Some(f64::from(row.dot(&solved)))
                });
                let inverse: f64 = per_multibody.sum();
                if inverse > 0.0 { inverse } else { 1.0 }
            })
            .collect();
        Self { joints, tendons }
    }
}
