//! What the networks see of an observation: its entries brought to mean 0 and deviation 1, with statistics
//! measured once and then kept, and waves of some of them.

use crate::{LearnConfig, LearnError};

/// Running mean and variance of every entry of the observation (Chan et al. 1979).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normaliser {
    pub mean: Vec<f64>,
    /// Sum of squared deviations from the mean.
    pub squares: Vec<f64>,
    pub rows: f64,
    pub waves: Waves,
}

/// Sines and cosines of some entries (Fourier features, Tancik et al. 2020).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Waves {
    /// Which entries.
    pub entries: Vec<usize>,
    /// How many of each.
    pub count: usize,
}

impl Waves {
    /// As the configuration says.
    ///
    /// # Errors
    /// An entry that the observation does not have.
    pub fn new(config: &LearnConfig, obs_dim: usize) -> Result<Self, LearnError> {
        let entries = config.wave_entries.clone();
        match entries.iter().find(|entry| **entry >= obs_dim) {
            Some(&entry) => Err(LearnError::Config {
                field: "wave_entries",
                value: entry as f64,
                range: "entries of the observation, from 0",
            }),
            None => Ok(Self {
                count: if entries.is_empty() { 0 } else { config.waves },
                entries,
            }),
        }
    }
}

/// Angle of the first wave for a deviation of 1, rad; the others are its multiples.
const FIRST_WAVE_RAD: f32 = 2.0;

/// Smaller deviations count as this much: an entry that hardly moves must not become noise.
const LEAST_DEVIATION: f64 = 1e-2;
/// Normalised entries stay within this many deviations.
const CLIP: f32 = 10.0;

impl Normaliser {
    /// Before any statistics: leaves the entries as they are.
    pub fn new(obs_dim: usize, waves: Waves) -> Self {
        Self {
            mean: vec![0.0; obs_dim],
            squares: vec![0.0; obs_dim],
            rows: 0.0,
            waves,
        }
    }

    /// Length of an observation.
    pub fn obs_dim(&self) -> usize {
        self.mean.len()
    }

    /// Numbers that the networks see of it.
    pub fn inputs(&self) -> usize {
        self.obs_dim() + 2 * self.waves.count * self.waves.entries.len()
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

    /// What the networks see of the rows of `obs`, appended to `out`.
    pub fn apply(&self, obs: &[f32], out: &mut Vec<f32>) {
        for row in obs.chunks_exact(self.obs_dim()) {
            let start = out.len();
            if self.rows == 0.0 {
                out.extend_from_slice(row);
            } else {
                out.extend(row.iter().zip(self.mean.iter().zip(&self.squares)).map(
                    |(&x, (mean, squares))| {
                        let deviation = (squares / self.rows).sqrt().max(LEAST_DEVIATION);
                        (((f64::from(x) - mean) / deviation) as f32).clamp(-CLIP, CLIP)
                    },
                ));
            }
            for entry in &self.waves.entries {
                let angle = FIRST_WAVE_RAD * out[start + entry];
                for wave in 1..=self.waves.count {
                    let (sin, cos) = (wave as f32 * angle).sin_cos();
                    out.extend([sin, cos]);
                }
            }
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
        let mut normaliser = Normaliser::new(3, Waves::default());
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

    #[test]
    fn waves_follow_the_entries() {
        let waves = Waves {
            entries: vec![1],
            count: 2,
        };
        let normaliser = Normaliser::new(2, waves);
        let mut seen = vec![];
        normaliser.apply(&[5.0, 0.3, 6.0, -0.4], &mut seen);
        let right = |x: f32| {
            [
                (2.0 * x).sin(),
                (2.0 * x).cos(),
                (4.0 * x).sin(),
                (4.0 * x).cos(),
            ]
        };
        let row = |a: f32, b: f32| [vec![a, b], right(b).to_vec()].concat();
        assert_eq!(seen, [row(5.0, 0.3), row(6.0, -0.4)].concat());
        assert_eq!(seen.len(), 2 * normaliser.inputs());
    }
}
