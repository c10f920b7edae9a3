//! The network against its definition in double precision.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

fn uniform(rng: &mut ChaCha8Rng, n: usize, half_width: f32) -> Vec<f32> {
    (0..n)
        .map(|_| rng.random_range(-half_width..half_width))
        .collect()
}

/// The network written from its definition, in double precision, one row.
fn reference(shape: Shape, p: &[f64], x: &[f64]) -> Vec<f64> {
    let (h, at) = (shape.hidden, shape.parts());
    let linear = |x: &[f64], w: &[f64], b: &[f64]| -> Vec<f64> {
        (0..b.len())
            .map(|j| {
                b[j] + x
                    .iter()
                    .enumerate()
                    .map(|(i, x)| x * w[i * b.len() + j])
                    .sum::<f64>()
            })
            .collect()
    };
    let elu = |y: Vec<f64>| -> Vec<f64> {
        y.into_iter()
            .map(|y| if y > 0.0 { y } else { y.exp_m1() })
            .collect()
    };
    let y = linear(x, &p[at.w1], &p[at.b1]);
    let mean = y.iter().sum::<f64>() / h as f64;
    let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / h as f64;
    let scale = (variance + f64::from(vmath::NORM_EPSILON)).sqrt();
    let norm = |(i, y): (usize, &f64)| {
        ((y - mean) / scale * p[at.gain.start + i] + p[at.shift.start + i]).tanh()
    };
    let y: Vec<f64> = y.iter().enumerate().map(norm).collect();
    let y = elu(linear(&y, &p[at.w2], &p[at.b2]));
    let y = elu(linear(&y, &p[at.w3], &p[at.b3]));
    linear(&y, &p[at.w4], &p[at.b4])
}

fn double(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

#[test]
fn all_ways_forward_agree_with_the_definition() {
    for (outputs, rows) in [(1, 6), (5, 6), (1, 600)] {
        let shape = Shape {
            inputs: 7,
            hidden: 32,
            outputs,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let p = uniform(&mut rng, shape.len(), 0.4);
        let x = uniform(&mut rng, rows * 7, 1.0);
        let (mut plain, mut taped) = (vec![0.0; rows * outputs], vec![0.0; rows * outputs]);
        evaluate(shape, &p, &x, &mut plain);
        forward(shape, &p, &x, &mut taped, &mut Tape::default());
        for (row, x) in x.chunks(7).enumerate() {
            for (j, y) in reference(shape, &double(&p), &double(x)).iter().enumerate() {
                assert!((f64::from(plain[row * outputs + j]) - y).abs() < 2e-5);
                assert!((f64::from(taped[row * outputs + j]) - y).abs() < 2e-5);
            }
        }
        // The same rows with the first 4 inputs shared by 3 consecutive rows.
        let shared = uniform(&mut rng, rows / 3 * 4, 1.0);
        let own = uniform(&mut rng, rows * 3, 1.0);
        let mut joined = vec![];
        for row in 0..rows {
            joined.extend_from_slice(&shared[row / 3 * 4..][..4]);
            joined.extend_from_slice(&own[row * 3..][..3]);
        }
        let mut grouped = vec![0.0; rows * outputs];
        evaluate_grouped(shape, &p, (&shared, 4), (&own, 3), &mut grouped);
        evaluate(shape, &p, &joined, &mut plain);
        for (a, b) in grouped.iter().zip(&plain) {
            assert!((a - b).abs() < 2e-5);
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for outputs in [1, 4] {
        let shape = Shape {
            inputs: 5,
            hidden: 16,
            outputs,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let (p, rows) = (uniform(&mut rng, shape.len(), 0.5), 3);
        let x = uniform(&mut rng, rows * 5, 1.0);
        let pull = uniform(&mut rng, rows * outputs, 1.0);
        let (mut out, mut g, mut tape) = (
            vec![0.0; rows * outputs],
            vec![0.0; shape.len()],
            Tape::default(),
        );
        forward(shape, &p, &x, &mut out, &mut tape);
        backward(shape, &p, &x, &pull, &mut g, &mut tape);
        let loss = |p: &[f64]| -> f64 {
            x.chunks(5)
                .zip(pull.chunks(outputs))
                .flat_map(|(x, pull)| {
                    reference(shape, p, &double(x))
                        .into_iter()
                        .zip(double(pull))
                        .map(|(y, d)| y * d)
                })
                .sum()
        };
        let p = double(&p);
        for i in 0..shape.parts().b4.end {
            let at = |step: f64| {
                let mut p = p.clone();
                p[i] += step;
                loss(&p)
            };
            let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!(
                (f64::from(g[i]) - slope).abs() < 1e-4 * slope.abs().max(1.0),
                "{i}: {} {slope}",
                g[i]
            );
        }
    }
}
