//! What each key, button and axis does: one table makes the controls, the help and the test that
//! nothing is bound twice.

use crate::input::{Axis, Button};

/// A direction of the wrist: an axis of the world (0 x, 1 y, 2 z) and whether towards plus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Along {
    /// 0 x, 1 y, 2 z.
    pub axis: usize,
    /// Towards plus.
    pub plus: bool,
}

/// What a driver can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Moves the wrist target, while held.
    Move(Along),
    /// Turns the wrist target about an axis of the world, while held.
    Turn(Along),
    /// Moves the wrist target with the mouse, while held.
    Grab,
    /// The mouse's way to the right (0) or up (1).
    Drag(usize),
    /// Adds to a synergy, or takes away, while held or per notch.
    Synergy(usize, bool),
    /// Adds to a synergy as far as a trigger is pulled.
    Squeeze(usize),
    /// Leads the hand to a named posture, by its place in the list.
    Preset(usize),
    /// Fingers one by one, or the whole hand.
    ToggleFingers,
    /// Chooses a finger, 0 the thumb.
    Finger(usize),
    /// The next finger.
    NextFinger,
    /// Bends (or stretches) the chosen finger, while held or per notch.
    Flex(bool),
    /// Spreads the chosen finger towards the thumb's side (or away), while held.
    Spread(bool),
    /// Bends the chosen finger as far as a trigger is pulled.
    Curl,
    /// Keeps the wrist where it is, while held.
    HoldStill,
    /// The waypoints of the task attract the wrist target, or not.
    ToggleMagnet,
    /// Left and right, and the turns, as for a left hand, or not.
    ToggleMirror,
    /// Half the speed.
    Slower,
    /// Twice the speed.
    Faster,
    /// Stands still, or goes on.
    TogglePause,
    /// Runs back through the take, while held.
    Rewind,
    /// Ends the take and keeps it.
    Keep,
    /// Throws the take away and goes on to the next episode.
    Discard,
    /// Throws the take away and begins the same episode again.
    Retake,
    /// Takes the last kept episode out of the dataset again.
    Undo,
    /// Gives the keyboard back to the viewer.
    Leave,
}

/// When a binding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Always.
    Both,
    /// While the whole hand is driven.
    Hand,
    /// While single fingers are.
    Fingers,
}

