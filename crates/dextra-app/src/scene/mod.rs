//! The model as meshes: one entity per body, its geoms below it, moved by the frames that play.

mod material;
mod overlays;
mod shapes;
mod stage;

use std::f32::consts::FRAC_PI_2;

use bevy::prelude::*;
use dextra_sim::{Geom, Model, Pose, Shape};
use dextra_train::Readings;

use crate::{
    browser::Browser,
    ghost::Lines,
    record::Studio,
    sandbox::Sandbox,
    source::{Blend, PlaySystems, Shown, Watch},
    tape::Tape,
};
use material::{Matte, Paint};
pub use overlays::Overlay;
pub(crate) use overlays::{Overlays, film_plugin};
pub(crate) use stage::BACKGROUND;

/// How much the picture may cost.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quality {
    /// Shadows and physically based materials; without, a material that a processor can draw.
    pub shadows: bool,
}

impl Quality {
    /// What the adapter can afford.
    pub fn for_adapter(software: bool) -> Self {
        Self { shadows: !software }
    }
}

/// The body whose frame an entity has.
#[derive(Component)]
pub(crate) struct BodyFrame(usize);

pub(crate) struct ScenePlugin;

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins((ModelPlugin, overlays::plugin))
            .add_systems(Update, place.in_set(Placing).after(PlaySystems));
    }
}

/// The shown model as meshes under light; whoever adds it places its bodies ([`Placing`]).
pub(crate) struct ModelPlugin;

/// The systems that place bodies.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Placing;

impl Plugin for ModelPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins((material::plugin, stage::plugin))
            .init_resource::<Overlays>()
            .add_systems(
                Update,
                (
                    build.run_if(looks_change),
                    ApplyDeferred,
                    paint.run_if(resource_changed::<Quality>),
                )
                    .chain()
                    .after(PlaySystems)
                    .before(Placing),
            );
    }
}

/// The frame that everything of the model is in.
#[derive(Component)]
struct Root;

/// Alpha of what moves while everything is seen through.
const SEEN_THROUGH: f32 = 0.3;

/// Whether the model is another or is to be drawn in another way.
fn looks_change(
    shown: Res<Shown>,
    overlays: Res<Overlays>,
    mut before: Local<Option<(bool, bool)>>,
) -> bool {
    let way = [Overlay::Transparent, Overlay::Wireframe].map(|overlay| overlays.has(overlay));
    let way = Some((way[0], way[1]));
    let changed = shown.is_changed() || *before != way;
    *before = way;
    changed
}

#[allow(clippy::too_many_arguments, reason = "a system names what it touches")]
fn build(
    mut commands: Commands,
    shown: Res<Shown>,
    overlays: Res<Overlays>,
    quality: Res<Quality>,
    built: Query<Entity, With<Root>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut rich: ResMut<Assets<StandardMaterial>>,
    mut light: ResMut<Assets<Matte>>,
) {
    for root in &built {
        commands.entity(root).despawn();
    }
    // MuJoCo's world has z up, Bevy's y.
    let root = commands
        .spawn((
            Root,
            Transform::from_rotation(Quat::from_rotation_x(-FRAC_PI_2)),
            Visibility::default(),
        ))
        .id();
    let model = &shown.0;
    let bodies: Vec<Entity> = (0..model.bodies.len())
        .map(|body| {
            commands
                .spawn((
                    BodyFrame(body),
                    Transform::default(),
                    Visibility::default(),
                    ChildOf(root),
                ))
                .id()
        })
        .collect();
    // Geoms of one colour share their material, so that they are drawn together.
    let mut paints: Vec<([f32; 4], Paint)> = Vec::new();
    let solid = !overlays.has(Overlay::Wireframe);
    for geom in model.geoms.iter().filter(|geom| geom.visible && solid) {
        let floor = matches!(geom.shape, Shape::Plane { .. });
        let mut rgba = geom.rgba;
        if overlays.has(Overlay::Transparent) && moves(model, geom.body) {
            rgba[3] *= SEEN_THROUGH;
        }
        let known = paints.iter().find(|(known, _)| !floor && *known == rgba);
        let paint = match known {
            Some((_, paint)) => paint.clone(),
            None => {
                let reach = (model.framing.extent_m as f32).max(1.0);
                let fading = floor.then_some(FLOOR_FADES_FROM_M * reach);
                let paint = Paint::new(rgba, fading, &mut rich, &mut light);
                if !floor {
                    paints.push((rgba, paint.clone()));
                }
                paint
            }
        };
        let mut drawn = commands.spawn((
            Mesh3d(meshes.add(shapes::mesh(&endless_floor(geom)))),
            transform(&geom.pose),
            paint.clone(),
            ChildOf(bodies[geom.body]),
        ));
        paint.apply(quality.shadows, &mut drawn);
    }
}

