//! The door as a user of the crate sees it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use dextra_tasks::{Env, EnvOptions, EnvSnapshot, Expert, ExpertState, RewardKind, TaskError};

fn door(reward: RewardKind) -> Env {
    Env::make(
        "door",
        &EnvOptions {
            reward,
            ..EnvOptions::default()
        },
    )
    .unwrap()
}

/// A reproducible action without meaning.
fn wave(step: usize, size: usize) -> Vec<f32> {
    (0..size)
        .map(|i| (0.05 * step as f32 + i as f32).sin())
        .collect()
}

#[test]
fn sizes_are_the_published_ones() {
    let env = door(RewardKind::Sparse);
    assert_eq!(
        (env.obs_dim(), env.action_dim(), env.horizon()),
        (39, 28, 200)
    );
    assert!((env.control_dt_secs() - 0.01).abs() < 1e-12);
    assert_eq!(env.observation().len(), env.obs_dim());
}

#[test]
fn constant_actions_rest_where_they_do_in_mujoco() {
    // Static positions of ARTz, ARRx, ARRy, ARRz, measured with MuJoCo 4.0.0: the arm's servos
    // are not position targets (500 ctrl - 200 q), so q = 2.5 ctrl but for gravity.
    for (action, expected) in [
        (0.0, [0.250, 0.077, 0.0, 1.249]),
        (-0.5, [-0.250, -0.741, -0.742, -0.625]),
    ] {
        let mut env = door(RewardKind::Sparse);
        env.reset(1);
        for _ in 0..200 {
            env.step(&[action; 28]);
        }
        for (joint, expected) in expected.into_iter().enumerate() {
            let rest = env.sim().qpos()[joint];
            assert!(
                (rest - expected).abs() < 0.01,
                "a={action} joint {joint}: {rest}"
            );
        }
    }
}

#[test]
fn actions_are_clipped_to_the_control_range() {
    let [full, beyond] = [1.0, 7.0].map(|action| {
        let mut env = door(RewardKind::Sparse);
        env.step(&[action; 28]);
        env.sim().qpos().to_vec()
    });
    assert_eq!(full, beyond);
}

#[test]
fn the_same_seed_gives_the_same_episode() {
    let mut env = door(RewardKind::Dense);
    let mut run = |seed: u64| {
        let first = env.reset(seed).to_vec();
        let rewards: Vec<f32> = (0..40).map(|t| env.step(&wave(t, 28)).reward).collect();
        (first, rewards, env.observation().to_vec())
    };
    let first = run(3);
    let other = run(4);
    assert_ne!(first.0, other.0);
    assert_eq!(first, run(3));
}

#[test]
fn an_episode_without_success_is_cut_at_the_horizon() {
    let mut env = Env::make(
        "door",
        &EnvOptions {
            reward: RewardKind::Sparse,
            horizon: Some(30),
            ..EnvOptions::default()
        },
    )
    .unwrap();
    env.reset(0);
    for t in 1..=30 {
        let step = env.step(&[0.0; 28]);
        assert_eq!(step.reward, -0.1);
        assert_eq!((step.terminated, step.truncated), (false, t == 30));
    }
    assert!((env.episode_return() + 3.0).abs() < 1e-5);
    assert!(!env.episode_success());
}

#[test]
fn dense_rewards_are_the_sum_of_their_terms() {
    let mut env = door(RewardKind::Dense);
    let step = env.step(&wave(0, 28));
    let names: Vec<_> = step.terms.iter().map(|term| term.name).collect();
    assert_eq!(
        names,
        ["reach", "hinge_error", "velocity", "ajar", "open", "wide"]
    );
    assert_eq!(
        step.reward,
        step.terms.iter().map(|term| term.value).sum::<f32>()
    );
}

#[test]
fn a_restored_moment_continues_to_the_same_bits() {
    let mut env = door(RewardKind::Dense);
    let mut expert = Expert::new(env.task_model()).unwrap();
    env.reset(5);
    expert.reset(5);
    // Into the grasp, where contacts are warm.
    for _ in 0..55 {
        let action = expert.act(&env);
        env.step(&action);
    }
    let saved = bincode::serialize(&(env.snapshot(), expert.state())).unwrap();
    let proceed = |env: &mut Env, expert: &mut Expert| {
        (0..40)
            .map(|_| {
                let action = expert.act(env);
                let reward = env.step(&action).reward.to_bits();
                (
                    reward,
                    env.observation().to_vec(),
                    env.sim().qvel().to_vec(),
                    action,
                )
            })
            .collect::<Vec<_>>()
    };
    let straight_on = proceed(&mut env, &mut expert);

    let mut other = door(RewardKind::Dense);
    let mut other_expert = Expert::new(other.task_model()).unwrap();
    let (moment, state): (EnvSnapshot, ExpertState) = bincode::deserialize(&saved).unwrap();
    other.restore(&moment).unwrap();
    other_expert.set_state(state);
    assert_eq!((other.seed(), other.step_index()), (5, 55));
    assert!(straight_on == proceed(&mut other, &mut other_expert));
    assert_eq!(env.episode_return(), other.episode_return());
}

#[test]
fn a_bad_action_ends_the_episode_as_a_failure() {
    let mut bad = vec![0.0; 28];
    bad[3] = f32::NAN;
    for (action, reason) in [(bad.as_slice(), "A_ARRz"), (&[0.0; 3], "28")] {
        let mut env = door(RewardKind::Sparse);
        let before = env.observation().to_vec();
        let step = env.step(action);
        assert!(step.terminated && !step.truncated);
        assert!(step.failure.unwrap().contains(reason));
        assert_eq!(env.observation(), before);
        assert!(
            env.step(&[0.0; 28]).failure.is_some(),
            "a failed episode stays failed"
        );
        env.reset(0);
        assert!(env.step(&[0.0; 28]).failure.is_none(), "a reset heals");
    }
}

#[test]
fn the_expert_opens_the_door_on_most_of_some_seeds() {
    let mut env = door(RewardKind::Sparse);
    let mut expert = Expert::new(env.task_model()).unwrap();
    let seeds = 3..9;
    let successes = seeds
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

#[test]
fn an_unknown_task_is_an_error() {
    let error = Env::make("doors", &EnvOptions::default()).err().unwrap();
    assert!(matches!(error, TaskError::UnknownTask { .. }));
    assert!(
        error.to_string().contains("did you mean `door`?"),
        "{error}"
    );
}
