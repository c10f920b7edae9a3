//! The model as meshes: one entity per body, its geoms below it, moved by the frames that play.

mod material;
mod shapes;
mod stage;

use std::f32::consts::FRAC_PI_2;

use bevy::prelude::*;
use dextra_sim::{Geom, Pose, Shape};

use crate::{
    source::{Blend, PlaySystems, Shown, Watch},
    tape::Tape,
};
use material::{Matte, Paint};
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

/// What all of the scene hangs on.
#[derive(Component)]
struct SceneRoot;

/// The body whose frame an entity has.
#[derive(Component)]
struct BodyFrame(usize);

pub(crate) struct ScenePlugin;

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins((material::plugin, stage::plugin))
            .add_systems(
                Update,
                (
                    build.run_if(resource_changed::<Shown>),
                    place.after(PlaySystems).after(build),
                    paint
                        .after(build)
                        .run_if(resource_changed::<Quality>.or_else(resource_changed::<Shown>)),
                ),
            );
    }
}

fn build(
    mut commands: Commands,
    shown: Res<Shown>,
    before: Query<Entity, With<SceneRoot>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut rich: ResMut<Assets<StandardMaterial>>,
    mut light: ResMut<Assets<Matte>>,
) {
    for scene in &before {
        commands.entity(scene).despawn();
    }
    // MuJoCo's world has z up, Bevy's y.
    let root = commands
        .spawn((
            SceneRoot,
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
    for geom in model.geoms.iter().filter(|geom| geom.visible) {
        let floor = matches!(geom.shape, Shape::Plane { .. });
        let known = paints.iter().find(|(rgba, _)| !floor && *rgba == geom.rgba);
        let paint = match known {
            Some((_, paint)) => paint.clone(),
            None => {
                let fading = floor.then_some(FLOOR_FADES_FROM_M);
                let paint = Paint::new(geom.rgba, fading, &mut rich, &mut light);
                if !floor {
                    paints.push((geom.rgba, paint.clone()));
                }
                paint
            }
        };
        commands.spawn((
            Mesh3d(meshes.add(shapes::mesh(&endless_floor(geom)))),
            transform(&geom.pose),
            paint,
            ChildOf(bodies[geom.body]),
        ));
    }
}

/// Where a floor begins to fade into the background, metres from the origin.
const FLOOR_FADES_FROM_M: f32 = 2.0;

/// A plane on the world is drawn without an edge.
fn endless_floor(geom: &Geom) -> Shape {
    match geom.shape {
        Shape::Plane { .. } if geom.body == 0 => Shape::Plane {
            half_extents: [0.0; 2],
        },
        shape => shape,
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

fn place(watch: Res<Watch>, tape: Res<Tape>, mut bodies: Query<(&BodyFrame, &mut Transform)>) {
    let Some(blend) = tape.blend().or_else(|| watch.playout.blend()) else {
        return;
    };
    for (body, mut transform) in &mut bodies {
        if let Some(placed) = body_transform(&blend, body.0) {
            transform.set_if_neq(placed);
        }
    }
}

/// Position and rotation of a body between two frames; `None` for a frame of another model.
fn body_transform(blend: &Blend, body: usize) -> Option<Transform> {
    let (from, to) = (
        blend.older.body_poses.get(body)?,
        blend.newer.body_poses.get(body)?,
    );
    let split = |[x, y, z, w, i, j, k]: [f32; 7]| {
        (Vec3::new(x, y, z), Quat::from_xyzw(i, j, k, w).normalize())
    };
    let ((from, from_rotation), (to, to_rotation)) = (split(*from), split(*to));
    Some(Transform {
        translation: from.lerp(to, blend.share),
        rotation: from_rotation.slerp(to_rotation, blend.share),
        scale: Vec3::ONE,
    })
}

fn paint(quality: Res<Quality>, mut commands: Commands, geoms: Query<(Entity, &Paint)>) {
    for (entity, paint) in &geoms {
        paint.apply(quality.shadows, &mut commands.entity(entity));
    }
}