/// Whether joints move a body, its own or those of what it hangs on.
fn moves(model: &Model, mut body: usize) -> bool {
    while model.bodies[body].joints.is_empty() {
        match model.bodies[body].parent {
            Some(parent) => body = parent,
            None => return false,
        }
    }
    true
}

/// Where a floor begins to fade into the background, metres from the origin in a scene of a metre.
const FLOOR_FADES_FROM_M: f32 = 2.0;

/// A plane on the world is drawn without an edge.
fn endless_floor(geom: &Geom) -> Shape {
    match &geom.shape {
        Shape::Plane { .. } if geom.body == 0 => Shape::Plane {
            half_extents: [0.0; 2],
        },
        shape => shape.clone(),
    }
}

fn transform(pose: &Pose) -> Transform {
    let [w, x, y, z] = pose.quat.map(|q| q as f32);
    Transform {
        translation: Vec3::from_array(pose.pos.map(|p| p as f32)),
        rotation: Quat::from_xyzw(x, y, z, w).normalize(),
        scale: Vec3::ONE,
    }
}

fn place(
    watch: Res<Watch>,
    tape: Res<Tape>,
    sandbox: Res<Sandbox>,
    studio: Res<Studio>,
    browser: Res<Browser>,
    mut bodies: Query<(&BodyFrame, &mut Transform)>,
) {
    let browsed = || browser.body_poses().or_else(|| studio.body_poses());
    let poses = sandbox.body_poses().or_else(browsed);
    let played = || tape.blend().or_else(|| watch.playout.blend());
    let blend = (!sandbox.is_open() && !studio.is_open() && !browser.has_scene())
        .then(played)
        .flatten();
    for (body, mut placed) in &mut bodies {
        let found = match (poses, &blend) {
            (Some(poses), _) => poses.get(body.0).map(transform),
            (None, Some(blend)) => body_transform(blend, body.0),
            (None, None) => None,
        };
        if let Some(found) = found {
            placed.set_if_neq(found);
        }
    }
}

/// Position and rotation of a body between two frames; `None` for a frame of another model.
fn body_transform(blend: &Blend, body: usize) -> Option<Transform> {
    let (from, to) = (
        blend.older.body_poses.get(body)?,
        blend.newer.body_poses.get(body)?,
    );
    Some(between(*from, *to, blend.share))
}

/// The transform between two poses (position, quaternion w, x, y, z).
fn between(from: [f32; 7], to: [f32; 7], share: f32) -> Transform {
    let split = |[x, y, z, w, i, j, k]: [f32; 7]| {
        (Vec3::new(x, y, z), Quat::from_xyzw(i, j, k, w).normalize())
    };
    let ((from, from_rotation), (to, to_rotation)) = (split(from), split(to));
    Transform {
        translation: from.lerp(to, share),
        rotation: from_rotation.slerp(to_rotation, share),
        scale: Vec3::ONE,
    }
}

/// One moment of an episode: every body between two poses.
#[derive(Resource, Clone, Debug, Default)]
pub(crate) struct Still {
    /// Poses (position, quaternion w, x, y, z) before the moment.
    pub older: Vec<[f32; 7]>,
    /// Poses after it.
    pub newer: Vec<[f32; 7]>,
    /// Share of the newer, in [0, 1].
    pub share: f32,
    /// Contacts, touch and controls of it.
    pub readings: Readings,
    /// Ghosts.
    pub ghosts: Lines,
}

/// Places bodies as the [`Still`] says.
pub(crate) fn hold_still(still: Res<Still>, mut bodies: Query<(&BodyFrame, &mut Transform)>) {
    for (body, mut placed) in &mut bodies {
        if let (Some(from), Some(to)) = (still.older.get(body.0), still.newer.get(body.0)) {
            placed.set_if_neq(between(*from, *to, still.share));
        }
    }
}

fn paint(quality: Res<Quality>, mut commands: Commands, geoms: Query<(Entity, &Paint)>) {
    for (entity, paint) in &geoms {
        paint.apply(quality.shadows, &mut commands.entity(entity));
    }
}
