//! A simulated world: MJCF to Rapier, controls in, state and contacts out.
//!
//! [`Model`] is the compiled scene (MuJoCo's `mjModel`), immutable and shared;
//! [`Sim`] is one world with its state (`mjData`), owned by one thread.
//!
//! ```
//! use std::{path::Path, sync::Arc};
//! use dextra_sim::{Model, PhysicsOptions, Sim};
//!
//! let xml = r#"<mujoco><worldbody><body pos="0 0 1">
//!     <joint name="swing" axis="0 1 0"/><geom type="capsule" size="0.02" fromto="0 0 0 0.3 0 0"/>
//! </body></worldbody></mujoco>"#;
//! let model = Model::from_xml(xml, Path::new("swing.xml"), &PhysicsOptions::default())?;
//! let mut sim = Sim::new(Arc::new(model));
//! sim.step(&[]);
//! assert!(sim.qvel()[0] > 0.0);
//! # Ok::<(), dextra_sim::SceneError>(())
//! ```

mod audit;
mod build;
mod chain;
mod compile;
mod contact;
mod convert;
mod drive;
mod engine;
mod error;
mod framing;
mod keyframe;
mod limit;
mod mesh;
mod mobility;
mod model;
mod options;
mod parameter;
mod place;
mod pose;
mod ray;
mod save;
mod sim;
mod snapshot;
mod softness;
mod source;
mod split;
mod torsion;
mod world;

pub use contact::Contact;
pub use error::{SceneError, SimError};
pub use framing::Framing;
pub use keyframe::Keyframe;
pub use mesh::{Hull, Mesh};
pub use model::{
    Actuator, Body, ContactPair, Geom, Joint, JointKind, Model, Shape, Site, SolverParams, Tendon,
    Transmission, WORLD,
};
pub use options::PhysicsOptions;
pub use parameter::Parameter;
pub use place::Place;
pub use pose::Pose;
pub use sim::{Push, Sim, StepTimes};
pub use snapshot::Snapshot;
pub use source::scene_files;

/// Version of the physics engine: results of different versions must not be mixed.
pub const RAPIER_VERSION: &str = rapier3d::VERSION;
