//! Every number of the algorithm, with the paper's name for it.

use serde::{Deserialize, Serialize};

use crate::LearnError;

/// How the advantage weighs an action in the prior update (equations 3 and 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// 1 where the advantage is not negative, else 0: the paper's filter.
    Binary,
    /// exp(A / temperature), at most weight_clip: the paper's REQ-exp. The temperature is in units of
    /// A's deviation over the batch, so that no weight depends on the scale of the rewards.
    Exponential,
    /// 1: what is in the memory is imitated as it is, and the critic has no say.
    Uniform,
}

/// The learner's configuration. [`Default`] is the preset `default`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearnConfig {
    /// Units of each of the three hidden layers; a multiple of 16.
    pub hidden: usize,
    /// Critics; the smallest of their values counts.
    pub critics: usize,
    /// The prior's standard deviation before learning, in units of the action.
    pub initial_std: f64,
    /// The prior's smallest standard deviation, in units of the action.
    pub min_std: f64,
    /// Discount per step, gamma.
    pub discount: f64,
    /// Rewards are multiplied by it before the critics see them. Adam moves a value by a fixed amount
    /// per update: values of hundreds take it longer to reach than the rest of learning takes.
    pub reward_scale: f64,
    /// Rewards summed before the value of the state reached.
    pub n_step: usize,
    /// Runs of consecutive steps in a batch.
    pub sequences: usize,
    /// Steps in each run.
    pub sequence_length: usize,
    /// Adam's step size for the critics.
    pub learning_rate: f64,
    /// Adam's step size for the prior. A policy is the sum of what its last few hundred batches said:
    /// with the critics' step it forgets within those what single batches do not show.
    pub prior_learning_rate: f64,
    /// The longest gradient, of the prior and of the critics: a longer one is shortened to it. One
    /// outlier would otherwise fill Adam's second moment and stop learning for thousands of updates.
    pub gradient_clip: f64,
    /// Actions sampled from the prior per state, M.
    pub action_samples: usize,
    /// Bound on KL(pi || prior) at every state, epsilon, in nats. Attainable below ln M.
    pub kl: f64,
    /// How the advantage weighs an action.
    pub weight: Weight,
    /// Temperature of the exponential weight, in deviations of the advantage over the batch.
    pub weight_temperature: f64,
    /// Largest exponential weight.
    pub weight_clip: f64,
    /// Deviations from the prior's mean beyond which an action's negative log-likelihood grows linearly
    /// and no longer as a square. An expert that jumps from one posture to the next is many deviations
    /// from a mean between the two, and a few such rows would be all that the prior learns from.
    pub outlier_deviations: f64,
    /// Weight, beside 1 of the actions done and of the expert's, with which the prior also learns from
    /// the improved policy's samples (MPO's projection); 0 in the paper. It is what leads a policy out
    /// of a place where it stands still between two of the expert's habits.
    pub projection_weight: f64,
    /// Whether the prior also learns from the expert's actions (equation 4).
    pub expert_term: bool,
    /// Bound on the KL that moving the prior's mean causes, in nats per action.
    pub trust_region_mean: f64,
    /// Bound on the KL that moving the prior's covariance causes, in nats per action.
    pub trust_region_covariance: f64,
    /// Adam's step size for the trust region's multipliers.
    pub dual_learning_rate: f64,
    /// Updates between two changes of the target networks, U.
    pub target_period: u64,
    /// How far the target critics move towards the trained ones: 1 copies them.
    pub target_rate: f64,
    /// The same of the target prior, which is what acts: slower, it averages out what single batches do
    /// to a policy.
    pub prior_target_rate: f64,
    /// Whether V of a state that is both s of one row and s' of another is computed once.
    pub share_values: bool,
    /// Batches over which the observation's mean and scale are measured; then they stay. 0: never.
    pub normalise_batches: u64,
    /// Entries of the observation that the networks are also told as waves, such as a goal's: where like
    /// goals want unlike actions a network alone learns slowly to tell them apart (Tancik et al. 2020).
    pub wave_entries: Vec<usize>,
    /// Waves of each such entry, each a sine and a cosine.
    pub waves: usize,
}

impl Default for LearnConfig {
    fn default() -> Self {
        Self {
            hidden: 256,
            critics: 2,
            initial_std: 0.12,
            min_std: 0.07,
            discount: 0.99,
            reward_scale: 0.02,
            n_step: 3,
            sequences: 32,
            sequence_length: 4,
            learning_rate: 1e-3,
            prior_learning_rate: 3e-4,
            gradient_clip: 40.0,
            action_samples: 10,
            kl: 0.75,
            weight: Weight::Exponential,
            weight_temperature: 2.0,
            weight_clip: 20.0,
            outlier_deviations: 3.0,
            projection_weight: 1.0,
            expert_term: true,
            trust_region_mean: 5e-2,
            trust_region_covariance: 1e-3,
            dual_learning_rate: 1e-2,
            target_period: 1,
            target_rate: 2e-2,
            prior_target_rate: 5e-3,
            share_values: true,
            normalise_batches: 500,
            wave_entries: Vec::new(),
            waves: 3,
        }
    }
}

