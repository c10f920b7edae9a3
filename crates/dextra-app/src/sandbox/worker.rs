//! The thread that a sandbox's simulation runs on: it keeps to the asked speed, remembers every state
//! and hands the newest picture to the window, which never waits for it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use dextra_sim::{Contact, Model, Pose, Push, Sim, SimError, Snapshot, StepTimes};

use super::{
    drag::Drag,
    dump,
    timeline::{Input, Timeline},
};

/// Speeds, in multiples of real time.
pub(crate) const SPEEDS: [f64; 8] = [0.03125, 0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0];

/// Time between pictures: a screen's.
const PICTURE: Duration = Duration::from_millis(16);
/// The longest the thread steps without looking up.
const SLICE: Duration = Duration::from_millis(8);
/// Time over which the achieved speed is measured.
const MEASURED_OVER: Duration = Duration::from_millis(500);

/// What the thread can be asked.
pub(crate) enum Request {
    /// Another scene, from this state or the reference configuration.
    Open(Arc<Model>, Option<Box<Snapshot>>),
    /// The scene has changed; what matches stays.
    Replace(Arc<Model>),
    Pause(bool),
    /// One timestep, or one state forward where the past is shown.
    Step,
    StepBack,
    /// Show that state of the history.
    Scrub(usize),
    Speed(f64),
    /// Back to where the scene was opened, or to a keyframe.
    Reset(Option<usize>),
    Control(usize, f64),
    ZeroControls,
    /// Puts a hinge or slide there, at rest.
    Joint(usize, f64),
    Drag(Option<Drag>),
    /// Show the last state in which all numbers were finite.
    LastGood,
    /// Measure where the time of steps goes.
    Measure(bool),
}

/// The state of the simulation at a moment, with all that is shown of it.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    /// What it is a state of.
    pub model: Arc<Model>,
    /// World pose of each body.
    pub body_poses: Vec<Pose>,
    pub qpos: Vec<f64>,
    pub qvel: Vec<f64>,
    pub ctrl: Vec<f64>,
    pub time_secs: f64,
    pub contacts: Vec<Contact>,
    /// What a touch sensor at each site feels, N.
    pub touches_n: Vec<f64>,
    /// The mouse's push.
    pub push: Option<Push>,
    pub paused: bool,
    /// Asked multiple of real time.
    pub speed: f64,
    /// Reached multiple of real time.
    pub achieved: f64,
    /// States of the history, and the one shown.
    pub states: usize,
    pub at: usize,
    /// Why the simulation stands still, when not because it was asked to.
    pub trouble: Option<String>,
    /// Where the time of the last steps went, if that is measured.
    pub times: Option<StepTimes>,
}

/// The thread; it ends when this is dropped.
pub(crate) struct Worker {
    requests: Sender<Request>,
    newest: Arc<Mutex<Option<Shot>>>,
}

impl Worker {
    /// Starts the thread, paused, with this scene. `folder` is where the last states are kept when
    /// numbers stop being finite.
    pub fn start(model: Arc<Model>, folder: Option<PathBuf>) -> Self {
        let (requests, inbox) = unbounded();
        let newest = Arc::new(Mutex::new(None));
        let shelf = Arc::clone(&newest);
        thread::spawn(move || Player::new(model, folder, shelf).run(&inbox));
        Self { requests, newest }
    }

    /// Asks something of the thread.
    pub fn ask(&self, request: Request) {
        // The thread ends only with this.
        let _ = self.requests.send(request);
    }

    /// The newest picture since the last call.
    pub fn take(&self) -> Option<Shot> {
        self.newest.lock().ok()?.take()
    }
}

struct Player {
    sim: Sim,
    /// Where the scene was opened, and whether that was given rather than the reference configuration.
    start: Snapshot,
    given: bool,
    timeline: Timeline,
    ctrl: Vec<f64>,
    drag: Option<Drag>,
    push: Option<Push>,
    paused: bool,
    speed: f64,
    trouble: Option<String>,
    measured: bool,
    times: Option<StepTimes>,
    /// When the next step is due.
    due: Instant,
    /// Since when steps are counted, how many, and what came of it.
    counted_from: Instant,
    counted: u32,
    achieved: f64,
    folder: Option<PathBuf>,
    newest: Arc<Mutex<Option<Shot>>>,
}

