//! Bevy's events as the driving controls know them, while a person drives.

use std::collections::BTreeMap;

use bevy::{
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
        mouse::{MouseButtonInput, MouseMotion, MouseScrollUnit, MouseWheel},
    },
    prelude::*,
    window::WindowFocused,
};
use bevy_egui::input::EguiWantsInput;
use dextra_teleop::{Axis, Button, Command, Input, bindings};

use super::{Studio, worker::Request};
use crate::action::{Action, Actions};

/// Notches of a wheel that tells pixels.
const NOTCHES_PER_PIXEL: f64 = 0.02;

/// What keeps a hand taken over for as long as it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The key of [`Action::TakeOver`], wherever the keyboard has it.
    Key(KeyCode),
    /// A gamepad's button.
    Pad,
}

/// What each key that is down stands for: a key means on its way up what it meant on its way down.
#[derive(Resource, Default)]
pub(crate) struct Down {
    keys: BTreeMap<String, Button>,
    hold: Option<Hold>,
}

impl Down {
    /// What is held to take over.
    pub fn hold(&self) -> Option<Hold> {
        self.hold
    }

    /// Notes what is held to take over, or that it is no longer.
    pub fn set_hold(&mut self, hold: Option<Hold>) {
        self.hold = hold;
    }
}

/// Whether this is the key that takes over what is watched.
fn takes_over(key: &Key) -> bool {
    let of_table = crate::bindings::key_of(Action::TakeOver);
    matches!(key, Key::Character(c) if of_table == Some(c.to_uppercase().as_str()))
}

/// The driving controls' button of a key; letters whatever the shift.
pub(super) fn button_of(key: &Key) -> Option<Button> {
    match key {
        Key::Character(c) => Button::named(&c.to_uppercase()),
        Key::Space => Button::named("Space"),
        Key::Enter => Button::named("Enter"),
        Key::Backspace => Button::named("Backspace"),
        Key::Delete => Button::named("Delete"),
        Key::Tab => Button::named("Tab"),
        Key::Escape => Button::named("Esc"),
        Key::ArrowLeft => Button::named("Left"),
        Key::ArrowRight => Button::named("Right"),
        Key::ArrowUp => Button::named("Up"),
        Key::ArrowDown => Button::named("Down"),
        Key::Home => Button::named("Home"),
        Key::End => Button::named("End"),
        _ => None,
    }
}

fn mouse_button(button: MouseButton) -> Option<Button> {
    match button {
        MouseButton::Left => Button::named("MouseLeft"),
        _ => None,
    }
}

/// Keys go to the hand; the one that gives control back does so at once, whatever the hand does.
pub(super) fn keys(
    mut events: MessageReader<KeyboardInput>,
    mut studio: ResMut<Studio>,
    mut down: ResMut<Down>,
    mut actions: ResMut<Actions>,
) {
    for event in events.read() {
        if takes_over(&event.logical_key) && !event.repeat {
            let hold = Hold::Key(event.key_code);
            match event.state {
                ButtonState::Pressed if studio.held().is_some() => {
                    actions.0.push(Action::TakeOver);
                }
                ButtonState::Pressed => down.hold = Some(hold),
                ButtonState::Released => {
                    down.hold = None;
                    studio.let_go(hold);
                }
            }
        }
        if !studio.drives() {
            down.keys.clear();
            continue;
        }
        let code = format!("{:?}", event.key_code);
        match event.state {
            ButtonState::Pressed if !event.repeat => {
                let Some(button) = button_of(&event.logical_key) else {
                    continue;
                };
                if bindings::command_of(button, false) == Some(Command::Leave) {
                    studio.leave();
                } else {
                    down.keys.insert(code, button);
                    studio.ask(Request::Input(Input::Press(button)));
                }
            }
            ButtonState::Pressed => {}
            ButtonState::Released => {
                if let Some(button) = down.keys.remove(&code) {
                    studio.ask(Request::Input(Input::Release(button)));
                }
            }
        }
    }
}

