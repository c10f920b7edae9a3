//! The bounds on how far one update moves the prior (section 3 of the paper, after MPO).
//!
//! Mean and covariance are bounded apart: KL( pi' || N(mu, Sigma') ) and KL( pi' || N(mu', Sigma) )
//! with the target prior pi' = N(mu', Sigma'). Each bound has a multiplier alpha; the prior descends
//! on alpha KL, the multiplier on alpha (bound - KL), so it grows while the bound is exceeded. As in
//! MPO's published code, KL is counted per action: a bound means the same for one joint as for many.

use candle_core::{Result, Tensor};

use crate::adam::Adam;

/// The multipliers of mean and covariance, as logarithms: a step changes them by a fraction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TrustRegion {
    pub log_multipliers: Vec<f32>,
    pub adam: Adam,
    bounds: [f64; 2],
    learning_rate: f64,
}

impl TrustRegion {
    /// Begins where a pull of 1 per deviation on each of the actions is held exactly at the bounds.
    pub fn new(bounds: [f64; 2], learning_rate: f64, action_dim: usize) -> Self {
        let actions = action_dim as f64;
        let mean = (actions / (2.0 * bounds[0]).sqrt()).ln();
        let covariance = (actions / (4.0 * bounds[1]).sqrt()).ln();
        Self {
            log_multipliers: vec![mean as f32, covariance as f32],
            adam: Adam::new(2),
            bounds,
            learning_rate,
        }
    }

    /// The multipliers of mean and covariance.
    pub fn multipliers(&self) -> [f64; 2] {
        [0, 1].map(|i| f64::from(self.log_multipliers[i]).exp())
    }

    /// One dual step after an update that found these divergences, in nats per action.
    pub fn step(&mut self, kl: [f64; 2]) {
        let multipliers = self.multipliers();
        let slope = [0, 1].map(|i| (multipliers[i] * (self.bounds[i] - kl[i])) as f32);
        self.adam.step(
            &mut self.log_multipliers,
            &slope,
            &[(2, self.learning_rate)],
        );
        self.log_multipliers
            .iter_mut()
            .for_each(|log| *log = log.clamp(-14.0, 14.0));
    }
}

/// The two divergences per action, summed over rows; all arguments are (rows, actions).
pub(crate) fn divergences(
    (mean, std): (&Tensor, &Tensor),
    (target_mean, target_std): (&Tensor, &Tensor),
) -> Result<[Tensor; 2]> {
    let moved = ((mean - target_mean)? / target_std)?.sqr()?;
    let ratio = (target_std / std)?;
    let widened = (((&ratio.sqr()? - 1.0)? * 0.5)? - ratio.log()?)?;
    let actions = mean.dim(1)? as f64;
    Ok([
        (moved.sum_all()? * (0.5 / actions))?,
        (widened.sum_all()? / actions)?,
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::Device;

    use super::*;

    #[test]
    fn divergences_agree_with_the_integral() {
        let tensor = |x: f32| Tensor::new(&[[x]], &Device::Cpu).unwrap();
        let (mean, std, target_mean, target_std) = (0.3f64, 0.5f64, -0.1f64, 0.8f64);
        let [moved, widened] = divergences(
            (&tensor(mean as f32), &tensor(std as f32)),
            (&tensor(target_mean as f32), &tensor(target_std as f32)),
        )
        .unwrap();
        let log_density = |x: f64, m: f64, s: f64| -0.5 * ((x - m) / s).powi(2) - s.ln();
        let integral = |m: f64, s: f64| -> f64 {
            (-8000..8000)
                .map(|i| {
                    let x = f64::from(i) * 1e-3;
                    let p = log_density(x, target_mean, target_std);
                    let density = p.exp() / (2.0 * std::f64::consts::PI).sqrt();
                    1e-3 * density * (p - log_density(x, m, s))
                })
                .sum()
        };
        assert!(
            (f64::from(moved.to_scalar::<f32>().unwrap()) - integral(mean, target_std)).abs()
                < 1e-5
        );
        assert!(
            (f64::from(widened.to_scalar::<f32>().unwrap()) - integral(target_mean, std)).abs()
                < 1e-5
        );
    }

    #[test]
    fn multipliers_rise_beyond_the_bound_and_fall_within() {
        let mut region = TrustRegion::new([0.01, 0.001], 1e-2, 28);
        let before = region.multipliers();
        for _ in 0..100 {
            region.step([0.02, 0.0]);
        }
        let after = region.multipliers();
        assert!(
            after[0] > 1.5 * before[0] && after[1] < before[1] / 1.5,
            "{before:?} {after:?}"
        );
    }
}
