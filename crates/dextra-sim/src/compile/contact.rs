//! Explicit contact pairs and excluded bodies.

use super::{defaults::Classes, lookup, solver};
use crate::{
    error::SceneError,
    model::{Body, ContactPair, Geom},
    source::Element,
};

/// The `<pair>` elements of a scene.
///
/// A pair does not take after its geoms: what it does not say comes from its default class and
/// from MuJoCo's own defaults.
pub(crate) fn pairs(
    root: &Element,
    classes: &Classes,
    geoms: &[Geom],
) -> Result<Vec<ContactPair>, SceneError> {
    let mut pairs = Vec::new();
    for raw in root
        .all(&["contact"])
        .flat_map(|section| section.all(&["pair"]))
    {
        let element = classes.resolve(raw, &["pair"], None)?;
        let geom = |key: &str| {
            let name = required(&element, key)?;
            lookup(
                &element,
                "geom",
                name,
                geoms.iter().map(|g| g.name.as_deref().unwrap_or("")),
            )
        };
        let [slide, slide2, spin, roll, roll2] =
            element.vector("friction", [1.0, 1.0, 0.005, 0.0001, 0.0001])?;
        if [slide, slide2, spin, roll, roll2].iter().any(|x| *x < 0.0) {
            return Err(element.error("friction must not be negative"));
        }
        let condim = condim(&element)?;
        if condim > 1 && (slide != slide2 || roll != roll2) {
            return Err(element.error(format!(
                "friction {slide} and {slide2}, rolling {roll} and {roll2}: friction that differs \
                 between directions is not simulated; give friction=\"slide slide spin roll roll\" \
                 with equal numbers"
            )));
        }
        pairs.push(ContactPair {
            geoms: [geom("geom1")?, geom("geom2")?],
            condim,
            friction: [slide, spin, roll],
            margin: element.positive("margin", 0.0)?,
            contact: solver(&element, "solref", "solimp")?,
        });
    }
    Ok(pairs)
}

/// The `<exclude>` elements of a scene.
pub(crate) fn excludes(root: &Element, bodies: &[Body]) -> Result<Vec<[usize; 2]>, SceneError> {
    let excludes = root
        .all(&["contact"])
        .flat_map(|section| section.all(&["exclude"]));
    excludes
        .map(|element| {
            let body = |key: &str| {
                let name = required(element, key)?;
                lookup(
                    element,
                    "body",
                    name,
                    bodies.iter().map(|b| b.name.as_str()),
                )
            };
            Ok([body("body1")?, body("body2")?])
        })
        .collect()
}

/// The contact dimension of a geom or pair.
pub(crate) fn condim(element: &Element) -> Result<u32, SceneError> {
    match element.get("condim").unwrap_or("3") {
        "1" => Ok(1),
        "3" => Ok(3),
        "4" => Ok(4),
        "6" => Ok(6),
        other => Err(element.error(format!("condim=\"{other}\" is none of 1, 3, 4, 6"))),
    }
}

fn required<'a>(element: &'a Element, key: &str) -> Result<&'a str, SceneError> {
    element
        .get(key)
        .ok_or_else(|| element.error(format!("the attribute {key} is missing")))
}
