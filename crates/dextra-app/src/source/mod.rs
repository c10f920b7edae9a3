//! Where the shown frames come from, chosen by the person, named with their age.

mod playout;
mod rival;
mod rollout;

use std::{path::Path, sync::Arc};

use bevy::prelude::*;
use dextra_data::Episode;
use dextra_learn::Policy;
use dextra_sim::Model;
use dextra_tasks::Env;
use dextra_train::{ActingPolicy, Frame, LoadedPolicy, Pilot, TrainConfig};

pub(crate) use playout::{Blend, Playout};
pub(crate) use rival::{Opponent, Rival};
use rollout::{Driver, Request, Rollout};

use crate::{
    AppError, AppOptions,
    session::{Stage, Training},
    tape::Tape,
};

/// What can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The expert, in real time.
    Expert,
    /// The newest policy (or the one given), in real time.
    Policy,
    /// A training environment, as it trains.
    Actor(usize),
}

impl Source {
    /// Every source, in the order of the panel.
    pub fn all(training: &Training) -> impl Iterator<Item = Source> {
        let actors = (0..training.config().actors).map(Source::Actor);
        [Source::Expert, Source::Policy].into_iter().chain(actors)
    }

    /// An empty queue that suits how the source delivers.
    fn playout(self) -> Playout {
        match self {
            Source::Expert | Source::Policy => Playout::steady(0.04),
            Source::Actor(_) => Playout::bursty(0.3),
        }
    }
}

/// What is watched and how.
#[derive(Resource)]
pub(crate) struct Watch {
    /// The source.
    pub source: Source,
    /// Its frames on their way to the screen.
    pub playout: Playout,
    /// Asked speed of a rollout, in multiples of real time.
    pub speed: f64,
    /// Whether the rollout rests.
    pub paused: bool,
    /// Seed of the rollout's next episode.
    pub seed: u64,
    /// The policy that was chosen from a file.
    pub given: Option<Given>,
    /// Whether that one is shown though a newer one has been trained.
    pub prefers_given: bool,
    /// Control steps per second of real time.
    pub control_hz: f64,
    /// Steps after which an episode ends.
    pub horizon: usize,
    /// Someone else in the same episodes, to compare with.
    pub rival: Option<Rival>,
    rollout: Rollout,
    shown_version: Option<u64>,
}

/// A policy from a file.
#[derive(Clone)]
pub(crate) struct Given {
    /// What the panels call it.
    pub name: String,
    policy: Arc<LoadedPolicy>,
}

/// The networks that judge what is shown.
#[derive(Clone)]
pub(crate) struct Judge {
    /// Prior and critics.
    pub policy: Arc<Policy>,
    /// What they are, for the panels.
    pub name: String,
    /// Rewards were multiplied by it before the critics saw them, where that is known.
    pub reward_scale: Option<f64>,
}

impl Watch {
    /// Whether there is something to show from that source.
    pub fn is_available(&self, source: Source, training: &Training) -> bool {
        match source {
            Source::Expert => true,
            Source::Policy => self.given.is_some() || training.policy().is_some(),
            Source::Actor(_) => training.is_active(),
        }
    }

    /// The sources that can be watched now, in the order of the panel.
    pub fn sources(&self, training: &Training) -> Vec<Source> {
        Source::all(training)
            .filter(|&source| self.is_available(source, training))
            .collect()
    }

    /// Shows another source from now on.
    pub fn choose(&mut self, source: Source, training: &mut Training) {
        if self.source == source || !self.is_available(source, training) {
            return;
        }
        self.source = source;
        self.playout = source.playout();
        self.direct(training);
    }

    /// Tells the rollout and the training who is watched.
    fn direct(&mut self, training: &mut Training) {
        match self.source {
            Source::Actor(actor) => {
                self.rollout.ask(Request::Rest);
                training.watch(Some(actor));
            }
            Source::Expert => {
                training.watch(None);
                self.rollout.ask(Request::Act(Driver::Expert));
            }
            Source::Policy => {
                training.watch(None);
                self.shown_version = None;
                self.offer_policy(training);
                self.rollout.ask(Request::Continue);
            }
        }
    }

