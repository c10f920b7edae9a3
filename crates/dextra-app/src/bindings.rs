//! The keys: one table makes the key map, the help and the test that no key is bound twice.
//!
//! Keys are those of MuJoCo's viewer where it has the function.

use bevy::{
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
    },
    prelude::*,
};

use crate::{action::Action, scene::Overlay, workspace::Workspace};

/// A key, what it does and how the help says it.
pub(crate) struct Binding {
    /// The key as written on it, with modifiers: `Space`, `Ctrl+S`, `?`.
    pub key: &'static str,
    /// What it does.
    pub action: Action,
    /// One line of help.
    pub help: &'static str,
}

/// A heading of the help and its keys.
pub(crate) struct Group {
    /// The heading.
    pub title: &'static str,
    /// The keys.
    pub bindings: &'static [Binding],
}

const fn bind(key: &'static str, action: Action, help: &'static str) -> Binding {
    Binding { key, action, help }
}

const fn overlay(overlay: Overlay) -> Action {
    Action::ToggleOverlay(overlay)
}

/// Every key.
pub(crate) const GROUPS: &[Group] = &[
    Group {
        title: "Time",
        bindings: &[
            bind(
                "Space",
                Action::TogglePause,
                "Pause or continue what you watch",
            ),
            bind("→", Action::Step, "One step, or one round of the learner"),
            bind("←", Action::StepBack, "One step back"),
            bind("PageUp", Action::TurnTo(false), "Episode before"),
            bind("PageDown", Action::TurnTo(true), "Episode after"),
            bind("End", Action::Live, "Back to what plays"),
            bind(
                "Backspace",
                Action::Restart,
                "Restart the rollout's episode",
            ),
            bind("Enter", Action::NextEpisode, "Next episode of the rollout"),
            bind("-", Action::Slower, "Slower rollout"),
            bind("=", Action::Faster, "Faster rollout"),
        ],
    },
    Group {
        title: "Training",
        bindings: &[
            bind("Ctrl+T", Action::Train, "Train, pause, continue"),
            bind("Ctrl+→", Action::StepLearner, "One round, while paused"),
            bind(
                "Ctrl+S",
                Action::Checkpoint,
                "Checkpoint; sandbox: save edits",
            ),
            bind("Ctrl+Z", Action::Undo, "Take the last edit back"),
            bind("B", Action::TakeOver, "Hold: drive what you watch yourself"),
        ],
    },
    Group {
        title: "Episodes of a dataset",
        bindings: &[
            bind("Ctrl+E", Action::Browse, "Browse what was recorded"),
            bind("Delete", Action::DeleteEpisode, "Delete the shown episode"),
        ],
    },
    Group {
        title: "View",
        bindings: &[
            bind(".", Action::NextSource, "Watch the next source"),
            bind(",", Action::PreviousSource, "Watch the previous source"),
            bind("]", Action::NextCamera, "Next point of view"),
            bind("[", Action::PreviousCamera, "Previous point of view"),
            bind("Ctrl+A", Action::ResetCamera, "Show the whole scene"),
            bind("S", Action::ToggleShadows, "Shadows"),
            bind("F11", Action::ToggleFullscreen, "Fill the screen"),
        ],
    },
    Group {
        title: "Draw over the scene",
        bindings: &[
            bind("C", overlay(Overlay::ContactPoints), "Contact points"),
            bind("F", overlay(Overlay::ContactForces), "Contact forces"),
            bind("J", overlay(Overlay::Joints), "Joint axes and ranges"),
            bind("U", overlay(Overlay::Actuators), "Actuators"),
            bind("I", overlay(Overlay::Inertia), "Inertia boxes"),
            bind("M", overlay(Overlay::CentreOfMass), "Centres of mass"),
            bind("H", overlay(Overlay::Collision), "Collision shapes"),
            bind(
                "Y",
                overlay(Overlay::Touch),
                "Touch: sites, red where pressed",
            ),
            bind("T", overlay(Overlay::Transparent), "See through what moves"),
            bind("W", overlay(Overlay::Wireframe), "Wireframe"),
            bind("F6", Action::CycleFrames, "Axes of bodies, geoms, sites"),
        ],
    },
    Group {
        title: "Sandbox",
        bindings: &[
            bind("Ctrl+O", Action::OpenScene, "Open a scene (MJCF)"),
            bind("Ctrl+L", Action::Reload, "Load its files again"),
            bind("Ctrl+Y", Action::Redo, "Redo it"),
            bind("Esc", Action::Escape, "Select nothing"),
        ],
    },
    Group {
        title: "Window",
        bindings: &[
            bind("Ctrl+K", Action::TogglePalette, "Everything, by name"),
            bind(
                "Ctrl+1",
                Action::Arrange(Workspace::Watch),
                "Workspace Watch",
            ),
            bind(
                "Ctrl+2",
                Action::Arrange(Workspace::Train),
                "Workspace Train",
            ),
            bind(
                "Ctrl+3",
                Action::Arrange(Workspace::Analyse),
                "Workspace Analyse",
            ),
            bind(
                "Ctrl+4",
                Action::Arrange(Workspace::Record),
                "Workspace Record",
            ),
            bind("F8", Action::Drive, "Drive the hand; Esc gives it back"),
            bind("Tab", Action::ToggleLeft, "Left panel"),
            bind("Shift+Tab", Action::ToggleRight, "Right panel"),
            bind("F4", Action::ToggleRight, "Right panel"),
            bind("L", Action::ToggleTimeline, "Timeline"),
            bind("Ctrl+P", Action::Screenshot, "Save a screenshot"),
            bind(
                "Ctrl+M",
                Action::RecordVideo,
                "Record a video of the episode",
            ),
            bind("F1", Action::ToggleHelp, "Keys"),
            bind("?", Action::ToggleHelp, "Keys"),
            bind("Ctrl+Q", Action::Quit, "Quit, after the checkpoint"),
        ],
    },
];