/// What triggers a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A button, by name.
    Button(&'static str),
    /// An axis, by name, in its positive direction.
    Plus(&'static str),
    /// An axis, by name, in its negative direction.
    Minus(&'static str),
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What it does.
    pub command: Command,
    /// When.
    pub layer: Layer,
    /// What triggers it; the first is the key that the help names.
    pub on: &'static [On],
    /// One line of help.
    pub help: &'static str,
}

/// A heading of the help and its rows.
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// The rows.
    pub bindings: &'static [Binding],
}

const fn along(axis: usize, plus: bool) -> Along {
    Along { axis, plus }
}

const fn both(command: Command, on: &'static [On], help: &'static str) -> Binding {
    Binding {
        command,
        layer: Layer::Both,
        on,
        help,
    }
}

const fn hand(command: Command, on: &'static [On], help: &'static str) -> Binding {
    Binding {
        command,
        layer: Layer::Hand,
        on,
        help,
    }
}

const fn fingers(command: Command, on: &'static [On], help: &'static str) -> Binding {
    Binding {
        command,
        layer: Layer::Fingers,
        on,
        help,
    }
}

use Command::*;
use On::{Button as B, Minus, Plus};

/// Every key, button and axis.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Wrist",
        bindings: &[
            both(
                Move(along(1, true)),
                &[B("W"), Plus("PadLeftY")],
                "Away from the shoulder",
            ),
            both(
                Move(along(1, false)),
                &[B("S"), Minus("PadLeftY")],
                "Towards the shoulder",
            ),
            both(Move(along(0, false)), &[B("A"), Minus("PadLeftX")], "Left"),
            both(Move(along(0, true)), &[B("D"), Plus("PadLeftX")], "Right"),
            both(Move(along(2, true)), &[B("E"), Plus("PadRightY")], "Up"),
            both(Move(along(2, false)), &[B("Q"), Minus("PadRightY")], "Down"),
            both(Turn(along(0, true)), &[B("Z"), B("PadUp")], "Turn about x"),
            both(
                Turn(along(0, false)),
                &[B("X"), B("PadDown")],
                "Turn back about x",
            ),
            both(
                Turn(along(1, true)),
                &[B("T"), B("PadRight")],
                "Turn about y",
            ),
            both(
                Turn(along(1, false)),
                &[B("G"), B("PadLeft")],
                "Turn back about y",
            ),
            both(
                Turn(along(2, true)),
                &[B("C"), Minus("PadRightX")],
                "Turn about z",
            ),
            both(
                Turn(along(2, false)),
                &[B("V"), Plus("PadRightX")],
                "Turn back about z",
            ),
            both(Grab, &[B("MouseLeft")], "Hold: the mouse moves it"),
            both(Drag(0), &[Plus("MouseX")], "Right, while grabbed"),
            both(Drag(1), &[Plus("MouseY")], "Up, while grabbed"),
            both(
                HoldStill,
                &[B("H"), B("PadRightStick")],
                "Hold to keep it still",
            ),
        ],
    },
    Group {
        title: "Hand",
        bindings: &[
            hand(
                Synergy(0, true),
                &[B("K"), Plus("Wheel")],
                "Close the fingers",
            ),
            hand(
                Synergy(0, false),
                &[B("J"), Minus("Wheel")],
                "Open the fingers",
            ),
            hand(Synergy(1, true), &[B("I")], "Oppose the thumb"),
            hand(Synergy(1, false), &[B("U")], "Take the thumb back"),
            hand(Synergy(2, true), &[B("P")], "Third synergy"),
            hand(Synergy(2, false), &[B("O")], "Third synergy, back"),
            hand(Synergy(3, true), &[B(".")], "Fourth synergy"),
            hand(Synergy(3, false), &[B(",")], "Fourth synergy, back"),
            hand(
                Squeeze(0),
                &[Plus("PadRightTrigger")],
                "Close as far as pulled",
            ),
            hand(
                Squeeze(1),
                &[Plus("PadLeftTrigger")],
                "Oppose as far as pulled",
            ),
            hand(Preset(0), &[B("1")], "Rest"),
            hand(Preset(1), &[B("2")], "Power grasp"),
            hand(Preset(2), &[B("3")], "Pinch"),
            hand(Preset(3), &[B("4")], "Tripod"),
            hand(Preset(4), &[B("5")], "Hook"),
            hand(Preset(5), &[B("6")], "Pen"),
            hand(Preset(6), &[B("7")], "Hammer"),
        ],
    },
    Group {
        title: "Single fingers",
        bindings: &[
            both(
                ToggleFingers,
                &[B("F"), B("PadNorth")],
                "Single fingers, or the whole hand",
            ),
            fingers(Finger(0), &[B("1")], "Thumb"),
            fingers(Finger(1), &[B("2")], "Index finger"),
            fingers(Finger(2), &[B("3")], "Middle finger"),
            fingers(Finger(3), &[B("4")], "Ring finger"),
            fingers(Finger(4), &[B("5")], "Little finger"),
            fingers(NextFinger, &[B("6"), B("PadLeftStick")], "Next finger"),
            fingers(Flex(true), &[B("K"), Plus("Wheel")], "Bend it"),
            fingers(Flex(false), &[B("J"), Minus("Wheel")], "Stretch it"),
            fingers(Curl, &[Plus("PadRightTrigger")], "Bend it as far as pulled"),
            fingers(Spread(true), &[B("I")], "Spread it"),
            fingers(Spread(false), &[B("U")], "Spread it the other way"),
        ],
    },
    Group {
        title: "Time",
        bindings: &[
            both(
                TogglePause,
                &[B("Space"), B("PadStart")],
                "Stand still or go on",
            ),
            both(
                Rewind,
                &[B("Left"), B("PadLeftShoulder")],
                "Hold to run back",
            ),
            both(Slower, &[B("-")], "Half the speed"),
            both(Faster, &[B("=")], "Twice the speed"),
        ],
    },
    Group {
        title: "Assist",
        bindings: &[
            both(
                ToggleMagnet,
                &[B("M"), B("PadSelect")],
                "Waypoints attract the wrist",
            ),
            both(ToggleMirror, &[B("N")], "Mirror for a left hand"),
        ],
    },
    Group {
        title: "Take",
        bindings: &[
            both(Keep, &[B("Enter"), B("PadSouth")], "Keep it as it is"),
            both(Discard, &[B("Delete"), B("PadEast")], "Throw it away"),
            both(Retake, &[B("R"), B("PadWest")], "Begin it again"),
            both(
                Undo,
                &[B("Backspace"), B("PadRightShoulder")],
                "Take back the last one kept",
            ),
            both(Leave, &[B("Esc")], "Give control back"),
        ],
    },
];

