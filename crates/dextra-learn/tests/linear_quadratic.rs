//! A problem whose answer is known: a linear system with quadratic cost, solved by Riccati's equation.
#![allow(clippy::unwrap_used)]

use dextra_data::{Episode, Replay, Source, Transition};
use dextra_learn::{ActMode, LearnConfig, Learner, Weight};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DISCOUNT: f64 = 0.8;
const EFFORT: f32 = 0.3;

fn reward(s: f32, a: f32) -> f32 {
    -(s * s + EFFORT * a * a)
}

/// s' = s + a / 2 with the reward above: the best action is `-gain s`, its value `-cost s^2`.
fn riccati() -> (f32, f32) {
    let (r, gamma, b) = (f64::from(EFFORT), DISCOUNT, 0.5);
    let mut cost = 1.0;
    for _ in 0..1000 {
        cost = 1.0 + gamma * cost - (gamma * cost * b).powi(2) / (r + gamma * cost * b * b);
    }
    (
        (gamma * cost * b / (r + gamma * cost * b * b)) as f32,
        cost as f32,
    )
}

#[test]
fn the_learned_policy_is_the_regulator() {
    solve(0.0);
}

#[test]
fn so_it_is_with_the_projection() {
    solve(1.0);
}

fn solve(projection_weight: f64) {
    let config = LearnConfig {
        hidden: 32,
        critics: 1,
        initial_std: 0.5,
        min_std: 0.05,
        discount: DISCOUNT,
        n_step: 1,
        reward_scale: 1.0,
        action_samples: 10,
        kl: 0.75,
        learning_rate: 1e-3,
        prior_learning_rate: 1e-3,
        weight: Weight::Binary,
        projection_weight,
        normalise_batches: 0,
        expert_term: false,
        target_rate: 0.02,
        prior_target_rate: 0.02,
        trust_region_covariance: 1e-2,
        ..LearnConfig::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut learner = Learner::new(&config, 1, 1, 11).unwrap();
    let mut replay = Replay::new(20_000, 1, 1);
    for seed in 0..600 {
        let policy = learner.policy();
        let mut s: f32 = rng.random_range(-1.0..1.0);
        let mut transitions = vec![];
        for _ in 0..6 {
            let action = policy.act(&[s], &mut rng, ActMode::Resample);
            let a = action[0];
            transitions.push(Transition {
                obs: vec![s],
                action,
                expert_action: None,
                reward: reward(s, a),
                terminated: false,
                source: Source::Policy,
            });
            s += 0.5 * a;
        }
        replay
            .push(Episode {
                transitions,
                final_obs: vec![s],
                seed,
                success: false,
            })
            .unwrap();
        for _ in 0..if seed < 30 { 0 } else { 6 } {
            let batch = replay.sample(&mut rng, 32, 4, 1, DISCOUNT).unwrap();
            learner.update(&batch).unwrap();
        }
    }
    let (gain, cost) = riccati();
    let policy = learner.policy();
    for s in [-0.8f32, -0.6, -0.4, 0.0, 0.4, 0.6, 0.8] {
        let a = policy.act(&[s], &mut rng, ActMode::Mean)[0];
        assert!(
            (a + gain * s).abs() < 0.12,
            "at {s}: action {a}, the regulator's is {}",
            -gain * s
        );
        let q = policy.value(&[s], &[-gain * s]);
        assert!(
            (q + cost * s * s).abs() < 0.06,
            "at {s}: value {q}, the regulator's is {}",
            -cost * s * s
        );
    }
}
