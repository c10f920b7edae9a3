//! What a viewer should look at: MJCF's `<statistic>`, or the box around what is drawn.

use crate::{
    error::SceneError,
    model::{Model, Shape},
    pose::Pose,
    source::Element,
};

/// The middle of a scene and how far it reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Framing {
    /// The middle, world frame, metres.
    pub center: [f64; 3],
    /// The size of what is to be seen, metres.
    pub extent_m: f64,
}

impl Default for Framing {
    fn default() -> Self {
        Self {
            center: [0.0; 3],
            extent_m: 1.0,
        }
    }
}

/// An extent that can still be looked at, metres.
const LEAST_EXTENT_M: f64 = 0.01;

impl Framing {
    /// As the file says, or else as the shapes lie in the reference configuration.
    pub(crate) fn new(root: &Element, model: &Model) -> Result<Self, SceneError> {
        let mut framing = Self::around(model);
        for statistic in root.all(&["statistic"]) {
            framing.center = statistic.vector("center", framing.center)?;
            framing.extent_m = statistic.positive("extent", framing.extent_m)?;
        }
        framing.extent_m = framing.extent_m.max(LEAST_EXTENT_M);
        Ok(framing)
    }

    /// The box around all shapes that end somewhere.
    fn around(model: &Model) -> Self {
        let mut poses: Vec<Pose> = Vec::with_capacity(model.bodies.len());
        for body in &model.bodies {
            poses.push(match body.parent {
                Some(parent) => poses[parent].mul(&body.pose),
                None => Pose::IDENTITY,
            });
        }
        let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for geom in &model.geoms {
            if matches!(geom.shape, Shape::Plane { .. }) {
                continue;
            }
            let pose = poses[geom.body].mul(&geom.pose);
            let into_geom = pose.inverse();
            for k in 0..3 {
                let mut axis = [0.0; 3];
                axis[k] = 1.0;
                let reach = geom.shape.support(into_geom.rotate(axis));
                low[k] = low[k].min(pose.pos[k] - reach);
                high[k] = high[k].max(pose.pos[k] + reach);
            }
        }
        if low[0] > high[0] {
            return Self::default();
        }
        Self {
            center: [0, 1, 2].map(|k| (low[k] + high[k]) / 2.0),
            extent_m: (0..3).map(|k| high[k] - low[k]).fold(0.0, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::PhysicsOptions;

    fn framing(statistic: &str) -> Framing {
        let xml = format!(
            "<mujoco>{statistic}<worldbody><geom type='plane' size='9 9 1'/>\
             <body pos='1 0 2'><geom type='capsule' size='0.1 0.4' euler='0 90 0'/></body>\
             </worldbody></mujoco>"
        );
        let model = Model::from_xml(&xml, Path::new("t.xml"), &PhysicsOptions::default());
        model.unwrap().framing
    }

    #[test]
    fn the_box_around_the_shapes_is_framed_unless_the_file_says_otherwise() {
        let found = framing("");
        assert!((found.extent_m - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.center[0] - 1.0).abs() < 1e-9 && (found.center[2] - 2.0).abs() < 1e-9);
        let given = framing("<statistic center='1 2 3' extent='0.5'/>");
        assert_eq!((given.center, given.extent_m), ([1.0, 2.0, 3.0], 0.5));
    }
}
