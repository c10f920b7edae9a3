//! What the sandbox is doing, for scripted tests: a line `SANDBOX key=value ...` whenever it changes.

use bevy::prelude::*;

use super::{Sandbox, Selection};
use crate::{e2e::Line, scene::Overlays};

pub(crate) fn plugin(app: &mut App) {
    app.add_systems(Last, tell_state);
}

fn tell_state(sandbox: Res<Sandbox>, overlays: Res<Overlays>, mut told: Local<Line>) {
    told.tell(|| line(&sandbox, &overlays));
}

fn line(sandbox: &Sandbox, overlays: &Overlays) -> String {
    let Some(open) = &sandbox.open else {
        return format!("SANDBOX open=false overlays={overlays}\n");
    };
    let selected = match open.selected {
        None => "none".to_owned(),
        Some(Selection::Body(i)) => format!("body{i}"),
        Some(Selection::Joint(i)) => format!("joint{i}"),
        Some(Selection::Geom(i)) => format!("geom{i}"),
        Some(Selection::Actuator(i)) => format!("actuator{i}"),
    };
    let mut line = format!(
        "SANDBOX open=true loads={} problem={} selected={selected} edits={} dialog={} \
         overlays={overlays}",
        open.loads,
        open.problem.is_some(),
        open.edits.len(),
        sandbox.dialog.is_some(),
    );
    if let Some(shot) = &open.shot {
        // The last body: the one that a test's scene is about.
        let [x, y, z] = shot.body_poses.last().map_or([0.0; 3], |pose| pose.pos);
        line += &format!(
            " model={} paused={} time={:.3} speed={} at={} states={} bodies={} last={x:.3},{y:.3},{z:.3} \
             contacts={} pushed={} trouble={} timed={}",
            shot.model.name.replace(' ', "_"),
            shot.paused,
            shot.time_secs,
            shot.speed,
            shot.at,
            shot.states,
            shot.body_poses.len(),
            shot.contacts.len(),
            shot.push.is_some(),
            shot.trouble.is_some(),
            shot.times.is_some(),
        );
    }
    line.push('\n');
    line
}
