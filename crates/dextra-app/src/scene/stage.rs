//! Light and background.

use bevy::{
    light::{CascadeShadowConfigBuilder, DirectionalLightShadowMap},
    prelude::*,
};

use super::Quality;

/// What is behind everything, the panels included.
pub(crate) const BACKGROUND: Color = Color::srgb_u8(25, 28, 33);

#[derive(Component)]
struct Sun;

pub(super) fn plugin(app: &mut App) {
    app.insert_resource(ClearColor(BACKGROUND))
        .insert_resource(GlobalAmbientLight {
            color: Color::srgb(0.90, 0.95, 1.0),
            brightness: 420.0,
            ..default()
        })
        .insert_resource(DirectionalLightShadowMap { size: 2048 })
        .add_systems(Startup, light)
        .add_systems(Update, cast_shadows.run_if(resource_changed::<Quality>));
}

fn light(mut commands: Commands) {
    commands.spawn((
        Sun,
        DirectionalLight {
            illuminance: 8_500.0,
            color: Color::srgb(1.0, 0.97, 0.92),
            ..default()
        },
        // One cascade around a table: sharper than several over a landscape, and cheaper.
        CascadeShadowConfigBuilder {
            num_cascades: 1,
            maximum_distance: 4.0,
            ..default()
        }
        .build(),
        Transform::from_xyz(-0.40, 0.78, 0.48).looking_at(Vec3::ZERO, Vec3::Y),
    ));
    // From the other side, so that what the sun leaves dark keeps its shape.
    commands.spawn((
        DirectionalLight {
            illuminance: 1_800.0,
            color: Color::srgb(0.80, 0.88, 1.0),
            ..default()
        },
        Transform::from_xyz(0.7, 0.4, -0.3).looking_at(Vec3::ZERO, Vec3::Y),
    ));
}

fn cast_shadows(quality: Res<Quality>, mut suns: Query<&mut DirectionalLight, With<Sun>>) {
    for mut sun in &mut suns {
        sun.shadow_maps_enabled = quality.shadows;
    }
}
