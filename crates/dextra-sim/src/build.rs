//! From a [`Model`] to the engine's world.
//!
//! Every chain of joints that hangs on something immobile becomes a multibody (reduced
//! coordinates) with a fixed root of its own, because the engine's cost grows with the square of a
//! multibody's size. Bodies without a joint are part of the body that they move with. Free bodies
//! are plain rigid bodies, or the root of a multibody when joints hang on them.

use rapier3d::prelude as rp;

use crate::{
    chain,
    contact::{Rules, owner},
    convert::{array, rotation, to_engine, vector},
    model::{JointKind, Model, Shape, WORLD},
    pose::Pose,
    split::{self, Weld},
    world::World,
};

/// Where a hinge or slide lives in the engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dof {
    pub multibody: rp::MultibodyIndex,
    pub link: usize,
    /// 0 to 2 linear, 3 to 5 angular.
    pub axis: usize,
    /// Index among the multibody's velocities.
    pub index: usize,
}

/// Where a joint's coordinates live.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coordinate {
    Scalar(Dof),
    Free,
}

/// A body that moves: its rigid body and its frame in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mount {
    pub rigid: rp::RigidBodyHandle,
    pub frame: Pose,
}

/// A multibody, in the order in which poses propagate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    pub multibody: rp::MultibodyIndex,
    /// The weld that carries its root, if it was split off.
    pub weld: Option<usize>,
}

/// What of the model went where. Immutable.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Of each joint.
    pub coordinates: Vec<Coordinate>,
    /// Of each body; `None` where nothing moves it.
    pub mounts: Vec<Option<Mount>>,
    /// Fixed rigid bodies and the body at whose reference pose each stays.
    pub fixed: Vec<(usize, rp::RigidBodyHandle)>,
    pub chains: Vec<Chain>,
    pub welds: Vec<Weld>,
    /// Of each geom that collides.
    pub colliders: Vec<Option<rp::ColliderHandle>>,
}

/// World poses of all bodies in the reference configuration, with each body at `local` in its
/// parent.
pub(crate) fn reference_poses(model: &Model, local: &[Pose]) -> Vec<Pose> {
    let mut poses: Vec<Pose> = Vec::with_capacity(model.bodies.len());
    for (body, local) in model.bodies.iter().zip(local) {
        poses.push(match body.parent {
            Some(parent) => poses[parent].mul(local),
            None => Pose::IDENTITY,
        });
    }
    poses
}

/// Builds the world in the reference configuration, split at the bodies named in `split_at`.
pub(crate) fn build(model: &Model, rules: &Rules, split_at: &[String]) -> (World, Plan) {
    let local: Vec<_> = model.bodies.iter().map(|b| b.pose).collect();
    let mut builder = Builder {
        model,
        poses: reference_poses(model, &local),
        masses: masses(model),
        world: World::new(),
        links: vec![None; model.joints.len()],
        mounts: vec![None; model.bodies.len()],
        fixed: Vec::new(),
        roots: Vec::new(),
        welds: Vec::new(),
    };
    for body in 1..model.bodies.len() {
        builder.add_body(body, split_at);
    }
    let colliders = (0..model.geoms.len())
        .map(|g| builder.add_geom(g, rules))
        .collect();
    builder.finish(colliders)
}

/// Mass properties of each moving body, with those of the bodies welded to it, in its frame.
fn masses(model: &Model) -> Vec<rp::MassProperties> {
    let mut masses = vec![rp::MassProperties::default(); model.bodies.len()];
    let mut frames = vec![Pose::IDENTITY; model.bodies.len()];
    for (index, body) in model.bodies.iter().enumerate().skip(1) {
        let owner = owner(model, index);
        if owner != index {
            frames[index] = frames[body.parent.unwrap_or(WORLD)].mul(&body.pose);
        }
        let own = rp::MassProperties::with_principal_inertia_frame(
            vector(body.inertial_pose.pos),
            body.mass as f32,
            vector(body.inertia),
            rotation(body.inertial_pose.quat),
        );
        if owner == index {
            masses[index] = own;
        } else if body.mass > 0.0 {
            masses[owner] += own.transform_by(&to_engine(&frames[index]));
        }
    }
    masses
}

