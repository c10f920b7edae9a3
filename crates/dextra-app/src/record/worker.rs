//! The thread that a recording runs on: it keeps to the person's time, takes device events in as they come
//! and hands the newest picture to the window, which never waits for it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use dextra_sim::Pose;
use dextra_tasks::{EnvOptions, TaskModel};
use dextra_teleop::{Input, Notice, Phase, Recorder, Rig, TeleopError};

/// Time between pictures: a screen's.
pub(super) const PICTURE: Duration = Duration::from_millis(16);

/// What the thread can be asked.
pub(super) enum Request {
    /// An event of a device.
    Input(Input),
    /// The world's directions to the mouse's right and up.
    DragAxes([[f64; 3]; 2]),
    /// Let go of everything and stand still: the person has left.
    Leave,
}

/// What is being recorded.
pub(super) struct Job {
    pub task: String,
    pub options: EnvOptions,
    /// Folder of the dataset.
    pub root: PathBuf,
}

/// A moment of a recording, with all that is shown of it.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    /// World pose of each body.
    pub body_poses: Vec<Pose>,
    /// The wrist target.
    pub target: Pose,
    /// Where the palm is.
    pub palm_m: [f64; 3],
    pub phase: Phase,
    /// Seed of the episode.
    pub seed: u64,
    /// Simulated seconds per second.
    pub speed: f64,
    /// Control steps of the take, and seconds of one.
    pub steps: usize,
    pub dt_secs: f64,
    /// Steps after which the task has been solved without a break.
    pub held_steps: usize,
    pub splices: usize,
    /// Takes kept and discarded.
    pub counts: [usize; 2],
    /// Episodes in the dataset.
    pub episodes: usize,
    /// The finger that is driven alone.
    pub finger: Option<usize>,
    pub magnet: bool,
    pub mirror: bool,
    /// Positions of the old take at this step, after a rewind.
    pub replaced: Option<Vec<f64>>,
}

/// What the thread says.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// Something to be shown for a moment.
    Said(String),
    /// It cannot go on.
    Failed(String),
}

/// The thread; it ends when this is dropped.
pub(super) struct Worker {
    requests: Sender<Request>,
    told: Receiver<Told>,
    newest: Arc<Mutex<Option<Shot>>>,
}

impl Worker {
    /// Starts the thread; it opens the dataset, and the first take counts down.
    pub fn start(job: Job) -> Self {
        let (requests, inbox) = unbounded();
        let (outbox, told) = unbounded();
        let newest = Arc::new(Mutex::new(None));
        let shelf = Arc::clone(&newest);
        thread::spawn(move || {
            let opened = open(&job);
            match opened {
                Ok((recorder, palm)) => Player::new(recorder, palm, outbox, shelf).run(&inbox),
                Err(error) => {
                    let _ = outbox.send(Told::Failed(error.to_string()));
                }
            }
        });
        Self {
            requests,
            told,
            newest,
        }
    }

    /// Asks something of the thread.
    pub fn ask(&self, request: Request) {
        // It may have failed, which it says.
        let _ = self.requests.send(request);
    }

    /// The newest picture since the last call.
    pub fn take(&self) -> Option<Shot> {
        self.newest.lock().ok()?.take()
    }

    /// What it said since the last call.
    pub fn told(&self) -> impl Iterator<Item = Told> {
        self.told.try_iter()
    }
}

/// The recorder, and the site of the palm.
fn open(job: &Job) -> Result<(Recorder, usize), TeleopError> {
    let model = TaskModel::load(&job.task)?;
    let rig = Rig::load(&model)?;
    let recorder = Recorder::open(&rig, &job.options, &job.root, 0)?;
    Ok((recorder, rig.palm_site()))
}

struct Player {
    recorder: Recorder,
    palm: usize,
    outbox: Sender<Told>,
    newest: Arc<Mutex<Option<Shot>>>,
}

impl Player {
    fn new(
        recorder: Recorder,
        palm: usize,
        outbox: Sender<Told>,
        newest: Arc<Mutex<Option<Shot>>>,
    ) -> Self {
        for repair in recorder.repairs() {
            let _ = outbox.send(Told::Said(repair.clone()));
        }
        Self {
            recorder,
            palm,
            outbox,
            newest,
        }
    }

