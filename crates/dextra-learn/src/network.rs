//! The two networks of the algorithm on one flat buffer: critics Q_phi, then the prior pi_theta.

use std::ops::Range;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    LearnConfig,
    mlp::{self, Shape},
};

/// Rows whose evaluation, some 2 ms a critic, is worth waking another thread. An acting policy has far
/// fewer and stays on its own.
const ROWS_WORTH_A_THREAD: usize = 64;

/// Sizes, and where each network lies in a buffer of parameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Network {
    /// Numbers that the networks see of an observation.
    pub obs_dim: usize,
    pub action_dim: usize,
    pub critics: usize,
    /// (s, a) to Q.
    pub critic: Shape,
    /// s to the mean and the raw standard deviation of every action.
    pub prior: Shape,
    pub deviation: Deviation,
}

/// The prior's standard deviation as a function of the network's raw output:
/// `min + (initial - min) softplus(raw) / ln 2`, which is `initial` at 0 and has no upper limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Deviation {
    pub min: f64,
    pub slope: f64,
}

impl Deviation {
    fn of(self, raw: f32) -> f32 {
        let softplus = raw.max(0.0) + (-raw.abs()).exp().ln_1p();
        self.slope as f32 * softplus + self.min as f32
    }
}

impl Network {
    pub fn new(config: &LearnConfig, obs_dim: usize, action_dim: usize) -> Self {
        let shape = |inputs, outputs| Shape {
            inputs,
            hidden: config.hidden,
            outputs,
        };
        Self {
            obs_dim,
            action_dim,
            critics: config.critics,
            critic: shape(obs_dim + action_dim, 1),
            prior: shape(obs_dim, 2 * action_dim),
            deviation: Deviation {
                min: config.min_std,
                slope: (config.initial_std - config.min_std) / std::f64::consts::LN_2,
            },
        }
    }

    /// Parameters of all networks together.
    pub fn len(&self) -> usize {
        self.critics * self.critic.len() + self.prior.len()
    }

    /// Where the critics lie.
    pub fn critic_range(&self) -> Range<usize> {
        0..self.critics * self.critic.len()
    }

    /// The critics' parameters, one after another.
    pub fn each_critic<'a>(
        &self,
        parameters: &'a [f32],
    ) -> impl IndexedParallelIterator<Item = &'a [f32]> {
        parameters[self.critic_range()].par_chunks_exact(self.critic.len())
    }

    /// Where the prior lies.
    pub fn prior_range(&self) -> Range<usize> {
        self.critics * self.critic.len()..self.len()
    }

    /// First parameters: matrices and the first bias uniform within one over the root of the inputs,
    /// other biases 0, gains 1. Without the first bias, layer normalisation would make the networks
    /// blind to the length of their input. The prior's head is a hundredth of the rest, so that the
    /// prior begins centred and with its configured deviation.
    pub fn init(&self, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut p = vec![0.0; self.len()];
        let shapes = std::iter::repeat_n(self.critic, self.critics).chain([self.prior]);
        let mut start = 0;
        for shape in shapes {
            for (name, range, inputs) in shape.named_parts() {
                let part = &mut p[start + range.start..start + range.end];
                match name {
                    "gain" => part.fill(1.0),
                    "w1" | "b1" | "w2" | "w3" | "w4" => {
                        let small = if name == "w4" && shape.outputs > 1 {
                            0.01
                        } else {
                            1.0
                        };
                        let bound = small / (inputs as f32).sqrt();
                        part.iter_mut()
                            .for_each(|w| *w = rng.random_range(-bound..bound));
                    }
                    _ => {}
                }
            }
            start += shape.len();
        }
        p
    }

    /// Mean and standard deviation of the prior at each row of `obs`, appended row by row.
    pub fn prior(&self, parameters: &[f32], obs: &[f32], mean: &mut Vec<f32>, std: &mut Vec<f32>) {
        let rows = obs.len() / self.obs_dim;
        let mut out = vec![0.0; rows * 2 * self.action_dim];
        mlp::evaluate(self.prior, &parameters[self.prior_range()], obs, &mut out);
        for row in out.chunks_exact(2 * self.action_dim) {
            let (m, raw) = row.split_at(self.action_dim);
            mean.extend_from_slice(m);
            std.extend(raw.iter().map(|&raw| self.deviation.of(raw)));
        }
    }

    /// The smallest of the critics' values of `group` consecutive actions per row of `obs`.
    pub fn smallest_q(
        &self,
        parameters: &[f32],
        obs: &[f32],
        (actions, group): (&[f32], usize),
        out: &mut Vec<f32>,
    ) {
        let rows = actions.len() / self.action_dim;
        let mut q = vec![0.0; self.critics * rows];
        let evaluate = |(critic, q): (&[f32], &mut [f32])| {
            let shared = (obs, self.obs_dim);
            mlp::evaluate_grouped(self.critic, critic, shared, (actions, group), q);
        };
        if rows < ROWS_WORTH_A_THREAD {
            let critics = parameters[self.critic_range()].chunks_exact(self.critic.len());
            critics.zip(q.chunks_exact_mut(rows)).for_each(evaluate);
        } else {
            let critics = self.each_critic(parameters);
            critics.zip(q.par_chunks_exact_mut(rows)).for_each(evaluate);
        }
        out.clear();
        out.resize(rows, f32::INFINITY);
        for q in q.chunks_exact(rows) {
            out.iter_mut()
                .zip(q)
                .for_each(|(least, &q)| *least = least.min(q));
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_prior_begins_centred_with_its_configured_deviation() {
        let config = LearnConfig {
            initial_std: 0.3,
            ..LearnConfig::default()
        };
        let network = Network::new(&config, 39, 28);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let parameters = network.init(&mut rng);
        let obs: Vec<f32> = (0..10 * 39).map(|_| rng.random_range(-2.0..2.0)).collect();
        let (mut mean, mut std) = (vec![], vec![]);
        network.prior(&parameters, &obs, &mut mean, &mut std);
        assert_eq!((mean.len(), std.len()), (280, 280));
        assert!(mean.iter().all(|m| m.abs() < 0.05));
        assert!(std.iter().all(|s| (s - 0.3).abs() < 0.01));
    }

    #[test]
    fn the_deviation_has_a_floor_and_no_ceiling() {
        let config = LearnConfig {
            initial_std: 0.1,
            min_std: 0.02,
            ..LearnConfig::default()
        };
        let network = Network::new(&config, 3, 2);
        assert!((network.deviation.of(-100.0) - 0.02).abs() < 1e-6);
        assert!(network.deviation.of(100.0) > 10.0);
        assert!((network.deviation.of(0.0) - 0.1).abs() < 1e-6);
    }
}
