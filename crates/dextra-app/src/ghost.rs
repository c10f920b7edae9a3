//! Ghosts, as lines over the scene: the prior's sampled actions as the postures that they command, each
//! coloured by its value and the brighter the larger its weight; and the rival of a comparison.

use bevy::prelude::*;
use dextra_learn::Inspection;
use dextra_sim::{JointKind, Model, Pose, Shape, Transmission};
use dextra_train::Frame;

use crate::{
    panel::{Layout, value_color},
    scene::Still,
    source::{PlaySystems, Shown, Source, Watch},
    tape::{Kept, Tape},
};

/// Line segments in the model's frame, metres.
pub(crate) type Segments = Vec<[[f64; 3]; 2]>;

pub(crate) struct GhostPlugin;

impl Plugin for GhostPlugin {
    fn build(&self, app: &mut App) {
        app.init_gizmo_group::<Ghosts>()
            .add_systems(Startup, on_top)
            .add_systems(Update, draw.after(PlaySystems));
    }
}

/// Ghosts in a film.
pub(crate) fn film_plugin(app: &mut App) {
    app.init_gizmo_group::<Ghosts>()
        .add_systems(Startup, on_top)
        .add_systems(Update, draw_still);
}

/// Coloured lines in the scene's frame, which has y up.
pub(crate) type Lines = Vec<(Vec3, Vec3, Color)>;

/// The lines of ghosts.
#[derive(Default, Reflect, GizmoConfigGroup)]
pub(crate) struct Ghosts;

/// Ghosts are seen through what they are in.
fn on_top(mut store: ResMut<GizmoConfigStore>) {
    let (config, _) = store.config_mut::<Ghosts>();
    config.depth_bias = -1.0;
    config.line.width = 2.0;
}

fn draw(
    tape: Res<Tape>,
    watch: Res<Watch>,
    shown: Res<Shown>,
    layout: Res<Layout>,
    mut gizmos: Gizmos<Ghosts>,
) {
    let number = tape.shown(watch.frame());
    if let Some(kept) = number.and_then(|number| tape.get(number)) {
        trace(&mut gizmos, &lines(&shown.0, kept, &watch, &layout));
    }
}

fn draw_still(still: Res<Still>, mut gizmos: Gizmos<Ghosts>) {
    trace(&mut gizmos, &still.ghosts);
}

fn trace(gizmos: &mut Gizmos<Ghosts>, lines: &Lines) {
    for &(from, to, color) in lines {
        gizmos.line(from, to, color);
    }
}

/// The ghosts that the window shows beside a frame.
pub(crate) fn lines(model: &Model, kept: &Kept, watch: &Watch, layout: &Layout) -> Lines {
    let mut lines = Lines::new();
    if layout.shows_samples()
        && let Some(seen) = &kept.inspection
    {
        samples(model, seen, &mut lines);
    }
    if !matches!(watch.source, Source::Actor(_))
        && let Some(beside) = watch.rival.as_ref().and_then(|r| r.beside(&kept.frame))
    {
        rival(model, beside, &mut lines);
    }
    lines
}

/// The prior's sampled actions.
fn samples(model: &Model, seen: &Inspection, lines: &mut Lines) {
    let range = seen.q.iter().fold((f32::MAX, f32::MIN), |(low, high), &q| {
        (low.min(q), high.max(q))
    });
    let heaviest = seen.weights.iter().copied().fold(1e-9, f64::max);
    let actions = seen.actions.chunks_exact(model.actuators.len().max(1));
    for ((action, &q), weight) in actions.zip(&seen.q).zip(&seen.weights) {
        let [r, g, b, _] = value_color((q - range.0) / (range.1 - range.0).max(1e-9)).to_array();
        let alpha = 0.2 + 0.8 * (weight / heaviest) as f32;
        let color = Color::srgba_u8(r, g, b, (255.0 * alpha) as u8);
        lines.extend(coloured(posture(model, action), color));
    }
}

