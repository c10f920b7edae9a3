//! Vectors, rotations, damped least squares and chance, as small as the experts need them.

use dextra_sim::Pose;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

pub(super) fn add(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|k| a[k] + b[k])
}

pub(super) fn sub(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|k| a[k] - b[k])
}

pub(super) fn scale(a: [f64; 3], s: f64) -> [f64; 3] {
    a.map(|v| v * s)
}

pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// The quaternion of a rotation vector.
pub(super) fn quaternion(rotation_rad: [f64; 3]) -> [f64; 4] {
    let angle = dot(rotation_rad, rotation_rad).sqrt();
    // sin(x/2)/x, whose limit at zero is 1/2.
    let factor = if angle > 1e-9 {
        (angle / 2.0).sin() / angle
    } else {
        0.5
    };
    let [x, y, z] = scale(rotation_rad, factor);
    [(angle / 2.0).cos(), x, y, z]
}

/// A pose after a rotation about an axis through a point.
pub(super) fn turn(pose: &Pose, through: [f64; 3], axis: [f64; 3], angle_rad: f64) -> Pose {
    let rotation = Pose {
        pos: [0.0; 3],
        quat: quaternion(scale(axis, angle_rad)),
    };
    Pose {
        pos: add(through, rotation.rotate(sub(pose.pos, through))),
        quat: rotation
            .mul(&Pose {
                pos: [0.0; 3],
                quat: pose.quat,
            })
            .quat,
    }
}

/// The shortest rotation from one orientation to another, as a rotation vector in the world.
pub(super) fn rotation_vector(to: [f64; 4], from: [f64; 4]) -> [f64; 3] {
    let frame = |quat| Pose {
        pos: [0.0; 3],
        quat,
    };
    let [w, x, y, z] = frame(to).mul(&frame(from).inverse()).quat;
    // q and -q are one rotation: take the half with w >= 0.
    let sign = if w < 0.0 { -1.0 } else { 1.0 };
    let vector = scale([x, y, z], sign);
    let sine = dot(vector, vector).sqrt();
    if sine < 1e-9 {
        return scale(vector, 2.0);
    }
    scale(vector, 2.0 * sine.atan2(w * sign) / sine)
}

/// `J^T (J J^T + damping^2 I)^-1 error` for the Jacobian of these columns (linear, angular).
pub(super) fn damped_least_squares(
    columns: &[[[f64; 3]; 2]],
    error: [[f64; 3]; 2],
    damping: f64,
) -> Vec<f64> {
    let mut matrix = [[0.0; 6]; 6];
    for (row, line) in matrix.iter_mut().enumerate() {
        for (col, entry) in line.iter_mut().enumerate() {
            let products = columns
                .iter()
                .map(|c| c[row / 3][row % 3] * c[col / 3][col % 3]);
            *entry = products.sum::<f64>() + if row == col { damping * damping } else { 0.0 };
        }
    }
    let y = solve_symmetric(matrix, [0, 1, 2, 3, 4, 5].map(|k| error[k / 3][k % 3]));
    let along = |c: &[[f64; 3]; 2]| (0..6).map(|k| c[k / 3][k % 3] * y[k]).sum();
    columns.iter().map(along).collect()
}

/// Gaussian elimination; needs no pivoting because the matrix is positive definite.
fn solve_symmetric(mut a: [[f64; 6]; 6], mut b: [f64; 6]) -> [f64; 6] {
    for pivot in 0..6 {
        for row in pivot + 1..6 {
            let factor = a[row][pivot] / a[pivot][pivot];
            let above = a[pivot];
            for (entry, above) in a[row].iter_mut().zip(above).skip(pivot) {
                *entry -= factor * above;
            }
            b[row] -= factor * b[pivot];
        }
    }
    for row in (0..6).rev() {
        let known: f64 = (row + 1..6).map(|col| a[row][col] * b[col]).sum();
        b[row] = (b[row] - known) / a[row][row];
    }
    b
}

/// A standard normal number (Box and Muller).
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn rotation_vectors_survive_the_way_through_quaternions() {
        for rotation in [
            [0.3, -0.2, 0.5],
            [0.0, 0.0, 3.0],
            [1e-12, 0.0, 0.0],
            [0.0; 3],
        ] {
            let back = rotation_vector(quaternion(rotation), Pose::IDENTITY.quat);
            assert!(
                (0..3).all(|k| near(back[k], rotation[k])),
                "{back:?} from {rotation:?}"
            );
        }
    }

    #[test]
    fn turning_a_quarter_about_a_shifted_axis() {
        let turned = turn(
            &Pose {
                pos: [2.0, 0.0, 0.0],
                ..Pose::IDENTITY
            },
            [1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0],
            std::f64::consts::FRAC_PI_2,
        );
        assert!(
            near(turned.pos[0], 1.0) && near(turned.pos[1], 1.0),
            "{:?}",
            turned.pos
        );
    }

    #[test]
    fn least_squares_without_much_damping_inverts() {
        let columns = [0, 1, 2, 3, 4, 5].map(|k| {
            let mut column = [[0.0; 3]; 2];
            column[k / 3][k % 3] = 2.0;
            column[0][0] += 0.5;
            column
        });
        let step = damped_least_squares(&columns, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], 1e-9);
        // Rows 1 to 5 give half the error; row 0 also feels half of every joint.
        let others = [1.0, 1.5, 2.0, 2.5, 3.0];
        assert!(
            others
                .iter()
                .zip(&step[1..])
                .all(|(a, b)| (a - b).abs() < 1e-6),
            "{step:?}"
        );
        assert!((step[0] * 2.5 + 0.5 * 10.0 - 1.0).abs() < 1e-6, "{step:?}");
    }
}
