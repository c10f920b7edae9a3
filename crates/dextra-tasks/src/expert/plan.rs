//! The `[expert]` table checked against the scene: names become indices.

use dextra_sim::{JointKind, Model, Sim};

use super::{
    ExpertState, Waypoint,
    config::{
        ExpertConfig, FrameConfig, LeadConfig, MotionConfig, Posture, RetryConfig, ToolConfig,
    },
    controller,
    tracker::{PalmTracker, Tracking},
};
use crate::{TaskError, config::Source};

/// What a waypoint is given relative to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Frame {
    Site(usize),
    Body(usize),
    Origin(usize),
}

/// See [`ToolConfig`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    pub body: usize,
    pub at_m: [f64; 3],
}

/// See [`LeadConfig`]; in the joint's unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lead {
    pub joint: usize,
    pub by: f64,
    pub up_to: f64,
}

/// See [`RetryConfig`]; in the joint's unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    pub qpos_adr: usize,
    pub below: f64,
    pub to: usize,
}

/// See [`MotionConfig`].
#[derive(Clone, Debug)]
pub(crate) struct Motion {
    pub name: String,
    pub steps: usize,
    pub frame: Frame,
    pub leads: Vec<Lead>,
    pub tool: Option<Tool>,
    pub position_m: [f64; 3],
    pub rotation_rad: [f64; 3],
    pub rotation_weight_m: f64,
    pub posture: String,
    /// Angle of each actuator's joint, zero for the arm's.
    pub posture_rad: Vec<f64>,
    pub retry: Option<Retry>,
}

/// A waypoint controller, ready for its scene.
#[derive(Clone, Debug)]
pub(crate) struct WaypointPlan {
    pub tracker: PalmTracker,
    pub position_noise_m: f64,
    pub motions: Vec<Motion>,
}

impl WaypointPlan {
    /// Where a motion wants palm and fingers now.
    pub fn waypoint(&self, motion: &Motion, state: &ExpertState, sim: &Sim) -> Waypoint {
        let wanted = controller::wanted(self, motion, state, sim);
        Waypoint {
            name: motion.name.clone(),
            palm: self.tracker.palm(&wanted),
            posture: motion.posture.clone(),
        }
    }

    pub fn compile(
        config: ExpertConfig,
        model: &Model,
        source: &Source,
    ) -> Result<Self, TaskError> {
        for (key, value) in [("gain", config.gain), ("damping_m", config.damping_m)] {
            let good = value.is_finite() && value > 0.0;
            source.require(
                format!("expert.{key}"),
                value,
                good,
                "a finite number above 0",
            )?;
        }
        let noise_m = config.position_noise_m;
        let good = noise_m.is_finite() && noise_m >= 0.0;
        source.require(
            "expert.position_noise_m",
            noise_m,
            good,
            "a finite number of at least 0",
        )?;
        let motions = config.motions.len();
        source.require(
            "expert.motions",
            motions,
            motions > 0,
            "a list of at least one motion",
        )?;

        let tracking = Tracking {
            gain: config.gain,
            damping_m: config.damping_m,
        };
        let palm = source.scene(model.site(&config.palm))?;
        let tracker = PalmTracker::new(model, palm, tracking)?;
        let tracker = anticipating(tracker, &config, model, source)?;
        let compiler = Compiler {
            config: &config,
            model,
            source,
            actuated: tracker.actuated(),
        };
        let motions = config
            .motions
            .iter()
            .map(|m| compiler.motion(m))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            tracker,
            position_noise_m: noise_m,
            motions,
        })
    }
}

fn anticipating(
    mut tracker: PalmTracker,
    config: &ExpertConfig,
    model: &Model,
    source: &Source,
) -> Result<PalmTracker, TaskError> {
    for (name, &secs) in &config.anticipation_secs {
        let key = format!("expert.anticipation_secs.{name}");
        let joint = source.scene(model.joint(name))?;
        let good = secs.is_finite() && secs >= 0.0 && tracker.anticipate(joint, secs);
        let allowed = "a finite number of at least 0, for a joint between the world and the palm";
        source.require(key, secs, good, allowed)?;
    }
    Ok(tracker)
}

struct Compiler<'a> {
    config: &'a ExpertConfig,
    model: &'a Model,
    source: &'a Source,
    actuated: &'a [usize],
}