/// The rival at the shown step of the same episode.
fn rival(model: &Model, beside: &Frame, lines: &mut Lines) {
    let poses: Vec<Pose> = beside
        .body_poses
        .iter()
        .map(|pose| {
            let [x, y, z, quat @ ..] = pose.map(f64::from);
            Pose {
                pos: [x, y, z],
                quat,
            }
        })
        .collect();
    if poses.len() == model.bodies.len() {
        let color = Color::srgb_u8(150, 160, 240);
        let segments = outline(model, &poses, &moving(model));
        lines.extend(coloured(segments, color));
    }
}

fn coloured(segments: Segments, color: Color) -> impl Iterator<Item = (Vec3, Vec3, Color)> {
    let line = move |[from, to]: [[f64; 3]; 2]| (point(from), point(to), color);
    segments.into_iter().map(line)
}

/// Which bodies a joint moves, directly or by what they hang on.
fn moving(model: &Model) -> Vec<bool> {
    let mut moving: Vec<bool> = Vec::with_capacity(model.bodies.len());
    for body in &model.bodies {
        let above = body.parent.is_some_and(|parent| moving[parent]);
        moving.push(above || !body.joints.is_empty());
    }
    moving
}

/// A point of the model's world, which has z up, in the scene's, which has y up.
pub(crate) fn point([x, y, z]: [f64; 3]) -> Vec3 {
    Vec3::new(x as f32, z as f32, -y as f32)
}

/// The position at which a joint's actuator is at rest under an action in [-1, 1]; `None` for joints
/// that no position actuator moves.
fn targets(model: &Model, action: &[f32]) -> Vec<Option<f64>> {
    let mut targets = vec![None; model.joints.len()];
    for (actuator, &action) in model.actuators.iter().zip(action) {
        let (middle, half) = match actuator.ctrl_range {
            Some([low, high]) => ((low + high) / 2.0, (high - low) / 2.0),
            None => (0.0, 1.0),
        };
        let ctrl = middle + half * f64::from(action);
        let [constant, per_length, _] = actuator.bias;
        let Transmission::Joint(joint) = actuator.transmission else {
            continue;
        };
        if per_length < 0.0 {
            let length = (actuator.gain * ctrl + constant) / -per_length;
            let target = length / actuator.gear;
            let [low, high] = model.joints[joint]
                .range
                .unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
            targets[joint] = Some(target.clamp(low, high));
        }
    }
    targets
}

/// The bodies that actuators move, in the posture that an action commands.
fn posture(model: &Model, action: &[f32]) -> Segments {
    let (poses, moved) = kinematics(model, &targets(model, action));
    outline(model, &poses, &moved)
}

/// Bodies at these poses: a line to the next body, capsules and cylinders as their axes, boxes as their
/// edges.
pub(crate) fn outline(model: &Model, poses: &[Pose], wanted: &[bool]) -> Segments {
    let between = model.bodies.iter().enumerate().filter_map(|(body, of)| {
        let parent = of.parent?;
        (wanted[body] && wanted[parent]).then(|| [poses[parent].pos, poses[body].pos])
    });
    let geoms = model.geoms.iter().filter(|geom| wanted[geom.body]);
    let along = geoms.flat_map(|geom| {
        let pose = poses[geom.body].mul(&geom.pose);
        let at = move |p: [f64; 3]| pose.transform_point(p);
        edges(&geom.shape).into_iter().map(move |edge| edge.map(at))
    });
    between.chain(along).collect()
}

