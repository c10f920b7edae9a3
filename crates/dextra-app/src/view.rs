//! What the panels say, as plain data: panels are functions of it and know nothing of Bevy.

use std::path::PathBuf;

use bevy::{ecs::system::SystemParam, prelude::*};
use dextra_tasks::Measure;
use dextra_train::{Frame, Setting, Status};

use crate::{
    analysis::Analysis,
    browser::{Browser, BrowserView},
    demos::DatasetEntry,
    film::Filming,
    history::History,
    library::{Library, RunEntry},
    memory::Memory,
    notice::Notices,
    outcome::{self, LastEpisode},
    pace::Pace,
    panel::Layout,
    quit::Leaving,
    record::{HeldView, Pads, Shot, Studio},
    sandbox::{
        Sandbox,
        view::{DialogView, SandboxView},
    },
    scene::{Overlays, Quality},
    session::{Stage, Training},
    source::{Source, Watch},
    tape::{Kept, Tape, return_from},
    tuning::knob,
};

/// The machine, as far as the status bar names it.
#[derive(Resource)]
pub(crate) struct Machine {
    /// Name of the graphics adapter.
    pub adapter: String,
}

/// A line of the source list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceRow {
    /// Which.
    pub source: Source,
    /// Its name.
    pub name: String,
    /// What it is, or why it cannot be chosen.
    pub hint: &'static str,
    /// Whether it can be chosen.
    pub available: bool,
}

/// The episode on screen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EpisodeView {
    /// Seed it was reset with.
    pub seed: u64,
    /// Control steps so far.
    pub step: usize,
    /// Whether the task is solved at this step.
    pub success_now: bool,
    /// Whether the episode counts as a success.
    pub success: bool,
    /// Sum of rewards so far.
    pub total_reward: f64,
    /// Reward of the step.
    pub reward: f32,
    /// Its named terms.
    pub terms: Vec<(&'static str, f32)>,
    /// Who acted at this step.
    pub actor: &'static str,
    /// Steps so far that a person made.
    pub by_hand: usize,
    /// Version of the policy.
    pub policy_version: u64,
    /// What success asks for, and how far it is met.
    pub measures: Vec<Measure>,
    /// Steps at which the task was solved, and how many make a success.
    pub solved_steps: (usize, usize),
    /// Why it is not a success, when it is over and is none.
    pub failed: Option<String>,
}

/// How a rollout plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RolloutView {
    /// Asked multiple of real time.
    pub speed: f64,
    /// Whether it rests.
    pub paused: bool,
    /// Seed of its episode.
    pub seed: u64,
}

/// A field of the learner that can be changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SettingRow {
    /// Its key.
    pub key: String,
    /// Its name.
    pub label: String,
    /// What it does.
    pub hint: &'static str,
    /// Its value, the one asked for if that is still to be applied.
    pub value: f64,
    /// Its value when the run began.
    pub initial: f64,
    /// The largest value that dragging reaches.
    pub most: f64,
    /// Whether the value is still to be applied.
    pub pending: bool,
    /// Name of the field for scripted tests.
    pub mark: Option<&'static str>,
    /// Name of the way back for scripted tests.
    pub revert_mark: Option<&'static str>,
}

/// The shown episode and the cursor in it.
pub(crate) struct TimelineView<'a> {
    /// Whether the cursor follows what plays.
    pub live: bool,
    /// Number of the shown frame.
    pub shown: u64,
    /// Number of the episode's first frame.
    pub start: u64,
    /// The episode's frames.
    pub frames: Vec<&'a Kept>,
    /// Whose critics judge.
    pub judge: Option<String>,
    /// What multiplies a value of theirs to give units of the reward, where that is known.
    pub unit: Option<f64>,
    /// Discounted rewards from the shown frame to the episode's end.
    pub followed: f64,
}

impl TimelineView<'_> {
    /// What multiplies a value before it is shown.
    pub fn unit(&self) -> f64 {
        self.unit.unwrap_or(1.0)
    }

    /// The shown frame.
    pub fn frame(&self) -> Option<&Kept> {
        let index = usize::try_from(self.shown.checked_sub(self.start)?).ok()?;
        self.frames.get(index).copied()
    }
}

