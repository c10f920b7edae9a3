//! Kinematics of the joints that carry the palm: where they put it, how they move it, which of
//! their positions reach a pose, and what gravity loads them with.

use dextra_sim::{JointKind, Model, Pose, Sim};

use super::math::{add, cross, damped_least_squares, dot, rotation_vector, scale, sub, turn};

/// Steps of the inverse kinematics from the present position; it converges well before.
const ITERATIONS: usize = 12;
/// The longest step of a joint in one iteration, rad or m: the linearisation holds that far.
const MAX_STEP: f64 = 0.3;

/// A chain of hinges and slides from the world to a site.
#[derive(Clone, Debug)]
pub(crate) struct Arm {
    /// Joint indices, from the root.
    pub joints: Vec<usize>,
    links: Vec<Link>,
    /// Site in the last link; its own orientation is left out.
    tip_m: [f64; 3],
    /// The palm's orientation with all joints at zero.
    pub reference: [f64; 4],
}

#[derive(Clone, Debug)]
struct Link {
    /// In the link before.
    pose: Pose,
    joints: Vec<ArmJoint>,
    /// Masses and where they are, as (body, centre of mass in it, kg), of the bodies that this
    /// link carries but no later one does.
    loads: Vec<(usize, [f64; 3], f64)>,
}

#[derive(Clone, Copy, Debug)]
struct ArmJoint {
    slides: bool,
    anchor: [f64; 3],
    axis: [f64; 3],
    range: [f64; 2],
}

/// Where a joint is in the world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screw {
    slides: bool,
    anchor: [f64; 3],
    axis: [f64; 3],
    link: usize,
}

/// A pose and the weight of its rotation, metres per radian.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub pose: Pose,
    /// What should come there, relative to the palm: itself, or something that it holds.
    pub tip: Pose,
    pub rotation_weight_m: f64,
}

