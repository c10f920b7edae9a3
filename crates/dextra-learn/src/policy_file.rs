//! A policy as a safetensors file: what acts, without what only learning needs.

use safetensors::{SafeTensors, tensor::serialize};
use serde::{Deserialize, Serialize};

use crate::{
    LearnConfig, LearnError, Policy,
    network::Network,
    normaliser::{Normaliser, Waves},
    state::{Array, KEY, Reader},
};

/// What the file is; a change of layout changes it.
const FORMAT: &str = "dextra-policy-1";

/// What the arrays do not say.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    obs_dim: usize,
    action_dim: usize,
    critics: usize,
    hidden: usize,
    initial_std: f64,
    min_std: f64,
    action_samples: usize,
    kl: f64,
    /// Files of earlier versions do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reward_scale: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wave_entries: Vec<usize>,
    #[serde(default, skip_serializing_if = "is_zero")]
    waves: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Policy {
    /// The bytes of a safetensors file that [`Policy::load`] reads. `parameters` is laid out as in
    /// [`crate::Learner::save`].
    ///
    /// # Errors
    /// When the file cannot be put together.
    pub fn save(&self) -> Result<Vec<u8>, LearnError> {
        let (network, deviation) = (&self.network, self.network.deviation);
        let header = Header {
            format: FORMAT.into(),
            obs_dim: self.obs_dim(),
            action_dim: network.action_dim,
            critics: network.critics,
            hidden: network.prior.hidden,
            initial_std: deviation.min + deviation.slope * std::f64::consts::LN_2,
            min_std: deviation.min,
            action_samples: self.action_samples,
            kl: self.kl,
            reward_scale: self.reward_scale,
            wave_entries: self.normaliser.waves.entries.clone(),
            waves: self.normaliser.waves.count,
        };
        let bad = |error: &dyn std::fmt::Display| LearnError::State(error.to_string());
        let header = serde_json::to_string(&header).map_err(|error| bad(&error))?;
        let arrays = [
            ("parameters", Array::f32(&self.parameters)),
            ("observation.mean", Array::f64(&self.normaliser.mean)),
            ("observation.squares", Array::f64(&self.normaliser.squares)),
            ("observation.rows", Array::f64(&[self.normaliser.rows])),
        ];
        let views = arrays.iter().map(|(name, array)| (*name, array));
        serialize(views, Some([(KEY.to_owned(), header)].into())).map_err(|error| bad(&error))
    }

    /// The policy that [`Policy::save`] wrote.
    ///
    /// # Errors
    /// Bytes that are truncated, no policy, or of a later version of Dextra.
    pub fn load(bytes: &[u8]) -> Result<Self, LearnError> {
        let bad = |reason: &str| LearnError::State(reason.to_owned());
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|_| bad("truncated or not a safetensors file"))?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let header: Header = header
            .and_then(|text| serde_json::from_str(text).ok())
            .filter(|header: &Header| header.format == FORMAT)
            .ok_or_else(|| bad("a safetensors file of something else, or of a later Dextra"))?;
        let config = LearnConfig {
            critics: header.critics,
            hidden: header.hidden,
            initial_std: header.initial_std,
            min_std: header.min_std,
            action_samples: header.action_samples,
            kl: header.kl,
            wave_entries: header.wave_entries,
            waves: header.waves,
            ..LearnConfig::default()
        };
        config.validate()?;
        let file = SafeTensors::deserialize(bytes)
            .map_err(|_| bad("truncated or not a safetensors file"))?;
        let (read, obs_dim) = (Reader { file }, header.obs_dim);
        let normaliser = Normaliser {
            mean: read.f64("observation.mean", obs_dim)?,
            squares: read.f64("observation.squares", obs_dim)?,
            rows: read.f64("observation.rows", 1)?[0],
            waves: Waves::new(&config, obs_dim)?,
        };
        let network = Network::new(&config, normaliser.inputs(), header.action_dim);
        let parameters = read.f32("parameters", network.len())?;
        Ok(Self {
            network,
            parameters,
            normaliser,
            action_samples: header.action_samples,
            kl: header.kl,
            reward_scale: header.reward_scale,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{ActMode, Learner};

    #[test]
    fn a_policy_from_a_file_acts_as_it_did() {
        let config = LearnConfig {
            hidden: 16,
            initial_std: 0.3,
            kl: 0.5,
            ..LearnConfig::default()
        };
        let policy = Learner::new(&config, 5, 3, 1).unwrap().policy();
        let bytes = policy.save().unwrap();
        let again = Policy::load(&bytes).unwrap();
        assert_eq!(again.reward_scale(), Some(config.reward_scale));
        let obs = [0.1, -0.2, 0.3, 0.4, -0.5];
        for mode in [ActMode::Mean, ActMode::Prior, ActMode::Resample] {
            let act = |policy: &Policy| policy.act(&obs, &mut ChaCha8Rng::seed_from_u64(7), mode);
            assert_eq!(act(&policy), act(&again));
        }
        for cut in [0, 7, 100, bytes.len() - 1] {
            assert!(Policy::load(&bytes[..cut]).is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn a_learners_state_is_no_policy() {
        let config = LearnConfig {
            hidden: 16,
            ..LearnConfig::default()
        };
        let state = Learner::new(&config, 5, 3, 1).unwrap().save().unwrap();
        assert!(Policy::load(&state).is_err());
    }
}