    fn run(mut self, inbox: &Receiver<Request>) {
        let (mut due, mut picture_due, mut ticked) =
            (Instant::now(), Instant::now(), Instant::now());
        loop {
            let mut asked = false;
            match inbox.recv_deadline(due.min(picture_due)) {
                Ok(request) => {
                    asked = true;
                    for request in std::iter::once(request).chain(inbox.try_iter()) {
                        self.answer(request);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= due {
                let period = Duration::from_secs_f64(self.recorder.session().tick_secs());
                let said = self.recorder.tick();
                self.say(said);
                ticked = Instant::now();
                // Having fallen behind, go on from here: nobody can drive faster than he sees.
                due = (due + period).max(ticked);
            }
            if asked || Instant::now() >= picture_due {
                self.show(ticked.elapsed());
                picture_due = Instant::now() + PICTURE;
            }
        }
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Input(input) => {
                let said = self.recorder.input(&input);
                self.say(said);
            }
            Request::DragAxes(axes) => self.recorder.session_mut().driver_mut().set_drag_axes(axes),
            Request::Leave => self.recorder.session_mut().leave(),
        }
    }

    fn say(&self, said: Result<Option<Notice>, TeleopError>) {
        let text = match said {
            Ok(None | Some(Notice::Left)) => return,
            Ok(Some(notice)) => notice.to_string(),
            Err(error) => error.to_string(),
        };
        let _ = self.outbox.send(Told::Said(text));
    }

    /// Shows how it stands so long after the newest tick. What a device has just said is in the picture, even
    /// where the next tick is many pictures away.
    fn show(&self, after: Duration) {
        let session = self.recorder.session();
        let (sim, driver, take) = (session.env().sim(), session.driver(), session.take());
        let at = match session.phase() {
            Phase::Rewinding(step) => *step,
            _ => take.len(),
        };
        let shot = Shot {
            body_poses: (0..sim.model().bodies.len())
                .map(|b| sim.body_pose(b))
                .collect(),
            target: session.foreseen(after.max(PICTURE).as_secs_f64()),
            palm_m: sim.site_pose(self.palm).pos,
            phase: session.phase().clone(),
            seed: take.seed(),
            speed: session.speed(),
            steps: at,
            dt_secs: session.env().control_dt_secs(),
            held_steps: take.held_steps(),
            splices: take.splices().len(),
            counts: self.recorder.counts(),
            episodes: self.recorder.episodes(),
            finger: driver.finger(),
            magnet: driver.magnet(),
            mirror: driver.mirror(),
            replaced: take.replaced(at).map(<[f64]>::to_vec),
        };
        if let Ok(mut newest) = self.newest.lock() {
            *newest = Some(shot);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use dextra_teleop::Button;

    /// The next picture.
    fn picture(worker: &Worker) -> Shot {
        loop {
            if let Some(shot) = worker.take() {
                return shot;
            }
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// At an eighth of the speed, where a control step takes five pictures, a key shows on the second at the
    /// latest: one may have been on its way when it went down.
    #[test]
    fn a_key_is_on_the_wrist_target_within_two_pictures() {
        let root = std::env::temp_dir().join(format!("dextra-worker-{}", std::process::id()));
        let worker = Worker::start(Job {
            task: "relocate".into(),
            options: EnvOptions::default(),
            root: root.clone(),
        });
        let mut shot = picture(&worker);
        while shot.phase != Phase::Driving {
            shot = picture(&worker);
        }
        assert_eq!(shot.speed, 0.125);
        for key in ["E", "Q", "W", "S", "D", "A"] {
            let button = Button::named(key).unwrap();
            let before = picture(&worker).target;
            worker.ask(Request::Input(Input::Press(button)));
            let shown = (1..).find(|_| picture(&worker).target != before);
            assert!(shown <= Some(2), "{key}: picture {shown:?}");
            worker.ask(Request::Input(Input::Release(button)));
            // Until it rests again.
            let mut rests = picture(&worker).target;
            loop {
                let next: Vec<_> = (0..8).map(|_| picture(&worker).target).collect();
                if next.iter().all(|target| *target == rests) {
                    break;
                }
                rests = next[7];
            }
        }
        drop(worker);
        let _ = std::fs::remove_dir_all(root);
    }
}
