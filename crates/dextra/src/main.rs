//! The `dextra` command: opens the app, trains, evaluates, measures.

#[macro_use]
mod output;

mod bench;
mod bench_list;
mod clock;
mod config_args;
mod dataset;
mod doctor;
mod drive;
mod error;
mod eval;
mod export;
mod progress;
mod quiet;
mod record;
mod render;
mod replay;
mod train;
mod window;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Watch a simulated hand learn.
///
/// Without a command, opens the app. Every error is one message; the exit code is 0 when all went
/// well, 1 when something failed, 2 when the command line or configuration is wrong, 130 when
/// interrupted after a clean checkpoint.
#[derive(Parser)]
#[command(name = "dextra", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    window: window::Args,
}

#[derive(Subcommand)]
enum Command {
    /// Open a scene (MJCF) in the window: look into it, drive it, push it, edit it; or browse a dataset's
    /// episodes.
    View(window::ViewArgs),
    /// Train without a window.
    Train(train::Args),
    /// Measure the success of a trained policy alone.
    Eval(eval::Args),
    /// Make a video of a policy's or the expert's episodes, without a window.
    Render(render::Args),
    /// Put a trained policy into DAPG's .npz layout, so that it can act elsewhere.
    Export(export::Args),
    /// Record episodes of the expert or a policy into a dataset.
    Record(record::Args),
    /// Repeat recorded episodes and compare them with what was recorded.
    Replay(replay::Args),
    /// Say what a dataset holds; check, trim, delete, split, merge.
    Dataset(dataset::Args),
    /// Measure speed: physics, environment, learner, memory.
    Bench(bench::Args),
    /// Tell what this machine offers, what is missing and how to get it.
    Doctor,
}

impl Cli {
    /// Whether a graphics driver is asked.
    fn draws(&self) -> bool {
        use Command::{Doctor, Render, View};
        matches!(self.command, None | Some(View(_) | Render(_) | Doctor))
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.draws() {
        quiet::layers();
    }
    let outcome = match cli.command {
        None => window::run(cli.window),
        Some(Command::View(args)) => window::view(args),
        Some(Command::Train(args)) => train::run(args),
        Some(Command::Eval(args)) => eval::run(args),
        Some(Command::Render(args)) => render::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Record(args)) => record::run(args),
        Some(Command::Replay(args)) => replay::run(args),
        Some(Command::Dataset(args)) => dataset::run(args),
        Some(Command::Bench(args)) => bench::run(args),
        Some(Command::Doctor) => doctor::run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        error.exit_code()
    })
}
