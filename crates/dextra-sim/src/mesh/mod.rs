//! Triangle meshes: drawn as they are, collided with as their convex hull, weighed as MuJoCo does.

mod file;
mod solid;

use std::collections::BTreeMap;

use rapier3d::{parry::transformation::try_convex_hull, prelude as rp};
use serde::{Deserialize, Serialize};

pub(crate) use file::{Surface, read};
pub(crate) use solid::Filling;

use crate::{compile::inertia::principal_axes, convert::vector, pose::Pose};

/// A mesh in a frame of its own: the centre of mass with the principal axes, as in MuJoCo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mesh {
    /// Vertices, metres.
    pub vertices: Vec<[f64; 3]>,
    /// Three vertices of each triangle, against the clock seen from outside.
    pub faces: Vec<[u32; 3]>,
    /// What things collide with; `None` for a mesh that is flat.
    pub hull: Option<Hull>,
    /// Volume, m^3.
    pub volume: f64,
    /// Principal moments of inertia at a density of one, m^5.
    pub moments: [f64; 3],
}

/// The convex hull of a mesh, in its frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hull {
    /// Corners, metres.
    pub vertices: Vec<[f64; 3]>,
    /// Three corners of each triangle, against the clock seen from outside.
    pub faces: Vec<[u32; 3]>,
}

/// Less than this is no volume (MuJoCo's `mjMINVAL`).
const LEAST_VOLUME: f64 = 1e-15;

impl Mesh {
    /// Centres and turns a surface; also the new frame in the surface's own.
    pub(crate) fn new(surface: Surface, filling: Filling) -> (Self, Pose) {
        let hull = Hull::new(&surface.vertices);
        let solid = match (&filling, &hull) {
            (Filling::Convex, Some(hull)) => solid::solid(&hull.vertices, &hull.faces, filling),
            _ => solid::solid(&surface.vertices, &surface.faces, filling),
        };
        let (moments, quat) = if solid.volume > LEAST_VOLUME {
            principal_axes(solid.inertia)
        } else {
            ([0.0; 3], Pose::IDENTITY.quat)
        };
        let frame = Pose {
            pos: solid.center,
            quat,
        };
        let into = frame.inverse();
        let moved = |points: &[[f64; 3]]| -> Vec<[f64; 3]> {
            points.iter().map(|p| into.transform_point(*p)).collect()
        };
        let mesh = Self {
            vertices: moved(&surface.vertices),
            faces: surface.faces,
            hull: hull.map(|hull| Hull {
                vertices: moved(&hull.vertices),
                faces: hull.faces,
            }),
            volume: solid.volume.max(0.0),
            moments,
        };
        (mesh, frame)
    }

    /// The corners that stick out furthest: those of the hull, or of a flat mesh all.
    fn corners(&self) -> &[[f64; 3]] {
        self.hull
            .as_ref()
            .map_or(&self.vertices, |hull| &hull.vertices)
    }

    /// How far it reaches from its origin in a direction of its frame (a unit vector), m.
    pub(crate) fn support(&self, [x, y, z]: [f64; 3]) -> f64 {
        let along = |p: &[f64; 3]| x * p[0] + y * p[1] + z * p[2];
        let far = self.corners().iter().map(along);
        far.fold(f64::NEG_INFINITY, f64::max).max(0.0)
    }

    /// The mesh with all its lengths times `factor`.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        let longer = |points: &[[f64; 3]]| -> Vec<[f64; 3]> {
            points.iter().map(|p| p.map(|x| factor * x)).collect()
        };
        Self {
            vertices: longer(&self.vertices),
            faces: self.faces.clone(),
            hull: self.hull.as_ref().map(|hull| Hull {
                vertices: longer(&hull.vertices),
                faces: hull.faces.clone(),
            }),
            volume: self.volume * factor.powi(3),
            moments: self.moments.map(|moment| moment * factor.powi(5)),
        }
    }

    /// Whether a point of its frame is in its hull.
    pub(crate) fn contains(&self, p: [f64; 3]) -> bool {
        self.hull.as_ref().is_some_and(|hull| {
            hull.faces.iter().all(|face| {
                let [a, b, c] = face.map(|i| hull.vertices[i as usize]);
                solid::six_volumes(a, b, c, p) <= 0.0
            })
        })
    }

    /// The edges of its hull, metres; those of a flat mesh are its triangles'.
    pub fn edges(&self) -> Vec<[[f64; 3]; 2]> {
        let (points, faces) = match &self.hull {
            Some(hull) => (&hull.vertices, &hull.faces),
            None => (&self.vertices, &self.faces),
        };
        let corners = |face: &[u32; 3]| face.map(|i| points[i as usize]);
        // The faces beside each edge; one within a flat side of the hull is none.
        let mut beside: BTreeMap<[u32; 2], Vec<[f64; 3]>> = BTreeMap::new();
        for face in faces {
            let normal = solid::unit_normal(corners(face));
            for (from, to) in [(0, 1), (1, 2), (2, 0)] {
                let ends = [face[from].min(face[to]), face[from].max(face[to])];
                beside.entry(ends).or_default().push(normal);
            }
        }
        let bends = |normals: &[[f64; 3]]| match normals {
            [a, b] => (0..3).map(|k| a[k] * b[k]).sum::<f64>() < 0.9999,
            _ => true,
        };
        beside
            .iter()
            .filter(|(_, normals)| self.hull.is_none() || bends(normals))
            .map(|(ends, _)| ends.map(|i| points[i as usize]))
            .collect()
    }

    /// The engine's shape; `None` for a flat mesh.
    pub(crate) fn collider(&self) -> Option<rp::ColliderBuilder> {
        let hull = self.hull.as_ref()?;
        let points: Vec<rp::Vector> = hull.vertices.iter().map(|p| vector(*p)).collect();
        rp::ColliderBuilder::convex_hull(&points)
    }
}

