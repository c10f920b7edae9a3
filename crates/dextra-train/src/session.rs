//! A run on a thread of its own: started, watched, commanded, ended.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use dextra_learn::Policy;
use serde::Serialize;
use serde_json::json;

use crate::{
    actor::{Frame, FrameSink},
    checkpoint::{Checkpoint, latest_checkpoint},
    config::TrainConfig,
    edit::{Edit, ScheduledEdit},
    error::TrainError,
    evaluate::EvalResult,
    metrics::MetricRow,
    run_folder::RunFolder,
    statistics::Milestones,
    status::{Command, Phase, Status},
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
    thread: Option<JoinHandle<Result<Outcome, TrainError>>>,
}

#[derive(Default)]
struct Shared {
    status: Mutex<Status>,
    metrics: Mutex<Vec<MetricRow>>,
    policy: Mutex<Option<Arc<Policy>>>,
    stop: AtomicBool,
}

impl Session {
    /// Starts a new run in the folder `out`.
    ///
    /// # Errors
    /// When the configuration, the task or the folder cannot be used; nothing runs then.
    pub fn start(config: TrainConfig, out: PathBuf) -> Result<Self, TrainError> {
        Self::start_with(config, out, Vec::new())
    }

    /// As [`Session::start`], applying these edits at their steps.
    ///
    /// # Errors
    /// As [`Session::start`], and when an edit does not fit the configuration.
    pub fn start_with(
        config: TrainConfig,
        out: PathBuf,
        edits: Vec<ScheduledEdit>,
    ) -> Result<Self, TrainError> {
        let trainer = Trainer::new(config)?;
        check_edits(&trainer, &edits)?;
        let initial = trainer.config().clone();
        let mut folder = RunFolder::create(&out, trainer.config(), &trainer.provenance())?;
        folder.event("start", 0, json!({ "provenance": trainer.provenance() }))?;
        Self::spawn(trainer, folder, (initial, edits), None)
    }

    /// Continues the run in `dir` (a run's folder, or one checkpoint in it) exactly.
    ///
    /// # Errors
    /// When there is no usable checkpoint.
    pub fn resume(dir: &Path) -> Result<Self, TrainError> {
        Self::resume_with(dir, |_| Ok(()), Vec::new())
    }

    /// As [`Session::resume`], with an edited configuration (more steps, say), and applying these edits at
    /// their steps, if those are still to come.
    ///
    /// # Errors
    /// As [`Session::resume`], what `edit` returns, and when the edited configuration no longer fits
    /// what the checkpoint holds.
    pub fn resume_with(
        dir: &Path,
        edit: impl FnOnce(&mut TrainConfig) -> Result<(), TrainError>,
        edits: Vec<ScheduledEdit>,
    ) -> Result<Self, TrainError> {
        let mut checkpoint = Checkpoint::read(dir)?;
        let before = checkpoint.config.clone();
        edit(&mut checkpoint.config)?;
        let trainer = Trainer::from_checkpoint(&checkpoint)?;
        check_edits(&trainer, &edits)?;
        let run = match latest_checkpoint(dir) {
            Some(_) => dir,
            // A checkpoint of a run: <run>/checkpoints/<steps>.
            None => dir.parent().and_then(Path::parent).unwrap_or(dir),
        };
        let mut folder = RunFolder::open(run, checkpoint.steps)?;
        let initial = folder.initial_config()?;
        let to_come = |edit: &ScheduledEdit| edit.step >= checkpoint.steps;
        let edits = edits.into_iter().filter(to_come).collect();
        let mut details = json!({ "provenance": trainer.provenance() });
        if before != checkpoint.config {
            details["config"] = json!(checkpoint.config);
        }
        folder.event("resume", checkpoint.steps, details)?;
        Self::spawn(trainer, folder, (initial, edits), Some(checkpoint.steps))
    }

