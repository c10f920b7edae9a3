//! A body's joints as a chain of engine joints.
//!
//! MuJoCo lets a body have any number of joints, applied one after the other. The engine's joint
//! has up to three translations followed by one rotation about an axis of the same frame. Joints
//! that fit such a frame share one link, because every link costs time; the others get massless
//! carrier links between them.

use rapier3d::prelude::{Matrix, Rotation, Vector};

use crate::{
    convert::vector,
    model::{Joint, JointKind},
};

/// Joints that share one link.
pub(crate) struct Group {
    /// Joint index and engine axis (0 to 2 linear, 3 to 5 angular) of each.
    pub axes: Vec<(usize, usize)>,
    /// Where the rotation's axis passes, in the body's frame.
    pub anchor: [f64; 3],
    /// The engine joint's frame in the body's frame.
    pub basis: Rotation,
}

/// The shortest chain for hinges and slides, in order.
pub(crate) fn groups(joints: &[Joint], indices: &[usize]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut rest = indices;
    while !rest.is_empty() {
        let mut taken = 1;
        let mut group = fit(joints, &rest[..1]);
        for n in 2..=rest.len().min(4) {
            match fit(joints, &rest[..n]) {
                Some(longer) => (taken, group) = (n, Some(longer)),
                None => break,
            }
        }
        groups.extend(group);
        rest = &rest[taken..];
    }
    groups
}

/// One link for all of `indices`, if there is one: slides at right angles, then at most one hinge
/// along a slide or at right angles to all of them.
fn fit(joints: &[Joint], indices: &[usize]) -> Option<Group> {
    let mut columns: Vec<Vector> = Vec::new();
    let mut axes = Vec::new();
    let mut anchor = [0.0; 3];
    for (n, &index) in indices.iter().enumerate() {
        let joint = &joints[index];
        let axis = vector(joint.axis).normalize_or_zero();
        let along = columns.iter().position(|c| c.dot(axis) > 1.0 - 1e-6);
        let across = columns.len() < 3 && columns.iter().all(|c| c.dot(axis).abs() < 1e-6);
        let column = match (joint.kind, along) {
            (JointKind::Hinge, Some(k)) => k,
            _ if across => {
                columns.push(axis);
                columns.len() - 1
            }
            _ => return None,
        };
        match joint.kind {
            JointKind::Slide => axes.push((index, column)),
            JointKind::Hinge if n + 1 == indices.len() => {
                axes.push((index, 3 + column));
                anchor = joint.anchor;
            }
            _ => return None,
        }
    }
    let basis = match *columns.as_slice() {
        [x] => Rotation::from_rotation_arc(Vector::X, x),
        [x, y] => from_columns(x, y, x.cross(y)),
        [x, y, z] if x.cross(y).dot(z) > 0.0 => from_columns(x, y, z),
        _ => return None,
    };
    Some(Group {
        axes,
        anchor,
        basis,
    })
}

fn from_columns(x: Vector, y: Vector, z: Vector) -> Rotation {
    Rotation::from_mat3(&Matrix::from_cols(x, y, z))
}
