//! Mass properties: of solid shapes, of several together, and their principal axes.

use crate::{
    model::Shape,
    pose::{Pose, cross, norm, normalized},
};

/// A symmetric 3x3 matrix, as rows.
pub(crate) type Tensor = [[f64; 3]; 3];

/// Mass, centre of mass with principal axes, and principal moments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MassProperties {
    pub mass: f64,
    pub pose: Pose,
    pub inertia: [f64; 3],
}

/// Volume of a shape, m^3; a plane has none.
pub(crate) fn volume(shape: &Shape) -> f64 {
    use std::f64::consts::PI;
    match *shape {
        Shape::Sphere { radius } => 4.0 / 3.0 * PI * radius.powi(3),
        Shape::Capsule {
            radius,
            half_length,
        } => PI * radius.powi(2) * (2.0 * half_length + 4.0 / 3.0 * radius),
        Shape::Cylinder {
            radius,
            half_length,
        } => 2.0 * PI * radius.powi(2) * half_length,
        Shape::Box { half_extents } => 8.0 * half_extents.iter().product::<f64>(),
        Shape::Ellipsoid { half_extents } => 4.0 / 3.0 * PI * half_extents.iter().product::<f64>(),
        Shape::Plane { .. } => 0.0,
        Shape::Mesh(ref mesh) => mesh.volume,
    }
}

/// Moments of inertia of a solid shape about its own axes.
pub(crate) fn solid_inertia(shape: &Shape, mass: f64) -> [f64; 3] {
    let along_axes = |h: [f64; 3], share: f64| {
        let [x, y, z] = h.map(|e| e * e * mass * share);
        [y + z, x + z, x + y]
    };
    match *shape {
        Shape::Sphere { radius } => [0.4 * mass * radius * radius; 3],
        Shape::Box { half_extents } => along_axes(half_extents, 1.0 / 3.0),
        Shape::Ellipsoid { half_extents } => along_axes(half_extents, 0.2),
        Shape::Cylinder {
            radius,
            half_length,
        } => {
            let across = mass * (3.0 * radius * radius + 4.0 * half_length * half_length) / 12.0;
            [across, across, 0.5 * mass * radius * radius]
        }
        Shape::Capsule {
            radius: r,
            half_length,
        } => {
            // A cylinder and the two halves of a ball, shifted to its ends.
            let h = 2.0 * half_length;
            let ball = mass * 4.0 * r / (4.0 * r + 3.0 * h);
            let cylinder = mass - ball;
            let across = cylinder * (3.0 * r * r + h * h) / 12.0
                + ball * (0.4 * r * r + 0.375 * h * r + 0.25 * h * h);
            [across, across, cylinder * r * r / 2.0 + ball * 0.4 * r * r]
        }
        Shape::Plane { .. } => [0.0; 3],
        Shape::Mesh(ref mesh) if mesh.volume > 0.0 => {
            mesh.moments.map(|moment| moment * mass / mesh.volume)
        }
        Shape::Mesh(_) => [0.0; 3],
    }
}

/// Several bodies as one.
pub(crate) fn combine(parts: &[MassProperties]) -> MassProperties {
    if let [part] = parts {
        return *part;
    }
    let mass: f64 = parts.iter().map(|p| p.mass).sum();
    if mass <= 0.0 {
        return MassProperties::default();
    }
    let com = [0, 1, 2].map(|i| parts.iter().map(|p| p.mass * p.pose.pos[i]).sum::<f64>() / mass);
    let mut total = [[0.0; 3]; 3];
    for part in parts {
        let axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|e| part.pose.rotate(e));
        let d = [0, 1, 2].map(|i| part.pose.pos[i] - com[i]);
        let square = d.iter().map(|x| x * x).sum::<f64>();
        for (i, row) in total.iter_mut().enumerate() {
            for (j, entry) in row.iter_mut().enumerate() {
                let turned: f64 = (0..3)
                    .map(|k| part.inertia[k] * axes[k][i] * axes[k][j])
                    .sum();
                let unit = if i == j { square } else { 0.0 };
                *entry += turned + part.mass * (unit - d[i] * d[j]);
            }
        }
    }
    let (inertia, quat) = principal_axes(total);
    MassProperties {
        mass,
        pose: Pose { pos: com, quat },
        inertia,
    }
}

