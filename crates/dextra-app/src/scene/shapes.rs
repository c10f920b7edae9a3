//! Meshes of the model's shapes.
//!
//! MuJoCo lays capsules and cylinders along z and planes across it; Bevy's primitives stand along y. The
//! difference goes into the mesh, so that a geom's frame is its entity's transform.

use std::f32::consts::FRAC_PI_2;

use bevy::{asset::RenderAssetUsages, mesh::PrimitiveTopology, prelude::*};
use dextra_sim::Shape;

/// Half the side of a plane that its file calls endless, metres.
const ENDLESS_M: f32 = 20.0;

/// How far a drawn surface may be from the round one, metres.
const FLATNESS_M: f64 = 0.25e-3;

/// Sides of a circle that look round: small ones need few, and a hand is made of small ones.
fn sides(radius: f64) -> u32 {
    let half_angle = (1.0 - FLATNESS_M / radius.max(FLATNESS_M)).acos();
    let sides = (std::f64::consts::PI / half_angle).ceil();
    // Even, so that a capsule's rings halve.
    2 * (0.5 * sides.clamp(10.0, 32.0)).ceil() as u32
}

/// The mesh of a shape in its own frame.
pub(super) fn mesh(shape: &Shape) -> Mesh {
    let along_z = Quat::from_rotation_x(FRAC_PI_2);
    match *shape {
        Shape::Sphere { radius } => {
            let sides = sides(radius);
            Sphere::new(radius as f32).mesh().uv(sides, sides / 2 + 1)
        }
        Shape::Capsule {
            radius,
            half_length,
        } => Capsule3d::new(radius as f32, 2.0 * half_length as f32)
            .mesh()
            .longitudes(sides(radius))
            .latitudes(sides(radius) / 2)
            .build()
            .rotated_by(along_z),
        Shape::Cylinder {
            radius,
            half_length,
        } => Cylinder::new(radius as f32, 2.0 * half_length as f32)
            .mesh()
            .resolution(sides(radius))
            .build()
            .rotated_by(along_z),
        Shape::Box {
            half_extents: [x, y, z],
        } => Cuboid::new(2.0 * x as f32, 2.0 * y as f32, 2.0 * z as f32)
            .mesh()
            .build(),
        Shape::Ellipsoid { half_extents } => {
            let sides = sides(half_extents.into_iter().fold(0.0, f64::max));
            Sphere::new(1.0)
                .mesh()
                .uv(sides, sides / 2 + 1)
                .scaled_by(Vec3::from_array(half_extents.map(|e| e as f32)))
        }
        Shape::Plane { half_extents } => {
            let [x, y] = half_extents.map(|e| if e > 0.0 { e as f32 } else { ENDLESS_M });
            Plane3d::new(Vec3::Z, Vec2::new(x, y)).mesh().build()
        }
        Shape::Mesh(ref mesh) => triangles(mesh),
    }
}