impl LearnConfig {
    /// The preset of that name: `default`, which learns fastest here; `bc`, behaviour cloning, which is
    /// the same without the critic's say; or `paper`, the numbers of Jeong et al. 2020, table 5. The paper does not state the prior's first standard deviation, the
    /// multipliers' step size nor a gradient clip: they are 0.3, and 1e-2 and 40 as in MPO's published
    /// code.
    pub fn preset(name: &str) -> Option<Self> {
        let paper = || Self {
            hidden: 256,
            critics: 1,
            initial_std: 0.3,
            min_std: 1e-5f64.sqrt(),
            discount: 0.99,
            reward_scale: 1.0,
            n_step: 1,
            sequences: 128,
            sequence_length: 32,
            learning_rate: 1e-4,
            prior_learning_rate: 1e-4,
            gradient_clip: 40.0,
            action_samples: 50,
            kl: 0.75,
            weight: Weight::Binary,
            weight_temperature: 1.0,
            weight_clip: 20.0,
            outlier_deviations: 1e6,
            projection_weight: 0.0,
            expert_term: true,
            trust_region_mean: 5e-3,
            trust_region_covariance: 1e-5,
            dual_learning_rate: 1e-2,
            target_period: 500,
            target_rate: 1.0,
            prior_target_rate: 1.0,
            share_values: true,
            normalise_batches: 0,
            wave_entries: Vec::new(),
            waves: 3,
        };
        match name {
            "default" => Some(Self::default()),
            "bc" => Some(Self {
                weight: Weight::Uniform,
                projection_weight: 0.0,
                expert_term: false,
                // No bound on how far it moves: what it imitates stays where it is.
                trust_region_mean: 1e6,
                trust_region_covariance: 1e6,
                ..Self::default()
            }),
            "paper" => Some(paper()),
            _ => None,
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), LearnError> {
        let unless = |ok: bool, field, value: f64, range| {
            if ok {
                Ok(())
            } else {
                Err(LearnError::Config {
                    field,
                    value,
                    range,
                })
            }
        };
        let positive = |field, value: f64| {
            unless(
                value > 0.0 && value.is_finite(),
                field,
                value,
                "positive and finite",
            )
        };
        let count = |field, value: usize, most: usize| {
            unless(
                (1..=most).contains(&value),
                field,
                value as f64,
                "at least 1 and not so large that memory ends",
            )
        };
        unless(
            self.hidden.is_multiple_of(16) && (16..=4096).contains(&self.hidden),
            "hidden",
            self.hidden as f64,
            "a multiple of 16 from 16 to 4096",
        )?;
        count("critics", self.critics, 64)?;
        positive("min_std", self.min_std)?;
        unless(
            self.initial_std > self.min_std && self.initial_std.is_finite(),
            "initial_std",
            self.initial_std,
            "finite and above min_std",
        )?;
        unless(
            (0.0..=1.0).contains(&self.discount),
            "discount",
            self.discount,
            "from 0 to 1",
        )?;
        count("n_step", self.n_step, 1000)?;
        count("sequences", self.sequences, 100_000)?;
        count("sequence_length", self.sequence_length, 10_000)?;
        positive("reward_scale", self.reward_scale)?;
        positive("learning_rate", self.learning_rate)?;
        positive("prior_learning_rate", self.prior_learning_rate)?;
        positive("gradient_clip", self.gradient_clip)?;
        unless(
            (2..=1000).contains(&self.action_samples),
            "action_samples",
            self.action_samples as f64,
            "from 2 to 1000",
        )?;
        unless(self.kl >= 0.0, "kl", self.kl, "0 or more")?;
        positive("weight_temperature", self.weight_temperature)?;
        positive("weight_clip", self.weight_clip)?;
        positive("outlier_deviations", self.outlier_deviations)?;
        unless(
            self.waves <= 100,
            "waves",
            self.waves as f64,
            "from 0 to 100",
        )?;
        unless(
            (0.0..=1e3).contains(&self.projection_weight),
            "projection_weight",
            self.projection_weight,
            "from 0 to 1000",
        )?;
        positive("trust_region_mean", self.trust_region_mean)?;
        positive("trust_region_covariance", self.trust_region_covariance)?;
        positive("dual_learning_rate", self.dual_learning_rate)?;
        unless(
            self.target_period >= 1,
            "target_period",
            self.target_period as f64,
            "at least 1",
        )?;
        for (field, rate) in [
            ("target_rate", self.target_rate),
            ("prior_target_rate", self.prior_target_rate),
        ] {
            unless(
                rate > 0.0 && rate <= 1.0,
                field,
                rate,
                "above 0 and at most 1",
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn presets_are_valid_and_the_papers_numbers_are_the_papers() {
        LearnConfig::preset("default").unwrap().validate().unwrap();
        let paper = LearnConfig::preset("paper").unwrap();
        paper.validate().unwrap();
        assert_eq!(
            (paper.sequences, paper.sequence_length, paper.action_samples),
            (128, 32, 50)
        );
        assert_eq!(
            (paper.kl, paper.learning_rate, paper.target_period),
            (0.75, 1e-4, 500)
        );
        assert_eq!(
            (paper.trust_region_mean, paper.trust_region_covariance),
            (5e-3, 1e-5)
        );
        assert_eq!(LearnConfig::preset("papers"), None);
        let cloning = LearnConfig::preset("bc").unwrap();
        cloning.validate().unwrap();
        assert_eq!(cloning.weight, Weight::Uniform);
    }

    #[test]
    fn a_bad_field_is_named() {
        let bad = LearnConfig {
            hidden: 100,
            ..LearnConfig::default()
        };
        let text = bad.validate().unwrap_err().to_string();
        assert!(
            text.contains("hidden = 100") && text.contains("multiple of 16"),
            "{text}"
        );
        for bad in [
            LearnConfig {
                kl: f64::NAN,
                ..LearnConfig::default()
            },
            LearnConfig {
                discount: 1.5,
                ..LearnConfig::default()
            },
            LearnConfig {
                initial_std: 0.01,
                ..LearnConfig::default()
            },
            LearnConfig {
                sequences: 0,
                ..LearnConfig::default()
            },
            LearnConfig {
                target_rate: 0.0,
                ..LearnConfig::default()
            },
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}