/// Principal moments in falling order (as MuJoCo sorts them) and the rotation to their axes.
pub(crate) fn principal_axes(mut a: Tensor) -> ([f64; 3], [f64; 4]) {
    // Jacobi's method: rotate the largest off-diagonal entry away until none is left.
    let mut axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..50 {
        let (p, q) = [(0, 1), (0, 2), (1, 2)]
            .into_iter()
            .max_by(|x, y| a[x.0][x.1].abs().total_cmp(&a[y.0][y.1].abs()))
            .unwrap_or((0, 1));
        if a[p][q].abs() <= 1e-16 * (a[0][0].abs() + a[1][1].abs() + a[2][2].abs()) {
            break;
        }
        let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
        let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
        let c = 1.0 / (t * t + 1.0).sqrt();
        let s = t * c;
        for row in &mut a {
            (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
        }
        let (u, v) = (a[p], a[q]);
        a[p] = [0, 1, 2].map(|k| c * u[k] - s * v[k]);
        a[q] = [0, 1, 2].map(|k| s * u[k] + c * v[k]);
        let (u, v) = (axes[p], axes[q]);
        axes[p] = [0, 1, 2].map(|k| c * u[k] - s * v[k]);
        axes[q] = [0, 1, 2].map(|k| s * u[k] + c * v[k]);
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    let x = axes[order[0]];
    let y = axes[order[1]];
    (order.map(|i| a[i][i]), quat_from_axes(x, y, cross(x, y)))
}

/// The rotation whose images of x, y, z are the given orthonormal axes.
fn quat_from_axes(x: [f64; 3], y: [f64; 3], z: [f64; 3]) -> [f64; 4] {
    // Of the four ways to solve for the quaternion, the one with the largest divisor.
    let m = |i: usize, j: usize| [x, y, z][j][i];
    let candidates = [
        [
            1.0 + m(0, 0) + m(1, 1) + m(2, 2),
            m(2, 1) - m(1, 2),
            m(0, 2) - m(2, 0),
            m(1, 0) - m(0, 1),
        ],
        [
            m(2, 1) - m(1, 2),
            1.0 + m(0, 0) - m(1, 1) - m(2, 2),
            m(1, 0) + m(0, 1),
            m(0, 2) + m(2, 0),
        ],
        [
            m(0, 2) - m(2, 0),
            m(1, 0) + m(0, 1),
            1.0 - m(0, 0) + m(1, 1) - m(2, 2),
            m(2, 1) + m(1, 2),
        ],
        [
            m(1, 0) - m(0, 1),
            m(0, 2) + m(2, 0),
            m(2, 1) + m(1, 2),
            1.0 - m(0, 0) - m(1, 1) + m(2, 2),
        ],
    ];
    let best = (0..4).fold(0, |b, i| {
        if candidates[i][i] > candidates[b][b] {
            i
        } else {
            b
        }
    });
    normalized(candidates[best])
}

/// What is wrong with principal moments, if anything: they must be able to belong to a solid.
pub(crate) fn impossible(inertia: [f64; 3]) -> Option<&'static str> {
    let [a, b, c] = inertia;
    // MuJoCo compares exactly; rounding of eigenvalues deserves a little room.
    let room = 1e-9 * (a + b + c);
    if inertia.iter().any(|x| *x < 0.0) {
        return Some("a moment of inertia is negative");
    }
    if a + b < c - room || a + c < b - room || b + c < a - room {
        return Some(
            "the moments of inertia break A + B >= C, no solid has them; \
             correct them or set <compiler balanceinertia=\"true\"/>",
        );
    }
    None
}

/// Length of an axis, for checks.
pub(crate) fn unit(axis: [f64; 3]) -> Option<[f64; 3]> {
    let length = norm(axis);
    (length > 1e-10).then(|| axis.map(|x| x / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_halves_of_a_box_make_the_box() {
        let half = Shape::Box {
            half_extents: [0.1, 0.2, 0.3],
        };
        let part = |x: f64| MassProperties {
            mass: 2.0,
            pose: Pose {
                pos: [x, 0.0, 0.0],
                ..Pose::IDENTITY
            },
            inertia: solid_inertia(&half, 2.0),
        };
        let sum = combine(&[part(-0.1), part(0.1)]);
        let mut whole = solid_inertia(
            &Shape::Box {
                half_extents: [0.2, 0.2, 0.3],
            },
            4.0,
        );
        whole.sort_by(|a, b| b.total_cmp(a));
        assert!(
            sum.inertia
                .iter()
                .zip(whole)
                .all(|(a, b)| (a - b).abs() < 1e-12),
            "{sum:?}"
        );
    }

    #[test]
    fn principal_axes_rebuild_the_tensor() {
        let tensor = [[2.0, 0.3, -0.1], [0.3, 1.5, 0.2], [-0.1, 0.2, 3.0]];
        let (moments, quat) = principal_axes(tensor);
        let pose = Pose {
            pos: [0.0; 3],
            quat,
        };
        let axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|e| pose.rotate(e));
        for i in 0..3 {
            for j in 0..3 {
                let entry: f64 = (0..3).map(|k| moments[k] * axes[k][i] * axes[k][j]).sum();
                assert!((entry - tensor[i][j]).abs() < 1e-12);
            }
        }
        assert!(moments[0] >= moments[1] && moments[1] >= moments[2]);
    }
}
