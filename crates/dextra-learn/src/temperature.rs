//! The dual of the per-state KL constraint (appendix A.3 of the paper), one number per state.
//!
//! `g(eta) = eta eps + eta ln mean_j exp(q_j / eta)` is convex and its slope is
//! `eps - KL(w || uniform)` with `w = softmax(q / eta)`: to minimise g is to find the temperature at
//! which the sample KL is eps. The paper walks down the slope; here Newton's method on ln(1/eta),
//! kept inside a shrinking bracket, gets there in a few steps from any values.

/// The KL found is within this fraction of the bound.
const TOLERANCE: f64 = 1e-5;
const MOST_STEPS: usize = 60;

/// A solved state: the improved policy's weights on the samples, and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Solution {
    /// Temperature, in units of the value.
    pub eta: f64,
    /// KL of the weights to the uniform ones, in nats: `bound`, or less where samples tie.
    pub kl: f64,
    /// Weighted mean of the values, V of equation 2.
    pub value: f64,
}

/// Solves one state: `q` are the values of its samples, `weights` receives softmax(q / eta).
///
/// Samples that (nearly) tie have no temperature worth the name: their weights are uniform. A bound
/// of 0 gives uniform weights; one that the number of samples cannot reach puts all weight on the
/// largest values, as its limit does.
pub(crate) fn solve(q: &[f32], bound: f64, weights: &mut [f64]) -> Solution {
    let n = q.len() as f64;
    let top = q
        .iter()
        .fold(f64::NEG_INFINITY, |top, &q| top.max(f64::from(q)));
    let mean = q.iter().map(|&q| f64::from(q)).sum::<f64>() / n;
    let variance = q
        .iter()
        .map(|&q| (f64::from(q) - mean).powi(2))
        .sum::<f64>()
        / n;
    let spread = variance.sqrt();
    // Below the resolution of f32 the differences are rounding.
    let tied = spread <= 1e-6 * top.abs().max(mean.abs()).max(1e-20);
    if tied || bound <= 0.0 {
        weights.fill(1.0 / n);
        // A temperature that gives these weights, to the sight of f32, and is finite.
        let eta = if tied {
            top.abs().max(1e-6)
        } else {
            1e6 * spread
        };
        return Solution {
            eta,
            kl: 0.0,
            value: mean,
        };
    }
    // In units of the spread; x = ln(1/eta). For normally distributed values KL = 1/(2 eta^2).
    let (mut low, mut high) = (-30f64, 30f64);
    let mut x = (0.5 * (2.0 * bound).ln()).clamp(-5.0, 5.0);
    let mut found = weigh(q, top, spread, x, weights);
    for _ in 0..MOST_STEPS {
        let excess = found.0 - bound;
        if excess.abs() <= TOLERANCE * bound {
            break;
        }
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let newton = x - excess / found.1;
        x = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        found = weigh(q, top, spread, x, weights);
    }
    let value = weights.iter().zip(q).map(|(w, &q)| w * f64::from(q)).sum();
    Solution {
        eta: spread * (-x).exp(),
        kl: found.0,
        value,
    }
}

