//! What of MJCF is honoured, what is harmless, and what is refused: a table in three parts.
//!
//! Source: MuJoCo's XML reference, 3.x and 4.0.

mod drives;
mod settings;
mod tree;

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
/// The rule of that name; `mujoco` is the root.
pub(super) fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// Every rule.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    [settings::RULES, tree::RULES, drives::RULES]
        .into_iter()
        .flatten()
}