struct Builder<'a> {
    model: &'a Model,
    poses: Vec<Pose>,
    masses: Vec<rp::MassProperties>,
    world: World,
    /// Rigid body, axis and offset among its joint's axes, of each hinge and slide.
    links: Vec<Option<(rp::RigidBodyHandle, usize, usize)>>,
    mounts: Vec<Option<Mount>>,
    fixed: Vec<(usize, rp::RigidBodyHandle)>,
    /// Roots of multibodies, with the weld of those that were split off.
    roots: Vec<(rp::RigidBodyHandle, Option<usize>)>,
    welds: Vec<Weld>,
}

impl Builder<'_> {
    fn add_body(&mut self, index: usize, split_at: &[String]) {
        let body = &self.model.bodies[index];
        let parent = body.parent.unwrap_or(WORLD);
        let under = self.mounts[parent];
        let free = body
            .joints
            .iter()
            .any(|&j| self.model.joints[j].kind == JointKind::Free);
        if body.joints.is_empty() {
            self.mounts[index] = under.map(|m| Mount {
                rigid: m.rigid,
                frame: m.frame.mul(&body.pose),
            });
        } else if free {
            self.add_free(index);
        } else {
            let (root, local) = match under {
                None => (self.add_fixed_root(index), Pose::IDENTITY),
                Some(m) if split_at.contains(&self.model.bodies[parent].name) => {
                    self.add_weld(parent, m, index)
                }
                Some(m) => (m.rigid, m.frame.mul(&body.pose)),
            };
            self.add_chain(index, root, &local);
        }
    }

    /// A free body turns about its centre of mass, so that is where its rigid body's frame is.
    fn add_free(&mut self, index: usize) {
        let com = self.masses[index].local_com;
        let shift = Pose {
            pos: array(com),
            quat: Pose::IDENTITY.quat,
        };
        self.masses[index].local_com = rp::Vector::ZERO;
        let rigid = self.add_rigid(&self.poses[index].mul(&shift), self.masses[index]);
        self.mounts[index] = Some(Mount {
            rigid,
            frame: shift.inverse(),
        });
        let carries = (index + 1..self.model.bodies.len()).any(|b| {
            let child = &self.model.bodies[b];
            !child.joints.is_empty() && owner(self.model, child.parent.unwrap_or(WORLD)) == index
        });
        if carries {
            self.roots.push((rigid, None));
        }
    }

    fn add_fixed_root(&mut self, index: usize) -> rp::RigidBodyHandle {
        let pose = to_engine(&self.poses[index]);
        let root = self
            .world
            .bodies
            .insert(rp::RigidBodyBuilder::fixed().pose(pose));
        self.fixed.push((index, root));
        self.roots.push((root, None));
        root
    }

    /// Splits the chain of `index` off: a root of its own, welded to the rigid body of `parent`.
    fn add_weld(
        &mut self,
        parent: usize,
        mount: Mount,
        index: usize,
    ) -> (rp::RigidBodyHandle, Pose) {
        let weld = split::insert(
            &mut self.world,
            mount.rigid,
            &self.masses[owner(self.model, parent)],
            split::chains(self.model, parent),
        );
        let root = weld.root;
        let local = weld
            .frame
            .inverse()
            .mul(&mount.frame)
            .mul(&self.model.bodies[index].pose);
        self.roots.push((root, Some(self.welds.len())));
        self.welds.push(weld);
        (root, local)
    }

    /// The links of a body's joints: carriers without mass, then the body itself.
    fn add_chain(&mut self, index: usize, root: rp::RigidBodyHandle, local: &Pose) {
        let groups = chain::groups(&self.model.joints, &self.model.bodies[index].joints);
        let (mut parent, mut frame) = (root, to_engine(local));
        let pose = self.poses[index];
        for (n, group) in groups.iter().enumerate() {
            let last = n + 1 == groups.len();
            let mass = if last {
                self.masses[index]
            } else {
                rp::MassProperties::default()
            };
            let rigid = self.add_rigid(&pose, mass);
            let anchor = rp::Pose::from_parts(vector(group.anchor), group.basis);
            let free = group
                .axes
                .iter()
                .fold(0, |bits, (_, axis)| bits | 1 << axis);
            let joint =
                rp::GenericJointBuilder::new(rp::JointAxesMask::from_bits_truncate(0x3f & !free))
                    .local_frame1(frame * anchor)
                    .local_frame2(anchor)
                    .build();
            self.world
                .multibody_joints
                .insert(parent, rigid, joint, true);
            for (offset, &(j, axis)) in group.axes.iter().enumerate() {
                self.links[j] = Some((rigid, axis, offset));
            }
            (parent, frame) = (rigid, rp::Pose::IDENTITY);
        }
        self.mounts[index] = Some(Mount {
            rigid: parent,
            frame: Pose::IDENTITY,
        });
    }

    fn add_rigid(&mut self, pose: &Pose, mass: rp::MassProperties) -> rp::RigidBodyHandle {
        let body = rp::RigidBodyBuilder::dynamic()
            .pose(to_engine(pose))
            .can_sleep(false)
            .additional_mass_properties(mass);
        self.world.bodies.insert(body)
    }

    fn add_geom(&mut self, index: usize, rules: &Rules) -> Option<rp::ColliderHandle> {
        if !rules.collides(index) {
            return None;
        }
        let geom = &self.model.geoms[index];
        let (rigid, frame) = match self.mounts[geom.body] {
            Some(mount) => (mount.rigid, mount.frame.mul(&geom.pose)),
            None => (self.fixed_body(geom.body), geom.pose),
        };
        let (groups, hooks) = rules.filter(index);
        let (builder, turn) = collider(&geom.shape);
        let collider = builder
            .position(to_engine(&frame) * turn)
            .density(0.0)
            .friction(geom.friction[0] as f32)
            .friction_combine_rule(rp::CoefficientCombineRule::Max)
            .contact_skin(geom.margin as f32)
            .collision_groups(groups)
            .active_hooks(hooks)
            .user_data(index as u128);
        let World {
            bodies, colliders, ..
        } = &mut self.world;
        Some(colliders.insert_with_parent(collider, rigid, bodies))
    }

    /// The rigid body that carries the colliders of a body that nothing moves.
    fn fixed_body(&mut self, body: usize) -> rp::RigidBodyHandle {
        match self.fixed.iter().find(|(b, _)| *b == body) {
            Some(&(_, rigid)) => rigid,
            None => {
                let pose = to_engine(&self.poses[body]);
                let rigid = self
                    .world
                    .bodies
                    .insert(rp::RigidBodyBuilder::fixed().pose(pose));
                self.fixed.push((body, rigid));
                rigid
            }
        }
    }

    /// Looks up the indices that are final only now, and sets joint properties.
    fn finish(mut self, colliders: Vec<Option<rp::ColliderHandle>>) -> (World, Plan) {
        split::lighten(&mut self.world, &self.welds);
        for (_, body) in self.world.bodies.iter_mut() {
            body.recompute_mass_properties_from_colliders(&self.world.colliders);
        }
        let World {
            bodies,
            multibody_joints,
            ..
        } = &mut self.world;
        let mut chains = Vec::new();
        for &(root, weld) in &self.roots {
            let Some(&link) = multibody_joints.rigid_body_link(root) else {
                continue;
            };
            let Some(multibody) = multibody_joints.get_multibody_mut(link.multibody) else {
                continue;
            };
            multibody.forward_kinematics(bodies, true);
            multibody.update_rigid_bodies(bodies, true);
            multibody.damping_mut().fill(0.0);
            if weld.is_some() {
                split::add_inertia(multibody);
            }
            chains.push(Chain {
                multibody: link.multibody,
                weld,
            });
        }
        let mut coordinates = Vec::with_capacity(self.links.len());
        for (link, joint) in self.links.iter().zip(&self.model.joints) {
            let dof = link.and_then(|(rigid, axis, offset)| {
                let id = *multibody_joints.rigid_body_link(rigid)?;
                let multibody = multibody_joints.get_multibody_mut(id.multibody)?;
                let index = multibody.link(id.id)?.assembly_id() + offset;
                multibody.damping_mut()[index] = joint.damping as f32;
                multibody.armature_mut()[index] = joint.armature as f32;
                Some(Dof {
                    multibody: id.multibody,
                    link: id.id,
                    axis,
                    index,
                })
            });
            coordinates.push(dof.map_or(Coordinate::Free, Coordinate::Scalar));
        }
        let plan = Plan {
            coordinates,
            mounts: self.mounts,
            fixed: self.fixed,
            chains,
            welds: self.welds,
            colliders,
        };
        (self.world, plan)
    }
}

