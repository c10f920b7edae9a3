//! Success rates with intervals, recent outcomes, and when a level was first reached.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::exploration::EpisodePlan;

/// Wilson's 95% interval of a success rate.
///
/// Unlike the normal approximation it stays within 0 to 1 and has width at 0 and n successes.
pub fn wilson_interval(successes: usize, episodes: usize) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if episodes == 0 {
        return (0.0, 1.0);
    }
    let n = episodes as f64;
    let p = successes as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// Outcomes of the newest training episodes, by who acted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecentEpisodes {
    success: [VecDeque<bool>; 3],
    returns: VecDeque<f64>,
    lengths: VecDeque<usize>,
}

impl RecentEpisodes {
    const WINDOW: usize = 50;

    pub fn push(&mut self, plan: EpisodePlan, success: bool, total: f64, length: usize) {
        push(&mut self.success[plan as usize], success);
        push(&mut self.returns, total);
        push(&mut self.lengths, length);
    }

    /// Success rate of the newest episodes with that plan; `None` before the first.
    pub fn success_rate(&self, plan: EpisodePlan) -> Option<f64> {
        mean(
            self.success[plan as usize]
                .iter()
                .map(|&s| f64::from(u8::from(s))),
        )
    }

    pub fn mean_return(&self) -> Option<f64> {
        mean(self.returns.iter().copied())
    }

    pub fn mean_length(&self) -> Option<f64> {
        mean(self.lengths.iter().map(|&n| n as f64))
    }
}

fn push<T>(window: &mut VecDeque<T>, value: T) {
    if window.len() == RecentEpisodes::WINDOW {
        window.pop_front();
    }
    window.push_back(value);
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let n = values.len();
    (n > 0).then(|| values.sum::<f64>() / n as f64)
}

/// When an evaluation first reached a success rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// Environment steps of training by then.
    pub steps: u64,
    /// Seconds of training by then, evaluations included.
    pub secs: f64,
}

/// First evaluations at or above half and nine tenths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Milestones {
    /// 50% success.
    pub to_50: Option<Reached>,
    /// 90% success.
    pub to_90: Option<Reached>,
}

impl Milestones {
    pub(crate) fn note(&mut self, success_rate: f64, reached: Reached) {
        for (level, slot) in [(0.5, &mut self.to_50), (0.9, &mut self.to_90)] {
            if success_rate >= level {
                slot.get_or_insert(reached);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_published_values() {
        // Wilson's interval as statsmodels' proportion_confint(method="wilson") gives it.
        let near = |got: (f64, f64), want: (f64, f64)| {
            assert!(
                (got.0 - want.0).abs() < 1e-4 && (got.1 - want.1).abs() < 1e-4,
                "{got:?}"
            );
        };
        near(wilson_interval(90, 100), (0.825_6, 0.944_8));
        near(wilson_interval(0, 10), (0.0, 0.277_5));
        near(wilson_interval(10, 10), (0.722_5, 1.0));
        assert_eq!(wilson_interval(0, 0), (0.0, 1.0));
    }

    #[test]
    fn windows_forget() {
        let mut recent = RecentEpisodes::default();
        assert_eq!(recent.success_rate(EpisodePlan::Policy), None);
        for i in 0..100 {
            recent.push(EpisodePlan::Policy, i >= 50, 1.0, 200);
        }
        assert_eq!(recent.success_rate(EpisodePlan::Policy), Some(1.0));
        assert_eq!(recent.success_rate(EpisodePlan::Expert), None);
        assert_eq!(recent.mean_length(), Some(200.0));
    }

    #[test]
    fn milestones_keep_the_first() {
        let mut milestones = Milestones::default();
        let at = |steps| Reached {
            steps,
            secs: steps as f64,
        };
        milestones.note(0.4, at(1));
        milestones.note(0.6, at(2));
        milestones.note(0.95, at(3));
        milestones.note(1.0, at(4));
        assert_eq!(milestones.to_50, Some(at(2)));
        assert_eq!(milestones.to_90, Some(at(3)));
    }
}
