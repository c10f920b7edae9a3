//! The eye: MuJoCo's mouse (left turns, right moves, wheel and middle zoom) and preset points of view.

use bevy::{
    camera::{CameraOutputMode, Viewport, visibility::RenderLayers},
    core_pipeline::tonemapping::Tonemapping,
    prelude::*,
    render::render_resource::BlendState,
    window::PrimaryWindow,
};
use bevy_egui::{EguiGlobalSettings, PrimaryEguiContext, input::EguiWantsInput};
use bevy_panorbit_camera::PanOrbitCamera;

use crate::scene::{BACKGROUND, Quality};

/// A preset point of view.
struct Preset {
    /// What is in the middle, in the model's frame (z up), metres.
    focus_m: [f32; 3],
    /// Where the eye is from there: angle about z from -y, and above the horizon, degrees.
    azimuth_deg: f32,
    elevation_deg: f32,
    /// How far, metres.
    distance_m: f32,
}

const PRESETS: &[Preset] = &[
    // Hand and door.
    Preset {
        focus_m: [-0.02, -0.08, 0.26],
        azimuth_deg: -50.0,
        elevation_deg: 22.0,
        distance_m: 1.62,
    },
    // The handle from the side of the hand.
    Preset {
        focus_m: [0.07, 0.03, 0.27],
        azimuth_deg: -35.0,
        elevation_deg: 22.0,
        distance_m: 0.75,
    },
    // Across the gap.
    Preset {
        focus_m: [0.03, -0.05, 0.26],
        azimuth_deg: -86.0,
        elevation_deg: 8.0,
        distance_m: 1.10,
    },
    // From above.
    Preset {
        focus_m: [0.05, -0.05, 0.20],
        azimuth_deg: -10.0,
        elevation_deg: 78.0,
        distance_m: 1.50,
    },
];

/// Which preset was chosen last, and the part of the window that the scene is drawn in.
#[derive(Resource, Default)]
pub(crate) struct View3d {
    preset: usize,
    /// Logical pixels of the window left over by the panels.
    pub rect: Option<bevy_egui::egui::Rect>,
}

impl View3d {
    /// The next (or previous) preset.
    pub fn cycle(&mut self, forward: bool) -> usize {
        let step = if forward { 1 } else { PRESETS.len() - 1 };
        (self.preset + step) % PRESETS.len()
    }

    /// Looks from that preset.
    pub fn look_from(&mut self, preset: usize, camera: &mut PanOrbitCamera) {
        self.preset = preset;
        let Preset {
            focus_m: [x, y, z],
            azimuth_deg,
            elevation_deg,
            distance_m,
        } = PRESETS[preset];
        camera.target_focus = Vec3::new(x, z, -y);
        camera.target_yaw = azimuth_deg.to_radians();
        camera.target_pitch = elevation_deg.to_radians();
        camera.target_radius = distance_m;
        camera.force_update = true;
    }
}

pub(crate) struct CameraPlugin;

impl Plugin for CameraPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<View3d>()
            .add_systems(PreStartup, spawn)
            .add_systems(
                Update,
                (yield_to_panels, arrange.run_if(resource_changed::<Quality>)),
            )
            .add_systems(Last, fit);
    }
}

fn spawn(mut commands: Commands, mut egui: ResMut<EguiGlobalSettings>, mut view: ResMut<View3d>) {
    let mut orbit = PanOrbitCamera {
        button_zoom: Some(MouseButton::Middle),
        zoom_sensitivity: 0.5,
        zoom_lower_limit: 0.1,
        zoom_upper_limit: Some(6.0),
        trackpad_pinch_to_zoom_enabled: true,
        ..default()
    };
    view.look_from(0, &mut orbit);
    orbit.focus = orbit.target_focus;
    (orbit.yaw, orbit.pitch) = (Some(orbit.target_yaw), Some(orbit.target_pitch));
    orbit.radius = Some(orbit.target_radius);
    commands.spawn((
        orbit,
        Camera3d::default(),
        Projection::Perspective(PerspectiveProjection {
            fov: 40_f32.to_radians(),
            near: 0.01,
            ..default()
        }),
        Tonemapping::default(),
        DistanceFog {
            color: BACKGROUND,
            falloff: FogFalloff::Linear {
                start: 2.5,
                end: 5.0,
            },
            ..default()
        },
    ));
    // Panels belong to a camera of their own over the whole window: egui is as large as its camera's
    // viewport, and the scene's is only what the panels leave.
    egui.auto_create_primary_context = false;
    commands.spawn((
        PrimaryEguiContext,
        Camera2d,
        RenderLayers::none(),
        Msaa::Off,
        Camera {
            order: 1,
            ..default()
        },
    ));
}

/// How the two cameras fill the window.
///
/// With anti-aliasing each draws into a texture of its own, and the panels' is blended over the scene's.
/// Without, both draw into one texture, which is copied to the window once: where a processor draws,
/// copying is most of the cost.
fn arrange(
    quality: Res<Quality>,
    mut scene: Single<(&mut Camera, &mut Msaa), With<Camera3d>>,
    mut panels: Single<&mut Camera, Without<Camera3d>>,
) {
    let (scene, msaa) = &mut *scene;
    let shown = |blend_state| CameraOutputMode::Write {
        blend_state: Some(blend_state),
        clear_color: ClearColorConfig::None,
    };
    if quality.shadows {
        **msaa = Msaa::Sample4;
        scene.output_mode = CameraOutputMode::default();
        panels.output_mode = shown(BlendState::ALPHA_BLENDING);
        panels.clear_color = ClearColorConfig::Custom(Color::NONE);
    } else {
        **msaa = Msaa::Off;
        scene.output_mode = CameraOutputMode::Skip;
        panels.output_mode = shown(BlendState::REPLACE);
        panels.clear_color = ClearColorConfig::None;
    }
}

/// The mouse belongs to the panels while over them, but a drag that began in the scene stays with it.
fn yield_to_panels(
    wants: Res<EguiWantsInput>,
    buttons: Res<ButtonInput<MouseButton>>,
    mut cameras: Query<&mut PanOrbitCamera>,
) {
    let dragging = buttons.get_pressed().next().is_some() && !wants.is_using_pointer();
    for mut camera in &mut cameras {
        let enabled = (dragging && camera.enabled) || !wants.wants_any_pointer_input();
        if camera.enabled != enabled {
            camera.enabled = enabled;
        }
    }
}

/// The scene is drawn where the panels are not.
fn fit(
    view: Res<View3d>,
    window: Single<&Window, With<PrimaryWindow>>,
    mut camera: Single<&mut Camera, With<Camera3d>>,
) {
    let Some(rect) = view.rect else { return };
    let size = window.physical_size();
    let to_pixels = |x: f32, y: f32| {
        (Vec2::new(x, y) * window.scale_factor())
            .round()
            .max(Vec2::ZERO)
            .as_uvec2()
            .min(size)
    };
    let position = to_pixels(rect.min.x, rect.min.y).min(size.saturating_sub(UVec2::ONE));
    let end = to_pixels(rect.max.x, rect.max.y);
    let physical_size = end.saturating_sub(position).max(UVec2::ONE);
    let fits = camera.viewport.as_ref().is_some_and(|viewport| {
        viewport.physical_position == position && viewport.physical_size == physical_size
    });
    if !fits {
        camera.viewport = Some(Viewport {
            physical_position: position,
            physical_size,
            ..default()
        });
    }
}
