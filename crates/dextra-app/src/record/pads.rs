//! Gamepads: their events go to the hand while a person drives, and one of their buttons takes over.

#[cfg(target_os = "linux")]
use std::sync::{Mutex, mpsc::Receiver};

use bevy::{prelude::*, window::PrimaryWindow};
use dextra_teleop::{Input, PadEvent};

use super::{
    Studio,
    devices::{Down, Hold},
    worker::Request,
};
use crate::action::{Action, Actions};

/// The button that takes over for as long as it is held. While recording it runs back, which somebody else's
/// episode cannot.
pub(crate) const TAKES_OVER: &str = "PadLeftShoulder";

/// The gamepads of this machine.
#[derive(Resource)]
pub(crate) struct Pads {
    #[cfg(target_os = "linux")]
    events: Mutex<Receiver<PadEvent>>,
    names: Vec<String>,
    trouble: Option<String>,
}

impl Default for Pads {
    fn default() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            events: Mutex::new(dextra_teleop::listen_to_pads()),
            names: Vec::new(),
            trouble: None,
        }
    }
}

impl Pads {
    /// Names of those that are there.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Why one that is there cannot be used, and what to do.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    #[cfg(target_os = "linux")]
    fn take(&mut self) -> Vec<PadEvent> {
        let events = self.events.get_mut();
        events.map_or(Vec::new(), |events| events.try_iter().collect())
    }

    #[cfg(not(target_os = "linux"))]
    fn take(&mut self) -> Vec<PadEvent> {
        Vec::new()
    }

    /// Takes in who came and went; what is an event of the controls is returned.
    fn note(&mut self, event: PadEvent) -> Option<Input> {
        match event {
            PadEvent::Input(input) => return Some(input),
            PadEvent::Connected(name) => {
                self.names.push(name);
                self.trouble = None;
            }
            PadEvent::Disconnected(name) => {
                if let Some(at) = self.names.iter().position(|known| *known == name) {
                    self.names.remove(at);
                }
            }
            PadEvent::Trouble(text) => self.trouble = Some(text),
        }
        None
    }
}

pub(super) fn pads(
    mut pads: ResMut<Pads>,
    mut studio: ResMut<Studio>,
    mut down: ResMut<Down>,
    mut actions: ResMut<Actions>,
    window: Query<&Window, With<PrimaryWindow>>,
) {
    // A gamepad speaks to whoever listens, also while the person is at another window.
    let here = window.iter().any(|window| window.focused);
    for event in pads.take() {
        let Some(input) = pads.note(event) else {
            continue;
        };
        match input {
            Input::Press(button) if button.name() == TAKES_OVER && !studio.is_open() && here => {
                down.set_hold(Some(Hold::Pad));
                actions.0.push(Action::TakeOver);
            }
            Input::Release(button) if button.name() == TAKES_OVER && !studio.is_open() => {
                down.set_hold(None);
                studio.let_go(Hold::Pad);
            }
            input if studio.drives() => studio.ask(Request::Input(input)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use dextra_teleop::Button;

    #[test]
    fn who_is_there_and_who_cannot_be_read_is_known() {
        let mut pads = Pads::default();
        let pad = || "X-Box pad".to_owned();
        assert_eq!(pads.note(PadEvent::Trouble("no permission".into())), None);
        assert_eq!(pads.trouble(), Some("no permission"));
        pads.note(PadEvent::Connected(pad()));
        assert_eq!((pads.names(), pads.trouble()), ([pad()].as_slice(), None));
        let press = Input::Press(Button::named(TAKES_OVER).unwrap());
        assert_eq!(pads.note(PadEvent::Input(press)), Some(press));
        pads.note(PadEvent::Disconnected(pad()));
        assert!(pads.names().is_empty());
    }
}
