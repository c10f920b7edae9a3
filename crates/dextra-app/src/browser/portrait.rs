//! Small pictures of how episodes end, drawn by the films' renderer on a thread of its own.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

use bevy_egui::egui::ColorImage;
use crossbeam_channel::{Sender, bounded};
use dextra_sim::{Model, Pose};

use crate::film::{FilmError, Photographs};

/// Size of the pictures, pixels: twice that on the panel, for screens with small pixels.
const SIZE: [u32; 2] = [144, 108];

/// A picture.
pub(super) type Portrait = ColorImage;

/// What is to be drawn.
pub(super) struct Sitting {
    /// Whose picture it is.
    pub portrait: u64,
    pub model: Arc<Model>,
    /// World pose of every body.
    pub poses: Vec<Pose>,
}

/// The thread that draws. Dropped, it is waited for: a driver must not be left in the middle of a picture.
pub(super) struct Portraitist {
    sittings: Option<Sender<Sitting>>,
    thread: Option<JoinHandle<()>>,
}

impl Portraitist {
    /// Starts the thread; `tell` is told of every picture, and of why there are no more.
    pub fn start(tell: impl Fn(Result<(u64, Portrait), FilmError>) + Send + 'static) -> Self {
        // What is drawn should be what is looked at now.
        let (sittings, inbox) = bounded::<Sitting>(1);
        let thread = thread::spawn(move || {
            let mut photographs = Photographs::new(SIZE);
            while let Ok(sitting) = inbox.recv() {
                let rgb = photographs.take(&sitting.model, &sitting.poses);
                let drawn = rgb.map(|rgb| {
                    let image = ColorImage::from_rgb(SIZE.map(|side| side as usize), &rgb);
                    (sitting.portrait, image)
                });
                let failed = drawn.is_err();
                tell(drawn);
                if failed {
                    return;
                }
            }
        });
        Self {
            sittings: Some(sittings),
            thread: Some(thread),
        }
    }

    /// Has something drawn, after what is being drawn; false when nothing is drawn any more.
    pub fn draw(&self, sitting: Sitting) -> bool {
        self.sittings
            .as_ref()
            .is_some_and(|sittings| sittings.send(sitting).is_ok())
    }
}

impl Drop for Portraitist {
    fn drop(&mut self) {
        self.sittings = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
