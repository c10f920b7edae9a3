//! Writing edited numbers back into MJCF, and nothing else: comments, order and spacing stay.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use roxmltree::{Document, Node};

use crate::{
    error::SceneError,
    model::Model,
    parameter::{Parameter, Servo},
    place::Place,
    source,
};

/// A replacement in a file's text.
struct Change {
    range: Range<usize>,
    text: String,
}

impl Model {
    /// The texts of the files of the scene at `path` with these parameters as this model has them.
    /// `original` is the model that the files give now. Files that stay as they are, are left out.
    ///
    /// Attributes that an element inherits from a class are written at the element.
    ///
    /// # Errors
    /// When a file cannot be read or has changed since, or when a number cannot be written so that the
    /// files give this model, for example because a mass is set by `settotalmass`.
    pub fn saved(
        &self,
        original: &Self,
        path: &Path,
        parameters: &[Parameter],
    ) -> Result<BTreeMap<PathBuf, String>, SceneError> {
        let mut wanted: Vec<(&Place, &'static str, String)> = Vec::new();
        for &parameter in parameters {
            original.attributes(self, parameter, path, &mut wanted)?;
        }
        let mut by_file: BTreeMap<PathBuf, Vec<_>> = BTreeMap::new();
        for (place, attribute, value) in wanted {
            let file = by_file.entry(place.file.to_path_buf()).or_default();
            // Of two edits of one attribute (two numbers of a friction) the text is the same.
            if !file.iter().any(|(p, a, _)| (*p, *a) == (place, attribute)) {
                file.push((place, attribute, value));
            }
        }
        let mut texts = BTreeMap::new();
        for (file, wanted) in by_file {
            texts.insert(file.clone(), rewritten(&file, &wanted)?);
        }
        self.verify(path, &texts, parameters)?;
        Ok(texts)
    }

    /// The attributes that say a parameter, and what they must say for `edited`.
    fn attributes<'a>(
        &'a self,
        edited: &Self,
        parameter: Parameter,
        path: &Path,
        out: &mut Vec<(&'a Place, &'static str, String)>,
    ) -> Result<(), SceneError> {
        let lost = || SceneError::scene(path, "this scene was not loaded from a file");
        let value = edited.value(parameter).ok_or_else(lost)?;
        let joint = |j: usize| self.places.joints.get(j).ok_or_else(lost);
        let actuator = |a: usize| self.places.actuators.get(a).ok_or_else(lost);
        match parameter {
            Parameter::JointDamping(j) => out.push((joint(j)?, "damping", number(value))),
            Parameter::JointFrictionloss(j) => out.push((joint(j)?, "frictionloss", number(value))),
            Parameter::JointArmature(j) => out.push((joint(j)?, "armature", number(value))),
            Parameter::JointStiffness(j) => out.push((joint(j)?, "stiffness", number(value))),
            Parameter::GeomFriction(g, _) => {
                let (place, _) = self.places.geoms.get(g).ok_or_else(lost)?;
                out.push((place, "friction", numbers(&edited.geoms[g].friction)));
            }
            Parameter::BodyMass(b) => self.masses(edited, b, out),
            Parameter::ActuatorGear(a) => out.push((actuator(a)?, "gear", number(value))),
            Parameter::ActuatorGain(a) | Parameter::ActuatorDamping(a) => {
                let place = actuator(a)?;
                let bias = numbers(&edited.actuators[a].bias);
                match (place.tag.as_str(), parameter) {
                    ("position", Parameter::ActuatorGain(_)) => {
                        out.push((place, "kp", number(value)));
                    }
                    ("position" | "velocity", _) => out.push((place, "kv", number(value))),
                    (_, Parameter::ActuatorGain(_)) => {
                        out.push((place, "gainprm", number(value)));
                        if Servo::of(&self.actuators[a]) != Servo::Open {
                            out.push((place, "biasprm", bias));
                        }
                    }
                    _ => out.push((place, "biasprm", bias)),
                }
            }
        }
        Ok(())
    }

