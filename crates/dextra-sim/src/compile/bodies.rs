//! Bodies with their mass, and joints.

use std::path::Path;

use mjcf_rs::body::{InertiaSpec, JointType};

use super::{
    Names, Settings, frame,
    geoms::{Materials, geom, group, mass_properties, site},
    inertia::{MassProperties, combine, impossible, principal_axes, unit},
    limits,
    meshes::Meshes,
    solver,
    tree::Tree,
};
use crate::{
    error::SceneError,
    model::{Body, Geom, Joint, JointKind, Site, WORLD},
    place::{Place, Places},
    pose::Pose,
    source::Element,
};

/// What the body tree compiles to.
#[derive(Default)]
pub(crate) struct Bodies {
    pub bodies: Vec<Body>,
    pub joints: Vec<Joint>,
    pub geoms: Vec<Geom>,
    pub sites: Vec<Site>,
    pub places: Places,
    pub nq: usize,
    pub nv: usize,
}

/// Less than this is no mass and no inertia (MuJoCo's `mjMINVAL`).
const MINIMUM: f64 = 1e-15;

/// Compiles the body tree.
pub(crate) fn bodies(
    tree: &Tree,
    settings: &Settings,
    materials: &Materials,
    meshes: &Meshes,
    origin: &Path,
) -> Result<Bodies, SceneError> {
    let mut out = Bodies::default();
    let [
        mut body_names,
        mut joint_names,
        mut geom_names,
        mut site_names,
    ] = ["body", "joint", "geom", "site"].map(Names::new);
    let mut elements = Vec::new();
    for (index, entry) in tree.typed.bodies.iter().enumerate() {
        let typed = &entry.body;
        let element = match index {
            WORLD => None,
            _ => Some(tree.element(typed.name.as_deref(), origin)?),
        };
        let mut parts = Vec::new();
        for typed in &typed.geoms {
            let element = tree.element(typed.name.as_deref(), origin)?;
            geom_names.register(element)?;
            let geom = geom(typed, element, index, materials, meshes)?;
            let mut weight = 0.0;
            if settings.inertia_groups.contains(&group(element)?) {
                let part = mass_properties(&geom, element)?;
                weight = part.mass;
                parts.push(part);
            }
            out.places.geoms.push((Place::new(element), weight));
            out.geoms.push(geom);
        }
        for typed in &typed.sites {
            let element = tree.element(typed.name.as_deref(), origin)?;
            let (pose, shape) = site(typed, element)?;
            out.sites.push(Site {
                name: site_names.register(element)?,
                body: index,
                pose,
                shape,
            });
        }
        let mut joints = Vec::new();
        for typed in &typed.joints {
            let element = tree.element(typed.name.as_deref(), origin)?;
            joints.push(out.joints.len());
            let name = joint_names.register(element)?;
            out.places.joints.push(Place::new(element));
            out.add_joint(typed, element, index, name, settings)?;
        }
        if joints.len() > 1
            && joints
                .iter()
                .any(|j| out.joints[*j].kind == JointKind::Free)
            || entry.parent.is_some_and(|p| p != WORLD)
                && joints
                    .iter()
                    .any(|j| out.joints[*j].kind == JointKind::Free)
        {
            return Err(match element {
                Some(e) => e.error("a free joint must be the only joint of a body in <worldbody>"),
                None => SceneError::scene(origin, "the world cannot have joints"),
            });
        }
        let mass = match element {
            Some(element) => mass(typed.inertial.as_ref(), &parts, settings, element)?,
            None => MassProperties::default(),
        };
        out.bodies.push(Body {
            name: match element {
                Some(element) => body_names.register(element)?,
                None => body_names.reserve("world"),
            },
            parent: entry.parent,
            pose: frame(&typed.pose),
            mass: mass.mass,
            inertial_pose: mass.pose,
            inertia: mass.inertia,
            joints,
        });
        let inertial = typed
            .inertial
            .as_ref()
            .filter(|_| !settings.inertia_always || parts.is_empty())
            .and(element)
            .and_then(|element| element.all(&["inertial"]).next());
        out.places.inertials.push(inertial.map(Place::new));
        out.places.bodies.push(element.map(Place::new));
        elements.push(element);
    }
    out.scale_mass(settings);
    out.require_mass(&elements)?;
    Ok(out)
}

