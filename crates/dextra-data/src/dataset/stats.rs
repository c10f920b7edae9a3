//! Statistics of every feature, as LeRobot keeps them for normalisation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::{Table, Values};

/// The quantiles and LeRobot's names for them.
const QUANTILES: [(&str, f64); 5] = [
    ("q01", 0.01),
    ("q10", 0.1),
    ("q50", 0.5),
    ("q90", 0.9),
    ("q99", 0.99),
];

/// Of one feature, one number for each of its values; `count` is the number of steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureStats {
    /// Smallest.
    pub min: Vec<f64>,
    /// Largest.
    pub max: Vec<f64>,
    /// Mean.
    pub mean: Vec<f64>,
    /// Standard deviation.
    pub std: Vec<f64>,
    /// Steps.
    pub count: [u64; 1],
    /// Quantiles by name. Over several episodes, as in LeRobot, the mean of theirs.
    #[serde(flatten)]
    pub quantiles: BTreeMap<String, Vec<f64>>,
}

/// Of all features, by name.
pub type Stats = BTreeMap<String, FeatureStats>;

/// The statistics of a table's numbers.
pub(crate) fn of_table(table: &Table) -> Stats {
    let columns = table.columns.iter().filter_map(|column| {
        let numbers: Vec<f64> = match &column.values {
            Values::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
            Values::F64(values) => values.clone(),
            Values::I64(values) => values.iter().map(|&x| x as f64).collect(),
            Values::Bool(values) => values.iter().map(|&x| f64::from(u8::from(x))).collect(),
            Values::Text(_) => return None,
        };
        let stats = of_rows(&numbers, column.width.unwrap_or(1), table.rows);
        Some((column.name.clone(), stats))
    });
    columns.collect()
}

fn of_rows(numbers: &[f64], width: usize, rows: usize) -> FeatureStats {
    let mut stats = FeatureStats {
        count: [rows as u64],
        ..FeatureStats::default()
    };
    for k in 0..width {
        let mut values: Vec<f64> = numbers.iter().skip(k).step_by(width).copied().collect();
        values.sort_by(f64::total_cmp);
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        stats.min.push(values.first().copied().unwrap_or(0.0));
        stats.max.push(values.last().copied().unwrap_or(0.0));
        stats.mean.push(mean);
        stats.std.push(variance.sqrt());
        for (name, share) in QUANTILES {
            let quantile = quantile(&values, share);
            let all = stats.quantiles.entry(name.into()).or_default();
            all.push(quantile);
        }
    }
    stats
}

/// Linear between the nearest two.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len().max(1) - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    match (sorted.get(below), sorted.get(above)) {
        (Some(low), Some(high)) => low + (high - low) * place.fract(),
        _ => 0.0,
    }
}

/// Adds the statistics of more steps.
pub(crate) fn add(all: &mut Stats, more: &Stats) {
    for (name, more) in more {
        match all.get_mut(name) {
            None => {
                all.insert(name.clone(), more.clone());
            }
            Some(stats) => add_feature(stats, more),
        }
    }
}

fn add_feature(all: &mut FeatureStats, more: &FeatureStats) {
    let (n, m) = (all.count[0] as f64, more.count[0] as f64);
    let share = m / (n + m).max(1.0);
    let width = all.mean.len().min(more.mean.len());
    for k in 0..width {
        let apart = more.mean[k] - all.mean[k];
        let variance = (1.0 - share) * all.std[k].powi(2)
            + share * more.std[k].powi(2)
            + share * (1.0 - share) * apart * apart;
        all.min[k] = all.min[k].min(more.min[k]);
        all.max[k] = all.max[k].max(more.max[k]);
        all.mean[k] += share * apart;
        all.std[k] = variance.sqrt();
    }
    for (name, values) in &mut all.quantiles {
        for (value, more) in values
            .iter_mut()
            .zip(more.quantiles.get(name).into_iter().flatten())
        {
            *value += share * (more - *value);
        }
    }
    all.count[0] += more.count[0];
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table(values: &[f64]) -> Table {
        let mut table = Table {
            rows: values.len() / 2,
            ..Table::default()
        };
        table.push_list("x", 2, Values::F64(values.to_vec()));
        table
    }

    #[test]
    fn statistics_of_parts_add_up_to_those_of_the_whole() {
        let values: Vec<f64> = (0..40).map(|i| (f64::from(i) * 1.7).sin()).collect();
        let whole = of_table(&table(&values));
        let mut sum = of_table(&table(&values[..12]));
        add(&mut sum, &of_table(&table(&values[12..])));
        let (whole, sum) = (&whole["x"], &sum["x"]);
        assert_eq!((&whole.min, &whole.max), (&sum.min, &sum.max));
        assert_eq!(sum.count, [20]);
        for k in 0..2 {
            assert!((whole.mean[k] - sum.mean[k]).abs() < 1e-12);
            assert!((whole.std[k] - sum.std[k]).abs() < 1e-12);
        }
    }

    #[test]
    fn quantiles_lie_between_the_sorted_values() {
        // numpy.quantile([1, 2, 4, 8], [0.1, 0.5, 0.9]) is [1.3, 3.0, 6.8].
        let stats = of_table(&table(&[8.0, 0.0, 1.0, 0.0, 4.0, 0.0, 2.0, 0.0]));
        let found = |name: &str| stats["x"].quantiles[name][0];
        assert!((found("q10") - 1.3).abs() < 1e-12);
        assert!((found("q50") - 3.0).abs() < 1e-12);
        assert!((found("q90") - 6.8).abs() < 1e-12);
    }
}
