//! The hammer as a user of the crate sees it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use dextra_tasks::{Env, EnvOptions, Expert, RewardKind};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn hammer(reward: RewardKind) -> Env {
    Env::make(
        "hammer",
        &EnvOptions {
            reward,
            ..EnvOptions::default()
        },
    )
    .unwrap()
}

#[test]
fn sizes_are_the_published_ones() {
    let env = hammer(RewardKind::Sparse);
    assert_eq!(
        (env.obs_dim(), env.action_dim(), env.horizon()),
        (46, 26, 200)
    );
    assert!((env.control_dt_secs() - 0.01).abs() < 1e-12);
    assert_eq!(env.observation().len(), env.obs_dim());
}

#[test]
fn the_hammer_lies_still_on_the_table() {
    let mut env = hammer(RewardKind::Dense);
    env.reset(0);
    // The arm stays above.
    let rest = |env: &mut Env| (0..30).for_each(|_| drop(env.step(&[0.0; 26])));
    rest(&mut env);
    let before = env.observation()[36..42].to_vec();
    rest(&mut env);
    let moved = env.observation()[36..42].iter().zip(&before);
    assert!(
        moved.clone().all(|(a, b)| (a - b).abs() < 1e-3),
        "{moved:?}"
    );
    assert!((0.02..0.03).contains(&before[2]), "height {}", before[2]);
}

/// Random and extreme actions: whatever happens, numbers stay numbers, and nothing is below the table.
#[test]
fn physics_stays_finite_under_any_action() {
    let mut env = hammer(RewardKind::Dense);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for seed in 0..8 {
        env.reset(seed);
        loop {
            let action: Vec<f32> = (0..26)
                .map(|_| match seed % 2 {
                    0 => rng.random_range(-1.0..1.0),
                    _ => f32::from(rng.random::<bool>()) * 2.0 - 1.0,
                })
                .collect();
            let step = env.step(&action);
            assert_eq!(step.failure, None, "seed {seed}, step {}", env.step_index());
            let hammer_z = env.observation()[38];
            assert!(
                hammer_z > -0.01,
                "seed {seed}: the hammer is at {hammer_z} m"
            );
            if step.truncated {
                break;
            }
        }
    }
}

#[test]
fn the_expert_drives_the_nail_on_most_of_some_seeds() {
    let mut env = hammer(RewardKind::Sparse);
    let mut expert = Expert::new(env.task_model()).unwrap();
    let successes = (0..6)
        .filter(|&seed| {
            env.reset(seed);
            expert.reset(seed);
            while !env.step(&expert.act(&env)).truncated {}
            env.episode_success()
        })
        .count();
    assert!(successes >= 3, "{successes} of 6");
}
