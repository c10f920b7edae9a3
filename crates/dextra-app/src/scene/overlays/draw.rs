//! Each overlay as lines.

use bevy::{color::Color, gizmos::gizmos::GizmoBuffer};
use dextra_sim::{Contact, JointKind, Model, Pose, Push, Transmission, WORLD};

use super::{Frames, OnTop, Overlay, Overlays, pen::Pen};
use crate::sandbox::{Drag, Goal};

/// What there is to see.
pub(crate) struct Sight<'a> {
    pub model: &'a Model,
    pub body_poses: &'a [Pose],
    /// Empty where they are not known.
    pub contacts: &'a [Contact],
    pub touches_n: &'a [f64],
    pub ctrl: &'a [f64],
    pub selected: Option<usize>,
    pub drag: Option<&'a Drag>,
    pub push: Option<&'a Push>,
}

const ORANGE: Color = Color::srgb(1.0, 0.6, 0.2);
const YELLOW: Color = Color::srgb(1.0, 0.9, 0.3);
const RED: Color = Color::srgb(1.0, 0.3, 0.25);
const CYAN: Color = Color::srgb(0.3, 0.85, 0.95);
const VIOLET: Color = Color::srgb(0.75, 0.55, 1.0);
const WHITE: Color = Color::srgb(0.95, 0.95, 0.95);
const GREEN: Color = Color::srgb(0.4, 0.95, 0.5);
const GREY: Color = Color::srgb(0.5, 0.53, 0.58);

/// Length of a force per acceleration of a body of mean mass, m/(m/s^2): MuJoCo's `visual/map/force`.
const LENGTH_PER_ACCELERATION: f64 = 0.005;

/// Draws the overlays that are on, the selection and the mouse's pull.
pub(super) fn draw(buffer: &mut GizmoBuffer<OnTop, ()>, overlays: &Overlays, sight: &Sight) {
    let mut pen = Pen(buffer);
    let pen = &mut pen;
    // The sizes of MuJoCo's viewer, in units of the scene's.
    let size = sight.model.framing.extent_m;
    if overlays.has(Overlay::Wireframe) {
        wireframe(pen, sight);
    }
    if overlays.has(Overlay::Collision) {
        collision(pen, sight);
    }
    if overlays.has(Overlay::Inertia) {
        inertia(pen, sight);
    }
    if overlays.has(Overlay::CentreOfMass) {
        centres_of_mass(pen, sight, 0.012 * size);
    }
    if overlays.has(Overlay::Joints) {
        joints(pen, sight, 0.05 * size);
    }
    if overlays.has(Overlay::Actuators) {
        actuators(pen, sight, 0.04 * size);
    }
    if overlays.has(Overlay::Touch) {
        touch(pen, sight);
    }
    frames(pen, sight, overlays.frames, 0.04 * size);
    contacts(
        pen,
        sight,
        overlays.has(Overlay::ContactPoints),
        overlays.has(Overlay::ContactForces),
        0.008 * size,
    );
    selection(pen, sight, 0.03 * size);
}

fn wireframe(pen: &mut Pen, sight: &Sight) {
    for geom in sight.model.geoms.iter().filter(|geom| geom.visible) {
        let [r, g, b, _] = geom.rgba;
        // Dark colours would be lost before the dark background.
        let color = Color::srgb(0.3 + 0.7 * r, 0.3 + 0.7 * g, 0.3 + 0.7 * b);
        let pose = sight.body_poses[geom.body].mul(&geom.pose);
        pen.shape(&pose, &geom.shape, color);
    }
}

fn collision(pen: &mut Pen, sight: &Sight) {
    let model = sight.model;
    for (index, geom) in model.geoms.iter().enumerate() {
        let paired = model.pairs.iter().any(|pair| pair.geoms.contains(&index));
        if geom.contype != 0 || geom.conaffinity != 0 || paired {
            let pose = sight.body_poses[geom.body].mul(&geom.pose);
            let color = if geom.body == WORLD { GREY } else { ORANGE };
            pen.shape(&pose, &geom.shape, color);
        }
    }
}

