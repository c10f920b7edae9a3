//! What of MJCF is honoured, what is harmless, and what is refused: one table.
//!
//! Source: MuJoCo's XML reference, 3.x and 4.0.

/// How an element is treated.
pub(super) enum Treatment {
    /// Has no influence on the simulation; its contents are not read.
    Harmless,
    /// Would change the simulation in a way that is not supported; says what to do instead.
    Refused(&'static str),
    /// Read, attribute by attribute.
    Read(Attributes),
}

/// How the attributes and children of an element are treated; lists are separated by spaces.
#[derive(Default)]
pub(super) struct Attributes {
    /// Elements that may stand inside: `tag`, or `tag=rule` where the rule has another name.
    pub children: &'static str,
    /// Honoured.
    pub honoured: &'static str,
    /// Without influence on the simulation.
    pub harmless: &'static str,
    /// Settings of MuJoCo's own solver, accepted with a warning.
    pub noted: &'static str,
    /// Accepted only with the values that change nothing (separated by `|`): name, values, remedy.
    pub neutral: &'static [(&'static str, &'static str, &'static str)],
}

/// An element's rule.
pub(super) struct Rule {
    pub id: &'static str,
    pub treatment: Treatment,
}

const fn read(id: &'static str, attributes: Attributes) -> Rule {
    Rule {
        id,
        treatment: Treatment::Read(attributes),
    }
}

const fn refused(id: &'static str, remedy: &'static str) -> Rule {
    Rule {
        id,
        treatment: Treatment::Refused(remedy),
    }
}

const fn harmless(id: &'static str) -> Rule {
    Rule {
        id,
        treatment: Treatment::Harmless,
    }
}

const NONE: Attributes = Attributes {
    children: "",
    honoured: "",
    harmless: "",
    noted: "",
    neutral: &[],
};

