//! The mouse in the sandbox, as in MuJoCo's viewer: a double click selects a body, Ctrl with the right
//! button pulls it, Ctrl with the left turns it.

use bevy::{
    input::{ButtonState, mouse::MouseButtonInput},
    prelude::*,
    window::PrimaryWindow,
};
use bevy_egui::input::EguiWantsInput;
use bevy_panorbit_camera::PanOrbitCamera;
use dextra_sim::Pose;

use super::{
    Sandbox, Selection,
    drag::{Drag, Goal},
    worker::Request,
};
use crate::source::PlaySystems;

/// Two clicks within this time and distance are a double click.
const DOUBLE_CLICK_SECS: f64 = 0.4;
const DOUBLE_CLICK_PIXELS: f32 = 6.0;
/// Turn per motion of the mouse, radians per pixel.
const TURN_PER_PIXEL: f32 = 0.01;

/// What the mouse holds.
#[derive(Resource, Default)]
pub(crate) struct Hand {
    drag: Option<Drag>,
    /// Whether the mouse is the hand's and not the camera's.
    holds: bool,
    cursor: Vec2,
    last_click: Option<Click>,
}

#[derive(Clone, Copy)]
struct Click {
    button: MouseButton,
    at_secs: f64,
    cursor: Vec2,
}

impl Hand {
    /// Whether the mouse moves bodies now, not the view.
    pub fn holds(&self) -> bool {
        self.holds
    }

    /// What is pulled, and where to.
    pub fn drag(&self) -> Option<&Drag> {
        self.drag.as_ref()
    }
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Hand>()
        .add_systems(Update, (select, pull).chain().after(PlaySystems));
}

type Eye<'w, 's> = Single<'w, 's, (&'static Camera, &'static GlobalTransform), With<Camera3d>>;

/// A ray in the model's frame, which has z up.
fn ray(eye: &(&Camera, &GlobalTransform), cursor: Vec2) -> Option<(Vec3, Vec3)> {
    let ray = eye.0.viewport_to_world(eye.1, cursor).ok()?;
    Some((from_scene(ray.origin), from_scene(*ray.direction)))
}

fn from_scene(v: Vec3) -> Vec3 {
    Vec3::new(v.x, -v.z, v.y)
}

fn doubles(v: Vec3) -> [f64; 3] {
    v.to_array().map(f64::from)
}

fn singles(v: [f64; 3]) -> Vec3 {
    Vec3::from_array(v.map(|x| x as f32))
}

/// A double click with the left button selects, with the right it looks there.
#[allow(clippy::too_many_arguments, reason = "a system names what it touches")]
fn select(
    mut presses: MessageReader<MouseButtonInput>,
    mut hand: ResMut<Hand>,
    mut sandbox: ResMut<Sandbox>,
    window: Single<&Window, With<PrimaryWindow>>,
    eye: Eye,
    mut orbit: Single<&mut PanOrbitCamera>,
    wants: Res<EguiWantsInput>,
    time: Res<Time<Real>>,
) {
    let now = time.elapsed_secs_f64();
    // Both clicks may fall into one slow frame.
    for press in presses.read() {
        let Some(cursor) = window.cursor_position() else {
            continue;
        };
        let free = sandbox.is_open() && !wants.wants_any_pointer_input() && !hand.holds;
        if press.state != ButtonState::Pressed || !free {
            continue;
        }
        let doubled = hand.last_click.is_some_and(|click| {
            click.button == press.button
                && now - click.at_secs < DOUBLE_CLICK_SECS
                && click.cursor.distance(cursor) < DOUBLE_CLICK_PIXELS
        });
        hand.last_click = (!doubled).then_some(Click {
            button: press.button,
            at_secs: now,
            cursor,
        });
        let Some((origin, direction)) = ray(&eye, cursor).filter(|_| doubled) else {
            continue;
        };
        let hit = sandbox.hit(doubles(origin), doubles(direction));
        match (press.button, hit) {
            (MouseButton::Left, hit) => sandbox.select(hit),
            (MouseButton::Right, Some((_, point))) => {
                let [x, y, z] = singles(point).to_array();
                orbit.target_focus = Vec3::new(x, z, -y);
                orbit.force_update = true;
            }
            _ => {}
        }
    }
}

