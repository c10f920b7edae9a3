//! Adam on one flat buffer, its moments in the open so that they can be saved.

use crate::vmath::{self, AdamStep};

/// The optimiser's state for one buffer of parameters (decay 0.9 and 0.999).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Adam {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub steps: u64,
}

impl Adam {
    /// For that many parameters.
    pub fn new(parameters: usize) -> Self {
        Self {
            first: vec![0.0; parameters],
            second: vec![0.0; parameters],
            steps: 0,
        }
    }

    /// One step against the gradient, with a learning rate for each of the consecutive ranges that
    /// `learning_rates` names the ends of.
    pub fn step(
        &mut self,
        parameters: &mut [f32],
        gradient: &[f32],
        learning_rates: &[(usize, f64)],
    ) {
        self.steps += 1;
        let power = self.steps.min(1_000_000) as i32; // both corrections are 1 long before
        let mut start = 0;
        for &(end, learning_rate) in learning_rates {
            let step = AdamStep {
                rate: (learning_rate / (1.0 - 0.9f64.powi(power))) as f32,
                second_correction: (1.0 / (1.0 - 0.999f64.powi(power))) as f32,
            };
            let range = start..end;
            vmath::adam(
                &mut parameters[range.clone()],
                &gradient[range.clone()],
                &mut self.first[range.clone()],
                &mut self.second[range],
                step,
            );
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_recurrence() {
        let (mut p, gradients) = (vec![1.0f32; 19], [0.3f32, -0.2, 0.5, 0.0, 1e-4]);
        let mut adam = Adam::new(19);
        let (mut x, mut m, mut v) = (1f64, 0f64, 0f64);
        for (t, g) in gradients.into_iter().enumerate() {
            adam.step(&mut p, &[g; 19], &[(16, 0.01), (19, 0.01)]);
            let g = f64::from(g);
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            let power = t as i32 + 1;
            let (m_hat, v_hat) = (
                m / (1.0 - 0.9f64.powi(power)),
                v / (1.0 - 0.999f64.powi(power)),
            );
            x -= 0.01 * m_hat / (v_hat.sqrt() + 1e-8);
            assert!(p.iter().all(|&p| (f64::from(p) - x).abs() < 1e-6));
        }
    }
}
