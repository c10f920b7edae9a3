//! The training beside the window: started, commanded and watched, never waited for.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use dextra_data::Episode;
use dextra_learn::Policy;
use dextra_train::{
    Command, Edit, Frame, Outcome, Phase, Pilot, Session, Setting, Status, TrainConfig, TrainError,
};

use crate::{history::History, notice::Notices, tuning::Tuning};

/// Successes of a dataset that a training learns from, at most: as from the command line.
const MOST_TAKES: usize = 10_000;

/// Where the training stands.
enum State {
    /// None has been started.
    Idle,
    /// A session is being made: the scene is loaded, the networks are initialised.
    Starting(Receiver<Result<Session, TrainError>>),
    /// A session runs or rests.
    Active(Session),
    /// A session writes its last files.
    Ending(Receiver<Result<Outcome, TrainError>>),
    /// The session ended and everything is written.
    Finished,
    /// The session could not start or broke.
    Failed(String),
}

/// The training, present or past.
#[derive(Resource)]
pub(crate) struct Training {
    state: State,
    config: TrainConfig,
    /// The configuration before a person changed it.
    initial: TrainConfig,
    /// The configuration without the dataset that is learnt from, while there is one.
    plain: Option<TrainConfig>,
    tuning: Tuning,
    base: Option<PathBuf>,
    out: Option<PathBuf>,
    status: Status,
    history: History,
    policy: Option<(u64, Arc<Policy>)>,
    stopping: bool,
    pausing: bool,
    watched: Option<usize>,
    frames: VecDeque<Frame>,
}

/// What the panels say of the training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Never started.
    Idle,
    /// Loading.
    Starting,
    /// Collecting and updating.
    Running,
    /// Resting.
    Paused,
    /// Running the policy alone.
    Evaluating,
    /// Writing the last checkpoint.
    Stopping,
    /// Ended well.
    Finished,
    /// Ended by an error.
    Failed(String),
}

impl Training {
    /// None yet; `out` is where the first one writes.
    pub fn new(config: TrainConfig, out: Option<PathBuf>) -> Self {
        Self {
            state: State::Idle,
            status: Status {
                total_steps: config.steps,
                ..Status::default()
            },
            initial: config.clone(),
            plain: None,
            config,
            tuning: Tuning::default(),
            base: out,
            out: None,
            history: History::default(),
            policy: None,
            stopping: false,
            pausing: false,
            watched: None,
            frames: VecDeque::new(),
        }
    }

    /// Starts a new training in a folder of its own.
    pub fn start(&mut self) {
        if self.is_active() {
            return;
        }
        let out = fresh_folder(&self.base.clone().unwrap_or_else(|| {
            Path::new("runs").join(format!("{}-seed{}", self.config.task, self.config.seed))
        }));
        let config = self.config.clone();
        self.begin(out.clone(), move || Session::start(config, out));
    }

    /// Continues a run of the task at hand; `config` is the one that it began with.
    pub fn resume(&mut self, run: PathBuf, config: TrainConfig) {
        if self.is_active() {
            return;
        }
        self.config = config;
        self.begin(run.clone(), move || Session::resume(&run));
    }

    fn begin(
        &mut self,
        out: PathBuf,
        session: impl FnOnce() -> Result<Session, TrainError> + Send + 'static,
    ) {
        self.out = Some(out);
        self.history.clear();
        self.policy = None;
        self.stopping = false;
        self.pausing = false;
        self.tuning = Tuning::default();
        self.status = Status {
            total_steps: self.config.steps,
            ..Status::default()
        };
        let (sender, receiver) = bounded(1);
        thread::spawn(move || {
            // The receiver is gone only when the app is.
            let _ = sender.send(session());
        });
        self.state = State::Starting(receiver);
    }

    /// Lets the next training learn from so many successes of a dataset and ask nobody, or do as it did
    /// before one was chosen.
    pub fn learn_from(&mut self, dataset: Option<(&Path, usize)>) {
        if self.is_active() {
            return;
        }
        let plain = self.plain.take().unwrap_or_else(|| self.config.clone());
        self.config = plain.clone();
        if let Some((path, successes)) = dataset {
            self.config
                .learn_from(&path.display().to_string(), successes.min(MOST_TAKES));
            self.plain = Some(plain);
        }
        self.initial = self.config.clone();
    }