impl Player {
    fn new(model: Arc<Model>, folder: Option<PathBuf>, newest: Arc<Mutex<Option<Shot>>>) -> Self {
        let sim = Sim::new(model);
        let mut timeline = Timeline::default();
        timeline.jump(&sim);
        let now = Instant::now();
        Self {
            start: sim.snapshot(),
            given: false,
            ctrl: vec![0.0; sim.model().nu],
            sim,
            timeline,
            drag: None,
            push: None,
            paused: true,
            speed: 1.0,
            trouble: None,
            measured: false,
            times: None,
            due: now,
            counted_from: now,
            counted: 0,
            achieved: 0.0,
            folder,
            newest,
        }
    }

    fn run(mut self, inbox: &Receiver<Request>) {
        let mut picture_due = Instant::now();
        loop {
            let first = if self.paused {
                inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                inbox.recv_deadline(self.due.min(picture_due))
            };
            match first {
                Ok(request) => {
                    self.answer(request);
                    while let Ok(request) = inbox.try_recv() {
                        self.answer(request);
                    }
                    if self.paused {
                        self.show();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if !self.paused {
                self.play();
                if self.paused || Instant::now() >= picture_due {
                    self.show();
                    picture_due = Instant::now() + PICTURE;
                }
            }
        }
    }

    /// Steps that are due by now, for a slice of time at most.
    fn play(&mut self) {
        let began = Instant::now();
        let period = Duration::from_secs_f64(self.sim.model().timestep_secs / self.speed);
        while self.due <= Instant::now() && !self.paused {
            self.advance();
            self.due += period;
            if began.elapsed() > SLICE {
                // Having fallen behind, play on from here instead of hurrying after.
                self.due = self.due.max(Instant::now());
                break;
            }
        }
        let elapsed = self.counted_from.elapsed();
        if elapsed > MEASURED_OVER {
            let simulated = f64::from(self.counted) * self.sim.model().timestep_secs;
            self.achieved = simulated / elapsed.as_secs_f64();
            self.count_afresh();
        }
    }

    fn count_afresh(&mut self) {
        self.counted_from = Instant::now();
        self.counted = 0;
        let times = self.sim.take_times();
        self.times = times.filter(|times| times.steps > 0).or(self.times);
    }

    fn advance(&mut self) {
        self.push = self.drag.and_then(|drag| drag.push(&self.sim));
        self.sim.step_pushed(&self.ctrl, self.push.as_ref());
        self.counted += 1;
        if self.sim.is_finite() {
            let input = Input {
                ctrl: self.ctrl.as_slice().into(),
                push: self.push,
            };
            self.timeline.step(&self.sim, input);
        } else {
            self.stop_at_trouble();
        }
    }

    /// The state is lost, the ones before are not.
    fn stop_at_trouble(&mut self) {
        self.paused = true;
        let model = Arc::clone(self.sim.model());
        let mut states = Vec::new();
        let first = (self.timeline.at() + 1).saturating_sub(dump::STATES);
        let newest = self.timeline.at();
        let mut past = Sim::new(Arc::clone(&model));
        for index in first..=newest {
            if self.timeline.go_to(index, &mut past).is_ok() {
                states.push((past.time_secs(), past.qpos().to_vec(), past.qvel().to_vec()));
            }
        }
        let kept = match dump::write(self.folder.as_deref(), &model, &states) {
            Ok(path) => format!("the last {} states are in {}", states.len(), path.display()),
            Err(problem) => problem,
        };
        self.trouble = Some(format!(
            "a number stopped being finite after {:.3} s; {kept}",
            self.sim.time_secs()
        ));
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Open(model, snapshot) => self.open(model, snapshot.as_deref()),
            Request::Replace(model) => self.replace(model),
            Request::Pause(paused) => {
                self.paused = paused || self.trouble.is_some();
                self.resume_clock();
            }
            Request::Step => {
                self.paused = true;
                if self.timeline.is_newest() && self.trouble.is_none() {
                    self.advance();
                } else {
                    self.go_to(self.timeline.at() + 1);
                }
            }
            Request::StepBack => {
                self.paused = true;
                self.go_to(self.timeline.at().saturating_sub(1));
            }
            Request::Scrub(state) => {
                self.paused = true;
                self.go_to(state);
            }
            Request::LastGood => self.go_to(self.timeline.at()),
            Request::Speed(speed) => {
                self.speed = speed.clamp(SPEEDS[0], SPEEDS[SPEEDS.len() - 1]);
                self.resume_clock();
            }
            Request::Reset(keyframe) => self.reset(keyframe),
            Request::Control(actuator, value) => {
                if let Some(slot) = self.ctrl.get_mut(actuator) {
                    *slot = value;
                }
            }
            Request::ZeroControls => self.ctrl.fill(0.0),
            Request::Joint(joint, value) => self.put_joint(joint, value),
            Request::Drag(drag) => {
                self.drag = drag;
                if drag.is_none() {
                    self.push = None;
                }
            }
            Request::Measure(on) => {
                self.measured = on;
                self.times = None;
                self.sim.measure(on);
            }
        }
    }

    fn resume_clock(&mut self) {
        self.due = Instant::now();
        self.count_afresh();
    }

    fn open(&mut self, model: Arc<Model>, snapshot: Option<&Snapshot>) {
        let (folder, newest) = (self.folder.clone(), Arc::clone(&self.newest));
        let (speed, measured) = (self.speed, self.measured);
        *self = Self {
            speed,
            measured,
            ..Self::new(model, folder, newest)
        };
        self.sim.measure(measured);
        if let Some(snapshot) = snapshot
            && self.sim.restore(snapshot).is_ok()
        {
            self.start = self.sim.snapshot();
            self.given = true;
            self.timeline = Timeline::default();
            self.timeline.jump(&self.sim);
        }
    }

    /// Controls follow their actuators' names.
    fn replace(&mut self, model: Arc<Model>) {
        let mut next = Sim::new(model);
        let old = Arc::clone(self.sim.model());
        let control = |name: &str| {
            let index = old.actuators.iter().position(|a| a.name == name)?;
            self.ctrl.get(index).copied()
        };
        let actuators = next.model().actuators.iter();
        self.ctrl = actuators
            .map(|actuator| control(&actuator.name).unwrap_or(0.0))
            .collect();
        // What an episode was given, the scene's file does not say.
        if self.given {
            let mut origin = Sim::new(old);
            if origin.restore(&self.start).is_ok() {
                // Finite, as it was when it was taken.
                let _ = next.adopt(&origin);
            }
        }
        self.start = next.snapshot();
        // A state with numbers that are not finite is not carried over: the scene starts afresh.
        if next.adopt(&self.sim).is_ok() {
            self.trouble = None;
        }
        next.measure(self.measured);
        (self.drag, self.push) = (None, None);
        self.sim = next;
        self.timeline.jump(&self.sim);
    }

    fn go_to(&mut self, state: usize) {
        let gone = self.timeline.go_to(state, &mut self.sim);
        self.after(gone);
    }

    fn after(&mut self, outcome: Result<(), SimError>) {
        self.push = None;
        self.trouble = outcome.err().map(|error| error.to_string());
        self.resume_clock();
    }

    fn reset(&mut self, keyframe: Option<usize>) {
        let model = Arc::clone(self.sim.model());
        let outcome = self.sim.restore(&self.start).and_then(|()| {
            let Some(key) = keyframe.and_then(|k| model.keyframes.get(k)) else {
                return Ok(());
            };
            self.ctrl.clone_from(&key.ctrl);
            self.sim.set_state(&key.qpos, &key.qvel)?;
            self.sim.set_time(key.time_secs);
            Ok(())
        });
        self.after(outcome);
        self.timeline.jump(&self.sim);
    }

    fn put_joint(&mut self, joint: usize, value: f64) {
        let model = Arc::clone(self.sim.model());
        let Some(joint) = model.joints.get(joint).filter(|j| j.kind.dofs() == 1) else {
            return;
        };
        let (mut qpos, mut qvel) = (self.sim.qpos().to_vec(), self.sim.qvel().to_vec());
        (qpos[joint.qpos_adr], qvel[joint.dof_adr]) = (value, 0.0);
        let outcome = self.sim.set_state(&qpos, &qvel);
        self.after(outcome);
        self.timeline.jump(&self.sim);
    }

    fn show(&mut self) {
        let sim = &self.sim;
        let model = sim.model();
        let shot = Shot {
            model: Arc::clone(model),
            body_poses: (0..model.bodies.len()).map(|b| sim.body_pose(b)).collect(),
            qpos: sim.qpos().to_vec(),
            qvel: sim.qvel().to_vec(),
            ctrl: self.ctrl.clone(),
            time_secs: sim.time_secs(),
            contacts: sim.contacts(),
            touches_n: (0..model.sites.len()).map(|s| sim.site_touch(s)).collect(),
            push: self.push,
            paused: self.paused,
            speed: self.speed,
            achieved: if self.paused { 0.0 } else { self.achieved },
            states: self.timeline.states(),
            at: self.timeline.at(),
            trouble: self.trouble.clone(),
            times: self.times,
        };
        if let Ok(mut newest) = self.newest.lock() {
            *newest = Some(shot);
        }
    }
}

#[cfg(test)]
mod tests;
