//! The `[expert]` table of a task file.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, de::DeserializeOwned};
use toml::{Table, Value};

use crate::{TaskError, config::Source};

/// The `[expert]` table. Its key `kind` says which; without it, it is a waypoint controller.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Table")]
pub(crate) enum ExpertTable {
    Waypoints(ExpertConfig),
    Sequences(SequencesConfig),
    Primitives(PrimitivesConfig),
}

impl TryFrom<Table> for ExpertTable {
    type Error = String;

    fn try_from(mut table: Table) -> Result<Self, String> {
        fn of<T: DeserializeOwned>(table: Table) -> Result<T, String> {
            let error = |error: toml::de::Error| error.message().to_owned();
            Table::try_into(table).map_err(error)
        }
        match table.remove("kind") {
            None => of(table).map(Self::Waypoints),
            Some(Value::String(kind)) if kind == "waypoints" => of(table).map(Self::Waypoints),
            Some(Value::String(kind)) if kind == "sequences" => of(table).map(Self::Sequences),
            Some(Value::String(kind)) if kind == "primitives" => of(table).map(Self::Primitives),
            Some(kind) => Err(format!(
                "`expert.kind` is {kind}; it must be \"waypoints\", \"sequences\" or \"primitives\""
            )),
        }
    }
}

/// A library of posture sequences, and which of them serves which goal: that of the nearest is played
/// back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SequencesConfig {
    /// The library, beside the task file. Each line: the actions of each posture in turn, separated by
    /// commas; lines that begin with `#` are comments.
    pub library: PathBuf,
    /// The goals, beside the task file. Each line: a goal, then its sequence, counted from 0.
    pub goals: PathBuf,
    /// Control steps at which the postures are reached; between them the actions are interpolated.
    pub knots: Vec<usize>,
    /// Deviation of what an episode's actions are off by, in units of the action.
    pub action_noise: f64,
}

/// A policy that chooses postures, learnt from scratch.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrimitivesConfig {
    /// The policy, a `.safetensors` file beside the task file.
    pub policy: PathBuf,
    /// Control steps for which a posture is held: the `action_repeat` that the policy learnt with.
    pub hold_steps: usize,
    /// Deviation of what a posture is missed by, in units of the action.
    pub action_noise: f64,
}

/// The `action_noise` of an expert's table, if it is a deviation.
pub(crate) fn checked_noise(noise: f64, source: &Source) -> Result<f64, TaskError> {
    source.require(
        "expert.action_noise",
        noise,
        noise.is_finite() && noise >= 0.0,
        "a finite number of at least 0",
    )?;
    Ok(noise)
}

/// Joint angles (rad) by joint name; joints that are not named rest at zero.
pub(crate) type Posture = BTreeMap<String, f64>;

/// A waypoint controller as written in a task file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpertConfig {
    /// The site that is led along the waypoints. The joints between it and the world are the arm;
    /// all other actuators follow the postures.
    pub palm: String,
    /// How far ahead of the arm its position targets run: 1 commands the waypoint itself, more
    /// gets there faster (the arm's servos are slow).
    pub gain: f64,
    /// Joints of the arm that are led as if they were already where they will be this much later,
    /// so that they do not overshoot: a servo's gain brings no damping with it. Too much makes a
    /// light joint shake.
    #[serde(default)]
    pub anticipation_secs: BTreeMap<String, f64>,
    /// Damping of the inverse kinematics, metres.
    pub damping_m: f64,
    /// Each visit of a waypoint misses it by up to this much along each axis.
    pub position_noise_m: f64,
    /// Hand postures by name.
    pub postures: BTreeMap<String, Posture>,
    /// What to do, in order; the last motion goes on to the end.
    pub motions: Vec<MotionConfig>,
}

/// One motion: a timer, a target for the palm and a posture for the hand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MotionConfig {
    pub name: String,
    /// Control steps until the next motion.
    pub steps: usize,
    /// The frame in which the target is given. It moves with what carries it.
    pub frame: FrameConfig,
    /// Joints of the mechanism that the target runs ahead of: this is what pushes and pulls.
    #[serde(default)]
    pub lead: BTreeMap<String, LeadConfig>,
    /// What is led to the target; the palm where absent.
    pub tool: Option<ToolConfig>,
    /// Where the palm or the tool should be in the frame.
    pub position_m: [f64; 3],
    /// How the palm should be turned from its reference orientation, or the tool from the frame:
    /// a rotation vector in the frame.
    pub rotation_rad: [f64; 3],
    /// What a radian of rotation error weighs against a metre of position error.
    pub rotation_weight_m: f64,
    /// Name of a posture.
    pub posture: String,
    /// Where to go instead of on to the next motion.
    pub retry: Option<RetryConfig>,
}

/// Something that carries a target.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FrameConfig {
    Site(String),
    Body(String),
    /// The position of a body, with the axes of the world: for what rolls.
    Origin(String),
}

/// A point of a thing that the hand holds. It is led as if it were held fast.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolConfig {
    pub body: String,
    /// The point in the body's frame.
    pub at_m: [f64; 3],
}

/// The frame is taken where it will be when a joint has moved on. Radians for a hinge, metres for
/// a slide.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeadConfig {
    /// How much further.
    pub by_rad: Option<f64>,
    pub by_m: Option<f64>,
    /// But no further than this.
    pub up_to_rad: Option<f64>,
    pub up_to_m: Option<f64>,
}

/// A jump when the motion's time is up and a joint has not come far enough. Radians for a hinge,
/// metres for a slide.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryConfig {
    pub joint: String,
    pub below_rad: Option<f64>,
    pub below_m: Option<f64>,
    /// Name of the motion to go to.
    pub to: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        #[expect(dead_code, reason = "only the errors are looked at")]
        expert: ExpertTable,
    }

    #[test]
    fn kinds_and_their_keys_are_checked() {
        for (text, expected) in [
            ("kind = \"sequence\"", "\"sequences\" or \"primitives\""),
            ("kind = 3", "\"sequences\" or \"primitives\""),
            ("kind = \"primitives\"\nhold_steps = 12", "policy"),
            ("kind = \"sequences\"\nknots = [0]", "library"),
            ("kind = \"sequences\"\nknot = [0]", "`knot`"),
            ("palms = \"S_grasp\"", "`palms`"),
        ] {
            let file = format!("[expert]\n{text}\n");
            let message = toml::from_str::<File>(&file).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