/// The engine's shape, and the turn from the engine's axis to MuJoCo's (z).
pub(crate) fn collider(shape: &Shape) -> (rp::ColliderBuilder, rp::Pose) {
    let upright = rp::Rotation::from_rotation_arc(rp::Vector::Y, rp::Vector::Z);
    let straight = rp::Pose::IDENTITY;
    match *shape {
        Shape::Sphere { radius } => (rp::ColliderBuilder::ball(radius as f32), straight),
        Shape::Capsule {
            radius,
            half_length,
        } => (
            rp::ColliderBuilder::capsule_z(half_length as f32, radius as f32),
            straight,
        ),
        Shape::Cylinder {
            radius,
            half_length,
        } => (
            rp::ColliderBuilder::cylinder(half_length as f32, radius as f32),
            rp::Pose::from_rotation(upright),
        ),
        Shape::Box {
            half_extents: [x, y, z],
        } => (
            rp::ColliderBuilder::cuboid(x as f32, y as f32, z as f32),
            straight,
        ),
        Shape::Ellipsoid { half_extents } => (ellipsoid(half_extents), straight),
        Shape::Plane { .. } => {
            let up = rp::SharedShape::halfspace(rp::Vector::Z);
            (rp::ColliderBuilder::new(up), straight)
        }
        // A flat mesh collides with nothing, which its compiler made sure of.
        Shape::Mesh(ref mesh) => (
            mesh.collider().unwrap_or(rp::ColliderBuilder::ball(1e-6)),
            straight,
        ),
    }
}

/// The engine has no ellipsoids: the hull of 128 points on it, within 1.2 % of its surface.
fn ellipsoid(half_extents: [f64; 3]) -> rp::ColliderBuilder {
    use std::f64::consts::PI;
    let ring = |i: usize| {
        let polar = PI * (i as f64 + 0.5) / 8.0;
        (0..16).map(move |j| {
            let turn = PI * j as f64 / 8.0;
            [
                polar.sin() * turn.cos(),
                polar.sin() * turn.sin(),
                polar.cos(),
            ]
        })
    };
    let points: Vec<rp::Vector> = (0..8)
        .flat_map(ring)
        .map(|p| vector([0, 1, 2].map(|k| p[k] * half_extents[k])))
        .collect();
    let radius = half_extents.iter().fold(f64::INFINITY, |a, &b| a.min(b));
    rp::ColliderBuilder::convex_hull(&points)
        .unwrap_or_else(|| rp::ColliderBuilder::ball(radius as f32))
}
