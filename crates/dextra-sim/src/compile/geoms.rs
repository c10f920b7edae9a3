//! Geoms and sites: shapes, frames, colours and contact parameters.

use std::collections::BTreeMap;

use mjcf_rs::body::{GeomType, SiteType};

use super::{contact::condim, defaults::Classes, frame, meshes::Meshes, solver};
use crate::{
    compile::inertia::{MassProperties, solid_inertia, volume},
    error::{SceneError, nearest, suggestion},
    model::{Geom, Shape},
    pose::{Pose, norm, quat_from_z},
    source::Element,
};

/// MuJoCo's colour of a geom that names none.
const GREY: [f64; 4] = [0.5, 0.5, 0.5, 1.0];

/// Colours of the materials of a scene.
pub(crate) struct Materials(BTreeMap<String, [f64; 4]>);

impl Materials {
    /// Collects the `<material>` elements.
    pub fn new(root: &Element, classes: &Classes) -> Result<Self, SceneError> {
        let mut colours = BTreeMap::new();
        for raw in root
            .all(&["asset"])
            .flat_map(|section| section.all(&["material"]))
        {
            let element = classes.resolve(raw, &["material"], None)?;
            let Some(name) = element.get("name") else {
                return Err(element.error("a material needs a name"));
            };
            let rgba = element.vector("rgba", [1.0; 4])?;
            if colours.insert(name.to_owned(), rgba).is_some() {
                return Err(element.error(format!("the material \"{name}\" is defined twice")));
            }
        }
        Ok(Self(colours))
    }

    /// The colour of a geom: its own, unless that is left at grey and a material has another.
    fn colour(&self, geom: &Element) -> Result<[f32; 4], SceneError> {
        let own = geom.vector("rgba", GREY)?;
        let colour = match geom.get("material") {
            None => own,
            Some(name) => match self.0.get(name) {
                Some(material) if own == GREY => *material,
                Some(_) => own,
                None => {
                    let near = nearest(name, self.0.keys().map(String::as_str));
                    return Err(geom.error(format!(
                        "no material is called \"{name}\"{}",
                        suggestion(near)
                    )));
                }
            },
        };
        Ok(colour.map(|channel| channel.clamp(0.0, 1.0) as f32))
    }
}

/// Compiles a geom.
pub(crate) fn geom(
    typed: &mjcf_rs::body::Geom,
    element: &Element,
    body: usize,
    materials: &Materials,
    meshes: &Meshes,
) -> Result<Geom, SceneError> {
    let (pose, shape) = match (typed.type_, element.get("mesh")) {
        (GeomType::Mesh, _) => mesh(typed, element, meshes)?,
        (_, Some(_)) => {
            return Err(element.error(
                "a primitive is not fitted to a mesh here; write type=\"mesh\", or remove mesh and \
                 give size",
            ));
        }
        (kind, None) => placed(&typed.pose, kind, typed.size, element)?,
    };
    let friction = element.vector("friction", [1.0, 0.005, 0.0001])?;
    if friction.iter().any(|x| *x < 0.0) {
        return Err(element.error("friction must not be negative"));
    }
    Ok(Geom {
        name: element.get("name").map(str::to_owned),
        body,
        shape,
        pose,
        rgba: materials.colour(element)?,
        visible: group(element)? < 3,
        contype: bits(element, "contype")?,
        conaffinity: bits(element, "conaffinity")?,
        condim: condim(element)?,
        friction,
        margin: element.positive("margin", 0.0)?,
        priority: element.number("priority", 0.0)? as i32,
        contact: solver(element, "solref", "solimp")?,
    })
}

/// Frame and shape of a mesh geom: MuJoCo's geom frame is the mesh's centre of mass and principal axes.
fn mesh(
    typed: &mjcf_rs::body::Geom,
    element: &Element,
    meshes: &Meshes,
) -> Result<(Pose, Shape), SceneError> {
    if element.get("fromto").is_some() {
        return Err(element.error("fromto needs type capsule, cylinder, box or ellipsoid"));
    }
    let (mesh, own) = meshes.of(element)?;
    let collides = bits(element, "contype")? | bits(element, "conaffinity")? != 0;
    if collides && mesh.hull.is_none() {
        return Err(element.error(
            "its mesh is flat and has no convex hull to collide with; use a thin box, or set contype and \
             conaffinity to 0",
        ));
    }
    Ok((frame(&typed.pose).mul(&own), Shape::Mesh(mesh)))
}