/// A person at the hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordView<'a> {
    /// Whether the person drives now.
    pub drives: bool,
    /// Whether a recording has the scene.
    pub open: bool,
    /// The dataset's folder.
    pub folder: String,
    /// What it is doing.
    pub shot: Option<&'a Shot>,
    /// Names of the gamepads.
    pub pads: &'a [String],
    /// Why one of them cannot be used, and what to do.
    pub pad_trouble: Option<&'a str>,
    /// Datasets browsed before.
    pub recent: &'a [PathBuf],
}

/// Everything on the panels.
pub(crate) struct View<'a> {
    /// The task's name.
    pub task: &'a str,
    /// Control steps of an episode.
    pub horizon: usize,
    /// Where the training stands.
    pub stage: Stage,
    /// Whether it will rest after the evaluation in progress.
    pub pausing: bool,
    /// Its numbers.
    pub status: &'a Status,
    /// Its metrics.
    pub history: &'a History,
    /// Its run folder; empty before the first.
    pub run_folder: String,
    /// What can be watched.
    pub sources: Vec<SourceRow>,
    /// What is watched.
    pub watched: Source,
    /// The watched source in words.
    pub watched_name: String,
    /// Multiple of real time at which frames have been playing.
    pub achieved_speed: f64,
    /// Seconds since the source last delivered.
    pub silence_secs: f64,
    /// Seconds by which the screen is behind the source.
    pub behind_secs: f64,
    /// The rollout, when it is what is watched.
    pub rollout: Option<RolloutView>,
    /// The episode on screen.
    pub episode: Option<EpisodeView>,
    /// The one before it.
    pub last: Option<LastEpisode>,
    /// Frames per second drawn, and the limit.
    pub fps: f64,
    /// The graphics adapter.
    pub adapter: &'a str,
    /// Whether shadows are drawn.
    pub shadows: bool,
    /// The fields of the learner that can be changed.
    pub settings: Vec<SettingRow>,
    /// Whether there is an edit to take back.
    pub can_undo: bool,
    /// The shown episode; `None` before the first frame and where nothing shows it.
    pub timeline: Option<TimelineView<'a>>,
    /// Every task.
    pub tasks: &'static [&'static str],
    /// The runs that can be opened.
    pub runs: &'a [RunEntry],
    /// The datasets that can be learnt from.
    pub datasets: &'a [DatasetEntry],
    /// The one that the training learns from.
    pub dataset: Option<&'a str>,
    /// What was read of the replay memory.
    pub memory: &'a Memory,
    /// Who is drawn as a ghost, and whether it has succeeded by the shown step.
    pub rival: Option<(&'a str, bool)>,
    /// What is analysed.
    pub analysis: &'a Analysis,
    /// Whether something is being read.
    pub loading: bool,
    /// How far the video is that is being made.
    pub video: Option<String>,
    /// What is recorded by hand.
    pub record: RecordView<'a>,
    /// What is taken over.
    pub held: Option<HeldView>,
    /// The episode browser, while it is open.
    pub browser: Option<BrowserView<'a>>,
    /// Passing messages.
    pub notices: Vec<String>,
    /// Whether the window closes as soon as the checkpoint is written.
    pub leaving: bool,
}

impl View<'_> {
    /// Whether a training answers commands.
    pub fn is_training(&self) -> bool {
        matches!(
            self.stage,
            Stage::Running | Stage::Paused | Stage::Evaluating
        )
    }

    /// Whether the time cursor stands on a recorded frame.
    pub fn scrubs(&self) -> bool {
        self.timeline
            .as_ref()
            .is_some_and(|timeline| !timeline.live)
    }

    /// Whether what is watched rests.
    pub fn is_paused(&self) -> bool {
        match self.rollout {
            Some(rollout) => rollout.paused && !self.scrubs(),
            None => self.stage == Stage::Paused,
        }
    }
}