/// The box of even density that has the body's mass and moments.
fn inertia(pen: &mut Pen, sight: &Sight) {
    for (body, pose) in sight.model.bodies.iter().zip(sight.body_poses) {
        if body.mass <= 0.0 {
            continue;
        }
        let [x, y, z] = body.inertia;
        let half = [y + z - x, x + z - y, x + y - z]
            .map(|moment| (1.5 * moment.max(0.0) / body.mass).sqrt());
        pen.cuboid(&pose.mul(&body.inertial_pose), half, VIOLET);
    }
}

/// Small ones of the bodies, and a large one of everything that hangs on each body of the world.
fn centres_of_mass(pen: &mut Pen, sight: &Sight, radius: f64) {
    let bodies = &sight.model.bodies;
    let mut root = vec![WORLD; bodies.len()];
    let mut sums = vec![(0.0, [0.0; 3]); bodies.len()];
    for (index, (body, pose)) in bodies.iter().zip(sight.body_poses).enumerate().skip(1) {
        root[index] = match body.parent {
            Some(WORLD) | None => index,
            Some(parent) => root[parent],
        };
        if body.mass > 0.0 {
            let centre = pose.transform_point(body.inertial_pose.pos);
            pen.ball(centre, 0.5 * radius, YELLOW);
            let (mass, sum) = &mut sums[root[index]];
            *mass += body.mass;
            *sum = [0, 1, 2].map(|k| sum[k] + body.mass * centre[k]);
        }
    }
    for (mass, sum) in sums {
        if mass > 0.0 {
            pen.ball(sum.map(|x| x / mass), radius, WHITE);
        }
    }
}

/// A frame at a point with z along a direction.
fn along(pos: [f64; 3], axis: [f64; 3]) -> Pose {
    let [x, y, z] = axis;
    // The quaternion that turns z into the axis.
    let (w, quat) = (1.0 + z, [1.0 + z, -y, x, 0.0]);
    let quat = if w < 1e-9 { [0.0, 1.0, 0.0, 0.0] } else { quat };
    let length = quat.iter().map(|q| q * q).sum::<f64>().sqrt();
    Pose {
        pos,
        quat: quat.map(|q| q / length),
    }
}

/// Axis and range; the range of a hinge as the way that it still has to each side, seen along the axis.
fn joints(pen: &mut Pen, sight: &Sight, size: f64) {
    for joint in &sight.model.joints {
        let pose = sight.body_poses[joint.body];
        let anchor = pose.transform_point(joint.anchor);
        let axis = pose.rotate(joint.axis);
        let half = axis.map(|a| a * size);
        match joint.kind {
            JointKind::Free => {
                pen.ball(anchor, 0.2 * size, CYAN);
                continue;
            }
            JointKind::Slide => {
                pen.arrow(anchor, half.map(|h| 2.0 * h), CYAN);
                if let Some(range) = joint.range {
                    let end = |q: f64| [0, 1, 2].map(|k| anchor[k] + axis[k] * q);
                    pen.line(end(range[0]), end(range[1]), GREEN);
                }
            }
            JointKind::Hinge => {
                let from = [0, 1, 2].map(|k| anchor[k] - half[k]);
                pen.arrow(from, half.map(|h| 2.0 * h), CYAN);
                let frame = along(anchor, axis);
                match joint.range {
                    Some([low, high]) => {
                        pen.arc(&frame, 0.5 * size, low, high, GREEN);
                        for end in [low, high] {
                            let rim = [0.5 * size * end.cos(), 0.5 * size * end.sin(), 0.0];
                            pen.line(anchor, frame.transform_point(rim), GREEN);
                        }
                    }
                    None => pen.circle(&frame, 0.5 * size, GREY),
                }
            }
        }
    }
}

