//! The learner: parameters, targets, optimiser and generator, and one update after another.

use std::sync::Arc;

use dextra_data::Batch;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    LearnConfig, LearnError, Policy,
    adam::Adam,
    gradient::{self, Tapes},
    network::Network,
    normaliser::{Normaliser, Waves},
    req,
    trust_region::TrustRegion,
    vmath,
};

/// Everything that learning changes, and the buffers it works in.
///
/// Updates are deterministic: the same configuration, seed and batches give the same bits on the same
/// machine, also across [`Learner::save`] and [`Learner::load`].
pub struct Learner {
    pub(crate) config: LearnConfig,
    pub(crate) network: Network,
    /// phi, then theta.
    pub(crate) parameters: Vec<f32>,
    /// phi', then theta'.
    pub(crate) target: Vec<f32>,
    pub(crate) adam: Adam,
    pub(crate) trust_region: TrustRegion,
    pub(crate) normaliser: Normaliser,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) updates: u64,
    tapes: Tapes,
    gradient: Vec<f32>,
}

impl Learner {
    /// A learner with fresh networks for observations and actions of these lengths.
    ///
    /// # Errors
    /// A field of the configuration outside its range, or a length of 0.
    pub fn new(
        config: &LearnConfig,
        obs_dim: usize,
        action_dim: usize,
        seed: u64,
    ) -> Result<Self, LearnError> {
        config.validate()?;
        for (field, value) in [("obs_dim", obs_dim), ("action_dim", action_dim)] {
            if value == 0 {
                return Err(LearnError::Config {
                    field,
                    value: 0.0,
                    range: "at least 1",
                });
            }
        }
        let normaliser = Normaliser::new(obs_dim, Waves::new(config, obs_dim)?);
        let network = Network::new(config, normaliser.inputs(), action_dim);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let parameters = network.init(&mut rng);
        let bounds = [config.trust_region_mean, config.trust_region_covariance];
        Ok(Self {
            target: parameters.clone(),
            adam: Adam::new(network.len()),
            trust_region: TrustRegion::new(bounds, config.dual_learning_rate, action_dim),
            normaliser,
            rng,
            updates: 0,
            tapes: Tapes::new(&network),
            gradient: vec![0.0; network.len()],
            config: config.clone(),
            parameters,
            network,
        })
    }

    /// Updates made.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The configuration.
    pub fn config(&self) -> &LearnConfig {
        &self.config
    }

    /// Takes over the step sizes of critics and prior and the bound on the KL; all else stays. Published
    /// policies keep the bound that they were published with.
    ///
    /// # Errors
    /// A number outside its range; nothing has changed then.
    pub fn set_rates(&mut self, config: &LearnConfig) -> Result<(), LearnError> {
        let next = LearnConfig {
            learning_rate: config.learning_rate,
            prior_learning_rate: config.prior_learning_rate,
            kl: config.kl,
            ..self.config.clone()
        };
        next.validate()?;
        self.config = next;
        Ok(())
    }

    /// What actors need, as it is now.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::new(Policy {
            network: self.network.clone(),
            parameters: self.target.clone(),
            normaliser: self.normaliser.clone(),
            action_samples: self.config.action_samples,
            kl: self.config.kl,
            reward_scale: Some(self.config.reward_scale),
        })
    }

    /// One update on a batch.
    ///
    /// # Errors
    /// A batch whose arrays do not fit the networks.
    pub fn update(&mut self, batch: &Batch) -> Result<UpdateMetrics, LearnError> {
        let noise = self.noise(batch)?;
        self.update_with(batch, &noise)
    }

    /// The standard normal numbers that the next update on `batch` samples actions with: one row of
    /// `action_samples * action_dim` for each s, then for each s' whose value is not shared.
    ///
    /// # Errors
    /// As [`Learner::update`].
    pub fn noise(&mut self, batch: &Batch) -> Result<Vec<f32>, LearnError> {
        self.check(batch)?;
        let obs_dim = self.normaliser.obs_dim();
        let states = req::distinct_states(&self.config, batch, obs_dim);
        let numbers = states.len() / obs_dim * self.config.action_samples * self.network.action_dim;
        Ok(standard_normal(&mut self.rng, numbers))
    }

    /// One update with given noise ([`Learner::noise`]); for comparison with other implementations.
    ///
    /// # Errors
    /// As [`Learner::update`], and noise of another length.
    pub fn update_with(
        &mut self,
        batch: &Batch,
        noise: &[f32],
    ) -> Result<UpdateMetrics, LearnError> {
        self.check(batch)?;
        let Self {
            config,
            network,
            target,
            ..
        } = self;
        if self.updates < config.normalise_batches {
            self.normaliser.observe(&batch.obs);
        }
        let obs_dim = self.normaliser.obs_dim();
        let raw = req::distinct_states(config, batch, obs_dim);
        let expected = raw.len() / obs_dim * config.action_samples * network.action_dim;
        fits("noise", noise.len(), expected)?;
        let mut states = Vec::with_capacity(raw.len() / obs_dim * network.obs_dim);
        self.normaliser.apply(&raw, &mut states);

        let improved = req::improve(network, target, config, &states, noise);
        let targets = req::targets(network, target, config, batch, (states, improved));
        let multipliers = self.trust_region.multipliers();
        let losses = gradient::slope(
            network,
            &self.parameters,
            (batch, &targets),
            multipliers,
            config,
            &mut self.gradient,
            &mut self.tapes,
        )?;

        let [grad_norm_critic, grad_norm_policy] = [network.critic_range(), network.prior_range()]
            .map(|range| clip(&mut self.gradient[range], config.gradient_clip));
        let learning_rates = [
            (network.critic_range().end, config.learning_rate),
            (network.prior_range().end, config.prior_learning_rate),
        ];
        self.adam
            .step(&mut self.parameters, &self.gradient, &learning_rates);
        self.trust_region.step(losses.kl);
        self.updates += 1;
        if self.updates.is_multiple_of(config.target_period) {
            let [critic, prior] = [config.target_rate, config.prior_target_rate];
            for (range, rate) in [
                (network.critic_range(), critic),
                (network.prior_range(), prior),
            ] {
                let trained = &self.parameters[range.clone()];
                vmath::approach(&mut target[range], trained, rate as f32);
            }
        }
        let reward_scale = config.reward_scale;
        Ok(UpdateMetrics {
            critic_loss: losses.critic as f32,
            policy_loss: losses.prior as f32,
            expert_loss: losses.expert as f32,
            projection_loss: losses.projection as f32,
            eta_mean: (targets.prior.eta_mean / reward_scale) as f32,
            kl_mean: targets.prior.kl_mean as f32,
            q_mean: (targets.q_mean / reward_scale) as f32,
            v_mean: (targets.v_mean / reward_scale) as f32,
            advantage_pass_share: targets.pass_share as f32,
            kl_mean_trust: losses.kl[0] as f32,
            kl_cov_trust: losses.kl[1] as f32,
            grad_norm_critic,
            grad_norm_policy,
            policy_std: losses.std as f32,
        })
    }

    fn check(&self, batch: &Batch) -> Result<(), LearnError> {
        let (rows, obs) = (batch.rows(), self.normaliser.obs_dim());
        let action = self.network.action_dim;
        fits("obs", batch.obs.len(), rows.max(1) * obs)?;
        fits("action", batch.action.len(), rows * action)?;
        fits("expert_action", batch.expert_action.len(), rows * action)?;
        fits("expert_mask", batch.expert_mask.len(), rows)?;
        fits("reward", batch.reward.len(), rows)?;
        fits("discount", batch.discount.len(), rows)?;
        fits("next_obs", batch.next_obs.len(), rows * obs)?;
        fits("next_row", batch.next_row.len(), rows)
    }
}

