//! A small network that learns to act as another policy does, in the layout that travels.
//!
//! DAPG's layout (Rajeswaran et al. 2018) is two layers of tanh between shifts and scales; a network
//! of another form can only be imitated in it. The loss is the mean squared difference of actions as
//! an environment sees them, clipped to [-1, 1].

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{
    LearnError, NpzPolicy,
    adam::Adam,
    mlp::{Matrix, product},
};

/// Rows of a gradient step.
const BATCH: usize = 256;
/// Inputs and outputs that hardly move are scaled as if they had this deviation.
const LEAST_DEVIATION: f64 = 1e-2;
/// The share of the first learning rate that is left at the end of a fit.
const LAST_RATE: f64 = 0.02;

/// Observations and the actions to answer them with, row by row.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// Rows of observations.
    pub obs: Vec<f32>,
    /// As many rows of actions, in [-1, 1].
    pub actions: Vec<f32>,
}

/// A network in DAPG's layout while it learns.
#[derive(Clone, Debug)]
pub struct Student {
    /// Observation, two hidden layers, action.
    widths: [usize; 4],
    /// Of each layer the matrix (inputs, outputs), then the bias.
    parameters: Vec<f32>,
    adam: Adam,
    input: Scaling,
    output: Scaling,
}

/// Mean and deviation of every column.
#[derive(Clone, Debug)]
struct Scaling {
    shift: Vec<f64>,
    scale: Vec<f64>,
}

impl Scaling {
    fn of(rows: &[f32], columns: usize) -> Self {
        let n = (rows.len() / columns).max(1) as f64;
        let mean = |of: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; columns];
            for row in rows.chunks_exact(columns) {
                for (column, (sum, &x)) in sums.iter_mut().zip(row).enumerate() {
                    *sum += of(column, f64::from(x)) / n;
                }
            }
            sums
        };
        let shift = mean(&|_, x| x);
        let variance = mean(&|column, x| (x - shift[column]).powi(2));
        let scale = variance.iter().map(|v| v.sqrt().max(LEAST_DEVIATION));
        Self {
            scale: scale.collect(),
            shift,
        }
    }
}

impl Student {
    /// A network that knows nothing but the range of these pairs; it begins by answering their mean
    /// action, nearly. `widths` are those of observation, two hidden layers and action.
    ///
    /// # Errors
    /// Pairs that are none, or whose rows do not fit the widths.
    pub fn new(pairs: &Pairs, widths: [usize; 4], seed: u64) -> Result<Self, LearnError> {
        check(pairs, widths)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut parameters = vec![];
        for (layer, pair) in widths.windows(2).enumerate() {
            // The head begins a hundredth as large as the rest.
            let bound = if layer < 2 { 1.0 } else { 0.01 } / (pair[0] as f32).sqrt();
            parameters.extend((0..pair[0] * pair[1]).map(|_| rng.random_range(-bound..bound)));
            parameters.extend(std::iter::repeat_n(0.0, pair[1]));
        }
        Ok(Self {
            adam: Adam::new(parameters.len()),
            input: Scaling::of(&pairs.obs, widths[0]),
            output: Scaling::of(&pairs.actions, widths[3]),
            widths,
            parameters,
        })
    }

    /// Learns the pairs by heart for some passes in random order, at a learning rate that falls
    /// linearly. The same calls give the same network.
    ///
    /// # Errors
    /// Pairs that are none, or whose rows do not fit.
    pub fn fit(
        &mut self,
        pairs: &Pairs,
        passes: usize,
        learning_rate: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), LearnError> {
        check(pairs, self.widths)?;
        let [inputs, _, _, outputs] = self.widths;
        let x = self.scaled(&pairs.obs);
        let mut order: Vec<usize> = (0..x.len() / inputs).collect();
        let steps = (passes * order.len().div_ceil(BATCH)).max(1);
        let mut gradient = vec![0.0; self.parameters.len()];
        let (mut batch, mut labels, mut step) = (vec![], vec![], 0);
        for _ in 0..passes {
            order.shuffle(rng);
            for chosen in order.chunks(BATCH) {
                batch.clear();
                labels.clear();
                for &row in chosen {
                    batch.extend_from_slice(&x[row * inputs..][..inputs]);
                    labels.extend_from_slice(&pairs.actions[row * outputs..][..outputs]);
                }
                self.gradient(&batch, &labels, &mut gradient);
                let left = 1.0 - step as f64 / steps as f64;
                let rate = learning_rate * (LAST_RATE + (1.0 - LAST_RATE) * left);
                let rates = [(self.parameters.len(), rate)];
                self.adam.step(&mut self.parameters, &gradient, &rates);
                step += 1;
            }
        }
        Ok(())
    }

