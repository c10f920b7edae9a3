//! The sandbox: any MJCF file, or a task's scene, to be looked into, driven, pushed, edited and gone
//! back in.
//!
//! The simulation lives on a thread of its own (`worker`), the files on another (`keeper`); the window
//! asks and shows what they last said. While a sandbox is open it has the scene, the keys of time and
//! the panels; what it hides goes on.

mod drag;
mod dump;
mod e2e;
mod edits;
mod keeper;
mod mouse;
mod open;
pub(crate) mod recent;
mod timeline;
pub(crate) mod view;
mod worker;

use std::{path::Path, sync::Arc};

use bevy::{prelude::*, window::FileDragAndDrop};
use bevy_panorbit_camera::PanOrbitCamera;
use dextra_data::dataset::is_dataset;
use dextra_sim::{Model, Parameter, PhysicsOptions, Pose};

pub(crate) use drag::{Drag, Goal};
pub(crate) use e2e::plugin as e2e_plugin;
pub(crate) use keeper::Origin;
pub(crate) use mouse::Hand;
pub(crate) use worker::{SPEEDS, Shot};

use crate::{
    action::Action,
    camera::View3d,
    notice::Notices,
    source::{PlaySystems, Shown, Watch},
};
use edits::Edits;
use keeper::Keeper;
use open::{Before, Open};
use recent::Recent;
use worker::{Request, Worker};

/// What a person has chosen to look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    Body(usize),
    Joint(usize),
    Geom(usize),
    Actuator(usize),
}

/// What the sandbox's panels ask for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Open(Origin),
    Close,
    Scrub(usize),
    Reset(Option<usize>),
    LastGood,
    Control(usize, f64),
    ZeroControls,
    Joint(usize, f64),
    Edit(Parameter, f64),
    /// The edit in progress is finished.
    FinishEdit,
    Undo,
    Redo,
    Save,
    Select(Option<Selection>),
    Measure(bool),
    /// The path field's text.
    Path(String),
    /// Shows or hides the dialog that opens a scene.
    Dialog(bool),
}

/// What panels asked for and is not yet carried out.
#[derive(Resource, Default)]
pub(crate) struct Commands(pub Vec<Command>);

/// The sandbox, open or not, and what is remembered of it.
#[derive(Resource)]
pub(crate) struct Sandbox {
    open: Option<Open>,
    wish: Option<Origin>,
    recent: Recent,
    /// Text of the path field while the dialog is open.
    dialog: Option<String>,
}

impl Sandbox {
    /// Closed, unless something is to be opened at once.
    pub fn new(wish: Option<Origin>) -> Self {
        Self {
            open: None,
            wish,
            recent: Recent::scenes(),
            dialog: None,
        }
    }

    /// Whether a sandbox has the scene.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The newest picture, with what it is of.
    pub fn shot(&self) -> Option<&Shot> {
        self.open.as_ref()?.shot.as_ref()
    }

    /// World poses of the bodies, when a sandbox has the scene.
    pub fn body_poses(&self) -> Option<&[Pose]> {
        self.shot().map(|shot| shot.body_poses.as_slice())
    }

    /// The selected body, or the one that carries what is selected.
    pub fn selected_body(&self) -> Option<usize> {
        let open = self.open.as_ref()?;
        let model = open.base.as_ref()?;
        match open.selected? {
            Selection::Body(body) => Some(body),
            Selection::Joint(joint) => model.joints.get(joint).map(|joint| joint.body),
            Selection::Geom(geom) => model.geoms.get(geom).map(|geom| geom.body),
            Selection::Actuator(_) => None,
        }
    }

    /// Carries out what a key asks, when it is the sandbox's; false when it is not.
    pub fn carry_out(&mut self, action: Action, notices: &mut Notices) -> bool {
        if let Action::OpenScene = action {
            self.dialog = match self.dialog {
                Some(_) => None,
                None => Some(String::new()),
            };
            return true;
        }
        let Some(open) = &mut self.open else {
            return false;
        };
        let shot = open.shot.as_ref();
        let (paused, speed) = shot.map_or((true, 1.0), |shot| (shot.paused, shot.speed));
        let request = match action {
            Action::TogglePause => Request::Pause(!paused),
            Action::Step => Request::Step,
            Action::StepBack => Request::StepBack,
            Action::Restart => Request::Reset(None),
            Action::Speed(speed) => Request::Speed(speed),
            Action::Faster | Action::Slower => {
                let next = match action {
                    Action::Faster => SPEEDS.iter().find(|&&s| s > speed * 1.01),
                    _ => SPEEDS.iter().rev().find(|&&s| s < speed * 0.99),
                };
                Request::Speed(*next.unwrap_or(&speed))
            }
            Action::Undo => return self.command(Command::Undo, notices),
            Action::Redo => return self.command(Command::Redo, notices),
            Action::Checkpoint => return self.command(Command::Save, notices),
            Action::Reload => {
                open.keeper.reload();
                return true;
            }
            Action::Escape => {
                self.dialog = None;
                open.selected = None;
                return true;
            }
            _ => return false,
        };
        open.worker.ask(request);
        true
    }