impl Arm {
    /// The chain that carries a site. Free joints in it count as fixed.
    pub fn new(model: &Model, site: usize) -> Self {
        let mut path = Vec::new();
        let mut next = Some(model.sites[site].body);
        while let Some(body) = next {
            path.push(body);
            next = model.bodies[body].parent;
        }
        path.reverse();
        let mut arm = Self {
            joints: Vec::new(),
            links: Vec::new(),
            tip_m: model.sites[site].pose.pos,
            reference: Pose::IDENTITY.quat,
        };
        let scalar = |j: &usize| model.joints[*j].kind != JointKind::Free;
        for &body in &path {
            let joints: Vec<usize> = model.bodies[body]
                .joints
                .iter()
                .copied()
                .filter(scalar)
                .collect();
            let arm_joint = |&j: &usize| {
                let joint = &model.joints[j];
                ArmJoint {
                    slides: joint.kind == JointKind::Slide,
                    anchor: joint.anchor,
                    axis: joint.axis,
                    range: joint.range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]),
                }
            };
            arm.links.push(Link {
                pose: model.bodies[body].pose,
                joints: joints.iter().map(arm_joint).collect(),
                loads: Vec::new(),
            });
            arm.joints.extend(joints);
        }
        for (body, part) in model.bodies.iter().enumerate() {
            let mut carrier = body;
            let link = loop {
                match (
                    path.iter().position(|&b| b == carrier),
                    model.bodies[carrier].parent,
                ) {
                    (Some(link), _) => break link,
                    (None, Some(parent)) => carrier = parent,
                    (None, None) => break 0,
                }
            };
            arm.links[link]
                .loads
                .push((body, part.inertial_pose.pos, part.mass));
        }
        arm.reference = arm.forward(&vec![0.0; arm.joints.len()]).0.quat;
        arm
    }

    /// The arm's positions in a state.
    pub fn positions(&self, sim: &Sim) -> Vec<f64> {
        self.joints
            .iter()
            .map(|&j| sim.qpos()[sim.model().joints[j].qpos_adr])
            .collect()
    }

    /// The palm's pose, and the joints' axes in the world.
    pub fn forward(&self, q: &[f64]) -> (Pose, Vec<Screw>) {
        let mut pose = Pose::IDENTITY;
        let mut screws = Vec::with_capacity(q.len());
        for (index, link) in self.links.iter().enumerate() {
            pose = pose.mul(&link.pose);
            for joint in &link.joints {
                let position = q[screws.len()];
                let axis = pose.rotate(joint.axis);
                let anchor = pose.transform_point(joint.anchor);
                screws.push(Screw {
                    slides: joint.slides,
                    anchor,
                    axis,
                    link: index,
                });
                pose = if joint.slides {
                    Pose {
                        pos: add(pose.pos, scale(axis, position)),
                        quat: pose.quat,
                    }
                } else {
                    turn(&pose, anchor, axis, position)
                };
            }
        }
        (
            Pose {
                pos: pose.transform_point(self.tip_m),
                quat: pose.quat,
            },
            screws,
        )
    }

    /// A pose in the world as seen from the palm.
    pub fn held(&self, q: &[f64], pose: &Pose) -> Pose {
        self.forward(q).0.inverse().mul(pose)
    }

    /// Positions within the joints' ranges that bring the palm, or what it holds, to a goal, or as
    /// near as damped least squares (Wampler 1986) finds from `start`.
    pub fn solve(&self, start: &[f64], goal: &Goal, damping_m: f64) -> Vec<f64> {
        let ranges: Vec<[f64; 2]> = self
            .links
            .iter()
            .flat_map(|link| link.joints.iter().map(|j| j.range))
            .collect();
        let mut q = start.to_vec();
        let mut stuck = vec![false; q.len()];
        for _ in 0..ITERATIONS {
            let (palm, screws) = self.forward(&q);
            let tip = palm.mul(&goal.tip);
            let turn_rad = rotation_vector(goal.pose.quat, tip.quat);
            let weighted = scale(turn_rad, goal.rotation_weight_m);
            let error = [sub(goal.pose.pos, tip.pos), weighted];
            let columns: Vec<[[f64; 3]; 2]> = screws
                .iter()
                .zip(&stuck)
                .map(|(screw, &stuck)| match (stuck, screw.slides) {
                    (true, _) => [[0.0; 3]; 2],
                    (false, true) => [screw.axis, [0.0; 3]],
                    (false, false) => [
                        cross(screw.axis, sub(tip.pos, screw.anchor)),
                        scale(screw.axis, goal.rotation_weight_m),
                    ],
                })
                .collect();
            let step = damped_least_squares(&columns, error, damping_m);
            let longest = step
                .iter()
                .fold(MAX_STEP, |longest, s| longest.max(s.abs()));
            for (joint, range) in ranges.iter().enumerate() {
                let wanted = q[joint] + step[joint] * (MAX_STEP / longest);
                q[joint] = wanted.max(range[0]).min(range[1]);
                // A joint at its limit leaves the rest of the way to the others.
                stuck[joint] |= q[joint] != wanted;
            }
        }
        q
    }

    /// The force or torque of each joint that holds the arm, and all it carries, against gravity.
    pub fn gravity_load(&self, sim: &Sim, q: &[f64]) -> Vec<f64> {
        let gravity = sim.model().gravity;
        let (_, screws) = self.forward(q);
        let load = |screw: &Screw| {
            let carried = self.links[screw.link..].iter().flat_map(|link| &link.loads);
            let pull = |&(body, com, mass): &(usize, [f64; 3], f64)| {
                let weight = scale(gravity, mass);
                let arm = sub(sim.body_pose(body).transform_point(com), screw.anchor);
                dot(
                    screw.axis,
                    if screw.slides {
                        weight
                    } else {
                        cross(arm, weight)
                    },
                )
            };
            -carried.map(pull).sum::<f64>()
        };
        screws.iter().map(load).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::Arc;

    use super::*;
    use crate::TaskModel;

    fn door() -> (Arc<TaskModel>, Sim, Arm, usize) {
        let model = TaskModel::load("door").unwrap();
        let palm = model.model().site("S_grasp").unwrap();
        let sim = Sim::new(Arc::clone(model.model()));
        let arm = Arm::new(model.model(), palm);
        (model, sim, arm, palm)
    }

    const BENT: [f64; 6] = [0.1, -0.3, 0.2, 0.8, 0.1, -0.4];

    #[test]
    fn forward_kinematics_are_the_simulations() {
        let (_, mut sim, arm, palm) = door();
        let mut qpos = sim.qpos().to_vec();
        qpos[..6].copy_from_slice(&BENT);
        sim.set_state(&qpos, &vec![0.0; sim.qvel().len()]).unwrap();
        assert_eq!(arm.positions(&sim).len(), 6);
        let (ours, theirs) = (arm.forward(&BENT).0.pos, sim.site_pose(palm).pos);
        assert!(
            (0..3).all(|k| (ours[k] - theirs[k]).abs() < 1e-5),
            "{ours:?}, not {theirs:?}"
        );
    }

    #[test]
    fn solving_for_a_reachable_pose_reaches_it() {
        let (_, _, arm, _) = door();
        let pose = arm.forward(&BENT).0;
        let goal = Goal {
            pose,
            tip: Pose::IDENTITY,
            rotation_weight_m: 0.2,
        };
        let found = arm.forward(&arm.solve(&[0.0; 6], &goal, 0.01)).0;
        let miss = sub(found.pos, pose.pos);
        assert!(dot(miss, miss).sqrt() < 1e-3, "misses by {miss:?}");
        let turned = rotation_vector(found.quat, pose.quat);
        assert!(dot(turned, turned).sqrt() < 1e-2, "turned by {turned:?}");
    }

    #[test]
    fn what_the_palm_holds_is_led_in_its_place() {
        let (_, _, arm, _) = door();
        let tip = Pose {
            pos: [-0.2, 0.05, 0.1],
            quat: [0.8, 0.0, 0.6, 0.0],
        };
        let pose = arm.forward(&BENT).0.mul(&tip);
        let goal = Goal {
            pose,
            tip,
            rotation_weight_m: 0.2,
        };
        let solved = arm.solve(&[0.0; 6], &goal, 0.01);
        let miss = sub(arm.forward(&solved).0.mul(&tip).pos, pose.pos);
        assert!(dot(miss, miss).sqrt() < 1e-3, "misses by {miss:?}");
        let held = arm.held(&BENT, &pose);
        assert!((0..3).all(|k| (held.pos[k] - tip.pos[k]).abs() < 1e-9));
    }

    #[test]
    fn gravity_loads_the_arm_as_in_mujoco() {
        let (_, sim, arm, _) = door();
        let load = arm.gravity_load(&sim, &[0.0; 6]);
        // MuJoCo 4.0.0's qfrc_bias at rest: ARRx -15.6 N m, WRJ0 -0.42 N m.
        assert!((load[1] + 15.6).abs() < 0.1, "{load:?}");
        assert!((load[5] + 0.42).abs() < 0.01, "{load:?}");
    }
}
