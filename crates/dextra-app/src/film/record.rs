//! Videos of what the window shows: the shown episode, taken from the tape and drawn by a studio of its own
//! on a thread of its own, so that neither the window nor the training waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use bevy::prelude::*;
use bevy_panorbit_camera::PanOrbitCamera;

use super::{Clip, Film, FilmError, FilmOptions, Look, film_as, mp4};
use crate::{
    camera::Eye,
    capture::free_name,
    ghost,
    notice::Notices,
    panel::Layout,
    scene::{Overlays, Quality},
    session::{Stage, Training},
    source::{PlaySystems, Shown, Source, Watch},
    tape::{Kept, Tape},
};

/// Size and rate of the videos.
const SIZE: [u32; 2] = [640, 480];
const FPS: u32 = 25;

pub(crate) struct RecordPlugin;

impl Plugin for RecordPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Filming>()
            .add_systems(Update, (begin, end).chain().after(PlaySystems));
    }
}

/// The video that is asked for or being made.
#[derive(Resource, Default)]
pub(crate) enum Filming {
    /// None.
    #[default]
    Idle,
    /// Asked for just now.
    Asked,
    /// It begins when the episode of this frame of the tape has ended.
    Waiting(u64),
    /// Being drawn.
    Rolling(Rolling),
}

impl Filming {
    /// Asks for a video of the shown episode; gives the one under way up.
    pub fn toggle(&mut self) {
        *self = match self {
            Self::Idle => Self::Asked,
            Self::Asked | Self::Waiting(_) => Self::Idle,
            Self::Rolling(rolling) => {
                rolling.strip.stopped.store(true, Ordering::Relaxed);
                return;
            }
        };
    }

    /// How far it is, in words; `None` when there is none.
    pub fn progress(&self) -> Option<String> {
        match self {
            Self::Idle => None,
            Self::Asked | Self::Waiting(_) => Some("video from the episode's end".into()),
            Self::Rolling(rolling) => {
                let done = rolling.strip.done.load(Ordering::Relaxed);
                let all = rolling.strip.all.load(Ordering::Relaxed).max(1);
                Some(format!("video {} %", 100 * done / all))
            }
        }
    }

    /// One word for scripted tests.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Asked | Self::Waiting(_) => "waiting",
            Self::Rolling(_) => "rolling",
        }
    }
}

/// What the drawing thread and the window share.
#[derive(Default)]
struct Strip {
    done: AtomicUsize,
    all: AtomicUsize,
    stopped: AtomicBool,
}

/// A thread that draws. Dropped, it is stopped and waited for, so that it leaves no part of a file.
pub(crate) struct Rolling {
    strip: Arc<Strip>,
    thread: Option<JoinHandle<Result<Film, FilmError>>>,
}

impl Rolling {
    fn start(clip: Clip, look: Look, options: FilmOptions) -> Self {
        let strip = Arc::new(Strip::default());
        let shared = Arc::clone(&strip);
        let thread = thread::spawn(move || {
            film_as(&[clip], look, &options, &mut |done, all| {
                shared.done.store(done, Ordering::Relaxed);
                shared.all.store(all, Ordering::Relaxed);
                !shared.stopped.load(Ordering::Relaxed)
            })
        });
        Self {
            strip,
            thread: Some(thread),
        }
    }

    fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn outcome(&mut self) -> Option<Result<Film, FilmError>> {
        // A thread that panicked has said so on standard error.
        let thread = self.thread.take()?;
        Some(thread.join().unwrap_or(Err(FilmError::Blank)))
    }
}

impl Drop for Rolling {
    fn drop(&mut self) {
        self.strip.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "a system names what it touches")]
fn begin(
    mut filming: ResMut<Filming>,
    tape: Res<Tape>,
    watch: Res<Watch>,
    training: Res<Training>,
    shown: Res<Shown>,
    quality: Res<Quality>,
    overlays: Res<Overlays>,
    layout: Res<Layout>,
    camera: Single<&PanOrbitCamera>,
    mut notices: ResMut<Notices>,
) {
    let number = match *filming {
        Filming::Asked => tape.shown(watch.frame()),
        Filming::Waiting(number) => Some(number),
        _ => return,
    };
    let Some(number) = number.filter(|&number| tape.get(number).is_some()) else {
        notices.say("Nothing has played that a video could show");
        *filming = Filming::Idle;
        return;
    };
    let rests = match watch.source {
        Source::Actor(_) => training.stage() != Stage::Running,
        Source::Expert | Source::Policy => watch.paused,
    };
    let episode = tape.episode(number);
    let plays_on = tape.is_live() && !rests && tape.get(episode.end).is_none();
    if plays_on {
        *filming = Filming::Waiting(number);
        return;
    }
    let kept: Vec<&Kept> = episode
        .filter_map(|number| tape.get(number))
        .filter(|kept| kept.frame.body_poses.len() == shown.0.bodies.len())
        .collect();
    let ghosts = kept
        .iter()
        .map(|kept| ghost::lines(&shown.0, kept, &watch, &layout))
        .collect();
    let ending = if mp4::is_possible() { "mp4" } else { "gif" };
    let options = FilmOptions {
        out: free_name("dextra", ending),
        size: SIZE,
        fps: FPS,
        speed: match watch.source {
            Source::Actor(_) => 1.0,
            Source::Expert | Source::Policy => watch.speed,
        },
        view: 0,
        shadows: quality.shadows,
        overlays: Vec::new(),
    };
    let clip = Clip {
        model: Arc::clone(&shown.0),
        step_secs: 1.0 / watch.control_hz,
        body_poses: kept.iter().map(|k| k.frame.body_poses.clone()).collect(),
        readings: kept.iter().map(|k| k.frame.readings.clone()).collect(),
        ghosts,
    };
    // As the window draws it now.
    let look = Look {
        eye: Eye::of(&camera),
        overlays: overlays.clone(),
    };
    *filming = Filming::Rolling(Rolling::start(clip, look, options));
}

fn end(mut filming: ResMut<Filming>, mut notices: ResMut<Notices>) {
    // Looked at without marking it as changed.
    let Filming::Rolling(rolling) = filming.bypass_change_detection() else {
        return;
    };
    if !rolling.is_over() {
        return;
    }
    if let Some(outcome) = rolling.outcome() {
        notices.say(match outcome {
            Ok(film) => format!("Saved {}", film.path.display()),
            Err(FilmError::Stopped) => "The video was given up".into(),
            Err(error) => error.to_string(),
        });
    }
    *filming = Filming::Idle;
}
