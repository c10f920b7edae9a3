//! The Adroit door: turn the latch, pull the door open (Rajeswaran et al. 2018).
//!
//! Observation, reward, success and reset are those of `AdroitHandDoor` (mj_envs v0, D4RL,
//! Gymnasium-Robotics v2). Its dense reward has the reach term negative, as in all of these but
//! Gymnasium-Robotics 1.2.1 to 1.4.2, where the sign was flipped by mistake.

use dextra_sim::{Sim, SimError};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::{
    Measure, RewardTerm, TaskError, TaskModel,
    config::{Source, Tables},
    geometry::distance,
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
    let (tables, frame) = source.parse::<Reset, Dense, Success>()?;
    let Tables {
        reset,
        dense,
        success,
    } = tables;
    let model = &frame.model;
    source.require_range("reset.frame_x_m", reset.frame_x_m)?;
    source.require_range("reset.frame_y_m", reset.frame_y_m)?;
    source.require_range("reset.frame_z_m", reset.frame_z_m)?;

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
    frame.finish("door", success.min_steps, door)
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
        self.terms(distance(palm, handle), sim.qpos()[self.hinge], sim.qvel())
    }

    fn success(&self, sim: &Sim) -> bool {
        sim.qpos()[self.hinge] >= self.success_hinge_rad
    }

    fn measures(&self, sim: &Sim) -> Vec<Measure> {
        let (hinge_rad, bound) = (sim.qpos()[self.hinge], self.success_hinge_rad);
        vec![Measure::at_least("door open", hinge_rad, bound, "rad")]
    }

    fn observed_success(&self, obs: &[f32]) -> Option<bool> {
        let hinge_rad = obs.get(self.observed.len() + 1)?;
        Some(f64::from(*hinge_rad) >= self.success_hinge_rad)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::Arc;

    use super::*;
    use rand::SeedableRng;

    // A state and what `AdroitHandDoor-v1` (Gymnasium-Robotics 1.4.2, MuJoCo 4.0.0) observes in it.
    const FRAME: [f64; 3] = [-0.25, 0.3, 0.3];
    const QPOS: [f64; 30] = [
        0.17, 0.46, 0.63, 2.0, -0.41, 0.58, -0.03, 0.63, 0.57, 0.53, -0.19, 0.38, 0.4, 0.42, -0.19,
        0.45, 0.52, 0.6, 0.37, -0.05, 0.79, 0.92, 1.01, 0.39, 0.85, 0.09, 0.22, -0.42, 1.1, 0.9,
    ];
    const OBSERVED: [f64; 39] = [
        0.46, 0.63, 2.0, -0.41, 0.58, -0.03, 0.63, 0.57, 0.53, -0.19, 0.38, 0.4, 0.42, -0.19, 0.45,
        0.52, 0.6, 0.37, -0.05, 0.79, 0.92, 1.01, 0.39, 0.85, 0.09, 0.22, -0.42, 0.9, 1.1,
        -0.33543, -0.23376, 0.07052, 0.31732, -0.0949, 0.1575, -0.65275, -0.13886, -0.08698, 1.0,
    ];

    fn posed(hinge_rad: f64) -> (Arc<TaskModel>, Sim) {
        let model = TaskModel::load("door").unwrap();
        let mut sim = Sim::new(Arc::clone(model.model()));
        sim.set_body_position(model.model().body("frame").unwrap(), FRAME)
            .unwrap();
        let mut qpos = QPOS;
        qpos[28] = hinge_rad;
        sim.set_state(&qpos, &[0.5; 30]).unwrap();
        (model, sim)
    }

    #[test]
    fn observes_what_the_published_environment_does() {
        let (model, sim) = posed(1.1);
        let mut obs = Vec::new();
        model.task.observe(&sim, &mut obs);
        assert_eq!(obs.len(), model.obs_dim());
        for (index, (ours, theirs)) in obs.iter().zip(OBSERVED).enumerate() {
            assert!(
                (f64::from(*ours) - theirs).abs() < 2e-4,
                "obs[{index}]: {ours}, not {theirs}"
            );
        }
    }

    #[test]
    fn dense_reward_is_the_published_formula() {
        let (model, sim) = posed(1.1);
        let terms = model.task.dense_terms(&sim);
        let named: Vec<_> = terms.iter().map(|term| (term.name, term.value)).collect();
        let expected = [
            ("reach", -0.1 * 0.673003),
            ("hinge_error", -0.1 * 0.47 * 0.47),
            ("velocity", -1e-5 * 30.0 * 0.25),
            ("ajar", 2.0),
            ("open", 8.0),
            ("wide", 0.0),
        ];
        for ((name, value), (expected_name, expected)) in named.into_iter().zip(expected) {
            assert_eq!(name, expected_name);
            assert!(
                (value - expected).abs() < 1e-4,
                "{name}: {value}, not {expected}"
            );
        }
        let (model, sim) = posed(1.4);
        let bonuses: f32 = model.task.dense_terms(&sim)[3..]
            .iter()
            .map(|term| term.value)
            .sum();
        assert_eq!(bonuses, 20.0);
    }

    #[test]
    fn success_begins_at_the_published_angle() {
        for (hinge_rad, solved) in [(1.34, false), (1.36, true)] {
            let (model, sim) = posed(hinge_rad);
            assert_eq!(model.task.success(&sim), solved, "{hinge_rad} rad");
            let mut obs = Vec::new();
            model.task.observe(&sim, &mut obs);
            assert_eq!(
                model.observed_success(&obs),
                Some(solved),
                "{hinge_rad} rad"
            );
        }
    }

    #[test]
    fn resets_spread_over_the_published_ranges() {
        let model = TaskModel::load("door").unwrap();
        let frame = model.model().body("frame").unwrap();
        let mut sim = Sim::new(Arc::clone(model.model()));
        let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for seed in 0..200 {
            model
                .task
                .reset(&mut sim, &mut ChaCha8Rng::seed_from_u64(seed))
                .unwrap();
            let position = sim.body_pose(frame).pos;
            low = [0, 1, 2].map(|k| low[k].min(position[k]));
            high = [0, 1, 2].map(|k| high[k].max(position[k]));
            assert!(sim.qpos().iter().chain(sim.qvel()).all(|v| *v == 0.0));
        }
        for (axis, [from, to]) in [[-0.3, -0.2], [0.25, 0.35], [0.252, 0.35]]
            .iter()
            .enumerate()
        {
            assert!(
                low[axis] >= from - 1e-6 && low[axis] < from + 0.005,
                "axis {axis}: {low:?}"
            );
            assert!(
                high[axis] <= to + 1e-6 && high[axis] > to - 0.005,
                "axis {axis}: {high:?}"
            );
        }
    }
}
