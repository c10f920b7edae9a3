//! Screenshots, asked for by key or by a scripted test.

use std::path::{Path, PathBuf};

use bevy::{
    prelude::*,
    render::view::screenshot::{Screenshot, ScreenshotCaptured},
    window::PrimaryWindow,
};
use bevy_egui::egui::Rect;

use crate::notice::Notices;

/// Asks for an image of the window.
#[derive(Message)]
pub(crate) struct Capture {
    /// The file; `None` is `name` and the next free number.
    pub path: Option<PathBuf>,
    /// What the file's name begins with.
    pub name: &'static str,
    /// The part that is wanted, logical pixels; `None` for all.
    pub part: Option<Rect>,
}

pub(crate) struct CapturePlugin;

impl Plugin for CapturePlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Capture>().add_systems(Update, capture);
    }
}

fn capture(
    mut commands: Commands,
    mut asked: MessageReader<Capture>,
    window: Single<&Window, With<PrimaryWindow>>,
) {
    let scale = window.scale_factor();
    for Capture { path, name, part } in asked.read() {
        let path = path.clone().unwrap_or_else(|| free_name(name, "png"));
        let part = part.map(|part| part * scale);
        commands.spawn(Screenshot::primary_window()).observe(
            move |shot: On<ScreenshotCaptured>, mut notices: ResMut<Notices>| {
                notices.say(match save(&shot.image, part, &path) {
                    Ok(()) => format!("Saved {}", path.display()),
                    Err(reason) => format!("Cannot save {}: {reason}", path.display()),
                });
            },
        );
    }
}

fn save(image: &Image, part: Option<Rect>, path: &Path) -> Result<(), String> {
    let image = image
        .clone()
        .try_into_dynamic()
        .map_err(|error| error.to_string())?;
    let image = match part {
        Some(part) => {
            let [x, y, width, height] =
                [part.min.x, part.min.y, part.width(), part.height()].map(|pixels| pixels as u32);
            image.crop_imm(x, y, width.max(1), height.max(1))
        }
        None => image,
    };
    // The alpha channel of the window's surface means nothing to a viewer of images.
    image
        .to_rgb8()
        .save(path)
        .map_err(|error| error.to_string())
}

/// `name` with the next free number.
pub(crate) fn free_name(name: &str, ending: &str) -> PathBuf {
    (1..)
        .map(|n: u32| PathBuf::from(format!("{name}-{n:03}.{ending}")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| PathBuf::from(format!("{name}.{ending}")))
}
