//! The compiled scene: MuJoCo's `mjModel` for the part of MJCF that Dextra honours.
//!
//! A [`Model`] is immutable and shared; the state that changes lives in [`crate::Sim`].
//! Lengths are metres, angles radians, masses kilograms, quaternions `w, x, y, z`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    error::SceneError, framing::Framing, keyframe::Keyframe, mesh::Mesh, options::PhysicsOptions,
    place::Places, pose::Pose,
};

/// Index of the world body, the root of every tree.
pub const WORLD: usize = 0;

/// A solver reference and impedance (MuJoCo's `solref` and `solimp`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SolverParams {
    /// Time constant in seconds and damping ratio, or (negative) stiffness and damping.
    pub solref: [f64; 2],
    /// `dmin, dmax, width, midpoint, power`.
    pub solimp: [f64; 5],
}

impl Default for SolverParams {
    fn default() -> Self {
        Self {
            solref: [0.02, 1.0],
            solimp: [0.9, 0.95, 0.001, 0.5, 2.0],
        }
    }
}

/// A rigid body: a frame in its parent, with mass and inertia.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Name in the file; bodies without one are called `body<index>`.
    pub name: String,
    /// The parent body; `None` only for the world.
    pub parent: Option<usize>,
    /// Frame in the parent at the reference configuration.
    pub pose: Pose,
    /// Mass, kg; zero for a body that only carries frames.
    pub mass: f64,
    /// Centre of mass and principal axes, in the body's frame.
    pub inertial_pose: Pose,
    /// Principal moments of inertia about the centre of mass, kg m^2.
    pub inertia: [f64; 3],
    /// Joints between this body and its parent, in order; empty when welded.
    pub joints: Vec<usize>,
}

/// What a joint lets move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JointKind {
    /// Rotation about one axis: one position, one velocity.
    Hinge,
    /// Translation along one axis: one position, one velocity.
    Slide,
    /// Free motion: position and quaternion (7), linear and angular velocity (6).
    Free,
}

impl JointKind {
    /// Number of velocities.
    pub fn dofs(self) -> usize {
        match self {
            Self::Hinge | Self::Slide => 1,
            Self::Free => 6,
        }
    }
}

/// A joint between a body and its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Joint {
    /// Name in the file; joints without one are called `joint<index>`.
    pub name: String,
    /// What moves.
    pub kind: JointKind,
    /// The body that the joint moves.
    pub body: usize,
    /// First index in `qpos`.
    pub qpos_adr: usize,
    /// First index in `qvel`.
    pub dof_adr: usize,
    /// Anchor in the body's frame.
    pub anchor: [f64; 3],
    /// Unit axis in the body's frame.
    pub axis: [f64; 3],
    /// Range, when limited.
    pub range: Option<[f64; 2]>,
    /// Distance from a limit at which it begins to act.
    pub margin: f64,
    /// Solver parameters of the limit.
    pub limit: SolverParams,
    /// Viscous damping, N m s/rad or N s/m.
    pub damping: f64,
    /// Rotor inertia added to the diagonal, kg m^2 or kg.
    pub armature: f64,
    /// Dry friction, N m or N.
    pub frictionloss: f64,
    /// Spring stiffness, N m/rad or N/m.
    pub stiffness: f64,
    /// Position at which the spring rests.
    pub springref: f64,
    /// Position in the file's own configuration (`ref`).
    pub reference: f64,
    /// Range to which the sum of all actuators' forces on the joint is clamped, when limited
    /// (`actuatorfrcrange`), N m or N.
    #[serde(skip)]
    pub actuator_force_range: Option<[f64; 2]>,
}

/// A convex shape; cylinders and capsules lie along z, as in MuJoCo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    /// A ball.
    Sphere {
        /// Metres.
        radius: f64,
    },
    /// A cylinder with round caps.
    Capsule {
        /// Metres.
        radius: f64,
        /// Half the length of the straight part, metres.
        half_length: f64,
    },
    /// A cylinder with flat caps.
    Cylinder {
        /// Metres.
        radius: f64,
        /// Metres.
        half_length: f64,
    },
    /// A box.
    Box {
        /// Metres.
        half_extents: [f64; 3],
    },
    /// An ellipsoid.
    Ellipsoid {
        /// Semi-axes, metres.
        half_extents: [f64; 3],
    },
    /// The plane z = 0, drawn as a rectangle; zero extent draws as endless.
    Plane {
        /// Half extents of the drawn rectangle, metres.
        half_extents: [f64; 2],
    },
    /// A mesh, which collides as its convex hull.
    Mesh(Arc<Mesh>),
}

