//! Carries out what was asked, by key or by button.

use bevy::{
    ecs::system::SystemParam,
    input::keyboard::KeyboardInput,
    prelude::*,
    window::{MonitorSelection, PrimaryWindow, WindowMode},
};
use bevy_egui::input::EguiWantsInput;
use bevy_panorbit_camera::PanOrbitCamera;
use dextra_train::Command;

use crate::{
    action::{Action, Actions},
    bindings,
    camera::View3d,
    capture::Capture,
    notice::Notices,
    pace::Pace,
    panel::Layout,
    quit::Leaving,
    scene::Quality,
    session::{Stage, Training},
    source::{PlaySystems, Source, Watch},
};

pub(crate) struct ControlPlugin {
    /// Whether the training starts at once.
    pub train: bool,
}

impl Plugin for ControlPlugin {
    fn build(&self, app: &mut App) {
        let first = if self.train {
            vec![Action::Train]
        } else {
            Vec::new()
        };
        app.insert_resource(Actions(first))
            .add_systems(Update, (read_keys, carry_out).chain().before(PlaySystems));
    }
}

fn read_keys(
    mut events: MessageReader<KeyboardInput>,
    held: Res<ButtonInput<KeyCode>>,
    wants: Res<EguiWantsInput>,
    mut actions: ResMut<Actions>,
) {
    let pressed = bindings::pressed(&mut events, &held);
    if !wants.wants_keyboard_input() {
        actions.0.extend(pressed);
    }
}

/// Everything that an action can touch.
#[derive(SystemParam)]
struct Hands<'w, 's> {
    training: ResMut<'w, Training>,
    watch: ResMut<'w, Watch>,
    layout: ResMut<'w, Layout>,
    view: ResMut<'w, View3d>,
    quality: ResMut<'w, Quality>,
    pace: Res<'w, Pace>,
    leaving: ResMut<'w, Leaving>,
    notices: ResMut<'w, Notices>,
    captures: MessageWriter<'w, Capture>,
    window: Single<'w, 's, &'static mut Window, With<PrimaryWindow>>,
    camera: Single<'w, 's, &'static mut PanOrbitCamera>,
}

fn carry_out(mut actions: ResMut<Actions>, mut hands: Hands) {
    for action in actions.0.drain(..) {
        hands.carry_out(action);
    }
}

impl Hands<'_, '_> {
    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Train => self.train(),
            Action::StopTraining => self.training.command(Command::Stop),
            Action::Checkpoint if self.training.is_active() => {
                self.training.command(Command::Checkpoint);
                self.notices.say("Checkpoint asked for");
            }
            Action::Checkpoint => self.notices.say("Nothing is training"),
            Action::TogglePause if self.watches_learner() => self.train(),
            Action::TogglePause => {
                let paused = !self.watch.paused;
                self.watch.pause(paused);
            }
            Action::Step if self.watches_learner() => self.carry_out(Action::StepLearner),
            Action::StepLearner => self.training.command(Command::StepRound),
            Action::Step => {
                if !self.watch.paused {
                    self.watch.pause(true);
                }
                self.watch.step();
            }
            Action::Restart => self.restart(0),
            Action::NextEpisode => self.restart(1),
            Action::Seed(seed) => self.watch.restart(seed),
            Action::Speed(speed) => self.watch.set_speed(speed),
            Action::Faster => self.watch.change_speed(true),
            Action::Slower => self.watch.change_speed(false),
            Action::Watch(source) => self.watch.choose(source, &mut self.training),
            Action::NextSource => self.cycle_source(true),
            Action::PreviousSource => self.cycle_source(false),
            Action::NextCamera => self.look_from_next(true),
            Action::PreviousCamera => self.look_from_next(false),
            Action::ResetCamera => self.view.look_from(0, &mut self.camera),
            Action::ToggleShadows => {
                self.quality.shadows = !self.quality.shadows;
                if self.quality.shadows && self.pace.is_software() {
                    self.notices
                        .say("Shadows are slow without a GPU; S switches them off again");
                }
            }
            Action::ToggleLeft => self.layout.left = !self.layout.left,
            Action::ToggleRight => self.layout.right = !self.layout.right,
            Action::ToggleHelp => self.layout.help = !self.layout.help,
            Action::ToggleFullscreen => {
                self.window.mode = match self.window.mode {
                    WindowMode::Windowed => {
                        WindowMode::BorderlessFullscreen(MonitorSelection::Current)
                    }
                    _ => WindowMode::Windowed,
                };
            }
            Action::Screenshot => {
                self.captures.write(Capture(None));
            }
            Action::Quit => self.leaving.ask(),
        }
    }

    fn train(&mut self) {
        match self.training.stage() {
            Stage::Idle | Stage::Finished | Stage::Failed(_) => {
                self.training.start();
                // What a person who presses Train wants to see.
                self.watch.choose(Source::Actor(0), &mut self.training);
            }
            Stage::Paused => self.training.command(Command::Resume),
            Stage::Running | Stage::Evaluating => {
                let pausing = self.training.is_pausing();
                self.training.command(if pausing {
                    Command::Resume
                } else {
                    Command::Pause
                });
            }
            Stage::Starting | Stage::Stopping => {}
        }
    }

    fn watches_learner(&self) -> bool {
        matches!(self.watch.source, Source::Actor(_))
    }

    fn restart(&mut self, ahead: u64) {
        if !self.watches_learner() {
            let seed = self.watch.seed.wrapping_add(ahead);
            self.watch.restart(seed);
        }
    }

    fn cycle_source(&mut self, forward: bool) {
        let sources = self.watch.sources(&self.training);
        let at = sources
            .iter()
            .position(|&source| source == self.watch.source)
            .unwrap_or(0);
        let step = if forward { 1 } else { sources.len() - 1 };
        let next = sources[(at + step) % sources.len()];
        self.watch.choose(next, &mut self.training);
    }

    fn look_from_next(&mut self, forward: bool) {
        let preset = self.view.cycle(forward);
        self.view.look_from(preset, &mut self.camera);
    }
}
