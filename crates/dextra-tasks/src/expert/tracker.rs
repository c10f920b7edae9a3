//! Leading the palm: which positions of the arm bring it to a pose, and which action brings the arm
//! there. The experts use it, and so does whoever drives the hand.

use dextra_sim::{Actuator, Model, Pose, Sim, Transmission};

use super::{
    arm::{Arm, Goal},
    math::{add, quaternion, rotation_vector, sub},
};
use crate::{TaskError, TaskModel};

/// How eagerly an arm follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracking {
    /// How far ahead of the arm its position targets run: 1 commands the position itself, more
    /// gets there faster (the arm's servos are slow).
    pub gain: f64,
    /// Damping of the inverse kinematics, metres.
    pub damping_m: f64,
}

/// The joints that carry a site, led by damped least squares within their ranges.
#[derive(Clone, Debug)]
pub struct PalmTracker {
    pub(crate) arm: Arm,
    /// Joint of each actuator.
    pub(crate) actuated: Vec<usize>,
    /// Of each joint of the arm, see [`PalmTracker::anticipate`].
    anticipation_secs: Vec<f64>,
    tracking: Tracking,
}

impl PalmTracker {
    /// The chain from the world to a site.
    ///
    /// # Errors
    /// When an actuator of the scene is no position servo on a joint: the tracker inverts those.
    pub fn new(model: &Model, site: usize, tracking: Tracking) -> Result<Self, TaskError> {
        let arm = Arm::new(model, site);
        let actuated: Result<Vec<usize>, _> = model.actuators.iter().map(servo_joint).collect();
        Ok(Self {
            anticipation_secs: vec![0.0; arm.joints.len()],
            actuated: actuated?,
            arm,
            tracking,
        })
    }

    /// Leads a joint of the arm as if it were already where it will be `secs` later, so that it does not
    /// overshoot: a servo's gain brings no damping with it. Whether the joint is one of the arm's.
    pub fn anticipate(&mut self, joint: usize, secs: f64) -> bool {
        match self.arm.joints.iter().position(|&j| j == joint) {
            Some(k) => {
                self.anticipation_secs[k] = secs;
                true
            }
            None => false,
        }
    }

    /// The joints of the arm, from the root; the wrist's are among them.
    pub fn joints(&self) -> &[usize] {
        &self.arm.joints
    }

    /// The joint of each actuator.
    pub fn actuated(&self) -> &[usize] {
        &self.actuated
    }

    /// The arm's positions (m, rad) in a state.
    pub fn positions(&self, sim: &Sim) -> Vec<f64> {
        self.arm.positions(sim)
    }

    /// Where positions of the arm put the site. Its orientation is that of the body that carries it.
    pub fn palm(&self, positions: &[f64]) -> Pose {
        self.arm.forward(positions).0
    }

    /// Positions that bring the palm to a pose, or as near as the arm allows, from `start`. A radian off
    /// weighs as much as `rotation_weight_m` metres.
    pub fn solve(&self, start: &[f64], pose: &Pose, rotation_weight_m: f64) -> Vec<f64> {
        self.solve_goal(
            start,
            Goal {
                pose: *pose,
                tip: Pose::IDENTITY,
                rotation_weight_m,
            },
        )
    }

    pub(crate) fn solve_goal(&self, start: &[f64], goal: Goal) -> Vec<f64> {
        self.arm.solve(start, &goal, self.tracking.damping_m)
    }

    /// The action that leads the arm to `wanted` positions and all other joints to `posture_rad`, an angle
    /// per actuator. Each value is in [-1, 1].
    pub fn action(
        &self,
        task: &TaskModel,
        sim: &Sim,
        wanted: &[f64],
        posture_rad: &[f64],
    ) -> Vec<f32> {
        let present = self.arm.positions(sim);
        let load = self.arm.gravity_load(sim, &present);
        let command = |(index, &joint): (usize, &usize)| {
            let (position, load) = match self.arm.joints.iter().position(|&j| j == joint) {
                Some(k) => {
                    let velocity = sim.qvel()[sim.model().joints[joint].dof_adr];
                    let soon = present[k] + self.anticipation_secs[k] * velocity;
                    (
                        present[k] + self.tracking.gain * (wanted[k] - soon),
                        load[k],
                    )
                }
                None => (posture_rad[index], 0.0),
            };
            // At rest the servo's force, gain ctrl + bias0 + bias1 position, is the load.
            let servo = &sim.model().actuators[index];
            let ctrl = (load - servo.bias[0] - servo.bias[1] * position) / servo.gain;
            let (middle, half) = task.action_scale(index);
            ((ctrl - middle) / half).clamp(-1.0, 1.0) as f32
        };
        self.actuated.iter().enumerate().map(command).collect()
    }
}

/// The joint that an actuator serves as a position servo.
fn servo_joint(actuator: &Actuator) -> Result<usize, TaskError> {
    match actuator.transmission {
        Transmission::Joint(joint) if actuator.gain != 0.0 => Ok(joint),
        _ => Err(TaskError::NoServo {
            actuator: actuator.name.clone(),
        }),
    }
}

/// How a pose differs from another: metres, and the shortest rotation as a rotation vector, in the
/// world.
pub fn difference(to: &Pose, from: &Pose) -> [[f64; 3]; 2] {
    [sub(to.pos, from.pos), rotation_vector(to.quat, from.quat)]
}

/// A pose after a displacement as [`difference`] gives it: moved, and turned about itself.
pub fn displaced(pose: &Pose, [by_m, by_rad]: [[f64; 3]; 2]) -> Pose {
    let turn = Pose {
        pos: [0.0; 3],
        quat: quaternion(by_rad),
    };
    Pose {
        pos: add(pose.pos, by_m),
        quat: turn
            .mul(&Pose {
                pos: [0.0; 3],
                ..*pose
            })
            .quat,
    }
}
