//! What the person's hand is doing, for scripted tests: a line `RECORD key=value ...` whenever it changes, and
//! `LATENCY frames=N` when the wrist target first moves after a key of the wrist went down: 1 means in the
//! frame that took the key in.

use bevy::{
    input::{ButtonState, keyboard::KeyboardInput},
    prelude::*,
};
use dextra_sim::Pose;
use dextra_teleop::{Command, End, Phase, bindings};

use super::{Pads, Studio, devices::button_of};
use crate::e2e::{Line, tell};

pub(crate) fn plugin(app: &mut App) {
    app.add_systems(Last, (tell_state, tell_latency));
}

fn tell_state(studio: Res<Studio>, pads: Res<Pads>, mut told: Local<Line>) {
    told.tell(|| line(&studio, pads.names().len()));
}

fn line(studio: &Studio, pads: usize) -> String {
    let (open, driving) = (studio.is_open(), studio.drives());
    let held = match studio.held() {
        None => "none",
        Some(held) if held.speed.is_none() => "waiting",
        Some(_) => "driven",
    };
    let mut line = format!("RECORD open={open} driving={driving} held={held} pads={pads}");
    if let (Some((target, _)), true) = (studio.target(), studio.held().is_some()) {
        let [x, y, z] = target.pos;
        line += &format!(" target={x:.3},{y:.3},{z:.3}");
    }
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

/// Runs after everything that a frame shows has been decided.
fn tell_latency(
    mut events: MessageReader<KeyboardInput>,
    studio: Res<Studio>,
    mut frame: Local<u32>,
    mut shown: Local<Option<Pose>>,
    mut waiting: Local<Option<u32>>,
) {
    *frame += 1;
    let target = studio.target().map(|(target, _)| target);
    let still = target == *shown;
    for event in events.read() {
        let moves = button_of(&event.logical_key).is_some_and(|button| {
            matches!(bindings::command_of(button, false), Some(Command::Move(_)))
        });
        match event.state {
            ButtonState::Pressed if moves && !event.repeat && studio.drives() => {
                *waiting = Some(*frame);
            }
            // Let go of before a control step saw it, it moves nothing.
            ButtonState::Released if moves => *waiting = None,
            _ => {}
        }
    }
    if let Some(pressed) = waiting.take_if(|_| !still) {
        tell(&format!("LATENCY frames={}\n", *frame - pressed + 1));
    }
    *shown = target;
}
