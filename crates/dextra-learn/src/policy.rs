//! What actors need of the learner: the target networks, read-only.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{learner::standard_normal, network::Network, normaliser::Normaliser, req, temperature};

/// How a policy chooses among what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActMode {
    /// The improved policy pi: samples of the prior, one drawn with weight softmax(Q / eta_s).
    Resample,
    /// One sample of the prior.
    Prior,
    /// The prior's mean.
    Mean,
}

/// An immutable copy of a learner's target networks: pi', Q' and what is done with them.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) network: Network,
    pub(crate) parameters: Vec<f32>,
    pub(crate) normaliser: Normaliser,
    pub(crate) action_samples: usize,
    pub(crate) kl: f64,
    pub(crate) reward_scale: Option<f64>,
}

impl Policy {
    /// Length of an observation.
    pub fn obs_dim(&self) -> usize {
        self.normaliser.obs_dim()
    }

    /// Length of an action.
    pub fn action_dim(&self) -> usize {
        self.network.action_dim
    }

    /// What rewards were multiplied by before the critics saw them; `None` in files that do not say. A value
    /// over it is in units of the reward.
    pub fn reward_scale(&self) -> Option<f64> {
        self.reward_scale
    }

    /// An action in [-1, 1] for an observation; `rng` is the only source of chance, and
    /// [`ActMode::Mean`] does not touch it.
    pub fn act(&self, obs: &[f32], rng: &mut ChaCha8Rng, mode: ActMode) -> Vec<f32> {
        let obs = self.normalised(obs);
        let (mut mean, mut std) = (vec![], vec![]);
        self.network
            .prior(&self.parameters, &obs, &mut mean, &mut std);
        let dim = self.action_dim();
        match mode {
            ActMode::Mean => req::prior_samples(&mean, &std, &vec![0.0; dim], dim),
            ActMode::Prior => req::prior_samples(&mean, &std, &standard_normal(rng, dim), dim),
            ActMode::Resample => {
                let noise = standard_normal(rng, self.action_samples * dim);
                let actions = req::prior_samples(&mean, &std, &noise, dim);
                let mut q = vec![];
                let group = (actions.as_slice(), self.action_samples);
                self.network
                    .smallest_q(&self.parameters, &obs, group, &mut q);
                let mut weights = vec![0.0; self.action_samples];
                temperature::solve(&q, self.kl, &mut weights);
                let chosen = draw(&weights, rng);
                actions[chosen * dim..(chosen + 1) * dim].to_vec()
            }
        }
    }

    /// Q' of an action, the smallest of the critics', in units of the scaled reward.
    pub fn value(&self, obs: &[f32], action: &[f32]) -> f32 {
        let obs = self.normalised(obs);
        let mut q = vec![];
        self.network
            .smallest_q(&self.parameters, &obs, (action, 1), &mut q);
        q[0]
    }

    /// What the algorithm sees at a state: samples of the prior, their values, and what follows from
    /// them; and the value of `action`, which was or will be done there. Values are in units of the
    /// scaled reward.
    pub fn inspect(&self, obs: &[f32], action: &[f32], rng: &mut ChaCha8Rng) -> Inspection {
        let obs = self.normalised(obs);
        let (mut mean, mut std) = (vec![], vec![]);
        self.network
            .prior(&self.parameters, &obs, &mut mean, &mut std);
        let dim = self.action_dim();
        let noise = standard_normal(rng, self.action_samples * dim);
        let mut actions = req::prior_samples(&mean, &std, &noise, dim);
        actions.extend_from_slice(action);
        let mut q = vec![];
        let group = (actions.as_slice(), self.action_samples + 1);
        self.network
            .smallest_q(&self.parameters, &obs, group, &mut q);
        let done = q.pop().unwrap_or_default();
        actions.truncate(self.action_samples * dim);
        let mut weights = vec![0.0; self.action_samples];
        let solution = temperature::solve(&q, self.kl, &mut weights);
        Inspection {
            actions,
            q,
            weights,
            eta: solution.eta,
            kl: solution.kl,
            value: solution.value,
            action_value: done,
            std: std.iter().sum::<f32>() / dim as f32,
        }
    }