/// Where the view model is made from.
#[derive(SystemParam)]
pub(crate) struct Sources<'w> {
    training: Res<'w, Training>,
    watch: Res<'w, Watch>,
    pace: Res<'w, Pace>,
    machine: Res<'w, Machine>,
    quality: Res<'w, Quality>,
    notices: Res<'w, Notices>,
    leaving: Res<'w, Leaving>,
    tape: Res<'w, Tape>,
    layout: Res<'w, Layout>,
    library: Res<'w, Library>,
    analysis: Res<'w, Analysis>,
    sandbox: Res<'w, Sandbox>,
    overlays: Res<'w, Overlays>,
    memory: Res<'w, Memory>,
    filming: Res<'w, Filming>,
    studio: Res<'w, Studio>,
    pads: Res<'w, Pads>,
    browser: Res<'w, Browser>,
}

impl Sources<'_> {
    /// The view model of this frame.
    pub fn view(&self) -> View<'_> {
        let (training, watch) = (&self.training, &self.watch);
        let watches_rollout = !matches!(watch.source, Source::Actor(_));
        let run_folder = training
            .out()
            .map(|path| path.display().to_string())
            .unwrap_or_default();
        View {
            task: &training.config().task,
            horizon: watch.horizon,
            stage: training.stage(),
            pausing: training.is_pausing(),
            status: training.status(),
            history: training.history(),
            run_folder,
            sources: Source::all(training)
                .map(|source| self.row(source))
                .collect(),
            watched: watch.source,
            watched_name: self.name(watch.source),
            achieved_speed: watch.achieved_speed(),
            silence_secs: watch.playout.silence_secs(),
            behind_secs: watch.playout.latency_secs(),
            rollout: watches_rollout.then_some(RolloutView {
                speed: watch.speed,
                paused: watch.paused,
                seed: watch.seed,
            }),
            episode: self.frame().map(|frame| EpisodeView {
                seed: frame.seed,
                step: frame.step,
                success_now: frame.success,
                success: frame.episode_success,
                total_reward: frame.episode_return,
                reward: frame.reward,
                terms: frame.terms.clone(),
                actor: match frame.source {
                    dextra_data::Source::Expert => "expert",
                    dextra_data::Source::Policy => "policy",
                    dextra_data::Source::Demonstration => "demonstration",
                    dextra_data::Source::Human => "human",
                },
                by_hand: frame.by_hand,
                policy_version: frame.policy_version,
                measures: frame.readings.measures.clone(),
                solved_steps: frame.readings.solved_steps,
                failed: (frame.step >= watch.horizon && !frame.episode_success)
                    .then(|| outcome::why(&frame.readings)),
            }),
            last: self.last(),
            fps: self.pace.fps(),
            adapter: &self.machine.adapter,
            shadows: self.quality.shadows,
            settings: self.settings(),
            can_undo: training.tuning().can_undo(),
            timeline: self.timeline(),
            tasks: dextra_tasks::task_names(),
            runs: self.library.runs(),
            datasets: self.library.datasets(),
            dataset: training.dataset(),
            memory: &self.memory,
            rival: self.rival(),
            analysis: &self.analysis,
            loading: self.library.is_loading(),
            video: self.filming.progress(),
            record: self.record(),
            held: self.studio.held(),
            browser: self.browser.view(),
            notices: self.notices.texts(),
            leaving: self.leaving.is_asked(),
        }
    }

    fn record(&self) -> RecordView<'_> {
        let (studio, task) = (&self.studio, &self.training.config().task);
        let folder = studio.root(task);
        RecordView {
            drives: studio.drives(),
            open: studio.is_open(),
            folder: folder.display().to_string(),
            shot: studio.shot(),
            pads: self.pads.names(),
            pad_trouble: self.pads.trouble(),
            recent: self.browser.recent(),
        }
    }

    /// The frame on screen: where the time cursor stands, or what plays.
    fn frame(&self) -> Option<&Frame> {
        let pinned = self.tape.pinned().map(|kept| &kept.frame);
        pinned.or_else(|| self.watch.frame())
    }

    fn last(&self) -> Option<LastEpisode> {
        let shown = self.tape.shown(self.watch.frame())?;
        LastEpisode::before(&self.tape, shown, self.watch.horizon)
    }

    fn rival(&self) -> Option<(&str, bool)> {
        let rival = self.watch.rival.as_ref()?;
        let beside = rival.beside(self.frame()?);
        Some((
            &rival.name,
            beside.is_some_and(|frame| frame.episode_success),
        ))
    }

    fn timeline(&self) -> Option<TimelineView<'_>> {
        let tape = &self.tape;
        if tape.is_live() && !self.layout.shows_values() {
            return None;
        }
        let shown = tape.shown(self.watch.frame())?;
        let episode = tape.episode(shown);
        let judge = self.watch.judge(&self.training);
        let scale = judge.as_ref().and_then(|judge| judge.reward_scale);
        let discount = self.training.config().learn.discount;
        Some(TimelineView {
            live: tape.is_live(),
            shown,
            start: episode.start,
            frames: episode.filter_map(|number| tape.get(number)).collect(),
            judge: judge.map(|judge| judge.name),
            unit: scale.map(|scale| 1.0 / scale),
            followed: return_from(tape, shown, discount),
        })
    }

    fn settings(&self) -> Vec<SettingRow> {
        let tuning = self.training.tuning();
        let row = |setting: Setting| {
            let knob = knob(&setting.key)?;
            let asked = tuning.asked(&setting.key);
            let of_term = setting.key.strip_prefix(knob.key).unwrap_or_default();
            let marked = (knob.mark == "learning_rate").then_some("revert_learning_rate");
            Some(SettingRow {
                label: format!("{}{}", knob.label, of_term.replace('_', " ")),
                hint: knob.hint,
                value: asked.unwrap_or(setting.value),
                initial: setting.initial,
                most: knob.most,
                pending: asked.is_some_and(|asked| asked != setting.value),
                mark: of_term.is_empty().then_some(knob.mark),
                revert_mark: marked,
                key: setting.key,
            })
        };
        self.training
            .settings()
            .into_iter()
            .filter_map(row)
            .collect()
    }

    /// The view model of the sandbox, when one is open.
    pub fn sandbox_view(&self) -> Option<SandboxView<'_>> {
        let notices = self.notices.texts();
        self.sandbox.view(&self.overlays, notices, self.pace.fps())
    }

    /// The dialog that opens a scene, while it is open.
    pub fn dialog(&self) -> Option<DialogView<'_>> {
        let task = &self.training.config().task;
        self.sandbox.dialog((task, self.watch.seed))
    }

    fn name(&self, source: Source) -> String {
        match source {
            Source::Expert => "Expert".into(),
            Source::Policy => match &self.watch.given {
                Some(given) if self.watch.shows_given(&self.training) => {
                    format!("Policy {}", given.name)
                }
                _ => "Newest policy".into(),
            },
            Source::Actor(actor) => format!("Training environment {}", actor + 1),
        }
    }

    fn row(&self, source: Source) -> SourceRow {
        let available = self.watch.is_available(source, &self.training);
        let hint = match (source, available) {
            (Source::Expert, _) => "The waypoint controller that the learner starts from",
            (Source::Policy, true) => {
                "The policy alone, in an environment of its own, in real time"
            }
            (Source::Policy, false) => "There is no policy yet: press Train",
            (Source::Actor(_), true) => "What the learner learns from, as it happens",
            (Source::Actor(_), false) => "Nothing is training: press Train",
        };
        let name = match source {
            Source::Actor(actor) => (actor + 1).to_string(),
            Source::Policy if self.training.policy().is_none() => "Policy".into(),
            _ => self.name(source),
        };
        SourceRow {
            source,
            name,
            hint,
            available,
        }
    }
}

/// A count with thin groups of three digits.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A duration in the two largest units that matter.
pub(crate) fn duration(secs: f64) -> String {
    let secs = secs.max(0.0).round() as u64;
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// A duration in the largest unit, for estimates.
pub(crate) fn rough_duration(secs: f64) -> String {
    match secs.max(0.0) {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(duration(7.4), "7 s");
        assert_eq!(duration(65.0), "1 min 05 s");
        assert_eq!(duration(3_700.0), "1 h 01 min");
        assert_eq!(rough_duration(717.0), "12 min");
        assert_eq!(rough_duration(9_000.0), "2.5 h");
    }
}
