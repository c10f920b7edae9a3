//! The mouse in the sandbox, as in MuJoCo's viewer: a double click selects a body, Ctrl with the right
//! button pulls it, Ctrl with the left turns it.

use bevy::{prelude::*, window::PrimaryWindow};
use bevy_egui::input::EguiWantsInput;
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
    last_click: Option<(f64, Vec2)>,
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

fn select(
    mut hand: ResMut<Hand>,
    mut sandbox: ResMut<Sandbox>,
    window: Single<&Window, With<PrimaryWindow>>,
    eye: Eye,
    buttons: Res<ButtonInput<MouseButton>>,
    wants: Res<EguiWantsInput>,
    time: Res<Time<Real>>,
) {
    let Some(cursor) = window.cursor_position() else {
        return;
    };
    let free = !wants.wants_any_pointer_input() && !hand.holds;
    if !free || !buttons.just_pressed(MouseButton::Left) || !sandbox.is_open() {
        return;
    }
    let now = time.elapsed_secs_f64();
    let doubled = hand.last_click.is_some_and(|(then, place)| {
        now - then < DOUBLE_CLICK_SECS && place.distance(cursor) < DOUBLE_CLICK_PIXELS
    });
    hand.last_click = (!doubled).then_some((now, cursor));
    if !doubled {
        return;
    }
    if let Some((origin, direction)) = ray(&eye, cursor) {
        sandbox.select_along(doubles(origin), doubles(direction));
    }
}

impl Sandbox {
    /// Selects the body that a ray meets first, or nothing.
    fn select_along(&mut self, origin: [f64; 3], direction: [f64; 3]) {
        let Some(open) = &mut self.open else { return };
        let Some(shot) = &open.shot else { return };
        let hit = shot.model.cast_ray(&shot.body_poses, origin, direction);
        open.selected = None;
        let Some((geom, distance)) = hit else { return };
        let body = shot.model.geoms[geom].body;
        if body != dextra_sim::WORLD {
            let point = [0, 1, 2].map(|k| origin[k] + distance * direction[k]);
            open.grip = shot.body_poses[body].inverse().transform_point(point);
            open.selected = Some(Selection::Body(body));
        }
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
