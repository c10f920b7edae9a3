//! Contacts to which nothing can give way.
//!
//! The engine divides by the inverse inertia that a contact sees along its normal. A link of a chain that
//! hangs on something immobile has none where the normal crosses the axes of all its joints: a knuckle
//! pressed along its axis, a straight finger pushed at its tip. All that is left is rounding, and the
//! push grows without bound, until nothing is finite. MuJoCo's contacts are soft in proportion to how
//! the body moves as a whole, so there they yield. Here a contact whose normal is nearly such pushes no
//! harder than one that is a little less so, and one whose normal is such does not push.

use rapier3d::prelude as rp;

use crate::{build::Plan, world::World};

/// The share of a point's mobility that has to lie along the normal for a contact to push in full.
const FULL_SHARE: f32 = 1e-2;
/// The share below which it does not push at all.
const LEAST_SHARE: f32 = 1e-5;
/// How far from an axis a point counts as at least, metres: on the axis itself it does not move at all, and
/// all shares are rounding.
const LEAST_ARM: f32 = 1e-3;

/// How the links of chains with immobile roots move.
pub(crate) struct Mobility {
    links: Vec<Link>,
    /// Of each rigid body, by the index in its handle.
    sides: Vec<Side>,
}

/// How a rigid body answers to a push.
#[derive(Clone, Copy)]
enum Side {
    Immobile,
    /// In every direction: a body that floats, or a chain that hangs on one.
    Free,
    /// An index among the links.
    Link(usize),
}

struct Link {
    multibody: rp::MultibodyIndex,
    id: usize,
    /// Of each degree of freedom of the chain.
    columns: Vec<Column>,
}

/// What a degree of freedom does to a link.
#[derive(Clone, Copy)]
struct Column {
    /// Inverse inertia in the reference configuration.
    weight: f32,
    /// Velocity of the centre of mass and angular velocity, for a unit of the coordinate's own.
    linear: rp::Vector,
    angular: rp::Vector,
}

impl Mobility {
    /// Finds the links of chains with immobile roots.
    pub(crate) fn new(world: &World, plan: &Plan) -> Self {
        let mut sides = vec![Side::Immobile; world.bodies.len()];
        for (handle, body) in world.bodies.iter() {
            if body.is_dynamic() {
                sides[index(handle)] = Side::Free;
            }
        }
        let mut links = Vec::new();
        for chain in &plan.chains {
            let Some(multibody) = world.multibody_joints.get_multibody(chain.multibody) else {
                continue;
            };
            let root = world.bodies.get(multibody.root().rigid_body_handle());
            if root.is_none_or(|root| root.is_dynamic()) {
                continue;
            }
            // A copy, because asking for the inertia moves the links.
            let weights = multibody.clone().dof_inverse_inertia(&world.bodies);
            for (id, link) in multibody.links().enumerate().skip(1) {
                sides[index(link.rigid_body_handle())] = Side::Link(links.len());
                links.push(Link {
                    multibody: chain.multibody,
                    id,
                    columns: weights
                        .iter()
                        .map(|&weight| Column::still(weight))
                        .collect(),
                });
            }
        }
        Self { links, sides }
    }

    /// Reads how the links move before a step.
    pub(crate) fn read(&mut self, world: &World) {
        for link in &mut self.links {
            let Some(multibody) = world.multibody_joints.get_multibody(link.multibody) else {
                continue;
            };
            let jacobian = multibody.body_jacobian(link.id);
            for (column, of) in link.columns.iter_mut().zip(jacobian.column_iter()) {
                column.linear = rp::Vector::new(of[0], of[1], of[2]);
                column.angular = rp::Vector::new(of[3], of[4], of[5]);
            }
        }
    }

    /// The pair of bodies of a contact, unless one of them gives way in every direction.
    pub(crate) fn pair<'a>(
        &'a self,
        bodies: &'a rp::RigidBodySet,
        handles: [Option<rp::RigidBodyHandle>; 2],
    ) -> Option<Pair<'a>> {
        let mut pair = Pair {
            links: [None, None],
        };
        for (slot, handle) in pair.links.iter_mut().zip(handles) {
            let Some((handle, body)) = handle.and_then(|h| Some((h, bodies.get(h)?))) else {
                continue;
            };
            match self.sides.get(index(handle)) {
                Some(Side::Free) | None => return None,
                Some(Side::Immobile) => {}
                Some(&Side::Link(link)) => {
                    *slot = Some((self.links[link].columns.as_slice(), body.center_of_mass()));
                }
            }
        }
        Some(pair)
    }
}

/// Two bodies that touch, each a link of a chain with an immobile root, or immobile itself.
pub(crate) struct Pair<'a> {
    /// How a link moves, and its centre of mass.
    links: [Option<(&'a [Column], rp::Vector)>; 2],
}

impl Pair<'_> {
    /// How much of its push a contact at `point` along `normal` has, between 0 and 1.
    pub(crate) fn push(&self, point: rp::Vector, normal: rp::Vector) -> f32 {
        let (mut along, mut all) = (0.0, 0.0);
        for (columns, centre) in self.links.iter().flatten() {
            let arm = point - *centre;
            for column in *columns {
                let velocity = column.linear + column.angular.cross(arm);
                along += column.weight * velocity.dot(normal).powi(2);
                let least = column.angular.length_squared() * LEAST_ARM.powi(2);
                all += column.weight * (velocity.length_squared() + least);
            }
        }
        // Written so that a point without any mobility, and one that is not a number, push nothing.
        if along > LEAST_SHARE * all {
            (along / (FULL_SHARE * all)).min(1.0)
        } else {
            0.0
        }
    }
}

impl Column {
    fn still(weight: f32) -> Self {
        Self {
            weight,
            linear: rp::Vector::ZERO,
            angular: rp::Vector::ZERO,
        }
    }
}

fn index(handle: rp::RigidBodyHandle) -> usize {
    handle.into_raw_parts().0 as usize
}
