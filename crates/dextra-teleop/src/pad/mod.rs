//! Gamepads: what the kernel says of one becomes events of the driving controls.
//!
//! The kernel's numbers mean what the standard game-controller database says (`mapping`). Devices are found
//! and read without any library of the system (`devices`, on Linux).

#[cfg(target_os = "linux")]
mod devices;
mod mapping;

#[cfg(target_os = "linux")]
pub use devices::listen;
pub use mapping::PadId;

use mapping::{Control, Mapping, Meaning, Side};

use crate::input::{Axis, Button, Input};

/// The kernel's types of events.
const KEY: u16 = 1;
const ABSOLUTE: u16 = 3;
/// Codes of the axes of hats: two for each of four.
const HATS: std::ops::Range<u16> = 0x10..0x18;
/// Codes of joysticks' and gamepads' buttons begin here; the database counts them first.
const FIRST_BUTTON: u16 = 0x120;

/// What the gamepads say.
#[derive(Clone, Debug, PartialEq)]
pub enum PadEvent {
    /// One is there, by its name.
    Connected(String),
    /// It is gone; what was held on it has been let go of.
    Disconnected(String),
    /// An event of the driving controls.
    Input(Input),
    /// Why one that is there cannot be used, and what to do.
    Trouble(String),
}

/// An axis and the range of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PadAxis {
    /// The kernel's code.
    pub code: u16,
    /// The least value.
    pub least: i32,
    /// The largest value.
    pub most: i32,
}

/// A gamepad as the kernel describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PadInfo {
    /// Its name.
    pub name: String,
    /// Its identity.
    pub id: PadId,
    /// Codes of its buttons.
    pub keys: Vec<u16>,
    /// Its axes.
    pub axes: Vec<PadAxis>,
}

impl PadInfo {
    /// Whether buttons of these codes and axes make a gamepad or a joystick: keyboards, mice and tablets
    /// have other ones.
    pub fn is_gamepad(keys: impl Fn(u16) -> bool, axes: impl Fn(u16) -> bool) -> bool {
        (keys(0x130) || keys(FIRST_BUTTON)) && axes(0) && axes(1)
    }
}

/// The state of a gamepad's controls, kept to tell what a raw event changes.
pub struct Pad {
    info: PadInfo,
    mapping: Mapping,
    hats: [[i32; 2]; 4],
    pressed: Vec<Button>,
    /// Where each axis stands: its plus and its minus side.
    axes: Vec<(Axis, [f64; 2])>,
}

impl Pad {
    /// A gamepad with nothing held.
    pub fn new(mut info: PadInfo) -> Self {
        // As the database counts: buttons from the first of a joystick on, then other keys; axes without hats.
        info.keys
            .sort_unstable_by_key(|&code| (code < FIRST_BUTTON, code));
        info.axes.sort_unstable_by_key(|axis| axis.code);
        info.axes.retain(|axis| !HATS.contains(&axis.code));
        let axes: Vec<u16> = info.axes.iter().map(|axis| axis.code).collect();
        Self {
            mapping: mapping::of(info.id, &info.keys, &axes),
            info,
            hats: Default::default(),
            pressed: Vec::new(),
            axes: Vec::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Takes in an event of the kernel: its type, code and value. What that means for the driving controls.
    pub fn event(&mut self, kind: u16, code: u16, value: i32) -> Vec<Input> {
        match kind {
            KEY => {
                let index = self.info.keys.iter().position(|&known| known == code);
                let held = f64::from(u8::from(value != 0));
                self.tell(|control, _| match control {
                    Control::Button(of) if Some(of) == index => Some(held),
                    _ => None,
                })
            }
            ABSOLUTE if HATS.contains(&code) => {
                let (hat, across) = (usize::from(code - HATS.start) / 2, usize::from(code % 2));
                self.hats[hat][across] = value;
                let [x, y] = self.hats[hat];
                let directions = [(1, y < 0), (2, x > 0), (4, y > 0), (8, x < 0)];
                self.tell(|control, _| match control {
                    Control::Hat { index, direction } if index == hat => {
                        let held = directions
                            .iter()
                            .any(|&(bit, on)| on && direction & bit != 0);
                        Some(f64::from(u8::from(held)))
                    }
                    _ => None,
                })
            }
            ABSOLUTE => {
                let index = self.info.axes.iter().position(|axis| axis.code == code);
                let share = index.map_or(0.0, |index| self.info.axes[index].share(value));
                self.tell(|control, meaning| match control {
                    Control::Axis {
                        index: of,
                        side,
                        inverted,
                    } if Some(of) == index => {
                        Some(along(share, side, inverted, meaning.is_one_sided()))
                    }
                    _ => None,
                })
            }
            _ => Vec::new(),
        }
    }

    /// Lets go of everything.
    pub fn release_all(&mut self) -> Vec<Input> {
        let buttons = self.pressed.drain(..).map(Input::Release);
        let axes = self.axes.drain(..).map(|(axis, _)| Input::Axis(axis, 0.0));
        buttons.chain(axes).collect()
    }

    /// Sets what those controls mean that have a value; what that changes.
    fn tell(&mut self, value: impl Fn(Control, Meaning) -> Option<f64>) -> Vec<Input> {
        let mut inputs = Vec::new();
        let mapping = std::mem::take(&mut self.mapping);
        for &(control, meaning) in &mapping {
            if let Some(value) = value(control, meaning) {
                self.set(meaning, value, &mut inputs);
            }
        }
        self.mapping = mapping;
        inputs
    }

    fn set(&mut self, meaning: Meaning, value: f64, inputs: &mut Vec<Input>) {
        match meaning {
            Meaning::Button(button) => {
                let (held, was) = (value > 0.5, self.pressed.contains(&button));
                match (was, held) {
                    (false, true) => {
                        self.pressed.push(button);
                        inputs.push(Input::Press(button));
                    }
                    (true, false) => {
                        self.pressed.retain(|known| *known != button);
                        inputs.push(Input::Release(button));
                    }
                    _ => {}
                }
            }
            Meaning::Axis { axis, side, sign } => {
                let at = self.axes.iter().position(|(known, _)| *known == axis);
                let at = at.unwrap_or_else(|| {
                    self.axes.push((axis, [0.0; 2]));
                    self.axes.len() - 1
                });
                let sides = &mut self.axes[at].1;
                let before = sides[0] - sides[1];
                match side {
                    Side::Both => *sides = [value, 0.0],
                    Side::Plus => sides[0] = value,
                    Side::Minus => sides[1] = value,
                }
                let now = sides[0] - sides[1];
                if now != before {
                    inputs.push(Input::Axis(axis, sign * now));
                }
            }
        }
    }
}

impl PadAxis {
    /// A value as a share of the way from the middle, in [-1, 1].
    fn share(&self, value: i32) -> f64 {
        let (least, most) = (f64::from(self.least), f64::from(self.most));
        if most <= least {
            return 0.0;
        }
        (2.0 * (f64::from(value) - least) / (most - least) - 1.0).clamp(-1.0, 1.0)
    }
}

/// The share of an axis as its line in the database takes it.
fn along(share: f64, side: Side, inverted: bool, one_sided: bool) -> f64 {
    let share = if inverted { -share } else { share };
    match side {
        Side::Both if one_sided => 0.5 * (share + 1.0),
        Side::Both => share,
        Side::Plus => share.max(0.0),
        Side::Minus => (-share).max(0.0),
    }
}

#[cfg(test)]
mod tests;
