//! The episode browser: a dataset's episodes as a list with pictures; one of them plays, is scrubbed, cut,
//! deleted and simulated again.
//!
//! A thread owns the dataset (`worker`), another draws the pictures (`portrait`); the window asks and shows
//! what they last said. While the browser is open it has the scene and the keys of time. Edits can be taken
//! back until it is closed.

mod e2e;
mod open;
mod portrait;
mod worker;

use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use bevy::{prelude::*, window::FileDragAndDrop};
use bevy_egui::{
    EguiContexts,
    egui::{TextureHandle, TextureOptions},
};
use bevy_panorbit_camera::PanOrbitCamera;
use dextra_data::dataset::is_dataset;
use dextra_sim::{Model, Pose};

pub(crate) use e2e::plugin as e2e_plugin;
pub(crate) use worker::{Listing, Played};

use crate::{
    action::Action,
    camera::View3d,
    notice::Notices,
    panel::Layout,
    record::Studio,
    sandbox::{Sandbox, recent::Recent},
    source::{PlaySystems, SPEEDS, Shown, Watch},
    workspace::{Arrangements, Workspace},
};
use open::Open;
use portrait::Portrait;
use worker::Told;

/// Folder below which datasets are recorded.
const DATASETS: &str = "datasets";

/// What the browser's panels ask for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Browse {
    /// Opens the dataset of this folder.
    Open(PathBuf),
    Close,
    /// Looks at this episode.
    Choose(usize),
    /// Looks at this moment.
    Seek(usize),
    /// Plays, or rests.
    Toggle,
    /// Marks the steps that a trim would keep.
    Mark(Range<usize>),
    /// Cuts the episode down to the marked steps.
    Trim,
    Delete,
    Undo,
    /// Simulates the episode once more.
    Repeat,
    /// The episodes whose pictures can be seen.
    See(Range<usize>),
}

/// What panels asked for and is not yet carried out.
#[derive(Resource, Default)]
pub(crate) struct Browses(pub Vec<Browse>);

/// The browser, open or not, and what is remembered of it.
#[derive(Resource)]
pub(crate) struct Browser {
    open: Option<Open>,
    wish: Option<PathBuf>,
    recent: Recent,
    /// What was shown before it was closed.
    closed: Option<Before>,
}

/// What was shown before the browser was opened.
struct Before {
    model: Arc<Model>,
    paused: bool,
}

/// What the panels show of it.
#[derive(Clone, Copy)]
pub(crate) struct BrowserView<'a> {
    /// The dataset's folder.
    pub root: &'a Path,
    pub listing: Option<&'a Listing>,
    pub problem: Option<&'a str>,
    pub chosen: usize,
    pub reveals: bool,
    pub played: Option<&'a Played>,
    pub hidden: Option<&'a str>,
    /// The moment that the cursor is at.
    pub at: usize,
    pub plays: bool,
    pub speed: f64,
    /// The steps that a trim would keep.
    pub marked: &'a Range<usize>,
    pub busy: bool,
    pub outcome: Option<&'a str>,
    pub portraits: &'a HashMap<u64, TextureHandle>,
    /// Datasets opened before.
    pub recent: &'a [PathBuf],
}

impl Browser {
    /// Closed, unless a dataset is to be opened at once.
    pub fn new(wish: Option<PathBuf>) -> Self {
        Self {
            open: None,
            wish,
            recent: Recent::datasets(),
            closed: None,
        }
    }

    /// Whether it has the scene.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the scene is an episode's, shown or about to be.
    pub fn has_scene(&self) -> bool {
        self.open.as_ref().is_some_and(Open::has_scene)
    }

    /// Datasets opened before.
    pub fn recent(&self) -> &[PathBuf] {
        self.recent.paths()
    }

    /// World poses of the bodies at the cursor.
    pub fn body_poses(&self) -> Option<&[Pose]> {
        let open = self.open.as_ref()?;
        let poses = &open.played.as_ref()?.poses;
        poses.get(open.moment()).map(Vec::as_slice)
    }