/// Every row.
pub fn all() -> impl Iterator<Item = &'static Binding> {
    GROUPS.iter().flat_map(|group| group.bindings)
}

/// The rows that hold in the hand's layer, or in the fingers'.
pub(crate) fn active(fingers_layer: bool) -> impl Iterator<Item = &'static Binding> {
    all().filter(move |binding| match binding.layer {
        Layer::Both => true,
        Layer::Hand => !fingers_layer,
        Layer::Fingers => fingers_layer,
    })
}

/// The command of a button while the whole hand is driven, or single fingers.
pub fn command_of(button: Button, fingers_layer: bool) -> Option<Command> {
    active(fingers_layer)
        .find(|binding| binding.on.contains(&On::Button(button.name())))
        .map(|binding| binding.command)
}

/// What triggers a row, as the help says it: keys and mouse first, then the gamepad's.
pub fn words(binding: &Binding) -> String {
    let word = |on: &On| match on {
        On::Button(name) => (*name).to_owned(),
        On::Plus(name) => format!("{name} +"),
        On::Minus(name) => format!("{name} -"),
    };
    let words: Vec<String> = binding.on.iter().map(word).collect();
    words.join(", ")
}

/// The table as a page of Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# Driving a hand\n\nMade from the table that binds the controls:\n\
         `cargo run --release -p dextra-teleop --example controls > docs/driving.md`. What begins with\n\
         `Pad` is a gamepad's, named by its place. Speeds, dead zones and ranges are in `scenes/teleop.toml`.\n\n\
         A gamepad needs no driver of ours and no library: on Linux its device below `/dev/input` is read, and\n\
         the standard game-controller database says what its buttons are. One that may not be read is named in\n\
         the Record panel, with what to do.\n\n\
         The same controls drive what somebody else has begun: hold `B`, or `PadLeftShoulder`, while you watch a\n\
         policy's rollout or an environment of a running training. It is yours until you let go; the button\n\
         Drive it yourself hands it to you until `Esc`. Only the hand and the speed can be changed there:\n\
         somebody else's episode is neither halted nor run back.\n",
    );
    for group in GROUPS {
        page += &format!("\n## {}\n\n| control | does |\n|---|---|\n", group.title);
        for binding in group.bindings {
            page += &format!("| `{}` | {} |\n", words(binding), binding.help);
        }
    }
    page
}

/// How an axis moves a command: the sign of its direction.
pub(crate) fn sign_of(on: &On, axis: Axis) -> Option<f64> {
    match on {
        On::Plus(name) if *name == axis.name() => Some(1.0),
        On::Minus(name) if *name == axis.name() => Some(-1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_bound_twice_in_a_layer_and_every_name_exists() {
        for fingers_layer in [false, true] {
            let mut seen = Vec::new();
            for on in active(fingers_layer).flat_map(|binding| binding.on) {
                assert!(!seen.contains(&on), "{on:?} is bound twice");
                seen.push(on);
                match on {
                    On::Button(name) => assert!(Button::named(name).is_some(), "{name}"),
                    On::Plus(name) | On::Minus(name) => {
                        assert!(Axis::named(name).is_some(), "{name}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_page_is_of_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/driving.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == page(), "make docs/driving.md anew, as it says");
    }

    #[test]
    fn every_command_has_a_row_of_its_own() {
        let commands: Vec<_> = all().map(|binding| binding.command).collect();
        for (index, command) in commands.iter().enumerate() {
            assert!(!commands[..index].contains(command), "{command:?}");
        }
    }

    #[test]
    fn six_directions_and_six_turns_have_keys_and_a_gamepads_controls() {
        for axis in 0..3 {
            for plus in [true, false] {
                for command in [Move(along(axis, plus)), Turn(along(axis, plus))] {
                    let on: Vec<_> = all()
                        .filter(|binding| binding.command == command)
                        .flat_map(|binding| binding.on)
                        .collect();
                    let pad = on.iter().any(|on| match on {
                        On::Button(name) | On::Plus(name) | On::Minus(name) => {
                            name.starts_with("Pad")
                        }
                    });
                    assert!(pad && on.len() == 2, "{command:?}: {on:?}");
                }
            }
        }
    }
}
