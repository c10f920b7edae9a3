//! The Adroit door: turn the latch, pull the door open (Rajeswaran et al. 2018).
//!
//! Observation, reward, success and reset are those of `AdroitHandDoor` (mj_envs v0, D4RL,
//! Gymnasium-Robotics v2). Its dense reward has the reach term negative, as in all of these but
//! Gymnasium-Robotics 1.2.1 to 1.4.2, where the sign was flipped by mistake.

use std::sync::Arc;

use dextra_sim::{Model, Sim, SimError};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::{
    RewardTerm, TaskError, TaskModel,
    config::{Source, TaskFile},
    expert::ExpertPlan,
    task::Task,
};

/// `[reset]`: where the door frame stands, each coordinate uniform in its range.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    frame_x_m: [f64; 2],
    frame_y_m: [f64; 2],
    frame_z_m: [f64; 2],
}

/// `[reward.dense]`: weights of the costs and the three bonuses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dense {
    reach: f64,
    hinge_error: f64,
    velocity: f64,
    hinge_goal_rad: f64,
    ajar: Bonus,
    open: Bonus,
    wide: Bonus,
}

/// Paid at every step with the door beyond an angle.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bonus {
    beyond_rad: f64,
    value: f64,
}

/// `[success]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Success {
    hinge_rad: f64,
    min_steps: usize,
}

/// The observation's flag turns from -1 to 1 beyond this angle.
const FLAG_HINGE_RAD: f64 = 1.0;

#[derive(Debug)]
struct Door {
    reset: Reset,
    dense: Dense,
    success_hinge_rad: f64,
    frame: usize,
    palm: usize,
    handle: usize,
    hinge: usize,
    latch: usize,
    /// Positions observed as they are: the hand's joints but the first (ARTz).
    observed: Vec<usize>,
}

/// Loads the door from its task file.
pub(crate) fn load(source: &Source) -> Result<TaskModel, TaskError> {
    let (file, model): (TaskFile<Reset, Dense, Success>, Model) = source.parse()?;
    let TaskFile {
        horizon,
        frame_skip,
        reset,
        reward,
        success,
        expert,
        ..
    } = file;
    source.require_range("reset.frame_x_m", reset.frame_x_m)?;
    source.require_range("reset.frame_y_m", reset.frame_y_m)?;
    source.require_range("reset.frame_z_m", reset.frame_z_m)?;
    let dense = reward.dense;
    for (key, value) in [
        ("reach", dense.reach),
        ("hinge_error", dense.hinge_error),
        ("velocity", dense.velocity),
        ("hinge_goal_rad", dense.hinge_goal_rad),
        ("ajar.beyond_rad", dense.ajar.beyond_rad),
        ("ajar.value", dense.ajar.value),
        ("open.beyond_rad", dense.open.beyond_rad),
        ("open.value", dense.open.value),
        ("wide.beyond_rad", dense.wide.beyond_rad),
        ("wide.value", dense.wide.value),
    ] {
        source.require_finite(&format!("reward.dense.{key}"), value)?;
    }
    source.require_finite("success.hinge_rad", success.hinge_rad)?;
    let reachable = (1..=horizon).contains(&success.min_steps);
    source.require(
        "success.min_steps",
        success.min_steps,
        reachable,
        "1 to the horizon",
    )?;

    let position = |name: &str| {
        source
            .scene(model.joint(name))
            .map(|j| model.joints[j].qpos_adr)
    };
    let (hinge, latch) = (position("door_hinge")?, position("latch")?);
    let hand = model.joints.iter().map(|joint| joint.qpos_adr);
    let door = Door {
        frame: source.scene(model.body("frame"))?,
        palm: source.scene(model.site("S_grasp"))?,
        handle: source.scene(model.site("S_handle"))?,
        observed: hand
            .skip(1)
            .filter(|&adr| adr != hinge && adr != latch)
            .collect(),
        success_hinge_rad: success.hinge_rad,
        reset,
        dense,
        hinge,
        latch,
    };
    let model = Arc::new(model);
    Ok(TaskModel {
        name: "door",
        horizon,
        frame_skip,
        min_success_steps: success.min_steps,
        task: Box::new(door),
        expert: expert
            .map(|e| ExpertPlan::compile(e, &model, source))
            .transpose()?,
        model,
    })
}

impl Task for Door {
    fn obs_dim(&self) -> usize {
        self.observed.len() + 12
    }

    fn reset(&self, sim: &mut Sim, rng: &mut ChaCha8Rng) -> Result<(), SimError> {
        let Reset {
            frame_x_m,
            frame_y_m,
            frame_z_m,
        } = self.reset;
        let position = [frame_x_m, frame_y_m, frame_z_m]
            .map(|[low, high]| low + (high - low) * rng.random::<f64>());
        sim.set_body_position(self.frame, position)?;
        sim.reset();
        Ok(())
    }

    /// Joint angles (27), latch, hinge, palm (3), handle (3), palm - handle (3), open flag.
    fn observe(&self, sim: &Sim, obs: &mut Vec<f32>) {
        let (qpos, hinge_rad) = (sim.qpos(), sim.qpos()[self.hinge]);
        let (palm, handle) = (sim.site_pose(self.palm).pos, sim.site_pose(self.handle).pos);
        obs.extend(self.observed.iter().map(|&adr| qpos[adr] as f32));
        obs.extend([qpos[self.latch] as f32, hinge_rad as f32]);
        obs.extend(palm.map(|v| v as f32));
        obs.extend(handle.map(|v| v as f32));
        obs.extend([0, 1, 2].map(|k| (palm[k] - handle[k]) as f32));
        obs.push(if hinge_rad > FLAG_HINGE_RAD {
            1.0
        } else {
            -1.0
        });
    }

    fn dense_terms(&self, sim: &Sim) -> Vec<RewardTerm> {
        let (palm, handle) = (sim.site_pose(self.palm).pos, sim.site_pose(self.handle).pos);
        let distance_m = [0, 1, 2]
            .map(|k| (palm[k] - handle[k]).powi(2))
            .iter()
            .sum::<f64>()
            .sqrt();
        self.terms(distance_m, sim.qpos()[self.hinge], sim.qvel())
    }

    fn success(&self, sim: &Sim) -> bool {
        sim.qpos()[self.hinge] >= self.success_hinge_rad
    }
}

impl Door {
    fn terms(&self, distance_m: f64, hinge_rad: f64, qvel: &[f64]) -> Vec<RewardTerm> {
        let dense = &self.dense;
        let bonus = |b: Bonus| {
            if hinge_rad > b.beyond_rad {
                b.value
            } else {
                0.0
            }
        };
        let speed_squared: f64 = qvel.iter().map(|v| v * v).sum();
        let error = hinge_rad - dense.hinge_goal_rad;
        vec![
            RewardTerm::new("reach", dense.reach * distance_m),
            RewardTerm::new("hinge_error", dense.hinge_error * error * error),
            RewardTerm::new("velocity", dense.velocity * speed_squared),
            RewardTerm::new("ajar", bonus(dense.ajar)),
            RewardTerm::new("open", bonus(dense.open)),
            RewardTerm::new("wide", bonus(dense.wide)),
        ]
    }
}
