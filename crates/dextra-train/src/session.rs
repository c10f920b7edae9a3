//! A run on a thread of its own: started, watched, commanded, ended.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use dextra_data::Episode;
use dextra_learn::Policy;
use serde::Serialize;
use serde_json::json;

use crate::{
    actor::{Frame, FrameSink},
    checkpoint::{Checkpoint, latest_checkpoint},
    config::TrainConfig,
    error::TrainError,
    evaluate::EvalResult,
    log::RunLog,
    metrics::MetricRow,
    run_folder::RunFolder,
    runner::Runner,
    statistics::Milestones,
    status::{Command, Status},
    takeover::{Pilot, Seat},
    trainer::Trainer,
};

/// Frames kept for a watcher; about five seconds of one actor.
const FRAMES: usize = 512;

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The run's folder.
    pub folder: PathBuf,
    /// Whether it was told to stop before its end.
    pub interrupted: bool,
    /// Environment steps made.
    pub steps: u64,
    /// Updates made.
    pub updates: u64,
    /// Training episodes completed.
    pub episodes: u64,
    /// Training episodes lost to non-finite physics.
    pub failures: u64,
    /// Seconds of training, pauses excluded.
    pub elapsed_secs: f64,
    /// When evaluations first reached 50% and 90%.
    pub milestones: Milestones,
    /// The last evaluation, of the policy that did best in the run's own; `None` when interrupted.
    pub final_eval: Option<EvalResult>,
}

/// A handle to a run. Dropping it stops the run with a checkpoint.
pub struct Session {
    folder: PathBuf,
    commands: Sender<Command>,
    shared: Arc<Shared>,
    sink: FrameSink,
    frames: Receiver<Frame>,
    seat: Arc<Seat>,
    thread: Option<JoinHandle<Result<Outcome, TrainError>>>,
}

/// What the thread that runs and the handle have in common.
#[derive(Default)]
pub(crate) struct Shared {
    pub status: Mutex<Status>,
    pub metrics: Mutex<Vec<MetricRow>>,
    pub policy: Mutex<Option<Arc<Policy>>>,
    pub memory: Mutex<Option<Vec<Episode>>>,
    pub stop: AtomicBool,
}

impl Session {
    /// Starts a new run in the folder `out`.
    ///
    /// # Errors
    /// When the configuration, the task or the folder cannot be used; nothing runs then.
    pub fn start(config: TrainConfig, out: PathBuf) -> Result<Self, TrainError> {
        Self::start_with(config, out, RunLog::default())
    }

    /// As [`Session::start`], doing what stands in that log at its steps.
    ///
    /// # Errors
    /// As [`Session::start`], and when the log does not fit the configuration.
    pub fn start_with(
        config: TrainConfig,
        out: PathBuf,
        log: impl Into<RunLog>,
    ) -> Result<Self, TrainError> {
        let trainer = Trainer::new(config)?;
        let log = log.into();
        check(&trainer, &log)?;
        let initial = trainer.config().clone();
        let mut folder = RunFolder::create(&out, trainer.config(), &trainer.provenance())?;
        folder.event("start", 0, json!({ "provenance": trainer.provenance() }))?;
        Self::spawn(trainer, folder, (initial, log), None)
    }

    /// Continues the run in `dir` (a run's folder, or one checkpoint in it) exactly.
    ///
    /// # Errors
    /// When there is no usable checkpoint.
    pub fn resume(dir: &Path) -> Result<Self, TrainError> {
        Self::resume_with(dir, |_| Ok(()), RunLog::default())
    }

    /// As [`Session::resume`], with an edited configuration (more steps, say), and doing what stands in
    /// that log at its steps, if those are still to come.
    ///
    /// # Errors
    /// As [`Session::resume`], what `edit` returns, and when the edited configuration no longer fits
    /// what the checkpoint holds.
    pub fn resume_with(
        dir: &Path,
        edit: impl FnOnce(&mut TrainConfig) -> Result<(), TrainError>,
        log: impl Into<RunLog>,
    ) -> Result<Self, TrainError> {
        let mut checkpoint = Checkpoint::read(dir)?;
        let before = checkpoint.config.clone();
        edit(&mut checkpoint.config)?;
        let trainer = Trainer::from_checkpoint(&checkpoint)?;
        let log = log.into();
        check(&trainer, &log)?;
        let run = match latest_checkpoint(dir) {
            Some(_) => dir,
            // A checkpoint of a run: <run>/checkpoints/<steps>.
            None => dir.parent().and_then(Path::parent).unwrap_or(dir),
        };
        let mut folder = RunFolder::open(run, checkpoint.steps)?;
        let initial = folder.initial_config()?;
        let log = log.after(checkpoint.steps);
        let mut details = json!({ "provenance": trainer.provenance() });
        if before != checkpoint.config {
            details["config"] = json!(checkpoint.config);
        }
        folder.event("resume", checkpoint.steps, details)?;
        Self::spawn(trainer, folder, (initial, log), Some(checkpoint.steps))
    }