/// The mouse over the scene goes to the hand too: the left button grabs, the wheel closes.
pub(super) fn mouse(
    mut presses: MessageReader<MouseButtonInput>,
    mut motions: MessageReader<MouseMotion>,
    mut wheels: MessageReader<MouseWheel>,
    studio: Res<Studio>,
    wants: Res<EguiWantsInput>,
) {
    let tell = |name: &str, value: f64| {
        if let Some(axis) = Axis::named(name).filter(|_| value != 0.0) {
            studio.ask(Request::Input(Input::Axis(axis, value)));
        }
    };
    if !studio.drives() {
        presses.clear();
        motions.clear();
        wheels.clear();
        return;
    }
    let free = !wants.wants_any_pointer_input();
    for press in presses.read() {
        let Some(button) = mouse_button(press.button) else {
            continue;
        };
        match press.state {
            ButtonState::Pressed if free => studio.ask(Request::Input(Input::Press(button))),
            ButtonState::Pressed => {}
            ButtonState::Released => studio.ask(Request::Input(Input::Release(button))),
        }
    }
    for motion in motions.read() {
        tell("MouseX", f64::from(motion.delta.x));
        // A window counts down from its top.
        tell("MouseY", -f64::from(motion.delta.y));
    }
    for wheel in wheels.read().filter(|_| free) {
        let notches = match wheel.unit {
            MouseScrollUnit::Line => f64::from(wheel.y),
            MouseScrollUnit::Pixel => f64::from(wheel.y) * NOTCHES_PER_PIXEL,
        };
        tell("Wheel", notches);
    }
}

/// The mouse moves the wrist in the plane of the picture.
pub(super) fn drag_axes(
    studio: Res<Studio>,
    eye: Single<&GlobalTransform, With<Camera3d>>,
    mut told: Local<Option<[Vec3; 2]>>,
) {
    let axes = [*eye.right(), *eye.up()];
    if studio.drives() && *told != Some(axes) {
        // The model's world has z up, the scene's y.
        let model = |v: Vec3| [v.x, -v.z, v.y].map(f64::from);
        studio.ask(Request::DragAxes(axes.map(model)));
        *told = Some(axes);
    }
    if !studio.drives() {
        *told = None;
    }
}

/// Whoever turns to another window lets go of everything.
pub(super) fn focus(
    mut events: MessageReader<WindowFocused>,
    mut studio: ResMut<Studio>,
    mut down: ResMut<Down>,
) {
    for event in events.read() {
        if !event.focused {
            down.hold = None;
            studio.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use dextra_teleop::bindings::On;

    /// Who takes over goes on holding its key, which must mean nothing else there.
    #[test]
    fn the_key_that_takes_over_drives_nothing() {
        let key = crate::bindings::key_of(Action::TakeOver).unwrap();
        assert!(takes_over(&Key::Character(key.to_lowercase().into())));
        let mut bound = bindings::all().flat_map(|row| row.on);
        assert!(
            bound.any(|on| *on == On::Button("V")),
            "its neighbour is bound"
        );
        assert!(!bindings::all().any(|row| row.on.contains(&On::Button(key))));
    }

    /// Every key of the driving controls can be pressed on a keyboard or a mouse.
    #[test]
    fn the_tables_keys_are_keys() {
        let named = |name: &str| -> Option<Button> {
            let key = match name {
                "Space" => Key::Space,
                "Enter" => Key::Enter,
                "Backspace" => Key::Backspace,
                "Delete" => Key::Delete,
                "Esc" => Key::Escape,
                "Left" => Key::ArrowLeft,
                "MouseLeft" => return mouse_button(MouseButton::Left),
                character => Key::Character(character.to_lowercase().into()),
            };
            button_of(&key)
        };
        let buttons = bindings::all()
            .flat_map(|row| row.on)
            .filter_map(|on| match on {
                On::Button(name) if !name.starts_with("Pad") => Some(*name),
                _ => None,
            });
        for name in buttons {
            assert_eq!(named(name).unwrap().name(), name);
        }
    }
}
