//! The progress display of a run: a bar on a terminal, plain lines elsewhere.

use std::{
    io::{IsTerminal, stderr},
    path::Path,
    time::{Duration, Instant},
};

use dextra_train::{EvalResult, Phase, Status};
use indicatif::{ProgressBar, ProgressStyle};

use crate::train::describe;

/// Seconds between plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What shows a run's status.
pub struct Progress {
    bar: Option<ProgressBar>,
    line: Instant,
    shown: Option<EvalResult>,
}

impl Progress {
    /// A display for the run in that folder.
    pub fn new(folder: &Path) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let template = "{bar:30} {pos}/{len} steps  {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        let progress = Self {
            bar,
            line: Instant::now(),
            shown: None,
        };
        progress.say(&format!("run folder: {}", folder.display()));
        progress
    }

    /// Shows the run's status, and each new evaluation once.
    pub fn show(&mut self, status: &Status) {
        if let Some(result) = status
            .last_eval
            .filter(|result| self.shown != Some(*result))
        {
            self.shown = Some(result);
            self.say(&format!(
                "{} steps: policy alone: {}",
                result.steps,
                describe(&result)
            ));
        }
        match &self.bar {
            Some(bar) => {
                bar.set_length(status.total_steps);
                bar.set_position(status.steps);
                bar.set_message(message(status));
            }
            None if self.line.elapsed() >= LINE_EVERY => {
                self.line = Instant::now();
                eprintln!(
                    "{}/{} steps  {}",
                    status.steps,
                    status.total_steps,
                    message(status)
                );
            }
            None => {}
        }
    }

    /// Prints a line above the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Leaves the last state on the screen.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}

fn message(status: &Status) -> String {
    let success = status.last_eval.map_or("success unknown yet".into(), |e| {
        let percent = |x: f64| (100.0 * x).round();
        let (low, high) = (percent(e.ci_low), percent(e.ci_high));
        format!("success {}% ({low} to {high}%)", percent(e.success_rate))
    });
    let state = match &status.phase {
        Phase::Starting => "starting".into(),
        Phase::Evaluating => "evaluating".into(),
        Phase::Paused => "paused".into(),
        Phase::Failed(_) => "failed".into(),
        Phase::Finished => "done".into(),
        Phase::Running => status
            .eta_secs
            .map_or(String::new(), |secs| format!("{} left", clock(secs))),
    };
    format!(
        "{} updates  {success}  {:.0} steps/s  {:.0} updates/s  {state}",
        status.updates, status.env_steps_per_sec, status.updates_per_sec
    )
}

fn clock(secs: f64) -> String {
    let secs = secs.clamp(0.0, 1e9) as u64;
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}
