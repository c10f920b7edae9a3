//! The numbers that a person changed in a scene, with a way back.

use std::collections::BTreeMap;

use dextra_sim::{Model, Parameter};

#[derive(Clone, Copy, Debug, PartialEq)]
struct Edit {
    parameter: Parameter,
    before: f64,
    after: f64,
}

/// Edits in order, and those that were undone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits {
    done: Vec<Edit>,
    undone: Vec<Edit>,
    /// Whether the last edit goes on, as while a value is dragged.
    goes_on: bool,
}

impl Edits {
    /// Changes a number of the scene.
    pub fn set(&mut self, parameter: Parameter, before: f64, after: f64) {
        self.undone.clear();
        match self.done.last_mut() {
            Some(last) if self.goes_on && last.parameter == parameter => last.after = after,
            _ => self.done.push(Edit {
                parameter,
                before,
                after,
            }),
        }
        self.goes_on = true;
    }

    /// The next change is an edit of its own.
    pub fn finish(&mut self) {
        self.goes_on = false;
    }

    /// Takes the last edit back; false when there is none.
    pub fn undo(&mut self) -> bool {
        self.finish();
        let last = self.done.pop();
        self.undone.extend(last);
        last.is_some()
    }

    /// Makes the last edit that was undone again; false when there is none.
    pub fn redo(&mut self) -> bool {
        self.finish();
        let last = self.undone.pop();
        self.done.extend(last);
        last.is_some()
    }

    /// The parameters that differ from the file.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.values().keys().copied().collect()
    }

    /// How many edits can be taken back.
    pub fn len(&self) -> usize {
        self.done.len()
    }

    /// Whether an edit that was taken back can be made again.
    pub fn is_redoable(&self) -> bool {
        !self.undone.is_empty()
    }

    /// The edited values that differ from the first.
    fn values(&self) -> BTreeMap<Parameter, f64> {
        let mut values: BTreeMap<Parameter, (f64, f64)> = BTreeMap::new();
        for edit in &self.done {
            let entry = values.entry(edit.parameter);
            entry.or_insert((edit.before, edit.after)).1 = edit.after;
        }
        let changed = values
            .into_iter()
            .filter(|(_, (first, last))| first != last);
        changed
            .map(|(parameter, (_, last))| (parameter, last))
            .collect()
    }

    /// The scene with the edits made.
    pub fn apply(&self, base: &Model) -> Result<Model, String> {
        self.values()
            .into_iter()
            .try_fold(base.clone(), |model, (parameter, value)| {
                model.with(parameter, value)
            })
            .map_err(|error| error.to_string())
    }

    /// Moves the edits to a scene that was loaded anew, by the elements' names. Returns how many were
    /// dropped because their element is gone.
    pub fn rebase(&mut self, old: &Model, new: &Model) -> usize {
        let before = self.done.len();
        self.undone.clear();
        self.finish();
        self.done = self
            .done
            .iter()
            .filter_map(|edit| {
                Some(Edit {
                    parameter: renumbered(edit.parameter, old, new)?,
                    ..*edit
                })
            })
            .collect();
        before - self.done.len()
    }
}

/// The same parameter of the element of the same name.
fn renumbered(parameter: Parameter, old: &Model, new: &Model) -> Option<Parameter> {
    let joint = |j: usize| new.joint(&old.joints.get(j)?.name).ok();
    let actuator = |a: usize| new.actuator(&old.actuators.get(a)?.name).ok();
    Some(match parameter {
        Parameter::JointDamping(j) => Parameter::JointDamping(joint(j)?),
        Parameter::JointFrictionloss(j) => Parameter::JointFrictionloss(joint(j)?),
        Parameter::JointArmature(j) => Parameter::JointArmature(joint(j)?),
        Parameter::JointStiffness(j) => Parameter::JointStiffness(joint(j)?),
        Parameter::BodyMass(b) => Parameter::BodyMass(new.body(&old.bodies.get(b)?.name).ok()?),
        Parameter::ActuatorGain(a) => Parameter::ActuatorGain(actuator(a)?),
        Parameter::ActuatorDamping(a) => Parameter::ActuatorDamping(actuator(a)?),
        Parameter::ActuatorGear(a) => Parameter::ActuatorGear(actuator(a)?),
        Parameter::GeomFriction(g, k) => {
            let geom = old.geoms.get(g)?;
            match geom.name.as_deref() {
                Some(name) => Parameter::GeomFriction(new.geom(name).ok()?, k),
                // Without a name, the same shape of the same body.
                None => {
                    let body = new.body(&old.bodies[geom.body].name).ok()?;
                    let nth = |m: &Model, b: usize| -> Vec<usize> {
                        (0..m.geoms.len())
                            .filter(|&i| m.geoms[i].body == b)
                            .collect()
                    };
                    let place = nth(old, geom.body).iter().position(|&i| i == g)?;
                    Parameter::GeomFriction(*nth(new, body).get(place)?, k)
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use dextra_sim::PhysicsOptions;

    fn model(joints: &[&str]) -> Model {
        let bodies: String = joints
            .iter()
            .map(|name| format!("<body><joint name='{name}'/><geom size='0.1'/></body>"))
            .collect();
        let xml = format!("<mujoco><worldbody>{bodies}</worldbody></mujoco>");
        Model::from_xml(&xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap()
    }

    #[test]
    fn edits_are_taken_back_and_made_again_one_by_one() {
        let base = model(&["a", "b"]);
        let (a, b) = (Parameter::JointDamping(0), Parameter::JointDamping(1));
        let mut edits = Edits::default();
        for value in [0.1, 0.2, 0.3] {
            // One drag.
            edits.set(a, 0.0, value);
        }
        edits.finish();
        edits.set(b, 0.0, 1.0);
        let damping = |edits: &Edits| {
            let edited = edits.apply(&base).unwrap();
            [a, b].map(|parameter| edited.value(parameter).unwrap())
        };
        assert_eq!((edits.len(), damping(&edits)), (2, [0.3, 1.0]));
        assert!(edits.undo());
        assert_eq!(damping(&edits), [0.3, 0.0]);
        assert!(edits.undo() && !edits.undo());
        assert_eq!((damping(&edits), edits.parameters().len()), ([0.0; 2], 0));
        assert!(edits.redo());
        assert_eq!(damping(&edits), [0.3, 0.0]);
    }

    #[test]
    fn edits_follow_their_elements_into_a_scene_that_was_loaded_anew() {
        let (old, new) = (model(&["a", "b"]), model(&["b", "c"]));
        let mut edits = Edits::default();
        edits.set(Parameter::JointDamping(0), 0.0, 1.0);
        edits.set(Parameter::JointDamping(1), 0.0, 2.0);
        assert_eq!(edits.rebase(&old, &new), 1);
        assert_eq!(edits.parameters(), [Parameter::JointDamping(0)]);
        assert_eq!(edits.apply(&new).unwrap().joints[0].damping, 2.0);
    }
}