impl Shape {
    /// How far the shape reaches from its centre in a direction of its frame (a unit vector), m:
    /// the support function. A plane reaches nowhere.
    pub fn support(&self, [x, y, z]: [f64; 3]) -> f64 {
        match *self {
            Self::Sphere { radius } => radius,
            Self::Capsule {
                radius,
                half_length,
            } => radius + half_length * z.abs(),
            Self::Cylinder {
                radius,
                half_length,
            } => radius * x.hypot(y) + half_length * z.abs(),
            Self::Box {
                half_extents: [a, b, c],
            } => a * x.abs() + b * y.abs() + c * z.abs(),
            Self::Ellipsoid {
                half_extents: [a, b, c],
            } => (a * x).hypot(b * y).hypot(c * z),
            Self::Plane { .. } => 0.0,
            Self::Mesh(ref mesh) => mesh.support([x, y, z]),
        }
    }

    /// The shape with all its lengths times `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut scaled = self.clone();
        match &mut scaled {
            Self::Sphere { radius } => *radius *= factor,
            Self::Capsule {
                radius,
                half_length,
            }
            | Self::Cylinder {
                radius,
                half_length,
            } => {
                *radius *= factor;
                *half_length *= factor;
            }
            Self::Box { half_extents } | Self::Ellipsoid { half_extents } => {
                half_extents.iter_mut().for_each(|x| *x *= factor);
            }
            Self::Plane { half_extents } => half_extents.iter_mut().for_each(|x| *x *= factor),
            Self::Mesh(mesh) => *mesh = Arc::new(mesh.scaled(factor)),
        }
        scaled
    }

    /// Whether a point of the shape's frame is in it, or on or below the plane.
    pub fn contains(&self, [x, y, z]: [f64; 3]) -> bool {
        match *self {
            Self::Sphere { radius } => x * x + y * y + z * z <= radius * radius,
            Self::Capsule {
                radius,
                half_length,
            } => {
                let beyond = z - z.clamp(-half_length, half_length);
                x * x + y * y + beyond * beyond <= radius * radius
            }
            Self::Cylinder {
                radius,
                half_length,
            } => x * x + y * y <= radius * radius && z.abs() <= half_length,
            Self::Box {
                half_extents: [a, b, c],
            } => x.abs() <= a && y.abs() <= b && z.abs() <= c,
            Self::Ellipsoid {
                half_extents: [a, b, c],
            } => (x / a).powi(2) + (y / b).powi(2) + (z / c).powi(2) <= 1.0,
            Self::Plane { .. } => z <= 0.0,
            Self::Mesh(ref mesh) => mesh.contains([x, y, z]),
        }
    }
}

/// A shape on a body: drawn, collided with, or both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Geom {
    /// Name in the file, if it has one.
    pub name: Option<String>,
    /// The body that carries it.
    pub body: usize,
    /// The shape.
    pub shape: Shape,
    /// Frame in the body.
    pub pose: Pose,
    /// Colour, each channel in 0 to 1.
    pub rgba: [f32; 4],
    /// Whether viewers show it by default (MuJoCo's geom groups 0 to 2).
    pub visible: bool,
    /// Collision bits that the geom has.
    pub contype: u32,
    /// Collision bits that the geom answers to.
    pub conaffinity: u32,
    /// Contact dimension: 1 without friction, 3 sliding, 4 with torsion, 6 with rolling.
    pub condim: u32,
    /// Sliding, torsional and rolling friction.
    pub friction: [f64; 3],
    /// Distance at which contacts are found; margins of a pair add up.
    pub margin: f64,
    /// Which geom's parameters win in a pair.
    pub priority: i32,
    /// Solver parameters of its contacts.
    pub contact: SolverParams,
}

/// A named frame on a body, and a volume around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Name in the file; sites without one are called `site<index>`.
    pub name: String,
    /// The body that carries it.
    pub body: usize,
    /// Frame in the body.
    pub pose: Pose,
    /// The volume in which it feels contacts ([`crate::Sim::site_touch`]).
    pub shape: Shape,
}

/// A fixed tendon: a linear combination of joint positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tendon {
    /// Name in the file; tendons without one are called `tendon<index>`.
    pub name: String,
    /// Joint index and coefficient of each term.
    pub terms: Vec<(usize, f64)>,
    /// Range of its length, when limited.
    pub range: Option<[f64; 2]>,
    /// Distance from a limit at which it begins to act.
    pub margin: f64,
    /// Solver parameters of the limit.
    pub limit: SolverParams,
    /// Spring stiffness.
    pub stiffness: f64,
    /// Viscous damping.
    pub damping: f64,
    /// Rest length interval of the spring.
    pub springlength: [f64; 2],
}

/// What an actuator pulls at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transmission {
    /// A hinge or slide joint, by index.
    Joint(usize),
    /// A fixed tendon, by index.
    Tendon(usize),
}

