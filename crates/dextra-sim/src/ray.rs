//! Rays against shapes, for whoever points at a body.

use rapier3d::prelude as rp;

use crate::{
    build::collider,
    convert::vector,
    model::{Model, Shape},
    pose::Pose,
};

impl Shape {
    /// Distance from `origin` along the unit vector `direction`, both in the shape's frame, to its
    /// surface, metres; `None` when the ray misses.
    pub fn cast_ray(&self, origin: [f64; 3], direction: [f64; 3]) -> Option<f64> {
        let (builder, turn) = collider(self);
        let ray = rp::Ray::new(vector(origin), vector(direction));
        builder
            .shape
            .cast_ray(&turn, &ray, f32::MAX, true)
            .map(f64::from)
    }
}

impl Model {
    /// The drawn geom that a ray in the world's frame meets first, and the distance, metres.
    ///
    /// `body_poses` are the world poses of the model's bodies.
    pub fn cast_ray(
        &self,
        body_poses: &[Pose],
        origin: [f64; 3],
        direction: [f64; 3],
    ) -> Option<(usize, f64)> {
        let hits = self.geoms.iter().enumerate().filter_map(|(index, geom)| {
            let body = body_poses.get(geom.body).filter(|_| geom.visible)?;
            let into_geom = body.mul(&geom.pose).inverse();
            let (from, along) = (
                into_geom.transform_point(origin),
                into_geom.rotate(direction),
            );
            Some((index, geom.shape.cast_ray(from, along)?))
        });
        hits.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_meets_each_shape_where_its_surface_is() {
        let down = |shape: Shape| shape.cast_ray([0.05, 0.0, 2.0], [0.0, 0.0, -1.0]);
        let near = |found: Option<f64>, z: f64| {
            assert!(
                found.is_some_and(|d| (2.0 - d - z).abs() < 0.01),
                "{found:?}, not {z}"
            );
        };
        let (radius, half_length) = (0.1, 0.3);
        near(
            down(Shape::Capsule {
                radius,
                half_length,
            }),
            0.387,
        );
        near(
            down(Shape::Cylinder {
                radius,
                half_length,
            }),
            0.3,
        );
        near(
            down(Shape::Plane {
                half_extents: [1.0; 2],
            }),
            0.0,
        );
        let aside = Shape::Sphere { radius: 0.04 };
        assert_eq!(down(aside), None);
    }
}
