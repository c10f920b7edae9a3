//! The numbers of a model that a person edits while it runs.

use std::path::Path;

use crate::{
    compile::digest,
    error::SceneError,
    model::{Actuator, JointKind, Model},
};

/// A number of a model, by the element's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parameter {
    /// Viscous damping of a joint.
    JointDamping(usize),
    /// Dry friction of a joint.
    JointFrictionloss(usize),
    /// Rotor inertia of a joint.
    JointArmature(usize),
    /// Spring stiffness of a joint.
    JointStiffness(usize),
    /// A friction coefficient of a geom: 0 sliding, 1 torsional, 2 rolling.
    GeomFriction(usize, usize),
    /// Mass of a body; its inertia grows with it.
    BodyMass(usize),
    /// Gain of an actuator: `kp` of a position servo, `kv` of a velocity servo, else `gainprm`.
    ActuatorGain(usize),
    /// Damping of a position servo, `kv`.
    ActuatorDamping(usize),
    /// Gear of an actuator.
    ActuatorGear(usize),
}

/// How an actuator's bias follows its gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Servo {
    Position,
    Velocity,
    /// The gain alone.
    Open,
}

impl Servo {
    pub(crate) fn of(actuator: &Actuator) -> Self {
        let [_, per_length, per_velocity] = actuator.bias;
        if per_length != 0.0 && per_length == -actuator.gain {
            Self::Position
        } else if per_length == 0.0 && per_velocity != 0.0 && per_velocity == -actuator.gain {
            Self::Velocity
        } else {
            Self::Open
        }
    }
}

impl Model {
    /// The present value of a parameter; `None` when the model has no such element.
    pub fn value(&self, parameter: Parameter) -> Option<f64> {
        Some(match parameter {
            Parameter::JointDamping(j) => self.joints.get(j)?.damping,
            Parameter::JointFrictionloss(j) => self.joints.get(j)?.frictionloss,
            Parameter::JointArmature(j) => self.joints.get(j)?.armature,
            Parameter::JointStiffness(j) => self.joints.get(j)?.stiffness,
            Parameter::GeomFriction(g, k) => *self.geoms.get(g)?.friction.get(k)?,
            Parameter::BodyMass(b) => self.bodies.get(b)?.mass,
            Parameter::ActuatorGain(a) => self.actuators.get(a)?.gain,
            Parameter::ActuatorDamping(a) => -self.actuators.get(a)?.bias[2],
            Parameter::ActuatorGear(a) => self.actuators.get(a)?.gear,
        })
    }

    /// The parameters of a joint.
    pub fn joint_parameters(&self, joint: usize) -> Vec<Parameter> {
        match self.joints.get(joint).map(|j| j.kind) {
            Some(JointKind::Hinge | JointKind::Slide) => vec![
                Parameter::JointDamping(joint),
                Parameter::JointFrictionloss(joint),
                Parameter::JointArmature(joint),
                Parameter::JointStiffness(joint),
            ],
            _ => Vec::new(),
        }
    }

    /// The parameters of an actuator.
    pub fn actuator_parameters(&self, actuator: usize) -> Vec<Parameter> {
        let Some(found) = self.actuators.get(actuator) else {
            return Vec::new();
        };
        let gear = Parameter::ActuatorGear(actuator);
        match Servo::of(found) {
            Servo::Position => vec![
                Parameter::ActuatorGain(actuator),
                Parameter::ActuatorDamping(actuator),
                gear,
            ],
            Servo::Velocity => vec![Parameter::ActuatorGain(actuator), gear],
            // A motor's gain is one: its gear says how strong it is.
            Servo::Open if found.bias == [0.0; 3] => vec![gear],
            Servo::Open => vec![Parameter::ActuatorGain(actuator), gear],
        }
    }

