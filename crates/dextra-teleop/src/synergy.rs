//! Principal components: the directions in which recorded postures vary most.

/// Steps of the power iteration; it converges long before.
const ITERATIONS: usize = 500;

/// A direction of samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// One deviation of the samples along it.
    pub deviation: Vec<f64>,
    /// Share of the variance that it explains.
    pub explains: f64,
}

/// The first `count` principal components of samples of equal length, by power iteration. Each points to
/// where the sum of its numbers is positive. There are fewer where the samples vary in fewer directions.
pub fn principal_components(samples: &[Vec<f64>], count: usize) -> Vec<Component> {
    let width = samples.first().map_or(0, Vec::len);
    let number = samples.len().max(1) as f64;
    let mean: Vec<f64> = (0..width)
        .map(|k| samples.iter().map(|sample| sample[k]).sum::<f64>() / number)
        .collect();
    let mut covariance = vec![vec![0.0; width]; width];
    for sample in samples {
        for (row, line) in covariance.iter_mut().enumerate() {
            for (col, entry) in line.iter_mut().enumerate() {
                *entry += (sample[row] - mean[row]) * (sample[col] - mean[col]) / number;
            }
        }
    }
    let total: f64 = (0..width).map(|k| covariance[k][k]).sum();
    let mut components = Vec::new();
    for _ in 0..count.min(width) {
        let (direction, variance) = strongest(&covariance);
        if variance <= 1e-9 * total.max(1e-12) {
            break;
        }
        for (row, line) in covariance.iter_mut().enumerate() {
            for (col, entry) in line.iter_mut().enumerate() {
                *entry -= variance * direction[row] * direction[col];
            }
        }
        let sign = direction.iter().sum::<f64>().signum();
        components.push(Component {
            deviation: direction
                .iter()
                .map(|v| sign * v * variance.sqrt())
                .collect(),
            explains: variance / total,
        });
    }
    components
}

/// The unit vector that a symmetric matrix stretches most, and by how much.
fn strongest(matrix: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let width = matrix.len();
    // Not at right angles to any direction that data could have by chance.
    let mut v: Vec<f64> = (0..width).map(|k| 1.0 + 0.1 * (k as f64).sin()).collect();
    let mut stretch = 0.0;
    for _ in 0..ITERATIONS {
        let product: Vec<f64> = matrix
            .iter()
            .map(|line| line.iter().zip(&v).map(|(a, b)| a * b).sum())
            .collect();
        stretch = product.iter().map(|x| x * x).sum::<f64>().sqrt();
        if stretch <= 0.0 {
            break;
        }
        v = product.iter().map(|x| x / stretch).collect();
    }
    (v, stretch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_those_the_samples_were_made_of() {
        // Along (3, 4)/5 with deviation 2, along (4, -3)/5 with deviation 0.5.
        let samples: Vec<Vec<f64>> = [-2.0, 2.0]
            .iter()
            .flat_map(|a: &f64| [-0.5, 0.5].map(|b: f64| (*a, b)))
            .map(|(a, b)| vec![1.0 + 0.6 * a + 0.8 * b, -2.0 + 0.8 * a - 0.6 * b])
            .collect();
        let found = principal_components(&samples, 3);
        assert_eq!(found.len(), 2);
        for (component, expected) in found.iter().zip([[1.2, 1.6], [0.4, -0.3]]) {
            for (a, b) in component.deviation.iter().zip(expected) {
                assert!((a - b).abs() < 1e-6, "{component:?}");
            }
        }
        assert!((found[0].explains - 4.0 / 4.25).abs() < 1e-9);
    }

    #[test]
    fn samples_that_do_not_vary_have_no_components() {
        assert!(principal_components(&[vec![1.0, 2.0], vec![1.0, 2.0]], 2).is_empty());
        assert!(principal_components(&[], 2).is_empty());
    }
}
