//! Episodes to be looked at: those of an evaluation, with what was seen of them.

use std::sync::Arc;

use dextra_sim::Model;
use dextra_tasks::{Env, EnvOptions, Expert, TaskModel};

use crate::{
    actor::body_poses,
    error::TrainError,
    evaluate::{Act, episode},
    readings::Readings,
    seeds::generator,
};

/// An episode and every pose in it.
pub struct Screening {
    /// Seed it was reset with.
    pub seed: u64,
    /// The scene, as it was in this episode.
    pub model: Arc<Model>,
    /// Seconds between two steps.
    pub control_dt_secs: f64,
    /// Position (m) and quaternion (w, x, y, z) of every body in the model's order: after the reset and
    /// after each step.
    pub body_poses: Vec<Vec<[f32; 7]>>,
    /// Contacts, touch and controls at the same moments.
    pub readings: Vec<Readings>,
    /// Whether it counts as a success.
    pub success: bool,
    /// Sum of its rewards.
    pub total_reward: f64,
}

/// Plays the episode that an evaluation would play with that seed, of a policy or (`None`) of the expert.
///
/// # Errors
/// When the task has no such options or its expert cannot be made.
pub fn screen(
    policy: Option<&dyn Act>,
    task: &Arc<TaskModel>,
    options: &EnvOptions,
    seed: u64,
) -> Result<Screening, TrainError> {
    task.check(options)?;
    let mut env = Env::with_model(Arc::clone(task), options);
    let mut expert = Expert::new(task)?;
    expert.reset(seed);
    let mut rng = generator(seed, "evaluation", 0);
    let (mut seen, mut readings) = (Vec::new(), Vec::new());
    let outcome = episode(&mut env, seed, |env| {
        seen.push(body_poses(env.sim()));
        readings.push(Readings::of(env));
        match policy {
            Some(policy) => policy.act(env.observation(), &mut rng),
            None => expert.act(env),
        }
    });
    seen.push(body_poses(env.sim()));
    readings.push(Readings::of(&env));
    Ok(Screening {
        seed,
        model: Arc::clone(env.sim().model()),
        control_dt_secs: env.control_dt_secs(),
        body_poses: seen,
        readings,
        success: outcome.success,
        total_reward: outcome.total_reward,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::{EvalSeeds, evaluate_expert};

    #[test]
    fn what_is_seen_is_what_an_evaluation_counts() {
        let options = EnvOptions::default();
        let first = EvalSeeds::Command(3).first();
        let counted = evaluate_expert("door", &options, 3, first).unwrap();
        let task = TaskModel::load("door").unwrap();
        let seen: Vec<Screening> = (0..3)
            .map(|i| screen(None, &task, &options, first + i).unwrap())
            .collect();
        let successes = seen.iter().filter(|seen| seen.success).count();
        let total: f64 = seen.iter().map(|seen| seen.total_reward).sum();
        assert_eq!(successes, counted.successes);
        assert_eq!(total / 3.0, counted.mean_return);
        assert!(seen.iter().all(|s| s.body_poses.len() == 201));
        let hand = |step: usize| &seen[0].body_poses[step];
        assert!(hand(0) != hand(100));
        // A hand that opens a door has touched it.
        let opened = seen.iter().find(|seen| seen.success).unwrap();
        assert_eq!(opened.readings.len(), opened.body_poses.len());
        assert!(
            opened
                .readings
                .iter()
                .any(|readings| !readings.contacts.is_empty())
        );
    }
}
