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

use crate::action::Action;

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
            bind("Ctrl+S", Action::Checkpoint, "Checkpoint now"),
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
        title: "Window",
        bindings: &[
            bind("Tab", Action::ToggleLeft, "Left panel"),
            bind("Shift+Tab", Action::ToggleRight, "Charts"),
            bind("F4", Action::ToggleRight, "Charts"),
            bind("Ctrl+P", Action::Screenshot, "Save a screenshot"),
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
];

/// The first key of an action, for tooltips.
pub(crate) fn key_of(action: Action) -> Option<&'static str> {
    all()
        .find(|binding| binding.action == action)
        .map(|binding| binding.key)
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
        Key::Enter => ("Enter".into(), false),
        Key::Tab => ("Tab".into(), false),
        Key::ArrowRight => ("→".into(), false),
        Key::F1 | Key::F4 | Key::F11 => (format!("{key:?}"), false),
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
pub(crate) fn pressed(
    events: &mut MessageReader<KeyboardInput>,
    held: &ButtonInput<KeyCode>,
) -> Vec<Action> {
    let ctrl = held.any_pressed([KeyCode::ControlLeft, KeyCode::ControlRight]);
    let shift = held.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    events
        .read()
        .filter(|event| event.state == ButtonState::Pressed)
        .filter_map(|event| {
            let action = action_of(&word(&event.logical_key, ctrl, shift)?)?;
            let repeats = matches!(action, Action::Step | Action::Faster | Action::Slower);
            (repeats || !event.repeat).then_some(action)
        })
        .collect()
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
                "Enter" => Key::Enter,
                "Tab" => Key::Tab,
                "→" => Key::ArrowRight,
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
    fn a_shifted_character_is_the_character() {
        assert_eq!(
            word(&Key::Character("?".into()), false, true).as_deref(),
            Some("?")
        );
        assert_eq!(word(&Key::Tab, false, true).as_deref(), Some("Shift+Tab"));
    }
}
