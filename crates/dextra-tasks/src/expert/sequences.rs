//! A library of posture sequences: of the goals in it the nearest, played back whatever happens.
//!
//! This suits a task that always begins alike and asks for something else each time, as the pen does.

use std::{fs, path::Path};

use dextra_sim::Model;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    config::{SequencesConfig, checked_noise},
    math::normal,
};
use crate::{TaskError, config::Source};

/// The library, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct SequencePlan {
    /// Of each posture.
    pub names: Vec<String>,
    knots: Vec<usize>,
    action_noise: f64,
    /// Actions of each posture of each sequence.
    library: Vec<Vec<Vec<f64>>>,
    goals: Vec<Goal>,
}

/// A goal that the library serves.
#[derive(Clone, Debug)]
struct Goal {
    at: Vec<f64>,
    /// The sequence for it.
    sequence: usize,
}

impl SequencePlan {
    pub fn compile(
        config: SequencesConfig,
        model: &Model,
        source: &Source,
    ) -> Result<Self, TaskError> {
        let noise = checked_noise(config.action_noise, source)?;
        let knots = config.knots;
        let rising = knots.windows(2).all(|pair| pair[0] < pair[1]);
        source.require(
            "expert.knots",
            &knots,
            knots.first() == Some(&0) && rising,
            "rising control steps, the first of them 0",
        )?;
        let library = read_library(&source.beside(&config.library), knots.len(), model.nu)?;
        let goals = read_goals(&source.beside(&config.goals), library.len())?;
        Ok(Self {
            names: (0..knots.len()).map(|k| format!("posture {k}")).collect(),
            knots,
            action_noise: noise,
            library,
            goals,
        })
    }

    /// The posture approached or held after so many control steps.
    pub fn posture(&self, step: usize) -> usize {
        let next = self.knots.partition_point(|&knot| knot < step);
        next.min(self.knots.len() - 1)
    }