type Neutral = (&'static str, &'static str, &'static str);

const NO_FORCE_LIMIT: Neutral = (
    "actuatorfrcrange",
    "0 0",
    "limit the actuator with forcerange instead",
);
const NO_FORCE_LIMITED: Neutral = (
    "actuatorfrclimited",
    "false|auto",
    "limit the actuator with forcerange instead",
);
const NO_GAP: Neutral = ("gap", "0", "a gap is not simulated; remove it");
const NO_ACTIVATION: Neutral = (
    "dyntype",
    "none",
    "actuators with activation are not simulated; filter the control before it is sent",
);

const ACTUATOR_NEUTRAL: [Neutral; 4] = [
    NO_ACTIVATION,
    (
        "actlimited",
        "false|auto",
        "actuators with activation are not simulated; remove it",
    ),
    (
        "actrange",
        "0 0",
        "actuators with activation are not simulated; remove it",
    ),
    ("gaintype", "fixed", "only a fixed gain is simulated"),
];

const SPRING_DAMPER: Neutral = (
    "springdamper",
    "0 0",
    "write the stiffness and damping that it stands for",
);

/// The table; `mujoco` is the root.
pub(super) const RULES: &[Rule] = &[
    read(
        "mujoco",
        Attributes {
            children: "compiler option size default asset worldbody contact tendon actuator equality \
                   visual statistic custom sensor keyframe deformable extension",
            honoured: "model",
            ..NONE
        },
    ),
    read(
        "compiler",
        Attributes {
            children: "lengthrange",
            honoured: "angle eulerseq autolimits balanceinertia boundmass boundinertia settotalmass \
                   inertiafromgeom inertiagrouprange",
            harmless: "strippath meshdir texturedir assetdir discardvisual usethread convexhull \
                   exactmeshinertia saveinertial fitaabb fusestatic",
            neutral: &[
                (
                    "coordinate",
                    "local",
                    "global coordinates were removed from MJCF; convert the file",
                ),
                (
                    "alignfree",
                    "false",
                    "place free bodies at their centre of mass in the file",
                ),
            ],
            ..NONE
        },
    ),
    harmless("lengthrange"),
    read(
        "option",
        Attributes {
            children: "flag",
            honoured: "timestep gravity",
            harmless: "apirate magnetic o_margin o_solref o_solimp o_friction sleep_tolerance",
            noted: "integrator cone jacobian solver iterations tolerance impratio ls_iterations \
                ls_tolerance noslip_iterations noslip_tolerance ccd_iterations ccd_tolerance \
                mpr_iterations mpr_tolerance sdf_iterations sdf_initpoints",
            neutral: &[
                ("wind", "0 0 0", "air is not simulated; remove it"),
                (
                    "density",
                    "0",
                    "air is not simulated; add joint damping instead",
                ),
                (
                    "viscosity",
                    "0",
                    "air is not simulated; add joint damping instead",
                ),
                (
                    "actuatorgroupdisable",
                    "",
                    "remove the actuators from the file instead",
                ),
            ],
            ..NONE
        },
    ),
    read(
        "flag",
        Attributes {
            honoured: "gravity",
            harmless: "equality sensor midphase energy fwdinv invdiscrete autoreset sleep island",
            noted: "warmstart refsafe nativeccd multiccd eulerdamp",
            neutral: &[
                (
                    "constraint",
                    "enable",
                    "remove limits and contacts from the file instead",
                ),
                (
                    "frictionloss",
                    "enable",
                    "remove frictionloss from the joints instead",
                ),
                ("limit", "enable", "remove the ranges instead"),
                (
                    "contact",
                    "enable",
                    "set contype and conaffinity to 0 instead",
                ),
                ("passive", "enable", "remove stiffness and damping instead"),
                ("spring", "enable", "remove stiffness instead"),
                ("damper", "enable", "remove damping instead"),
                ("clampctrl", "enable", "remove ctrlrange instead"),
                ("actuation", "enable", "remove the actuators instead"),
                (
                    "filterparent",
                    "enable",
                    "parents never touch children; use <pair>",
                ),
                (
                    "override",
                    "disable",
                    "write margin, solref and solimp at the geoms instead",
                ),
            ],
            ..NONE
        },
    ),
    harmless("size"),
    harmless("visual"),
    harmless("statistic"),
    harmless("custom"),
    harmless("sensor"),
    harmless("keyframe"),
    refused("extension", "plugins are not run; remove it"),
    read(
        "deformable",
        Attributes {
            children: "flex skin=texture",
            ..NONE
        },
    ),
    read(
        "equality",
        Attributes {
            children: "connect weld joint=equality_joint tendon=equality_tendon flex flexvert flexstrain",
            ..NONE
        },
    ),
    refused(
        "connect",
        "equality constraints are not simulated; make it a joint of the body tree",
    ),
    refused(
        "weld",
        "equality constraints are not simulated; make it a child body",
    ),
    refused(
        "equality_joint",
        "equality constraints are not simulated; use a fixed tendon with a narrow range",
    ),
    refused(
        "equality_tendon",
        "equality constraints are not simulated; give the tendon a narrow range",
    ),
    refused(
        "flex",
        "deformable bodies are not simulated; use rigid bodies",
    ),
    refused(
        "flexvert",
        "deformable bodies are not simulated; use rigid bodies",
    ),
    refused(
        "flexstrain",
        "deformable bodies are not simulated; use rigid bodies",
    ),
    read(
        "default",
        Attributes {
            children: "default joint geom site material pair tendon general motor position velocity \
                   mesh=texture camera=texture light=texture equality=texture \
                   intvelocity damper cylinder muscle adhesion plugin",
            honoured: "class",
            ..NONE
        },
    ),
    read(
        "asset",
        Attributes {
            // A mesh is refused where a geom uses it.
            children: "texture material mesh=texture hfield=texture skin=texture model",
            ..NONE
        },
    ),
    harmless("texture"),
    refused("model", "attached models are not read; use <include>"),
    read(
        "material",
        Attributes {
            children: "layer=texture",
            honoured: "name class rgba",
            harmless: "texture texrepeat texuniform emission specular shininess reflectance metallic \
                   roughness",
            ..NONE
        },
    ),
    read(
        "worldbody",
        Attributes {
            children: "body frame geom site camera=texture light=texture inertial=texture attach \
                   replicate composite flexcomp",
            honoured: "childclass",
            ..NONE
        },
    ),
    read(
        "body",
        Attributes {
            children: "body frame joint freejoint inertial geom site camera=texture light=texture \
                   attach replicate composite flexcomp plugin",
            honoured: "name childclass pos quat axisangle euler xyaxes zaxis",
            harmless: "user sleep",
            neutral: &[
                (
                    "mocap",
                    "false",
                    "mocap bodies are not simulated; drive the body by joints",
                ),
                (
                    "gravcomp",
                    "0",
                    "gravity compensation is not simulated; write it into the controls",
                ),
            ],
            ..NONE
        },
    ),
    read(
        "frame",
        Attributes {
            children: "body frame geom site camera=texture light=texture joint=frame_joint \
                   freejoint=frame_joint attach replicate composite flexcomp",
            honoured: "name childclass pos quat axisangle euler xyaxes zaxis",
            ..NONE
        },
    ),
    refused(
        "frame_joint",
        "a joint inside a <frame> is not read; write it in the <body>",
    ),
    refused("attach", "attached models are not read; use <include>"),
    refused("replicate", "write the copies out"),
    refused("composite", "write its bodies out"),
    refused(
        "flexcomp",
        "deformable bodies are not simulated; use rigid bodies",
    ),
    refused("plugin", "plugins are not run; remove it"),
    read(
        "inertial",
        Attributes {
            honoured: "pos quat axisangle euler xyaxes zaxis mass diaginertia fullinertia",
            ..NONE
        },
    ),
    read(
        "joint",
        Attributes {
            children: "plugin",
            honoured: "name class type pos axis range limited margin damping armature frictionloss \
                   stiffness springref ref solreflimit solimplimit",
            harmless: "group user",
            noted: "solreffriction solimpfriction",
            neutral: &[
                SPRING_DAMPER,
                NO_FORCE_LIMIT,
                NO_FORCE_LIMITED,
                (
                    "actuatorgravcomp",
                    "false",
                    "gravity compensation is not simulated; remove it",
                ),
            ],
        },
    ),
    read(
        "freejoint",
        Attributes {
            honoured: "name",
            harmless: "group",
            neutral: &[(
                "align",
                "false|auto",
                "place the body at its centre of mass in the file",
            )],
            ..NONE
        },
    ),
    read(
        "geom",
        Attributes {
            children: "plugin",
            honoured: "name class type pos quat axisangle euler xyaxes zaxis fromto size mass density \
                   friction condim contype conaffinity margin priority solref solimp rgba material \
                   group",
            harmless: "user fluidshape fluidcoef fitscale",
            noted: "solmix",
            neutral: &[
                NO_GAP,
                (
                    "shellinertia",
                    "false",
                    "hollow geoms are not computed; give the body an <inertial>",
                ),
                (
                    "mesh",
                    "",
                    "meshes are not simulated; use primitive geoms (capsules, boxes, ellipsoids)",
                ),
                ("hfield", "", "height fields are not simulated; use boxes"),
            ],
        },
    ),
    read(
        "site",
        Attributes {
            honoured: "name class pos quat axisangle euler xyaxes zaxis fromto",
            harmless: "type size rgba material group user",
            ..NONE
        },
    ),
    read(
        "contact",
        Attributes {
            children: "pair exclude",
            ..NONE
        },
    ),
    read(
        "pair",
        Attributes {
            honoured: "name class geom1 geom2 condim friction margin solref solimp",
            noted: "solreffriction",
            neutral: &[NO_GAP],
            ..NONE
        },
    ),
    read(
        "exclude",
        Attributes {
            honoured: "name body1 body2",
            ..NONE
        },
    ),
    // The section and, inside <default>, the settings of all tendons.
    read(
        "tendon",
        Attributes {
            children: "fixed spatial",
            ..TENDON
        },
    ),
    read(
        "fixed",
        Attributes {
            children: "joint=term",
            ..TENDON
        },
    ),
    read(
        "term",
        Attributes {
            honoured: "joint coef",
            ..NONE
        },
    ),
    refused(
        "spatial",
        "tendons along sites are not simulated; use a <fixed> tendon of joints",
    ),
    read(
        "actuator",
        Attributes {
            children: "general motor position velocity intvelocity damper cylinder muscle adhesion \
                   dcmotor plugin",
            ..NONE
        },
    ),
    read(
        "general",
        Attributes {
            honoured: "name class joint tendon gear ctrlrange ctrllimited forcerange forcelimited \
                   gainprm biasprm biastype",
            harmless: "group user lengthrange dynprm actdim actearly",
            neutral: &ACTUATOR_NEUTRAL,
            ..NONE
        },
    ),
    read("motor", ACTUATOR),
    read(
        "position",
        Attributes {
            honoured: "name class joint tendon gear ctrlrange ctrllimited forcerange forcelimited \
                   kp kv inheritrange",
            neutral: &[
                (
                    "timeconst",
                    "0",
                    "actuators with activation are not simulated; remove it",
                ),
                ("dampratio", "0", "write the kv that it stands for"),
            ],
            ..ACTUATOR
        },
    ),
    read(
        "velocity",
        Attributes {
            honoured: "name class joint tendon gear ctrlrange ctrllimited forcerange forcelimited kv",
            ..ACTUATOR
        },
    ),
    refused(
        "intvelocity",
        "actuators with activation are not simulated; use <position> and \
                            integrate the control",
    ),
    refused(
        "damper",
        "use joint damping, or <general> with an affine bias",
    ),
    refused("cylinder", "use <motor>"),
    refused("muscle", "muscles are not simulated; use <motor>"),
    refused("adhesion", "adhesion is not simulated; use friction"),
    refused("dcmotor", "use <motor>"),
];

const ACTUATOR: Attributes = Attributes {
    honoured: "name class joint tendon gear ctrlrange ctrllimited forcerange forcelimited",
    harmless: "group user lengthrange",
    ..NONE
};

const TENDON: Attributes = Attributes {
    children: "",
    honoured: "name class range limited margin solreflimit solimplimit stiffness damping \
               springlength",
    harmless: "group user rgba width material",
    noted: "solreffriction solimpfriction",
    neutral: &[
        (
            "frictionloss",
            "0",
            "dry friction of tendons is not simulated; put it on the joints",
        ),
        (
            "armature",
            "0",
            "armature of tendons is not simulated; put it on the joints",
        ),
        NO_FORCE_LIMIT,
        NO_FORCE_LIMITED,
    ],
};

/// Attributes that are lists of numbers: name, fewest, most.
pub(super) const NUMERIC: &[(&str, usize, usize)] = &[
    ("pos", 3, 3),
    ("quat", 4, 4),
    ("axisangle", 4, 4),
    ("euler", 3, 3),
    ("xyaxes", 6, 6),
    ("zaxis", 3, 3),
    ("fromto", 6, 6),
    ("size", 1, 3),
    ("mass", 1, 1),
    ("density", 1, 1),
    ("diaginertia", 3, 3),
    ("fullinertia", 6, 6),
    ("axis", 3, 3),
    ("range", 2, 2),
    ("ref", 1, 1),
    ("springref", 1, 1),
    ("damping", 1, 1),
    ("armature", 1, 1),
    ("frictionloss", 1, 1),
    ("stiffness", 1, 1),
    ("margin", 1, 1),
    ("friction", 1, 5),
    ("solref", 1, 2),
    ("solimp", 1, 5),
    ("solreflimit", 1, 2),
    ("solimplimit", 1, 5),
    ("rgba", 1, 4),
    ("gear", 1, 6),
    ("ctrlrange", 2, 2),
    ("forcerange", 2, 2),
    ("gainprm", 1, 10),
    ("biasprm", 1, 10),
    ("kp", 1, 1),
    ("kv", 1, 1),
    ("inheritrange", 1, 1),
    ("coef", 1, 1),
    ("springlength", 1, 2),
    ("timestep", 1, 1),
    ("gravity", 3, 3),
    ("boundmass", 1, 1),
    ("boundinertia", 1, 1),
    ("settotalmass", 1, 1),
    ("inertiagrouprange", 2, 2),
    ("contype", 1, 1),
    ("conaffinity", 1, 1),
    ("condim", 1, 1),
    ("group", 1, 1),
    ("priority", 1, 1),
];

/// Those of them that are whole numbers.
pub(super) const INTEGER: &[&str] = &[
    "contype",
    "conaffinity",
    "condim",
    "group",
    "priority",
    "inertiagrouprange",
];

/// Attributes that are one of a few words: element, attribute, words.
pub(super) const WORDS: &[(&str, &str, &[&str])] = &[
    ("joint", "type", &["hinge", "slide", "ball", "free"]),
    (
        "geom",
        "type",
        &[
            "sphere",
            "capsule",
            "cylinder",
            "box",
            "ellipsoid",
            "plane",
            "mesh",
            "hfield",
            "sdf",
        ],
    ),
    ("compiler", "angle", &["degree", "radian"]),
];
