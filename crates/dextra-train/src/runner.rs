//! A run as it goes on its thread: commands and edits between rounds, evaluations, files.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;
use serde_json::json;

use crate::{
    actor::FrameSink,
    config::TrainConfig,
    edit::{Edit, ScheduledEdit},
    error::TrainError,
    evaluate::EvalResult,
    log::ScheduledTakeover,
    metrics::MetricRow,
    run_folder::RunFolder,
    session::{Outcome, Shared, lock},
    status::{Command, Phase, Status},
    takeover::{Outside, Seat, Takeover},
    trainer::Trainer,
};

/// Episodes of the replay memory that are shown when asked for: some megabytes to copy.
const SHOWN_EPISODES: usize = 60;

/// What runs on the thread.
pub(crate) struct Runner {
    pub trainer: Trainer,
    pub folder: RunFolder,
    pub commands: Receiver<Command>,
    pub shared: Arc<Shared>,
    pub sink: FrameSink,
    pub paused: bool,
    pub checkpoint_steps: Option<u64>,
    pub checkpointed: Instant,
    /// Steps and elapsed seconds at the session's start, to tell the rate from.
    pub session: (u64, f64),
    /// Smoothed steps and updates per second.
    pub rates: Option<(f64, f64)>,
    /// What the run began with.
    pub initial: TrainConfig,
    /// Edits still to be applied, in order.
    pub scheduled: VecDeque<ScheduledEdit>,
    /// Who may drive an actor's environment by hand.
    pub seat: Arc<Seat>,
    /// What was driven by hand before and is still to be done again, in order.
    pub takeovers: VecDeque<ScheduledTakeover>,
    pub refused_edit: Option<String>,
}

impl Runner {
    pub fn run(mut self) -> Result<Outcome, TrainError> {
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
            if !matches!(command, Command::Edit(_) | Command::ShowMemory) {
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
                Command::ShowMemory => {
                    *lock(&self.shared.memory) = Some(self.trainer.some_episodes(SHOWN_EPISODES));
                }
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
        let (steps, again) = (self.trainer.steps(), self.takeovers_due());
        let report = self.trainer.round_with(&Outside {
            sink: Some(&self.sink),
            seat: Some(&self.seat),
            again: &again,
        })?;
        for takeover in &report.takeovers {
            self.folder.event("takeover", steps, json!(takeover))?;
        }
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

    /// What is to be done by hand again in the coming round.
    fn takeovers_due(&mut self) -> Vec<Takeover> {
        let steps = self.trainer.steps();
        let mut due = Vec::new();
        while let Some(next) = self.takeovers.pop_front_if(|next| next.step <= steps) {
            due.push(next.takeover);
        }
        due
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
