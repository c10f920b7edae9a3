//! The stiffness of contacts: MuJoCo's law, put to the engine as a distance.
//!
//! The engine solves `A (1 + c) f dt = -(v + a dt + e)` for the normal force `f`, where `v` is the
//! speed at which the bodies part, `a` their acceleration without the contact, `A` the inverse
//! inertia, and `e` an error taken from the distance: divided by the timestep while apart, times a
//! rate while they overlap. MuJoCo (see [`crate::limit`]) solves `A f / d = aref - a`, that is
//! `A f dt / d = -(v + a dt + (b dt - 1) v + k d r dt)`. So with `1 + c = 1 / d` and the distance
//! that makes `e` the last two terms the engine does what MuJoCo does: a contact yields, and springs
//! back, with its `solref` and `solimp`. The engine's one `c` stands for the usual `d`; elsewhere
//! the stiffness is scaled to give the same depth at rest.

use rapier3d::prelude as rp;

use crate::{build::Plan, limit::Law, mobility::Mobility, world::World};

/// The impedance that the engine's `c` stands for: MuJoCo's default `dmax`.
const IMPEDANCE: f64 = 0.95;
/// The share of an overlap that the engine's error takes per step.
const ERROR_REDUCTION: f64 = 0.5;

/// The engine's side of the law.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Softness {
    dt: f64,
}

impl Softness {
    /// For steps of `dt` seconds.
    pub(crate) fn new(dt: f64) -> Self {
        Self { dt }
    }

    /// The engine's spring with that `c` and error reduction.
    pub(crate) fn spring(&self) -> rp::SpringCoefficients<f32> {
        // With x = w dt and y = x + 2 zeta: x / y is the error reduction and 1 / (x y) is c.
        let c = 1.0 / IMPEDANCE - 1.0;
        let x = (ERROR_REDUCTION / c).sqrt();
        let y = x / ERROR_REDUCTION;
        rp::SpringCoefficients {
            natural_frequency: (x / (std::f64::consts::TAU * self.dt)) as f32,
            damping_ratio: (0.5 * (y - x)) as f32,
        }
    }

    /// The distance to tell the engine for bodies that overlap, margin included, by `-distance`
    /// and part at `speed`.
    pub(crate) fn distance(&self, law: &Law, distance: f32, speed: f32) -> f32 {
        let speed = f64::from(speed);
        let active = law.at(f64::from(distance), speed);
        let scale = (1.0 / IMPEDANCE - 1.0) / (1.0 / active.impedance - 1.0);
        let error = (law.damping * self.dt - 1.0) * speed - scale * active.pull * self.dt;
        let distance = if error > 0.0 {
            error * self.dt
        } else {
            error * self.dt / ERROR_REDUCTION
        };
        distance as f32
    }
}

/// Velocities of the links of multibodies, which the engine only brings up to date while it steps.
pub(crate) struct Motion {
    /// How they can move.
    pub mobility: Mobility,
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
            mobility: Mobility::new(world, plan),
            velocities: vec![None; world.bodies.len()],
            links,
        }
    }

    /// Reads the velocities before a step.
    pub(crate) fn read(&mut self, world: &World) {
        self.mobility.read(world);
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
}