/// A shape as lines in its own frame.
fn edges(shape: &Shape) -> Segments {
    match *shape {
        Shape::Capsule { half_length, .. } | Shape::Cylinder { half_length, .. } => {
            vec![[[0.0, 0.0, -half_length], [0.0, 0.0, half_length]]]
        }
        Shape::Box { half_extents } => {
            let corner = |i: usize| -> [f64; 3] {
                let sign = |k: usize| if i >> k & 1 == 1 { 1.0 } else { -1.0 };
                [0, 1, 2].map(|k| sign(k) * half_extents[k])
            };
            // Corners that differ along one axis.
            let pairs = (0..8usize).flat_map(|i| (0..3).map(move |k| (i, i | 1 << k)));
            pairs
                .filter(|(i, j)| i != j)
                .map(|(i, j)| [corner(i), corner(j)])
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The pose of every body with the joints at these positions (the reference where there is none), and
/// whether a joint that has one moves it.
pub(crate) fn kinematics(model: &Model, positions: &[Option<f64>]) -> (Vec<Pose>, Vec<bool>) {
    let mut poses: Vec<Pose> = Vec::with_capacity(model.bodies.len());
    let mut moved: Vec<bool> = Vec::with_capacity(model.bodies.len());
    for body in &model.bodies {
        let (above, is_moved) = match body.parent {
            Some(parent) => (poses[parent], moved[parent]),
            None => (Pose::IDENTITY, false),
        };
        let mut pose = above.mul(&body.pose);
        for &joint in &body.joints {
            let position = positions[joint];
            let joint = &model.joints[joint];
            let by = position.map_or(0.0, |position| position - joint.reference);
            pose = pose.mul(&motion(joint.kind, joint.axis, joint.anchor, by));
        }
        let own = body.joints.iter().any(|&joint| positions[joint].is_some());
        poses.push(pose);
        moved.push(is_moved || own);
    }
    (poses, moved)
}

/// What a joint that has moved by so much does to its body's frame.
fn motion(kind: JointKind, axis: [f64; 3], anchor: [f64; 3], by: f64) -> Pose {
    match kind {
        JointKind::Hinge => {
            let (sin, cos) = (0.5 * by).sin_cos();
            let quat = [cos, sin * axis[0], sin * axis[1], sin * axis[2]];
            let turn = Pose {
                pos: [0.0; 3],
                quat,
            };
            let turned = turn.rotate(anchor);
            Pose {
                pos: [0, 1, 2].map(|k| anchor[k] - turned[k]),
                quat,
            }
        }
        JointKind::Slide => Pose {
            pos: axis.map(|a| a * by),
            ..Pose::IDENTITY
        },
        JointKind::Free => Pose::IDENTITY,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use dextra_sim::Sim;
    use dextra_tasks::TaskModel;

    #[test]
    fn a_box_has_twelve_edges() {
        let half_extents = [1.0, 2.0, 3.0];
        let edges = edges(&Shape::Box { half_extents });
        let length = |[a, b]: &[[f64; 3]; 2]| (0..3).map(|k| (a[k] - b[k]).abs()).sum::<f64>();
        assert_eq!(edges.len(), 12);
        assert_eq!(
            edges.iter().map(length).sum::<f64>(),
            4.0 * (2.0 + 4.0 + 6.0)
        );
    }

    #[test]
    fn ghosts_stand_as_the_simulation_does_at_the_commanded_posture() {
        let task = TaskModel::load("door").unwrap();
        let model = task.model();
        let action: Vec<f32> = (0..model.actuators.len())
            .map(|i| (i as f32).sin())
            .collect();
        let targets = targets(model, &action);
        assert_eq!(targets.iter().flatten().count(), model.actuators.len());
        let mut sim = Sim::new(std::sync::Arc::clone(model));
        let mut qpos = sim.qpos().to_vec();
        for (joint, target) in model.joints.iter().zip(&targets) {
            qpos[joint.qpos_adr] = target.unwrap_or(qpos[joint.qpos_adr]);
        }
        sim.set_state(&qpos, &vec![0.0; model.nv]).unwrap();
        let (poses, moved) = kinematics(model, &targets);
        let mut compared = 0;
        for body in (0..model.bodies.len()).filter(|&body| moved[body]) {
            let (found, expected) = (poses[body].pos, sim.body_pose(body).pos);
            for k in 0..3 {
                assert!(
                    (found[k] - expected[k]).abs() < 1e-4,
                    "{} {found:?} {expected:?}",
                    model.bodies[body].name
                );
            }
            compared += 1;
        }
        assert!(compared > 20, "{compared} bodies");
        assert!(posture(model, &action).len() > compared);
    }
}
