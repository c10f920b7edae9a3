//! Geometry of observations and rewards.

/// Distance of two points.
pub(crate) fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let squares = [0, 1, 2].map(|k| (a[k] - b[k]).powi(2));
    squares.iter().sum::<f64>().sqrt()
}

/// Angles (rad) about the axes x, y, z of a body, applied in this order, that turn it as the
/// quaternion (w, x, y, z) does: `quat2euler` of mj_envs and Gymnasium-Robotics. At the pole
/// (y at plus or minus a quarter turn) the angle about x is zero.
pub(crate) fn euler_angles([w, x, y, z]: [f64; 4]) -> [f64; 3] {
    // The rows of the rotation matrix, as far as they are needed.
    let (xx, xy, xz) = (
        1.0 - 2.0 * (y * y + z * z),
        2.0 * (x * y - w * z),
        2.0 * (x * z + w * y),
    );
    let (yx, yy, yz) = (
        2.0 * (x * y + w * z),
        1.0 - 2.0 * (x * x + z * z),
        2.0 * (y * z - w * x),
    );
    let zz = 1.0 - 2.0 * (x * x + y * y);
    let cosine = zz.hypot(yz);
    let about_y = xz.atan2(cosine);
    // NumPy's machine epsilon times four, as published.
    if cosine > 4.0 * f64::EPSILON {
        [(-yz).atan2(zz), about_y, (-xy).atan2(xx)]
    } else {
        [0.0, about_y, yx.atan2(yy)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn euler_angles_are_the_published_ones() {
        // gymnasium_robotics.utils.rotations.quat2euler (1.4.2).
        let cases = [
            ([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
            (
                [0.737864787, 0.210818511, -0.632455532, 0.105409255],
                [1.3258177, -1.0949141, 1.1722739],
            ),
            (
                [-0.20519567, 0.923380517, 0.307793506, -0.102597835],
                [-2.8023, -0.3212886, -0.5880026],
            ),
        ];
        for (quat, expected) in cases {
            let found = euler_angles(quat);
            assert!(
                (0..3).all(|k| (found[k] - expected[k]).abs() < 1e-6),
                "{found:?}, not {expected:?}"
            );
        }
    }
}