impl Compiler<'_> {
    fn motion(&self, motion: &MotionConfig) -> Result<Motion, TaskError> {
        let key = |name: &str| format!("expert.motions.{}.{name}", motion.name);
        self.source
            .require(key("steps"), motion.steps, motion.steps > 0, "at least 1")?;
        let frame = match &motion.frame {
            FrameConfig::Site(name) => Frame::Site(self.source.scene(self.model.site(name))?),
            FrameConfig::Body(name) => Frame::Body(self.source.scene(self.model.body(name))?),
            FrameConfig::Origin(name) => Frame::Origin(self.source.scene(self.model.body(name))?),
        };
        let lead = |(name, lead): (&String, &LeadConfig)| {
            let joint = self.hinge_or_slide(name, &key("lead"))?;
            let value = |quantity, rad, m| {
                self.in_unit_of(joint, &key(&format!("lead.{name}.{quantity}")), rad, m)
            };
            Ok(Lead {
                joint,
                by: value("by", lead.by_rad, lead.by_m)?,
                up_to: value("up_to", lead.up_to_rad, lead.up_to_m)?,
            })
        };
        Ok(Motion {
            name: motion.name.clone(),
            steps: motion.steps,
            frame,
            leads: motion
                .lead
                .iter()
                .map(lead)
                .collect::<Result<_, TaskError>>()?,
            tool: motion.tool.as_ref().map(|t| self.tool(t)).transpose()?,
            position_m: motion.position_m,
            rotation_rad: motion.rotation_rad,
            rotation_weight_m: motion.rotation_weight_m,
            posture: motion.posture.clone(),
            posture_rad: self.posture(&motion.posture, &key("posture"))?,
            retry: motion
                .retry
                .as_ref()
                .map(|r| self.retry(r, &key("retry")))
                .transpose()?,
        })
    }

    fn retry(&self, retry: &RetryConfig, key: &str) -> Result<Retry, TaskError> {
        let names = || self.config.motions.iter().map(|m| m.name.as_str());
        let to = names().position(|name| name == retry.to);
        let known = names().collect::<Vec<_>>().join(", ");
        let allowed = format!("the name of a motion: {known}");
        self.source
            .require(format!("{key}.to"), &retry.to, to.is_some(), allowed)?;
        let joint = self.hinge_or_slide(&retry.joint, key)?;
        let below_key = format!("{key}.below");
        Ok(Retry {
            qpos_adr: self.model.joints[joint].qpos_adr,
            below: self.in_unit_of(joint, &below_key, retry.below_rad, retry.below_m)?,
            to: to.unwrap_or_default(),
        })
    }

    fn tool(&self, tool: &ToolConfig) -> Result<Tool, TaskError> {
        Ok(Tool {
            body: self.source.scene(self.model.body(&tool.body))?,
            at_m: tool.at_m,
        })
    }

    fn hinge_or_slide(&self, name: &str, key: &str) -> Result<usize, TaskError> {
        let joint = self.source.scene(self.model.joint(name))?;
        let scalar = self.model.joints[joint].kind != JointKind::Free;
        self.source
            .require(key, name, scalar, "the name of a hinge or slide")?;
        Ok(joint)
    }

    /// The one of two values that is in the joint's unit; the other must be absent.
    fn in_unit_of(
        &self,
        joint: usize,
        key: &str,
        rad: Option<f64>,
        m: Option<f64>,
    ) -> Result<f64, TaskError> {
        let (unit, value, other) = match self.model.joints[joint].kind {
            JointKind::Slide => ("m", m, rad),
            JointKind::Hinge | JointKind::Free => ("rad", rad, m),
        };
        let allowed = format!("`{key}_{unit}`, a finite number, alone");
        let good = value.is_some_and(f64::is_finite) && other.is_none();
        self.source.require(key, (rad, m), good, allowed)?;
        Ok(value.unwrap_or_default())
    }

    fn posture(&self, name: &str, key: &str) -> Result<Vec<f64>, TaskError> {
        let empty = Posture::new();
        let posture = self.config.postures.get(name);
        let known = self
            .config
            .postures
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let allowed = format!("the name of a posture: {known}");
        self.source.require(key, name, posture.is_some(), allowed)?;
        let mut angles_rad = vec![0.0; self.actuated.len()];
        for (joint_name, &angle_rad) in posture.unwrap_or(&empty) {
            let key = format!("expert.postures.{name}.{joint_name}");
            let joint = self.source.scene(self.model.joint(joint_name))?;
            let actuator = self.actuated.iter().position(|&j| j == joint);
            let allowed = "an angle of a joint with an actuator";
            self.source
                .require(&key, angle_rad, actuator.is_some(), allowed)?;
            angles_rad[actuator.unwrap_or_default()] = angle_rad;
        }
        Ok(angles_rad)
    }
}
