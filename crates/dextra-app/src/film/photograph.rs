//! Single pictures of scenes, drawn one after the other as films are.

use std::sync::Arc;

use dextra_sim::{Model, Pose};

use super::{Clip, FilmError, Look, studio::Studio};
use crate::{
    camera::Eye,
    scene::{Overlays, Still},
};

/// Takes pictures. To be made on the thread that it takes them on.
pub(crate) struct Photographs {
    size: [u32; 2],
    studio: Option<Studio>,
}

impl Photographs {
    /// Pictures of that size, pixels.
    pub fn new(size: [u32; 2]) -> Self {
        Self { size, studio: None }
    }

    /// A picture of a scene with its bodies at these poses, from the first preset point of view: red, green
    /// and blue, a byte each, row after row from the top.
    ///
    /// # Errors
    /// When the driver draws nothing.
    pub fn take(&mut self, model: &Arc<Model>, poses: &[Pose]) -> Result<Vec<u8>, FilmError> {
        let size = self.size;
        let studio = self.studio.get_or_insert_with(|| {
            let look = Look {
                eye: Eye::preset(0, &model.framing),
                overlays: Overlays::default(),
            };
            Studio::new(size, look, false)
        });
        let numbers = |pose: &Pose| {
            let ([x, y, z], [w, i, j, k]) = (pose.pos, pose.quat);
            [x, y, z, w, i, j, k].map(|v| v as f32)
        };
        let poses: Vec<_> = poses.iter().map(numbers).collect();
        let still = Still {
            older: poses.clone(),
            newer: poses,
            ..Still::default()
        };
        let clip = Clip {
            model: Arc::clone(model),
            step_secs: 1.0,
            body_poses: Vec::new(),
            readings: Vec::new(),
            ghosts: Vec::new(),
        };
        let mut taken = None;
        studio.shoot(&clip, &[still], &mut |picture| {
            taken = Some(picture.rgb);
            Ok(())
        })?;
        taken.ok_or(FilmError::Blank)
    }
}