impl Bodies {
    fn add_joint(
        &mut self,
        typed: &mjcf_rs::body::Joint,
        element: &Element,
        body: usize,
        name: String,
        settings: &Settings,
    ) -> Result<(), SceneError> {
        let (kind, positions, velocities) = match typed.type_ {
            JointType::Hinge => (JointKind::Hinge, 1, 1),
            JointType::Slide => (JointKind::Slide, 1, 1),
            JointType::Free => (JointKind::Free, 7, 6),
            JointType::Ball => {
                return Err(element.error(
                    "ball joints are not simulated; write three hinges with crossing axes",
                ));
            }
        };
        let free = kind == JointKind::Free;
        // The limits in the file's unit say whether there are any, the typed ones are radians.
        let range = match limits(element, "range", "limited", settings.autolimits)? {
            Some(_) if !free => typed.range,
            _ => None,
        };
        let actuator_force_range = limits(
            element,
            "actuatorfrcrange",
            "actuatorfrclimited",
            settings.autolimits,
        )?;
        // An anchor or axis means nothing for free motion; `<freejoint>` has no axis at all.
        let axis = match (free, unit(typed.axis)) {
            (true, _) => [0.0, 0.0, 1.0],
            (false, Some(axis)) => axis,
            (false, None) => return Err(element.error("the axis has no length")),
        };
        let scalar = |name| element.positive(name, 0.0);
        self.joints.push(Joint {
            name,
            kind,
            body,
            qpos_adr: self.nq,
            dof_adr: self.nv,
            anchor: if free { [0.0; 3] } else { typed.pos },
            axis,
            range,
            margin: scalar("margin")?,
            limit: solver(element, "solreflimit", "solimplimit")?,
            damping: scalar("damping")?,
            armature: scalar("armature")?,
            frictionloss: scalar("frictionloss")?,
            stiffness: scalar("stiffness")?,
            springref: typed.springref,
            reference: typed.ref_,
            actuator_force_range: actuator_force_range.filter(|_| !free),
        });
        self.nq += positions;
        self.nv += velocities;
        Ok(())
    }

    /// `<compiler settotalmass>`: all masses in proportion.
    fn scale_mass(&mut self, settings: &Settings) {
        let total: f64 = self.bodies.iter().map(|b| b.mass).sum();
        if settings.total_mass <= 0.0 || total <= 0.0 {
            return;
        }
        let factor = settings.total_mass / total;
        for body in &mut self.bodies {
            body.mass *= factor;
            body.inertia = body.inertia.map(|moment| moment * factor);
        }
    }

    /// Whatever a joint moves needs mass and inertia, of its own or of a body welded to it.
    fn require_mass(&self, elements: &[Option<&Element>]) -> Result<(), SceneError> {
        let mut heavy: Vec<bool> = self
            .bodies
            .iter()
            .map(|b| b.mass >= MINIMUM && b.inertia.iter().all(|moment| *moment >= MINIMUM))
            .collect();
        for index in (1..self.bodies.len()).rev() {
            let body = &self.bodies[index];
            match (body.parent, elements[index]) {
                (Some(parent), _) if body.joints.is_empty() => heavy[parent] |= heavy[index],
                (_, Some(element)) if !heavy[index] => {
                    return Err(element.error(
                        "a body that moves has no mass or no inertia; give it an <inertial> \
                         or a geom with mass",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Mass properties of a body: from `<inertial>` or from its geoms, as the compiler is set.
fn mass(
    inertial: Option<&mjcf_rs::body::Inertial>,
    geoms: &[MassProperties],
    settings: &Settings,
    body: &Element,
) -> Result<MassProperties, SceneError> {
    let explicit = inertial.filter(|_| !settings.inertia_always || geoms.is_empty());
    let mut mass = match explicit {
        Some(inertial) => {
            let pose = frame(&inertial.pose);
            let (inertia, quat) = match inertial.inertia {
                InertiaSpec::Diagonal(moments) => (moments, pose.quat),
                InertiaSpec::Full([xx, yy, zz, xy, xz, yz]) => {
                    principal_axes([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
                }
            };
            MassProperties {
                mass: inertial.mass,
                pose: Pose { quat, ..pose },
                inertia,
            }
        }
        None if settings.inertia_never => MassProperties::default(),
        None => combine(geoms),
    };
    if mass.mass < 0.0 {
        return Err(body.error(format!("the mass {} is negative", mass.mass)));
    }
    mass.mass = mass.mass.max(settings.least_mass);
    mass.inertia = mass
        .inertia
        .map(|moment| moment.max(settings.least_inertia));
    if let Some(problem) = impossible(mass.inertia) {
        if !settings.balance_inertia || mass.inertia.iter().any(|moment| *moment < 0.0) {
            return Err(body.error(problem));
        }
        mass.inertia = [mass.inertia.iter().sum::<f64>() / 3.0; 3];
    }
    Ok(mass)
}
