//! Where films are drawn: a Bevy app without a window that draws one picture for each moment.

use std::sync::{Arc, Mutex, PoisonError};

use bevy::{
    app::TerminalCtrlCHandlerPlugin,
    asset::RenderAssetUsages,
    camera::RenderTarget,
    core_pipeline::tonemapping::Tonemapping,
    log::LogPlugin,
    prelude::*,
    render::{
        RenderPlugin,
        gpu_readback::{Readback, ReadbackComplete},
        pipelined_rendering::PipelinedRenderingPlugin,
        render_resource::{Extent3d, PollType, TextureDimension, TextureFormat, TextureUsages},
        renderer::RenderDevice,
        settings::{Backends, WgpuSettings},
    },
    window::ExitCondition,
    winit::WinitPlugin,
};

use super::{Clip, FilmError, Look};
use crate::{
    camera::{Eye, lens},
    ghost,
    scene::{ModelPlugin, Placing, Quality, Still, film_plugin, hold_still},
    source::Shown,
};

/// Updates after which meshes, materials and pipelines of a new scene are ready.
const WARM_UP: usize = 4;
/// Bytes of a pixel as it comes from the driver.
const PIXEL: usize = 4;

/// An image: red, green and blue, a byte each, row after row from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
}

/// The app that draws.
pub(super) struct Studio {
    app: App,
    target: Handle<Image>,
    size: [u32; 2],
    eye: Eye,
    /// What came from the driver and was not yet handed on, oldest first.
    developed: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Studio {
    /// A studio that draws pictures of that size.
    pub fn new(size: [u32; 2], look: Look, shadows: bool) -> Self {
        let Look { eye, overlays } = look;
        let mut app = App::new();
        app.add_plugins(
            DefaultPlugins
                .set(WindowPlugin {
                    primary_window: None,
                    exit_condition: ExitCondition::DontExit,
                    ..default()
                })
                .set(RenderPlugin {
                    synchronous_pipeline_compilation: true,
                    render_creation: WgpuSettings {
                        backends: Some(Backends::PRIMARY),
                        ..default()
                    }
                    .into(),
                    ..default()
                })
                .disable::<WinitPlugin>()
                // A picture is drawn within the update that places the bodies.
                .disable::<PipelinedRenderingPlugin>()
                // The process has a log and an interrupt already.
                .disable::<LogPlugin>()
                .disable::<TerminalCtrlCHandlerPlugin>(),
        )
        .insert_resource(Quality { shadows })
        .init_resource::<Still>()
        .add_plugins((ModelPlugin, film_plugin, ghost::film_plugin))
        .insert_resource(overlays)
        .add_systems(Update, hold_still.in_set(Placing));
        let [width, height] = size;
        let mut image = Image::new_uninit(
            Extent3d {
                width,
                height,
                depth_or_array_layers: 1,
            },
            TextureDimension::D2,
            TextureFormat::Rgba8UnormSrgb,
            RenderAssetUsages::RENDER_WORLD,
        );
        image.texture_descriptor.usage |=
            TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
        let target = app.world_mut().resource_mut::<Assets<Image>>().add(image);
        Self {
            app,
            target,
            size,
            eye,
            developed: Arc::default(),
        }
    }

    /// Draws a picture of each moment, in order, and hands it on.
    ///
    /// # Errors
    /// When the driver draws nothing, and what `take` answers.
    pub fn shoot(
        &mut self,
        clip: &Clip,
        stills: &[Still],
        take: &mut dyn FnMut(Picture) -> Result<(), FilmError>,
    ) -> Result<(), FilmError> {
        let Some(first) = stills.first() else {
            return Ok(());
        };
        self.set_up(clip, first);
        let developed = Arc::clone(&self.developed);
        let reader = self
            .app
            .world_mut()
            .spawn(Readback::texture(self.target.clone()))
            .observe(move |picture: On<ReadbackComplete>| {
                let mut developed = developed.lock().unwrap_or_else(PoisonError::into_inner);
                developed.push(picture.data.clone());
            })
            .id();
        // The picture of one update comes with the next: hence one more at the end.
        let moments = stills.iter().map(Some).chain([None]);
        let mut left = stills.len();
        let mut taken = Ok(());
        for still in moments {
            if let Some(still) = still {
                *self.app.world_mut().resource_mut::<Still>() = still.clone();
            }
            self.update();
            for bytes in self.take_developed().into_iter().take(left) {
                left -= 1;
                taken = take(self.picture(&bytes));
                if taken.is_err() {
                    break;
                }
            }
            if taken.is_err() {
                break;
            }
        }
        self.app.world_mut().despawn(reader);
        // What is still on its way belongs to nobody.
        self.update();
        self.take_developed();
        taken?;
        if left > 0 {
            return Err(FilmError::Blank);
        }
        Ok(())
    }

    /// Builds the scene and lets everything it needs come to the driver.
    fn set_up(&mut self, clip: &Clip, first: &Still) {
        let world = self.app.world_mut();
        *world.resource_mut::<Still>() = first.clone();
        let shown = world.get_resource::<Shown>();
        if shown.is_some_and(|shown| Arc::ptr_eq(&shown.0, &clip.model)) {
            return;
        }
        let is_first = shown.is_none();
        world.insert_resource(Shown(Arc::clone(&clip.model)));
        if is_first {
            let target: RenderTarget = self.target.clone().into();
            world.spawn((
                Camera3d::default(),
                target,
                self.eye.transform(),
                lens(&clip.model.framing),
                Tonemapping::default(),
                Msaa::Sample4,
            ));
            self.app.finish();
            self.app.cleanup();
        }
        for _ in 0..WARM_UP {
            self.update();
        }
    }

    /// One update, and the driver's work for it done.
    fn update(&mut self) {
        self.app.update();
        let device = self.app.world().resource::<RenderDevice>();
        // An error here is a lost device; the picture that is then missing says so.
        let _ = device.wgpu_device().poll(PollType::Wait {
            submission_index: None,
            timeout: None,
        });
    }

    fn take_developed(&self) -> Vec<Vec<u8>> {
        let mut developed = self
            .developed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *developed)
    }

    /// The pixels without what pads the rows, and without alpha.
    fn picture(&self, bytes: &[u8]) -> Picture {
        let [width, height] = self.size;
        let row = RenderDevice::align_copy_bytes_per_row(width as usize * PIXEL);
        let rgb = bytes
            .chunks(row)
            .flat_map(|row| row[..width as usize * PIXEL].chunks_exact(PIXEL))
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        Picture { width, height, rgb }
    }
}