impl Sandbox {
    /// The body that a ray meets first, and where; world frame.
    fn hit(&self, origin: [f64; 3], direction: [f64; 3]) -> Option<(usize, [f64; 3])> {
        let shot = self.shot()?;
        let (geom, distance) = shot.model.cast_ray(&shot.body_poses, origin, direction)?;
        let point = [0, 1, 2].map(|k| origin[k] + distance * direction[k]);
        Some((shot.model.geoms[geom].body, point))
    }

    /// Selects a body by a point on it; the world is nothing to select.
    fn select(&mut self, hit: Option<(usize, [f64; 3])>) {
        let Some(open) = &mut self.open else { return };
        let Some(shot) = &open.shot else { return };
        let hit = hit.filter(|(body, _)| *body != dextra_sim::WORLD);
        open.selected = hit.map(|(body, point)| {
            open.grip = shot.body_poses[body].inverse().transform_point(point);
            Selection::Body(body)
        });
    }

    /// Where the selected body is and where it was taken hold of, in its frame.
    fn grip(&self) -> Option<(usize, Pose, [f64; 3])> {
        let body = self.selected_body()?;
        let pose = *self.body_poses()?.get(body)?;
        Some((body, pose, self.open.as_ref()?.grip))
    }
}

fn pull(
    mut hand: ResMut<Hand>,
    sandbox: Res<Sandbox>,
    window: Single<&Window, With<PrimaryWindow>>,
    eye: Eye,
    buttons: Res<ButtonInput<MouseButton>>,
    keys: Res<ButtonInput<KeyCode>>,
    wants: Res<EguiWantsInput>,
) {
    let hand = hand.as_mut();
    let cursor = window.cursor_position().unwrap_or(hand.cursor);
    let moved = (hand.cursor, cursor);
    hand.cursor = cursor;
    let held = |codes| keys.any_pressed(codes);
    let ctrl = held([KeyCode::ControlLeft, KeyCode::ControlRight]);
    let alt = held([KeyCode::AltLeft, KeyCode::AltRight]);
    let shift = held([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    let left = buttons.pressed(MouseButton::Left);
    // With Alt the left button pulls too, for those who have only one.
    let pulls = buttons.pressed(MouseButton::Right) || left && alt;
    let grip = sandbox.grip();
    hand.holds = grip.is_some() && (ctrl || hand.drag.is_some());
    let Some((body, pose, point)) = grip.filter(|_| hand.holds && (pulls || left)) else {
        if hand.drag.take().is_some() {
            sandbox.drag(None);
        }
        return;
    };
    if hand.drag.is_none() {
        if wants.wants_any_pointer_input() {
            return;
        }
        let goal = if pulls {
            Goal::Point(pose.transform_point(point))
        } else {
            Goal::Turn(pose.quat)
        };
        hand.drag = Some(Drag { body, point, goal });
    }
    let Some(drag) = &mut hand.drag else { return };
    match &mut drag.goal {
        Goal::Point(goal) => {
            let through = singles(*goal);
            let normal = if shift {
                Vec3::Z
            } else {
                from_scene(*eye.1.forward())
            };
            let [from, to] = [moved.0, moved.1].map(|cursor| {
                let (origin, direction) = ray(&eye, cursor)?;
                let distance = (through - origin).dot(normal) / direction.dot(normal);
                (distance.is_finite() && distance > 0.0).then_some(origin + distance * direction)
            });
            if let (Some(from), Some(to)) = (from, to) {
                *goal = doubles(through + to - from);
            }
        }
        Goal::Turn(goal) => {
            let by = (moved.1 - moved.0) * TURN_PER_PIXEL;
            let [up, right] = [*eye.1.up(), *eye.1.right()].map(from_scene);
            let turn = Quat::from_axis_angle(up, by.x) * Quat::from_axis_angle(right, by.y);
            let [w, x, y, z] = goal.map(|q| q as f32);
            let turned = (turn * Quat::from_xyzw(x, y, z, w)).normalize();
            *goal = [turned.w, turned.x, turned.y, turned.z].map(f64::from);
        }
    }
    sandbox.drag(Some(*drag));
}

impl Sandbox {
    fn drag(&self, drag: Option<Drag>) {
        if let Some(open) = &self.open {
            open.worker.ask(Request::Drag(drag));
        }
    }
}