/// What the mouse does in the 3-D view, for the help.
pub(crate) const MOUSE: &[(&str, &str)] = &[
    ("Left drag", "Turn the view"),
    ("Right drag", "Move the view"),
    ("Wheel", "Zoom"),
    ("Double click", "Select a body; right: look there"),
    ("Ctrl+right", "Pull it, Shift: level"),
    ("Ctrl+left", "Turn it"),
];

/// The first key of an action, for tooltips.
pub(crate) fn key_of(action: Action) -> Option<&'static str> {
    all()
        .find(|binding| binding.action == action)
        .map(|binding| binding.key)
}

/// Every action of the table, once, with its help.
pub(crate) fn commands() -> impl Iterator<Item = (Action, &'static str)> {
    all().map(|binding| (binding.action, binding.help))
}

fn all() -> impl Iterator<Item = &'static Binding> {
    GROUPS.iter().flat_map(|group| group.bindings)
}

/// The table's word for a key, or `None` for keys that the table cannot name.
///
/// A character stands for itself whatever layout and shift made it; letters are upper case.
fn word(key: &Key, ctrl: bool, shift: bool) -> Option<String> {
    let (name, is_character) = match key {
        Key::Character(c) => (c.to_uppercase(), true),
        Key::Space => ("Space".into(), false),
        Key::Backspace => ("Backspace".into(), false),
        Key::Delete => ("Delete".into(), false),
        Key::Enter => ("Enter".into(), false),
        Key::Tab => ("Tab".into(), false),
        Key::ArrowRight => ("→".into(), false),
        Key::ArrowLeft => ("←".into(), false),
        Key::Escape => ("Esc".into(), false),
        Key::End | Key::PageDown | Key::PageUp => (format!("{key:?}"), false),
        Key::F1 | Key::F4 | Key::F6 | Key::F8 | Key::F11 => (format!("{key:?}"), false),
        _ => return None,
    };
    let ctrl = if ctrl { "Ctrl+" } else { "" };
    let shift = if shift && !is_character { "Shift+" } else { "" };
    Some(format!("{ctrl}{shift}{name}"))
}

fn action_of(word: &str) -> Option<Action> {
    all()
        .find(|binding| binding.key == word)
        .map(|binding| binding.action)
}

/// The actions of the keys pressed since the last frame. A held key acts once, except that steps and
/// speeds repeat.
///
/// Modifiers are followed from event to event: where few pictures are drawn, a whole key combination
/// falls between two of them.
pub(crate) fn pressed<'a>(
    events: impl Iterator<Item = &'a KeyboardInput>,
    held: &ButtonInput<KeyCode>,
    modifiers: &mut Modifiers,
) -> Vec<Action> {
    let mut actions = Vec::new();
    for event in events {
        if modifiers.follow(event) || event.state != ButtonState::Pressed {
            continue;
        }
        let word = word(&event.logical_key, modifiers.ctrl, modifiers.shift);
        let Some(action) = word.and_then(|word| action_of(&word)) else {
            continue;
        };
        let repeats = matches!(
            action,
            Action::Step | Action::StepBack | Action::Faster | Action::Slower
        );
        if repeats || !event.repeat {
            actions.push(action);
        }
    }
    // What was released while another window had the keyboard.
    *modifiers = Modifiers {
        ctrl: held.any_pressed([KeyCode::ControlLeft, KeyCode::ControlRight]),
        shift: held.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]),
    };
    actions
}

/// The modifier keys that are down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modifiers {
    ctrl: bool,
    shift: bool,
}

