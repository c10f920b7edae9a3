//! The algebra of the update, pinned.
#![allow(clippy::unwrap_used)]

use candle_core::DType;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{
    gradient::{PIECE, Tapes, slope},
    learner::standard_normal,
};

const OBS: usize = 5;
const ACTIONS: usize = 2;

struct Case {
    config: LearnConfig,
    network: Network,
    target: Vec<f32>,
    batch: Batch,
    rng: ChaCha8Rng,
}

impl Case {
    fn new(config: LearnConfig) -> Self {
        let config = LearnConfig {
            hidden: 16,
            action_samples: 20,
            initial_std: 0.4,
            ..config
        };
        let network = Network::new(&config, OBS, ACTIONS);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let target = network.init(&mut rng);
        let (sequences, length) = (3, 4);
        let rows = sequences * length;
        let mut uniform = |n: usize| {
            (0..n)
                .map(|_| rng.random_range(-1.0..1.0))
                .collect::<Vec<f32>>()
        };
        let mut batch = Batch {
            sequences,
            length,
            obs: uniform(rows * OBS),
            action: uniform(rows * ACTIONS),
            expert_action: uniform(rows * ACTIONS),
            expert_mask: (0..rows).map(|row| (row % 2) as f32).collect(),
            reward: uniform(rows),
            discount: vec![0.9; rows],
            next_obs: uniform(rows * OBS),
            next_row: (0..rows)
                .map(|row| (row % length + 1 < length).then_some(row + 1))
                .collect(),
        };
        for row in 0..rows {
            if let Some(next) = batch.next_row[row] {
                let next = batch.obs[next * OBS..(next + 1) * OBS].to_vec();
                batch.next_obs[row * OBS..(row + 1) * OBS].copy_from_slice(&next);
            }
        }
        Self {
            config,
            network,
            target,
            batch,
            rng,
        }
    }

    fn noise(&mut self, states: usize) -> Vec<f32> {
        standard_normal(&mut self.rng, states * self.config.action_samples * ACTIONS)
    }

    fn targets(&mut self, noise: &[f32]) -> Targets {
        let Self {
            config,
            network,
            target,
            batch,
            ..
        } = self;
        let states = distinct_states(config, batch, OBS);
        let improved = improve(network, target, config, &states, noise);
        targets(network, target, config, batch, (states, improved))
    }

    /// Q' of the samples that this noise gives at each s', (rows, samples), by the long way.
    fn next_q(&mut self, noise: &[f32]) -> Vec<f32> {
        let (mut mean, mut std) = (vec![], vec![]);
        self.network
            .prior(&self.target, &self.batch.next_obs, &mut mean, &mut std);
        let actions = prior_samples(&mean, &std, noise, ACTIONS);
        let mut least = vec![f32::INFINITY; self.batch.rows() * 20];
        let mut x = vec![];
        for (sample, action) in actions.chunks(ACTIONS).enumerate() {
            x.extend_from_slice(&self.batch.next_obs[sample / 20 * OBS..][..OBS]);
            x.extend_from_slice(action);
        }
        for critic in self.target[self.network.critic_range()].chunks(self.network.critic.len()) {
            let mut q = vec![0.0; least.len()];
            crate::mlp::evaluate(self.network.critic, critic, &x, &mut q);
            least
                .iter_mut()
                .zip(q)
                .for_each(|(least, q)| *least = least.min(q));
        }
        least
    }
}

fn unshared(kl: f64) -> Case {
    Case::new(LearnConfig {
        share_values: false,
        kl,
        ..LearnConfig::default()
    })
}

/// Appendix A.2: with a bound of 0 the target is the prior's own, as in CRR.
#[test]
fn no_divergence_gives_the_target_of_crr() {
    let mut case = unshared(0.0);
    let noise = case.noise(24);
    let targets = case.targets(&noise);
    let q = case.next_q(&noise[noise.len() / 2..]);
    for (row, q) in q.chunks(20).enumerate() {
        let crr = 0.02 * case.batch.reward[row] + 0.9 * q.iter().sum::<f32>() / 20.0;
        assert!(
            (targets.y[row] - crr).abs() < 1e-5,
            "{} {crr}",
            targets.y[row]
        );
    }
}