fn shape(kind: GeomType, size: [f64; 3], element: &Element) -> Result<Shape, SceneError> {
    let needed = match kind {
        GeomType::Sphere => 1,
        GeomType::Capsule | GeomType::Cylinder => 2,
        GeomType::Box | GeomType::Ellipsoid => 3,
        _ => 0,
    };
    if let Some(bad) = size.iter().take(needed).find(|s| **s <= 0.0) {
        return Err(element.error(format!(
            "size needs {needed} positive number{}, found {bad}",
            if needed == 1 { "" } else { "s" }
        )));
    }
    let [radius, half_length, _] = size;
    Ok(match kind {
        GeomType::Sphere => Shape::Sphere { radius },
        GeomType::Capsule => Shape::Capsule {
            radius,
            half_length,
        },
        GeomType::Cylinder => Shape::Cylinder {
            radius,
            half_length,
        },
        GeomType::Box => Shape::Box { half_extents: size },
        GeomType::Ellipsoid => Shape::Ellipsoid { half_extents: size },
        GeomType::Plane => Shape::Plane {
            half_extents: [size[0].max(0.0), size[1].max(0.0)],
        },
        GeomType::Mesh | GeomType::Hfield | GeomType::Sdf => {
            return Err(element.error(
                "height fields and distance fields are not simulated; \
                 replace it by primitive geoms or a mesh",
            ));
        }
    })
}

/// Mass and inertia of a geom, in its body's frame.
pub(crate) fn mass_properties(
    geom: &Geom,
    element: &Element,
) -> Result<MassProperties, SceneError> {
    let density = element.positive("density", 1000.0)?;
    let mass = match &geom.shape {
        // A plane is static: MuJoCo gives it no mass whatever it says.
        Shape::Plane { .. } => 0.0,
        shape => element.positive("mass", density * volume(shape))?,
    };
    Ok(MassProperties {
        mass,
        pose: geom.pose,
        inertia: solid_inertia(&geom.shape, mass),
    })
}

/// Compiles the frame and the volume of a site.
pub(crate) fn site(
    typed: &mjcf_rs::body::Site,
    element: &Element,
) -> Result<(Pose, Shape), SceneError> {
    let kind = match typed.type_ {
        SiteType::Sphere => GeomType::Sphere,
        SiteType::Capsule => GeomType::Capsule,
        SiteType::Ellipsoid => GeomType::Ellipsoid,
        SiteType::Cylinder => GeomType::Cylinder,
        SiteType::Box => GeomType::Box,
    };
    // MuJoCo's default for each number that is not given.
    let size = typed.size.map(|s| if s == 0.0 { 0.005 } else { s });
    placed(&typed.pose, kind, size, element)
}

/// Frame and shape of a geom or site, along its `fromto` if it has one.
fn placed(
    pose: &mjcf_rs::Pose,
    kind: GeomType,
    size: [f64; 3],
    element: &Element,
) -> Result<(Pose, Shape), SceneError> {
    let pose = frame(pose);
    let Some((segment, half_length)) = fromto(element)? else {
        return Ok((pose, shape(kind, size, element)?));
    };
    let size = match kind {
        GeomType::Capsule | GeomType::Cylinder => [size[0], half_length, 0.0],
        GeomType::Box | GeomType::Ellipsoid => [size[0], size[0], half_length],
        _ => return Err(element.error("fromto needs type capsule, cylinder, box or ellipsoid")),
    };
    Ok((pose.mul(&segment), shape(kind, size, element)?))
}

/// The middle of a `fromto` segment with z along it, and half its length.
fn fromto(element: &Element) -> Result<Option<(Pose, f64)>, SceneError> {
    if element.get("fromto").is_none() {
        return Ok(None);
    }
    if element.get("pos").is_some() {
        return Err(element.error("both pos and fromto are given, perhaps by a default class"));
    }
    let e: [f64; 6] = element.vector("fromto", [0.0; 6])?;
    let pos = [0, 1, 2].map(|i| (e[i] + e[i + 3]) / 2.0);
    // MuJoCo points z from the second end to the first.
    let along = [0, 1, 2].map(|i| e[i] - e[i + 3]);
    let length = norm(along);
    if length < 1e-9 {
        return Err(element.error("the two points of fromto coincide"));
    }
    Ok(Some((
        Pose {
            pos,
            quat: quat_from_z(along),
        },
        length / 2.0,
    )))
}

/// The geom group, 0 when not given.
pub(crate) fn group(element: &Element) -> Result<i32, SceneError> {
    Ok(element.number("group", 0.0)? as i32)
}

fn bits(element: &Element, name: &str) -> Result<u32, SceneError> {
    Ok(element.positive(name, 1.0)? as u32)
}
