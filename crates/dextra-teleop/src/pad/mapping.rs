//! What the raw buttons and axes of a gamepad mean: a line of the standard game-controller database.

use crate::input::{Axis, Button};

/// The database's lines for Linux.
const DATABASE: &str = include_str!("gamecontrollerdb.txt");

/// The database's words for buttons, and ours.
const BUTTONS: [(&str, &str); 14] = [
    ("a", "PadSouth"),
    ("b", "PadEast"),
    ("x", "PadWest"),
    ("y", "PadNorth"),
    ("back", "PadSelect"),
    ("start", "PadStart"),
    ("leftshoulder", "PadLeftShoulder"),
    ("rightshoulder", "PadRightShoulder"),
    ("leftstick", "PadLeftStick"),
    ("rightstick", "PadRightStick"),
    ("dpup", "PadUp"),
    ("dpdown", "PadDown"),
    ("dpleft", "PadLeft"),
    ("dpright", "PadRight"),
];

/// The database's words for axes, ours, and the sign: the database counts down, we count up.
const AXES: [(&str, &str, f64); 6] = [
    ("leftx", "PadLeftX", 1.0),
    ("lefty", "PadLeftY", -1.0),
    ("rightx", "PadRightX", 1.0),
    ("righty", "PadRightY", -1.0),
    ("lefttrigger", "PadLeftTrigger", 1.0),
    ("righttrigger", "PadRightTrigger", 1.0),
];

/// The side of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Both,
    Plus,
    Minus,
}

/// Something on the device, numbered as the database does: in the order of the kernel's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Button(usize),
    Axis {
        index: usize,
        side: Side,
        inverted: bool,
    },
    /// Directions of a hat: 1 up, 2 right, 4 down, 8 left.
    Hat {
        index: usize,
        direction: u8,
    },
}

/// What it means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    Button(Button),
    /// A side of a stick or a trigger, and the factor that makes the database's values ours.
    Axis {
        axis: Axis,
        side: Side,
        sign: f64,
    },
}

impl Meaning {
    /// Whether it is in [0, 1].
    pub fn is_one_sided(self) -> bool {
        match self {
            Self::Button(_) => true,
            Self::Axis { axis, side, .. } => side != Side::Both || axis.name().contains("Trigger"),
        }
    }
}

/// A device's identity, as the kernel tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PadId {
    /// The bus: 3 USB, 5 Bluetooth.
    pub bus: u16,
    /// Who made it.
    pub vendor: u16,
    /// Which of theirs it is.
    pub product: u16,
    /// Which version of it.
    pub version: u16,
}

impl PadId {
    /// The numbers in a line's identifier: each as four digits, the low byte first, and zeros after it.
    fn parse(guid: &str) -> Option<Self> {
        let number = |at: usize| {
            let digits = guid.get(4 * at..4 * at + 4)?;
            Some(u16::from_str_radix(digits, 16).ok()?.swap_bytes())
        };
        let id = Self {
            bus: number(0)?,
            vendor: number(2)?,
            product: number(4)?,
            version: number(6)?,
        };
        let padded = [3, 5, 7].into_iter().all(|at| number(at) == Some(0));
        (padded && guid.len() == 32).then_some(id)
    }
}

/// What the controls of a gamepad mean.
pub(super) type Mapping = Vec<(Control, Meaning)>;

/// The mapping of a device: its line in the database, that of another version of it, or what most have.
/// `keys` and `axes` are the codes that it has, in order.
pub(super) fn of(id: PadId, keys: &[u16], axes: &[u16]) -> Mapping {
    let find = |same: &dyn Fn(PadId) -> bool| {
        lines().find_map(|(known, fields)| same(known).then(|| parse(fields)))
    };
    let same_model = |known: PadId| {
        known.vendor != 0
            && PadId {
                version: id.version,
                ..known
            } == id
    };
    find(&|known| known == id)
        .or_else(|| find(&same_model))
        .unwrap_or_else(|| usual(id, keys, axes))
}

/// Identity and fields of every line that names its device by numbers.
fn lines() -> impl Iterator<Item = (PadId, &'static str)> {
    DATABASE.lines().filter_map(|line| {
        let (guid, rest) = line.split_once(',')?;
        let (_, fields) = rest.split_once(',')?;
        Some((PadId::parse(guid)?, fields))
    })
}

/// Understands the fields of a line; what we have no use for is left out.
fn parse(fields: &str) -> Mapping {
    let field = |field: &str| {
        let (name, from) = field.split_once(':')?;
        Some((control(from)?, meaning(name)?))
    };
    fields.split(',').filter_map(field).collect()
}

fn sided(word: &str) -> (Side, &str) {
    match word.split_at_checked(1) {
        Some(("+", rest)) => (Side::Plus, rest),
        Some(("-", rest)) => (Side::Minus, rest),
        _ => (Side::Both, word),
    }
}