/// Appendix A.2: with a bound beyond what the samples can reach the target is the best sample's.
#[test]
fn a_large_bound_gives_the_maximum_over_samples() {
    let mut case = unshared(10.0);
    let noise = case.noise(24);
    let targets = case.targets(&noise);
    let q = case.next_q(&noise[noise.len() / 2..]);
    for (row, q) in q.chunks(20).enumerate() {
        let best = 0.02 * case.batch.reward[row] + 0.9 * q.iter().copied().fold(f32::MIN, f32::max);
        assert!(
            (targets.y[row] - best).abs() < 1e-5,
            "{} {best}",
            targets.y[row]
        );
    }
}

/// Critics whose outputs are a Q + b give values a V + b and temperatures a eta.
#[test]
fn values_are_equivariant_to_affine_maps_of_q() {
    let mut case = unshared(0.75);
    let noise = case.noise(24);
    let plain = case.targets(&noise);
    let shape = case.network.critic;
    let range = case.network.critic_range();
    for critic in case.target[range].chunks_mut(shape.len()) {
        for (name, part, _) in shape.named_parts() {
            match name {
                "w4" => critic[part].iter_mut().for_each(|w| *w *= 4.0),
                "b4" => critic[part].iter_mut().for_each(|b| *b = 4.0 * *b + 3.0),
                _ => {}
            }
        }
    }
    let mapped = case.targets(&noise);
    assert!(
        (mapped.prior.eta_mean - 4.0 * plain.prior.eta_mean).abs() < 1e-4 * plain.prior.eta_mean
    );
    for (v, mapped) in plain.prior.value.iter().zip(&mapped.prior.value) {
        assert!((mapped - (4.0 * v + 3.0)).abs() < 1e-4);
    }
    assert!((plain.prior.kl_mean - 0.75).abs() < 0.0075);
}

#[test]
fn a_neighbours_value_is_used_where_sharing_is_on() {
    let mut case = Case::new(LearnConfig::default());
    assert_eq!(
        distinct_states(&case.config, &case.batch, OBS).len(),
        (12 + 3) * OBS
    );
    let noise = case.noise(15);
    let targets = case.targets(&noise);
    for row in 0..12 {
        if let Some(next) = case.batch.next_row[row] {
            let y = 0.02 * case.batch.reward[row] + 0.9 * targets.prior.value[next];
            assert_eq!(targets.y[row], y);
        }
    }
}

#[test]
fn weights_are_the_papers() {
    let binary = LearnConfig {
        weight: Weight::Binary,
        ..LearnConfig::default()
    };
    assert_eq!(
        [-1.0, -0.0, 0.0, 2.0].map(|a| weight(&binary, a, 3.0)),
        [0.0, 1.0, 1.0, 1.0]
    );
    let exponential = LearnConfig {
        weight_temperature: 2.0,
        ..LearnConfig::default()
    };
    assert!((weight(&exponential, 3.0, 3.0) - 0.5f32.exp()).abs() < 1e-6);
    assert_eq!(weight(&exponential, 1000.0, 3.0), 20.0);
    assert!((spread(&[1.0, 3.0, 5.0]) - (8.0f32 / 3.0).sqrt()).abs() < 1e-6);
    assert!(spread(&[2.0, 2.0]) > 0.0);
}