/// A ring at each driven joint, red as its control nears the upper end, blue towards the lower.
fn actuators(pen: &mut Pen, sight: &Sight, radius: f64) {
    for (index, actuator) in sight.model.actuators.iter().enumerate() {
        let share = match (sight.ctrl.get(index), actuator.ctrl_range) {
            (Some(u), Some([low, high])) => (2.0 * (u - low) / (high - low) - 1.0).clamp(-1.0, 1.0),
            (Some(u), None) => u.clamp(-1.0, 1.0),
            (None, _) => 0.0,
        } as f32;
        let color = Color::srgb(
            0.75 + 0.25 * share.max(0.0),
            0.75 - 0.5 * share.abs(),
            0.75 + 0.25 * (-share).max(0.0),
        );
        let single;
        let terms: &[(usize, f64)] = match actuator.transmission {
            Transmission::Joint(joint) => {
                single = [(joint, 1.0)];
                &single
            }
            Transmission::Tendon(tendon) => &sight.model.tendons[tendon].terms,
        };
        let mut last = None;
        for &(joint, _) in terms {
            let joint = &sight.model.joints[joint];
            let pose = sight.body_poses[joint.body];
            let anchor = pose.transform_point(joint.anchor);
            pen.circle(&along(anchor, pose.rotate(joint.axis)), 0.5 * radius, color);
            if let Some(last) = last {
                pen.line(last, anchor, color);
            }
            last = Some(anchor);
        }
    }
}

/// Sites as volumes, brighter the more they feel.
fn touch(pen: &mut Pen, sight: &Sight) {
    for (index, site) in sight.model.sites.iter().enumerate() {
        let pose = sight.body_poses[site.body].mul(&site.pose);
        let color = match sight.touches_n.get(index) {
            Some(force) if *force > 0.0 => RED,
            _ => GREY,
        };
        pen.shape(&pose, &site.shape, color);
    }
}

fn frames(pen: &mut Pen, sight: &Sight, of: Frames, length: f64) {
    let (model, at) = (sight.model, sight.body_poses);
    match of {
        Frames::None => {}
        Frames::Bodies => at.iter().for_each(|pose| pen.axes(pose, length)),
        Frames::Geoms => model
            .geoms
            .iter()
            .for_each(|geom| pen.axes(&at[geom.body].mul(&geom.pose), length)),
        Frames::Sites => model
            .sites
            .iter()
            .for_each(|site| pen.axes(&at[site.body].mul(&site.pose), length)),
    }
}

fn contacts(pen: &mut Pen, sight: &Sight, points: bool, forces: bool, radius: f64) {
    let moving = sight.model.bodies.iter().filter(|body| body.mass > 0.0);
    let (count, total) = moving.fold((0.0, 0.0), |(n, sum), body| (n + 1.0, sum + body.mass));
    let length_per_newton = LENGTH_PER_ACCELERATION * count / f64::max(total, 1e-9);
    let longest = 0.5 * sight.model.framing.extent_m;
    for contact in sight.contacts {
        if points {
            let disc = along(contact.pos, contact.normal);
            let color = if contact.normal_force_n > 0.0 {
                RED
            } else {
                GREY
            };
            pen.circle(&disc, radius, color);
            pen.circle(&disc, 0.6 * radius, color);
        }
        if forces {
            let force = [0, 1, 2]
                .map(|k| contact.normal[k] * contact.normal_force_n + contact.friction_force_n[k]);
            let length = force.iter().map(|f| f * f).sum::<f64>().sqrt() * length_per_newton;
            let scale = length_per_newton * (longest / length.max(1e-12)).min(1.0);
            pen.arrow(contact.pos, force.map(|f| f * scale), YELLOW);
        }
    }
}

