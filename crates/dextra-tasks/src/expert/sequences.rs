//! A library of posture sequences: of the goals in it the nearest, played back whatever happens.
//!
//! This suits a task that always begins alike and asks for something else each time, as the pen does.

use std::{fs, path::Path};

use dextra_sim::Model;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::config::SequencesConfig;
use crate::{TaskError, config::Source};

/// The library, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct SequencePlan {
    /// Of each posture.
    pub names: Vec<String>,
    knots: Vec<usize>,
    action_noise: f64,
    library: Vec<Sequence>,
}

#[derive(Clone, Debug)]
struct Sequence {
    goal: Vec<f64>,
    /// Actions of each posture.
    postures: Vec<Vec<f64>>,
}

impl SequencePlan {
    pub fn compile(
        config: SequencesConfig,
        model: &Model,
        source: &Source,
    ) -> Result<Self, TaskError> {
        let noise = config.action_noise;
        source.require(
            "expert.action_noise",
            noise,
            noise.is_finite() && noise >= 0.0,
            "a finite number of at least 0",
        )?;
        let knots = config.knots;
        let rising = knots.windows(2).all(|pair| pair[0] < pair[1]);
        source.require(
            "expert.knots",
            &knots,
            knots.first() == Some(&0) && rising,
            "rising control steps, the first of them 0",
        )?;
        let folder = source.path.parent().unwrap_or(Path::new("."));
        let path = folder.join(&config.library);
        let library = read(&path, knots.len(), model.nu)?;
        Ok(Self {
            names: (0..knots.len()).map(|k| format!("posture {k}")).collect(),
            knots,
            action_noise: noise,
            library,
        })
    }

    /// The posture approached or held after so many control steps.
    pub fn posture(&self, step: usize) -> usize {
        let next = self.knots.partition_point(|&knot| knot < step);
        next.min(self.knots.len() - 1)
    }

    /// The action after so many control steps towards a goal, off by the episode's noise.
    pub fn action(&self, goal: &[f64], step: usize, seed: u64) -> Vec<f32> {
        let distance = |sequence: &Sequence| -> f64 {
            let pairs = sequence.goal.iter().zip(goal);
            pairs.map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let nearest = |a: &&Sequence, b: &&Sequence| distance(a).total_cmp(&distance(b));
        let Some(sequence) = self.library.iter().min_by(nearest) else {
            return Vec::new();
        };
        let to = self.posture(step);
        let from = to.saturating_sub(1);
        let share = match self.knots[to] - self.knots[from] {
            0 => 1.0,
            steps => ((step - self.knots[from]) as f64 / steps as f64).min(1.0),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Stream 0 is the environment's reset.
        rng.set_stream(1);
        let pairs = sequence.postures[from].iter().zip(&sequence.postures[to]);
        pairs
            .map(|(from, to)| from + share * (to - from) + self.action_noise * normal(&mut rng))
            .map(|action| action.clamp(-1.0, 1.0) as f32)
            .collect()
    }
}

/// A standard normal number (Box and Muller).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Reads a library; every line must have the same length of goal and all actions of all postures.
fn read(path: &Path, postures: usize, actions: usize) -> Result<Vec<Sequence>, TaskError> {
    let text = fs::read_to_string(path).map_err(|source| TaskError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut library: Vec<Sequence> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let bad = |reason: String| TaskError::Parse {
            path: path.to_owned(),
            message: format!("line {}: {reason}", index + 1),
        };
        let number = |text: &str| match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(bad(format!("`{}` is no finite number", text.trim()))),
        };
        let numbers = line.split(',').map(number).collect::<Result<Vec<_>, _>>()?;
        let known = library.first().map(|first| first.goal.len());
        let goal = numbers.len().checked_sub(postures * actions);
        let Some(goal) = goal.filter(|&length| known.is_none_or(|known| known == length)) else {
            return Err(bad(format!(
                "{} numbers; it must be a goal and {actions} actions for each of {postures} postures",
                numbers.len()
            )));
        };
        library.push(Sequence {
            goal: numbers[..goal].to_vec(),
            postures: numbers[goal..].chunks(actions).map(<[_]>::to_vec).collect(),
        });
    }
    if library.is_empty() {
        return Err(TaskError::Parse {
            path: path.to_owned(),
            message: "holds no sequence".into(),
        });
    }
    Ok(library)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn plan(action_noise: f64) -> SequencePlan {
        let sequence = |goal: f64, sign: f64| Sequence {
            goal: vec![goal, 0.0],
            postures: vec![vec![0.0], vec![0.5 * sign], vec![0.1 * sign]],
        };
        SequencePlan {
            names: vec![String::new(); 3],
            knots: vec![0, 10, 12],
            action_noise,
            library: vec![sequence(-1.0, -1.0), sequence(1.0, 1.0)],
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
    fn a_damaged_library_is_told_by_line() {
        let folder = std::env::temp_dir().join(format!("dextra-sequences-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("library.csv");
        for (text, expected) in [
            (
                "# goal\n0.1,0.2,1,x,3,4\n",
                "line 2: `x` is no finite number",
            ),
            ("0.1,0.2,1,2,3,4\n0.1,1,2,3,4\n", "line 2: 5 numbers"),
            ("1,2\n", "line 1: 2 numbers"),
            ("# nothing\n", "holds no sequence"),
        ] {
            fs::write(&path, text).unwrap();
            let message = read(&path, 2, 2).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("library.csv"), "{message}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
