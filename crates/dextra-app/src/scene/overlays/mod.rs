//! What is drawn over the bodies to see why they move as they do: contacts, joints, inertia and more,
//! each behind a key of MuJoCo's viewer.

mod draw;
mod pen;

use std::{collections::BTreeSet, fmt, str::FromStr};

use bevy::prelude::*;
use dextra_sim::Pose;
use dextra_train::Readings;

use super::{Placing, Still, between};
use crate::{
    browser::Browser,
    record::Studio,
    sandbox::{Hand, Sandbox},
    source::{PlaySystems, Shown, Watch},
    tape::Tape,
};
pub(crate) use draw::Sight;

/// Something that can be drawn over the scene, or a way to draw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overlay {
    /// Where bodies touch.
    ContactPoints,
    /// What they press with.
    ContactForces,
    /// Axes and ranges.
    Joints,
    /// Driven joints, coloured by their controls.
    Actuators,
    /// Bodies as boxes of the same inertia.
    Inertia,
    /// Of each body, and of all that hangs together.
    CentreOfMass,
    /// The shapes that collide.
    Collision,
    /// Sites as volumes, red where they feel something.
    Touch,
    /// Whatever moves is seen through.
    Transparent,
    /// Shapes as lines.
    Wireframe,
}

impl FromStr for Overlay {
    type Err = String;

    /// By its short name, in small letters, with a hyphen for a space.
    fn from_str(word: &str) -> Result<Self, String> {
        let named = |(_, name): &&(Self, &str)| name.to_lowercase().replace(' ', "-") == word;
        let found = Self::ALL.iter().find(named).map(|(overlay, _)| *overlay);
        found.ok_or_else(|| {
            let names = Self::ALL.map(|(_, name)| name.to_lowercase().replace(' ', "-"));
            format!(
                "no overlay is called \"{word}\"; there are {}",
                names.join(", ")
            )
        })
    }
}

impl Overlay {
    /// All of them, with a short name.
    pub(crate) const ALL: [(Self, &'static str); 10] = [
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
    /// Those of a list.
    pub fn of(list: &[Overlay]) -> Self {
        Self {
            on: list.iter().copied().collect(),
            frames: Frames::None,
        }
    }

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

/// Overlays in a window.
pub(super) fn plugin(app: &mut App) {
    set_up(app);
    app.add_systems(Update, draw.after(PlaySystems));
}

/// Overlays in a film.
pub(crate) fn film_plugin(app: &mut App) {
    set_up(app);
    app.add_systems(Update, draw_still.after(Placing));
}

fn set_up(app: &mut App) {
    let config = GizmoConfig {
        depth_bias: -1.0,
        line: GizmoLineConfig {
            width: 1.5,
            ..default()
        },
        ..default()
    };
    app.insert_gizmo_config(OnTop, config);
}

#[allow(clippy::too_many_arguments, reason = "a system names what it touches")]
fn draw(
    mut gizmos: Gizmos<OnTop>,
    overlays: Res<Overlays>,
    shown: Res<Shown>,
    watch: Res<Watch>,
    tape: Res<Tape>,
    sandbox: Res<Sandbox>,
    studio: Res<Studio>,
    browser: Res<Browser>,
    hand: Res<Hand>,
) {
    if let Some(shot) = sandbox.shot() {
        let sight = Sight {
            model: &shot.model,
            body_poses: &shot.body_poses,
            contacts: &shot.contacts,
            touches_n: &shot.touches_n,
            ctrl: &shot.ctrl,
            selected: sandbox.selected_body(),
            drag: hand.drag(),
            push: shot.push.as_ref(),
        };
        draw::draw(&mut gizmos, &overlays, &sight);
        return;
    }
    if sandbox.is_open() {
        return;
    }
    if browser.has_scene() || studio.is_open() {
        if let Some(body_poses) = browser.body_poses().or_else(|| studio.body_poses()) {
            draw_readings(
                &mut gizmos,
                &overlays,
                &shown,
                body_poses,
                &Readings::default(),
            );
        }
        return;
    }
    // What stands on the screen: a recorded step, or what plays, between two steps.
    let Some(blend) = tape.blend().or_else(|| watch.playout.blend()) else {
        return;
    };
    let (from, to) = (&blend.older.body_poses, &blend.newer.body_poses);
    let body_poses = poses_between(from, to, blend.share);
    draw_readings(
        &mut gizmos,
        &overlays,
        &shown,
        &body_poses,
        &blend.newer.readings,
    );
}

/// Draws over a moment of a film.
fn draw_still(
    mut gizmos: Gizmos<OnTop>,
    overlays: Res<Overlays>,
    shown: Option<Res<Shown>>,
    still: Res<Still>,
) {
    if let Some(shown) = shown {
        let body_poses = poses_between(&still.older, &still.newer, still.share);
        draw_readings(&mut gizmos, &overlays, &shown, &body_poses, &still.readings);
    }
}

/// Draws over bodies that nobody has selected; nothing over those of another model.
fn draw_readings(
    gizmos: &mut Gizmos<OnTop>,
    overlays: &Overlays,
    shown: &Shown,
    body_poses: &[Pose],
    readings: &Readings,
) {
    if body_poses.len() != shown.0.bodies.len() {
        return;
    }
    let sight = Sight {
        model: &shown.0,
        body_poses,
        contacts: &readings.contacts,
        touches_n: &readings.touches_n,
        ctrl: &readings.ctrl,
        selected: None,
        drag: None,
        push: None,
    };
    draw::draw(gizmos, overlays, &sight);
}

fn poses_between(from: &[[f32; 7]], to: &[[f32; 7]], share: f32) -> Vec<Pose> {
    let pose = |(from, to): (&[f32; 7], &[f32; 7])| {
        let placed = between(*from, *to, share);
        let turn = placed.rotation;
        Pose {
            pos: placed.translation.to_array().map(f64::from),
            quat: [turn.w, turn.x, turn.y, turn.z].map(f64::from),
        }
    };
    from.iter().zip(to).map(pose).collect()
}
