//! What the recording is doing, for scripted tests: a line `RECORD key=value ...` whenever it changes.

use std::time::{Duration, Instant};

use bevy::prelude::*;
use dextra_teleop::{End, Phase};

use super::Studio;
use crate::e2e::tell;

/// The state is told this often at most.
const EVERY: Duration = Duration::from_millis(100);

pub(crate) fn plugin(app: &mut App) {
    app.add_systems(Last, tell_state);
}

#[derive(Default)]
struct Told {
    line: String,
    at: Option<Instant>,
}

fn tell_state(studio: Res<Studio>, mut told: Local<Told>) {
    if told.at.is_some_and(|at| at.elapsed() < EVERY) {
        return;
    }
    let line = line(&studio);
    if line != told.line {
        tell(&line);
        *told = Told {
            line,
            at: Some(Instant::now()),
        };
    }
}

fn line(studio: &Studio) -> String {
    let (open, driving) = (studio.is_open(), studio.drives());
    let mut line = format!("RECORD open={open} driving={driving}");
    if let Some(shot) = studio.shot() {
        let phase = match &shot.phase {
            Phase::Countdown(_) => "countdown",
            Phase::Driving => "driving",
            Phase::Paused => "paused",
            Phase::Rewinding(_) => "rewinding",
            Phase::Ended(End::Success) => "success",
            Phase::Ended(_) => "ended",
        };
        let [x, y, z] = shot.target.pos;
        let [kept, discarded] = shot.counts;
        line += &format!(
            " phase={phase} seed={} steps={} speed={} splices={} kept={kept} discarded={discarded} \
             episodes={} finger={} magnet={} mirror={} target={x:.3},{y:.3},{z:.3} ghost={}",
            shot.seed,
            shot.steps,
            shot.speed,
            shot.splices,
            shot.episodes,
            shot.finger
                .map_or("none".into(), |finger| finger.to_string()),
            shot.magnet,
            shot.mirror,
            shot.replaced.is_some(),
        );
    }
    line.push('\n');
    line
}
