//! A second rollout beside the first: someone else in the same episodes, to be compared with.

use std::{collections::VecDeque, path::PathBuf, sync::Arc};

use dextra_tasks::Env;
use dextra_train::{ActingPolicy, Frame, TrainConfig};

use super::{
    read_policy,
    rollout::{Acts, Driver, Request, Rollout},
};
use crate::AppError;

/// Frames kept: some episodes, so that the one being scrubbed is among them.
const CAPACITY: usize = 2_000;

/// Whom to compare with.
pub(crate) enum Opponent {
    /// The task's expert.
    Expert,
    /// A policy that was trained just now, and its version.
    Trained(ActingPolicy, u64),
    /// A policy in a file.
    File(PathBuf),
}

/// Another driver in an environment of its own, from the same seeds.
pub(crate) struct Rival {
    /// What the panels call it.
    pub name: String,
    rollout: Rollout,
    frames: VecDeque<Frame>,
    /// What the rollout was told last.
    told: Option<(bool, f64)>,
    seed: u64,
}

impl Rival {
    /// Loads it; resting until it is told to follow.
    ///
    /// # Errors
    /// When the task or the policy cannot be loaded.
    pub fn open(config: &TrainConfig, opponent: Opponent) -> Result<Self, AppError> {
        let env = Env::make(&config.task, &config.env())?;
        let rollout = Rollout::start(env, config.seed)?;
        let (name, driver) = match opponent {
            Opponent::Expert => ("the expert".to_owned(), Driver::Expert),
            Opponent::Trained(policy, version) => {
                let policy: Arc<dyn Acts> = Arc::new(policy);
                let name = format!("policy of round {version}");
                (name, Driver::Policy(policy, version))
            }
            Opponent::File(path) => {
                let given = read_policy(&path)?;
                (given.name, Driver::Policy(given.policy, 0))
            }
        };
        rollout.ask(Request::Act(driver));
        Ok(Self {
            name,
            rollout,
            frames: VecDeque::new(),
            told: None,
            seed: config.seed,
        })
    }

    /// Keeps to the episode of the first rollout and to its pace.
    pub fn follow(&mut self, seed: u64, paused: bool, speed: f64) {
        if self.told != Some((paused, speed)) {
            self.rollout.ask(Request::Pause(paused));
            self.rollout.ask(Request::Speed(speed));
            self.told = Some((paused, speed));
        }
        for frame in self.rollout.frames() {
            if self.frames.len() == CAPACITY {
                self.frames.pop_front();
            }
            self.frames.push_back(frame);
        }
        let newest = self.frames.back().map(|frame| frame.seed);
        if self.seed != seed {
            self.seed = seed;
            if newest != Some(seed) {
                self.rollout.ask(Request::Reset(seed));
            }
        }
    }

    /// Its frame at the same step of the same episode; its last one there, if its own ended before.
    pub fn beside(&self, frame: &Frame) -> Option<&Frame> {
        let same = |other: &&Frame| other.seed == frame.seed && other.step <= frame.step;
        self.frames.iter().rev().filter(same).max_by_key(|f| f.step)
    }
}
