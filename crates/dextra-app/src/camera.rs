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
use dextra_sim::Framing;

use crate::{
    record::Studio,
    sandbox::Hand,
    scene::{BACKGROUND, Quality},
    source::Shown,
};

/// A preset point of view. Lengths are in units of the scene's extent.
struct Preset {
    /// What is in the middle, from the scene's centre, in the model's frame (z up).
    aside: [f32; 3],
    /// Where the eye is from there: angle about z from -y, and above the horizon, degrees.
    azimuth_deg: f32,
    elevation_deg: f32,
    /// How far.
    distance: f32,
}

const PRESETS: &[Preset] = &[
    // All of it, from the front and above.
    Preset {
        aside: [-0.02, -0.07, 0.05],
        azimuth_deg: -50.0,
        elevation_deg: 22.0,
        distance: 1.35,
    },
    // Closer, from the side.
    Preset {
        aside: [0.06, 0.03, 0.06],
        azimuth_deg: -35.0,
        elevation_deg: 22.0,
        distance: 0.63,
    },
    // Across.
    Preset {
        aside: [0.03, -0.04, 0.05],
        azimuth_deg: -86.0,
        elevation_deg: 8.0,
        distance: 0.92,
    },
    // From above.
    Preset {
        aside: [0.04, -0.04, 0.0],
        azimuth_deg: -10.0,
        elevation_deg: 78.0,
        distance: 1.25,
    },
];

/// Where an eye is and what it looks at, in the scene's frame (y up).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Eye {
    /// What is in the middle, metres.
    focus: Vec3,
    yaw_rad: f32,
    pitch_rad: f32,
    /// How far the eye is from there, metres.
    radius: f32,
}

impl Eye {
    /// The eye of a preset on a scene.
    pub fn preset(preset: usize, framing: &Framing) -> Self {
        let Preset {
            aside,
            azimuth_deg,
            elevation_deg,
            distance,
        } = PRESETS[preset % PRESETS.len()];
        let extent = framing.extent_m as f32;
        let [x, y, z] = [0, 1, 2].map(|k| framing.center[k] as f32 + aside[k] * extent);
        Self {
            focus: Vec3::new(x, z, -y),
            yaw_rad: azimuth_deg.to_radians(),
            pitch_rad: elevation_deg.to_radians(),
            radius: distance * extent,
        }
    }

    /// The eye of the window's camera.
    pub fn of(camera: &PanOrbitCamera) -> Self {
        Self {
            focus: camera.target_focus,
            yaw_rad: camera.target_yaw,
            pitch_rad: camera.target_pitch,
            radius: camera.target_radius,
        }
    }

    /// Its place and direction.
    pub fn transform(&self) -> Transform {
        let rotation = Quat::from_rotation_y(self.yaw_rad) * Quat::from_rotation_x(-self.pitch_rad);
        Transform {
            translation: self.focus + rotation * Vec3::Z * self.radius,
            rotation,
            scale: Vec3::ONE,
        }
    }
}

/// Which preset was chosen last, and the part of the window that the scene is drawn in.
#[derive(Resource, Default)]
pub(crate) struct View3d {
    preset: usize,
    framing: Framing,
    /// Logical pixels of the window left over by the panels.
    pub rect: Option<bevy_egui::egui::Rect>,
}

impl View3d {
    /// The next (or previous) preset.
    pub fn cycle(&mut self, forward: bool) -> usize {
        let step = if forward { 1 } else { PRESETS.len() - 1 };
        (self.preset + step) % PRESETS.len()
    }

    /// Looks at another scene, from the first preset.
    pub fn frame(&mut self, framing: Framing, camera: &mut PanOrbitCamera) {
        self.framing = framing;
        let extent = framing.extent_m as f32;
        camera.zoom_lower_limit = 0.08 * extent;
        camera.zoom_upper_limit = Some(5.0 * extent);
        self.look_from(0, camera);
    }

