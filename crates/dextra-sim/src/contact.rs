//! Which geoms collide, with what friction, and what their contacts carry.
//!
//! MuJoCo's rules (Computation chapter, "Collision detection: selection"): explicit pairs always
//! collide; other geoms collide when the `contype` of one shares a bit with the `conaffinity` of
//! the other, unless they belong to the same body or to parent and child (bodies without a joint
//! between them count as one, and the world is nobody's parent), or their bodies are excluded.
//! The rules do not depend on the state, so they are evaluated once, for all pairs.

use std::collections::BTreeMap;

use rapier3d::prelude::{
    ActiveHooks, ColliderHandle, ContactModificationContext, Group, InteractionGroups,
    InteractionTestMode, PairFilterContext, PhysicsHooks, SolverContact, SolverContacts,
    SolverFlags, Vector,
};

use crate::{
    convert::array,
    limit::Law,
    model::{Geom, Model, Shape, SolverParams, WORLD},
    softness::{Motion, Softness},
    world::World,
};

/// A contact point with the forces that it carried over the last step.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// The first geom.
    pub geom1: usize,
    /// The second geom.
    pub geom2: usize,
    /// The point, world frame, metres.
    pub pos: [f64; 3],
    /// Unit normal from the first geom to the second, world frame.
    pub normal: [f64; 3],
    /// Push along the normal, N.
    pub normal_force_n: f64,
    /// Friction force on the second geom, world frame, N.
    pub friction_force_n: [f64; 3],
    /// Penetration; negative while the geoms are apart, metres.
    pub depth_m: f64,
}

/// The static contact rules of a model.
pub(crate) struct Rules {
    geoms: usize,
    allowed: Vec<bool>,
    /// Friction of the pairs where it is not the larger of the two geoms'.
    friction: BTreeMap<(usize, usize), f32>,
    /// Friction against turning, of the pairs that have it.
    turning: BTreeMap<(usize, usize), Turning>,
    /// The different laws of contact, and the index of each pair's (row by row).
    laws: Vec<Law>,
    law_of: Vec<usize>,
    /// Which geoms are meshes.
    meshes: Vec<bool>,
    /// Group bits and hooks of each geom.
    filters: Vec<(InteractionGroups, ActiveHooks)>,
}

impl Rules {
    /// Evaluates MuJoCo's rules for every pair of geoms.
    pub(crate) fn new(model: &Model) -> Self {
        let geoms = model.geoms.len();
        let owners: Vec<usize> = (0..model.bodies.len()).map(|b| owner(model, b)).collect();
        let mut allowed = vec![false; geoms * geoms];
        let (mut friction, mut turning) = (BTreeMap::new(), BTreeMap::new());
        let (mut laws, mut law_of) = (Vec::new(), vec![0; geoms * geoms]);
        for i in 0..geoms {
            for j in i + 1..geoms {
                let (a, b) = (&model.geoms[i], &model.geoms[j]);
                let pair = model
                    .pairs
                    .iter()
                    .rev()
                    .find(|p| p.geoms == [i, j] || p.geoms == [j, i]);
                let collide = match pair {
                    Some(_) => owners[a.body] != owners[b.body],
                    None => by_rule(model, &owners, a, b),
                };
                allowed[i * geoms + j] = collide;
                allowed[j * geoms + i] = collide;
                if !collide {
                    continue;
                }
                let own = match pair {
                    Some(p) => Friction::new(p.condim, p.friction),
                    None => combined_friction(a, b),
                };
                if own.sliding != a.friction[0].max(b.friction[0]) {
                    friction.insert((i, j), own.sliding as f32);
                }
                let params = pair.map_or_else(|| combined_solver(a, b), |p| p.contact);
                let law = Law::new(&params, model.timestep_secs);
                let index = laws.iter().position(|l| *l == law).unwrap_or_else(|| {
                    laws.push(law);
                    laws.len() - 1
                });
                law_of[i * geoms + j] = index;
                law_of[j * geoms + i] = index;
                if own.turning != Turning::default() {
                    turning.insert((i, j), own.turning);
                }
            }
        }
        let filters = filters(geoms, &allowed);
        Self {
            geoms,
            allowed,
            friction,
            turning,
            laws,
            law_of,
            meshes: model
                .geoms
                .iter()
                .map(|geom| matches!(geom.shape, Shape::Mesh(_)))
                .collect(),
            filters,
        }
    }

