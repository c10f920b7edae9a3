//! A person at the hand: recording, where what is kept becomes a dataset, and taking over what is watched.
//!
//! A recorded episode runs on a thread of its own (`worker`), one that is taken over on that of whoever began
//! it (`takeover`); the window passes device events on (`devices`) and shows what was last said. While a
//! person drives, no key of the viewer fires; Esc always gives control back.

mod devices;
mod e2e;
mod ghost;
mod pads;
mod takeover;
mod worker;

use std::path::PathBuf;

use bevy::prelude::*;
use dextra_sim::Pose;
use dextra_tasks::EnvOptions;

pub(crate) use devices::Down;
pub(crate) use e2e::plugin as e2e_plugin;
pub(crate) use pads::Pads;
pub(crate) use worker::Shot;

use crate::{
    demos::DATASETS,
    notice::Notices,
    session::Training,
    source::{PlaySystems, Source, Watch},
};
use devices::Hold;
use dextra_train::Pilot;
use takeover::{Reins, Sight};
use worker::{Job, Request, Told, Worker};

/// The folder that a person has typed and that is not yet taken over.
#[derive(Resource, Default)]
pub(crate) struct FolderWish(pub Option<String>);

/// Where a task is recorded by hand.
#[derive(Resource, Default)]
pub(crate) struct Studio {
    /// The dataset's folder that a person asked for.
    folder: Option<String>,
    open: Option<Open>,
    /// Whether device events go to the recorded hand.
    driving: bool,
    held: Option<Held>,
}

/// What is watched, in the person's hand.
struct Held {
    reins: Reins,
    source: Source,
    sight: Option<Sight>,
    /// What is held as long as it lasts; without it, until it is given back.
    hold: Option<Hold>,
}

/// How far a takeover is, for those who show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HeldView {
    /// Simulated seconds per second, once the hand is driven.
    pub speed: Option<f64>,
    /// Whether it lasts as long as a key or button is held.
    pub by_key: bool,
}

struct Open {
    worker: Worker,
    root: PathBuf,
    shot: Option<Shot>,
    /// Whether the rollout rested before.
    paused_before: bool,
}

impl Studio {
    /// Whether a recording has the scene.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether a person drives: keys and mouse are the hand's.
    pub fn drives(&self) -> bool {
        self.driving || self.held.is_some()
    }

    /// What is taken over, if anything is.
    pub fn held(&self) -> Option<HeldView> {
        self.held.as_ref().map(|held| HeldView {
            speed: held.sight.as_ref().map(|sight| sight.speed),
            by_key: held.hold.is_some(),
        })
    }

    /// The wrist target, and where the palm is (m).
    fn target(&self) -> Option<(Pose, [f64; 3])> {
        let held = || self.held.as_ref()?.sight.as_ref();
        let shot = self.shot().map(|shot| (shot.target, shot.palm_m));
        shot.or_else(|| held().map(|sight| (sight.target, sight.palm_m)))
    }

    /// The newest picture of a recording.
    pub fn shot(&self) -> Option<&Shot> {
        self.open.as_ref()?.shot.as_ref()
    }

    /// World poses of the bodies, when a person's hand has the scene.
    pub fn body_poses(&self) -> Option<&[Pose]> {
        let held = || self.held.as_ref()?.sight.as_ref();
        let shot = self.shot().map(|shot| shot.body_poses.as_slice());
        shot.or_else(|| held().map(|sight| sight.body_poses.as_slice()))
    }

    /// The dataset being recorded, or where a task's would be.
    pub fn root(&self, task: &str) -> PathBuf {
        let asked = || self.folder.as_ref().map(PathBuf::from);
        let open = self.open.as_ref().map(|open| open.root.clone());
        open.or_else(asked)
            .unwrap_or_else(|| PathBuf::from(DATASETS).join(task))
    }