/// An actuator with MuJoCo's affine law:
/// `force = gain * ctrl + bias[0] + bias[1] * length + bias[2] * velocity`, then clamped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Actuator {
    /// Name in the file; actuators without one are called `actuator<index>`.
    pub name: String,
    /// What it pulls at.
    pub transmission: Transmission,
    /// Scales length, velocity and force.
    pub gear: f64,
    /// Force per unit of control.
    pub gain: f64,
    /// Constant, per length, per velocity.
    pub bias: [f64; 3],
    /// Range to which controls are clamped, when limited.
    pub ctrl_range: Option<[f64; 2]>,
    /// Range to which the force is clamped, when limited.
    pub force_range: Option<[f64; 2]>,
}

/// An explicit contact pair: it exists whatever the collision bits say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContactPair {
    /// The two geoms, by index.
    pub geoms: [usize; 2],
    /// Contact dimension.
    pub condim: u32,
    /// Sliding, torsional and rolling friction.
    pub friction: [f64; 3],
    /// Distance at which contacts are found.
    pub margin: f64,
    /// Solver parameters.
    pub contact: SolverParams,
}

/// A compiled scene.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The file's `model` name.
    pub name: String,
    /// Bodies; 0 is the world, parents come before children.
    pub bodies: Vec<Body>,
    /// Joints in MuJoCo's order (depth first).
    pub joints: Vec<Joint>,
    /// Geoms in MuJoCo's order.
    pub geoms: Vec<Geom>,
    /// Sites in MuJoCo's order.
    pub sites: Vec<Site>,
    /// Fixed tendons.
    pub tendons: Vec<Tendon>,
    /// Actuators in the file's order: the order of `ctrl`.
    pub actuators: Vec<Actuator>,
    /// Explicit contact pairs.
    pub pairs: Vec<ContactPair>,
    /// Body pairs that never collide.
    pub excludes: Vec<[usize; 2]>,
    /// Number of positions.
    pub nq: usize,
    /// Number of velocities.
    pub nv: usize,
    /// Number of controls.
    pub nu: usize,
    /// Timestep, seconds.
    pub timestep_secs: f64,
    /// Gravity, m/s^2.
    pub gravity: [f64; 3],
    /// How the engine is set for this scene.
    pub options: PhysicsOptions,
    /// What the loader accepted without effect, one line each (file, line, what).
    pub warnings: Vec<String>,
    /// The states that the file names (`<keyframe>`).
    #[serde(skip)]
    pub keyframes: Vec<Keyframe>,
    /// What a viewer should look at.
    #[serde(skip)]
    pub framing: Framing,
    /// Where in the files the elements stand.
    #[serde(skip)]
    pub(crate) places: Places,
    pub(crate) hash: String,
}

impl Model {
    /// Hexadecimal SHA-256 over the compiled scene and its physics options.
    ///
    /// Two files with the same hash simulate alike.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Positions in the file's own configuration: MuJoCo's `qpos0`.
    pub fn reference_qpos(&self) -> Vec<f64> {
        let mut qpos = vec![0.0; self.nq];
        for joint in &self.joints {
            match joint.kind {
                JointKind::Hinge | JointKind::Slide => qpos[joint.qpos_adr] = joint.reference,
                JointKind::Free => {
                    let pose = self.bodies[joint.body].pose;
                    qpos[joint.qpos_adr..][..3].copy_from_slice(&pose.pos);
                    qpos[joint.qpos_adr + 3..][..4].copy_from_slice(&pose.quat);
                }
            }
        }
        qpos
    }

    /// Index of a body.
    ///
    /// # Errors
    /// When no body has that name; the error suggests the nearest.
    pub fn body(&self, name: &str) -> Result<usize, SceneError> {
        find("body", name, self.bodies.iter().map(|b| b.name.as_str()))
    }

    /// Index of a joint.
    ///
    /// # Errors
    /// As [`Model::body`].
    pub fn joint(&self, name: &str) -> Result<usize, SceneError> {
        find("joint", name, self.joints.iter().map(|j| j.name.as_str()))
    }

    /// Index of a site.
    ///
    /// # Errors
    /// As [`Model::body`].
    pub fn site(&self, name: &str) -> Result<usize, SceneError> {
        find("site", name, self.sites.iter().map(|s| s.name.as_str()))
    }

    /// Index of a geom.
    ///
    /// # Errors
    /// As [`Model::body`].
    pub fn geom(&self, name: &str) -> Result<usize, SceneError> {
        find(
            "geom",
            name,
            self.geoms
                .iter()
                .map(|g| g.name.as_deref().unwrap_or_default()),
        )
    }

    /// Index of an actuator.
    ///
    /// # Errors
    /// As [`Model::body`].
    pub fn actuator(&self, name: &str) -> Result<usize, SceneError> {
        find(
            "actuator",
            name,
            self.actuators.iter().map(|a| a.name.as_str()),
        )
    }
}

fn find<'a>(
    kind: &'static str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<usize, SceneError> {
    names
        .clone()
        .position(|n| n == name)
        .ok_or_else(|| SceneError::unknown_name(kind, name, names))
}