    /// What the panels show.
    pub fn view(&self) -> Option<BrowserView<'_>> {
        let open = self.open.as_ref()?;
        Some(BrowserView {
            root: &open.root,
            listing: open.listing.as_ref(),
            problem: open.problem.as_deref(),
            chosen: open.chosen,
            reveals: open.reveals,
            played: open.played.as_ref(),
            hidden: open.hidden.as_deref(),
            at: open.moment(),
            plays: open.plays,
            speed: open.speed,
            marked: &open.marked,
            busy: open.under_way > 0,
            outcome: open.outcome.as_deref(),
            portraits: &open.portraits,
            recent: self.recent.paths(),
        })
    }

    /// Opens the dataset of a folder as soon as it can.
    pub fn wish(&mut self, root: PathBuf) {
        self.wish = Some(root);
    }

    /// Closes it. Edits can no longer be taken back. Whether the rollout rested before.
    pub fn close(&mut self) -> Option<bool> {
        let Open { worker, before, .. } = self.open.take()?;
        // It may be in the middle of an edit; the window does not wait for that.
        thread::spawn(move || drop(worker));
        let paused = before.paused;
        self.closed = Some(before);
        Some(paused)
    }

    /// Carries out what a key asks, when it is the browser's; false when it is not.
    pub fn carry_out(&mut self, action: Action, notices: &mut Notices) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        match action {
            Action::TogglePause => open.toggle(),
            Action::Step => open.seek(open.moment() + 1),
            Action::StepBack => open.seek(open.moment().saturating_sub(1)),
            Action::TurnTo(next) => {
                let chosen = match next {
                    true => open.chosen + 1,
                    false => open.chosen.saturating_sub(1),
                };
                open.choose(chosen.min(open.len().saturating_sub(1)));
                open.reveals = true;
            }
            Action::Restart => open.seek(0),
            Action::Faster => open.change_speed(SPEEDS.iter().find(|&&s| s > open.speed * 1.01)),
            Action::Slower => {
                let slower = SPEEDS.iter().rev().find(|&&s| s < open.speed * 0.99);
                open.change_speed(slower);
            }
            Action::DeleteEpisode => open.edit(Browse::Delete, notices),
            Action::Undo => open.edit(Browse::Undo, notices),
            _ => return false,
        }
        true
    }

    /// Carries out what a panel asks.
    fn browse(&mut self, browse: Browse, notices: &mut Notices) {
        match (browse, &mut self.open) {
            (Browse::Open(root), _) => self.wish = Some(root),
            (Browse::Close, _) => drop(self.close()),
            (_, None) => {}
            (Browse::Choose(episode), Some(open)) => open.choose(episode),
            (Browse::Seek(moment), Some(open)) => open.seek(moment),
            (Browse::Toggle, Some(open)) => open.toggle(),
            (Browse::Mark(range), Some(open)) => open.mark(range),
            (Browse::See(range), Some(open)) => open.see(range),
            (browse, Some(open)) => open.edit(browse, notices),
        }
    }
}

pub(crate) struct BrowserPlugin {
    /// The dataset to open at once.
    pub open: Option<PathBuf>,
}

impl Plugin for BrowserPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Browser::new(self.open.clone()))
            .init_resource::<Browses>()
            .add_systems(
                Update,
                (drop_folders, obey, show_again, open, refresh)
                    .chain()
                    .in_set(PlaySystems),
            )
            .add_systems(Last, |mut browser: ResMut<Browser>| {
                if let Some(open) = &mut browser.bypass_change_detection().open {
                    open.reveals = false;
                }
            });
    }
}

fn drop_folders(mut drops: MessageReader<FileDragAndDrop>, mut browser: ResMut<Browser>) {
    for drop in drops.read() {
        if let FileDragAndDrop::DroppedFile { path_buf, .. } = drop
            && is_dataset(path_buf)
        {
            browser.wish = Some(path_buf.clone());
        }
    }
}

fn obey(mut browses: ResMut<Browses>, mut browser: ResMut<Browser>, mut notices: ResMut<Notices>) {
    for browse in browses.0.drain(..) {
        browser.browse(browse, &mut notices);
    }
}