    fn spawn(
        trainer: Trainer,
        folder: RunFolder,
        (initial, edits): (TrainConfig, Vec<ScheduledEdit>),
        checkpoint_steps: Option<u64>,
    ) -> Result<Self, TrainError> {
        let (commands, receiver) = unbounded();
        let (sink, frames) = FrameSink::new(FRAMES);
        let shared = Arc::new(Shared::default());
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
            scheduled: edits.into(),
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

    /// Chooses the actor whose frames are wanted.
    pub fn watch(&self, actor: Option<usize>) {
        self.sink.watch(actor);
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether each edit fits the run, given those before it: better said now than in an hour.
fn check_edits(trainer: &Trainer, edits: &[ScheduledEdit]) -> Result<(), TrainError> {
    let mut config = trainer.config().clone();
    for scheduled in edits {
        config = config.edited(&scheduled.edit, trainer.reward_terms())?;
    }
    Ok(())
}

/// What runs on the thread.
struct Runner {
    trainer: Trainer,
    folder: RunFolder,
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    sink: FrameSink,
    paused: bool,
    checkpoint_steps: Option<u64>,
    checkpointed: Instant,
    /// Steps and elapsed seconds at the session's start, to tell the rate from.
    session: (u64, f64),
    /// Smoothed steps and updates per second.
    rates: Option<(f64, f64)>,
    /// What the run began with.
    initial: TrainConfig,
    /// Edits still to be applied, in order.
    scheduled: VecDeque<ScheduledEdit>,
    refused_edit: Option<String>,
}

impl Runner {
    fn run(mut self) -> Result<Outcome, TrainError> {
        let outcome = self.run_to_end();
        match &outcome {
            Ok(_) => self.publish(Phase::Finished),
            Err(error) => {
                let message = error.to_string();
                let details = json!({ "message": message });
                // When the folder cannot be written, the caller still gets the error.
                let _ = self.folder.event("failed", self.trainer.steps(), details);
                self.publish(Phase::Failed(message));
            }
        }
        outcome
    }

    fn run_to_end(&mut self) -> Result<Outcome, TrainError> {
        let shared = Arc::clone(&self.shared);
        let mut interrupted = false;
        loop {
            if self.apply_commands()? {
                interrupted = true;
                break;
            }
            if self.trainer.evaluation_due() {
                self.evaluate()?;
            } else if self.trainer.is_finished() {
                break;
            } else {
                self.round()?;
            }
        }
        self.checkpoint()?;
        let mut final_eval = None;
        if !interrupted {
            self.publish(Phase::Evaluating);
            final_eval = self.trainer.evaluate_final(&shared.stop)?;
        }
        self.conclude(interrupted, final_eval)
    }

    /// Applies what was sent; rests while paused. Whether to stop.
    fn apply_commands(&mut self) -> Result<bool, TrainError> {
        loop {
            let command = if self.paused {
                self.publish(Phase::Paused);
                match self.commands.recv_timeout(Duration::from_millis(200)) {
                    Ok(command) => command,
                    Err(crossbeam_channel::RecvTimeoutError::Timeout) => continue,
                    Err(crossbeam_channel::RecvTimeoutError::Disconnected) => Command::Stop,
                }
            } else {
                match self.commands.try_recv() {
                    Ok(command) => command,
                    Err(_) => return Ok(self.shared.stop.load(Ordering::Relaxed)),
                }
            };
            if !matches!(command, Command::Edit(_)) {
                let details = json!({ "command": command });
                self.folder
                    .event("command", self.trainer.steps(), details)?;
            }
            match command {
                Command::Pause => self.paused = true,
                Command::Resume => self.paused = false,
                Command::StepRound => {
                    if self.paused && self.trainer.evaluation_due() {
                        self.evaluate()?;
                    }
                    if self.paused && !self.trainer.is_finished() {
                        self.round()?;
                    }
                }
                Command::Edit(edit) => self.edit(&edit, false)?,
                Command::Checkpoint => self.checkpoint()?,
                Command::Stop => return Ok(true),
            }
        }
    }

    fn evaluate(&mut self) -> Result<(), TrainError> {
        self.apply_scheduled()?;
        self.publish(Phase::Evaluating);
        let shared = Arc::clone(&self.shared);
        // Without a result it was cancelled: the command is next.
        match self.trainer.evaluate(&shared.stop)? {
            Some(result) => self.note_evaluation(&result),
            None => Ok(()),
        }
    }

    /// Applies the edits that are due before what comes next.
    fn apply_scheduled(&mut self) -> Result<(), TrainError> {
        let (steps, evaluates) = (self.trainer.steps(), self.trainer.evaluation_due());
        let due = |edit: &ScheduledEdit| {
            edit.step < steps || (edit.step == steps && (edit.before_evaluation || !evaluates))
        };
        while self.scheduled.front().is_some_and(due) {
            if let Some(next) = self.scheduled.pop_front() {
                self.edit(&next.edit, true)?;
            }
        }
        Ok(())
    }

    /// Applies an edit, or says why not: a wrong number ends no run.
    fn edit(&mut self, edit: &Edit, scheduled: bool) -> Result<(), TrainError> {
        let (steps, evaluates) = (self.trainer.steps(), self.trainer.evaluation_due());
        match self.trainer.edit(edit) {
            Ok(old) => {
                // A checkpoint of these steps from before has the old value.
                self.checkpoint_steps = None;
                self.refused_edit = None;
                let details = json!({
                    "key": edit.key,
                    "old": old,
                    "new": edit.value,
                    "before_evaluation": evaluates,
                    "scheduled": scheduled,
                });
                self.folder.event("edit", steps, details)
            }
            Err(error) => {
                let message = error.to_string();
                let details = json!({ "edit": edit, "message": message });
                self.refused_edit = Some(message);
                self.folder.event("edit_refused", steps, details)
            }
        }
    }

    fn round(&mut self) -> Result<(), TrainError> {
        self.apply_scheduled()?;
        let report = self.trainer.round(Some(&self.sink))?;
        for failure in &report.failures {
            self.folder.failure(self.trainer.steps(), failure)?;
        }
        self.folder.row(&report.row)?;
        self.smooth_rates(&report.row);
        lock(&self.shared.metrics).push(report.row);
        *lock(&self.shared.policy) = Some(self.trainer.policy().policy);
        self.publish(Phase::Running);
        let every = self.trainer.config().checkpoint_every_secs;
        if self.checkpointed.elapsed().as_secs_f64() >= every {
            self.checkpoint()?;
        }
        Ok(())
    }

    fn smooth_rates(&mut self, row: &MetricRow) {
        let value = |name| {
            row.values
                .iter()
                .find(|(n, _)| *n == name)
                .map_or(0.0, |(_, v)| *v)
        };
        let now = (value("steps_per_sec"), value("updates_per_sec"));
        let (steps, updates) = self.rates.unwrap_or(now);
        self.rates = Some((0.9 * steps + 0.1 * now.0, 0.9 * updates + 0.1 * now.1));
    }

    fn note_evaluation(&mut self, result: &EvalResult) -> Result<(), TrainError> {
        let row = self.trainer.metric_row(vec![
            ("eval_success_rate", result.success_rate),
            ("eval_ci_low", result.ci_low),
            ("eval_ci_high", result.ci_high),
            ("eval_return", result.mean_return),
        ]);
        self.folder.row(&row)?;
        self.folder
            .event("evaluation", result.steps, json!(result))?;
        lock(&self.shared.metrics).push(row);
        // A checkpoint of these steps from before does not know which policy is now the best.
        self.checkpoint_steps = None;
        self.publish(Phase::Running);
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<(), TrainError> {
        if self.checkpoint_steps != Some(self.trainer.steps()) {
            self.folder.checkpoint(&self.trainer.checkpoint()?)?;
            self.checkpoint_steps = Some(self.trainer.steps());
        }
        self.checkpointed = Instant::now();
        Ok(())
    }

    fn conclude(
        &mut self,
        interrupted: bool,
        final_eval: Option<EvalResult>,
    ) -> Result<Outcome, TrainError> {
        let steps = self.trainer.steps();
        if let Some(result) = &final_eval {
            self.folder
                .event("final_evaluation", steps, json!(result))?;
        }
        let progress = self.trainer.progress();
        let outcome = Outcome {
            folder: self.folder.path().to_owned(),
            interrupted: interrupted || final_eval.is_none(),
            steps,
            updates: self.trainer.updates(),
            episodes: progress.episodes,
            failures: progress.failures,
            elapsed_secs: progress.elapsed_secs,
            milestones: progress.milestones,
            final_eval,
        };
        self.folder
            .policy(&self.trainer.best_policy().policy.save()?)?;
        self.folder.summary(&outcome)?;
        let details = json!({ "interrupted": outcome.interrupted });
        self.folder.event("end", steps, details)?;
        Ok(outcome)
    }

    fn publish(&self, phase: Phase) {
        use crate::exploration::EpisodePlan;
        let (progress, config) = (self.trainer.progress(), self.trainer.config());
        let (first_steps, first_secs) = self.session;
        let (made, took) = (
            progress.steps - first_steps,
            progress.elapsed_secs - first_secs,
        );
        let left = config.steps.saturating_sub(progress.steps) as f64;
        let (env_steps_per_sec, updates_per_sec) = self.rates.unwrap_or_default();
        *lock(&self.shared.status) = Status {
            phase,
            paused: self.paused,
            steps: progress.steps,
            total_steps: config.steps,
            updates: self.trainer.updates(),
            episodes: progress.episodes,
            failures: progress.failures,
            success_rate: progress.recent.success_rate(EpisodePlan::Policy),
            expert_success_rate: progress.recent.success_rate(EpisodePlan::Expert),
            intertwined_success_rate: progress.recent.success_rate(EpisodePlan::Intertwined),
            env_steps_per_sec,
            updates_per_sec,
            elapsed_secs: progress.elapsed_secs,
            eta_secs: (made > 0).then(|| left * took / made as f64),
            last_eval: progress.last_eval,
            milestones: progress.milestones,
            policy_version: progress.rounds,
            checkpoint_steps: self.checkpoint_steps,
            settings: config.settings(&self.initial, self.trainer.reward_terms()),
            refused_edit: self.refused_edit.clone(),
        };
    }
}