    /// The network as a policy.
    pub fn policy(&self) -> NpzPolicy {
        let mut at = 0;
        let layers = [0, 1, 2].map(|layer| {
            let (inputs, outputs) = (self.widths[layer], self.widths[layer + 1]);
            let (matrix, rest) = self.parameters[at..].split_at(inputs * outputs);
            at += (inputs + 1) * outputs;
            let rows = (0..outputs).flat_map(|o| (0..inputs).map(move |i| i * outputs + o));
            let weights = rows.map(|index| f64::from(matrix[index])).collect();
            let bias = rest[..outputs].iter().map(|&b| f64::from(b)).collect();
            (weights, bias)
        });
        NpzPolicy {
            in_shift: self.input.shift.clone(),
            in_scale: self.input.scale.clone(),
            layers,
            out_scale: self.output.scale.clone(),
            out_shift: self.output.shift.clone(),
        }
    }

    fn scaled(&self, obs: &[f32]) -> Vec<f32> {
        let Scaling { shift, scale } = &self.input;
        obs.chunks_exact(shift.len())
            .flat_map(|row| row.iter().zip(shift.iter().zip(scale)))
            .map(|(&x, (shift, scale))| ((f64::from(x) - shift) / (scale + 1e-8)) as f32)
            .collect()
    }

    /// The gradient of half the batch's mean squared error.
    fn gradient(&self, x: &[f32], labels: &[f32], gradient: &mut [f32]) {
        let rows = x.len() / self.widths[0];
        let mut activations = vec![x.to_vec()];
        let mut at = 0;
        for (layer, pair) in self.widths.windows(2).enumerate() {
            let (below, width) = (&activations[layer], pair[1]);
            let (matrix, rest) = self.parameters[at..].split_at(pair[0] * width);
            let mut above: Vec<f32> = rest[..width].repeat(rows);
            let (a, b) = (Matrix::new(below, pair[0]), Matrix::new(matrix, width));
            product((rows, pair[0], width), &mut above, true, a, b);
            if layer < 2 {
                above.iter_mut().for_each(|v| *v = v.tanh());
            }
            activations.push(above);
            at += (pair[0] + 1) * width;
        }
        let mut d = self.output_gradient(&activations[3], labels);
        gradient.fill(0.0);
        for layer in (0..3).rev() {
            let (inputs, outputs) = (self.widths[layer], self.widths[layer + 1]);
            at -= (inputs + 1) * outputs;
            let below = &activations[layer];
            let (d_matrix, rest) = gradient[at..].split_at_mut(inputs * outputs);
            let columns = Matrix::new(below, inputs).t();
            let d_rows = Matrix::new(&d, outputs);
            product((inputs, rows, outputs), d_matrix, false, columns, d_rows);
            for row in d.chunks_exact(outputs) {
                rest.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
            }
            if layer > 0 {
                let matrix = Matrix::new(&self.parameters[at..][..inputs * outputs], outputs);
                let mut d_below = vec![0.0; below.len()];
                product(
                    (rows, outputs, inputs),
                    &mut d_below,
                    false,
                    d_rows,
                    matrix.t(),
                );
                d_below
                    .iter_mut()
                    .zip(below)
                    .for_each(|(d, y)| *d *= 1.0 - y * y);
                d = d_below;
            }
        }
    }

