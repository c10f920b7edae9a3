//! A learner that went through a file is the learner it was.
#![allow(clippy::unwrap_used)]

use dextra_data::{Batch, Episode, Replay, Source, Transition};
use dextra_learn::{ActMode, LearnConfig, Learner};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const OBS: usize = 6;
const ACTIONS: usize = 3;

fn config() -> LearnConfig {
    LearnConfig {
        hidden: 32,
        sequences: 4,
        normalise_batches: 7,
        ..LearnConfig::default()
    }
}

fn batches(config: &LearnConfig, n: usize) -> Vec<Batch> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut replay = Replay::new(1000, OBS, ACTIONS);
    for seed in 0..4 {
        let mut vector = |n: usize| {
            (0..n)
                .map(|_| rng.random_range(-1.0..1.0))
                .collect::<Vec<f32>>()
        };
        let transitions = (0..50)
            .map(|t| Transition {
                obs: vector(OBS),
                action: vector(ACTIONS),
                expert_action: (t % 3 > 0).then(|| vector(ACTIONS)),
                reward: vector(1)[0],
                terminated: false,
                source: Source::Policy,
            })
            .collect();
        replay
            .push(Episode {
                transitions,
                final_obs: vector(OBS),
                seed,
                success: false,
            })
            .unwrap();
    }
    let LearnConfig {
        sequences,
        sequence_length,
        n_step,
        discount,
        ..
    } = *config;
    (0..n)
        .map(|_| {
            replay
                .sample(&mut rng, sequences, sequence_length, n_step, discount)
                .unwrap()
        })
        .collect()
}

#[test]
fn two_n_updates_equal_n_save_load_n_to_the_bit() {
    for preset in ["default", "paper"] {
        let config = LearnConfig {
            target_period: 3,
            ..LearnConfig::preset(preset).unwrap()
        };
        let config = LearnConfig {
            hidden: 32,
            sequences: 4,
            normalise_batches: 7,
            ..config
        };
        let batches = batches(&config, 20);
        let mut whole = Learner::new(&config, OBS, ACTIONS, 1).unwrap();
        let mut all = vec![];
        for batch in &batches {
            all.push(whole.update(batch).unwrap());
        }

        let mut first = Learner::new(&config, OBS, ACTIONS, 1).unwrap();
        for batch in &batches[..10] {
            first.update(batch).unwrap();
        }
        let bytes = first.save().unwrap();
        assert_eq!(bytes, first.save().unwrap());
        let mut second = Learner::new(&config, OBS, ACTIONS, 999).unwrap();
        second.load(&bytes).unwrap();
        for (batch, expected) in batches[10..].iter().zip(&all[10..]) {
            assert_eq!(second.update(batch).unwrap(), *expected);
        }
        assert_eq!(second.updates(), 20);
        assert_eq!(second.save().unwrap(), whole.save().unwrap());

        let act = |learner: &Learner| {
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            learner
                .policy()
                .act(&[0.1; OBS], &mut rng, ActMode::Resample)
        };
        assert_eq!(act(&second), act(&whole));
    }
}

/// The scale of the reward is a unit: with rewards as much larger, all that is shown grows with them
/// and nothing that is learnt changes.
#[test]
fn a_reward_scale_is_a_unit() {
    let mut batch = batches(&config(), 1).remove(0);
    let update = |batch: &Batch, reward_scale: f64| {
        let config = LearnConfig {
            reward_scale,
            ..config()
        };
        let mut learner = Learner::new(&config, OBS, ACTIONS, 1).unwrap();
        let metrics = learner.update(batch).unwrap();
        (
            metrics,
            learner.policy().act(
                &[0.3; OBS],
                &mut ChaCha8Rng::seed_from_u64(1),
                ActMode::Resample,
            ),
        )
    };
    let (plain, action) = update(&batch, 0.5);
    batch.reward.iter_mut().for_each(|r| *r *= 4.0);
    let (scaled, same) = update(&batch, 0.125);
    assert_eq!(action, same);
    assert_eq!(plain.critic_loss, scaled.critic_loss);
    assert!((scaled.v_mean - 4.0 * plain.v_mean).abs() < 1e-5 * scaled.v_mean.abs());
    assert!((scaled.eta_mean - 4.0 * plain.eta_mean).abs() < 1e-5 * scaled.eta_mean);
}

#[test]
fn updates_change_what_they_should() {
    let batch = &batches(&config(), 1)[0];
    let updated = |expert_term: bool| {
        let config = LearnConfig {
            expert_term,
            target_rate: 1.0,
            prior_target_rate: 1.0,
            ..config()
        };
        let mut learner = Learner::new(&config, OBS, ACTIONS, 1).unwrap();
        let metrics = learner.update(batch).unwrap();
        (metrics, learner.policy())
    };
    let ((with, with_policy), (without, without_policy)) = (updated(true), updated(false));
    assert!(with.expert_loss != 0.0 && without.expert_loss == 0.0);
    assert_eq!(
        with.grad_norm_critic, without.grad_norm_critic,
        "the expert term is the prior's alone"
    );
    assert_ne!(with.grad_norm_policy, without.grad_norm_policy);
    let (obs, action) = ([0.2; OBS], [0.1; ACTIONS]);
    assert_eq!(
        with_policy.value(&obs, &action),
        without_policy.value(&obs, &action)
    );
    assert!((with.kl_mean - 0.75).abs() < 0.0075, "{}", with.kl_mean);
    assert!(with.named().iter().all(|(_, value)| value.is_finite()));
}

#[test]
fn foreign_and_damaged_files_are_refused_and_change_nothing() {
    let mut learner = Learner::new(&config(), OBS, ACTIONS, 1).unwrap();
    learner.update(&batches(&config(), 1)[0]).unwrap();
    let good = learner.save().unwrap();
    let mut refused = |bytes: &[u8]| {
        let error = learner.load(bytes).unwrap_err().to_string();
        assert_eq!(learner.save().unwrap(), good);
        error
    };
    for length in [0, 7, 100, good.len() / 2, good.len() - 1] {
        let error = refused(&good[..length]);
        assert!(error.contains("truncated"), "{error}");
    }
    assert!(
        refused(b"PK\x03\x04 something else entirely").contains("not the state of this learner")
    );
    let wider = Learner::new(
        &LearnConfig {
            hidden: 64,
            ..config()
        },
        OBS,
        ACTIONS,
        1,
    )
    .unwrap();
    let error = refused(&wider.save().unwrap());
    assert!(
        error.contains("hidden=64") && error.contains("hidden=32"),
        "{error}"
    );
    let other = Learner::new(&config(), OBS, ACTIONS + 1, 1).unwrap();
    assert!(refused(&other.save().unwrap()).contains("action_dim=4"));
}

#[test]
fn a_batch_of_another_shape_is_refused() {
    let mut batch = batches(&config(), 1).remove(0);
    let mut learner = Learner::new(&config(), OBS + 1, ACTIONS, 1).unwrap();
    let error = learner.update(&batch).unwrap_err().to_string();
    assert!(
        error.contains("obs has 96 numbers, the learner expects 112"),
        "{error}"
    );
    batch.reward.pop();
    let mut learner = Learner::new(&config(), OBS, ACTIONS, 1).unwrap();
    assert!(
        learner
            .update(&batch)
            .unwrap_err()
            .to_string()
            .contains("reward")
    );
}
