//! For scripted tests: where the widgets are and what the app is doing, on standard output; commands on
//! standard input.
//!
//! Output, a line whenever it changes:
//! `WIDGET name x y width height` in logical pixels, and `STATE key=value ...`.
//! Input: `shot PATH` saves what the window shows, `times` tells what the frames since the last `times` took
//! (`TIMES key=value ...`), `quit` closes it.

use std::{
    io::{BufRead, Write},
    path::PathBuf,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use bevy::{ecs::system::SystemParam, prelude::*};
use bevy_panorbit_camera::PanOrbitCamera;
use crossbeam_channel::{Receiver, unbounded};

use crate::{
    action::{Action, Actions},
    analysis::Analysis,
    capture::Capture,
    film::Filming,
    library::Library,
    pace::Pace,
    panel::{Layout, Marks},
    scene::Quality,
    session::{Stage, Training},
    source::{Source, Watch},
    tape::Tape,
};

/// The state is told this often at most.
const EVERY: Duration = Duration::from_millis(100);

pub(crate) struct E2ePlugin;

#[derive(Resource)]
struct Lines(Mutex<Receiver<String>>);

impl Plugin for E2ePlugin {
    fn build(&self, app: &mut App) {
        let (sender, receiver) = unbounded();
        // Ends with standard input, or with the process.
        thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        app.insert_resource(Lines(Mutex::new(receiver)))
            .add_systems(Update, obey)
            .add_systems(Last, (tell_widgets, tell_state));
    }
}

fn obey(
    lines: Res<Lines>,
    mut captures: MessageWriter<Capture>,
    mut actions: ResMut<Actions>,
    mut pace: ResMut<Pace>,
) {
    let Ok(lines) = lines.0.lock() else { return };
    for line in lines.try_iter() {
        match line.trim().split_once(' ') {
            Some(("shot", path)) => {
                captures.write(Capture {
                    name: "dextra",
                    path: Some(PathBuf::from(path)),
                    part: None,
                });
            }
            None if line.trim() == "times" => tell(&pace.take_times()),
            None if line.trim() == "quit" => actions.0.push(Action::Quit),
            _ => {}
        }
    }
}

pub(crate) fn tell(lines: &str) {
    // A test that no longer listens is no reason to end.
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
}

fn tell_widgets(marks: Res<Marks>, mut told: Local<String>) {
    let lines: String = marks
        .0
        .iter()
        .map(|(name, rect)| {
            let (min, size) = (rect.min, rect.size());
            format!(
                "WIDGET {name} {:.0} {:.0} {:.0} {:.0}\n",
                min.x, min.y, size.x, size.y
            )
        })
        .collect();
    if lines != *told {
        tell(&lines);
        *told = lines;
    }
}

/// A line that is told when it has changed, ten times a second at most.
#[derive(Default)]
pub(crate) struct Line {
    line: String,
    at: Option<Instant>,
}

impl Line {
    /// Tells the line that `now` makes, if it is time and it differs from the last one told.
    pub fn tell(&mut self, now: impl FnOnce() -> String) {
        if self.at.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        let line = now();
        if line != self.line {
            tell(&line);
            *self = Self {
                line,
                at: Some(Instant::now()),
            };
        }
    }
}

/// What the state line tells of.
#[derive(SystemParam)]
struct Told<'w, 's> {
    training: Res<'w, Training>,
    watch: Res<'w, Watch>,
    layout: Res<'w, Layout>,
    quality: Res<'w, Quality>,
    tape: Res<'w, Tape>,
    library: Res<'w, Library>,
    analysis: Res<'w, Analysis>,
    filming: Res<'w, Filming>,
    cameras: Query<'w, 's, &'static PanOrbitCamera>,
}

fn tell_state(of: Told, mut told: Local<Line>) {
    told.tell(|| line(of));
}

fn line(of: Told) -> String {
    let Told {
        training,
        watch,
        layout,
        quality,
        tape,
        library,
        analysis,
        filming,
        cameras,
    } = of;
    let stage = match training.stage() {
        Stage::Idle => "idle",
        Stage::Starting => "starting",
        Stage::Running => "running",
        Stage::Paused => "paused",
        Stage::Evaluating => "evaluating",
        Stage::Stopping => "stopping",
        Stage::Finished => "finished",
        Stage::Failed(_) => "failed",
    };
    let source = match watch.source {
        Source::Expert => "expert".to_owned(),
        Source::Policy => "policy".to_owned(),
        Source::Actor(actor) => format!("actor{}", actor + 1),
    };
    let status = training.status();
    let (episode, frame) = watch
        .frame()
        .map_or((0, 0), |frame| (frame.episode, frame.step));
    let (yaw, radius) = cameras
        .iter()
        .next()
        .map_or((0.0, 0.0), |c| (c.target_yaw, c.target_radius));
    let cursor = tape
        .pinned()
        .map_or("live".to_owned(), |kept| kept.frame.step.to_string());
    let settings = training.settings();
    let learning_rate = settings
        .iter()
        .find(|setting| setting.key == "learn.learning_rate")
        .map_or(0.0, |setting| setting.value);
    format!(
        "STATE stage={stage} steps={} updates={} rate={:.0} source={source} episode={episode} \
         frame={frame} rollout_paused={} speed={:.2} help={} left={} right={} shadows={} \
         yaw={yaw:.2} radius={radius:.2} workspace={} tab={} timeline={} palette={} cursor={cursor} \
         task={} learning_rate={learning_rate} runs={} open={} \
         video={}\n",
        status.steps,
        status.updates,
        status.env_steps_per_sec,
        watch.paused,
        watch.speed,
        layout.help,
        layout.left,
        layout.right,
        quality.shadows,
        layout.workspace.name(),
        layout.tab.name(),
        layout.bottom,
        layout.palette,
        training.config().task,
        library.runs().len(),
        analysis.runs.len(),
        filming.word(),
    )
}
