//! MP4 through ffmpeg, which is fed raw pictures.

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{FilmError, FilmOptions, studio::Picture};

/// Whether ffmpeg is there.
pub(super) fn is_possible() -> bool {
    Command::new("ffmpeg")
        .arg("-version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A running ffmpeg.
pub(super) struct Mp4 {
    encoder: Child,
}

impl Mp4 {
    /// Starts ffmpeg on a file.
    pub fn start(file: &Path, options: &FilmOptions) -> Result<Self, FilmError> {
        let [width, height] = options.size;
        let encoder = Command::new("ffmpeg")
            .args(["-y", "-loglevel", "error", "-nostdin"])
            .args(["-f", "rawvideo", "-pix_fmt", "rgb24"])
            .args(["-s", &format!("{width}x{height}")])
            .args(["-r", &options.fps.to_string(), "-i", "pipe:0"])
            .args(["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18"])
            .args(["-movflags", "+faststart", "-f", "mp4"])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| FilmError::write(&options.out, format!("ffmpeg: {error}")))?;
        Ok(Self { encoder })
    }

    /// Adds the next picture.
    pub fn add(&mut self, picture: &Picture) -> Result<(), String> {
        let sent = self
            .encoder
            .stdin
            .as_mut()
            .map(|to| to.write_all(&picture.rgb));
        match sent {
            Some(Ok(())) => Ok(()),
            // It has ended: its own words say more than the broken pipe.
            _ => self.finish().and(Err("ffmpeg ended early".into())),
        }
    }

    /// Lets ffmpeg end the file.
    pub fn finish(&mut self) -> Result<(), String> {
        drop(self.encoder.stdin.take());
        let mut words = String::new();
        if let Some(mut stderr) = self.encoder.stderr.take() {
            // Without its words there is still its exit status.
            let _ = stderr.read_to_string(&mut words);
        }
        let status = self.encoder.wait().map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(());
        }
        let last = words.trim().lines().last().unwrap_or("no message");
        Err(format!("ffmpeg: {last}"))
    }
}

impl Drop for Mp4 {
    fn drop(&mut self) {
        // Ended already, unless the film was given up.
        let _ = self.encoder.kill();
        let _ = self.encoder.wait();
    }
}