impl Modifiers {
    /// Takes in an event; whether it was that of a modifier.
    fn follow(&mut self, event: &KeyboardInput) -> bool {
        let down = event.state == ButtonState::Pressed;
        match event.key_code {
            KeyCode::ControlLeft | KeyCode::ControlRight => self.ctrl = down,
            KeyCode::ShiftLeft | KeyCode::ShiftRight => self.shift = down,
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn no_key_is_bound_twice() {
        let mut keys: Vec<_> = all().map(|binding| binding.key).collect();
        let bound = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), bound);
    }

    #[test]
    fn every_key_of_the_table_can_be_pressed() {
        for binding in all() {
            let (ctrl, rest) = match binding.key.strip_prefix("Ctrl+") {
                Some(rest) => (true, rest),
                None => (false, binding.key),
            };
            let (shift, name) = match rest.strip_prefix("Shift+") {
                Some(rest) => (true, rest),
                None => (false, rest),
            };
            let key = match name {
                "Space" => Key::Space,
                "Backspace" => Key::Backspace,
                "Delete" => Key::Delete,
                "Enter" => Key::Enter,
                "Tab" => Key::Tab,
                "→" => Key::ArrowRight,
                "←" => Key::ArrowLeft,
                "End" => Key::End,
                "PageUp" => Key::PageUp,
                "PageDown" => Key::PageDown,
                "Esc" => Key::Escape,
                "F6" => Key::F6,
                "F8" => Key::F8,
                "F1" => Key::F1,
                "F4" => Key::F4,
                "F11" => Key::F11,
                character => Key::Character(character.to_lowercase().into()),
            };
            assert_eq!(word(&key, ctrl, shift).as_deref(), Some(binding.key));
            assert_eq!(action_of(binding.key), Some(binding.action));
        }
    }

    #[test]
    fn a_combination_between_two_pictures_counts() {
        let event = |key_code, key: Key, state| KeyboardInput {
            key_code,
            logical_key: key,
            state,
            text: None,
            repeat: false,
            window: Entity::PLACEHOLDER,
        };
        let (down, up) = (ButtonState::Pressed, ButtonState::Released);
        let letter = || Key::Character("k".into());
        let events = [
            event(KeyCode::ControlLeft, Key::Control, down),
            event(KeyCode::KeyK, letter(), down),
            event(KeyCode::KeyK, letter(), up),
            event(KeyCode::ControlLeft, Key::Control, up),
            event(KeyCode::F1, Key::F1, down),
        ];
        let mut modifiers = Modifiers::default();
        let actions = pressed(events.iter(), &ButtonInput::default(), &mut modifiers);
        assert_eq!(actions, [Action::TogglePalette, Action::ToggleHelp]);
        assert_eq!(modifiers, Modifiers::default());
    }

    #[test]
    fn a_shifted_character_is_the_character() {
        assert_eq!(
            word(&Key::Character("?".into()), false, true).as_deref(),
            Some("?")
        );
        assert_eq!(word(&Key::Tab, false, true).as_deref(), Some("Shift+Tab"));
    }

    /// At a low frame rate a quick shortcut is over before the frame is.
    #[test]
    fn a_shortcut_within_one_frame_has_its_modifier() {
        #[derive(Resource, Default)]
        struct Found(Vec<Action>);
        let mut app = App::new();
        app.add_message::<KeyboardInput>()
            .init_resource::<ButtonInput<KeyCode>>()
            .init_resource::<Found>()
            .add_systems(
                Update,
                |mut events: MessageReader<KeyboardInput>,
                 held: Res<ButtonInput<KeyCode>>,
                 mut modifiers: Local<Modifiers>,
                 mut found: ResMut<Found>| {
                    found.0 = pressed(events.read(), &held, &mut modifiers);
                },
            );
        let mut press = |keys: &[(KeyCode, Key, ButtonState)]| {
            for (key_code, logical_key, state) in keys {
                app.world_mut().write_message(KeyboardInput {
                    key_code: *key_code,
                    logical_key: logical_key.clone(),
                    state: *state,
                    text: None,
                    repeat: false,
                    window: Entity::PLACEHOLDER,
                });
            }
            app.update();
            app.world().resource::<Found>().0.clone()
        };
        let z = || Key::Character("z".into());
        let quick = [
            (KeyCode::ControlLeft, Key::Control, ButtonState::Pressed),
            (KeyCode::KeyZ, z(), ButtonState::Pressed),
            (KeyCode::KeyZ, z(), ButtonState::Released),
            (KeyCode::ControlLeft, Key::Control, ButtonState::Released),
        ];
        assert_eq!(press(&quick), [Action::Undo]);
        assert!(press(&[(KeyCode::KeyZ, z(), ButtonState::Pressed)]).is_empty());
    }
}
