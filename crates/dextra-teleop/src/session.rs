//! Driving one episode: countdown, steps, pause, rewinding, and its end.

use std::sync::Arc;

use dextra_data::dataset::Recording;
use dextra_sim::Pose;
use dextra_tasks::{Env, EnvOptions, Expert};
use dextra_train::SUCCESS_HOLD_STEPS;

use crate::{
    bindings::Command, driver::Driver, error::TeleopError, input::Input, rig::Rig, take::Take,
};

/// What a session is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The take begins in so many seconds.
    Countdown(f64),
    /// The hand follows the driver.
    Driving,
    /// Nothing moves.
    Paused,
    /// Runs back; the step shown.
    Rewinding(usize),
    /// The episode is over. It can still be rewound.
    Ended(End),
}

/// Why an episode is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Success was held for [`SUCCESS_HOLD_STEPS`] steps.
    Success,
    /// The time is up.
    TimeUp,
    /// The task ended it.
    Over,
    /// The physics lost it.
    Lost(String),
}

/// A driver, an environment and the take that they make.
pub struct Session {
    rig: Arc<Rig>,
    env: Env,
    driver: Driver,
    /// Knows the task's waypoints, where there are any.
    expert: Option<Expert>,
    take: Take,
    phase: Phase,
    /// Index in the list of speeds.
    speed: usize,
}

impl Session {
    /// Options of the environments that takes are recorded in: long enough to drive by hand.
    pub fn env_options(rig: &Rig, options: &EnvOptions) -> EnvOptions {
        let steps = rig.config.time.limit_secs / rig.task.control_dt_secs();
        EnvOptions {
            horizon: Some(options.horizon.unwrap_or(steps.round() as usize)),
            ..*options
        }
    }

    /// A session at the countdown of a seed's episode.
    pub fn new(rig: &Arc<Rig>, options: &EnvOptions, seed: u64) -> Self {
        let options = Self::env_options(rig, options);
        let env = Env::with_model(Arc::clone(&rig.task), &options);
        let mut session = Self {
            driver: Driver::new(rig, &env),
            expert: Expert::new(&rig.task).ok(),
            take: Take::new(seed),
            phase: Phase::Paused,
            speed: 0,
            rig: Arc::clone(rig),
            env,
        };
        session.begin(seed);
        session
    }

    /// Begins the episode of a seed, with its countdown; the present take is lost.
    pub fn begin(&mut self, seed: u64) {
        self.env.reset(seed);
        self.driver.restart(&self.env);
        self.take = Take::new(seed);
        let time = &self.rig.config.time;
        self.phase = Phase::Countdown(time.countdown_secs);
        let at = |speed: &f64| *speed == self.rig.task_config.speed;
        self.speed = time.speeds.iter().position(at).unwrap_or(0);
    }

    /// What it is doing.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The environment.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The driver.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Where the wrist target will be after so long of the person's time, at most a tick's.
    pub fn foreseen(&self, secs: f64) -> Pose {
        match self.phase {
            Phase::Driving => self.driver.foreseen(&self.env, secs.min(self.tick_secs())),
            _ => self.driver.target(),
        }
    }

    /// The driver, to say where the mouse moves or that the devices went away.
    pub fn driver_mut(&mut self) -> &mut Driver {
        &mut self.driver
    }

    /// The take so far.
    pub fn take(&self) -> &Take {
        &self.take
    }

    /// Simulated seconds per second.
    pub fn speed(&self) -> f64 {
        self.rig.config.time.speeds[self.speed]
    }

    /// The driver leaves: everything is let go of, and nothing moves until it is back and goes on.
    pub fn leave(&mut self) {
        self.driver.release_all();
        if let Phase::Rewinding(step) = self.phase {
            self.take.splice(step);
        }
        if !matches!(self.phase, Phase::Ended(_)) {
            self.phase = Phase::Paused;
        }
    }

