//! Where the elements of a scene stand in its files, for those who write back into them.

use std::{path::Path, sync::Arc};

use crate::{model::Model, source::Element};

/// Where an element was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// Its line.
    pub line: u32,
    /// The element's tag.
    pub tag: String,
    /// Byte of the file at which its start tag begins.
    pub(crate) start: usize,
}

impl Place {
    pub(crate) fn new(element: &Element) -> Self {
        Self {
            file: element.file.clone(),
            line: element.line,
            tag: element.tag.clone(),
            start: element.start,
        }
    }
}

/// The places of a model's elements; empty in a model that was not loaded from files.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Places {
    /// Of each body; the world has none.
    pub bodies: Vec<Option<Place>>,
    /// Of each body's `<inertial>`, where it gives the mass.
    pub inertials: Vec<Option<Place>>,
    /// Of each joint.
    pub joints: Vec<Place>,
    /// Of each geom, and what it adds to its body's mass where no `<inertial>` does, kg.
    pub geoms: Vec<(Place, f64)>,
    /// Of each actuator.
    pub actuators: Vec<Place>,
}

/// Where elements were written, for models that were loaded from files.
impl Model {
    /// The `<body>` of a body.
    pub fn body_place(&self, body: usize) -> Option<&Place> {
        self.places.bodies.get(body)?.as_ref()
    }

    /// The `<joint>` or `<freejoint>` of a joint.
    pub fn joint_place(&self, joint: usize) -> Option<&Place> {
        self.places.joints.get(joint)
    }

    /// The `<geom>` of a geom.
    pub fn geom_place(&self, geom: usize) -> Option<&Place> {
        self.places.geoms.get(geom).map(|(place, _)| place)
    }

    /// The element of an actuator.
    pub fn actuator_place(&self, actuator: usize) -> Option<&Place> {
        self.places.actuators.get(actuator)
    }
}
