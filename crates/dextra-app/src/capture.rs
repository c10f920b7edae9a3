//! Screenshots, asked for by key or by a scripted test.

use std::path::{Path, PathBuf};

use bevy::{
    prelude::*,
    render::view::screenshot::{Screenshot, ScreenshotCaptured},
};

use crate::notice::Notices;

/// Asks for an image of the window; `None` names the file by the next free number.
#[derive(Message)]
pub(crate) struct Capture(pub Option<PathBuf>);

pub(crate) struct CapturePlugin;

impl Plugin for CapturePlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Capture>().add_systems(Update, capture);
    }
}

fn capture(mut commands: Commands, mut asked: MessageReader<Capture>) {
    for Capture(path) in asked.read() {
        let path = path.clone().unwrap_or_else(free_name);
        commands.spawn(Screenshot::primary_window()).observe(
            move |shot: On<ScreenshotCaptured>, mut notices: ResMut<Notices>| {
                notices.say(match save(&shot.image, &path) {
                    Ok(()) => format!("Saved {}", path.display()),
                    Err(reason) => format!("Cannot save {}: {reason}", path.display()),
                });
            },
        );
    }
}

fn save(image: &Image, path: &Path) -> Result<(), String> {
    let image = image
        .clone()
        .try_into_dynamic()
        .map_err(|error| error.to_string())?;
    // The alpha channel of the window's surface means nothing to a viewer of images.
    image
        .to_rgb8()
        .save(path)
        .map_err(|error| error.to_string())
}

fn free_name() -> PathBuf {
    (1..)
        .map(|n: u32| PathBuf::from(format!("dextra-{n:03}.png")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| PathBuf::from("dextra.png"))
}
