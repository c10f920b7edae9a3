//! The body tree: defaults written out, then parsed by `mjcf-rs` into typed elements.
//!
//! `mjcf-rs` resolves units, orientations and frames. It has no place for some attributes that
//! hands need (solver parameters, partial lists) nor for line numbers, and reads classes
//! differently from MuJoCo, so it is given a document without defaults in which every
//! element is named by an index into [`Tree::elements`], where the rest is found.

use std::{fmt::Write, path::Path};

use super::defaults::{Classes, ORIENTATIONS};
use crate::{error::SceneError, source::Element};

/// The typed tree, and the elements that it was made from.
pub(crate) struct Tree {
    /// What `mjcf-rs` made of it; names are indices into `elements`.
    pub typed: mjcf_rs::Model,
    elements: Vec<Element>,
}

impl Tree {
    /// Resolves and parses the world bodies of a scene.
    pub fn new(root: &Element, classes: &Classes, origin: &Path) -> Result<Self, SceneError> {
        let mut writer = Writer {
            classes,
            elements: Vec::new(),
            xml: String::from("<mujoco>"),
        };
        for compiler in root.all(&["compiler"]) {
            writer.open(compiler, &["angle", "eulerseq"], None);
            writer.close("compiler");
        }
        for world in root.all(&["worldbody"]) {
            writer.open(world, &[], None);
            writer.children(world, None)?;
            writer.close("worldbody");
        }
        writer.xml.push_str("</mujoco>");
        let typed = mjcf_rs::Model::from_str(&writer.xml, origin.parent().unwrap_or(Path::new("")))
            .map_err(|error| SceneError::scene(origin, error.to_string()))?;
        Ok(Self {
            typed,
            elements: writer.elements,
        })
    }

    /// The element, defaults included, that a typed one was made from.
    pub fn element(&self, id: Option<&str>, origin: &Path) -> Result<&Element, SceneError> {
        id.and_then(|id| self.elements.get(id.parse::<usize>().ok()?))
            .ok_or_else(|| {
                SceneError::scene(
                    origin,
                    "an element was lost between the file and its parser",
                )
            })
    }
}

struct Writer<'a> {
    classes: &'a Classes,
    elements: Vec<Element>,
    xml: String,
}

impl Writer<'_> {
    fn children(&mut self, parent: &Element, childclass: Option<&str>) -> Result<(), SceneError> {
        for child in &parent.children {
            let tag = child.tag.as_str();
            match tag {
                "body" | "frame" => {
                    self.open(child, &["pos"], (tag == "body").then(|| child.clone()));
                    self.children(child, child.get("childclass").or(childclass))?;
                }
                "inertial" => {
                    self.open(child, &["pos", "mass", "diaginertia", "fullinertia"], None);
                }
                "freejoint" => self.open(child, &[], Some(child.clone())),
                "joint" => {
                    let joint = self.classes.resolve(child, &["joint"], childclass)?;
                    let kept = ["type", "pos", "axis", "range", "springref", "ref"];
                    self.open(&joint, &kept, Some(joint.clone()));
                }
                "geom" => {
                    let geom = self.classes.resolve(child, &["geom"], childclass)?;
                    self.open(&geom, &["type", "pos", "size"], Some(geom.clone()));
                }
                "site" => {
                    let site = self.classes.resolve(child, &["site"], childclass)?;
                    self.open(&site, &["type", "pos", "size"], Some(site.clone()));
                }
                // Lights and cameras.
                _ => continue,
            }
            self.close(tag);
        }
        Ok(())
    }

    /// Writes a start tag with some of its attributes and any orientation; an element that is
    /// looked up again later is named by its index.
    fn open(&mut self, element: &Element, attributes: &[&str], indexed: Option<Element>) {
        let xml = &mut self.xml;
        // Writing to a string cannot fail.
        let _ = write!(xml, "<{}", element.tag);
        for name in attributes.iter().chain(&ORIENTATIONS) {
            if let Some(value) = element.get(name) {
                let value = value
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('"', "&quot;");
                let _ = write!(xml, " {name}=\"{value}\"");
            }
        }
        if let Some(element) = indexed {
            let _ = write!(xml, " name=\"{}\"", self.elements.len());
            self.elements.push(element);
        }
        xml.push('>');
    }

    fn close(&mut self, tag: &str) {
        let _ = write!(self.xml, "</{tag}>");
    }
}