/// The projection is the weighted likelihood of the samples: with a bound of 0 of all alike, with a
/// large one of the sample that the critic likes best.
#[test]
fn the_projection_is_of_the_improved_policys_samples() {
    for kl in [0.0, 100.0] {
        let mut case = Case::new(LearnConfig {
            kl,
            ..LearnConfig::default()
        });
        let noise = case.noise(15);
        let targets = case.targets(&noise);
        let samples = {
            let prior = &targets.prior;
            let noise = &noise[..12 * 20 * ACTIONS];
            prior_samples(&prior.mean, &prior.std, noise, ACTIONS)
        };
        let mut q = vec![];
        case.network
            .smallest_q(&case.target, &case.batch.obs, (&samples, 20), &mut q);
        let head = Tensor::zeros((12, 2 * ACTIONS), DType::F32, &Device::Cpu).unwrap();
        let piece = Piece {
            batch: &case.batch,
            targets: &targets,
            start: 0,
            end: 12,
        };
        let losses = prior_losses(&head, case.network.deviation, 3.0, &piece).unwrap();
        let ours = f64::from(losses.projection.to_scalar::<f32>().unwrap());
        // A head of zeros: mean 0, the initial deviation.
        let std: f64 = 0.4;
        let likelihood = |action: &[f32]| -> f64 {
            let constant = std.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln();
            let one = |&a: &f32| 0.5 * (f64::from(a) / std).powi(2) + constant;
            action.iter().map(one).sum()
        };
        let rows = samples.chunks(20 * ACTIONS).zip(q.chunks(20));
        let expected: f64 = rows
            .map(|(actions, q)| {
                let each = actions.chunks(ACTIONS).map(likelihood);
                if kl == 0.0 {
                    each.sum::<f64>() / 20.0
                } else {
                    let best = (0..20).max_by(|&i, &j| q[i].total_cmp(&q[j])).unwrap();
                    each.collect::<Vec<_>>()[best]
                }
            })
            .sum();
        assert!(
            (ours - expected).abs() < 1e-3 * expected.abs(),
            "{ours} {expected}"
        );
    }
}

/// Within `outlier_deviations` the likelihood is the Gaussian's; beyond, it falls by the same amount for
/// every further deviation.
#[test]
fn outliers_pull_no_harder_than_the_last_action_that_is_none() {
    let mut case = Case::new(LearnConfig::default());
    let noise = case.noise(15);
    let targets = case.targets(&noise);
    let rows = case.batch.rows();
    let piece = Piece {
        batch: &case.batch,
        targets: &targets,
        start: 0,
        end: rows,
    };
    let head = Tensor::zeros((rows, 2 * ACTIONS), DType::F32, &Device::Cpu).unwrap();
    let loss = |initial: f64, outliers: f64| -> f32 {
        let deviation = Deviation {
            min: 1e-9,
            slope: initial / std::f64::consts::LN_2,
        };
        let losses = prior_losses(&head, deviation, outliers, &piece).unwrap();
        losses.done.to_scalar().unwrap()
    };
    let expected = |std: f64, outliers: f64| -> f64 {
        let actions = case.batch.action.chunks(ACTIONS).zip(&targets.weight);
        let row = |action: &[f32]| -> f64 {
            let one = |&a: &f32| {
                let z = f64::from(a).abs() / std;
                let core = z.min(outliers);
                let constant = 0.5 * (2.0 * std::f64::consts::PI).ln();
                0.5 * core * core + outliers * (z - core) + std.ln() + constant
            };
            action.iter().map(one).sum()
        };
        actions.map(|(a, &w)| f64::from(w) * row(a)).sum()
    };
    for (std, outliers) in [(0.5, 3.0), (0.1, 3.0), (0.1, 1e6)] {
        let (ours, right) = (f64::from(loss(std, outliers)), expected(std, outliers));
        assert!((ours - right).abs() < 1e-4 * right.abs(), "{ours} {right}");
    }
}

