//! The engine: how it is set, and one step of it.

use rapier3d::prelude as rp;

use crate::{
    contact::{Hooks, Rules},
    convert::vector,
    model::Model,
    options::PhysicsOptions,
    softness::{Motion, Softness},
    world::World,
};

/// The size of things to the engine, which takes a metre for a typical one, metres. It looks for
/// contacts between colliders whose boxes, each widened by 4% of this, overlap: with a metre every
/// part of a hand would be compared with nearly every other. A power of two divides exactly.
const LENGTH_UNIT: f32 = 0.0625;
/// The fastest that the engine lets a free body be, m/s.
const MAX_SPEED: f32 = 400.0;
/// Steps after which the engine gets new buffers. It clears them whole at every step, however few
/// contacts there are, and they stay as large as the most contacts ever made them. They hold nothing
/// from step to step, so results do not depend on this.
const STEPS_PER_PIPELINE: u32 = 50;

/// What the engine needs to step and does not remember.
pub(crate) struct Engine {
    pub gravity: rp::Vector,
    pub parameters: rp::IntegrationParameters,
    softness: Softness,
    pipeline: rp::PhysicsPipeline,
    /// Steps that the pipeline has taken.
    pipeline_steps: u32,
    soft_bodies: rp::SoftBodySet,
    ccd: rp::CCDSolver,
}

impl Engine {
    /// The engine as `model` sets it.
    pub(crate) fn new(model: &Model) -> Self {
        let softness = Softness::new(model.timestep_secs);
        Self {
            gravity: vector(model.gravity),
            parameters: parameters(model.timestep_secs, &softness, &model.options),
            softness,
            pipeline: pipeline(),
            pipeline_steps: 0,
            soft_bodies: rp::SoftBodySet::new(),
            ccd: rp::CCDSolver::new(),
        }
    }

    /// One step; false when something was not finite.
    pub(crate) fn step(&mut self, world: &mut World, rules: &Rules, motion: &mut Motion) -> bool {
        motion.read(world);
        if self.pipeline_steps == STEPS_PER_PIPELINE {
            self.pipeline = pipeline();
            self.pipeline_steps = 0;
        }
        self.pipeline_steps += 1;
        let hooks = Hooks {
            rules,
            motion,
            softness: self.softness,
        };
        self.pipeline.step(
            self.gravity,
            &self.parameters,
            &mut world.islands,
            &mut world.broad_phase,
            &mut world.narrow_phase,
            &mut world.bodies,
            &mut world.colliders,
            &mut world.impulse_joints,
            &mut world.multibody_joints,
            &mut self.soft_bodies,
            &mut self.ccd,
            &hooks,
            &(),
        );
        self.pipeline.quarantine().is_empty()
    }
}

fn pipeline() -> rp::PhysicsPipeline {
    let mut pipeline = rp::PhysicsPipeline::new();
    pipeline.counters.disable();
    pipeline
}

/// The engine's defaults are for crates and houses; these are for fingers.
fn parameters(
    timestep_secs: f64,
    softness: &Softness,
    options: &PhysicsOptions,
) -> rp::IntegrationParameters {
    rp::IntegrationParameters {
        dt: timestep_secs as f32,
        length_unit: LENGTH_UNIT,
        normalized_max_linear_velocity: MAX_SPEED / LENGTH_UNIT,
        num_solver_iterations: options.substeps.max(1) as usize,
        num_internal_pgs_iterations: options.contact_sweeps.max(1) as usize,
        // What a contact's spring gives to the motion stays there, as in MuJoCo.
        num_internal_stabilization_iterations: 0,
        normalized_max_corrective_velocity: f32::MAX,
        normalized_prediction_distance: options.prediction_m as f32 / LENGTH_UNIT,
        contact_softness: softness.spring(),
        static_contact_softness: softness.spring(),
        friction_in_bias_pass: true,
        // Stale contact points let a grasp slip.
        contact_recycling: false,
        max_ccd_substeps: 0,
        friction_model: rp::FrictionModel::Coulomb,
        ..rp::IntegrationParameters::default()
    }
}