    /// The dataset that the training learns from.
    pub fn dataset(&self) -> Option<&str> {
        let shown = self
            .plain
            .is_some()
            .then_some(self.config.demonstrator.as_str());
        shown.filter(|_| self.config.demonstrations > 0)
    }

    /// Sets what the next training is started with; what was measured before is forgotten.
    pub fn prepare(&mut self, config: TrainConfig) {
        *self = Self {
            watched: self.watched,
            ..Self::new(config, self.base.take())
        };
    }

    /// Changes a field: of the running session between its rounds, or of the next one. Returns why it
    /// cannot be changed.
    pub fn edit(&mut self, edit: Edit) -> Option<String> {
        let before = self.settings().into_iter().find(|s| s.key == edit.key);
        let before = before.map(|setting| setting.value);
        if self.is_active() {
            self.tuning.ask(edit.clone(), before.unwrap_or(edit.value));
            self.command(Command::Edit(edit));
            return None;
        }
        match self.config.edited(&edit, &[]) {
            Ok(config) => {
                self.config = config;
                self.tuning.ask(edit.clone(), before.unwrap_or(edit.value));
                None
            }
            Err(error) => Some(error.to_string()),
        }
    }

    /// Takes the newest edit back. Whether there was one.
    pub fn undo_edit(&mut self) -> bool {
        let Some(edit) = self.tuning.undo() else {
            return false;
        };
        self.edit(edit);
        // Taking back is no edit to take back.
        self.tuning.undo();
        true
    }

    /// The fields that can be changed, as they stand.
    pub fn settings(&self) -> Vec<Setting> {
        if self.is_active() && !self.status.settings.is_empty() {
            return self.status.settings.clone();
        }
        let setting = |key: String| {
            Some(Setting {
                value: self.config.number(&key)?,
                initial: self.initial.number(&key)?,
                key,
            })
        };
        let keys = self.config.editable(&[]);
        keys.into_iter().filter_map(setting).collect()
    }

    /// Edits on their way.
    pub fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// Whether a session is being made, runs, rests or writes its last files.
    pub fn is_active(&self) -> bool {
        matches!(
            self.state,
            State::Starting(_) | State::Active(_) | State::Ending(_)
        )
    }

    /// Tells the session, if there is one.
    pub fn command(&mut self, command: Command) {
        match command {
            Command::Stop => self.stopping = self.is_active(),
            Command::Pause => self.pausing = true,
            Command::Resume => self.pausing = false,
            Command::StepRound | Command::Checkpoint | Command::Edit(_) | Command::ShowMemory => {}
        }
        if let State::Active(session) = &self.state {
            session.command(command);
        }
    }

    /// Lets a pilot drive an actor's environment.
    pub fn take_over(&self, actor: usize, pilot: Box<dyn Pilot>) {
        if let State::Active(session) = &self.state {
            session.take_over(actor, pilot);
        }
    }

    /// Wants the frames of that actor, or none; also of a session still to come.
    pub fn watch(&mut self, actor: Option<usize>) {
        self.watched = actor;
        if let State::Active(session) = &self.state {
            session.watch(actor);
        }
    }

    /// Hands over the watched actor's frames since the last call.
    pub fn take_frames(&mut self, frame: impl FnMut(Frame)) {
        if let State::Active(session) = &self.state {
            session.take_frames(&mut self.frames);
        }
        self.frames.drain(..).for_each(frame);
    }

    /// Episodes of the replay memory, once after they were asked for.
    pub fn take_memory(&self) -> Option<Vec<Episode>> {
        match &self.state {
            State::Active(session) => session.take_memory(),
            _ => None,
        }
    }

    /// The newest policy of this training and its version.
    pub fn policy(&self) -> Option<(u64, Arc<Policy>)> {
        self.policy.clone()
    }

    /// Whether it was asked to rest, which it does between rounds and after an evaluation.
    pub fn is_pausing(&self) -> bool {
        self.pausing
    }

