//! What is drawn over the bodies to see why they move as they do: contacts, joints, inertia and more,
//! each behind a key of MuJoCo's viewer.

mod draw;
mod pen;

use std::{collections::BTreeSet, fmt};

use bevy::prelude::*;
use dextra_sim::Pose;

use crate::{
    browser::Browser,
    record::Studio,
    sandbox::{Hand, Sandbox},
    source::{PlaySystems, Shown, Watch},
};
pub(crate) use draw::Sight;

/// Something that can be drawn over the scene, or a way to draw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Overlay {
    ContactPoints,
    ContactForces,
    Joints,
    Actuators,
    Inertia,
    CentreOfMass,
    Collision,
    Touch,
    Transparent,
    Wireframe,
}

impl Overlay {
    /// All of them, with a short name.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::ContactPoints, "Contacts"),
        (Self::ContactForces, "Forces"),
        (Self::Joints, "Joints"),
        (Self::Actuators, "Actuators"),
        (Self::Inertia, "Inertia"),
        (Self::CentreOfMass, "Mass centre"),
        (Self::Collision, "Collision"),
        (Self::Touch, "Touch"),
        (Self::Transparent, "Transparent"),
        (Self::Wireframe, "Wireframe"),
    ];
}

/// Whose axes are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Frames {
    #[default]
    None,
    Bodies,
    Geoms,
    Sites,
}

impl Frames {
    /// The next, as `F6` cycles.
    fn next(self) -> Self {
        match self {
            Self::None => Self::Bodies,
            Self::Bodies => Self::Geoms,
            Self::Geoms => Self::Sites,
            Self::Sites => Self::None,
        }
    }
}

/// The overlays that are on.
#[derive(Resource, Clone, Debug, Default)]
pub(crate) struct Overlays {
    on: BTreeSet<Overlay>,
    pub frames: Frames,
}

impl Overlays {
    /// Whether one is on.
    pub fn has(&self, overlay: Overlay) -> bool {
        self.on.contains(&overlay)
    }

    /// Switches one.
    pub fn toggle(&mut self, overlay: Overlay) {
        if !self.on.remove(&overlay) {
            self.on.insert(overlay);
        }
    }

    /// Draws the axes of the next kind of thing.
    pub fn cycle_frames(&mut self) {
        self.frames = self.frames.next();
    }
}

/// For scripted tests: the names of those that are on.
impl fmt::Display for Overlays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .on
            .iter()
            .map(|overlay| format!("{overlay:?}"))
            .collect();
        write!(f, "{}+{:?}", names.join(","), self.frames)
    }
}

/// Lines over everything: an overlay that the bodies hide would be of no use.
#[derive(Default, Reflect, GizmoConfigGroup)]
pub(super) struct OnTop;

pub(super) fn plugin(app: &mut App) {
    let config = GizmoConfig {
        depth_bias: -1.0,
        line: GizmoLineConfig {
            width: 1.5,
            ..default()
        },
        ..default()
    };
    app.insert_gizmo_config(OnTop, config)
        .add_systems(Update, draw.after(PlaySystems));
}

#[allow(clippy::too_many_arguments, reason = "a system names what it touches")]
fn draw(
    mut gizmos: Gizmos<OnTop>,
    overlays: Res<Overlays>,
    shown: Res<Shown>,
    watch: Res<Watch>,
    sandbox: Res<Sandbox>,
    studio: Res<Studio>,
    browser: Res<Browser>,
    hand: Res<Hand>,
) {
    let watched;
    let browsed = || browser.body_poses().or_else(|| studio.body_poses());
    let body_poses = match sandbox.body_poses().or_else(browsed) {
        Some(poses) => poses,
        None if sandbox.is_open() || browser.has_scene() => return,
        None => {
            let frame = watch.frame();
            watched = frame
                .map(|frame| poses(&frame.body_poses))
                .unwrap_or_default();
            &watched
        }
    };
    let shot = sandbox.shot();
    let model = shot.map_or(&shown.0, |shot| &shot.model);
    if body_poses.len() != model.bodies.len() {
        return;
    }
    let sight = Sight {
        model,
        body_poses,
        contacts: shot.map_or(&[], |shot| &shot.contacts),
        touches_n: shot.map_or(&[], |shot| &shot.touches_n),
        ctrl: shot.map_or(&[], |shot| &shot.ctrl),
        selected: sandbox.selected_body(),
        drag: hand.drag(),
        push: shot.and_then(|shot| shot.push.as_ref()),
    };
    draw::draw(&mut gizmos, &overlays, &sight);
}

fn poses(frames: &[[f32; 7]]) -> Vec<Pose> {
    let pose = |frame: &[f32; 7]| {
        let [x, y, z, w, i, j, k] = frame.map(f64::from);
        Pose {
            pos: [x, y, z],
            quat: [w, i, j, k],
        }
    };
    frames.iter().map(pose).collect()
}
