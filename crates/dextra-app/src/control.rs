//! Carries out what was asked, by key or by button.

use std::sync::Arc;

use bevy::{
    ecs::system::SystemParam,
    input::keyboard::KeyboardInput,
    prelude::*,
    window::{MonitorSelection, PrimaryWindow, WindowMode},
};
use bevy_egui::input::EguiWantsInput;
use bevy_panorbit_camera::PanOrbitCamera;
use dextra_tasks::task_names;
use dextra_train::{ActingPolicy, Command, Edit, Frame, TrainConfig, shipped_policy};

use crate::{
    action::{Action, Actions, Against, Recollection},
    analysis::Analysis,
    bindings::{self, Modifiers},
    browser::Browser,
    camera::View3d,
    capture::Capture,
    demos::{self, DatasetEntry},
    dock::Docks,
    film::Filming,
    library::{self, Library},
    memory::Memory,
    notice::Notices,
    pace::Pace,
    panel::{Layout, Marks},
    quit::Leaving,
    record::{Down, Studio},
    sandbox::Sandbox,
    scene::{Overlay, Overlays, Quality},
    session::{Stage, Training},
    source::{Opponent, PlaySystems, Source, Watch},
    tape::Tape,
    workspace::{Arrangement, Arrangements, Workspace},
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
            .init_resource::<Edits>()
            .add_systems(
                Update,
                (read_keys, carry_out, edit).chain().before(PlaySystems),
            );
    }
}

/// Changes of the learner's numbers not yet passed on.
#[derive(Resource, Default)]
pub(crate) struct Edits(pub Vec<Edit>);

fn edit(mut edits: ResMut<Edits>, mut training: ResMut<Training>, mut notices: ResMut<Notices>) {
    for edit in edits.0.drain(..) {
        if let Some(refused) = training.edit(edit) {
            notices.say(refused);
        }
    }
}

fn read_keys(
    mut events: MessageReader<KeyboardInput>,
    held: Res<ButtonInput<KeyCode>>,
    wants: Res<EguiWantsInput>,
    studio: Res<Studio>,
    mut actions: ResMut<Actions>,
    mut modifiers: Local<Modifiers>,
) {
    let pressed = bindings::pressed(events.read(), &held, &mut modifiers);
    // While a person drives, every key is the hand's.
    if !wants.wants_keyboard_input() && !studio.drives() {
        actions.0.extend(pressed);
    }
}

