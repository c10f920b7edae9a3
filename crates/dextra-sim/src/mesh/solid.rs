//! Volume, centre and inertia of what a surface encloses: pyramids from its triangles to a point inside.

use crate::{compile::inertia::Tensor, pose::cross};

/// What a mesh is filled with (`<mesh inertia>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    /// Every pyramid counts in full: what MuJoCo does unless told otherwise. Too much where the surface is
    /// hollow seen from its middle.
    Legacy,
    /// What the surface encloses.
    Exact,
    /// What its convex hull encloses.
    Convex,
}

/// A solid of density one.
pub(super) struct Solid {
    pub volume: f64,
    pub center: [f64; 3],
    /// About the centre.
    pub inertia: Tensor,
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|k| a[k] - b[k])
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|k| a[k] * b[k]).sum()
}

/// Six times the volume between a triangle and a point: positive where the point is outside.
pub(super) fn six_volumes(a: [f64; 3], b: [f64; 3], c: [f64; 3], point: [f64; 3]) -> f64 {
    dot(cross(minus(b, a), minus(c, a)), minus(point, a))
}

/// The direction that a triangle faces; none for one without area.
pub(super) fn unit_normal([a, b, c]: [[f64; 3]; 3]) -> [f64; 3] {
    let normal = cross(minus(b, a), minus(c, a));
    let length = dot(normal, normal).sqrt();
    normal.map(|x| if length > 0.0 { x / length } else { 0.0 })
}

/// What the triangles enclose.
pub(super) fn solid(vertices: &[[f64; 3]], faces: &[[u32; 3]], filling: Filling) -> Solid {
    let corners = || faces.iter().map(|face| face.map(|i| vertices[i as usize]));
    let counted = |volume: f64| match filling {
        Filling::Legacy => volume.abs(),
        Filling::Exact | Filling::Convex => volume,
    };
    let middle = surface_center(corners());
    let (mut volume, mut moment) = (0.0, [0.0; 3]);
    for [a, b, c] in corners() {
        let part = counted(-six_volumes(a, b, c, middle) / 6.0);
        volume += part;
        for k in 0..3 {
            moment[k] += part * (a[k] + b[k] + c[k] + middle[k]) / 4.0;
        }
    }
    // Of a flat surface.
    if volume.abs() < f64::MIN_POSITIVE {
        return Solid {
            volume: 0.0,
            center: middle,
            inertia: [[0.0; 3]; 3],
        };
    }
    let center = moment.map(|m| m / volume);
    // About the centre MuJoCo takes the volume anew, which differs where pyramids count in full.
    let (mut volume, mut products) = (0.0, [[0.0; 3]; 3]);
    for corner in corners() {
        let [a, b, c] = corner.map(|p| minus(p, center));
        let part = counted(-six_volumes(a, b, c, [0.0; 3]) / 6.0);
        volume += part;
        let sum = [0, 1, 2].map(|k| a[k] + b[k] + c[k]);
        for (i, row) in products.iter_mut().enumerate() {
            for (j, product) in row.iter_mut().enumerate() {
                let own = a[i] * a[j] + b[i] * b[j] + c[i] * c[j];
                *product += part / 20.0 * (sum[i] * sum[j] + own);
            }
        }
    }
    let trace = products[0][0] + products[1][1] + products[2][2];
    let entry = |i: usize, j: usize| if i == j { trace } else { 0.0 } - products[i][j];
    Solid {
        volume,
        center,
        inertia: [0, 1, 2].map(|i| [0, 1, 2].map(|j| entry(i, j))),
    }
}

/// The centre of the surface itself.
fn surface_center(corners: impl Iterator<Item = [[f64; 3]; 3]>) -> [f64; 3] {
    let (mut area, mut moment) = (0.0, [0.0; 3]);
    for [a, b, c] in corners {
        let normal = cross(minus(b, a), minus(c, a));
        let part = dot(normal, normal).sqrt();
        area += part;
        for k in 0..3 {
            moment[k] += part * (a[k] + b[k] + c[k]) / 3.0;
        }
    }
    moment.map(|m| if area > 0.0 { m / area } else { 0.0 })
}