    /// What the session was or will be started with.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The run folder of the newest training.
    pub fn out(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    /// The session's own words about itself.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The metrics so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Where the training stands.
    pub fn stage(&self) -> Stage {
        match &self.state {
            State::Idle => Stage::Idle,
            State::Starting(_) if !self.stopping => Stage::Starting,
            State::Active(_) if !self.stopping => match &self.status.phase {
                Phase::Starting => Stage::Starting,
                Phase::Running => Stage::Running,
                Phase::Paused => Stage::Paused,
                Phase::Evaluating => Stage::Evaluating,
                Phase::Finished | Phase::Failed(_) => Stage::Stopping,
            },
            State::Starting(_) | State::Active(_) | State::Ending(_) => Stage::Stopping,
            State::Finished => Stage::Finished,
            State::Failed(message) => Stage::Failed(message.clone()),
        }
    }

    /// Takes in what happened since the last frame. Returns what a person should be told.
    fn poll(&mut self) -> Option<String> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Starting(receiver) => match receiver.try_recv() {
                Ok(Ok(session)) => {
                    session.watch(self.watched);
                    if self.stopping {
                        session.command(Command::Stop);
                    }
                    self.state = State::Active(session);
                    None
                }
                Ok(Err(error)) => Some(self.fail(error.to_string())),
                Err(TryRecvError::Empty) => {
                    self.state = State::Starting(receiver);
                    None
                }
                Err(TryRecvError::Disconnected) => {
                    Some(self.fail("the training could not be started".into()))
                }
            },
            State::Active(session) => {
                self.status = session.status();
                let refused = self.status.refused_edit.as_deref();
                let told = self.tuning.settle(&self.status.settings, refused);
                for row in session.take_metrics() {
                    self.history.push(&row);
                }
                let version = self.status.policy_version;
                if self
                    .policy
                    .as_ref()
                    .is_none_or(|(known, _)| *known != version)
                {
                    self.policy = session.policy().map(|policy| (version, policy));
                }
                self.state = if session.is_finished() {
                    State::Ending(join(session))
                } else {
                    State::Active(session)
                };
                told
            }
            State::Ending(receiver) => match receiver.try_recv() {
                Ok(Ok(outcome)) => {
                    self.state = State::Finished;
                    // The last word on the policy, on seeds used for nothing else.
                    self.status.last_eval = outcome.final_eval.or(self.status.last_eval);
                    let folder = self.out.as_deref().unwrap_or(Path::new(".")).display();
                    Some(format!("Training ended; everything is in {folder}"))
                }
                Ok(Err(error)) => Some(self.fail(error.to_string())),
                Err(TryRecvError::Empty) => {
                    self.state = State::Ending(receiver);
                    None
                }
                Err(TryRecvError::Disconnected) => {
                    Some(self.fail("the training ended without an answer".into()))
                }
            },
            still => {
                self.state = still;
                None
            }
        }
    }

    fn fail(&mut self, message: String) -> String {
        self.state = State::Failed(message.clone());
        format!("Training failed: {message}")
    }
}

/// Joining may have to wait for files, so it is done elsewhere.
fn join(session: Session) -> Receiver<Result<Outcome, TrainError>> {
    let (sender, receiver) = bounded(1);
    thread::spawn(move || {
        let _ = sender.send(session.join());
    });
    receiver
}

/// `base`, or `base-2`, `base-3`, ...: the first that does not exist.
fn fresh_folder(base: &Path) -> PathBuf {
    if !base.exists() {
        return base.to_owned();
    }
    let name = base
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    (2..)
        .map(|n: u64| base.with_file_name(format!("{name}-{n}")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| base.to_owned())
}

pub(crate) struct SessionPlugin;

impl Plugin for SessionPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(
            PreUpdate,
            |mut training: ResMut<Training>, mut notices: ResMut<Notices>| {
                if let Some(told) = training.poll() {
                    notices.say(told);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_dataset_that_is_chosen_and_given_up_leaves_no_trace() {
        let config = TrainConfig::default();
        let mut training = Training::new(config.clone(), None);
        assert_eq!(training.dataset(), None);
        for path in ["datasets/door", "demos"] {
            training.learn_from(Some((Path::new(path), 25)));
            assert_eq!(training.dataset(), Some(path));
            let learns = training.config();
            assert_eq!((learns.demonstrations, learns.lambda_psi), (25, 0.0));
        }
        training.learn_from(None);
        assert_eq!((training.config(), training.dataset()), (&config, None));
    }

    #[test]
    fn a_second_training_does_not_write_over_the_first() {
        let base = std::env::temp_dir().join(format!("dextra-fresh-{}", std::process::id()));
        assert_eq!(fresh_folder(&base), base);
        std::fs::create_dir_all(&base).unwrap();
        let second = fresh_folder(&base);
        assert_eq!(
            second,
            base.with_file_name(format!("{}-2", base.file_name().unwrap().to_string_lossy()))
        );
        std::fs::remove_dir(&base).unwrap();
    }
}
