//! Where pictures go: beside the file that was asked for until it is whole.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
};

use bevy::{
    asset::RenderAssetUsages,
    image::Image,
    render::render_resource::{Extent3d, TextureDimension, TextureFormat},
};

use super::{FilmError, FilmOptions, gif::Gif, mp4::Mp4, studio::Picture};

/// The kinds of film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gif,
    Mp4,
    Folder,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        let Some(ending) = path.extension() else {
            return path.file_name().map(|_| Self::Folder);
        };
        match ending.to_str()?.to_ascii_lowercase().as_str() {
            "gif" => Some(Self::Gif),
            "mp4" => Some(Self::Mp4),
            _ => None,
        }
    }
}

/// What can be known of a film before it is made.
pub(super) fn check(options: &FilmOptions) -> Result<(), FilmError> {
    let out = &options.out;
    let refuse = |reason: String| {
        Err(FilmError::Option {
            path: out.clone(),
            reason,
        })
    };
    let Some(kind) = Kind::of(out) else {
        return Err(FilmError::Kind(out.clone()));
    };
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return refuse(format!("there is no folder {}", folder.display()));
    }
    match kind {
        Kind::Gif if options.fps > 50 => {
            refuse("a GIF shows at most 50 pictures a second; give --fps 50 or less".into())
        }
        Kind::Mp4 if options.size.iter().any(|side| side % 2 == 1) => {
            refuse("an MP4 is an even number of pixels wide and high".into())
        }
        Kind::Mp4 if !super::mp4::is_possible() => Err(FilmError::NoFfmpeg(out.clone())),
        Kind::Gif | Kind::Mp4 if out.is_dir() => refuse("this is a folder".into()),
        Kind::Folder if out.exists() => {
            refuse("it exists already; remove it or give another name".into())
        }
        _ => Ok(()),
    }
}

enum Form {
    Gif(Box<Gif>),
    Mp4(Mp4),
    Folder(usize),
}

/// A film being written; dropped before its end it leaves nothing.
pub(super) struct Sink {
    form: Form,
    out: PathBuf,
    /// What is written until it is whole.
    part: PathBuf,
}

impl Sink {
    /// Begins a film.
    pub fn create(options: &FilmOptions) -> Result<Self, FilmError> {
        check(options)?;
        let out = options.out.clone();
        let mut name = OsString::from(".");
        name.push(out.file_name().unwrap_or_default());
        name.push(format!(".{}.part", std::process::id()));
        let part = out.with_file_name(name);
        let form = match Kind::of(&out) {
            Some(Kind::Gif) => {
                let file = File::create(&part).map_err(|error| FilmError::write(&out, error))?;
                Form::Gif(Box::new(Gif::new(file, options)))
            }
            Some(Kind::Mp4) => Form::Mp4(Mp4::start(&part, options)?),
            _ => {
                fs::create_dir(&part).map_err(|error| FilmError::write(&out, error))?;
                Form::Folder(0)
            }
        };
        Ok(Self { form, out, part })
    }

    /// Whether [`Sink::survey`] is to come first.
    pub fn wants_survey(&self) -> bool {
        matches!(self.form, Form::Gif(_))
    }

    /// Shows it what the film will look like.
    pub fn survey(&mut self, pictures: &[Picture]) {
        if let Form::Gif(gif) = &mut self.form {
            gif.choose_colors(pictures);
        }
    }

    /// Adds the next picture.
    pub fn add(&mut self, picture: &Picture) -> Result<(), FilmError> {
        let added = match &mut self.form {
            Form::Gif(gif) => gif.add(picture),
            Form::Mp4(mp4) => mp4.add(picture),
            Form::Folder(number) => {
                *number += 1;
                save_png(picture, &self.part.join(format!("{number:05}.png")))
            }
        };
        added.map_err(|reason| FilmError::write(&self.out, reason))
    }

    /// Ends the film and gives it its name.
    pub fn finish(mut self) -> Result<(), FilmError> {
        let ended = match &mut self.form {
            Form::Gif(gif) => gif.finish(),
            Form::Mp4(mp4) => mp4.finish(),
            Form::Folder(_) => Ok(()),
        };
        ended
            .and_then(|()| {
                // A folder cannot be opened for syncing everywhere; what is in it is whole.
                if self.part.is_file() {
                    let file = File::open(&self.part).map_err(|error| error.to_string())?;
                    file.sync_all().map_err(|error| error.to_string())?;
                }
                fs::rename(&self.part, &self.out).map_err(|error| error.to_string())
            })
            .map_err(|reason| FilmError::write(&self.out, reason))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = match self.form {
            Form::Folder(_) => fs::remove_dir_all(&self.part),
            _ => fs::remove_file(&self.part),
        };
    }
}

fn save_png(picture: &Picture, path: &Path) -> Result<(), String> {
    let rgba = picture
        .rgb
        .chunks_exact(3)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], u8::MAX])
        .collect();
    let size = Extent3d {
        width: picture.width,
        height: picture.height,
        depth_or_array_layers: 1,
    };
    let image = Image::new(
        size,
        TextureDimension::D2,
        rgba,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::MAIN_WORLD,
    );
    let image = image
        .try_into_dynamic()
        .map_err(|error| error.to_string())?;
    image
        .to_rgb8()
        .save(path)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn options(out: &str, size: [u32; 2], fps: u32) -> FilmOptions {
        FilmOptions {
            out: out.into(),
            size,
            fps,
            speed: 1.0,
            view: 0,
            shadows: true,
            overlays: Vec::new(),
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_at_once_with_a_remedy() {
        let refusal = |out: &str, size, fps| {
            let refused = check(&options(out, size, fps)).expect_err("refused");
            refused.to_string()
        };
        assert!(refusal("door.avi", [8, 8], 25).contains(".gif or .mp4"));
        assert!(refusal("door.gif", [8, 8], 60).contains("--fps 50"));
        assert!(refusal("door.mp4", [9, 8], 25).contains("even"));
        assert!(refusal("/no/such/door.gif", [8, 8], 25).contains("/no/such"));
        assert!(refusal("/tmp", [8, 8], 25).contains("exists already"));
        assert!(check(&options("door.GIF", [9, 8], 25)).is_ok());
    }

    #[test]
    fn a_film_that_is_not_finished_leaves_nothing() {
        let folder = std::env::temp_dir().join(format!("dextra-sink-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["film.gif", "film"] {
            let out = folder.join(name);
            let sink = Sink::create(&options(out.to_str().unwrap(), [2, 2], 25)).unwrap();
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
            drop(sink);
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        }
        fs::remove_dir(&folder).unwrap();
    }
}