fn control(word: &str) -> Option<Control> {
    let (side, word) = sided(word);
    let (kind, number) = word.split_at_checked(1)?;
    match kind {
        "b" => number.parse().ok().map(Control::Button),
        "a" => Some(Control::Axis {
            index: number.trim_end_matches('~').parse().ok()?,
            side,
            inverted: number.ends_with('~'),
        }),
        "h" => {
            let (index, direction) = number.split_once('.')?;
            Some(Control::Hat {
                index: index.parse().ok()?,
                direction: direction.parse().ok()?,
            })
        }
        _ => None,
    }
}

fn meaning(name: &str) -> Option<Meaning> {
    let button = BUTTONS.iter().find(|(theirs, _)| *theirs == name);
    if let Some((_, ours)) = button {
        return Button::named(ours).map(Meaning::Button);
    }
    let (side, name) = sided(name);
    let (_, ours, sign) = AXES.iter().find(|(theirs, ..)| *theirs == name)?;
    Some(Meaning::Axis {
        axis: Axis::named(ours)?,
        side,
        sign: *sign,
    })
}

/// The layout that the kernel asks gamepads to have (its `input/gamepad` document), as SDL takes it for those
/// without a line; `keys` and `axes` are the codes that the device has, in order.
fn usual(id: PadId, keys: &[u16], axes: &[u16]) -> Mapping {
    // Sony's drivers name the upper two buttons by their place, others by their letter.
    const SONY: u16 = 0x054c;
    let [x, y] = if id.vendor == SONY {
        [0x134, 0x133]
    } else {
        [0x133, 0x134]
    };
    let buttons = [
        (0x130, "a"),
        (0x131, "b"),
        (x, "x"),
        (y, "y"),
        (0x136, "leftshoulder"),
        (0x137, "rightshoulder"),
        (0x13a, "back"),
        (0x13b, "start"),
        (0x13d, "leftstick"),
        (0x13e, "rightstick"),
        (0x220, "dpup"),
        (0x221, "dpdown"),
        (0x222, "dpleft"),
        (0x223, "dpright"),
    ];
    // Those without axes of their own for a right stick have it where others have triggers.
    let (right, triggers) = match axes.contains(&3) {
        true => ([3, 4], [2, 5]),
        false => ([2, 5], [10, 9]),
    };
    let sticks = [
        (0, "leftx"),
        (1, "lefty"),
        (right[0], "rightx"),
        (right[1], "righty"),
        (triggers[0], "lefttrigger"),
        (triggers[1], "righttrigger"),
    ];
    let place = |codes: &[u16], code: u16| codes.iter().position(|&known| known == code);
    let button = |(code, name): (u16, &str)| {
        let index = place(keys, code)?;
        Some((Control::Button(index), meaning(name)?))
    };
    let stick = |(code, name): (u16, &str)| {
        let from = Control::Axis {
            index: place(axes, code)?,
            side: Side::Both,
            inverted: false,
        };
        Some((from, meaning(name)?))
    };
    let mut mapping: Mapping = buttons.into_iter().filter_map(button).collect();
    mapping.extend(sticks.into_iter().filter_map(stick));
    let pulled = |name: &str| mapping.iter().any(|(_, to)| Some(*to) == meaning(name));
    if !pulled("lefttrigger") {
        let digital = [(0x138, "lefttrigger"), (0x139, "righttrigger")];
        mapping.extend(digital.into_iter().filter_map(button));
    }
    mapping.extend(parse("dpup:h0.1,dpright:h0.2,dpdown:h0.4,dpleft:h0.8"));
    mapping
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_line_of_the_database_is_understood() {
        let wanted =
            ["PadSouth", "PadEast"].map(|name| Meaning::Button(Button::named(name).unwrap()));
        let mut understood = 0;
        for (id, fields) in lines() {
            let mapping = parse(fields);
            let known = |to: &Meaning| mapping.iter().any(|(_, known)| known == to);
            assert!(!mapping.is_empty(), "{id:?}");
            understood += usize::from(wanted.iter().all(known));
        }
        assert!(understood > 600, "{understood}");
    }

    #[test]
    fn a_device_is_found_by_its_numbers_whatever_its_version() {
        let xbox = PadId {
            bus: 3,
            vendor: 0x045e,
            product: 0x028e,
            version: 0x0114,
        };
        assert_eq!(PadId::parse("030000005e0400008e02000014010000"), Some(xbox));
        assert_eq!(PadId::parse("0000000058626f782033363020576900"), None);
        let newer = PadId {
            version: 0x7777,
            ..xbox
        };
        let south = (
            Control::Button(0),
            Meaning::Button(Button::named("PadSouth").unwrap()),
        );
        for id in [xbox, newer, PadId::default()] {
            assert!(of(id, &[0x130], &[]).contains(&south), "{id:?}");
        }
        assert_eq!(of(xbox, &[], &[]).len(), 20);
    }
}
