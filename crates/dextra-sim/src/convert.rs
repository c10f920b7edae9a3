//! Between the model's doubles and the engine's single precision.

use rapier3d::prelude as rp;

use crate::pose::Pose;

/// An engine vector.
pub(crate) fn vector(v: [f64; 3]) -> rp::Vector {
    rp::Vector::new(v[0] as f32, v[1] as f32, v[2] as f32)
}

/// A model vector.
pub(crate) fn array(v: rp::Vector) -> [f64; 3] {
    [f64::from(v.x), f64::from(v.y), f64::from(v.z)]
}

/// An engine rotation from a `w, x, y, z` quaternion.
pub(crate) fn rotation(q: [f64; 4]) -> rp::Rotation {
    rp::Rotation::from_xyzw(q[1] as f32, q[2] as f32, q[3] as f32, q[0] as f32).normalize()
}

/// An engine pose.
pub(crate) fn to_engine(pose: &Pose) -> rp::Pose {
    rp::Pose::from_parts(vector(pose.pos), rotation(pose.quat))
}

/// A model pose, its quaternion normalised in double precision.
pub(crate) fn from_engine(pose: &rp::Pose) -> Pose {
    let r = pose.rotation;
    let quat = [
        f64::from(r.w),
        f64::from(r.x),
        f64::from(r.y),
        f64::from(r.z),
    ];
    let norm = quat.iter().map(|x| x * x).sum::<f64>().sqrt();
    let quat = if norm > 0.0 {
        quat.map(|x| x / norm)
    } else {
        Pose::IDENTITY.quat
    };
    Pose {
        pos: array(pose.translation),
        quat,
    }
}
