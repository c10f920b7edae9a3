//! The values of attributes: counts of numbers, whole numbers, words.

use crate::{error::SceneError, source::Element};

/// Attributes that are lists of numbers: name, fewest, most.
const NUMERIC: &[(&str, usize, usize)] = &[
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
    ("actuatorfrcrange", 2, 2),
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
    ("center", 3, 3),
    ("extent", 1, 1),
    ("time", 1, 1),
    ("scale", 3, 3),
    ("refpos", 3, 3),
    ("refquat", 4, 4),
];

/// Those of them that are whole numbers.
const INTEGER: &[&str] = &[
    "contype",
    "conaffinity",
    "condim",
    "group",
    "priority",
    "inertiagrouprange",
];

/// Attributes that are one of a few words: element, attribute, words.
const WORDS: &[(&str, &str, &[&str])] = &[
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

/// Numbers must be numbers, finite and of the right count; words must be known.
pub(super) fn values(element: &Element) -> Result<(), SceneError> {
    for (name, least, most) in NUMERIC {
        let Some(numbers) = element.numbers(name)? else {
            continue;
        };
        if !(*least..=*most).contains(&numbers.len()) {
            let count = if least == most {
                most.to_string()
            } else {
                format!("{least} to {most}")
            };
            return Err(element.error(format!(
                "{name} needs {count} number{}, found {}",
                if *most == 1 { "" } else { "s" },
                numbers.len()
            )));
        }
        if INTEGER.contains(name) && numbers.iter().any(|x| x.fract() != 0.0 || x.abs() > 2e9) {
            return Err(element.error(format!("{name} must be a whole number")));
        }
        let zero = numbers.iter().all(|x| *x == 0.0);
        if zero && ["quat", "axis", "zaxis"].contains(name) {
            return Err(element.error(format!("{name} has no length")));
        }
    }
    for (tag, name, words) in WORDS {
        if element.tag == *tag {
            element.choice(name, words)?;
        }
    }
    if let Some(sequence) = element.get("eulerseq")
        && !(sequence.len() == 3 && sequence.chars().all(|c| "xyzXYZ".contains(c)))
    {
        return Err(element.error(format!(
            "eulerseq=\"{sequence}\" is not three of x y z X Y Z"
        )));
    }
    Ok(())
}
