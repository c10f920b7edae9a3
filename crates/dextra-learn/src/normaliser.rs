//! Observations brought to mean 0 and deviation 1, with statistics measured once and then kept.

/// Running mean and variance of every entry of the observation (Chan et al. 1979).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normaliser {
    pub mean: Vec<f64>,
    /// Sum of squared deviations from the mean.
    pub squares: Vec<f64>,
    pub rows: f64,
}

/// Smaller deviations count as this much: an entry that hardly moves must not become noise.
const LEAST_DEVIATION: f64 = 1e-2;
/// Normalised entries stay within this many deviations.
const CLIP: f32 = 10.0;

impl Normaliser {
    /// Before any statistics: changes nothing.
    pub fn new(obs_dim: usize) -> Self {
        Self {
            mean: vec![0.0; obs_dim],
            squares: vec![0.0; obs_dim],
            rows: 0.0,
        }
    }

    /// Adds rows of observations to the statistics.
    pub fn observe(&mut self, obs: &[f32]) {
        for row in obs.chunks_exact(self.mean.len()) {
            self.rows += 1.0;
            for ((mean, squares), &x) in self.mean.iter_mut().zip(&mut self.squares).zip(row) {
                let before = f64::from(x) - *mean;
                *mean += before / self.rows;
                *squares += before * (f64::from(x) - *mean);
            }
        }
    }

    /// The rows of `obs`, normalised, appended to `out`.
    pub fn apply(&self, obs: &[f32], out: &mut Vec<f32>) {
        if self.rows == 0.0 {
            out.extend_from_slice(obs);
            return;
        }
        for row in obs.chunks_exact(self.mean.len()) {
            out.extend(row.iter().zip(self.mean.iter().zip(&self.squares)).map(
                |(&x, (mean, squares))| {
                    let deviation = (squares / self.rows).sqrt().max(LEAST_DEVIATION);
                    (((f64::from(x) - mean) / deviation) as f32).clamp(-CLIP, CLIP)
                },
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalised_rows_have_mean_0_and_deviation_1() {
        let rows: Vec<f32> = (0..100)
            .flat_map(|i| [i as f32, 5.0 - 0.5 * i as f32, 7.0])
            .collect();
        let mut normaliser = Normaliser::new(3);
        let mut out = vec![];
        normaliser.apply(&rows, &mut out);
        assert_eq!(out, rows, "nothing is known yet");
        normaliser.observe(&rows[..150]);
        normaliser.observe(&rows[150..]);
        out.clear();
        normaliser.apply(&rows, &mut out);
        for column in 0..3 {
            let x: Vec<f64> = out
                .iter()
                .skip(column)
                .step_by(3)
                .map(|&x| f64::from(x))
                .collect();
            let mean = x.iter().sum::<f64>() / 100.0;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 100.0;
            assert!(mean.abs() < 1e-5);
            assert!((variance - if column < 2 { 1.0 } else { 0.0 }).abs() < 1e-4);
        }
    }
}
