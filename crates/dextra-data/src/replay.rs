//! The newest episodes, sampled uniformly over steps.

use std::collections::VecDeque;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{Batch, DataError, Episode};

/// Keeps whole episodes up to a number of steps; the oldest leave first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    capacity_steps: usize,
    obs_dim: usize,
    action_dim: usize,
    episodes: VecDeque<Episode>,
    /// Steps ever pushed up to and including each kept episode: sampling a step is a binary search.
    ends: VecDeque<u64>,
    /// Steps that have left.
    dropped: u64,
}

impl Replay {
    /// An empty memory of `capacity_steps` steps with observations and actions of these lengths.
    pub fn new(capacity_steps: usize, obs_dim: usize, action_dim: usize) -> Self {
        Self {
            capacity_steps,
            obs_dim,
            action_dim,
            episodes: VecDeque::new(),
            ends: VecDeque::new(),
            dropped: 0,
        }
    }

    /// Adds an episode and drops the oldest ones beyond the capacity; the newest is always kept.
    ///
    /// # Errors
    /// An episode without steps, of another shape or with a number that is not finite is refused, and
    /// the memory is as before.
    pub fn push(&mut self, episode: Episode) -> Result<(), DataError> {
        self.check(&episode)?;
        self.ends.push_back(self.pushed() + episode.len() as u64);
        self.episodes.push_back(episode);
        while self.len() > self.capacity_steps && self.episodes.len() > 1 {
            if let (Some(_), Some(end)) = (self.episodes.pop_front(), self.ends.pop_front()) {
                self.dropped = end;
            }
        }
        Ok(())
    }

    /// Steps kept.
    pub fn len(&self) -> usize {
        (self.pushed() - self.dropped) as usize
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.episodes.is_empty()
    }

    /// The most steps kept.
    pub fn capacity_steps(&self) -> usize {
        self.capacity_steps
    }

    /// The kept episodes, oldest first.
    pub fn episodes(&self) -> impl ExactSizeIterator<Item = &Episode> {
        self.episodes.iter()
    }

    /// Draws `sequences` runs of `length` consecutive steps with `n_step` targets discounted by
    /// `gamma` per step; `None` while the memory is empty.
    ///
    /// A step is drawn uniformly and the run begins there, or as late as still fits its episode.
    pub fn sample(
        &self,
        rng: &mut impl Rng,
        sequences: usize,
        length: usize,
        n_step: usize,
        gamma: f64,
    ) -> Option<Batch> {
        if self.is_empty() {
            return None;
        }
        let mut batch = Batch {
            length,
            ..Batch::default()
        };
        for _ in 0..sequences {
            let step = rng.random_range(self.dropped..self.pushed());
            let index = self.ends.partition_point(|&end| end <= step);
            let episode = &self.episodes[index];
            let steps_left = (self.ends[index] - step) as usize;
            let start = (episode.len() - steps_left).min(episode.len().saturating_sub(length));
            batch.push_run(episode, start, n_step, gamma);
        }
        Some(batch)
    }

    /// Steps ever pushed.
    fn pushed(&self) -> u64 {
        self.ends.back().copied().unwrap_or(self.dropped)
    }