/// After the browser was closed.
fn show_again(
    mut browser: ResMut<Browser>,
    sandbox: Res<Sandbox>,
    studio: Res<Studio>,
    mut watch: ResMut<Watch>,
    mut shown: ResMut<Shown>,
    mut view: ResMut<View3d>,
    mut camera: Single<&mut PanOrbitCamera>,
) {
    // A sandbox that was opened over it gives the scene back first.
    if browser.closed.is_none() || sandbox.is_open() {
        return;
    }
    if let Some(before) = browser.closed.take() {
        watch.pause(before.paused || studio.is_open());
        turn_to(before.model, &mut shown, &mut view, &mut camera);
    }
}

#[allow(clippy::too_many_arguments, reason = "a system names what it touches")]
fn open(
    mut browser: ResMut<Browser>,
    mut watch: ResMut<Watch>,
    shown: Res<Shown>,
    sandbox: Res<Sandbox>,
    studio: Res<Studio>,
    mut notices: ResMut<Notices>,
    mut layout: ResMut<Layout>,
    mut arrangements: ResMut<Arrangements>,
) {
    if browser.wish.is_none() {
        return;
    }
    let Some(root) = browser.wish.take() else {
        return;
    };
    if sandbox.is_open() || studio.is_open() {
        let what = if sandbox.is_open() {
            "sandbox"
        } else {
            "recording"
        };
        notices.say(format!(
            "Close the {what} first, then browse {}",
            root.display()
        ));
        return;
    }
    if layout.workspace != Workspace::Record {
        let arrangement = *arrangements.bypass_change_detection().of(Workspace::Record);
        layout.arrange(Workspace::Record, arrangement);
    }
    layout.left = true;
    let before = match browser.open.take() {
        Some(Open { worker, before, .. }) => {
            thread::spawn(move || drop(worker));
            before
        }
        None => {
            let paused = watch.paused;
            watch.pause(true);
            Before {
                model: Arc::clone(&shown.0),
                paused,
            }
        }
    };
    if is_dataset(&root) {
        browser.recent.push(&root);
    }
    browser.open = Some(Open::new(root, before));
}

#[allow(clippy::too_many_arguments, reason = "a system names what it touches")]
fn refresh(
    mut browser: ResMut<Browser>,
    sandbox: Res<Sandbox>,
    mut shown: ResMut<Shown>,
    mut notices: ResMut<Notices>,
    mut view: ResMut<View3d>,
    mut camera: Single<&mut PanOrbitCamera>,
    mut contexts: EguiContexts,
    time: Res<Time<Real>>,
) {
    // A sandbox that was opened over it has the scene.
    if sandbox.is_open() {
        return;
    }
    let Some(open) = &mut browser.open else {
        return;
    };
    let told: Vec<Told> = open.worker.told().collect();
    for told in told {
        if let Told::Drawn(portrait, picture) = told {
            if let Ok(ctx) = contexts.ctx_mut() {
                open.portraits.insert(portrait, texture(ctx, picture));
            }
        } else if let Some(text) = open.hear(told) {
            notices.say(text);
        }
    }
    let model = match &open.played {
        Some(played) => &played.model,
        None if open.has_scene() => &shown.0,
        None => &open.before.model,
    };
    if !Arc::ptr_eq(&shown.0, model) {
        turn_to(Arc::clone(model), &mut shown, &mut view, &mut camera);
    }
    open.play(time.delta_secs_f64());
}

fn texture(ctx: &bevy_egui::egui::Context, picture: Portrait) -> TextureHandle {
    ctx.load_texture("episode", picture, TextureOptions::LINEAR)
}

/// Shows another scene; the camera stays where it is if that is framed alike.
fn turn_to(
    model: Arc<Model>,
    shown: &mut ResMut<Shown>,
    view: &mut View3d,
    camera: &mut PanOrbitCamera,
) {
    if model.framing != shown.0.framing {
        view.frame(model.framing, camera);
    }
    shown.0 = model;
}

/// The datasets below the folder in which recordings are kept.
pub(crate) fn recorded_here() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(DATASETS).into_iter().flatten().flatten();
    let mut found: Vec<_> = folders
        .map(|entry| entry.path())
        .filter(|path| is_dataset(path))
        .collect();
    found.sort();
    found
}
