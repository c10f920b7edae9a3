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
mod recent;
mod timeline;
pub(crate) mod view;
mod worker;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use bevy::{prelude::*, window::FileDragAndDrop};
use bevy_panorbit_camera::PanOrbitCamera;
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
use keeper::{Keeper, Loaded};
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

/// What was shown before a sandbox was opened.
struct Before {
    model: Arc<Model>,
    paused: bool,
}

/// An open sandbox.
struct Open {
    origin: Origin,
    keeper: Keeper,
    worker: Worker,
    /// The MJCF file, once it is loaded.
    file: Option<PathBuf>,
    /// As the files say.
    base: Option<Arc<Model>>,
    edits: Edits,
    shot: Option<Shot>,
    problem: Option<String>,
    /// How often a scene was taken over.
    loads: usize,
    selected: Option<Selection>,
    /// The point of the selected body that was pointed at, in its frame.
    grip: [f64; 3],
    measured: bool,
    before: Before,
}

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
            recent: Recent::load(),
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

impl Open {
    fn command(&mut self, command: Command, notices: &mut Notices) -> Result<(), String> {
        let ask = |request| self.worker.ask(request);
        match command {
            Command::Scrub(state) => ask(Request::Scrub(state)),
            Command::Reset(keyframe) => ask(Request::Reset(keyframe)),
            Command::LastGood => ask(Request::LastGood),
            Command::Control(actuator, value) => ask(Request::Control(actuator, value)),
            Command::ZeroControls => ask(Request::ZeroControls),
            Command::Joint(joint, value) => ask(Request::Joint(joint, value)),
            Command::Select(selected) => {
                self.selected = selected;
                self.grip = [0.0; 3];
            }
            Command::Measure(on) => {
                self.measured = on;
                ask(Request::Measure(on));
            }
            Command::Edit(parameter, value) => self.edit(parameter, value)?,
            Command::FinishEdit => self.edits.finish(),
            Command::Undo if self.edits.undo() => self.remake()?,
            Command::Undo => notices.say("Nothing to undo"),
            Command::Redo if self.edits.redo() => self.remake()?,
            Command::Redo => notices.say("Nothing to redo"),
            Command::Save => notices.say(self.save()?),
            Command::Close | Command::Open(_) | Command::Path(_) | Command::Dialog(_) => {}
        }
        Ok(())
    }

    fn edit(&mut self, parameter: Parameter, value: f64) -> Result<(), String> {
        let shown = self.shot.as_ref().map(|shot| &shot.model);
        let model = shown.or(self.base.as_ref()).ok_or("no scene is loaded")?;
        let before = model
            .value(parameter)
            .ok_or("the scene has no such number")?;
        model.with(parameter, value).map_err(|e| e.to_string())?;
        self.edits.set(parameter, before, value);
        self.remake()
    }

    /// Makes the running scene what files and edits say.
    fn remake(&mut self) -> Result<(), String> {
        let Some(base) = &self.base else {
            return Ok(());
        };
        let model = self.edits.apply(base)?;
        self.worker.ask(Request::Replace(Arc::new(model)));
        Ok(())
    }

    /// Writes the edited numbers into the files; returns what to say about it.
    fn save(&mut self) -> Result<String, String> {
        let (Some(base), Some(file)) = (&self.base, &self.file) else {
            return Err("no scene is loaded".into());
        };
        let parameters = self.edits.parameters();
        if parameters.is_empty() {
            return Ok("Nothing was edited".into());
        }
        let edited = self.edits.apply(base)?;
        let texts = edited.saved(base, file, &parameters);
        let texts = texts.map_err(|error| error.to_string())?;
        let mut names = Vec::new();
        for (path, text) in texts {
            replace_file(&path, &text)?;
            names.push(path.display().to_string());
        }
        self.edits = Edits::default();
        // The places of the elements have moved.
        self.base = Some(Arc::new(edited));
        self.keeper.reload();
        Ok(format!("Saved {}", names.join(" and ")))
    }

    /// Takes over what the files say now.
    fn take(
        &mut self,
        loaded: Result<Loaded, String>,
        notices: &mut Notices,
    ) -> Option<Arc<Model>> {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(problem) => {
                self.problem = Some(problem);
                return None;
            }
        };
        self.problem = None;
        self.file = Some(loaded.file);
        let old = self.base.replace(Arc::clone(&loaded.model));
        match old {
            None => self
                .worker
                .ask(Request::Open(Arc::clone(&loaded.model), loaded.start)),
            Some(old) => {
                let unchanged =
                    old.hash() == loaded.model.hash() && old.geoms == loaded.model.geoms;
                if unchanged && self.edits.len() == 0 {
                    return None;
                }
                let dropped = self.edits.rebase(&old, &loaded.model);
                if dropped > 0 {
                    notices.say(format!(
                        "{dropped} edits were dropped: their elements are gone"
                    ));
                }
                if old.bodies.len() != loaded.model.bodies.len() {
                    self.selected = None;
                }
                match self.remake() {
                    Ok(()) => notices.say("The files changed; the scene was loaded again"),
                    Err(problem) => notices.say(problem),
                }
            }
        }
        self.loads += 1;
        Some(loaded.model)
    }
}

/// Writes a file so that it is never half written; one that is linked to stays where it is.
fn replace_file(path: &Path, text: &str) -> Result<(), String> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.dextra"));
    let write = || {
        let mut file = fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    write().map_err(|error| {
        // Perhaps it was never made.
        let _ = fs::remove_file(&beside);
        format!("{} cannot be written: {error}", path.display())
    })
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
        if let FileDragAndDrop::DroppedFile { path_buf, .. } = drop {
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
