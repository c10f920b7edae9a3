//! A simulation: one world, owned by one thread.

mod push;
#[cfg(test)]
mod tests;
mod touch;
mod transfer;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    build::{self, Coordinate, Mount, Plan},
    contact::Rules,
    convert::{array, from_engine, to_engine, vector},
    drive::{Drive, DriveState},
    engine::Engine,
    error::SimError,
    model::{Model, WORLD},
    pose::Pose,
    snapshot::{Snapshot, State},
    softness::Motion,
    split,
    torsion::Torsion,
    world::World,
};

pub use push::Push;

/// The changing state of a [`Model`]: MuJoCo's `mjData`.
///
/// Positions, velocities and controls are in the order of the MJCF file, in metres, radians and
/// seconds. Everything is deterministic: the same calls give the same bits, on any thread and any
/// machine.
pub struct Sim {
    model: Arc<Model>,
    rules: Rules,
    plan: Plan,
    drive: Drive,
    torsion: Torsion,
    motion: Motion,
    engine: Engine,
    /// The world at rest in the reference configuration.
    template: World,
    state: State,
    /// World poses in the reference configuration: the poses of bodies that nothing moves.
    fixed_poses: Vec<Pose>,
    ctrl: Vec<f64>,
    times: Option<StepTimes>,
}

/// Where the wall-clock time of steps went, summed over `steps`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StepTimes {
    /// Steps counted.
    pub steps: u32,
    /// Actuators, limits, springs and friction: the forces that Dextra computes.
    pub drive: Duration,
    /// The engine: collision detection and the solver.
    pub engine: Duration,
    /// Positions and velocities read back.
    pub read: Duration,
}

