//! Taking over what is watched, a training environment or a rollout: device events go to a pilot on that
//! environment's own thread, which keeps to the person's time, and the window shows what it last said.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use dextra_data::Transition;
use dextra_sim::Pose;
use dextra_tasks::Env;
use dextra_teleop::{Rig, Takeover};
use dextra_train::Pilot;

use super::worker::{PICTURE, Request};

/// A moment of what is driven, with all that is shown of it.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// World pose of each body.
    pub body_poses: Vec<Pose>,
    /// The wrist target.
    pub target: Pose,
    /// Where the palm is.
    pub palm_m: [f64; 3],
    /// Simulated seconds per second.
    pub speed: f64,
}

/// The window's end of a takeover. When it is dropped, the environment is given back.
pub(super) struct Reins {
    requests: Sender<Request>,
    newest: Arc<Mutex<Option<Sight>>>,
    failed: Receiver<String>,
}

impl Reins {
    /// The reins, and the pilot who holds their other end.
    pub fn new() -> (Self, Box<dyn Pilot>) {
        let (requests, inbox) = unbounded();
        let (outbox, failed) = unbounded();
        let newest = Arc::new(Mutex::new(None));
        let driving = Driving {
            inbox,
            outbox,
            newest: Arc::clone(&newest),
            hand: None,
            stepped: Instant::now(),
            due: Instant::now(),
        };
        let reins = Self {
            requests,
            newest,
            failed,
        };
        (reins, Box::new(driving))
    }

    /// Asks something of the pilot.
    pub fn ask(&self, request: Request) {
        // It may have left already.
        let _ = self.requests.send(request);
    }

    /// The newest picture since the last call.
    pub fn take(&self) -> Option<Sight> {
        self.newest.lock().ok()?.take()
    }

    /// Why it cannot drive, if it cannot.
    pub fn failure(&self) -> Option<String> {
        self.failed.try_recv().ok()
    }
}

/// The pilot.
struct Driving {
    inbox: Receiver<Request>,
    outbox: Sender<String>,
    newest: Arc<Mutex<Option<Sight>>>,
    /// The hand and the site of its palm, once it is known whose they are.
    hand: Option<(Takeover, usize)>,
    /// When the newest step was made, and when the next one is.
    stepped: Instant,
    due: Instant,
}

impl Pilot for Driving {
    fn act(&mut self, env: &Env, before: &[Transition]) -> Option<Vec<f32>> {
        let (mut takeover, palm) = match self.hand.take() {
            Some(hand) => hand,
            None => match Rig::load(env.task_model()) {
                Ok(rig) => (Takeover::new(&rig), rig.palm_site()),
                Err(error) => {
                    let _ = self.outbox.send(error.to_string());
                    return None;
                }
            },
        };
        takeover.meet(env, before);
        let mut picture_due = Instant::now();
        loop {
            let mut asked = false;
            match self.inbox.recv_deadline(self.due.min(picture_due)) {
                Ok(request) => {
                    asked = true;
                    for request in std::iter::once(request).chain(self.inbox.try_iter()) {
                        match request {
                            Request::Input(input) => takeover.input(&input),
                            Request::DragAxes(axes) => takeover.driver_mut().set_drag_axes(axes),
                            Request::Leave => return None,
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
            let now = Instant::now();
            if asked || now >= picture_due {
                self.show(env, &takeover, palm);
                picture_due = now + PICTURE;
            }
            if now >= self.due {
                break;
            }
        }
        let period = std::time::Duration::from_secs_f64(takeover.step_secs());
        let action = takeover.act(env, before);
        self.stepped = Instant::now();
        // Having fallen behind, go on from here: nobody can drive faster than he sees.
        self.due = (self.due + period).max(self.stepped);
        self.hand = Some((takeover, palm));
        Some(action)
    }
}

impl Driving {
    fn show(&self, env: &Env, takeover: &Takeover, palm: usize) {
        let sim = env.sim();
        let ahead = self.stepped.elapsed().max(PICTURE);
        let sight = Sight {
            body_poses: (0..sim.model().bodies.len())
                .map(|body| sim.body_pose(body))
                .collect(),
            target: takeover.foreseen(env, ahead.as_secs_f64()),
            palm_m: sim.site_pose(palm).pos,
            speed: takeover.speed(),
        };
        if let Ok(mut newest) = self.newest.lock() {
            *newest = Some(sight);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use dextra_tasks::EnvOptions;
    use dextra_teleop::{Button, Input};

    #[test]
    fn the_reins_drive_and_whoever_drops_them_gives_the_hand_back() {
        let mut env = Env::make("relocate", &EnvOptions::default()).unwrap();
        let (reins, mut pilot) = Reins::new();
        let first = pilot.act(&env, &[]).unwrap();
        let still = reins.take().unwrap();
        assert_eq!(still.body_poses.len(), env.sim().model().bodies.len());
        env.step(&first);
        reins.ask(Request::Input(Input::Press(Button::named("E").unwrap())));
        // The picture after the key shows the target on its way, before any further step.
        let second = pilot.act(&env, &[]).unwrap();
        let moved = reins.take().unwrap();
        assert!(moved.target.pos[2] > still.target.pos[2] + 1e-3);
        assert_ne!(first, second);
        drop(reins);
        assert_eq!(pilot.act(&env, &[]), None);
    }
}