/// The outline of the selected body, and the spring between it and the mouse.
fn selection(pen: &mut Pen, sight: &Sight, size: f64) {
    let Some(body) = sight.selected else { return };
    let pose = sight.body_poses[body];
    for geom in sight
        .model
        .geoms
        .iter()
        .filter(|g| g.body == body && g.visible)
    {
        pen.shape(&pose.mul(&geom.pose), &geom.shape, WHITE);
    }
    let Some(drag) = sight.drag else { return };
    let point = pose.transform_point(drag.point);
    match drag.goal {
        Goal::Point(goal) => {
            pen.ball(point, 0.3 * size, WHITE);
            pen.arrow(point, [0, 1, 2].map(|k| goal[k] - point[k]), RED);
        }
        Goal::Turn(quat) => {
            let goal = Pose {
                pos: pose.pos,
                quat,
            };
            pen.axes(&goal, 2.0 * size);
            if let Some(push) = sight.push {
                let torque = push.torque_nm;
                let length = torque.iter().map(|t| t * t).sum::<f64>().sqrt().max(1e-12);
                pen.arrow(pose.pos, torque.map(|t| t / length * 2.0 * size), RED);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{path::Path, sync::Arc};

    use bevy::prelude::Vec3;
    use dextra_sim::{PhysicsOptions, Sim};

    use super::*;

    const XML: &str = "<mujoco><worldbody><geom type='plane' size='1 1 1'/>\
        <body pos='0 0 0.1'><joint name='j' type='slide' axis='0 0 1' range='-1 1'/>\
        <geom type='box' size='0.1 0.1 0.1' mass='2'/><site name='s' type='box' size='0.2 0.2 0.2'/>\
        <body pos='0.5 0 0'><joint axis='0 1 0' range='-45 45'/>\
        <geom type='capsule' size='0.02 0.1' pos='0 0 0.3'/></body></body></worldbody>\
        <actuator><motor joint='j' ctrlrange='-1 1'/></actuator></mujoco>";

    fn lines(switch: impl Fn(&mut Overlays)) -> Vec<Vec3> {
        let model = Model::from_xml(XML, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
        let mut sim = Sim::new(Arc::new(model));
        for _ in 0..500 {
            sim.step(&[]);
        }
        let poses: Vec<_> = (0..3).map(|body| sim.body_pose(body)).collect();
        let contacts = sim.contacts();
        let sight = Sight {
            model: sim.model(),
            body_poses: &poses,
            contacts: &contacts,
            touches_n: &[sim.site_touch(0)],
            ctrl: &[0.5],
            selected: None,
            drag: None,
            push: None,
        };
        let mut overlays = Overlays::default();
        switch(&mut overlays);
        let mut buffer = GizmoBuffer::default();
        draw(&mut buffer, &overlays, &sight);
        let drawn = buffer.buffer();
        let strips = drawn.strip_positions.iter();
        drawn
            .list_positions
            .iter()
            .chain(strips)
            .filter(|point| point.is_finite())
            .copied()
            .collect()
    }

    #[test]
    fn nothing_is_drawn_unless_asked_for_and_each_overlay_draws_something() {
        assert!(lines(|_| ()).is_empty());
        for (overlay, name) in Overlay::ALL {
            let drawn = lines(|overlays| overlays.toggle(overlay)).len();
            // Seen through, not drawn over.
            assert_eq!(drawn > 0, overlay != Overlay::Transparent, "{name}");
        }
        for kinds in 1..=3 {
            let cycle = |overlays: &mut Overlays| (0..kinds).for_each(|_| overlays.cycle_frames());
            assert!(!lines(cycle).is_empty());
        }
        assert!(lines(|overlays| (0..4).for_each(|_| overlays.cycle_frames())).is_empty());
    }

    #[test]
    fn contact_points_lie_on_the_floor_under_the_box_and_forces_point_up() {
        let points = lines(|overlays| overlays.toggle(Overlay::ContactPoints));
        assert!(points.iter().all(|p| p.y.abs() < 0.01 && p.x.abs() < 0.13));
        let forces = lines(|overlays| overlays.toggle(Overlay::ContactForces));
        let highest = forces.iter().map(|p| p.y).fold(f32::MIN, f32::max);
        assert!(highest > 0.005, "{highest}");
    }

    #[test]
    fn the_inertia_of_a_box_is_the_box() {
        let points = lines(|overlays| overlays.toggle(Overlay::Inertia));
        let of_box = points.iter().filter(|p| p.x < 0.3);
        let reach = of_box.map(|p| p.x.abs().max(p.z.abs())).fold(0.0, f32::max);
        assert!((reach - 0.1).abs() < 1e-3, "{reach}");
    }
}
