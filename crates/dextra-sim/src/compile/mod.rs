//! MJCF to [`Model`]: what MuJoCo's compiler does, for what Dextra simulates.

mod actuators;
mod bodies;
mod contact;
pub(crate) mod defaults;
mod geoms;
pub(crate) mod inertia;
mod keyframes;
mod meshes;
mod tree;
mod unseen;

use std::{collections::BTreeSet, ops::RangeInclusive, path::Path};

use sha2::{Digest, Sha256};

use crate::{
    audit::audit,
    error::{SceneError, nearest, suggestion},
    framing::Framing,
    model::{Model, SolverParams},
    options::PhysicsOptions,
    place::Places,
    pose::{Pose, normalized},
    source::{self, Element},
};
use defaults::Classes;

impl Model {
    /// Loads a scene from an MJCF file and the files that it includes.
    ///
    /// # Errors
    /// When a file is missing or not XML, when the scene is wrong, or when it asks for something
    /// that is not simulated; the message names file, line, element and remedy.
    pub fn load(path: &Path, options: &PhysicsOptions) -> Result<Self, SceneError> {
        compile(&source::read(path)?, path, options)
    }

    /// Compiles a scene from MJCF text; `origin` is the file that messages name and beside which
    /// includes are found.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_xml(
        xml: &str,
        origin: &Path,
        options: &PhysicsOptions,
    ) -> Result<Self, SceneError> {
        compile(&source::parse(xml, origin)?, origin, options)
    }
}

pub(crate) fn compile(
    root: &Element,
    origin: &Path,
    options: &PhysicsOptions,
) -> Result<Model, SceneError> {
    options.validate()?;
    let mut root = root.clone();
    let unseen = unseen::remove(&mut root, origin)?;
    let root = &root;
    let mut warnings = audit(root)?;
    warnings.extend(unseen);
    let settings = Settings::new(root)?;
    let classes = Classes::new(root)?;
    let materials = geoms::Materials::new(root, &classes)?;
    let meshes = meshes::Meshes::new(root, &classes, origin)?;
    let tree = tree::Tree::new(root, &classes, origin)?;
    let tree = bodies::bodies(&tree, &settings, &materials, &meshes, origin)?;
    let tendons = actuators::tendons(root, &classes, settings.autolimits, &tree.joints)?;
    let (actuators, places) =
        actuators::actuators(root, &classes, settings.autolimits, &tree.joints, &tendons)?;
    let places = Places {
        actuators: places,
        ..tree.places
    };
    let mut model = Model {
        name: root.get("model").unwrap_or("MuJoCo Model").to_owned(),
        pairs: contact::pairs(root, &classes, &tree.geoms)?,
        excludes: contact::excludes(root, &tree.bodies)?,
        nu: actuators.len(),
        nq: tree.nq,
        nv: tree.nv,
        bodies: tree.bodies,
        joints: tree.joints,
        geoms: tree.geoms,
        sites: tree.sites,
        tendons,
        actuators,
        timestep_secs: settings.timestep_secs,
        gravity: settings.gravity,
        options: options.clone(),
        warnings: Vec::new(),
        keyframes: Vec::new(),
        framing: Framing::default(),
        places,
        hash: String::new(),
    };
    for name in &options.split_at {
        model.body(name)?;
    }
    model.hash = digest(&model, origin)?;
    model.warnings = warnings;
    model.keyframes = keyframes::keyframes(root, &model)?;
    model.framing = Framing::new(root, &model)?;
    Ok(model)
}

