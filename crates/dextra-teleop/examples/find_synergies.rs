//! Computes the synergies of the hand from the postures of the experts' successful episodes.
//!
//! `cargo run --release -p dextra-teleop --example find_synergies > scenes/synergies.toml`

use std::{collections::BTreeMap, process::ExitCode};

use dextra_tasks::{Env, EnvOptions, Expert, TaskError, task_names};
use dextra_teleop::{Synergy, SynergyFile, principal_components};

/// Successful episodes of each task.
const EPISODES: usize = 20;
/// A posture is taken every so many control steps.
const EVERY: usize = 5;

/// Names of a group of joints, and what its components are called.
type Group = (fn(&str) -> bool, &'static [&'static str]);

/// The fingers and the thumb vary for reasons of their own.
const GROUPS: &[Group] = &[
    (
        |joint| is_finger(joint) && !is_thumb(joint),
        &["close the fingers", "fingers, second"],
    ),
    (is_thumb, &["oppose the thumb", "thumb, second"]),
];

fn is_finger(joint: &str) -> bool {
    ["TH", "FF", "MF", "RF", "LF"]
        .iter()
        .any(|finger| joint.starts_with(finger))
}

fn is_thumb(joint: &str) -> bool {
    joint.starts_with("TH")
}

fn main() -> ExitCode {
    match synergies().map(|file| toml::to_string(&file)) {
        Ok(Ok(text)) => {
            println!(
                "# Directions in which the hand's joints vary together in the experts' successful episodes. Made by"
            );
            println!(
                "#   cargo run --release -p dextra-teleop --example find_synergies > scenes/synergies.toml"
            );
            println!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => fail(&error.to_string()),
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

fn synergies() -> Result<SynergyFile, TaskError> {
    let mut postures = Vec::new();
    for task in task_names() {
        postures.extend(of_task(task)?);
    }
    let joints: Vec<String> = postures
        .first()
        .map(|p| p.keys().cloned().collect())
        .unwrap_or_default();
    let mut synergies = Vec::new();
    for (chosen, names) in GROUPS {
        let joints: Vec<&String> = joints.iter().filter(|joint| chosen(joint)).collect();
        let sample = |posture: &BTreeMap<String, f64>| {
            joints.iter().map(|joint| posture[joint.as_str()]).collect()
        };
        let samples: Vec<Vec<f64>> = postures.iter().map(sample).collect();
        let components = principal_components(&samples, names.len());
        for (component, name) in components.into_iter().zip(*names) {
            let rounded = |angle: f64| (angle * 1e4).round() / 1e4;
            let angles = component.deviation.iter().map(|angle| rounded(*angle));
            synergies.push(Synergy {
                name: (*name).to_owned(),
                explains: (component.explains * 1e3).round() / 1e3,
                deviation: joints
                    .iter()
                    .map(|joint| (*joint).clone())
                    .zip(angles)
                    .collect(),
            });
        }
    }
    // The order of the keys: closing, opposing, then the others.
    synergies.swap(1, 2);
    Ok(SynergyFile { synergies })
}

/// Angles of the hand's joints along the successful episodes of a task's expert.
fn of_task(task: &str) -> Result<Vec<BTreeMap<String, f64>>, TaskError> {
    let mut env = Env::make(task, &EnvOptions::default())?;
    let mut expert = Expert::new(env.task_model())?;
    let mut postures = Vec::new();
    let mut found = 0;
    for seed in 0.. {
        if found == EPISODES {
            break;
        }
        env.reset(seed);
        expert.reset(seed);
        let mut episode = Vec::new();
        loop {
            if env.step_index().is_multiple_of(EVERY) {
                let joints = env.sim().model().joints.iter();
                let named = joints.filter(|joint| is_finger(&joint.name));
                let angle = |j: &dextra_sim::Joint| (j.name.clone(), env.sim().qpos()[j.qpos_adr]);
                episode.push(named.map(angle).collect());
            }
            let action = expert.act(&env);
            let step = env.step(&action);
            if step.terminated || step.truncated {
                break;
            }
        }
        if env.episode_success() {
            found += 1;
            postures.append(&mut episode);
        }
    }
    Ok(postures)
}
