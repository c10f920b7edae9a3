//! Where the elements of a scene stand in its files, for those who write back into them.

use std::{path::Path, sync::Arc};

use crate::source::Element;

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
    /// Of each body's `<inertial>`, where it gives the mass.
    pub inertials: Vec<Option<Place>>,
    /// Of each joint.
    pub joints: Vec<Place>,
    /// Of each geom, and what it adds to its body's mass where no `<inertial>` does, kg.
    pub geoms: Vec<(Place, f64)>,
    /// Of each actuator.
    pub actuators: Vec<Place>,
}