/// Hash of a model that has neither hash nor warnings yet: those depend on where the file lies.
pub(crate) fn digest(model: &Model, origin: &Path) -> Result<String, SceneError> {
    let failed = |error| SceneError::scene(origin, format!("cannot hash the scene: {error}"));
    let mut hash = Sha256::new();
    hash.update(bincode::serialize(model).map_err(failed)?);
    // Only where there are any, so that recordings of older scenes still know theirs.
    for (index, joint) in model.joints.iter().enumerate() {
        if let Some(range) = joint.actuator_force_range {
            hash.update(bincode::serialize(&(index as u64, range)).map_err(failed)?);
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// `<compiler>` and `<option>`.
struct Settings {
    autolimits: bool,
    balance_inertia: bool,
    /// Geoms give the inertia even where an `<inertial>` does.
    inertia_always: bool,
    inertia_never: bool,
    inertia_groups: RangeInclusive<i32>,
    least_mass: f64,
    least_inertia: f64,
    total_mass: f64,
    timestep_secs: f64,
    gravity: [f64; 3],
}

impl Settings {
    fn new(root: &Element) -> Result<Self, SceneError> {
        let mut settings = Self {
            autolimits: true,
            balance_inertia: false,
            inertia_always: false,
            inertia_never: false,
            inertia_groups: 0..=5,
            least_mass: 0.0,
            least_inertia: 0.0,
            total_mass: -1.0,
            timestep_secs: 0.002,
            gravity: [0.0, 0.0, -9.81],
        };
        // Several elements of a kind, as included files bring them, add up.
        for e in root.all(&["compiler"]) {
            let bool = |name, old| match e.get(name) {
                Some(_) => Ok(e.choice(name, &["true", "false"])? == "true"),
                None => Ok::<_, SceneError>(old),
            };
            settings.autolimits = bool("autolimits", settings.autolimits)?;
            settings.balance_inertia = bool("balanceinertia", settings.balance_inertia)?;
            if e.get("inertiafromgeom").is_some() {
                let choice = e.choice("inertiafromgeom", &["auto", "true", "false"])?;
                settings.inertia_always = choice == "true";
                settings.inertia_never = choice == "false";
            }
            if e.get("inertiagrouprange").is_some() {
                let [low, high] = e.vector("inertiagrouprange", [0.0, 5.0])?;
                settings.inertia_groups = low as i32..=high as i32;
            }
            settings.least_mass = e.positive("boundmass", settings.least_mass)?;
            settings.least_inertia = e.positive("boundinertia", settings.least_inertia)?;
            settings.total_mass = e.number("settotalmass", settings.total_mass)?;
        }
        for e in root.all(&["option"]) {
            settings.timestep_secs = e.number("timestep", settings.timestep_secs)?;
            if settings.timestep_secs <= 0.0 {
                return Err(e.error("timestep must be positive; MuJoCo's default is 0.002"));
            }
            settings.gravity = e.vector("gravity", settings.gravity)?;
            if e.all(&["flag"])
                .any(|flag| flag.get("gravity") == Some("disable"))
            {
                settings.gravity = [0.0; 3];
            }
        }
        Ok(settings)
    }
}

/// Names of one kind of element: unique, and made up where the file gives none.
struct Names {
    kind: &'static str,
    taken: BTreeSet<String>,
    count: usize,
}

impl Names {
    fn new(kind: &'static str) -> Self {
        Self {
            kind,
            taken: BTreeSet::new(),
            count: 0,
        }
    }

    fn register(&mut self, element: &Element) -> Result<String, SceneError> {
        let index = self.count;
        match element.get("name") {
            Some(name) if self.taken.contains(name) => {
                Err(element.error(format!("another {} has this name", self.kind)))
            }
            Some(name) => Ok(self.reserve(name)),
            None => Ok(self.reserve(&format!("{}{index}", self.kind))),
        }
    }

    fn reserve(&mut self, name: &str) -> String {
        self.count += 1;
        self.taken.insert(name.to_owned());
        name.to_owned()
    }
}

/// The index of a name that an element refers to.
fn lookup<'a>(
    element: &Element,
    kind: &str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<usize, SceneError> {
    names
        .clone()
        .position(|candidate| candidate == name)
        .ok_or_else(|| {
            let near = suggestion(nearest(name, names));
            element.error(format!("no {kind} is called \"{name}\"{near}"))
        })
}

/// A range, when it limits: `limited` says so, or a range is given and `autolimits` holds.
fn limits(
    element: &Element,
    range: &str,
    limited: &str,
    autolimits: bool,
) -> Result<Option<[f64; 2]>, SceneError> {
    let given = element.get(range).is_some();
    let choice = element.choice(limited, &["auto", "true", "false"])?;
    let [low, high] = element.vector(range, [0.0; 2])?;
    match choice {
        "false" => Ok(None),
        "auto" if !given || low == 0.0 && high == 0.0 => Ok(None),
        "auto" if !autolimits => Err(element.error(format!(
            "{range} is given, but neither {limited} nor <compiler autolimits> says whether it holds"
        ))),
        _ if low < high => Ok(Some([low, high])),
        _ => Err(element.error(format!(
            "{range}=\"{}\": the lower end must be below the upper one",
            element.get(range).unwrap_or("0 0")
        ))),
    }
}

/// Solver parameters of a contact or limit.
fn solver(element: &Element, solref: &str, solimp: &str) -> Result<SolverParams, SceneError> {
    let default = SolverParams::default();
    let params = SolverParams {
        solref: element.vector(solref, default.solref)?,
        solimp: element.vector(solimp, default.solimp)?,
    };
    let [first, second] = params.solref;
    if !(first > 0.0 && second > 0.0 || first <= 0.0 && second <= 0.0) {
        return Err(element.error(format!(
            "{solref}: give two positive numbers (time constant, damping ratio) \
             or two negative ones (stiffness, damping)"
        )));
    }
    let [low, high, width, middle, power] = params.solimp;
    let share = |x: f64| (0.0..=1.0).contains(&x);
    if !(share(low) && share(high) && share(middle) && width >= 0.0 && power >= 1.0) {
        return Err(element.error(format!(
            "{solimp}: dmin, dmax and midpoint lie in 0 to 1, width is not negative, power at least 1"
        )));
    }
    Ok(params)
}

/// A pose of the parser as ours.
fn frame(pose: &mjcf_rs::Pose) -> Pose {
    let q = pose.rotation;
    Pose {
        pos: pose.translation.to_array(),
        quat: normalized([q.w, q.x, q.y, q.z]),
    }
}