impl Surface {
    /// The hull of some points as a surface; `None` where they lie in a plane.
    pub(crate) fn hull_of(points: &[[f64; 3]]) -> Option<Self> {
        let Hull { vertices, faces } = Hull::new(points)?;
        Some(Self { vertices, faces })
    }
}

impl Hull {
    /// The hull of some points; `None` where they lie in a plane.
    fn new(points: &[[f64; 3]]) -> Option<Self> {
        let points: Vec<rp::Vector> = points.iter().map(|p| vector(*p)).collect();
        // What the engine cannot collide with later is no hull either.
        rp::SharedShape::convex_hull(&points)?;
        let (corners, faces) = try_convex_hull(&points).ok()?;
        let vertices: Vec<[f64; 3]> = corners
            .iter()
            .map(|p| [p.x, p.y, p.z].map(f64::from))
            .collect();
        let solid = solid::solid(&vertices, &faces, Filling::Exact);
        (solid.volume > LEAST_VOLUME).then_some(Self { vertices, faces })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A box from a corner at the origin.
    pub(super) fn block([x, y, z]: [f64; 3]) -> Surface {
        let corner = |i: usize| {
            let pick = |k: usize, side: f64| if i >> k & 1 == 1 { side } else { 0.0 };
            [pick(0, x), pick(1, y), pick(2, z)]
        };
        let quads = [
            [0, 2, 3, 1],
            [4, 5, 7, 6],
            [0, 1, 5, 4],
            [2, 6, 7, 3],
            [0, 4, 6, 2],
            [1, 3, 7, 5],
        ];
        Surface {
            vertices: (0..8).map(corner).collect(),
            faces: quads
                .iter()
                .flat_map(|[a, b, c, d]| [[*a, *b, *c], [*a, *c, *d]])
                .collect(),
        }
    }

    #[test]
    fn a_mesh_of_a_box_is_the_box() {
        for filling in [Filling::Legacy, Filling::Exact, Filling::Convex] {
            let (mesh, frame) = Mesh::new(block([0.2, 0.4, 0.6]), filling);
            let near = |a: f64, b: f64| (a - b).abs() < 1e-6 * b.abs().max(1e-3);
            assert!(near(mesh.volume, 0.048));
            let expected = [0.1, 0.2, 0.3];
            assert!((0..3).all(|k| near(frame.pos[k], expected[k])));
            // Density times volume times (a^2 + b^2) / 12, in falling order.
            let moments = [0.52, 0.40, 0.20].map(|squares| 0.048 * squares / 12.0);
            assert!((0..3).all(|k| near(mesh.moments[k], moments[k])));
            // The long side lies along the axis of the smallest moment, the last.
            assert!(near(mesh.support([0.0, 0.0, 1.0]), 0.3));
            assert!(mesh.contains([0.0, 0.0, 0.29]) && !mesh.contains([0.0, 0.0, 0.31]));
            assert_eq!(mesh.edges().len(), 12);
            let double = mesh.scaled(2.0);
            assert!(near(double.volume, 8.0 * 0.048));
            assert!(near(double.support([0.0, 0.0, -1.0]), 0.6));
        }
    }

    #[test]
    fn a_flat_mesh_has_no_hull_and_no_mass() {
        let surface = Surface {
            vertices: vec![[0.0; 3], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]],
            faces: vec![[0, 1, 2], [0, 2, 3]],
        };
        let (mesh, frame) = Mesh::new(surface, Filling::Legacy);
        assert!(mesh.hull.is_none() && mesh.volume == 0.0);
        assert!((frame.pos[0] - 0.5).abs() < 1e-9);
    }
}