    /// Takes in an event of a device. A command that is not the session's to carry out is returned.
    pub fn input(&mut self, input: &Input) -> Option<Command> {
        match self.driver.input(input)? {
            Command::Slower => {
                self.speed = (self.speed + 1).min(self.rig.config.time.speeds.len() - 1);
            }
            Command::Faster => self.speed = self.speed.saturating_sub(1),
            Command::TogglePause => match self.phase {
                Phase::Driving => self.phase = Phase::Paused,
                Phase::Paused => self.phase = Phase::Driving,
                _ => {}
            },
            command @ (Command::Keep
            | Command::Discard
            | Command::Retake
            | Command::Undo
            | Command::Leave) => return Some(command),
            _ => {}
        }
        None
    }

    /// Seconds of the person's time that the next tick takes.
    pub fn tick_secs(&self) -> f64 {
        let dt_secs = self.env.control_dt_secs();
        match self.phase {
            Phase::Driving => dt_secs / self.speed(),
            Phase::Rewinding(_) => dt_secs / self.rig.config.time.rewind_speed,
            Phase::Countdown(_) | Phase::Paused | Phase::Ended(_) => dt_secs,
        }
    }

    /// Goes on by one tick: a control step forth while driving, one back while rewinding.
    ///
    /// # Errors
    /// When the environment cannot go back.
    pub fn tick(&mut self) -> Result<(), TeleopError> {
        let rewinds = self.driver.holds(Command::Rewind) && !self.take.is_empty();
        match self.phase {
            Phase::Countdown(left_secs) => {
                let left_secs = left_secs - self.tick_secs();
                self.phase = match left_secs > 1e-9 {
                    true => Phase::Countdown(left_secs),
                    false => Phase::Driving,
                };
            }
            Phase::Rewinding(step) if rewinds => self.show(step.saturating_sub(1))?,
            Phase::Rewinding(step) => {
                self.take.splice(step);
                self.phase = Phase::Driving;
            }
            Phase::Driving | Phase::Paused | Phase::Ended(_) if rewinds => {
                self.show(self.take.len() - 1)?;
            }
            Phase::Driving => self.step(),
            Phase::Paused | Phase::Ended(_) => {}
        }
        Ok(())
    }

    fn show(&mut self, step: usize) -> Result<(), TeleopError> {
        if let Some(drive) = self.take.show(&mut self.env, step)? {
            self.driver.set_state(&drive);
        }
        self.phase = Phase::Rewinding(step);
        Ok(())
    }

    fn step(&mut self) {
        let waypoints = match &self.expert {
            Some(expert) if self.driver.magnet() => expert.waypoints(&self.env),
            _ => Vec::new(),
        };
        let dt_secs = self.tick_secs();
        let before = self.driver.state().clone();
        let driven = self.driver.step(&self.env, &waypoints, dt_secs);
        let step = self.take.advance(&mut self.env, &before, driven);
        let end = match step.failure {
            Some(reason) => Some(End::Lost(reason)),
            None if self.take.held_steps() >= SUCCESS_HOLD_STEPS => Some(End::Success),
            None if step.terminated => Some(End::Over),
            None if step.truncated => Some(End::TimeUp),
            None => None,
        };
        if let Some(end) = end {
            self.phase = Phase::Ended(end);
        }
    }

    /// The take as a dataset keeps it, trimmed; the next episode begins with [`Session::begin`]. `None`
    /// where there is nothing worth keeping: no step was made, or the physics lost it.
    ///
    /// # Errors
    /// When the environment cannot go back to where the trimmed take begins.
    pub fn finish(&mut self) -> Result<Option<Recording>, TeleopError> {
        if let Phase::Rewinding(step) = self.phase {
            self.take.splice(step);
        }
        let lost = matches!(self.phase, Phase::Ended(End::Lost(_)));
        let take = std::mem::replace(&mut self.take, Take::new(self.env.seed()));
        match lost {
            true => Ok(None),
            false => Ok(take.into_recording(&mut self.env)?),
        }
    }
}