    /// The pairs with friction against turning, smaller index first, in order.
    pub(crate) fn turning(&self) -> impl Iterator<Item = ((usize, usize), Turning)> {
        self.turning.iter().map(|(&pair, &turning)| (pair, turning))
    }

    /// Whether two geoms may touch.
    pub(crate) fn allows(&self, geom1: usize, geom2: usize) -> bool {
        self.allowed[geom1 * self.geoms + geom2]
    }

    /// Whether a geom collides with anything at all.
    pub(crate) fn collides(&self, geom: usize) -> bool {
        self.allowed[geom * self.geoms..(geom + 1) * self.geoms].contains(&true)
    }

    /// Group bits and hooks of a geom's collider.
    pub(crate) fn filter(&self, geom: usize) -> (InteractionGroups, ActiveHooks) {
        self.filters[geom]
    }
}

/// The body that a body moves with: itself, or the nearest ancestor that has a joint, or the world.
pub(crate) fn owner(model: &Model, mut body: usize) -> usize {
    while body != WORLD && model.bodies[body].joints.is_empty() {
        body = model.bodies[body].parent.unwrap_or(WORLD);
    }
    body
}

fn by_rule(model: &Model, owners: &[usize], a: &Geom, b: &Geom) -> bool {
    let (owner_a, owner_b) = (owners[a.body], owners[b.body]);
    let above = |o: usize| owners[model.bodies[o].parent.unwrap_or(WORLD)];
    let related = owner_a != WORLD
        && owner_b != WORLD
        && (above(owner_a) == owner_b || above(owner_b) == owner_a);
    let excluded = model
        .excludes
        .iter()
        .any(|e| *e == [a.body, b.body] || *e == [b.body, a.body]);
    let bits = a.contype & b.conaffinity != 0 || b.contype & a.conaffinity != 0;
    bits && owner_a != owner_b && !related && !excluded
}

/// Friction of a pair against turning, as a torque per normal force: lengths in metres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Turning {
    /// About the normal.
    pub torsion: f64,
    /// About the tangents.
    pub rolling: f64,
}

/// All friction of a pair; what its contact dimension leaves out is zero.
struct Friction {
    sliding: f64,
    turning: Turning,
}

impl Friction {
    fn new(condim: u32, [sliding, torsion, rolling]: [f64; 3]) -> Self {
        let from = |least: u32, mu: f64| if condim >= least { mu } else { 0.0 };
        Self {
            sliding: from(3, sliding),
            turning: Turning {
                torsion: from(4, torsion),
                rolling: from(6, rolling),
            },
        }
    }
}

/// Friction of a pair that is not explicit: the larger coefficients and contact dimension, or those
/// of the geom with priority.
fn combined_friction(a: &Geom, b: &Geom) -> Friction {
    match a.priority.cmp(&b.priority) {
        std::cmp::Ordering::Greater => Friction::new(a.condim, a.friction),
        std::cmp::Ordering::Less => Friction::new(b.condim, b.friction),
        std::cmp::Ordering::Equal => Friction::new(
            a.condim.max(b.condim),
            [0, 1, 2].map(|k| a.friction[k].max(b.friction[k])),
        ),
    }
}

/// Solver parameters of a pair that is not explicit: halfway between, or those of the geom with
/// priority. Direct stiffness and damping (negative `solref`) take the smaller numbers.
fn combined_solver(a: &Geom, b: &Geom) -> SolverParams {
    let (p, q) = (&a.contact, &b.contact);
    let mean = |x: f64, y: f64| 0.5 * (x + y);
    match a.priority.cmp(&b.priority) {
        std::cmp::Ordering::Greater => *p,
        std::cmp::Ordering::Less => *q,
        std::cmp::Ordering::Equal => SolverParams {
            solref: [0, 1].map(|k| match p.solref[0] > 0.0 && q.solref[0] > 0.0 {
                true => mean(p.solref[k], q.solref[k]),
                false => p.solref[k].min(q.solref[k]),
            }),
            solimp: [0, 1, 2, 3, 4].map(|k| mean(p.solimp[k], q.solimp[k])),
        },
    }
}

