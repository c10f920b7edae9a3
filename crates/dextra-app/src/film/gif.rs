//! GIF in pure Rust: one set of colours for the whole film, and of each picture only what changed.

use std::{collections::HashMap, fs::File, io::BufWriter, io::Write};

use color_quant::NeuQuant;
use gif::{DisposalMethod, Encoder, Frame, Repeat};

use super::{FilmOptions, studio::Picture};

/// Colours of the film; one more index says "as before".
const COLORS: usize = 255;
const UNCHANGED: u8 = 255;
/// So many pixels of the survey decide about the colours.
const SAMPLE: usize = 200_000;

/// A GIF being written.
pub(super) struct Gif {
    size: [u16; 2],
    fps: u32,
    file: Option<BufWriter<File>>,
    encoder: Option<Encoder<BufWriter<File>>>,
    colors: Colors,
    /// Colour of every pixel as it is shown now.
    shown: Vec<u8>,
    written: u64,
}

impl Gif {
    /// A GIF without colours yet.
    pub fn new(file: File, options: &FilmOptions) -> Self {
        Self {
            size: options
                .size
                .map(|side| side.min(u32::from(u16::MAX)) as u16),
            fps: options.fps,
            file: Some(BufWriter::new(file)),
            encoder: None,
            colors: Colors::default(),
            shown: Vec::new(),
            written: 0,
        }
    }

    /// Chooses the colours that suit these pictures.
    pub fn choose_colors(&mut self, pictures: &[Picture]) {
        self.colors = Colors::for_pictures(pictures);
    }

    /// Adds the next picture.
    pub fn add(&mut self, picture: &Picture) -> Result<(), String> {
        if let Some(file) = self.file.take() {
            let [width, height] = self.size;
            let mut encoder = Encoder::new(file, width, height, &self.colors.palette)
                .map_err(|error| error.to_string())?;
            encoder
                .set_repeat(Repeat::Infinite)
                .map_err(|error| error.to_string())?;
            self.encoder = Some(encoder);
        }
        let indices: Vec<u8> = picture
            .rgb
            .chunks_exact(3)
            .map(|pixel| self.colors.index_of([pixel[0], pixel[1], pixel[2]]))
            .collect();
        let mut frame = changed(&self.shown, &indices, self.size);
        frame.delay = self.delay_cs();
        self.shown = indices;
        self.written += 1;
        match &mut self.encoder {
            Some(encoder) => encoder
                .write_frame(&frame)
                .map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    /// Hundredths of a second that the next picture is shown: so that none runs late however many there
    /// are.
    fn delay_cs(&self) -> u16 {
        let until = |pictures: u64| 100 * pictures / u64::from(self.fps.max(1));
        (until(self.written + 1) - until(self.written)) as u16
    }

    /// Ends the file.
    pub fn finish(&mut self) -> Result<(), String> {
        let Some(encoder) = self.encoder.take() else {
            return Ok(());
        };
        let mut file = encoder.into_inner().map_err(|error| error.to_string())?;
        file.flush().map_err(|error| error.to_string())
    }
}

/// The smallest rectangle that changed, with what did not change in it left as before: long runs of one
/// value pack well.
fn changed(before: &[u8], now: &[u8], [width, height]: [u16; 2]) -> Frame<'static> {
    let row = usize::from(width);
    let differs = |at: usize| before.get(at) != Some(&now[at]);
    let rows = |y: usize| y * row..(y + 1) * row;
    let mut ys = (0..usize::from(height)).filter(|&y| rows(y).any(differs));
    let top = ys.next().unwrap_or(0);
    let bottom = ys.next_back().unwrap_or(top);
    let column = |x: usize| (top..=bottom).any(|y| differs(y * row + x));
    let left = (0..row).find(|&x| column(x)).unwrap_or(0);
    let right = (left..row).rev().find(|&x| column(x)).unwrap_or(left);
    let pixels = (top..=bottom)
        .flat_map(|y| (left..=right).map(move |x| y * row + x))
        .map(|at| if differs(at) { now[at] } else { UNCHANGED });
    Frame {
        left: left as u16,
        top: top as u16,
        width: (right - left + 1) as u16,
        height: (bottom - top + 1) as u16,
        buffer: pixels.collect::<Vec<u8>>().into(),
        transparent: Some(UNCHANGED),
        dispose: DisposalMethod::Keep,
        ..Frame::default()
    }
}

/// The film's colours.
#[derive(Default)]
struct Colors {
    chosen: Option<NeuQuant>,
    /// Red, green, blue of each, one after the other; the last is never seen.
    palette: Vec<u8>,
    known: HashMap<[u8; 3], u8>,
}

impl Colors {
    fn for_pictures(pictures: &[Picture]) -> Self {
        let opaque = |pixel: &[u8]| [pixel[0], pixel[1], pixel[2], u8::MAX];
        let pixels: Vec<u8> = pictures
            .iter()
            .flat_map(|picture| picture.rgb.chunks_exact(3))
            .flat_map(opaque)
            .collect();
        // One in so many pixels; NeuQuant knows 1 to 30.
        let apart = (pixels.len() / 4 / SAMPLE).clamp(1, 30);
        let chosen = NeuQuant::new(apart as i32, COLORS, &pixels);
        let mut palette = chosen.color_map_rgb();
        palette.resize(3 * (COLORS + 1), 0);
        Self {
            chosen: Some(chosen),
            palette,
            known: HashMap::new(),
        }
    }

