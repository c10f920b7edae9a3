//! `dextra render`: a video of episodes, without a window.

use std::{path::PathBuf, process::ExitCode};

use crate::error::CliError;

/// Options of `dextra render`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's folder, a checkpoint, a policy.safetensors, a policy in DAPG's .npz layout, or the
    /// word `expert`.
    pub policy: PathBuf,
    /// The task [default: the checkpoint's, or door].
    #[arg(long)]
    pub task: Option<String>,
    /// The video: FILE.gif, FILE.mp4 (needs ffmpeg), or a new folder for PNG pictures.
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Which block of evaluation seeds: the episodes that `dextra eval --seed N` counts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Episodes, one after the other.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub episodes: u64,
    /// How a learned policy acts: mean, resample or prior [default: mean].
    #[arg(long, value_name = "HOW")]
    pub mode: Option<String>,
    /// Width and height, pixels.
    #[arg(long, value_name = "WxH", default_value = "640x480", value_parser = size)]
    pub size: [u32; 2],
    /// Pictures per second.
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=240))]
    pub fps: u32,
    /// Multiple of real time: 0.5 is slow motion.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Point of view: 1 all from the front, 2 close, 3 across, 4 from above.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub view: u8,
    /// Draw over the scene, names between commas: contacts, forces, joints, actuators, inertia, mass-centre,
    /// collision, touch, transparent, wireframe.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub overlay: Vec<String>,
    /// Draw without shadows, which is faster where no GPU draws.
    #[arg(long)]
    pub no_shadows: bool,
}

/// Pixels on a side at least and at most.
const SIDES: std::ops::RangeInclusive<u32> = 16..=4096;

fn size(text: &str) -> Result<[u32; 2], String> {
    let sides = text.split_once('x').and_then(|(width, height)| {
        let side = |text: &str| text.parse().ok().filter(|side| SIDES.contains(side));
        Some([side(width)?, side(height)?])
    });
    sides.ok_or_else(|| {
        let (least, most) = (SIDES.start(), SIDES.end());
        format!("it must be like 640x480, each side {least} to {most}")
    })
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "it must be a number")?;
    if (0.01..=100.0).contains(&speed) {
        Ok(speed)
    } else {
        Err("it must be from 0.01 to 100".into())
    }
}

/// Plays, draws and writes.
#[cfg(feature = "window")]
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use dextra_app::{Clip, FilmError, FilmOptions, Overlay, check_film, film};
    use dextra_tasks::TaskModel;
    use dextra_train::{Act, EvalSeeds, load_policy, screen};
    use indicatif::{ProgressBar, ProgressStyle};

    let overlays = args
        .overlay
        .iter()
        .map(|name| name.parse::<Overlay>())
        .collect::<Result<_, String>>()
        .map_err(|error| CliError::Usage(format!("--overlay: {error}")))?;
    let failed = |error: FilmError| CliError::Failed(error.to_string());
    let options = FilmOptions {
        out: args.out,
        size: args.size,
        fps: args.fps,
        speed: args.speed,
        view: usize::from(args.view - 1),
        shadows: !args.no_shadows,
        overlays,
    };
    let policy = match args.policy.to_str() {
        Some("expert") => None,
        _ => Some(load_policy(&args.policy)?),
    };
    let held = policy.as_ref().and_then(|policy| policy.config.clone());
    let mut config = held.unwrap_or_default();
    if let Some(task) = &args.task {
        crate::error::check_task(task)?;
        config.task = task.clone();
    }
    if let Some(mode) = &args.mode {
        config.set("eval_mode", mode)?;
    }
    if let Some(policy) = &policy {
        crate::eval::check_fit(policy, &args.policy, &config)?;
    }
    check_film(&options).map_err(failed)?;

    let task = TaskModel::load(&config.task)?;
    let policy = policy.map(|policy| policy.acting(config.eval_mode));
    let actor = policy.as_ref().map(|policy| policy as &dyn Act);
    let first_seed = EvalSeeds::Command(args.seed).first();
    let mut clips = Vec::new();
    let mut successes = 0;
    for episode in 0..args.episodes {
        let seen = screen(actor, &task, &config.env(), first_seed + episode)?;
        successes += u64::from(seen.success);
        println!(
            "episode {}: {}, return {:.2}, {} steps",
            episode + 1,
            if seen.success { "success" } else { "failure" },
            seen.total_reward,
            seen.body_poses.len() - 1
        );
        clips.push(Clip::from(seen));
    }

    let interrupted = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&interrupted);
    ctrlc::set_handler(move || told.store(true, Ordering::Relaxed))
        .map_err(|error| CliError::Failed(format!("cannot catch Ctrl-C: {error}")))?;
    let style = ProgressStyle::with_template("drawing {bar:30} {pos}/{len}  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(500));
    let drawn = film(&clips, &options, &mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        !interrupted.load(Ordering::Relaxed)
    });
    bar.finish_and_clear();
    match drawn {
        Ok(film) => {
            let (path, [width, height]) = (film.path.display(), options.size);
            println!(
                "{path}: {} pictures of {width} x {height}, {:.1} s; {successes} of {} episodes succeeded",
                film.pictures, film.secs, args.episodes
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(FilmError::Stopped) => {
            eprintln!("stopped; nothing was written");
            Ok(ExitCode::from(130))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Says that this build cannot draw.
#[cfg(not(feature = "window"))]
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    Err(CliError::Failed(format!(
        "{}: this build cannot draw (feature `window`); build Dextra without `--no-default-features`",
        args.out.display()
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn sizes_are_read_and_checked() {
        assert_eq!(size("640x480"), Ok([640, 480]));
        for wrong in ["640", "640x", "0x480", "640x480x3", "9000x9000", "-4x8"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