/// Group bits that say exactly which geoms collide, where 32 bits suffice: one bit for each set of
/// geoms that collide with the same others. Beyond that, bits are shared and a hook decides.
fn filters(geoms: usize, allowed: &[bool]) -> Vec<(InteractionGroups, ActiveHooks)> {
    let row = |i: usize| &allowed[i * geoms..(i + 1) * geoms];
    let mut classes: Vec<usize> = Vec::new();
    let class_of: Vec<usize> = (0..geoms)
        .map(|i| match classes.iter().position(|&c| row(c) == row(i)) {
            Some(class) => class,
            None => {
                classes.push(i);
                classes.len() - 1
            }
        })
        .collect();
    let bit = |i: usize| 1u32 << (class_of[i] % 32);
    let exact = classes.len() <= 32;
    (0..geoms)
        .map(|i| {
            let filter = (0..geoms)
                .filter(|&j| row(i)[j])
                .fold(0, |bits, j| bits | bit(j));
            let groups = InteractionGroups::new(
                Group::from(bit(i)),
                Group::from(filter),
                InteractionTestMode::And,
            );
            let mut hooks = ActiveHooks::MODIFY_SOLVER_CONTACTS;
            hooks.set(ActiveHooks::FILTER_CONTACT_PAIRS, !exact);
            (groups, hooks)
        })
        .collect()
}

/// The hooks that the engine calls while it steps.
pub(crate) struct Hooks<'a> {
    pub rules: &'a Rules,
    pub motion: &'a Motion,
    pub softness: Softness,
}

impl PhysicsHooks for Hooks<'_> {
    fn filter_contact_pair(&self, context: &PairFilterContext) -> Option<SolverFlags> {
        let geom = |c: ColliderHandle| context.colliders[c].user_data as usize;
        self.rules
            .allows(geom(context.collider1), geom(context.collider2))
            .then_some(SolverFlags::COMPUTE_RIGID_IMPULSES)
    }

    fn modify_solver_contacts(&self, context: &mut ContactModificationContext) {
        let geom = |c: ColliderHandle| context.colliders[c].user_data as usize;
        let (a, b) = (geom(context.collider1), geom(context.collider2));
        let law = &self.rules.laws[self.rules.law_of[a * self.rules.geoms + b]];
        let friction = self.rules.friction.get(&(a.min(b), a.max(b))).copied();
        let bodies = context.bodies;
        let side = |handle| move |at| self.motion.velocity(bodies, handle, at);
        let (first, second) = (side(context.rigid_body1), side(context.rigid_body2));
        let handles = [context.rigid_body1, context.rigid_body2];
        let pair = self.motion.mobility.pair(bodies, handles);
        let Some(manifold) = context.rigid_mut() else {
            return;
        };
        if let Some(friction) = friction {
            *manifold.friction = friction;
        }
        // Before they touch, margin included, nothing acts.
        manifold
            .solver_contacts
            .retain(|contact| contact.dist < 0.0);
        if self.rules.meshes[a] || self.rules.meshes[b] {
            drop_doubles(manifold.solver_contacts);
        }
        let middle = |contact: &SolverContact| 0.5 * (contact.anchor1 + contact.anchor2);
        let normal = *manifold.normal;
        let push = |at| pair.as_ref().map_or(1.0, |pair| pair.push(at, normal));
        manifold
            .solver_contacts
            .retain(|contact| push(middle(contact)) > 0.0);
        for contact in manifold.solver_contacts.iter_mut() {
            let at = middle(contact);
            let speed = (second(at) - first(at)).dot(normal);
            let distance = self.softness.distance(law, contact.dist, speed);
            contact.dist = if distance < 0.0 {
                push(at) * distance
            } else {
                distance
            };
        }
    }
}