    fn normalised(&self, obs: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(obs.len());
        self.normaliser.apply(obs, &mut out);
        out
    }
}

/// The improved policy at one state.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Samples of the prior, (samples, actions).
    pub actions: Vec<f32>,
    /// Q' of each sample.
    pub q: Vec<f32>,
    /// Weight of each sample in the improved policy; they sum to 1.
    pub weights: Vec<f64>,
    /// Temperature eta_s that holds the KL at its bound.
    pub eta: f64,
    /// KL of the weights to uniform ones, nats.
    pub kl: f64,
    /// V(s), the weighted mean of the samples' values.
    pub value: f64,
    /// Q' of the action that was asked about.
    pub action_value: f32,
    /// The prior's standard deviation, averaged over actions.
    pub std: f32,
}

/// An index with the probability of its weight; the weights sum to 1.
fn draw(weights: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let mut left = rng.random::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    weights.len() - 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::SeedableRng;

    use super::*;
    use crate::{LearnConfig, Learner};

    #[test]
    fn acting_is_reproducible_and_stays_inside_the_range() {
        let config = LearnConfig {
            initial_std: 0.9,
            ..LearnConfig::default()
        };
        let policy = Learner::new(&config, 5, 3, 1).unwrap().policy();
        let obs = [0.1, -0.2, 0.3, 5.0, -5.0];
        for mode in [ActMode::Mean, ActMode::Prior, ActMode::Resample] {
            let actions = |seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                (0..50)
                    .flat_map(|_| policy.act(&obs, &mut rng, mode))
                    .collect::<Vec<_>>()
            };
            assert_eq!(actions(1), actions(1));
            assert_eq!(actions(1) == actions(2), mode == ActMode::Mean);
            assert!(actions(1).iter().all(|a| (-1.0..=1.0).contains(a)));
        }
    }

    #[test]
    fn an_inspection_is_what_resampling_acts_by() {
        let config = LearnConfig {
            initial_std: 0.5,
            ..LearnConfig::default()
        };
        let policy = Learner::new(&config, 4, 2, 3).unwrap().policy();
        let (obs, done) = ([0.5, -0.5, 0.2, 0.1], [0.3, -0.9]);
        let seen = policy.inspect(&obs, &done, &mut ChaCha8Rng::seed_from_u64(6));
        let same = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(same(seen.action_value, policy.value(&obs, &done)));
        for (action, &q) in seen.actions.chunks(2).zip(&seen.q) {
            assert!(same(q, policy.value(&obs, action)));
        }
        assert!((seen.kl - config.kl).abs() < 1e-4);
        assert!((seen.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let mean = seen.q.iter().zip(&seen.weights);
        let mean: f64 = mean.map(|(&q, w)| f64::from(q) * w).sum();
        assert!((seen.value - mean).abs() < 1e-12);
        // The same draws as acting makes.
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let chosen = policy.act(&obs, &mut rng, ActMode::Resample);
        assert!(seen.actions.chunks(2).any(|action| action == chosen));
    }

    #[test]
    fn resampling_prefers_what_the_critic_prefers() {
        let config = LearnConfig {
            initial_std: 0.5,
            kl: 2.0,
            ..LearnConfig::default()
        };
        let policy = Learner::new(&config, 4, 2, 3).unwrap().policy();
        let (obs, mut rng) = ([0.5, -0.5, 0.2, 0.1], ChaCha8Rng::seed_from_u64(4));
        let mut mean = |mode| -> f32 {
            (0..300)
                .map(|_| policy.value(&obs, &policy.act(&obs, &mut rng, mode)))
                .sum::<f32>()
                / 300.0
        };
        let (prior, resampled) = (mean(ActMode::Prior), mean(ActMode::Resample));
        assert!(resampled > prior, "{prior} {resampled}");
    }
}
