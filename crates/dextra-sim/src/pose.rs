//! Rigid frames: a position and a unit quaternion.

use serde::{Deserialize, Serialize};

/// A frame in another: metres, and a unit quaternion `w, x, y, z` (MuJoCo's order).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Position, metres.
    pub pos: [f64; 3],
    /// Orientation, `w, x, y, z`.
    pub quat: [f64; 4],
}

impl Default for Pose {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Pose {
    /// The frame itself.
    pub const IDENTITY: Self = Self {
        pos: [0.0; 3],
        quat: [1.0, 0.0, 0.0, 0.0],
    };

    /// `other`, given in this frame, in the frame that this one is given in.
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        Self {
            pos: self.transform_point(other.pos),
            quat: normalized(hamilton(self.quat, other.quat)),
        }
    }

    /// The frame this one is given in, seen from this one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let [w, x, y, z] = self.quat;
        let back = Self {
            pos: [0.0; 3],
            quat: [w, -x, -y, -z],
        };
        Self {
            pos: back.rotate(self.pos.map(|c| -c)),
            ..back
        }
    }

    /// A point of this frame in the outer one.
    #[must_use]
    pub fn transform_point(&self, point: [f64; 3]) -> [f64; 3] {
        let [x, y, z] = self.rotate(point);
        [x + self.pos[0], y + self.pos[1], z + self.pos[2]]
    }

    /// A direction of this frame in the outer one.
    #[must_use]
    pub fn rotate(&self, v: [f64; 3]) -> [f64; 3] {
        // v + 2 w (u x v) + 2 u x (u x v), with u the quaternion's vector part.
        let [w, a, b, c] = self.quat;
        let u = [a, b, c];
        let t = cross(u, v).map(|x| 2.0 * x);
        let s = cross(u, t);
        [
            v[0] + w * t[0] + s[0],
            v[1] + w * t[1] + s[1],
            v[2] + w * t[2] + s[2],
        ]
    }
}

/// The rotation that turns z into the direction of `v`, as MuJoCo's `fromto` does.
pub(crate) fn quat_from_z(v: [f64; 3]) -> [f64; 4] {
    let axis = [-v[1], v[0], 0.0];
    let sine = norm(axis);
    let angle = sine.atan2(v[2]);
    let axis = if sine > 1e-10 * norm(v) {
        axis.map(|x| x / sine)
    } else {
        [1.0, 0.0, 0.0]
    };
    let (s, c) = (angle / 2.0).sin_cos();
    [c, s * axis[0], s * axis[1], s * axis[2]]
}

pub(crate) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

pub(crate) fn norm(v: [f64; 3]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

pub(crate) fn normalized(q: [f64; 4]) -> [f64; 4] {
    let length = q.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 {
        q.map(|x| x / length)
    } else {
        Pose::IDENTITY.quat
    }
}

fn hamilton(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    [
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-12)
    }

    #[test]
    fn a_quarter_turn_about_z_takes_x_to_y() {
        let half = std::f64::consts::FRAC_PI_4;
        let pose = Pose {
            pos: [1.0, 2.0, 3.0],
            quat: [half.cos(), 0.0, 0.0, half.sin()],
        };
        assert!(close(&pose.rotate([1.0, 0.0, 0.0]), &[0.0, 1.0, 0.0]));
        assert!(close(
            &pose.transform_point([1.0, 0.0, 0.0]),
            &[1.0, 3.0, 3.0]
        ));
    }

    #[test]
    fn a_pose_and_its_inverse_cancel() {
        let pose = Pose {
            pos: [0.3, -0.2, 0.9],
            quat: normalized([0.3, -0.5, 0.7, 0.2]),
        };
        let unit = pose.mul(&pose.inverse());
        assert!(close(&unit.pos, &[0.0; 3]) && close(&unit.quat, &Pose::IDENTITY.quat));
    }

    #[test]
    fn z_is_turned_into_any_direction() {
        for v in [
            [0.0, 0.0, 2.0],
            [0.0, 0.0, -2.0],
            [0.6, -0.3, 1.0],
            [-1.0, 0.0, 0.0],
        ] {
            let pose = Pose {
                pos: [0.0; 3],
                quat: quat_from_z(v),
            };
            assert!(close(&pose.rotate([0.0, 0.0, norm(v)]), &v), "{v:?}");
        }
    }
}