    /// The gradient with respect to the head's output. Beyond the range, on the label's side of it,
    /// the environment sees no difference.
    fn output_gradient(&self, out: &[f32], labels: &[f32]) -> Vec<f32> {
        let Scaling { shift, scale } = &self.output;
        let columns = shift.iter().zip(scale).cycle();
        let one = |((&y, &label), (&shift, &scale)): ((&f32, &f32), (&f64, &f64))| {
            let error = f64::from(y) * scale + shift - f64::from(label);
            let unseen = (label >= 1.0 && error > 0.0) || (label <= -1.0 && error < 0.0);
            let error = if unseen { 0.0 } else { error };
            (error * scale / out.len() as f64) as f32
        };
        out.iter().zip(labels).zip(columns).map(one).collect()
    }
}

fn check(pairs: &Pairs, widths: [usize; 4]) -> Result<(), LearnError> {
    let rows = (pairs.obs.len() / widths[0].max(1)).max(1);
    for (field, found, width) in [
        ("obs", pairs.obs.len(), widths[0]),
        ("actions", pairs.actions.len(), widths[3]),
    ] {
        if found != rows * width {
            return Err(LearnError::Batch {
                field,
                found,
                expected: rows * width,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Pairs of a rule that a network of this form can nearly follow, with actions at the ends too.
    fn pairs(rows: usize) -> Pairs {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let obs: Vec<f32> = (0..3 * rows).map(|_| rng.random_range(-1.0..1.0)).collect();
        let rule = |o: &[f32]| {
            let (a, b) = (2.0 * o[0] - o[1], (3.0 * o[2]).sin() * o[0]);
            [a.clamp(-1.0, 1.0), b]
        };
        let actions = obs.chunks_exact(3).flat_map(rule).collect();
        Pairs { obs, actions }
    }

    fn loss(student: &Student, pairs: &Pairs) -> f64 {
        let policy = student.policy();
        let rows = pairs.obs.chunks_exact(3).zip(pairs.actions.chunks_exact(2));
        let squares = rows.flat_map(|(o, label)| {
            let answer = policy.act(o).into_iter().zip(label);
            answer
                .map(|(y, l)| f64::from(y.clamp(-1.0, 1.0) - l).powi(2))
                .collect::<Vec<_>>()
        });
        squares.sum::<f64>() / pairs.actions.len() as f64
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let pairs = pairs(20);
        let mut student = Student::new(&pairs, [3, 5, 4, 2], 1).unwrap();
        // Away from the small head that it begins with, where all but the last layer hardly matters.
        let head = student.parameters.len() - 10;
        student.parameters[head..]
            .iter_mut()
            .for_each(|w| *w *= 50.0);
        let mut gradient = vec![0.0; student.parameters.len()];
        student.gradient(&student.scaled(&pairs.obs), &pairs.actions, &mut gradient);
        for (index, &found) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut moved = student.clone();
                moved.parameters[index] += by;
                loss(&moved, &pairs) / 2.0
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let found = f64::from(found);
            assert!(
                (found - expected).abs() < 1e-4 + 0.02 * expected.abs(),
                "{index}: {found}, not {expected}"
            );
        }
    }

    #[test]
    fn learns_a_rule_and_learns_it_the_same_way_again() {
        let pairs = pairs(1000);
        let learned = || {
            let mut student = Student::new(&pairs, [3, 16, 16, 2], 1).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            student.fit(&pairs, 200, 1e-2, &mut rng).unwrap();
            student
        };
        let student = learned();
        let error = loss(&student, &pairs).sqrt();
        assert!(error < 0.05, "rms {error}");
        assert_eq!(student.parameters, learned().parameters);
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let mut pairs = pairs(10);
        assert!(Student::new(&Pairs::default(), [3, 4, 4, 2], 1).is_err());
        pairs.actions.pop();
        let error = Student::new(&pairs, [3, 4, 4, 2], 1).unwrap_err();
        assert!(
            error.to_string().contains("actions has 19 numbers"),
            "{error}"
        );
    }
}
