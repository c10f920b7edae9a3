//! A rollout in real time: the expert or a policy in an environment of the app's own, on a thread of
//! its own, so that neither the window nor the training waits for it.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use dextra_data::{Episode, Source, Transition};
use dextra_tasks::{Env, Expert, TaskError};
use dextra_train::{Act, Frame, Pilot, Readings, generator};
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
    /// Play this episode again, up to and with the step of this index.
    Replay(Arc<Episode>, usize),
    /// Let somebody drive in the driver's place, at their own pace, until they give it back.
    TakeOver(Box<dyn Pilot>),
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
        // An episode played again comes at once, and a stalled window should not miss a second.
        let (outbox, frames) = bounded(512);
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
            pilot: None,
            before: Vec::new(),
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

/// What a step was, for its frame.
struct Done {
    obs: Vec<f32>,
    action: Vec<f32>,
    source: Source,
    reward: f32,
    terms: Vec<(&'static str, f32)>,
    success: bool,
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
    pilot: Option<Box<dyn Pilot>>,
    /// The steps of the episode.
    before: Vec<Transition>,
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
                    // A pilot keeps the time.
                    let period = match self.pilot {
                        Some(_) => 0.0,
                        None => self.env.control_dt_secs() / self.speed,
                    };
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
            Request::Replay(episode, step) => self.replay(&episode, step),
            Request::TakeOver(pilot) => self.pilot = Some(pilot),
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
        self.before.clear();
        self.over = false;
    }

    /// The same seed and actions lead to the same states. The expert is asked at every step, as it was
    /// then: it keeps time.
    fn replay(&mut self, episode: &Episode, until: usize) {
        self.reset(episode.seed);
        self.offer_pose();
        for transition in episode.transitions.iter().take(until + 1) {
            self.expert.act(&self.env);
            self.take(transition.action.clone(), transition.source);
        }
    }

    fn step(&mut self) {
        if self.over {
            self.reset(self.env.seed().wrapping_add(1));
        }
        let by_hand = self.by_hand();
        let action = match &self.driver {
            // It keeps time, whoever acts.
            Driver::Expert => self.expert.act(&self.env),
            Driver::Policy(policy, _) => policy.act(self.env.observation(), &mut self.rng),
        };
        match by_hand {
            Some(action) => self.take(action, Source::Human),
            None => self.take(action, self.source()),
        }
    }

    /// The pilot's action; one that has none has given the hand back.
    fn by_hand(&mut self) -> Option<Vec<f32>> {
        let mut pilot = self.pilot.take()?;
        let action = pilot.act(&self.env, &self.before)?;
        self.pilot = Some(pilot);
        Some(action)
    }

    /// Takes a step with an action and shows it.
    fn take(&mut self, action: Vec<f32>, source: Source) {
        let obs = self.env.observation().to_vec();
        let step = self.env.step(&action);
        self.over = step.terminated || step.truncated;
        self.before.push(Transition {
            obs: obs.clone(),
            action: action.clone(),
            expert_action: None,
            reward: step.reward,
            terminated: step.terminated,
            source,
        });
        let done = Done {
            obs,
            action,
            source,
            reward: step.reward,
            terms: step
                .terms
                .iter()
                .map(|term| (term.name, term.value))
                .collect(),
            success: step.success,
        };
        self.offer(done);
    }

    fn source(&self) -> Source {
        match self.driver {
            Driver::Expert => Source::Expert,
            Driver::Policy(..) => Source::Policy,
        }
    }

    /// Shows the state as it is, before any step: frame 0 of the episode.
    fn offer_pose(&self) {
        self.offer(Done {
            obs: self.env.observation().to_vec(),
            action: Vec::new(),
            source: self.source(),
            reward: 0.0,
            terms: Vec::new(),
            success: false,
        });
    }

    fn offer(&self, done: Done) {
        let policy_version = match self.driver {
            Driver::Expert => 0,
            Driver::Policy(_, version) => version,
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
            reward: done.reward,
            terms: done.terms,
            success: done.success,
            episode_success: self.env.episode_success(),
            episode_return: self.env.episode_return(),
            source: done.source,
            by_hand: self
                .before
                .iter()
                .filter(|step| step.source == Source::Human)
                .count(),
            obs: done.obs,
            action: done.action,
            body_poses,
            readings: Readings::of(&self.env),
            policy_version,
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use dextra_tasks::EnvOptions;
    use dextra_train::record_episode;

    /// The frame of that step, once it has come.
    fn frame(rollout: &Rollout, step: usize) -> Frame {
        let wait = Duration::from_secs(60);
        loop {
            let frame = rollout.frames.recv_timeout(wait).expect("the step came");
            if frame.step == step {
                return frame;
            }
        }
    }

    /// Stretches the hand for so many steps.
    struct Stretching(usize);

    impl Pilot for Stretching {
        fn act(&mut self, env: &Env, before: &[Transition]) -> Option<Vec<f32>> {
            assert_eq!(before.len(), env.step_index());
            self.0 = self.0.checked_sub(1)?;
            Some(vec![-0.5; env.action_dim()])
        }
    }

    #[test]
    fn a_pilot_drives_the_rollout_and_marks_its_episode() {
        let rollout =
            Rollout::start(Env::make("door", &EnvOptions::default()).unwrap(), 0).unwrap();
        rollout.ask(Request::Pause(true));
        rollout.ask(Request::Act(Driver::Expert));
        rollout.ask(Request::Step);
        assert_eq!(frame(&rollout, 1).by_hand, 0);
        rollout.ask(Request::TakeOver(Box::new(Stretching(3))));
        for step in 2..=4 {
            rollout.ask(Request::Step);
            let driven = frame(&rollout, step);
            assert_eq!((driven.source, driven.by_hand), (Source::Human, step - 1));
            assert!(driven.action.iter().all(|&a| a == -0.5));
        }
        rollout.ask(Request::Step);
        let given_back = frame(&rollout, 5);
        assert_eq!((given_back.source, given_back.by_hand), (Source::Expert, 3));
        rollout.ask(Request::Reset(1));
        assert_eq!(
            frame(&rollout, 0).by_hand,
            0,
            "the next episode is not marked"
        );
    }

    #[test]
    fn an_episode_played_again_goes_through_the_same_states_and_on_from_there() {
        let make = || Env::make("door", &EnvOptions::default()).unwrap();
        let mut env = make();
        let mut expert = Expert::new(env.task_model()).unwrap();
        expert.reset(5);
        let episode = record_episode(&mut env, 5, Source::Policy, |env| {
            let mut action = expert.act(env);
            action[3] += 0.2;
            action
        });
        let rollout = Rollout::start(make(), 0).unwrap();
        rollout.ask(Request::Act(Driver::Expert));
        rollout.ask(Request::Pause(true));
        rollout.ask(Request::Replay(Arc::new(episode.clone()), 20));
        let last = frame(&rollout, 21);
        assert_eq!(last.obs, episode.transitions[20].obs);
        assert_eq!(last.action, episode.transitions[20].action);
        assert_eq!((last.seed, last.source), (5, Source::Policy));
        // It stays there until somebody goes on: then the driver does, from that state.
        rollout.ask(Request::Step);
        let next = frame(&rollout, 22);
        assert_eq!(next.obs, episode.transitions[21].obs);
        assert_eq!(next.source, Source::Expert);
        assert!(next.action != episode.transitions[21].action);
    }
}