    /// Sends the newest policy to the rollout, which takes it at its next episode.
    fn offer_policy(&mut self, training: &Training) {
        let trained = training.policy().filter(|_| !self.shows_given(training));
        let Some((version, policy)) = trained else {
            if let (None, Some(given)) = (self.shown_version, &self.given) {
                let policy: Arc<dyn rollout::Acts> = Arc::clone(&given.policy) as _;
                self.rollout.ask(Request::Act(Driver::Policy(policy, 0)));
                self.shown_version = Some(0);
            }
            return;
        };
        if self.shown_version != Some(version) {
            let mode = training.config().eval_mode;
            let policy: Arc<dyn rollout::Acts> = Arc::new(ActingPolicy { policy, mode });
            self.rollout
                .ask(Request::Act(Driver::Policy(policy, version)));
            self.shown_version = Some(version);
        }
    }

    /// Whether the policy shown is the one from a file.
    pub fn shows_given(&self, training: &Training) -> bool {
        self.given.is_some() && (self.prefers_given || training.policy().is_none())
    }

    /// Shows a policy from a file from now on.
    pub fn give(&mut self, given: Given, training: &mut Training) {
        self.given = Some(given);
        self.prefers_given = true;
        self.show_policy(training);
    }

    /// Shows the policy, the newest or the one from a file, in a new episode.
    pub fn show_policy(&mut self, training: &mut Training) {
        if self.is_available(Source::Policy, training) {
            self.source = Source::Policy;
            self.playout = Source::Policy.playout();
            self.direct(training);
        }
    }

    /// The networks that judge what is shown: those that act, or else the newest there are.
    pub fn judge(&self, training: &Training) -> Option<Judge> {
        let given = || {
            let given = self.given.as_ref()?;
            let policy = Arc::clone(given.policy.networks()?);
            let config = given.policy.config.as_ref();
            Some(Judge {
                name: given.name.clone(),
                reward_scale: policy
                    .reward_scale()
                    .or_else(|| config.map(|config| config.learn.reward_scale)),
                policy,
            })
        };
        let trained = || {
            let (version, policy) = training.policy()?;
            Some(Judge {
                policy,
                name: format!("round {version}"),
                reward_scale: Some(training.config().learn.reward_scale),
            })
        };
        if self.source == Source::Policy && self.shows_given(training) {
            return given();
        }
        trained().or_else(given)
    }

    /// Pauses the rollout or lets it continue.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
        self.rollout.ask(Request::Pause(paused));
    }

    /// Lets a pilot drive the rollout, which plays.
    pub fn take_over(&mut self, pilot: Box<dyn Pilot>) {
        self.pause(false);
        self.rollout.ask(Request::TakeOver(pilot));
    }

    /// One step of a paused rollout.
    pub fn step(&self) {
        self.rollout.ask(Request::Step);
    }

    /// Sets the rollout's speed.
    pub fn set_speed(&mut self, speed: f64) {
        self.speed = speed.clamp(SPEEDS[0], SPEEDS[SPEEDS.len() - 1]);
        self.rollout.ask(Request::Speed(self.speed));
    }

    /// The next speed of the ladder above (or below) the present one.
    pub fn change_speed(&mut self, faster: bool) {
        let next = if faster {
            SPEEDS.iter().find(|&&s| s > self.speed * 1.01)
        } else {
            SPEEDS.iter().rev().find(|&&s| s < self.speed * 0.99)
        };
        if let Some(&speed) = next {
            self.set_speed(speed);
        }
    }

    /// Begins an episode with that seed.
    pub fn restart(&mut self, seed: u64) {
        self.seed = seed;
        self.playout.clear();
        self.rollout.ask(Request::Reset(seed));
    }

    /// Plays an episode again up to and with `step`, counted from 0, and stays there; whoever drives the
    /// rollout goes on from there when it continues.
    pub fn recall(&mut self, episode: Arc<Episode>, step: usize) {
        self.seed = episode.seed;
        self.playout.clear();
        self.rollout.ask(Request::Replay(episode, step));
    }

    /// The frame on screen.
    pub fn frame(&self) -> Option<&Frame> {
        self.playout.blend().map(|blend| blend.newer)
    }

    /// Multiple of real time at which frames have been playing.
    pub fn achieved_speed(&self) -> f64 {
        self.playout.frames_per_sec() / self.control_hz
    }
}

