//! Driving what somebody else has begun: a training environment, or a policy's rollout. The hand is taken as
//! it stands, and what is done with it is for the environment's owner to keep or not.

use std::sync::Arc;

use dextra_data::Transition;
use dextra_sim::Pose;
use dextra_tasks::{Env, Expert};

use crate::{bindings::Command, driver::Driver, input::Input, rig::Rig};

/// Steps over which the fingers' commands are averaged when the hand is taken.
const TOLD_STEPS: usize = 10;

/// A driver of other people's episodes.
pub struct Takeover {
    rig: Arc<Rig>,
    driver: Driver,
    /// Knows the task's waypoints, where there are any.
    expert: Option<Expert>,
    /// Index in the list of speeds.
    speed: usize,
    /// Seed and step of the episode that driving goes on with.
    next: Option<(u64, usize)>,
}

impl Takeover {
    /// A driver of a task's hand that has not begun.
    pub fn new(rig: &Arc<Rig>) -> Self {
        let at = |speed: &f64| *speed == rig.task_config.speed;
        Self {
            driver: Driver::idle(rig),
            expert: Expert::new(&rig.task).ok(),
            speed: rig.config.time.speeds.iter().position(at).unwrap_or(0),
            next: None,
            rig: Arc::clone(rig),
        }
    }

    /// The driver.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// The driver, to say where the mouse moves.
    pub fn driver_mut(&mut self) -> &mut Driver {
        &mut self.driver
    }

    /// Simulated seconds per second.
    pub fn speed(&self) -> f64 {
        self.rig.config.time.speeds[self.speed]
    }

    /// Seconds of the person's time that a control step takes.
    pub fn step_secs(&self) -> f64 {
        self.rig.task.control_dt_secs() / self.speed()
    }

    /// Takes in an event of a device. Somebody else's episode can be neither halted nor run back, so only
    /// the speed is there to be changed besides the hand.
    pub fn input(&mut self, input: &Input) {
        let speeds = self.rig.config.time.speeds.len();
        match self.driver.input(input) {
            Some(Command::Slower) => self.speed = (self.speed + 1).min(speeds - 1),
            Some(Command::Faster) => self.speed = self.speed.saturating_sub(1),
            _ => {}
        }
    }

    /// Takes the hand as it stands, if it has not been driven to where it is: at the beginning, or in
    /// another episode. `before` are the steps of the episode.
    pub fn meet(&mut self, env: &Env, before: &[Transition]) {
        let now = (env.seed(), env.step_index());
        if self.next != Some(now) {
            let newest = &before[before.len().saturating_sub(TOLD_STEPS)..];
            let actions: Vec<&[f32]> = newest.iter().map(|t| t.action.as_slice()).collect();
            self.driver.take(env, &actions);
            self.next = Some(now);
        }
    }

    /// The action for the environment's present state; see [`Takeover::meet`].
    pub fn act(&mut self, env: &Env, before: &[Transition]) -> Vec<f32> {
        self.meet(env, before);
        let waypoints = match &self.expert {
            Some(expert) if self.driver.magnet() => expert.waypoints(env),
            _ => Vec::new(),
        };
        let step_secs = self.step_secs();
        self.next = Some((env.seed(), env.step_index() + 1));
        self.driver.step(env, &waypoints, step_secs).action
    }

    /// Where the wrist target will be after so long of the person's time.
    pub fn foreseen(&self, env: &Env, secs: f64) -> Pose {
        self.driver.foreseen(env, secs.min(self.step_secs()))
    }
}
