//! `dextra record` through the driving controls: by a script of device events, or by the scripted
//! operator.

use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dextra_tasks::{EnvOptions, TaskModel};
use dextra_teleop::{Notice, Operator, Recorder, Rig, Script};

use crate::{error::CliError, record::Args};

/// The actor's name on the command line.
pub const OPERATOR: &str = "operator";

/// Takes that the operator may lose for each that is wanted.
const TRIES: usize = 20;

fn open(args: &Args, options: &EnvOptions) -> Result<(Arc<Rig>, Recorder), CliError> {
    let model = TaskModel::load(&args.task)?;
    model.check(options)?;
    let rig = Rig::load(&model)?;
    let recorder = Recorder::open(&rig, options, &args.out, args.seed)?;
    for repair in recorder.repairs() {
        eprintln!("note: {}: {repair}", args.out.display());
    }
    Ok((rig, recorder))
}

/// Plays a script in the episode of the seed.
pub fn script(args: &Args, file: &Path, options: &EnvOptions) -> Result<ExitCode, CliError> {
    let script = Script::read(file)?;
    let (_, mut recorder) = open(args, options)?;
    if recorder.session().take().seed() != args.seed {
        let (out, seed) = (args.out.display(), args.seed);
        return Err(CliError::Usage(format!(
            "{out} has an episode of seed {seed} already, and a script suits one episode; choose another \
             --out, or another --seed"
        )));
    }
    let notices = script.record(&mut recorder)?;
    for notice in &notices {
        eprintln!("{notice}");
    }
    if !notices
        .iter()
        .any(|notice| matches!(notice, Notice::Kept { .. }))
    {
        let file = file.display();
        let message = format!("{file} ended without success: nothing was kept");
        return Err(CliError::Failed(message));
    }
    summarise(&recorder);
    Ok(ExitCode::SUCCESS)
}

/// Lets the operator drive until the episodes are kept, or an interrupt. What it keeps are successes.
pub fn operator(
    args: &Args,
    options: &EnvOptions,
    cancel: &AtomicBool,
) -> Result<ExitCode, CliError> {
    let (rig, mut recorder) = open(args, options)?;
    let mut operator = Operator::new(&rig, 1)?;
    let episodes = args.episodes as usize;
    while recorder.counts()[0] < episodes && !cancel.load(Ordering::Relaxed) {
        let mut notices = Vec::new();
        for input in operator.act(recorder.session()) {
            notices.extend(recorder.input(&input)?);
        }
        notices.extend(recorder.tick()?);
        for notice in notices {
            eprintln!("{notice}");
        }
        let [kept, discarded] = recorder.counts();
        if discarded > TRIES * episodes {
            let message =
                format!("the operator lost {discarded} takes and kept {kept}: it cannot do this");
            return Err(CliError::Failed(message));
        }
    }
    summarise(&recorder);
    Ok(if cancel.load(Ordering::Relaxed) {
        ExitCode::from(130)
    } else {
        ExitCode::SUCCESS
    })
}

fn summarise(recorder: &Recorder) {
    let [kept, discarded] = recorder.counts();
    println!("{kept} takes kept, {discarded} discarded");
    let (root, episodes) = (recorder.root().display(), recorder.episodes());
    println!("{root} holds {episodes} episodes");
}
