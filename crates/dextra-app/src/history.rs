//! What the charts draw: series that stay short however long a run is.

use std::collections::BTreeMap;

use dextra_train::MetricRow;

/// A series holds at most this many points, a power of two.
const CAPACITY: usize = 512;

/// A quantity over environment steps.
///
/// Points are means over `stride` consecutive samples. When the series is full, neighbours are merged
/// and the stride doubles, so that the whole run stays visible at an even resolution.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    points: Vec<[f64; 2]>,
    stride: usize,
    pending: Vec<[f64; 2]>,
    last: f64,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            stride: 1,
            pending: Vec::new(),
            last: f64::NAN,
        }
    }
}

impl Series {
    fn push(&mut self, steps: f64, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.last = value;
        self.pending.push([steps, value]);
        if self.pending.len() < self.stride {
            return;
        }
        let point = mean(&self.pending);
        self.pending.clear();
        self.points.push(point);
        if self.points.len() == CAPACITY {
            self.points = self.points.chunks(2).map(mean).collect();
            self.stride *= 2;
        }
    }

    /// Points in order of steps.
    pub fn points(&self) -> &[[f64; 2]] {
        &self.points
    }

    /// The newest value.
    pub fn last(&self) -> f64 {
        self.last
    }
}

fn mean(points: &[[f64; 2]]) -> [f64; 2] {
    let sum = points
        .iter()
        .fold([0.0; 2], |sum, p| [sum[0] + p[0], sum[1] + p[1]]);
    sum.map(|s| s / points.len() as f64)
}

/// Every metric of the run so far, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    series: BTreeMap<&'static str, Series>,
}

impl History {
    /// Appends a row.
    pub fn push(&mut self, row: &MetricRow) {
        for &(name, value) in &row.values {
            self.series
                .entry(name)
                .or_default()
                .push(row.step as f64, value);
        }
    }

    /// The series of that name, if it has points.
    pub fn get(&self, name: &str) -> Option<&Series> {
        self.series
            .get(name)
            .filter(|series| !series.points.is_empty())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.series.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_long_series_stays_short_and_keeps_its_mean() {
        let mut series = Series::default();
        let n = 100_000;
        for i in 0..n {
            series.push(i as f64, (i % 2) as f64);
        }
        assert!(series.points().len() <= CAPACITY);
        assert!(series.points().len() >= CAPACITY / 4);
        assert!(series.points().windows(2).all(|w| w[0][0] < w[1][0]));
        assert!(series.points().iter().all(|p| (p[1] - 0.5).abs() < 1e-9));
        assert_eq!(series.last(), 1.0);
    }

    #[test]
    fn what_is_not_finite_is_not_drawn() {
        let mut series = Series::default();
        series.push(1.0, f64::NAN);
        series.push(2.0, 3.0);
        assert_eq!(series.points(), [[2.0, 3.0]]);
    }
}