/// The slope of every loss, along random directions and along itself.
#[test]
fn gradients_of_the_losses_agree_with_finite_differences() {
    let mut case = Case::new(LearnConfig::default());
    let noise = case.noise(15);
    let targets = case.targets(&noise);
    let mut tapes = Tapes::new(&case.network);
    // Away from the targets, so that the trust region pulls too.
    let n = case.network.len();
    let parameters: Vec<f32> = case
        .target
        .iter()
        .map(|p| p + case.rng.random_range(-0.05..0.05))
        .collect();
    let multipliers = [3.0, 7.0];
    let mut loss = |parameters: &[f32], gradient: &mut [f32]| {
        let (network, batch) = (&case.network, &case.batch);
        let both = (batch, &targets);
        let sum = slope(
            network,
            parameters,
            both,
            multipliers,
            &case.config,
            gradient,
            &mut tapes,
        )
        .unwrap();
        let bounds = multipliers[0] * sum.kl[0] + multipliers[1] * sum.kl[1];
        let projection = case.config.projection_weight * sum.projection;
        sum.critic * network.critics as f64 + sum.prior + sum.expert + projection + bounds
    };
    let mut gradient = vec![0.0; n];
    loss(&parameters, &mut gradient);
    for range in [case.network.critic_range(), case.network.prior_range()] {
        for trial in 0..4 {
            let mut direction = vec![0.0f32; n];
            for i in range.clone() {
                direction[i] = if trial == 0 {
                    gradient[i]
                } else {
                    case.rng.random_range(-1.0..1.0)
                };
            }
            let norm = direction.iter().map(|d| d * d).sum::<f32>().sqrt();
            direction.iter_mut().for_each(|d| *d /= norm);
            let mut at = |step: f32| {
                let moved: Vec<f32> = parameters
                    .iter()
                    .zip(&direction)
                    .map(|(p, d)| p + step * d)
                    .collect();
                loss(&moved, &mut vec![0.0; n])
            };
            let numeric = (at(5e-3) - at(-5e-3)) / 1e-2;
            let ours: f64 = gradient
                .iter()
                .zip(&direction)
                .map(|(g, d)| f64::from(g * d))
                .sum();
            assert!(
                (ours - numeric).abs() < 5e-3 * numeric.abs().max(0.2),
                "{range:?} {trial}: {ours} {numeric}"
            );
        }
    }
}

/// A batch worked through in pieces has the gradient of the whole.
#[test]
fn pieces_add_up() {
    let mut case = Case::new(LearnConfig {
        share_values: false,
        ..LearnConfig::default()
    });
    let repeat = |x: &[f32]| x.repeat(100);
    let small = case.batch.clone();
    case.batch = Batch {
        sequences: 300,
        length: 4,
        obs: repeat(&small.obs),
        action: repeat(&small.action),
        expert_action: repeat(&small.expert_action),
        expert_mask: repeat(&small.expert_mask),
        reward: repeat(&small.reward),
        discount: repeat(&small.discount),
        next_obs: repeat(&small.next_obs),
        next_row: vec![None; 1200],
    };
    assert!(case.batch.rows() > PIECE);
    let once = case.noise(24);
    let half = once.len() / 2;
    let noise = [once[..half].repeat(100), once[half..].repeat(100)].concat();
    let targets_big = case.targets(&noise);
    let big = std::mem::replace(&mut case.batch, small);
    let targets_small = case.targets(&once);
    let mut tapes = Tapes::new(&case.network);
    let n = case.network.len();
    let (mut of_big, mut of_small) = (vec![0.0; n], vec![0.0; n]);
    let (network, p) = (&case.network, &case.target);
    slope(
        network,
        p,
        (&big, &targets_big),
        [1.0, 1.0],
        &case.config,
        &mut of_big,
        &mut tapes,
    )
    .unwrap();
    slope(
        network,
        p,
        (&case.batch, &targets_small),
        [1.0, 1.0],
        &case.config,
        &mut of_small,
        &mut tapes,
    )
    .unwrap();
    let largest = of_small.iter().fold(0f32, |most, g| most.max(g.abs()));
    assert!(
        of_big
            .iter()
            .zip(&of_small)
            .all(|(a, b)| (a - b).abs() < 1e-4 * largest)
    );
}
