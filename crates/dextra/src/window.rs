//! `dextra`: the app.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use dextra_data::dataset::is_dataset;
use dextra_tasks::task_names;

use crate::{config_args::ConfigArgs, error::CliError};

/// Options of the app.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// The task to show and learn [default: door].
    #[arg(long)]
    task: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Folder of the run that the app starts.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Begin training at once.
    #[arg(long)]
    train: bool,
    /// A policy to show: DAPG's .npz layout or a policy.safetensors [default: the trained one that comes
    /// with Dextra, or where there is none the task's expert].
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Highest frame rate, 1/s.
    #[arg(long, value_name = "N", value_parser = frame_rate)]
    max_fps: Option<f64>,
    /// Report what the window shows on standard output, for tests.
    #[arg(long, hide = true)]
    e2e: bool,
    /// A scene to open in the sandbox, or a dataset to browse.
    #[arg(skip)]
    view: Option<PathBuf>,
}

/// Options of `dextra view`.
#[derive(Debug, clap::Args)]
pub struct ViewArgs {
    /// An MJCF file, the name of a task for its scene, or a dataset's folder for its episodes.
    #[arg(value_name = "FILE")]
    scene: PathBuf,
    /// Highest frame rate, 1/s.
    #[arg(long, value_name = "N", value_parser = frame_rate)]
    max_fps: Option<f64>,
    /// Report what the window shows on standard output, for tests.
    #[arg(long, hide = true)]
    e2e: bool,
}

/// Opens the app on a scene, or on a dataset.
pub fn view(args: ViewArgs) -> Result<ExitCode, CliError> {
    let is_task = task_names()
        .iter()
        .any(|task| args.scene == Path::new(task));
    if !args.scene.is_file() && !is_task && !is_dataset(&args.scene) {
        return Err(CliError::Failed(format!(
            "{}: there is no such file or dataset; give an MJCF file, a dataset's folder or one of the \
             tasks {}",
            args.scene.display(),
            task_names().join(", ")
        )));
    }
    run(Args {
        view: Some(args.scene),
        max_fps: args.max_fps,
        e2e: args.e2e,
        ..Args::default()
    })
}

fn frame_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it must be a number")?;
    if rate.is_finite() && rate > 0.0 {
        Ok(rate)
    } else {
        Err("it must be positive".into())
    }
}

/// Opens the app and stays until it is closed.
#[cfg(feature = "window")]
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let config = args.config.resolve(args.task.as_deref())?;
    if !has_display() {
        return Err(CliError::Failed(format!(
            "no display: neither DISPLAY nor WAYLAND_DISPLAY is set; train in the terminal with \
             `dextra train {}`",
            config.task
        )));
    }
    if let Some(library) = crate::doctor::missing_keyboard_library() {
        return Err(CliError::Failed(format!(
            "a window needs {library}, which is not installed; {}",
            crate::doctor::KEYBOARD_REMEDY
        )));
    }
    let policy = args
        .policy
        .or_else(|| dextra_train::shipped_policy(&config.task));
    let options = dextra_app::AppOptions {
        out: args.out,
        train: args.train,
        policy,
        max_fps: args.max_fps,
        e2e: args.e2e,
        view: args.view,
        ..dextra_app::AppOptions::new(config)
    };
    dextra_app::run(options).map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

/// Says that this build has no app.
#[cfg(not(feature = "window"))]
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let config = args.config.resolve(args.task.as_deref())?;
    // Parsed so that a wrong flag is told first, whatever the build.
    let _ = (
        args.out,
        args.train,
        args.policy,
        args.max_fps,
        args.e2e,
        args.view,
    );
    Err(CliError::Failed(format!(
        "this build has no window (feature `window`); train in the terminal with `dextra train {}`",
        config.task
    )))
}

/// Whether there is a screen to open a window on.
pub fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