/// Fills the weights at `x = ln(spread / eta)`; returns their KL and its slope along x, which is the
/// variance of q / eta under the weights.
fn weigh(q: &[f32], top: f64, spread: f64, x: f64, weights: &mut [f64]) -> (f64, f64) {
    let scale = x.exp() / spread;
    let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
    for (w, &q) in weights.iter_mut().zip(q) {
        let z = scale * (f64::from(q) - top);
        *w = z.exp();
        sum += *w;
        first += *w * z;
        second += *w * z * z;
    }
    weights.iter_mut().for_each(|w| *w /= sum);
    let mean = first / sum;
    let kl = mean - (sum / q.len() as f64).ln();
    (kl.max(0.0), (second / sum - mean * mean).max(1e-300))
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn samples(n: usize, scale: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
        (0..n)
            .map(|_| scale * rng.sample::<f32, _>(rand_distr::StandardNormal) - 3.0 * scale)
            .collect()
    }

    #[test]
    fn the_bound_is_met_within_a_hundredth_at_every_scale() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (n, bound) in [
            (20, 0.1),
            (20, 0.75),
            (50, 0.75),
            (50, 3.0),
            (10, 1e-4),
            (10, 2.2),
        ] {
            for scale in [1e-3, 1.0, 1e4] {
                for _ in 0..50 {
                    let q = samples(n, scale, &mut rng);
                    let mut w = vec![0.0; n];
                    let solution = solve(&q, bound, &mut w);
                    let kl: f64 = w
                        .iter()
                        .filter(|&&w| w > 0.0)
                        .map(|w| w * (n as f64 * w).ln())
                        .sum();
                    assert!(
                        (kl - bound).abs() < 0.01 * bound,
                        "{n} {bound} {scale}: {kl}"
                    );
                    assert!((solution.kl - kl).abs() < 1e-6);
                    // The weights are the softmax at the temperature reported.
                    let top = q.iter().copied().fold(f32::MIN, f32::max);
                    let exp = |q: f32| (f64::from(q - top) / solution.eta).exp();
                    let sum: f64 = q.iter().map(|&q| exp(q)).sum();
                    assert!(
                        q.iter()
                            .zip(&w)
                            .all(|(&q, w)| (exp(q) / sum - w).abs() < 1e-3)
                    );
                }
            }
        }
    }

    #[test]
    fn no_divergence_gives_the_mean_and_too_much_the_maximum() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let q = samples(20, 2.0, &mut rng);
        let mut w = vec![0.0; 20];
        let mean = q.iter().map(|&q| f64::from(q)).sum::<f64>() / 20.0;
        let top = f64::from(q.iter().copied().fold(f32::MIN, f32::max));
        let none = solve(&q, 0.0, &mut w);
        assert_eq!((none.value, none.kl), (mean, 0.0));
        assert!(w.iter().all(|&w| w == 0.05) && none.eta.is_finite());
        let mut last = mean;
        for bound in [0.1, 0.5, 1.0, 2.0, 2.9, 5.0, f64::INFINITY] {
            let value = solve(&q, bound, &mut w).value;
            assert!(value > last || bound > 3.0, "V grows with the bound");
            last = value;
        }
        assert!((last - top).abs() < 1e-6);
    }

    #[test]
    fn values_follow_affine_maps_and_weights_do_not_change() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let q = samples(20, 1.0, &mut rng);
        let mapped: Vec<f32> = q.iter().map(|q| 8.0 * q + 16.0).collect();
        let (mut w, mut w_mapped) = (vec![0.0; 20], vec![0.0; 20]);
        let plain = solve(&q, 0.75, &mut w);
        let solution = solve(&mapped, 0.75, &mut w_mapped);
        assert!((solution.value - (8.0 * plain.value + 16.0)).abs() < 1e-4);
        assert!((solution.eta - 8.0 * plain.eta).abs() < 1e-4 * plain.eta);
        assert!(w.iter().zip(&w_mapped).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn ties_stay_finite() {
        for q in [vec![0.0; 20], vec![-100.0; 20], vec![1e30; 20]] {
            let mut w = vec![0.0; 20];
            let solution = solve(&q, 0.75, &mut w);
            assert!(w.iter().all(|&w| w == 0.05));
            assert!(solution.eta.is_finite() && solution.eta > 0.0);
            assert!((solution.value - f64::from(q[0])).abs() <= 1e-6 * f64::from(q[0]).abs());
        }
        // Half the samples tie at the top: no more than ln 2 can be had.
        let mut q = vec![0.0; 20];
        q[..10].fill(1.0);
        let mut w = vec![0.0; 20];
        let solution = solve(&q, 0.75, &mut w);
        assert!((solution.kl - 2f64.ln()).abs() < 1e-6 && (solution.value - 1.0).abs() < 1e-6);
        assert!(solution.eta > 0.0 && w.iter().all(|w| w.is_finite()));
    }
}