    fn index_of(&mut self, rgb: [u8; 3]) -> u8 {
        let [r, g, b] = rgb;
        let chosen = &self.chosen;
        *self.known.entry(rgb).or_insert_with(|| {
            let nearest = chosen.as_ref().map(|c| c.index_of(&[r, g, b, u8::MAX]));
            nearest.unwrap_or_default().min(COLORS - 1) as u8
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// A square on a ramp of greys, moved by so many pixels.
    fn picture(at: usize) -> Picture {
        let (width, height) = (40, 30);
        let pixel = |i: usize| {
            let (x, y) = (i % width, i / width);
            let inside = (at..at + 6).contains(&x) && (10..16).contains(&y);
            if inside {
                [220, 40, 30]
            } else {
                [(x * 5) as u8; 3]
            }
        };
        Picture {
            width: width as u32,
            height: height as u32,
            rgb: (0..width * height).flat_map(pixel).collect(),
        }
    }

    #[test]
    fn a_film_decodes_to_the_pictures_it_was_made_of() {
        let path = std::env::temp_dir().join(format!("dextra-gif-{}.gif", std::process::id()));
        let options = FilmOptions {
            out: path.clone(),
            size: [40, 30],
            fps: 30,
            speed: 1.0,
            view: 0,
            shadows: true,
            overlays: Vec::new(),
        };
        let pictures: Vec<Picture> = [3, 3, 8, 20].map(picture).to_vec();
        let mut gif = Gif::new(File::create(&path).unwrap(), &options);
        gif.choose_colors(&pictures);
        for picture in &pictures {
            gif.add(picture).unwrap();
        }
        gif.finish().unwrap();

        let mut reading = gif::DecodeOptions::new();
        reading.set_color_output(gif::ColorOutput::RGBA);
        let mut film = reading.read_info(File::open(&path).unwrap()).unwrap();
        let mut screen = vec![0_u8; 3 * 40 * 30];
        let mut delays = Vec::new();
        let mut shown = Vec::new();
        while let Some(frame) = film.read_next_frame().unwrap() {
            for (i, pixel) in frame.buffer.chunks_exact(4).enumerate() {
                let (x, y) = (i % frame.width as usize, i / frame.width as usize);
                let at = 3 * ((y + frame.top as usize) * 40 + x + frame.left as usize);
                if pixel[3] > 0 {
                    screen[at..at + 3].copy_from_slice(&pixel[..3]);
                }
            }
            delays.push(frame.delay);
            shown.push(screen.clone());
        }
        std::fs::remove_file(&path).unwrap();
        // A thirtieth of a second is 3.33 hundredths.
        assert_eq!(delays, [3, 3, 4, 3]);
        for (shown, picture) in shown.iter().zip(&pictures) {
            let off = |(a, b): (&u8, &u8)| u32::from(a.abs_diff(*b));
            let worst = shown.iter().zip(&picture.rgb).map(off).max();
            assert!(worst < Some(12), "{worst:?}");
        }
    }
}
