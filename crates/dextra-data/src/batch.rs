//! What the learner sees: rows of consecutive steps.

use crate::Episode;

/// `sequences` runs of `length` consecutive steps, one row per step, runs one after another; every
/// array is row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Number of runs.
    pub sequences: usize,
    /// Steps in each run.
    pub length: usize,
    /// Observation s, `rows * obs_dim`.
    pub obs: Vec<f32>,
    /// Action a, `rows * action_dim`.
    pub action: Vec<f32>,
    /// The expert's action at s, `rows * action_dim`; zeros where there was none.
    pub expert_action: Vec<f32>,
    /// 1 where `expert_action` holds an answer, else 0; one per row.
    pub expert_mask: Vec<f32>,
    /// Discounted sum of the rewards between s and s', one per row.
    pub reward: Vec<f32>,
    /// What the value of s' is multiplied with: discount to the power of the steps between s and s',
    /// 0 where the task ended on the way. One per row.
    pub discount: Vec<f32>,
    /// Observation s', n steps on (fewer at an episode's end), `rows * obs_dim`.
    pub next_obs: Vec<f32>,
    /// The row whose s is this row's s', where the same run holds it: a value computed there serves
    /// here. One per row.
    pub next_row: Vec<Option<usize>>,
}

impl Batch {
    /// Number of rows: `sequences * length`.
    pub fn rows(&self) -> usize {
        self.sequences * self.length
    }

    /// Appends the runs of another batch with runs of the same length.
    pub fn append(&mut self, other: Self) {
        debug_assert_eq!(self.length, other.length);
        let rows = self.rows();
        self.sequences += other.sequences;
        self.obs.extend(other.obs);
        self.action.extend(other.action);
        self.expert_action.extend(other.expert_action);
        self.expert_mask.extend(other.expert_mask);
        self.reward.extend(other.reward);
        self.discount.extend(other.discount);
        self.next_obs.extend(other.next_obs);
        let next_row = other.next_row.into_iter();
        self.next_row
            .extend(next_row.map(|row| row.map(|row| rows + row)));
    }

    /// Appends the run that begins at step `start`. A run longer than the rest of the episode repeats
    /// the last step.
    pub(crate) fn push_run(&mut self, episode: &Episode, start: usize, n_step: usize, gamma: f64) {
        let first_row = self.reward.len();
        let last = episode.len() - 1;
        for i in 0..self.length {
            let t = (start + i).min(last);
            let transition = &episode.transitions[t];
            self.obs.extend_from_slice(&transition.obs);
            self.action.extend_from_slice(&transition.action);
            match &transition.expert_action {
                Some(action) => self.expert_action.extend_from_slice(action),
                None => self.expert_action.resize(self.action.len(), 0.0),
            }
            self.expert_mask
                .push(if transition.expert_action.is_some() {
                    1.0
                } else {
                    0.0
                });

            let (mut sum, mut discount, mut next) = (0.0, 1.0, t);
            for step in &episode.transitions[t..(t + n_step).min(episode.len())] {
                sum += discount * f64::from(step.reward);
                discount *= if step.terminated { 0.0 } else { gamma };
                next += 1;
                if step.terminated {
                    break;
                }
            }
            self.reward.push(sum as f32);
            self.discount.push(discount as f32);
            self.next_obs.extend_from_slice(episode.obs(next));
            let inside = next <= last && next < start + self.length;
            self.next_row.push(inside.then(|| first_row + next - start));
        }
        self.sequences += 1;
    }
}
