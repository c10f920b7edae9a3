//! Two ways to paint a geom, for machines with and without a GPU.

use bevy::{
    asset::embedded_asset,
    mesh::MeshVertexBufferLayoutRef,
    pbr::{MaterialPipeline, MaterialPipelineKey},
    prelude::*,
    render::render_resource::{
        AsBindGroup, RenderPipelineDescriptor, SpecializedMeshPipelineError,
    },
    shader::ShaderRef,
};

use super::stage::BACKGROUND;

/// The material of machines that draw on the processor.
#[derive(Asset, AsBindGroup, TypePath, Clone)]
#[bind_group_data(MatteKind)]
pub(super) struct Matte {
    #[uniform(0)]
    color: LinearRgba,
    #[uniform(0)]
    floor: Vec4,
    #[uniform(0)]
    background: LinearRgba,
    is_floor: bool,
    alpha_mode: AlphaMode,
}

/// Which of two shaders a surface is drawn by.
///
/// Two shaders rather than a branch on a uniform: Mesa's software driver (seen in 22.3) compiles a shader
/// anew for values that its branches depend on, and keeps every copy.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MatteKind {
    is_floor: bool,
}

impl From<&Matte> for MatteKind {
    fn from(matte: &Matte) -> Self {
        Self {
            is_floor: matte.is_floor,
        }
    }
}

impl Material for Matte {
    fn fragment_shader() -> ShaderRef {
        "embedded://dextra_app/scene/matte.wgsl".into()
    }

    fn alpha_mode(&self) -> AlphaMode {
        self.alpha_mode
    }

    fn specialize(
        _pipeline: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _layout: &MeshVertexBufferLayoutRef,
        key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        if let (true, Some(fragment)) = (key.bind_group_data.is_floor, &mut descriptor.fragment) {
            fragment.shader_defs.push("FLOOR".into());
        }
        Ok(())
    }
}

/// Both paints of a geom.
#[derive(Component, Clone)]
pub(super) struct Paint {
    rich: Handle<StandardMaterial>,
    light: Handle<Matte>,
}

impl Paint {
    /// A surface of that colour; `fading_floor_m` makes it a floor with a grid that fades into the
    /// background from that distance on.
    pub fn new(
        rgba: [f32; 4],
        fading_floor_m: Option<f32>,
        rich: &mut Assets<StandardMaterial>,
        light: &mut Assets<Matte>,
    ) -> Self {
        let [r, g, b, a] = rgba;
        let color = Color::srgba(r, g, b, a);
        let alpha_mode = if a < 1.0 {
            AlphaMode::Blend
        } else {
            AlphaMode::Opaque
        };
        Self {
            rich: rich.add(StandardMaterial {
                base_color: color,
                perceptual_roughness: if fading_floor_m.is_some() { 0.95 } else { 0.55 },
                reflectance: 0.4,
                alpha_mode,
                ..default()
            }),
            light: light.add(Matte {
                color: color.to_linear(),
                floor: Vec4::new(fading_floor_m.unwrap_or_default(), 0.0, 0.0, 0.0),
                is_floor: fading_floor_m.is_some(),
                background: BACKGROUND.to_linear(),
                alpha_mode,
            }),
        }
    }

    /// Puts one of the paints on.
    pub fn apply(&self, rich: bool, entity: &mut EntityCommands) {
        if rich {
            entity
                .remove::<MeshMaterial3d<Matte>>()
                .insert(MeshMaterial3d(self.rich.clone()));
        } else {
            entity
                .remove::<MeshMaterial3d<StandardMaterial>>()
                .insert(MeshMaterial3d(self.light.clone()));
        }
    }
}

pub(super) fn plugin(app: &mut App) {
    embedded_asset!(app, "matte.wgsl");
    app.add_plugins(MaterialPlugin::<Matte>::default());
}