    /// Looks from that preset.
    pub fn look_from(&mut self, preset: usize, camera: &mut PanOrbitCamera) {
        self.preset = preset;
        let eye = Eye::preset(preset, &self.framing);
        camera.target_focus = eye.focus;
        camera.target_yaw = eye.yaw_rad;
        camera.target_pitch = eye.pitch_rad;
        camera.target_radius = eye.radius;
        camera.force_update = true;
    }
}

/// How far a notch of the wheel zooms.
const ZOOM_SENSITIVITY: f32 = 0.5;

pub(crate) struct CameraPlugin;

impl Plugin for CameraPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<View3d>()
            .add_systems(PreStartup, spawn)
            .add_systems(
                Update,
                (
                    yield_to_panels,
                    arrange.run_if(resource_changed::<Quality>),
                    clear_the_view.run_if(resource_changed::<View3d>),
                ),
            )
            .add_systems(Last, fit);
    }
}

fn spawn(
    mut commands: Commands,
    mut egui: ResMut<EguiGlobalSettings>,
    mut view: ResMut<View3d>,
    shown: Res<Shown>,
) {
    let mut orbit = PanOrbitCamera {
        button_zoom: Some(MouseButton::Middle),
        zoom_sensitivity: ZOOM_SENSITIVITY,
        trackpad_pinch_to_zoom_enabled: true,
        ..default()
    };
    view.frame(shown.0.framing, &mut orbit);
    orbit.focus = orbit.target_focus;
    (orbit.yaw, orbit.pitch) = (Some(orbit.target_yaw), Some(orbit.target_pitch));
    orbit.radius = Some(orbit.target_radius);
    commands.spawn((
        orbit,
        Camera3d::default(),
        lens(&shown.0.framing),
        Tonemapping::default(),
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
    hand: Res<Hand>,
    studio: Res<Studio>,
    mut cameras: Query<&mut PanOrbitCamera>,
) {
    let dragging = buttons.get_pressed().next().is_some() && !wants.is_using_pointer();
    for mut camera in &mut cameras {
        let free = (dragging && camera.enabled) || !wants.wants_any_pointer_input();
        let enabled = free && !hand.holds();
        if camera.enabled != enabled {
            camera.enabled = enabled;
        }
        // While a person drives, the left button and the wheel are the hand's; the right turns the view.
        let (orbit, pan, zoom) = match studio.drives() {
            true => (MouseButton::Right, MouseButton::Back, 0.0),
            false => (MouseButton::Left, MouseButton::Right, ZOOM_SENSITIVITY),
        };
        if camera.button_orbit != orbit {
            (camera.button_orbit, camera.button_pan) = (orbit, pan);
            camera.zoom_sensitivity = zoom;
        }
    }
}

/// Fog begins behind the scene, and nothing of it is too near or too small to be drawn.
fn clear_the_view(
    view: Res<View3d>,
    mut camera: Single<(&mut Projection, &mut DistanceFog), With<Camera3d>>,
    mut before: Local<Option<f32>>,
) {
    let extent = view.framing.extent_m as f32;
    if before.replace(extent) == Some(extent) {
        return;
    }
    let (projection, fog) = &mut *camera;
    // The aspect ratio is the window's, kept up to date elsewhere.
    let aspect_ratio = match &**projection {
        Projection::Perspective(perspective) => perspective.aspect_ratio,
        _ => 1.0,
    };
    (**projection, **fog) = lens(&view.framing);
    if let Projection::Perspective(perspective) = &mut **projection {
        perspective.aspect_ratio = aspect_ratio;
    }
}

/// How a scene of that size is seen: fog begins behind it, and nothing of it is too near to be drawn.
pub(crate) fn lens(framing: &Framing) -> (Projection, DistanceFog) {
    let extent = framing.extent_m as f32;
    let projection = PerspectiveProjection {
        fov: 40_f32.to_radians(),
        near: 0.01 * extent.min(1.0),
        ..default()
    };
    let fog = DistanceFog {
        color: BACKGROUND,
        falloff: FogFalloff::Linear {
            start: 2.1 * extent.max(1.2),
            end: 4.2 * extent.max(1.2),
        },
        ..default()
    };
    (Projection::Perspective(projection), fog)
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
