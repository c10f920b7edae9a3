//! What a driver sees over the scene: the wrist target, and after a rewind the old take.

use bevy::prelude::*;
use dextra_sim::{Model, Transmission};

use super::Studio;
use crate::{
    ghost::{Ghosts, kinematics, outline, point},
    source::{PlaySystems, Shown},
};

/// Half the length of the target's axes, metres.
const AXIS_M: f64 = 0.05;
/// The plus side of an axis is drawn longer.
const PLUS: f64 = 1.6;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, (draw_target, draw_replaced).after(PlaySystems));
}

fn draw_target(studio: Res<Studio>, mut gizmos: Gizmos<Ghosts>) {
    let Some((target, palm_m)) = studio.target() else {
        return;
    };
    let colors = [
        Color::srgb_u8(235, 100, 90),
        Color::srgb_u8(98, 200, 130),
        Color::srgb_u8(110, 150, 245),
    ];
    for (k, color) in colors.into_iter().enumerate() {
        let mut axis = [0.0; 3];
        axis[k] = AXIS_M;
        let ends = [-1.0, PLUS].map(|s| target.transform_point(axis.map(|a| s * a)));
        gizmos.line(point(ends[0]), point(ends[1]), color);
    }
    let between = Color::srgba_u8(240, 240, 240, 160);
    gizmos.line(point(palm_m), point(target.pos), between);
}

/// The hand where the old take had it at this step.
fn draw_replaced(studio: Res<Studio>, shown: Res<Shown>, mut gizmos: Gizmos<Ghosts>) {
    let model = &shown.0;
    let replaced = studio.shot().and_then(|shot| shot.replaced.as_deref());
    let Some(qpos) = replaced.filter(|qpos| qpos.len() == model.nq) else {
        return;
    };
    let (poses, moved) = kinematics(model, &of_hand(model, qpos));
    let color = Color::srgb_u8(150, 160, 240);
    for [from, to] in outline(model, &poses, &moved) {
        gizmos.line(point(from), point(to), color);
    }
}

/// The positions of the joints that have actuators.
fn of_hand(model: &Model, qpos: &[f64]) -> Vec<Option<f64>> {
    let mut positions = vec![None; model.joints.len()];
    for actuator in &model.actuators {
        if let Transmission::Joint(joint) = actuator.transmission {
            positions[joint] = Some(qpos[model.joints[joint].qpos_adr]);
        }
    }
    positions
}
