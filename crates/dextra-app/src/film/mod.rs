//! Films: episodes as GIF, MP4 or pictures, drawn without a window.
//!
//! A [`Clip`] holds the poses of one episode. The [`studio`] draws it picture by picture, each when its
//! moment is due and however long that takes, so a film depends on clip and options alone. A [`sink`]
//! writes the pictures beside the file that was asked for and gives it its name when it is whole.

mod clip;
mod gif;
mod mp4;
mod photograph;
mod record;
mod sink;
mod studio;

use std::path::{Path, PathBuf};

pub use clip::Clip;
pub(crate) use photograph::Photographs;
pub(crate) use record::{Filming, RecordPlugin};
use sink::Sink;
use studio::{Picture, Studio};

use crate::{
    AppError,
    camera::Eye,
    scene::{Overlay, Overlays, Still},
};

/// Seconds for which the last picture of an episode stays.
const LAST_STAYS_SECS: f64 = 0.6;
/// Pictures that a GIF's colours are chosen from.
const SURVEYED: usize = 6;

/// What a film is to be.
#[derive(Clone, Debug)]
pub struct FilmOptions {
    /// The file: `.gif`, `.mp4`, or without an extension a folder of PNG pictures.
    pub out: PathBuf,
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// Pictures per second.
    pub fps: u32,
    /// Multiple of real time.
    pub speed: f64,
    /// Which of the preset points of view, from 0.
    pub view: usize,
    /// Whether to draw shadows, which takes longer.
    pub shadows: bool,
    /// What to draw over the scene.
    pub overlays: Vec<Overlay>,
}

/// How far a film is: pictures drawn, of how many. Answers whether to go on.
pub type Watcher<'a> = &'a mut dyn FnMut(usize, usize) -> bool;

/// Why a film cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    /// There is nothing to draw with.
    #[error(transparent)]
    Graphics(#[from] AppError),
    /// The name says no known kind.
    #[error(
        "{0}: a film ends in .gif or .mp4, or has no ending and becomes a folder of PNG pictures"
    )]
    Kind(PathBuf),
    /// ffmpeg is not there.
    #[error(
        "{0}: writing .mp4 needs ffmpeg, which is not on the PATH; install it (`apt install ffmpeg`) or \
         ask for a .gif"
    )]
    NoFfmpeg(PathBuf),
    /// An option that the kind of file cannot have.
    #[error("{path}: {reason}")]
    Option {
        /// The film.
        path: PathBuf,
        /// What does not fit, and what would.
        reason: String,
    },
    /// The file or folder cannot be written.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// What was written.
        path: PathBuf,
        /// What the system or the encoder says.
        reason: String,
    },
    /// No pictures came from the driver.
    #[error("the graphics driver drew nothing")]
    Blank,
    /// Somebody asked to stop.
    #[error("stopped; nothing was written")]
    Stopped,
}

impl FilmError {
    fn write(path: &Path, reason: impl ToString) -> Self {
        Self::Write {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Film {
    /// The file or folder.
    pub path: PathBuf,
    /// Pictures in it.
    pub pictures: usize,
    /// How long it plays, seconds.
    pub secs: f64,
}

/// Whether such a film can be made here, found out before anything is played: the kind of the file,
/// ffmpeg, the graphics driver.
///
/// # Errors
/// When it cannot, with what would help.
pub fn check_film(options: &FilmOptions) -> Result<(), FilmError> {
    sink::check(options)?;
    crate::platform::graphics()
        .map(drop)
        .map_err(|error| match error {
            AppError::NoVulkan => AppError::NoVulkanForFilms.into(),
            other => other.into(),
        })
}

/// Draws the clips one after the other and writes them.
///
/// # Errors
/// As [`check_film`]; when writing fails; when the watcher does not want to go on. In each case the file
/// that was asked for is as it was before.
pub fn film(clips: &[Clip], options: &FilmOptions, watcher: Watcher) -> Result<Film, FilmError> {
    check_film(options)?;
    let Some(first) = clips.first() else {
        return Err(FilmError::Blank);
    };
    let look = Look {
        eye: Eye::preset(options.view, &first.model.framing),
        overlays: Overlays::of(&options.overlays),
    };
    film_as(clips, look, options, watcher)
}

/// How a film looks at its scene.
pub(crate) struct Look {
    /// From where.
    pub eye: Eye,
    /// With what drawn over it.
    pub overlays: Overlays,
}

/// As [`film`], from any point of view, with anything drawn over the scene.
pub(crate) fn film_as(
    clips: &[Clip],
    look: Look,
    options: &FilmOptions,
    watcher: Watcher,
) -> Result<Film, FilmError> {
    let reel: Vec<(&Clip, Vec<Still>)> = clips
        .iter()
        .map(|clip| (clip, clip.stills(options)))
        .collect();
    let pictures: usize = reel.iter().map(|(_, stills)| stills.len()).sum();
    let mut studio = Studio::new(options.size, look, options.shadows);
    let mut sink = Sink::create(options)?;
    if sink.wants_survey() {
        sink.survey(&survey(&mut studio, &reel)?);
    }
    let mut drawn = 0;
    for (clip, stills) in &reel {
        studio.shoot(clip, stills, &mut |picture| {
            sink.add(&picture)?;
            drawn += 1;
            if watcher(drawn, pictures) {
                Ok(())
            } else {
                Err(FilmError::Stopped)
            }
        })?;
    }
    sink.finish()?;
    Ok(Film {
        path: options.out.clone(),
        pictures,
        secs: pictures as f64 / f64::from(options.fps),
    })
}

/// Pictures from all over the film.
fn survey(studio: &mut Studio, reel: &[(&Clip, Vec<Still>)]) -> Result<Vec<Picture>, FilmError> {
    let per_clip = SURVEYED.div_ceil(reel.len().max(1));
    let mut seen = Vec::new();
    for (clip, stills) in reel.iter().take(SURVEYED) {
        let apart = stills.len().div_ceil(per_clip).max(1);
        let some: Vec<Still> = stills.iter().step_by(apart).cloned().collect();
        studio.shoot(clip, &some, &mut |picture| {
            seen.push(picture);
            Ok(())
        })?;
    }
    Ok(seen)
}
