//! Recording by hand: a person drives the task's hand, and what is kept becomes a dataset.
//!
//! The episode runs on a thread of its own (`worker`); the window passes device events on (`devices`) and
//! shows what it last said. While a person drives, no key of the viewer fires; Esc always gives control
//! back.

mod devices;
mod e2e;
mod ghost;
mod worker;

use std::path::PathBuf;

use bevy::prelude::*;
use dextra_sim::Pose;
use dextra_tasks::EnvOptions;

pub(crate) use e2e::plugin as e2e_plugin;
pub(crate) use worker::Shot;

use crate::{
    notice::Notices,
    source::{PlaySystems, Watch},
};
use worker::{Job, Request, Told, Worker};

/// Folder of the datasets of all tasks, below the working folder.
const DATASETS: &str = "datasets";

/// The folder that a person has typed and that is not yet taken over.
#[derive(Resource, Default)]
pub(crate) struct FolderWish(pub Option<String>);

/// Where a task is recorded by hand.
#[derive(Resource, Default)]
pub(crate) struct Studio {
    /// The dataset's folder that a person asked for.
    folder: Option<String>,
    open: Option<Open>,
    /// Whether device events go to the hand.
    driving: bool,
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
        self.driving
    }

    /// The newest picture.
    pub fn shot(&self) -> Option<&Shot> {
        self.open.as_ref()?.shot.as_ref()
    }

    /// World poses of the bodies, when a recording has the scene.
    pub fn body_poses(&self) -> Option<&[Pose]> {
        self.shot().map(|shot| shot.body_poses.as_slice())
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

    /// Takes control back from the hand; the take stands still and can be gone on with.
    pub fn leave(&mut self) {
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
        if let Some(open) = &self.open {
            open.worker.ask(request);
        }
    }
}

pub(crate) struct RecordPlugin;

impl Plugin for RecordPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Studio>()
            .init_resource::<devices::Down>()
            .init_resource::<FolderWish>()
            .add_plugins(ghost::plugin)
            .add_systems(
                PreUpdate,
                (devices::keys, devices::mouse, devices::focus)
                    .chain()
                    .after(bevy::input::InputSystems),
            )
            .add_systems(Update, (devices::drag_axes, refresh).in_set(PlaySystems));
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
