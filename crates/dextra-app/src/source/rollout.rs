//! A rollout in real time: the expert or a policy in an environment of the app's own, on a thread of
//! its own, so that neither the window nor the training waits for it.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use dextra_tasks::{Env, Expert, TaskError};
use dextra_train::{Act, Frame, generator};
use rand_chacha::ChaCha8Rng;

/// An [`Act`] that the rollout's thread can hold.
pub(crate) trait Acts: Act + Send + Sync {}

impl<T: Act + Send + Sync> Acts for T {}

/// Who acts.
#[derive(Clone)]
pub(crate) enum Driver {
    /// The task's expert.
    Expert,
    /// A policy and its version.
    Policy(Arc<dyn Acts>, u64),
}

/// What the rollout can be asked.
pub(crate) enum Request {
    /// This driver acts from the next episode on; an expert begins one at once.
    Act(Driver),
    /// Do nothing: nobody watches.
    Rest,
    /// Play again, in a new episode.
    Continue,
    /// Hold still, or not.
    Pause(bool),
    /// One control step, though paused.
    Step,
    /// Play at this multiple of real time.
    Speed(f64),
    /// Begin an episode with this seed.
    Reset(u64),
}

/// The thread that plays; it ends when this is dropped.
pub(crate) struct Rollout {
    requests: Sender<Request>,
    frames: Receiver<Frame>,
}

impl Rollout {
    /// Starts the thread, resting.
    pub fn start(env: Env, seed: u64) -> Result<Self, TaskError> {
        let (requests, inbox) = unbounded();
        // Two seconds at 100 control steps per second: what a stalled window can miss.
        let (outbox, frames) = bounded(200);
        let expert = Expert::new(env.task_model())?;
        let player = Player {
            expert,
            driver: Driver::Expert,
            next_driver: None,
            rng: generator(seed, "rollout", 0),
            resting: true,
            paused: false,
            speed: 1.0,
            episode: 0,
            over: false,
            env,
            outbox,
        };
        thread::spawn(move || player.run(seed, &inbox));
        Ok(Self { requests, frames })
    }

    /// Asks something of the thread.
    pub fn ask(&self, request: Request) {
        // The thread ends only with the app.
        let _ = self.requests.send(request);
    }

    /// The frames played since the last call.
    pub fn frames(&self) -> impl Iterator<Item = Frame> {
        self.frames.try_iter()
    }
}

struct Player {
    env: Env,
    expert: Expert,
    driver: Driver,
    next_driver: Option<Driver>,
    rng: ChaCha8Rng,
    resting: bool,
    paused: bool,
    speed: f64,
    episode: u64,
    over: bool,
    outbox: Sender<Frame>,
}

impl Player {
    fn run(mut self, seed: u64, inbox: &Receiver<Request>) {
        self.reset(seed);
        let mut due = Instant::now();
        loop {
            let request = if self.resting || self.paused {
                inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                inbox.recv_deadline(due)
            };
            match request {
                Ok(request) => {
                    self.answer(request);
                    due = due.max(Instant::now());
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.step();
                    let period = self.env.control_dt_secs() / self.speed;
                    // Having fallen behind, play on from here instead of hurrying after.
                    due = (due + Duration::from_secs_f64(period)).max(Instant::now());
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Act(Driver::Expert) => self.switch_to(Driver::Expert),
            Request::Act(policy) if self.resting || matches!(self.driver, Driver::Expert) => {
                self.switch_to(policy);
            }
            Request::Act(policy) => self.next_driver = Some(policy),
            Request::Rest => self.resting = true,
            Request::Continue => self.resting = false,
            Request::Pause(paused) => self.paused = paused,
            Request::Step => self.step(),
            Request::Speed(speed) => self.speed = speed,
            Request::Reset(seed) => {
                self.reset(seed);
                self.offer_pose();
            }
        }
    }

    fn switch_to(&mut self, driver: Driver) {
        self.driver = driver;
        self.next_driver = None;
        self.resting = false;
        self.reset(self.env.seed());
        self.offer_pose();
    }

    fn reset(&mut self, seed: u64) {
        if let Some(driver) = self.next_driver.take() {
            self.driver = driver;
        }
        self.env.reset(seed);
        self.expert.reset(seed);
        self.rng = generator(seed, "rollout", 0);
        self.episode += 1;
        self.over = false;
    }

    fn step(&mut self) {
        if self.over {
            self.reset(self.env.seed().wrapping_add(1));
        }
        let action = match &self.driver {
            Driver::Expert => self.expert.act(&self.env),
            Driver::Policy(policy, _) => policy.act(self.env.observation(), &mut self.rng),
        };
        let obs = self.env.observation().to_vec();
        let step = self.env.step(&action);
        self.over = step.terminated || step.truncated;
        let terms = step
            .terms
            .iter()
            .map(|term| (term.name, term.value))
            .collect();
        self.offer((obs, action), step.reward, terms, step.success);
    }

    /// Shows the state as it is, before any step: frame 0 of the episode.
    fn offer_pose(&self) {
        let obs = self.env.observation().to_vec();
        self.offer((obs, Vec::new()), 0.0, Vec::new(), false);
    }

    fn offer(
        &self,
        (obs, action): (Vec<f32>, Vec<f32>),
        reward: f32,
        terms: Vec<(&'static str, f32)>,
        success: bool,
    ) {
        let (source, policy_version) = match self.driver {
            Driver::Expert => (dextra_data::Source::Expert, 0),
            Driver::Policy(_, version) => (dextra_data::Source::Policy, version),
        };
        let sim = self.env.sim();
        let body_poses = (0..sim.model().bodies.len())
            .map(|body| {
                let pose = sim.body_pose(body);
                let ([x, y, z], [w, i, j, k]) = (pose.pos, pose.quat);
                [x, y, z, w, i, j, k].map(|v| v as f32)
            })
            .collect();
        // A window that does not draw misses frames; the rollout does not wait for it.
        let _ = self.outbox.try_send(Frame {
            actor: usize::MAX,
            episode: self.episode,
            step: self.env.step_index(),
            seed: self.env.seed(),
            reward,
            terms,
            success,
            episode_success: self.env.episode_success(),
            episode_return: self.env.episode_return(),
            source,
            obs,
            action,
            body_poses,
            policy_version,
        });
    }
}