    fn check(&self, episode: &Episode) -> Result<(), DataError> {
        let seed = episode.seed;
        if episode.is_empty() {
            return Err(DataError::EmptyEpisode { seed });
        }
        let vector = |step, field, values: &[f32], expected| {
            if values.len() != expected {
                Err(DataError::Shape {
                    seed,
                    step,
                    field,
                    found: values.len(),
                    expected,
                })
            } else if values.iter().any(|value| !value.is_finite()) {
                Err(DataError::NotFinite { seed, step, field })
            } else {
                Ok(())
            }
        };
        for (step, transition) in episode.transitions.iter().enumerate() {
            vector(step, "obs", &transition.obs, self.obs_dim)?;
            vector(step, "action", &transition.action, self.action_dim)?;
            if let Some(action) = &transition.expert_action {
                vector(step, "expert_action", action, self.action_dim)?;
            }
            vector(step, "reward", &[transition.reward], 1)?;
        }
        vector(episode.len(), "final_obs", &episode.final_obs, self.obs_dim)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{Source, Transition};

    /// Steps whose observation and reward are their index plus 100 times the seed.
    fn episode(seed: u64, steps: usize, terminated: bool) -> Episode {
        let number = |t: usize| (100 * seed as usize + t) as f32;
        let transitions = (0..steps)
            .map(|t| Transition {
                obs: vec![number(t), 0.5],
                action: vec![number(t)],
                expert_action: (t % 2 == 0).then(|| vec![-number(t)]),
                reward: number(t),
                terminated: terminated && t + 1 == steps,
                source: Source::Policy,
            })
            .collect();
        Episode {
            transitions,
            final_obs: vec![number(steps), 0.5],
            seed,
            success: false,
        }
    }

    #[test]
    fn rows_follow_the_episode() {
        let mut replay = Replay::new(1000, 2, 1);
        replay.push(episode(1, 10, false)).unwrap();
        let batch = replay
            .sample(&mut ChaCha8Rng::seed_from_u64(1), 50, 4, 3, 0.5)
            .unwrap();
        assert_eq!((batch.sequences, batch.length, batch.rows()), (50, 4, 200));
        for row in 0..200 {
            let t = batch.obs[2 * row];
            assert_eq!(batch.action[row], t);
            if row % 4 > 0 {
                assert_eq!(t, batch.obs[2 * row - 2] + 1.0, "consecutive");
            }
            let even = (t as usize).is_multiple_of(2);
            assert_eq!(batch.expert_mask[row], if even { 1.0 } else { 0.0 });
            assert_eq!(batch.expert_action[row], if even { -t } else { 0.0 });
            let steps = (110.0 - t).min(3.0);
            assert_eq!(batch.next_obs[2 * row], t + steps);
            assert_eq!(
                batch.discount[row],
                0.5f32.powf(steps),
                "truncation keeps the value"
            );
            let sum: f32 = (0..steps as usize)
                .map(|i| 0.5f32.powi(i as i32) * (t + i as f32))
                .sum();
            assert_eq!(batch.reward[row], sum);
            if let Some(next) = batch.next_row[row] {
                assert_eq!(
                    batch.obs[2 * next..2 * next + 2],
                    batch.next_obs[2 * row..2 * row + 2]
                );
                assert_eq!(next / 4, row / 4, "within the run");
            }
        }
        assert_eq!(
            batch.next_row.iter().flatten().count(),
            50,
            "a run of 4 holds one 3-step pair"
        );
    }

    #[test]
    fn a_batch_of_two_memories_keeps_the_rows_of_each() {
        let memory = |seed| {
            let mut replay = Replay::new(1000, 2, 1);
            replay.push(episode(seed, 10, seed == 2)).unwrap();
            replay
        };
        let draw =
            |seed, runs| memory(seed).sample(&mut ChaCha8Rng::seed_from_u64(5), runs, 4, 1, 0.5);
        let (one, other) = (draw(1, 3).unwrap(), draw(2, 5).unwrap());
        let mut both = one.clone();
        both.append(other.clone());
        assert_eq!((both.sequences, both.rows()), (8, 32));
        assert_eq!(both.action[..12], one.action);
        assert_eq!(both.action[12..], other.action);
        for row in 0..32 {
            if let Some(next) = both.next_row[row] {
                assert_eq!(both.obs[2 * next..][..2], both.next_obs[2 * row..][..2]);
            }
        }
        assert!(both.next_row[12..].iter().flatten().all(|&next| next > 12));
    }

    #[test]
    fn no_value_follows_a_terminated_step() {
        let mut replay = Replay::new(1000, 2, 1);
        replay.push(episode(0, 3, true)).unwrap();
        let batch = replay
            .sample(&mut ChaCha8Rng::seed_from_u64(1), 20, 1, 2, 0.5)
            .unwrap();
        for row in 0..20 {
            let (discount, reward) = match batch.obs[2 * row] as usize {
                0 => (0.25, 0.5),
                1 => (0.0, 2.0),
                _ => (0.0, 2.0),
            };
            assert_eq!((batch.discount[row], batch.reward[row]), (discount, reward));
        }
    }

    #[test]
    fn episodes_shorter_than_a_run_repeat_their_last_step() {
        let mut replay = Replay::new(1000, 2, 1);
        replay.push(episode(0, 2, true)).unwrap();
        let batch = replay
            .sample(&mut ChaCha8Rng::seed_from_u64(1), 1, 4, 1, 0.5)
            .unwrap();
        assert_eq!(batch.action, [0.0, 1.0, 1.0, 1.0]);
        assert_eq!(batch.next_row, [Some(1), None, None, None]);
    }

    #[test]
    fn the_oldest_leave_and_every_kept_step_is_drawn() {
        let mut replay = Replay::new(25, 2, 1);
        for seed in 1..=4 {
            replay.push(episode(seed, 10, false)).unwrap();
        }
        assert_eq!((replay.len(), replay.episodes().len()), (20, 2));
        let batch = replay
            .sample(&mut ChaCha8Rng::seed_from_u64(2), 2000, 1, 1, 0.9)
            .unwrap();
        let mut counts = [0; 20];
        for t in &batch.action {
            counts[(*t as usize / 100 - 3) * 10 + *t as usize % 100] += 1;
        }
        assert!(counts.iter().all(|&n| (60..140).contains(&n)), "{counts:?}");
    }

    #[test]
    fn a_restored_memory_gives_the_same_batches() {
        let mut replay = Replay::new(25, 2, 1);
        for seed in 1..=4 {
            replay.push(episode(seed, 10, seed == 2)).unwrap();
        }
        let bytes = bincode::serialize(&replay).unwrap();
        let again: Replay = bincode::deserialize(&bytes).unwrap();
        assert_eq!(again, replay);
        let draw = |replay: &Replay| replay.sample(&mut ChaCha8Rng::seed_from_u64(3), 8, 4, 3, 0.9);
        assert_eq!(draw(&again), draw(&replay));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_named() {
        let mut replay = Replay::new(25, 2, 1);
        assert_eq!(
            replay.sample(&mut ChaCha8Rng::seed_from_u64(3), 8, 4, 3, 0.9),
            None
        );
        assert_eq!(
            replay.push(episode(7, 0, false)),
            Err(DataError::EmptyEpisode { seed: 7 })
        );
        let mut bad = episode(7, 5, false);
        bad.transitions[3].action.push(0.0);
        let error = replay.push(bad).unwrap_err().to_string();
        assert!(
            error.contains("step 3") && error.contains("seed 7") && error.contains("action has 2"),
            "{error}"
        );
        let mut bad = episode(7, 5, false);
        bad.final_obs[1] = f32::NAN;
        assert!(matches!(
            replay.push(bad),
            Err(DataError::NotFinite {
                step: 5,
                field: "final_obs",
                ..
            })
        ));
        assert!(replay.is_empty());
    }
}