    /// The action after so many control steps towards a goal, off by the episode's noise.
    pub fn action(&self, goal: &[f64], step: usize, seed: u64) -> Vec<f32> {
        let distance = |known: &Goal| -> f64 {
            let pairs = known.at.iter().zip(goal);
            pairs.map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let nearest = |a: &&Goal, b: &&Goal| distance(a).total_cmp(&distance(b));
        let Some(known) = self.goals.iter().min_by(nearest) else {
            return Vec::new();
        };
        let postures = &self.library[known.sequence];
        let to = self.posture(step);
        let from = to.saturating_sub(1);
        let share = match self.knots[to] - self.knots[from] {
            0 => 1.0,
            steps => ((step - self.knots[from]) as f64 / steps as f64).min(1.0),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Stream 0 is the environment's reset.
        rng.set_stream(1);
        let pairs = postures[from].iter().zip(&postures[to]);
        pairs
            .map(|(from, to)| from + share * (to - from) + self.action_noise * normal(&mut rng))
            .map(|action| action.clamp(-1.0, 1.0) as f32)
            .collect()
    }
}

/// Reads a library: every line holds all actions of all postures.
fn read_library(
    path: &Path,
    postures: usize,
    actions: usize,
) -> Result<Vec<Vec<Vec<f64>>>, TaskError> {
    let lines = read(path)?;
    let sequence = |(line, numbers): (usize, Vec<f64>)| {
        if numbers.len() != postures * actions {
            let reason = format!(
                "{} numbers; it must be {actions} actions for each of {postures} postures",
                numbers.len()
            );
            return Err(bad(path, line, &reason));
        }
        Ok(numbers.chunks(actions).map(<[_]>::to_vec).collect())
    };
    lines.into_iter().map(sequence).collect()
}

/// Reads which of the library's sequences serves which goal; all goals have the same length.
fn read_goals(path: &Path, sequences: usize) -> Result<Vec<Goal>, TaskError> {
    let lines = read(path)?;
    let length = lines.first().map_or(0, |(_, numbers)| numbers.len());
    let goal = |(line, mut numbers): (usize, Vec<f64>)| {
        if numbers.len() != length || length < 2 {
            let reason = format!(
                "{} numbers; it must be a goal, as long as that of the first line, and a sequence",
                numbers.len()
            );
            return Err(bad(path, line, &reason));
        }
        let asked = numbers.pop().unwrap_or(-1.0);
        match (0..sequences).find(|&sequence| sequence as f64 == asked) {
            Some(sequence) => Ok(Goal {
                at: numbers,
                sequence,
            }),
            None => {
                let reason =
                    format!("no sequence {asked}; the library has {sequences}, counted from 0");
                Err(bad(path, line, &reason))
            }
        }
    };
    lines.into_iter().map(goal).collect()
}

/// The numbers of each line that is no comment, with the line's number, from 1.
fn read(path: &Path) -> Result<Vec<(usize, Vec<f64>)>, TaskError> {
    let text = fs::read_to_string(path).map_err(|source| TaskError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut lines = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.starts_with('#') || text.trim().is_empty() {
            continue;
        }
        let number = |text: &str| match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(bad(
                path,
                line,
                &format!("`{}` is no finite number", text.trim()),
            )),
        };
        lines.push((line, text.split(',').map(number).collect::<Result<_, _>>()?));
    }
    if lines.is_empty() {
        return Err(TaskError::Parse {
            path: path.to_owned(),
            message: "holds no numbers".into(),
        });
    }
    Ok(lines)
}

fn bad(path: &Path, line: usize, reason: &str) -> TaskError {
    TaskError::Parse {
        path: path.to_owned(),
        message: format!("line {line}: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn plan(action_noise: f64) -> SequencePlan {
        let sequence = |sign: f64| vec![vec![0.0], vec![0.5 * sign], vec![0.1 * sign]];
        let goal = |at: f64, sequence| Goal {
            at: vec![at, 0.0],
            sequence,
        };
        SequencePlan {
            names: vec![String::new(); 3],
            knots: vec![0, 10, 12],
            action_noise,
            library: vec![sequence(1.0), sequence(-1.0)],
            goals: vec![goal(-1.0, 1), goal(1.0, 0)],
        }
    }

    #[test]
    fn postures_are_reached_at_their_time_and_the_last_is_held() {
        let plan = plan(0.0);
        for (step, posture, action) in [
            (0, 0, 0.0),
            (1, 1, 0.05),
            (10, 1, 0.5),
            (11, 2, 0.3),
            (12, 2, 0.1),
            (99, 2, 0.1),
        ] {
            assert_eq!(plan.posture(step), posture, "step {step}");
            let found = plan.action(&[0.7, 0.2], step, 0)[0];
            assert!((found - action).abs() < 1e-6, "step {step}: {found}");
        }
        assert_eq!(plan.action(&[-0.1, 0.0], 10, 0), [-0.5]);
    }

    #[test]
    fn an_episodes_noise_is_its_own_and_stays() {
        let plan = plan(0.1);
        let off = |step, seed| plan.action(&[1.0, 0.0], step, seed)[0];
        assert!((off(10, 1) - off(12, 1) - 0.4).abs() < 1e-6);
        assert_ne!(off(10, 1), off(10, 2));
    }

    #[test]
    fn damaged_files_are_told_by_line() {
        let folder = std::env::temp_dir().join(format!("dextra-sequences-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("library.csv");
        let library = |path: &Path| read_library(path, 2, 2).map(|_| ());
        let goals = |path: &Path| read_goals(path, 3).map(|_| ());
        type Reader<'a> = &'a dyn Fn(&Path) -> Result<(), TaskError>;
        let cases: [(Reader, &str, &str); 7] = [
            (
                &library,
                "# postures\n1,x,3,4\n",
                "line 2: `x` is no finite number",
            ),
            (&library, "1,2,3,4\n1,2,3\n", "line 2: 3 numbers"),
            (&library, "# nothing\n", "holds no numbers"),
            (&goals, "0.1,0.2,0\n0.1,1\n", "line 2: 2 numbers"),
            (&goals, "1\n", "line 1: 1 numbers"),
            (&goals, "0.1,0.2,3\n", "line 1: no sequence 3"),
            (&goals, "0.1,0.2,0.5\n", "line 1: no sequence 0.5"),
        ];
        for (reader, text, expected) in cases {
            fs::write(&path, text).unwrap();
            let message = reader(&path).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("library.csv"), "{message}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
