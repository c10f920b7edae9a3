//! What an input device tells, as plain data: the same for real devices and for scripts.

use std::fmt;

/// Keys, mouse buttons and gamepad buttons. Letters and digits are those printed on the key; gamepad
/// buttons are named by their place, as in the standard game-controller database.
pub const BUTTONS: &[&str] = &[
    "A",
    "B",
    "C",
    "D",
    "E",
    "F",
    "G",
    "H",
    "I",
    "J",
    "K",
    "L",
    "M",
    "N",
    "O",
    "P",
    "Q",
    "R",
    "S",
    "T",
    "U",
    "V",
    "W",
    "X",
    "Y",
    "Z",
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "Space",
    "Enter",
    "Backspace",
    "Delete",
    "Tab",
    "Esc",
    "Left",
    "Right",
    "Up",
    "Down",
    "-",
    "=",
    ",",
    ".",
    "Home",
    "End",
    "MouseLeft",
    "MouseRight",
    "MouseMiddle",
    "PadSouth",
    "PadEast",
    "PadWest",
    "PadNorth",
    "PadLeftShoulder",
    "PadRightShoulder",
    "PadSelect",
    "PadStart",
    "PadLeftStick",
    "PadRightStick",
    "PadUp",
    "PadDown",
    "PadLeft",
    "PadRight",
];

/// Axes. Mouse and wheel tell how far they moved (pixels to the right and up, notches away from the
/// hand); sticks and triggers where they are (right and up positive, in [-1, 1]; triggers in [0, 1]).
pub const AXES: &[&str] = &[
    "MouseX",
    "MouseY",
    "Wheel",
    "PadLeftX",
    "PadLeftY",
    "PadRightX",
    "PadRightY",
    "PadLeftTrigger",
    "PadRightTrigger",
];

/// One of [`BUTTONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Button(&'static str);

/// One of [`AXES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Axis(&'static str);

impl Button {
    /// The button of that name.
    pub fn named(name: &str) -> Option<Self> {
        BUTTONS
            .iter()
            .find(|known| **known == name)
            .map(|n| Self(n))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl Axis {
    /// The axis of that name.
    pub fn named(name: &str) -> Option<Self> {
        AXES.iter().find(|known| **known == name).map(|n| Self(n))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// Whether it tells movements, not places.
    pub fn is_relative(self) -> bool {
        matches!(self.0, "MouseX" | "MouseY" | "Wheel")
    }
}

/// An event of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// A button went down. Repeats of a held key are no events.
    Press(Button),
    /// A button went up.
    Release(Button),
    /// An axis moved by so much, or stands there; see [`AXES`].
    Axis(Axis, f64),
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Press(button) => write!(f, "press {}", button.0),
            Self::Release(button) => write!(f, "release {}", button.0),
            Self::Axis(axis, value) => write!(f, "axis {} {value}", axis.0),
        }
    }
}