    /// Gives the hand to the person: opens the task's dataset, unless it is open. `paused` says whether the
    /// rollout rests, to leave it so.
    pub fn drive(&mut self, task: &str, options: EnvOptions, paused: bool) {
        self.leave();
        if self.open.is_none() {
            let root = self.root(task);
            let job = Job {
                task: task.to_owned(),
                options,
                root: root.clone(),
            };
            self.open = Some(Open {
                worker: Worker::start(job),
                root,
                shot: None,
                paused_before: paused,
            });
        }
        self.driving = true;
    }

    /// Takes what is watched into the person's hand, as long as the key or button that asked for it is held.
    /// The pilot drives it, once whoever plays that source has been told.
    pub fn take_over(&mut self, source: Source, down: &Down) -> Box<dyn Pilot> {
        let (reins, pilot) = Reins::new();
        self.held = Some(Held {
            reins,
            source,
            sight: None,
            hold: down.hold(),
        });
        pilot
    }

    /// Gives back what was held by a key or button that has been let go of.
    fn let_go(&mut self, hold: Hold) {
        if self
            .held
            .as_ref()
            .is_some_and(|held| held.hold == Some(hold))
        {
            self.leave();
        }
    }

    /// Takes control back from the hand. A take stands still and can be gone on with; what was taken over
    /// goes on without the person.
    pub fn leave(&mut self) {
        if let Some(held) = self.held.take() {
            held.reins.ask(Request::Leave);
        }
        if self.driving {
            self.driving = false;
            self.ask(Request::Leave);
        }
    }

    /// Ends the recording; a take that was not kept is lost. Whether the rollout rested before.
    pub fn close(&mut self) -> Option<bool> {
        self.driving = false;
        self.open.take().map(|open| open.paused_before)
    }

    fn ask(&self, request: Request) {
        if let Some(held) = &self.held {
            held.reins.ask(request);
        } else if let Some(open) = &self.open {
            open.worker.ask(request);
        }
    }
}

pub(crate) struct RecordPlugin;

impl Plugin for RecordPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Studio>()
            .init_resource::<Down>()
            .init_resource::<Pads>()
            .init_resource::<FolderWish>()
            .add_plugins(ghost::plugin)
            .add_systems(
                PreUpdate,
                (devices::keys, devices::mouse, pads::pads, devices::focus)
                    .chain()
                    .after(bevy::input::InputSystems),
            )
            .add_systems(
                Update,
                (devices::drag_axes, refresh, refresh_held).in_set(PlaySystems),
            );
    }
}

fn refresh(
    mut studio: ResMut<Studio>,
    mut wish: ResMut<FolderWish>,
    mut watch: ResMut<Watch>,
    mut notices: ResMut<Notices>,
) {
    if let Some(folder) = wish.0.take() {
        studio.folder = Some(folder).filter(|folder| !folder.trim().is_empty());
    }
    let Some(open) = &mut studio.open else {
        return;
    };
    if let Some(shot) = open.worker.take() {
        open.shot = Some(shot);
    }
    let mut failed = false;
    for told in open.worker.told() {
        match told {
            Told::Said(text) => notices.say(text),
            Told::Failed(text) => {
                notices.say(text);
                failed = true;
            }
        }
    }
    // What was shown before goes on.
    if let Some(paused) = failed.then(|| studio.close()).flatten() {
        watch.pause(paused);
    }
}

/// What is taken over is the person's only as long as it is watched and goes on.
fn refresh_held(
    mut studio: ResMut<Studio>,
    watch: Res<Watch>,
    training: Res<Training>,
    mut notices: ResMut<Notices>,
) {
    let Some(held) = &mut studio.held else {
        return;
    };
    if let Some(sight) = held.reins.take() {
        held.sight = Some(sight);
    }
    let failure = held.reins.failure();
    let of_training = matches!(held.source, Source::Actor(_));
    let gone = held.source != watch.source || of_training && !training.is_active();
    if failure.is_some() || gone {
        studio.leave();
    }
    if let Some(failure) = failure {
        notices.say(failure);
    }
}