/// Speeds of a rollout, in multiples of real time; the first and the last bound the slider.
pub(crate) const SPEEDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0];

/// The scene being shown.
#[derive(Resource)]
pub(crate) struct Shown(pub Arc<Model>);

/// Loads a policy from a file.
///
/// # Errors
/// When the file holds none.
pub(crate) fn read_policy(path: &Path) -> Result<Given, AppError> {
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(Given {
        name: name.to_string_lossy().into_owned(),
        policy: Arc::new(dextra_train::load_policy(path)?),
    })
}

/// Loads a task: its scene, and a rollout of the policy in the file, or of the expert.
///
/// # Errors
/// When the task or the policy cannot be loaded.
pub(crate) fn open(
    config: &TrainConfig,
    policy: Option<&Path>,
) -> Result<(Watch, Arc<Model>), AppError> {
    let env = Env::make(&config.task, &config.env())?;
    let model = Arc::clone(env.sim().model());
    let given = policy.map(read_policy).transpose()?;
    let source = match given {
        Some(_) => Source::Policy,
        None => Source::Expert,
    };
    let seed = config.seed;
    let mut watch = Watch {
        source,
        playout: source.playout(),
        speed: 1.0,
        paused: false,
        seed,
        given,
        prefers_given: false,
        control_hz: 1.0 / env.control_dt_secs(),
        horizon: env.horizon(),
        rival: None,
        rollout: Rollout::start(env, seed)?,
        shown_version: None,
    };
    match (&source, &watch.given) {
        (Source::Policy, Some(given)) => {
            let policy: Arc<dyn rollout::Acts> = Arc::clone(&given.policy) as _;
            watch.rollout.ask(Request::Act(Driver::Policy(policy, 0)));
            watch.shown_version = Some(0);
        }
        _ => watch.rollout.ask(Request::Act(Driver::Expert)),
    }
    Ok((watch, model))
}

/// Loads the task and plays the expert, or the policy given, from the first frame on.
pub(crate) struct SourcePlugin {
    model: Arc<Model>,
    start: std::sync::Mutex<Option<Watch>>,
}

impl SourcePlugin {
    /// Loads the task and what is to be watched first.
    pub fn new(options: &AppOptions) -> Result<Self, AppError> {
        let (watch, model) = open(&options.config, options.policy.as_deref())?;
        Ok(Self {
            model,
            start: std::sync::Mutex::new(Some(watch)),
        })
    }
}

impl Plugin for SourcePlugin {
    fn build(&self, app: &mut App) {
        let watch = self.start.lock().ok().and_then(|mut start| start.take());
        if let Some(watch) = watch {
            app.insert_resource(watch);
        }
        app.insert_resource(Shown(Arc::clone(&self.model)))
            .add_systems(Update, play.in_set(PlaySystems));
    }
}

/// Brings the newest frames in; what draws them comes after.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlaySystems;

fn play(
    mut watch: ResMut<Watch>,
    mut training: ResMut<Training>,
    mut tape: ResMut<Tape>,
    time: Res<Time<Real>>,
) {
    let watch = watch.as_mut();
    if matches!(watch.source, Source::Actor(_)) && !training.is_active() {
        let next = if training.policy().is_some() {
            Source::Policy
        } else {
            Source::Expert
        };
        watch.choose(next, &mut training);
    }
    match watch.source {
        Source::Actor(_) => training.take_frames(|frame| {
            tape.record(&frame);
            watch.playout.push(frame);
        }),
        Source::Expert | Source::Policy => {
            if watch.source == Source::Policy {
                watch.offer_policy(&training);
            }
            for frame in watch.rollout.frames() {
                watch.seed = frame.seed;
                tape.record(&frame);
                watch.playout.push(frame);
            }
        }
    }
    if let Some(rival) = &mut watch.rival {
        let rests = watch.paused || matches!(watch.source, Source::Actor(_));
        rival.follow(watch.seed, rests, watch.speed);
    }
    let rests = match watch.source {
        Source::Actor(_) => training.stage() == Stage::Paused,
        Source::Expert | Source::Policy => watch.paused,
    };
    watch.playout.advance(time.delta_secs_f64());
    if rests {
        // A pause must be seen at once, and so must the single steps in it.
        watch.playout.catch_up();
    }
}
