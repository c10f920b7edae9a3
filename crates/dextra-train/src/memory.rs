//! What the learner draws from: the newest episodes, and demonstrations that stay.

use dextra_data::{Batch, Replay};
use dextra_learn::LearnConfig;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::config::TrainConfig;

/// Two memories and how they mix.
#[derive(Serialize, Deserialize)]
pub(crate) struct Memory {
    pub demonstrations: Replay,
    pub replay: Replay,
    /// Of every batch, from the demonstrations.
    pub demonstration_share: f64,
}

impl Memory {
    pub fn new(config: &TrainConfig, obs_dim: usize, action_dim: usize) -> Self {
        Self {
            demonstrations: Replay::new(usize::MAX, obs_dim, action_dim),
            replay: Replay::new(config.replay_capacity, obs_dim, action_dim),
            demonstration_share: config.demonstration_share,
        }
    }

    /// A batch of the learner's shape; `None` while there is nothing to draw from.
    pub fn sample(&self, rng: &mut ChaCha8Rng, config: &LearnConfig) -> Option<Batch> {
        let shown = if self.demonstrations.is_empty() {
            0
        } else {
            (self.demonstration_share * config.sequences as f64).round() as usize
        };
        let mut draw = |replay: &Replay, runs: usize| {
            let (length, n_step) = (config.sequence_length, config.n_step);
            (runs > 0)
                .then(|| replay.sample(rng, runs, length, n_step, config.discount))
                .flatten()
        };
        let shown_batch = draw(&self.demonstrations, shown);
        let lived_batch = draw(&self.replay, config.sequences - shown);
        match (shown_batch, lived_batch) {
            (Some(mut batch), Some(more)) => {
                batch.append(more);
                Some(batch)
            }
            (one, other) => one.or(other),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dextra_data::{Episode, Source, Transition};

    use super::*;
    use crate::seeds::generator;

    fn episode(source: Source) -> Episode {
        let step = Transition {
            obs: vec![0.0],
            action: vec![source as u8 as f32],
            expert_action: None,
            reward: 0.0,
            terminated: false,
            source,
        };
        Episode {
            transitions: vec![step; 10],
            final_obs: vec![0.0],
            seed: 0,
            success: true,
        }
    }

    #[test]
    fn demonstrations_keep_their_share_however_much_is_lived_through() {
        let (config, learn) = (TrainConfig::default(), LearnConfig::default());
        let mut memory = Memory::new(&config, 1, 1);
        let mut rng = generator(0, "test", 0);
        assert!(memory.sample(&mut rng, &learn).is_none());
        for _ in 0..50 {
            memory.replay.push(episode(Source::Policy)).unwrap();
        }
        let shown = |memory: &Memory, rng: &mut ChaCha8Rng| {
            let batch = memory.sample(rng, &learn).unwrap();
            assert_eq!(batch.rows(), learn.sequences * learn.sequence_length);
            let shown = f32::from(Source::Demonstration as u8);
            batch.action.iter().filter(|&&a| a == shown).count()
        };
        assert_eq!(shown(&memory, &mut rng), 0);
        memory
            .demonstrations
            .push(episode(Source::Demonstration))
            .unwrap();
        assert_eq!(shown(&memory, &mut rng), 16 * learn.sequence_length);
    }
}