    /// A body's mass: that of its `<inertial>`, or of all its geoms in proportion.
    fn masses<'a>(
        &'a self,
        edited: &Self,
        body: usize,
        out: &mut Vec<(&'a Place, &'static str, String)>,
    ) {
        let factor = edited.bodies[body].mass / self.bodies[body].mass;
        if let Some(Some(inertial)) = self.places.inertials.get(body) {
            out.push((inertial, "mass", number(edited.bodies[body].mass)));
            out.push((inertial, INERTIA, number(factor)));
            return;
        }
        for (geom, (place, mass)) in self.geoms.iter().zip(&self.places.geoms) {
            if geom.body == body && *mass > 0.0 {
                out.push((place, "mass", number(mass * factor)));
            }
        }
    }

    /// The new files must give this model.
    fn verify(
        &self,
        path: &Path,
        texts: &BTreeMap<PathBuf, String>,
        parameters: &[Parameter],
    ) -> Result<(), SceneError> {
        let root = source::read_as(path, texts)?;
        let mut found = crate::compile::compile(&root, path, &self.options)?;
        // Sums and products of masses round differently.
        let near = |a: &[f64], b: &[f64]| {
            let mut pairs = a.iter().zip(b);
            pairs.all(|(a, b)| (a - b).abs() <= 1e-9 * (a.abs() + b.abs()).max(1e-6))
        };
        for (mine, theirs) in self.bodies.iter().zip(&mut found.bodies) {
            let (a, b) = (&mine.inertial_pose, &theirs.inertial_pose);
            if near(&[mine.mass], &[theirs.mass])
                && near(&mine.inertia, &theirs.inertia)
                && near(&a.pos, &b.pos)
                && near(&a.quat, &b.quat)
            {
                (theirs.mass, theirs.inertia) = (mine.mass, mine.inertia);
                theirs.inertial_pose = mine.inertial_pose;
            }
        }
        found.rehash()?;
        if found.hash() == self.hash() {
            return Ok(());
        }
        let names: Vec<_> = parameters
            .iter()
            .map(|&parameter| self.parameter_name(parameter))
            .collect();
        Err(SceneError::scene(
            path,
            format!(
                "{} cannot be written at the elements without changing something else; \
                 edit the file by hand",
                names.join(", ")
            ),
        ))
    }
}

/// Stands for `diaginertia` or `fullinertia`, whichever is there; the value is a factor.
const INERTIA: &str = "inertia";

fn number(value: f64) -> String {
    format!("{value}")
}

fn numbers(values: &[f64]) -> String {
    let words: Vec<_> = values.iter().map(|&value| number(value)).collect();
    words.join(" ")
}

/// The text of a file with these attributes of its elements replaced or added.
fn rewritten(file: &Path, wanted: &[(&Place, &'static str, String)]) -> Result<String, SceneError> {
    let mut text = fs::read_to_string(file).map_err(|source| SceneError::Read {
        path: file.to_owned(),
        source,
    })?;
    let document = Document::parse(&text).map_err(|error| SceneError::Xml {
        path: file.to_owned(),
        line: error.pos().row,
        problem: error.to_string(),
    })?;
    let mut changes = Vec::new();
    for (place, attribute, value) in wanted {
        let node = document
            .descendants()
            .find(|node| node.is_element() && node.range().start == place.start)
            .filter(|node| node.tag_name().name() == place.tag);
        let Some(node) = node else {
            return Err(SceneError::scene(
                file,
                "the file has changed since it was loaded; reload it first",
            ));
        };
        changes.extend(change(&node, attribute, value));
    }
    drop(document);
    changes.sort_by_key(|change| std::cmp::Reverse(change.range.start));
    for change in changes {
        text.replace_range(change.range, &change.text);
    }
    Ok(text)
}

fn change(node: &Node, attribute: &str, value: &str) -> Option<Change> {
    if attribute == INERTIA {
        let inertia = ["diaginertia", "fullinertia"]
            .iter()
            .find_map(|name| node.attribute_node(*name))?;
        let factor: f64 = value.parse().ok()?;
        let scaled: Vec<f64> = inertia
            .value()
            .split_ascii_whitespace()
            .filter_map(|word| word.parse::<f64>().ok())
            .map(|moment| moment * factor)
            .collect();
        return Some(Change {
            range: inertia.range_value(),
            text: numbers(&scaled),
        });
    }
    Some(match node.attribute_node(attribute) {
        Some(found) => Change {
            range: found.range_value(),
            text: value.to_owned(),
        },
        None => {
            let tag_end = node.range().start + 1 + node.tag_name().name().len();
            let at = node.attributes().map(|a| a.range().end).max();
            let at = at.unwrap_or(tag_end);
            Change {
                range: at..at,
                text: format!(" {attribute}=\"{value}\""),
            }
        }
    })
}
