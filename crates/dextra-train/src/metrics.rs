//! What a round measured, by name.

use dextra_learn::UpdateMetrics;

/// The measurements of one round. Names are those of [`columns`]; a row holds what is known.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRow {
    /// Environment steps so far.
    pub step: u64,
    /// Updates so far.
    pub updates: u64,
    /// Seconds of training so far.
    pub wall_secs: f64,
    /// Name and value.
    pub values: Vec<(&'static str, f64)>,
}

/// Share of a round's environment steps that a person made.
pub(crate) const INTERVENTION_RATE: &str = "intervention_rate";

/// Every name a row can hold, in the order of `progress.csv`.
pub fn columns() -> Vec<&'static str> {
    const LOOP: [&str; 13] = [
        "steps_per_sec",
        "updates_per_sec",
        "episodes",
        "episode_return",
        "episode_length",
        "success_rate",
        "expert_success_rate",
        "intertwined_success_rate",
        "replay_steps",
        "eval_success_rate",
        "eval_ci_low",
        "eval_ci_high",
        "eval_return",
    ];
    let learner = UpdateMetrics::default();
    LOOP.into_iter()
        .chain(learner.named().map(|(name, _)| name))
        .chain([INTERVENTION_RATE])
        .collect()
}

/// Means of the learner's metrics over a round.
#[derive(Default)]
pub(crate) struct UpdateMeans {
    sums: Vec<(&'static str, f64)>,
    updates: u64,
}

impl UpdateMeans {
    pub fn add(&mut self, metrics: &UpdateMetrics) {
        let named = metrics.named();
        if self.sums.is_empty() {
            self.sums = named.iter().map(|&(name, _)| (name, 0.0)).collect();
        }
        for ((_, sum), (_, value)) in self.sums.iter_mut().zip(named) {
            *sum += f64::from(value);
        }
        self.updates += 1;
    }

    pub fn values(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let n = self.updates.max(1) as f64;
        self.sums.iter().map(move |&(name, sum)| (name, sum / n))
    }
}