/// That many standard normal numbers, the same for the same generator.
pub(crate) fn standard_normal(rng: &mut ChaCha8Rng, numbers: usize) -> Vec<f32> {
    let padded = numbers.next_multiple_of(2 * vmath::LANES);
    let mut bytes = vec![0; 4 * padded];
    rng.fill_bytes(&mut bytes);
    let mut out = vec![0.0; padded];
    vmath::normal(&bytes, &mut out);
    out.truncate(numbers);
    out
}

/// Shortens a gradient to at most `longest`; returns the length it had.
fn clip(gradient: &mut [f32], longest: f64) -> f32 {
    let norm = gradient
        .iter()
        .map(|&g| f64::from(g).powi(2))
        .sum::<f64>()
        .sqrt();
    if norm > longest {
        let scale = (longest / norm) as f32;
        gradient.iter_mut().for_each(|g| *g *= scale);
    }
    norm as f32
}

fn fits(field: &'static str, found: usize, expected: usize) -> Result<(), LearnError> {
    if found == expected {
        Ok(())
    } else {
        Err(LearnError::Batch {
            field,
            found,
            expected,
        })
    }
}

/// Means over the batch of one update.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UpdateMetrics {
    /// Squared error of the critics, equation 2, in units of the scaled reward.
    pub critic_loss: f32,
    /// Weighted negative log-likelihood of the actions done, equation 3, in nats.
    pub policy_loss: f32,
    /// The same of the expert's actions, equation 4, in nats.
    pub expert_loss: f32,
    /// Negative log-likelihood of the improved policy's samples, in nats.
    pub projection_loss: f32,
    /// Temperature eta_s, in units of the reward.
    pub eta_mean: f32,
    /// KL of the improved policy to the prior over the samples, in nats.
    pub kl_mean: f32,
    /// Q' of the actions done, in units of the reward.
    pub q_mean: f32,
    /// V of the states they were done in.
    pub v_mean: f32,
    /// Share of the actions done whose advantage is not negative.
    pub advantage_pass_share: f32,
    /// KL between target prior and prior by the mean's move, in nats per action.
    pub kl_mean_trust: f32,
    /// KL between target prior and prior by the covariance's move, in nats per action.
    pub kl_cov_trust: f32,
    /// Euclidean norm of the critics' gradient, before it is clipped.
    pub grad_norm_critic: f32,
    /// Euclidean norm of the prior's gradient, before it is clipped.
    pub grad_norm_policy: f32,
    /// The prior's standard deviation, in units of the action.
    pub policy_std: f32,
}

impl UpdateMetrics {
    /// Every number with its name.
    pub fn named(&self) -> [(&'static str, f32); 14] {
        [
            ("critic_loss", self.critic_loss),
            ("policy_loss", self.policy_loss),
            ("expert_loss", self.expert_loss),
            ("projection_loss", self.projection_loss),
            ("eta_mean", self.eta_mean),
            ("kl_mean", self.kl_mean),
            ("q_mean", self.q_mean),
            ("v_mean", self.v_mean),
            ("advantage_pass_share", self.advantage_pass_share),
            ("kl_mean_trust", self.kl_mean_trust),
            ("kl_cov_trust", self.kl_cov_trust),
            ("grad_norm_critic", self.grad_norm_critic),
            ("grad_norm_policy", self.grad_norm_policy),
            ("policy_std", self.policy_std),
        ]
    }
}
