//! A learned policy put into the layout that travels: a small network imitates it.
//!
//! The student learns the teacher's answers at what either of them meets (Ross et al. 2011, DAgger):
//! were it shown only the teacher's own episodes, it would not know the way back from its own errors.

use std::sync::Arc;

use dextra_learn::{NpzPolicy, Pairs, Student};
use dextra_tasks::{Env, EnvOptions, TaskModel};
use rand::RngCore;
use rand_chacha::ChaCha8Rng;

use crate::{
    error::TrainError,
    evaluate::Act,
    seeds::{episode_seed, generator},
};

/// How a policy is imitated.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// Rounds of collecting and fitting.
    pub rounds: usize,
    /// Episodes of a round; the student acts in every second one, from the second round on.
    pub episodes: usize,
    /// Units of both hidden layers.
    pub hidden: usize,
    /// Passes over all pairs so far in each round but the last.
    pub passes: usize,
    /// Passes in the last round.
    pub last_passes: usize,
    /// Adam's learning rate, at which each round begins.
    pub learning_rate: f64,
    /// Seed of the episodes, the first weights and the order of learning.
    pub seed: u64,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            rounds: 8,
            episodes: 40,
            hidden: 64,
            passes: 15,
            last_passes: 100,
            learning_rate: 2e-3,
            seed: 0,
        }
    }
}

/// A student and how near it came.
pub struct Export {
    /// The student.
    pub policy: NpzPolicy,
    /// Pairs of observation and action that it learned from.
    pub pairs: usize,
    /// Root mean square of its error, per action in [-1, 1], on those pairs.
    pub fitted_rms: f64,
    /// The same in episodes of its own that it did not learn from.
    pub fresh_rms: f64,
}

/// Makes a student of a policy. `told` hears of every round: its number from 1 and the error so far.
///
/// # Errors
/// When the teacher is a policy for other numbers of observations and actions, or no episode is asked
/// for.
pub fn export(
    teacher: &dyn Act,
    model: &Arc<TaskModel>,
    options: &ExportOptions,
    mut told: impl FnMut(usize, f64),
) -> Result<Export, TrainError> {
    let mut episodes = Episodes {
        teacher,
        env: Env::with_model(Arc::clone(model), &EnvOptions::default()),
        seeds: generator(options.seed, "export episodes", 0),
        chance: generator(options.seed, "export teacher", 0),
    };
    let mut order = generator(options.seed, "export order", 0);
    let widths = [
        model.obs_dim(),
        options.hidden,
        options.hidden,
        model.action_dim(),
    ];
    let mut pairs = Pairs::default();
    for _ in 0..options.episodes {
        episodes.run(None, &mut pairs);
    }
    let mut student = Student::new(&pairs, widths, order.next_u64())?;
    for round in 1..=options.rounds {
        if round > 1 {
            let policy = student.policy();
            for episode in 0..options.episodes {
                episodes.run((episode % 2 == 1).then_some(&policy), &mut pairs);
            }
        }
        let passes = if round < options.rounds {
            options.passes
        } else {
            options.last_passes
        };
        student.fit(&pairs, passes, options.learning_rate, &mut order)?;
        told(round, error_rms(&student.policy(), &pairs, widths));
    }
    let (policy, mut fresh) = (student.policy(), Pairs::default());
    for _ in 0..options.episodes {
        episodes.run(Some(&policy), &mut fresh);
    }
    Ok(Export {
        pairs: pairs.obs.len() / widths[0],
        fitted_rms: error_rms(&policy, &pairs, widths),
        fresh_rms: error_rms(&policy, &fresh, widths),
        policy,
    })
}

/// Where the pairs come from.
struct Episodes<'a> {
    teacher: &'a dyn Act,
    env: Env,
    seeds: ChaCha8Rng,
    chance: ChaCha8Rng,
}

impl Episodes<'_> {
    /// One episode on a training seed in which the student acts, or without one the teacher, who
    /// labels every step.
    fn run(&mut self, student: Option<&NpzPolicy>, pairs: &mut Pairs) {
        self.env.reset(episode_seed(&mut self.seeds));
        loop {
            let obs = self.env.observation();
            let label = self.teacher.act(obs, &mut self.chance);
            let action = student.map_or_else(|| label.clone(), |student| student.act(obs));
            pairs.obs.extend_from_slice(obs);
            pairs
                .actions
                .extend(label.iter().map(|a| a.clamp(-1.0, 1.0)));
            let step = self.env.step(&action);
            if step.terminated || step.truncated {
                return;
            }
        }
    }
}

fn error_rms(policy: &NpzPolicy, pairs: &Pairs, widths: [usize; 4]) -> f64 {
    let rows = pairs.obs.chunks_exact(widths[0]);
    let squares = rows
        .zip(pairs.actions.chunks_exact(widths[3]))
        .map(|(obs, label)| {
            let answer = policy.act(obs);
            let errors = answer
                .iter()
                .zip(label)
                .map(|(a, l)| a.clamp(-1.0, 1.0) - l);
            errors.map(|e| f64::from(e).powi(2)).sum::<f64>()
        });
    (squares.sum::<f64>() / pairs.actions.len().max(1) as f64).sqrt()
}