/// Everything that an action can touch.
#[derive(SystemParam)]
struct Hands<'w, 's> {
    training: ResMut<'w, Training>,
    watch: ResMut<'w, Watch>,
    layout: ResMut<'w, Layout>,
    docks: ResMut<'w, Docks>,
    view: ResMut<'w, View3d>,
    quality: ResMut<'w, Quality>,
    sandbox: ResMut<'w, Sandbox>,
    studio: ResMut<'w, Studio>,
    down: Res<'w, Down>,
    browser: ResMut<'w, Browser>,
    overlays: ResMut<'w, Overlays>,
    pace: Res<'w, Pace>,
    leaving: ResMut<'w, Leaving>,
    notices: ResMut<'w, Notices>,
    captures: MessageWriter<'w, Capture>,
    filming: ResMut<'w, Filming>,
    tape: ResMut<'w, Tape>,
    library: ResMut<'w, Library>,
    arrangements: ResMut<'w, Arrangements>,
    analysis: ResMut<'w, Analysis>,
    memory: ResMut<'w, Memory>,
    marks: Res<'w, Marks>,
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
        if matches!(action, Action::OpenScene | Action::OpenTask(_)) {
            self.close_recording();
        }
        // What it shows would be in the way.
        let elsewhere = match action {
            Action::Arrange(workspace) => workspace != Workspace::Record,
            Action::OpenTask(_) | Action::WatchRun(_) | Action::ContinueRun(_) => true,
            _ => false,
        };
        if elsewhere {
            self.browser.close();
        }
        // While it has the scene, it has the keys of time too.
        if self.sandbox.carry_out(action, &mut self.notices)
            || self.browser.carry_out(action, &mut self.notices)
        {
            return;
        }
        match action {
            Action::Train => self.train(),
            Action::StopTraining => self.training.command(Command::Stop),
            Action::Checkpoint if self.training.is_active() => {
                self.training.command(Command::Checkpoint);
                self.notices.say("Checkpoint asked for");
            }
            Action::Checkpoint => self.notices.say("Nothing is training"),
            Action::TogglePause if !self.tape.is_live() => self.go_live(),
            Action::TogglePause if self.watches_learner() => self.train(),
            Action::TogglePause => {
                let paused = !self.watch.paused;
                self.watch.pause(paused);
            }
            Action::Step if !self.tape.is_live() => self.tape.step(1, self.watch.frame()),
            Action::StepBack => self.move_cursor(|tape, live| tape.step(-1, live)),
            Action::Pin(number) => self.move_cursor(|tape, _| tape.pin(number)),
            Action::TurnTo(next) => self.move_cursor(|tape, live| tape.turn_to(next, live)),
            Action::Live => self.go_live(),
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
            Action::Watch(source) => {
                self.go_live();
                self.watch.choose(source, &mut self.training);
            }
            Action::WatchNewest => {
                self.watch.prefers_given = false;
                self.watch.show_policy(&mut self.training);
            }
            Action::WatchShipped => match shipped_policy(&self.training.config().task) {
                Some(path) => self.library.open_policy(path),
                None => self.notices.say("No trained policy comes with this task"),
            },
            Action::WatchRun(run) => self.watch_run(run),
            Action::ContinueRun(run) => self.continue_run(run),
            Action::Recall(Recollection::Look) => self.memory.look(&mut self.training),
            Action::Recall(Recollection::By(quality)) => {
                (self.memory.quality, self.memory.chosen) = (quality, None);
            }
            Action::Recall(Recollection::Bar(bar)) => self.memory.chosen = Some(bar),
            Action::Recall(Recollection::Row(row)) => self.recall(row),
            Action::Compare(against) => self.compare(against),
            Action::Analyse(change) => self.analysis.change(change, &self.library),
            Action::SaveCharts => {
                let part = self.marks.0.get("analysis").copied();
                self.captures.write(Capture {
                    name: "charts",
                    path: None,
                    part,
                });
            }
            Action::LookForRuns => {
                let root = self.studio.root(&self.training.config().task);
                self.library.look(Some(&root));
            }
            Action::LearnFrom(None) => self.training.learn_from(None),
            Action::LearnFrom(Some(dataset)) => {
                if let Some(entry) = self.library.datasets().get(dataset).cloned() {
                    self.learn_from(&entry);
                }
            }
            Action::TrainFromTakes => self.train_from_takes(),
            Action::OpenTask(task) => self.open_task(task),
            Action::Undo => {
                if !self.training.undo_edit() {
                    self.notices.say("No edit to take back");
                }
            }
            Action::NextSource => self.cycle_source(true),
            Action::PreviousSource => self.cycle_source(false),
            Action::NextCamera => self.look_from_next(true),
            Action::PreviousCamera => self.look_from_next(false),
            Action::ToggleOverlay(overlay) => {
                self.overlays.toggle(overlay);
                let of_contacts = [
                    Overlay::ContactPoints,
                    Overlay::ContactForces,
                    Overlay::Touch,
                ];
                if of_contacts.contains(&overlay)
                    && self.overlays.has(overlay)
                    && self.studio.is_open()
                {
                    self.notices
                        .say("Contacts are not shown while a hand is driven");
                }
            }
            Action::CycleFrames => self.overlays.cycle_frames(),
            Action::Redo | Action::Reload => {
                self.notices
                    .say("That is a key of the sandbox; Ctrl+O opens a scene in it");
            }
            Action::Drive => self.drive(),
            Action::CloseRecording => self.close_recording(),
            Action::TakeOver => self.take_over(),
            Action::Browse => self.browse(),
            Action::DeleteEpisode => self.notices.say("No episode is browsed; Ctrl+E does that"),
            Action::OpenScene | Action::Escape => {}
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
            Action::ToggleTimeline => self.layout.bottom = !self.layout.bottom,
            Action::Show(tab) => (self.layout.right, self.layout.tab) = (true, tab),
            Action::Arrange(workspace) => {
                let arrangement = *self.arrangements.of(workspace);
                self.layout.arrange(workspace, arrangement);
            }
            Action::ResetLayout => {
                let workspace = self.layout.workspace;
                self.docks.reset(workspace);
                self.layout.arrange(workspace, Arrangement::of(workspace));
            }
            Action::TogglePalette => self.layout.palette = !self.layout.palette,
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
                self.captures.write(Capture {
                    name: "dextra",
                    path: None,
                    part: None,
                });
            }
            Action::RecordVideo => self.filming.toggle(),
            Action::Quit => self.leaving.ask(),
        }
    }

    /// Gives the hand to the person. The rollout rests meanwhile.
    fn drive(&mut self) {
        if self.sandbox.is_open() {
            self.notices.say("Close the sandbox first");
            return;
        }
        self.go_live();
        // Whether the rollout rested is known to whoever stopped it first.
        let rested = self.browser.close();
        let config = self.training.config();
        let paused = rested.unwrap_or(self.watch.paused);
        self.studio.drive(&config.task, config.env(), paused);
        self.watch.pause(true);
        if self.layout.workspace != Workspace::Record {
            self.carry_out(Action::Arrange(Workspace::Record));
        }
    }

    /// Gives what is watched to the person, or back.
    fn take_over(&mut self) {
        if self.studio.held().is_some() {
            return self.studio.leave();
        }
        if self.sandbox.is_open() || self.studio.is_open() {
            let what = "Close the sandbox or the recording first: nobody else drives here";
            return self.notices.say(what);
        }
        self.go_live();
        let source = self.watch.source;
        match source {
            Source::Actor(actor) => {
                if !matches!(self.training.stage(), Stage::Running | Stage::Evaluating) {
                    return self.notices.say("The training rests: let it go on first");
                }
                let pilot = self.studio.take_over(source, &self.down);
                self.training.take_over(actor, pilot);
            }
            Source::Expert | Source::Policy => {
                let pilot = self.studio.take_over(source, &self.down);
                self.watch.take_over(pilot);
            }
        }
    }

    /// Whether the next training will learn from that dataset.
    fn learn_from(&mut self, entry: &DatasetEntry) -> bool {
        let (task, holds) = (&self.training.config().task, &entry.holds);
        let refusal = if self.training.is_active() {
            "Stop the training before you choose what the next one learns from".into()
        } else if holds.task != *task {
            format!(
                "{} is of the task {}: open that task first",
                entry.name, holds.task
            )
        } else if holds.successes == 0 {
            format!(
                "{} has no successful episodes to learn from",
                entry.path.display()
            )
        } else {
            let dataset = Some((entry.path.as_path(), holds.successes));
            self.training.learn_from(dataset);
            return true;
        };
        self.notices.say(refusal);
        false
    }

    /// Trains from what has been recorded by hand, in view.
    fn train_from_takes(&mut self) {
        let root = self.studio.root(&self.training.config().task);
        if !root.exists() {
            let text = format!(
                "Nothing has been recorded in {} yet: F8 drives",
                root.display()
            );
            return self.notices.say(text);
        }
        match demos::entry(&root) {
            Err(message) => self.notices.say(message),
            Ok(entry) => {
                if self.learn_from(&entry) {
                    self.close_recording();
                    self.carry_out(Action::Arrange(Workspace::Train));
                    self.train();
                }
            }
        }
    }

    /// Browses the dataset that the task's recordings go to.
    fn browse(&mut self) {
        if self.browser.is_open() {
            self.browser.close();
            return;
        }
        self.go_live();
        let root = self.studio.root(&self.training.config().task);
        self.browser.wish(root);
    }

    fn close_recording(&mut self) {
        if let Some(paused) = self.studio.close() {
            self.watch.pause(paused);
        }
    }

    fn train(&mut self) {
        match self.training.stage() {
            Stage::Idle | Stage::Finished | Stage::Failed(_) => {
                self.training.start();
                self.watch.prefers_given = false;
                self.go_live();
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

    /// Moves the time cursor; a rollout that plays rests meanwhile.
    fn move_cursor(&mut self, to: impl FnOnce(&mut Tape, Option<&Frame>)) {
        let was_live = self.tape.is_live();
        to(&mut self.tape, self.watch.frame());
        let holds = was_live && !self.tape.is_live();
        if holds && !self.watches_learner() && !self.watch.paused {
            self.tape.holds = true;
            self.watch.pause(true);
        }
    }

    fn go_live(&mut self) {
        if self.tape.release() {
            self.watch.pause(false);
        }
    }

    fn open_task(&mut self, task: usize) {
        let Some(&task) = task_names().get(task) else {
            return;
        };
        if self.training.is_active() {
            self.notices
                .say("Stop the training before you change the task");
        } else if task != self.training.config().task {
            // What was chosen to learn from is of the task at hand.
            self.training.learn_from(None);
            let config = TrainConfig {
                task: task.into(),
                ..self.training.config().clone()
            };
            self.library.open_task(config, None);
        }
    }

    fn watch_run(&mut self, run: usize) {
        let Some(run) = self.library.runs().get(run).cloned() else {
            return;
        };
        if run.task == self.training.config().task {
            self.library.open_policy(run.path);
        } else if self.training.is_active() {
            let task = run.task;
            self.notices
                .say(format!("{} is a run of the task {task}", run.name));
        } else {
            self.training.learn_from(None);
            let config = TrainConfig {
                task: run.task,
                ..self.training.config().clone()
            };
            self.library.open_task(config, Some(run.path));
        }
    }

    /// Plays a transition's episode up to it again, in the rollout, and stops there.
    fn recall(&mut self, row: usize) {
        let Some((row, episode)) = self.memory.episode(row) else {
            return;
        };
        let (step, episode) = (row.step, Arc::clone(episode));
        self.go_live();
        let driver = match self.watch.source {
            Source::Expert => Source::Expert,
            _ if !self.watch.is_available(Source::Policy, &self.training) => Source::Expert,
            _ => Source::Policy,
        };
        self.watch.choose(driver, &mut self.training);
        self.watch.pause(true);
        self.watch.recall(episode, step);
    }

    fn compare(&mut self, against: Against) {
        let config = self.training.config().clone();
        let opponent = match against {
            Against::Nobody => {
                self.watch.rival = None;
                return;
            }
            Against::Expert => Some(Opponent::Expert),
            Against::Newest => self.training.policy().map(|(version, policy)| {
                let mode = config.eval_mode;
                Opponent::Trained(ActingPolicy { policy, mode }, version)
            }),
            Against::Shipped => shipped_policy(&config.task).map(Opponent::File),
            Against::Run(run) => {
                let run = self.library.runs().get(run);
                let run = run.filter(|run| run.task == config.task);
                run.map(|run| Opponent::File(run.path.clone()))
            }
        };
        match opponent {
            Some(opponent) => self.library.open_rival(config, opponent),
            None => self.notices.say("There is no such policy of this task"),
        }
    }

    fn continue_run(&mut self, run: usize) {
        let Some(run) = self.library.runs().get(run).cloned() else {
            return;
        };
        if self.training.is_active() {
            self.notices.say("Another training is under way");
        } else if run.task != self.training.config().task {
            let task = run.task;
            self.notices.say(format!("Open the task {task} first"));
        } else {
            match library::config_of(&run.path) {
                Ok(config) => {
                    self.training.resume(run.path, config);
                    self.watch.choose(Source::Actor(0), &mut self.training);
                }
                Err(message) => self.notices.say(message),
            }
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