    /// What a parameter is called in MJCF.
    pub fn parameter_name(&self, parameter: Parameter) -> &'static str {
        let servo = |a: usize| self.actuators.get(a).map(Servo::of);
        match parameter {
            Parameter::JointDamping(_) => "damping",
            Parameter::JointFrictionloss(_) => "frictionloss",
            Parameter::JointArmature(_) => "armature",
            Parameter::JointStiffness(_) => "stiffness",
            Parameter::GeomFriction(_, 0) => "friction, sliding",
            Parameter::GeomFriction(_, 1) => "friction, torsional",
            Parameter::GeomFriction(..) => "friction, rolling",
            Parameter::BodyMass(_) => "mass",
            Parameter::ActuatorGain(a) if servo(a) == Some(Servo::Position) => "kp",
            Parameter::ActuatorGain(a) if servo(a) == Some(Servo::Velocity) => "kv",
            Parameter::ActuatorGain(_) => "gain",
            Parameter::ActuatorDamping(_) => "kv",
            Parameter::ActuatorGear(_) => "gear",
        }
    }

    /// The unit of a parameter; empty for what has none.
    pub fn parameter_unit(&self, parameter: Parameter) -> &'static str {
        let slides = |j: usize| {
            self.joints
                .get(j)
                .is_some_and(|j| j.kind == JointKind::Slide)
        };
        match parameter {
            Parameter::JointDamping(j) if slides(j) => "N s/m",
            Parameter::JointDamping(_) => "N m s/rad",
            Parameter::JointFrictionloss(j) if slides(j) => "N",
            Parameter::JointFrictionloss(_) => "N m",
            Parameter::JointArmature(j) if slides(j) => "kg",
            Parameter::JointArmature(_) => "kg m²",
            Parameter::JointStiffness(j) if slides(j) => "N/m",
            Parameter::JointStiffness(_) => "N m/rad",
            Parameter::GeomFriction(_, 1 | 2) => "m",
            Parameter::BodyMass(_) => "kg",
            _ => "",
        }
    }

    /// The model with one number changed; its hash follows.
    ///
    /// # Errors
    /// When there is no such element, or when the value is not finite, negative, or, for a mass,
    /// zero.
    pub fn with(&self, parameter: Parameter, value: f64) -> Result<Self, SceneError> {
        let name = self.parameter_name(parameter);
        let refuse = |problem: String| Err(SceneError::scene(Path::new(&self.name), problem));
        let least = match parameter {
            Parameter::BodyMass(_) => f64::MIN_POSITIVE,
            Parameter::ActuatorGear(_) => f64::MIN,
            _ => 0.0,
        };
        if !(value.is_finite() && value >= least) {
            return refuse(format!("{name} cannot be {value}"));
        }
        let Some(old) = self.value(parameter) else {
            return refuse(format!("no element has this {name}"));
        };
        let mut model = self.clone();
        match parameter {
            Parameter::JointDamping(j) => model.joints[j].damping = value,
            Parameter::JointFrictionloss(j) => model.joints[j].frictionloss = value,
            Parameter::JointArmature(j) => model.joints[j].armature = value,
            Parameter::JointStiffness(j) => model.joints[j].stiffness = value,
            Parameter::GeomFriction(g, k) => model.geoms[g].friction[k] = value,
            Parameter::BodyMass(_) if old <= 0.0 => {
                return refuse("a body without mass only carries frames".into());
            }
            Parameter::BodyMass(b) => {
                let body = &mut model.bodies[b];
                body.mass = value;
                body.inertia = body.inertia.map(|moment| moment * (value / old));
            }
            Parameter::ActuatorGain(a) => {
                let actuator = &mut model.actuators[a];
                match Servo::of(actuator) {
                    Servo::Position => actuator.bias[1] = -value,
                    Servo::Velocity => actuator.bias[2] = -value,
                    Servo::Open => {}
                }
                actuator.gain = value;
            }
            Parameter::ActuatorDamping(a) => model.actuators[a].bias[2] = -value,
            Parameter::ActuatorGear(a) => model.actuators[a].gear = value,
        }
        model.rehash()?;
        Ok(model)
    }

    /// Brings the hash up to date after a change.
    pub(crate) fn rehash(&mut self) -> Result<(), SceneError> {
        let warnings = std::mem::take(&mut self.warnings);
        self.hash.clear();
        let hash = digest(self, Path::new(&self.name));
        self.warnings = warnings;
        self.hash = hash?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::PhysicsOptions;

    const XML: &str = r#"<mujoco><worldbody><body name="b">
        <joint name="j" axis="0 1 0" damping="0.1"/><geom name="g" type="sphere" size="0.1"/>
        </body></worldbody><actuator><position name="p" joint="j" kp="5" kv="1"/></actuator></mujoco>"#;

    fn model(xml: &str) -> Model {
        Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap()
    }

    #[test]
    fn an_edited_model_is_the_one_that_the_edited_file_gives() {
        let edited = model(XML)
            .with(Parameter::ActuatorGain(0), 7.0)
            .and_then(|m| m.with(Parameter::ActuatorDamping(0), 2.0))
            .and_then(|m| m.with(Parameter::JointDamping(0), 0.25))
            .and_then(|m| m.with(Parameter::GeomFriction(0, 0), 0.5))
            .unwrap();
        let xml = XML
            .replace("kp=\"5\" kv=\"1\"", "kp=\"7\" kv=\"2\"")
            .replace("damping=\"0.1\"", "damping=\"0.25\"")
            .replace("name=\"g\"", "name=\"g\" friction=\"0.5\"");
        assert_eq!(edited.hash(), model(&xml).hash());
        assert_ne!(edited.hash(), model(XML).hash());
    }

    #[test]
    fn senseless_values_are_refused() {
        let model = model(XML);
        for (parameter, value) in [
            (Parameter::JointDamping(0), -1.0),
            (Parameter::BodyMass(1), 0.0),
            (Parameter::BodyMass(0), 1.0),
            (Parameter::JointDamping(9), 1.0),
            (Parameter::ActuatorGain(0), f64::NAN),
        ] {
            assert!(model.with(parameter, value).is_err(), "{parameter:?}");
        }
    }
}