/// Faces that meet at less than this angle are one surface, as MuJoCo draws them: cosine.
const CREASE_COS: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// A mesh with a corner of its own for every corner of every triangle: where two faces meet gently their
/// normals are blended, at an edge they are not.
fn triangles(mesh: &dextra_sim::Mesh) -> Mesh {
    let points: Vec<Vec3> = mesh
        .vertices
        .iter()
        .map(|p| Vec3::from_array(p.map(|x| x as f32)))
        .collect();
    let corners = |face: &[u32; 3]| face.map(|i| points[i as usize]);
    // As long as twice the triangle's area, so that large faces count for more.
    let normals: Vec<Vec3> = mesh
        .faces
        .iter()
        .map(|face| {
            let [a, b, c] = corners(face);
            (b - a).cross(c - a)
        })
        .collect();
    let mut around: Vec<Vec<usize>> = vec![Vec::new(); points.len()];
    for (index, face) in mesh.faces.iter().enumerate() {
        face.iter().for_each(|&i| around[i as usize].push(index));
    }
    let blended = |own: usize, vertex: u32| -> [f32; 3] {
        let unit = normals[own].normalize_or_zero();
        let gentle = |&&face: &&usize| normals[face].normalize_or_zero().dot(unit) > CREASE_COS;
        let sum: Vec3 = around[vertex as usize]
            .iter()
            .filter(gentle)
            .map(|&face| normals[face])
            .sum();
        sum.normalize_or(Vec3::Z).to_array()
    };
    let positions: Vec<[f32; 3]> = mesh
        .faces
        .iter()
        .flat_map(|face| corners(face).map(|p| p.to_array()))
        .collect();
    let blends: Vec<[f32; 3]> = mesh
        .faces
        .iter()
        .enumerate()
        .flat_map(|(own, face)| face.map(|vertex| blended(own, vertex)))
        .collect();
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, blends)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use bevy::mesh::VertexAttributeValues;

    /// Four corners of a block of two by four by six.
    fn wedge() -> dextra_sim::Mesh {
        dextra_sim::Mesh {
            vertices: vec![
                [-1.0, -2.0, -3.0],
                [1.0, 2.0, -3.0],
                [1.0, -2.0, 3.0],
                [-1.0, 2.0, 3.0],
            ],
            faces: vec![[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]],
            hull: None,
            volume: 16.0,
            moments: [1.0; 3],
        }
    }

    #[test]
    fn edges_stay_sharp_where_faces_meet_steeply_and_gentle_ones_are_blended() {
        let normals = |mesh: &Mesh| match mesh.attribute(Mesh::ATTRIBUTE_NORMAL) {
            Some(VertexAttributeValues::Float32x3(normals)) => normals.clone(),
            _ => panic!("a mesh without normals"),
        };
        let steep = normals(&mesh(&Shape::Mesh(wedge().into())));
        assert!(
            steep
                .chunks(3)
                .all(|face| face[0] == face[1] && face[1] == face[2])
        );
        // Two triangles of a nearly flat roof: the corners that they share look the same way.
        let roof = dextra_sim::Mesh {
            vertices: vec![
                [0.0, 0.0, 0.1],
                [0.0, 1.0, 0.1],
                [-1.0, 0.5, 0.0],
                [1.0, 0.5, 0.0],
            ],
            faces: vec![[0, 1, 2], [1, 0, 3]],
            ..wedge()
        };
        let gentle = normals(&mesh(&Shape::Mesh(roof.into())));
        assert_eq!((gentle[0], gentle[1]), (gentle[4], gentle[3]));
        assert!(gentle[0] != gentle[2]);
    }

    /// The largest coordinate along each axis.
    fn reach(shape: &Shape) -> Vec3 {
        let mesh = mesh(shape);
        let Some(VertexAttributeValues::Float32x3(points)) =
            mesh.attribute(Mesh::ATTRIBUTE_POSITION)
        else {
            panic!("a mesh without positions")
        };
        points
            .iter()
            .fold(Vec3::ZERO, |reach, p| reach.max(Vec3::from_array(*p).abs()))
    }

    #[test]
    fn small_circles_have_fewer_sides_and_all_have_an_even_number() {
        assert_eq!([0.0001, 0.008, 0.05, 10.0].map(sides), [10, 14, 32, 32]);
    }

    #[test]
    fn shapes_reach_as_far_as_mujoco_says() {
        let cases = [
            (Shape::Sphere { radius: 0.2 }, Vec3::splat(0.2)),
            (
                Shape::Capsule {
                    radius: 0.1,
                    half_length: 0.3,
                },
                Vec3::new(0.1, 0.1, 0.4),
            ),
            (
                Shape::Cylinder {
                    radius: 0.1,
                    half_length: 0.3,
                },
                Vec3::new(0.1, 0.1, 0.3),
            ),
            (
                Shape::Box {
                    half_extents: [0.1, 0.2, 0.3],
                },
                Vec3::new(0.1, 0.2, 0.3),
            ),
            (
                Shape::Ellipsoid {
                    half_extents: [0.1, 0.2, 0.3],
                },
                Vec3::new(0.1, 0.2, 0.3),
            ),
            (
                Shape::Plane {
                    half_extents: [1.0, 2.0],
                },
                Vec3::new(1.0, 2.0, 0.0),
            ),
            (Shape::Mesh(wedge().into()), Vec3::new(1.0, 2.0, 3.0)),
        ];
        for (shape, expected) in cases {
            let reach = reach(&shape);
            assert!(
                (reach - expected).abs().max_element() < 0.005,
                "{shape:?}: {reach}"
            );
        }
    }
}