    /// Carries out what a panel asks.
    pub fn command(&mut self, command: Command, notices: &mut Notices) -> bool {
        match command {
            Command::Open(origin) => {
                self.wish = Some(origin);
                self.dialog = None;
            }
            Command::Path(text) => self.dialog = Some(text),
            Command::Dialog(shown) => self.dialog = shown.then(String::new),
            command => {
                let Some(open) = &mut self.open else {
                    return false;
                };
                if let Err(problem) = open.command(command, notices) {
                    notices.say(problem);
                }
            }
        }
        true
    }
}

/// Opens the sandbox wished for, shows the newest of it.
pub(crate) struct SandboxPlugin {
    /// What to open at once.
    pub open: Option<Origin>,
}

impl Plugin for SandboxPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Sandbox::new(self.open.clone()))
            .init_resource::<Commands>()
            .add_plugins(mouse::plugin)
            .add_systems(
                Update,
                (drop_files, obey, open, refresh)
                    .chain()
                    .in_set(PlaySystems),
            );
    }
}

fn obey(
    mut commands: ResMut<Commands>,
    mut sandbox: ResMut<Sandbox>,
    mut watch: ResMut<Watch>,
    mut shown: ResMut<Shown>,
    mut notices: ResMut<Notices>,
    mut view: ResMut<View3d>,
    mut camera: Single<&mut PanOrbitCamera>,
) {
    for command in commands.0.drain(..) {
        if command != Command::Close {
            sandbox.command(command, &mut notices);
        } else if let Some(open) = sandbox.open.take() {
            // What was shown before is shown again.
            watch.pause(open.before.paused);
            view.frame(open.before.model.framing, &mut camera);
            shown.0 = open.before.model;
        }
    }
}

fn drop_files(mut drops: MessageReader<FileDragAndDrop>, mut sandbox: ResMut<Sandbox>) {
    for drop in drops.read() {
        if let FileDragAndDrop::DroppedFile { path_buf, .. } = drop
            && !is_dataset(path_buf)
        {
            sandbox.wish = Some(Origin::File(path_buf.clone()));
        }
    }
}

fn open(mut sandbox: ResMut<Sandbox>, mut watch: ResMut<Watch>, mut shown: ResMut<Shown>) {
    let Some(origin) = sandbox.wish.take() else {
        return;
    };
    let before = match sandbox.open.take() {
        Some(open) => open.before,
        None => {
            let paused = watch.paused;
            watch.pause(true);
            Before {
                model: Arc::clone(&shown.0),
                paused,
            }
        }
    };
    if let Origin::File(path) = &origin {
        sandbox.recent.push(path);
    }
    // Nothing, until it is loaded.
    if let Ok(nothing) = Model::from_xml("<mujoco/>", Path::new(""), &PhysicsOptions::default()) {
        shown.0 = Arc::new(nothing);
    }
    sandbox.open = Some(Open {
        keeper: Keeper::start(origin.clone()),
        origin,
        worker: Worker::start(Arc::clone(&shown.0), recent::state_folder()),
        file: None,
        base: None,
        edits: Edits::default(),
        shot: None,
        problem: None,
        loads: 0,
        selected: None,
        grip: [0.0; 3],
        measured: false,
        before,
    });
}

fn refresh(
    mut sandbox: ResMut<Sandbox>,
    mut shown: ResMut<Shown>,
    mut notices: ResMut<Notices>,
    mut view: ResMut<View3d>,
    mut camera: Single<&mut PanOrbitCamera>,
) {
    let Some(open) = &mut sandbox.open else {
        return;
    };
    if let Some(loaded) = open.keeper.take()
        && let Some(model) = open.take(loaded, &mut notices)
    {
        if open.loads == 1 {
            view.frame(model.framing, &mut camera);
        }
        shown.0 = model;
    }
    let newest = open.worker.take();
    // Until the first scene is loaded there is none.
    if let Some(shot) = newest.filter(|_| open.base.is_some()) {
        open.shot = Some(shot);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_dropped_file_is_opened() {
        let mut app = App::new();
        app.add_message::<FileDragAndDrop>()
            .insert_resource(Sandbox {
                open: None,
                wish: None,
                recent: Recent::default(),
                dialog: None,
            })
            .add_systems(Update, drop_files);
        app.world_mut().write_message(FileDragAndDrop::DroppedFile {
            window: Entity::PLACEHOLDER,
            path_buf: "hand.xml".into(),
        });
        app.update();
        let wish = &app.world().resource::<Sandbox>().wish;
        assert_eq!(*wish, Some(Origin::File("hand.xml".into())));
    }
}
