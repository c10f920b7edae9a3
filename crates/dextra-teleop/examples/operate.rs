//! How often the scripted operator completes a task through the driving controls alone; writes the device
//! events of its first success.
//!
//! `cargo run --release -p dextra-teleop --example operate -- door 20 [first seed] [patience] [script]`

use std::{env, fs, process::ExitCode};

use dextra_tasks::{EnvOptions, TaskModel};
use dextra_teleop::{End, Operator, Phase, Rig, Script, Session, TeleopError};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let task = arguments.first().map_or("door", String::as_str);
    let number = |index: usize, default: u64| {
        let argument = arguments.get(index);
        argument.map_or(Ok(default), |argument| argument.parse::<u64>())
    };
    let (Ok(episodes), Ok(first), Ok(patience)) = (number(1, 20), number(2, 0), number(3, 1))
    else {
        eprintln!("usage: operate [task] [episodes] [first seed] [patience] [script]");
        return ExitCode::FAILURE;
    };
    match report(
        task,
        first..first + episodes,
        patience as usize,
        arguments.get(4),
    ) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn report(
    task: &str,
    seeds: std::ops::Range<u64>,
    patience: usize,
    file: Option<&String>,
) -> Result<(), TeleopError> {
    let rig = Rig::load(&TaskModel::load(task)?)?;
    let mut operator = Operator::new(&rig, patience)?;
    let mut session = Session::new(&rig, &EnvOptions::default(), seeds.start);
    let (mut successes, episodes) = (0, seeds.end - seeds.start);
    for seed in seeds {
        session.begin(seed);
        let (mut secs, mut script) = (0.0, Script::default());
        'take: while !matches!(session.phase(), Phase::Ended(_)) {
            for input in operator.act(&session) {
                script.push(secs, input);
                if session.input(&input).is_some() {
                    break 'take;
                }
            }
            secs += session.tick_secs();
            session.tick()?;
        }
        let steps = session.take().len();
        println!(
            "seed {seed}: {:?} after {steps} steps, {secs:.0} s of the person's time",
            session.phase()
        );
        if *session.phase() == Phase::Ended(End::Success) {
            successes += 1;
            if let (Some(file), 1) = (file, successes) {
                let text = format!(
                    "# {task}, seed {seed}: {steps} control steps\n{}",
                    script.text()
                );
                fs::write(file, text).map_err(|source| TeleopError::Io {
                    action: "write",
                    path: file.into(),
                    source,
                })?;
            }
        }
    }
    println!("{task}: {successes} of {episodes}");
    Ok(())
}