impl Sim {
    /// A simulation of `model` in its reference configuration, at rest.
    pub fn new(model: Arc<Model>) -> Self {
        let rules = Rules::new(&model);
        let (mut world, plan) = build::build(&model, &rules, &model.options.split_at);
        let drive = Drive::new(&model, &rules, &mut world, &plan);
        let torsion = Torsion::new(&model, &rules, &mut world, &plan);
        let mut motion = Motion::new(&world, &plan);
        let body_poses: Vec<_> = model.bodies.iter().map(|b| b.pose).collect();
        let fixed_poses = build::reference_poses(&model, &body_poses);
        let mut engine = Engine::new(&model);
        // One step at rest lets the engine set up its islands and trees, once and for all.
        let gravity = std::mem::take(&mut engine.gravity);
        engine.step(&mut world, &rules, &mut motion);
        engine.gravity = gravity;
        let state = State {
            world: world.clone(),
            drive: DriveState::start(&model, &vec![0.0; model.nv]),
            welds: vec![split::WeldState::default(); plan.welds.len()],
            body_poses,
            qpos: vec![0.0; model.nq],
            qvel: vec![0.0; model.nv],
            time_secs: 0.0,
            finite: true,
        };
        let ctrl = vec![0.0; model.nu];
        let mut sim = Self {
            model,
            rules,
            plan,
            drive,
            torsion,
            motion,
            engine,
            template: world,
            state,
            fixed_poses,
            ctrl,
            times: None,
        };
        sim.reset();
        sim
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Back to the reference configuration at rest, at time zero.
    ///
    /// Poses set by [`Sim::set_body_position`] and [`Sim::set_body_pose`] stay.
    pub fn reset(&mut self) {
        let qpos = self.model.reference_qpos();
        let qvel = vec![0.0; self.model.nv];
        self.state.time_secs = 0.0;
        self.assign(&qpos, &qvel);
    }

    /// Sets positions and velocities, and forgets contacts and everything else but the time.
    ///
    /// `qpos` has the model's `nq` entries (7 for a free joint: position, quaternion `w, x, y, z`),
    /// `qvel` has `nv` (6 for a free joint: linear velocity in the world's frame, angular velocity
    /// in the body's, as in MuJoCo).
    ///
    /// # Errors
    /// When a length is wrong or a value is not finite; nothing changes then.
    pub fn set_state(&mut self, qpos: &[f64], qvel: &[f64]) -> Result<(), SimError> {
        check("qpos", qpos, self.model.nq)?;
        check("qvel", qvel, self.model.nv)?;
        self.assign(qpos, qvel);
        Ok(())
    }

    /// Moves a body that nothing moves, or the first body of a chain that hangs on one, within its
    /// parent (MuJoCo's `body_pos`), with everything that hangs on it.
    ///
    /// # Errors
    /// When there is no such body, it moves by itself, or the position is not finite.
    pub fn set_body_position(&mut self, body: usize, pos: [f64; 3]) -> Result<(), SimError> {
        let quat = self.state.body_poses.get(body).map(|pose| pose.quat);
        let quat = quat.unwrap_or(Pose::IDENTITY.quat);
        self.set_body_pose(body, Pose { pos, quat })
    }

    /// As [`Sim::set_body_position`], and turns the body too (MuJoCo's `body_pos` and `body_quat`). The
    /// quaternion is normalised.
    ///
    /// # Errors
    /// As [`Sim::set_body_position`], and when the quaternion is not finite or zero.
    pub fn set_body_pose(&mut self, body: usize, pose: Pose) -> Result<(), SimError> {
        check("pos", &pose.pos, 3)?;
        let length = pose.quat.iter().map(|x| x * x).sum::<f64>().sqrt();
        let quat = pose.quat.map(|x| x / length);
        check("quat", &quat, 4)?;
        let Some(found) = self.model.bodies.get(body).filter(|_| body != WORLD) else {
            return Err(SimError::NoSuchBody {
                index: body,
                bodies: self.model.bodies.len(),
            });
        };
        let hangs = self.plan.fixed.iter().any(|(fixed, _)| *fixed == body);
        if !hangs && self.plan.mounts[body].is_some() {
            return Err(SimError::MovingBody {
                body: found.name.clone(),
            });
        }
        self.state.body_poses[body] = Pose { quat, ..pose };
        self.place();
        self.propagate();
        Ok(())
    }

    /// Advances by one timestep with the given controls, in the file's order.
    ///
    /// Controls are clamped to their range; missing ones are zero. After the state has stopped
    /// being finite (see [`Sim::is_finite`]) nothing moves until it is reset, set or restored.
    pub fn step(&mut self, ctrl: &[f64]) {
        self.step_pushed(ctrl, None);
    }

    /// As [`Sim::step`], with a force or torque from outside on a body (MuJoCo's `xfrc_applied`).
    pub fn step_pushed(&mut self, ctrl: &[f64], push: Option<&Push>) {
        if !self.state.finite {
            return;
        }
        for (i, (value, actuator)) in self.ctrl.iter_mut().zip(&self.model.actuators).enumerate() {
            let u = ctrl.get(i).copied().unwrap_or(0.0);
            self.state.finite &= u.is_finite();
            *value = actuator.ctrl_range.map_or(u, |[lo, hi]| u.max(lo).min(hi));
        }
        if !self.state.finite {
            return;
        }
        let started = self.times.map(|_| Instant::now());
        let State {
            world,
            drive,
            welds,
            qpos,
            qvel,
            ..
        } = &mut self.state;
        self.drive
            .apply(&self.model, world, drive, (qpos, qvel), &self.ctrl);
        let dt = self.model.timestep_secs;
        let substeps = self.model.options.substeps.max(1);
        split::apply(world, &self.plan.welds, welds, dt as f32, substeps);
        self.torsion.apply(world, dt as f32);
        let pushed = push.and_then(|push| push::begin(world, &self.plan, push));
        let driven = started.map(|_| Instant::now());
        let fine = self.engine.step(world, &self.rules, &mut self.motion);
        if let Some(rigid) = pushed {
            push::end(world, rigid);
        }
        let stepped = started.map(|_| Instant::now());
        self.state.time_secs += dt;
        self.read();
        let State { world, qpos, .. } = &mut self.state;
        if self.drive.hold(&self.model, world, qpos) {
            self.propagate();
            self.read();
        }
        if let (Some(times), Some(started), Some(driven), Some(stepped)) =
            (&mut self.times, started, driven, stepped)
        {
            times.steps += 1;
            times.drive += driven - started;
            times.engine += stepped - driven;
            times.read += stepped.elapsed();
        }
        let numbers = self.state.qpos.iter().chain(&self.state.qvel);
        self.state.finite = fine && numbers.into_iter().all(|x| x.is_finite());
    }

    /// Measures where time goes from now on, or not.
    pub fn measure(&mut self, on: bool) {
        self.times = on.then(StepTimes::default);
    }

    /// Where the time of the steps since the last call went, when it is measured.
    pub fn take_times(&mut self) -> Option<StepTimes> {
        self.times.as_mut().map(std::mem::take)
    }

    /// Positions.
    pub fn qpos(&self) -> &[f64] {
        &self.state.qpos
    }

    /// Velocities.
    pub fn qvel(&self) -> &[f64] {
        &self.state.qvel
    }

    /// The controls of the last step, clamped to their ranges.
    pub fn ctrl(&self) -> &[f64] {
        &self.ctrl
    }

    /// Simulated time since the last reset, seconds.
    pub fn time_secs(&self) -> f64 {
        self.state.time_secs
    }

    /// Whether every number is finite. Once false, [`Sim::step`] does nothing.
    pub fn is_finite(&self) -> bool {
        self.state.finite
    }

    /// World pose of a body.
    ///
    /// # Panics
    /// As all of these: when the index is not one of the model's.
    pub fn body_pose(&self, body: usize) -> Pose {
        match self.plan.mounts[body] {
            Some(mount) => self
                .state
                .world
                .bodies
                .get(mount.rigid)
                .map_or(Pose::IDENTITY, |rigid| {
                    from_engine(rigid.position()).mul(&mount.frame)
                }),
            None => self.fixed_poses[body],
        }
    }

    /// World pose of a geom.
    pub fn geom_pose(&self, geom: usize) -> Pose {
        let geom = &self.model.geoms[geom];
        self.body_pose(geom.body).mul(&geom.pose)
    }

    /// World pose of a site.
    pub fn site_pose(&self, site: usize) -> Pose {
        let site = &self.model.sites[site];
        self.body_pose(site.body).mul(&site.pose)
    }

    /// The whole state as a value.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            model_hash: self.model.hash().to_owned(),
            state: self.state.clone(),
        }
    }

    /// Continues from a snapshot.
    ///
    /// # Errors
    /// When the snapshot is of another model; nothing changes then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SimError> {
        if snapshot.model_hash != self.model.hash() {
            return Err(SimError::OtherModel {
                expected: self.model.hash().to_owned(),
                found: snapshot.model_hash.clone(),
            });
        }
        self.state.assign(&snapshot.state);
        self.fixed_poses = build::reference_poses(&self.model, &self.state.body_poses);
        Ok(())
    }

    /// Starts afresh from the template, so that the past leaves no trace.
    fn assign(&mut self, qpos: &[f64], qvel: &[f64]) {
        self.state.world.assign(&self.template);
        self.state.finite = true;
        self.place();
        for (joint, coordinate) in self.model.joints.iter().zip(&self.plan.coordinates) {
            let (q, v) = (&qpos[joint.qpos_adr..], &qvel[joint.dof_adr..]);
            match coordinate {
                Coordinate::Scalar(dof) => {
                    self.state
                        .world
                        .set_scalar(dof, (q[0] - joint.reference) as f32, v[0] as f32);
                }
                Coordinate::Free => {
                    if let Some(mount) = &self.plan.mounts[joint.body] {
                        set_free(&mut self.state.world, mount, q, v);
                    }
                }
            }
        }
        self.propagate();
        self.read();
        self.state.drive = DriveState::start(&self.model, &self.state.qvel);
    }

    /// Puts what is fixed where the body positions say.
    fn place(&mut self) {
        self.fixed_poses = build::reference_poses(&self.model, &self.state.body_poses);
        for (body, rigid) in &self.plan.fixed {
            let pose = to_engine(&self.fixed_poses[*body]);
            let bodies = &mut self.state.world.bodies;
            if bodies.get(*rigid).is_some_and(|r| *r.position() != pose)
                && let Some(rigid) = bodies.get_mut(*rigid)
            {
                rigid.set_position(pose, true);
            }
        }
    }

    /// Brings all links to where their coordinates say, from the roots on.
    fn propagate(&mut self) {
        let world = &mut self.state.world;
        for chain in &self.plan.chains {
            if let Some(weld) = chain.weld {
                self.state.welds[weld] = split::place(world, &self.plan.welds[weld]);
            }
            if let Some(multibody) = world.multibody_joints.get_multibody_mut(chain.multibody) {
                multibody.forward_kinematics(&world.bodies, true);
                multibody.update_rigid_bodies(&mut world.bodies, true);
            }
        }
    }

    /// Reads positions and velocities from the engine.
    fn read(&mut self) {
        let State {
            world, qpos, qvel, ..
        } = &mut self.state;
        for (joint, coordinate) in self.model.joints.iter().zip(&self.plan.coordinates) {
            match coordinate {
                Coordinate::Scalar(dof) => {
                    let (q, v) = world.scalar(dof);
                    qpos[joint.qpos_adr] = joint.reference + f64::from(q);
                    qvel[joint.dof_adr] = f64::from(v);
                }
                Coordinate::Free => {
                    let Some(mount) = self.plan.mounts[joint.body] else {
                        continue;
                    };
                    let Some(rigid) = world.bodies.get(mount.rigid) else {
                        continue;
                    };
                    let (linvel, angvel) = world.free_velocity(mount.rigid, rigid);
                    let centre = from_engine(rigid.position());
                    let pose = centre.mul(&mount.frame);
                    let arm = vector(pose.pos) - vector(centre.pos);
                    let linvel = array(linvel + angvel.cross(arm));
                    let angvel = pose.inverse().rotate(array(angvel));
                    qpos[joint.qpos_adr..][..3].copy_from_slice(&pose.pos);
                    qpos[joint.qpos_adr + 3..][..4].copy_from_slice(&pose.quat);
                    qvel[joint.dof_adr..][..3].copy_from_slice(&linvel);
                    qvel[joint.dof_adr + 3..][..3].copy_from_slice(&angvel);
                }
            }
        }
    }
}

/// Places a free body, in MuJoCo's coordinates.
fn set_free(world: &mut World, mount: &Mount, q: &[f64], v: &[f64]) {
    let pose = Pose {
        pos: [q[0], q[1], q[2]],
        quat: [q[3], q[4], q[5], q[6]],
    };
    let centre = pose.mul(&mount.frame.inverse());
    let angvel = vector(pose.rotate([v[3], v[4], v[5]]));
    let arm = vector(centre.pos) - vector(pose.pos);
    let linvel = vector([v[0], v[1], v[2]]) + angvel.cross(arm);
    let Some(rigid) = world.bodies.get_mut(mount.rigid) else {
        return;
    };
    rigid.set_position(to_engine(&centre), true);
    rigid.set_linvel(linvel, true);
    rigid.set_angvel(angvel, true);
    world.set_root_velocity(mount.rigid, linvel, angvel);
}

fn check(what: &'static str, values: &[f64], expected: usize) -> Result<(), SimError> {
    if values.len() != expected {
        return Err(SimError::Length {
            what,
            expected,
            found: values.len(),
        });
    }
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(SimError::NotFinite { what, index }),
        None => Ok(()),
    }
}
