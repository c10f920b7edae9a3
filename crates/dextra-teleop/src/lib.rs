//! Driving a hand: from keys, mouse and gamepad to actions, and from takes to demonstrations; no window.
//!
//! Device events are plain data ([`Input`]) and go through one table ([`bindings`]) to a [`Driver`], which
//! moves the wrist target and the fingers and gives an action per control step. A [`Session`] drives one
//! episode: countdown, speed, pause, rewinding. A [`Recorder`] makes a dataset of sessions. Scripts of
//! device events ([`Script`]) take the same way as a person's. A [`Takeover`] drives what somebody else has begun.

pub mod bindings;
mod config;
mod driver;
mod error;
mod hand;
mod input;
mod operator;
mod pad;
mod recorder;
mod rig;
mod script;
mod session;
mod synergy;
mod take;
mod takeover;

pub use bindings::Command;
pub use config::{Posture, Synergy, SynergyFile, TeleopConfig};
pub use driver::{Driven, Driver};
pub use error::TeleopError;
pub use input::{AXES, Axis, BUTTONS, Button, Input};
pub use operator::Operator;
#[cfg(target_os = "linux")]
pub use pad::listen as listen_to_pads;
pub use pad::{Pad, PadAxis, PadEvent, PadId, PadInfo};
pub use recorder::{Notice, Recorder};
pub use rig::Rig;
pub use script::Script;
pub use session::{End, Phase, Session};
pub use synergy::{Component, principal_components};
pub use take::Take;
pub use takeover::Takeover;
