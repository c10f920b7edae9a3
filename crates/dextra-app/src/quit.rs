//! Leaving: a training under way is stopped and its checkpoint waited for, then the app ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use bevy::{prelude::*, window::WindowCloseRequested};
use dextra_train::Command;

use crate::{AppError, session::Training};

/// How often the terminal asked to end.
static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);

/// Whether the app is about to end.
#[derive(Resource, Default)]
pub(crate) struct Leaving {
    asked: bool,
}

impl Leaving {
    /// Asks to leave.
    pub fn ask(&mut self) {
        self.asked = true;
    }

    /// Whether someone asked to leave.
    pub fn is_asked(&self) -> bool {
        self.asked
    }
}

/// Makes `Ctrl-C` in the terminal close the window; a second one ends at once, without a checkpoint.
///
/// # Errors
/// When the signal cannot be caught.
pub(crate) fn listen_for_interrupts() -> Result<(), AppError> {
    ctrlc::set_handler(|| {
        if INTERRUPTS.fetch_add(1, Ordering::Relaxed) > 0 {
            std::process::exit(130);
        }
    })
    .map_err(|error| AppError::Interrupt(error.to_string()))
}

pub(crate) struct QuitPlugin;

impl Plugin for QuitPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Leaving>()
            .add_systems(PostUpdate, leave);
    }
}

fn leave(
    mut closing: MessageReader<WindowCloseRequested>,
    mut leaving: ResMut<Leaving>,
    mut training: ResMut<Training>,
    mut told: Local<bool>,
    mut exit: MessageWriter<AppExit>,
) {
    if closing.read().next().is_some() || INTERRUPTS.load(Ordering::Relaxed) > 0 {
        leaving.ask();
    }
    if !leaving.asked {
        return;
    }
    if !*told {
        training.command(Command::Stop);
        *told = true;
    }
    if !training.is_active() {
        exit.write(AppExit::Success);
    }
}
