//! Relocate as a user of the crate sees it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use dextra_tasks::{Env, EnvOptions, Expert, RewardKind};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn relocate(reward: RewardKind) -> Env {
    let options = EnvOptions {
        reward,
        ..EnvOptions::default()
    };
    Env::make("relocate", &options).unwrap()
}

#[test]
fn sizes_are_the_published_ones() {
    let env = relocate(RewardKind::Sparse);
    assert_eq!(
        (env.obs_dim(), env.action_dim(), env.horizon()),
        (39, 30, 200)
    );
}

#[test]
fn the_ball_rests_on_the_table() {
    let mut env = relocate(RewardKind::Dense);
    env.reset(2);
    let ball = env.task_model().model().body("Object").unwrap();
    let before = env.sim().body_pose(ball).pos;
    for _ in 0..100 {
        // The hand hovers above.
        env.step(&[0.0; 30]);
    }
    let after = env.sim().body_pose(ball).pos;
    let moved = (0..3).map(|k| (after[k] - before[k]).abs());
    assert!(moved.fold(0.0, f64::max) < 2e-3, "{before:?} to {after:?}");
}

#[test]
fn random_actions_leave_everything_finite_and_in_its_place() {
    let mut env = relocate(RewardKind::Dense);
    let model = env.task_model().model().clone();
    let ball = model.body("Object").unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for seed in 0..4 {
        env.reset(seed);
        for step in 0..env.horizon() {
            // Half of the episodes are thrown from limit to limit.
            let action: Vec<f32> = (0..env.action_dim())
                .map(|_| rng.random_range(-1.0..=1.0f32))
                .map(|a| if seed % 2 == 0 { a } else { a.signum() })
                .collect();
            assert_eq!(env.step(&action).failure, None);
            for joint in &model.joints {
                let q = env.sim().qpos()[joint.qpos_adr];
                let [low, high] = joint.range.unwrap_or([f64::MIN, f64::MAX]);
                // A hand that the arm slams onto the table: in MuJoCo some joint is 0.47 rad past
                // its limit in 100 random episodes, 0.83 rad from limit to limit.
                assert!(
                    q > low - 0.8 && q < high + 0.8,
                    "seed {seed} step {step}: {} at {q}",
                    joint.name
                );
            }
            let [x, y, z] = env.sim().body_pose(ball).pos;
            let over_table = x.abs() < 0.45 && y.abs() < 0.45;
            // Squeezed between hand and table; in MuJoCo the lowest is 0.010.
            assert!(!over_table || z > 0.008, "seed {seed} step {step}: {z}");
        }
    }
}

#[test]
fn a_restored_moment_continues_to_the_same_bits() {
    let mut env = relocate(RewardKind::Dense);
    let mut expert = Expert::new(env.task_model()).unwrap();
    env.reset(5);
    expert.reset(5);
    // Into the grasp.
    for _ in 0..66 {
        let action = expert.act(&env);
        env.step(&action);
    }
    let saved = bincode::serialize(&env.snapshot()).unwrap();
    let state = expert.state();
    let proceed = |env: &mut Env, expert: &mut Expert| {
        (0..40)
            .map(|_| {
                let action = expert.act(env);
                let reward = env.step(&action).reward.to_bits();
                (reward, env.observation().to_vec(), action)
            })
            .collect::<Vec<_>>()
    };
    let straight_on = proceed(&mut env, &mut expert);

    let mut other = relocate(RewardKind::Dense);
    other.reset(6); // Another ball, another target.
    let mut other_expert = Expert::new(other.task_model()).unwrap();
    other
        .restore(&bincode::deserialize(&saved).unwrap())
        .unwrap();
    other_expert.set_state(state);
    assert!(straight_on == proceed(&mut other, &mut other_expert));
}

#[test]
fn the_expert_brings_the_ball_on_most_of_some_seeds() {
    let mut env = relocate(RewardKind::Sparse);
    let mut expert = Expert::new(env.task_model()).unwrap();
    let successes = (0..6)
        .filter(|&seed| {
            env.reset(seed);
            expert.reset(seed);
            while !env.step(&expert.act(&env)).truncated {}
            env.episode_success()
        })
        .count();
    // Suboptimal on purpose: about 3 of 4.
    assert!(successes >= 3, "{successes} of 6");
}