    fn spawn(
        trainer: Trainer,
        folder: RunFolder,
        (initial, log): (TrainConfig, RunLog),
        checkpoint_steps: Option<u64>,
    ) -> Result<Self, TrainError> {
        let (commands, receiver) = unbounded();
        let (sink, frames) = FrameSink::new(FRAMES);
        let shared = Arc::new(Shared::default());
        let seat = Arc::new(Seat::default());
        let path = folder.path().to_owned();
        let runner = Runner {
            session: (trainer.steps(), trainer.progress().elapsed_secs),
            trainer,
            folder,
            commands: receiver,
            shared: Arc::clone(&shared),
            sink: sink.clone(),
            paused: false,
            checkpoint_steps,
            checkpointed: Instant::now(),
            rates: None,
            initial,
            scheduled: log.edits.into(),
            seat: Arc::clone(&seat),
            takeovers: log.takeovers.into(),
            refused_edit: None,
        };
        let thread = thread::Builder::new()
            .name("trainer".into())
            .spawn(move || runner.run())
            .map_err(|error| TrainError::io("start a thread for", &path, error))?;
        Ok(Self {
            folder: path,
            commands,
            shared,
            sink,
            frames,
            seat,
            thread: Some(thread),
        })
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sends a command; it is applied between rounds. A run that has ended ignores it.
    pub fn command(&self, command: Command) {
        if command == Command::Stop {
            self.shared.stop.store(true, Ordering::Relaxed);
        }
        // The receiver is gone only when the run has ended.
        let _ = self.commands.send(command);
    }

    /// Where the run stands.
    pub fn status(&self) -> Status {
        lock(&self.shared.status).clone()
    }

    /// The rows measured since the last call.
    pub fn take_metrics(&self) -> Vec<MetricRow> {
        std::mem::take(&mut *lock(&self.shared.metrics))
    }

    /// The newest published parameters; `None` before the first round.
    pub fn policy(&self) -> Option<Arc<Policy>> {
        lock(&self.shared.policy).clone()
    }

    /// Episodes of the replay memory, evenly over what it holds and the demonstrations first, once
    /// after each [`Command::ShowMemory`].
    pub fn take_memory(&self) -> Option<Vec<Episode>> {
        lock(&self.shared.memory).take()
    }

    /// Chooses the actor whose frames are wanted.
    pub fn watch(&self, actor: Option<usize>) {
        self.sink.watch(actor);
    }

    /// Lets a pilot drive an actor's environment, from its next step until the pilot gives it back. What it
    /// does enters the replay memory as a person's, and the event log.
    pub fn take_over(&self, actor: usize, pilot: Box<dyn Pilot>) {
        self.seat.take(actor, pilot);
    }

    /// Moves the frames offered since the last call into `frames`.
    pub fn take_frames(&self, frames: &mut VecDeque<Frame>) {
        frames.extend(self.frames.try_iter());
    }

    /// Whether the run has ended, well or not.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// What ended the run.
    pub fn join(mut self) -> Result<Outcome, TrainError> {
        let stopped = TrainError::Stopped("training");
        self.thread.take().map_or(Err(stopped), |thread| {
            thread
                .join()
                .unwrap_or(Err(TrainError::Stopped("training")))
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.command(Command::Stop);
            // Its error, if any, stands in the status and among the events.
            let _ = thread.join();
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether what a log asks for fits the run, given what comes before: better said now than in an hour.
fn check(trainer: &Trainer, log: &RunLog) -> Result<(), TrainError> {
    let mut config = trainer.config().clone();
    for scheduled in &log.edits {
        config = config.edited(&scheduled.edit, trainer.reward_terms())?;
    }
    for scheduled in &log.takeovers {
        let takeover = &scheduled.takeover;
        let (steps, actors) = (config.round_steps, config.actors);
        let last = takeover.first.saturating_add(takeover.actions.len() as u64);
        let round = steps * actors as u64;
        if takeover.actor >= actors || last > steps || !scheduled.step.is_multiple_of(round) {
            return Err(TrainError::Takeover {
                step: scheduled.step,
                reason: format!("this run has {actors} actors and rounds of {steps} steps each"),
            });
        }
        let wanted = trainer.action_dim();
        let other = |action: &&Vec<f32>| action.len() != wanted;
        if let Some(action) = takeover.actions.iter().find(other) {
            return Err(TrainError::Takeover {
                step: scheduled.step,
                reason: format!("an action of it has {} values, not {wanted}", action.len()),
            });
        }
    }
    Ok(())
}