/// Closer than this, two points of a contact are one, metres.
const SAME_POINT_M: f32 = 1e-4;

/// Where faces of hulls meet, the engine finds the same point more than once. Its solver takes points two
/// by two, and forces between two that are the same may be anything.
fn drop_doubles(contacts: &mut SolverContacts) {
    let mut kept: Vec<Vector> = Vec::with_capacity(contacts.len());
    contacts.retain(|contact| {
        let at = 0.5 * (contact.anchor1 + contact.anchor2);
        let double = kept
            .iter()
            .any(|other| (*other - at).length() < SAME_POINT_M);
        if !double {
            kept.push(at);
        }
        !double
    });
}

/// The contacts of the last step that touch or carry force.
pub(crate) fn read(world: &World, dt: f32, substeps: usize) -> Vec<Contact> {
    let mut contacts = Vec::new();
    for pair in world.narrow_phase.contact_pairs() {
        let (Some(c1), Some(c2)) = (
            world.colliders.get(pair.collider1),
            world.colliders.get(pair.collider2),
        ) else {
            continue;
        };
        for manifold in pair.solver_manifolds() {
            for point in &manifold.points {
                if point.dist > 0.0 && point.data.impulse <= 0.0 {
                    continue;
                }
                let tangent = point.data.warmstart_tangent_world * (substeps as f32 / dt);
                contacts.push(Contact {
                    geom1: c1.user_data as usize,
                    geom2: c2.user_data as usize,
                    pos: array(*c1.position() * point.local_p1),
                    normal: array(manifold.data.normal),
                    normal_force_n: f64::from(point.data.impulse / dt),
                    friction_force_n: array(-tangent),
                    depth_m: f64::from(-point.dist),
                });
            }
        }
    }
    contacts
}

/// Sum of the normal forces on a collider over the last step, at those points of its surface
/// (world frame) that are `felt`, N.
pub(crate) fn touch(
    world: &World,
    handle: ColliderHandle,
    dt: f32,
    felt: impl Fn([f64; 3]) -> bool,
) -> f64 {
    let Some(collider) = world.colliders.get(handle) else {
        return 0.0;
    };
    let mut impulse = 0.0;
    for pair in world.narrow_phase.contact_pairs_with(handle) {
        for manifold in pair.solver_manifolds() {
            for point in &manifold.points {
                let local = if pair.collider1 == handle {
                    point.local_p1
                } else {
                    point.local_p2
                };
                if felt(array(*collider.position() * local)) {
                    impulse += point.data.impulse;
                }
            }
        }
    }
    f64::from(impulse / dt)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{path::Path, sync::Arc};

    use crate::{Model, PhysicsOptions, Sim};

    /// More sets of partners than there are group bits: the hook has to tell them apart.
    #[test]
    fn rules_hold_beyond_thirty_two_groups() {
        let count = 40;
        let mut xml = String::from("<mujoco><option gravity='0 0 0'/><worldbody>");
        for i in 0..count {
            let x = 0.001 * f64::from(i);
            xml += &format!(
                "<body pos='{x} 0 0'><joint type='slide'/><geom name='g{i}' type='sphere' \
                 size='0.1' contype='0' conaffinity='0'/></body>"
            );
        }
        xml += "</worldbody><contact>";
        for i in 1..count {
            xml += &format!("<pair geom1='g{}' geom2='g{i}'/>", i - 1);
        }
        xml += "</contact></mujoco>";
        let model = Model::from_xml(&xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
        let mut sim = Sim::new(Arc::new(model));
        sim.step(&[]);
        let contacts = sim.contacts();
        let mut pairs: Vec<_> = contacts
            .iter()
            .map(|c| (c.geom1.min(c.geom2), c.geom1.max(c.geom2)))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        let expected: Vec<_> = (1..count as usize).map(|i| (i - 1, i)).collect();
        assert_eq!(pairs, expected);
    }
}
