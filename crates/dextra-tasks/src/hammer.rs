//! The Adroit hammer: pick it up, drive the nail into the board (Rajeswaran et al. 2018).
//!
//! Observation, reward, success and reset are those of `AdroitHandHammer` (mj_envs v0, D4RL,
//! Gymnasium-Robotics v2). Its dense reward has the reach term negative, as in all of these but
//! Gymnasium-Robotics 1.2.1 to 1.4.2, where the sign was flipped by mistake.

use dextra_sim::{Model, Sim, SimError};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::{
    Measure, RewardTerm, TaskError, TaskModel,
    config::{Source, Tables},
    geometry::{distance, euler_angles},
    task::Task,
};

/// `[reset]`: how high the board is, uniform in its range.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    board_z_m: [f64; 2],
}

/// `[reward.dense]`: weights of the costs and the three bonuses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dense {
    reach: f64,
    aim: f64,
    drive: f64,
    velocity: f64,
    lift: Lift,
    near: Bonus,
    done: Bonus,
}

/// Paid at every step with the hammer and its tool site higher than this.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lift {
    above_m: f64,
    value: f64,
}

/// Paid at every step with the nail this near to its goal.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bonus {
    within_m: f64,
    value: f64,
}

/// `[success]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Success {
    within_m: f64,
    min_steps: usize,
}

/// The hammer's joints, in the order of its velocities in the observation.
const HAMMER_JOINTS: [&str; 6] = ["OBJTx", "OBJTy", "OBJTz", "OBJRx", "OBJRy", "OBJRz"];

#[derive(Debug)]
struct Hammer {
    reset: Reset,
    dense: Dense,
    success_within_m: f64,
    board: usize,
    hammer: usize,
    palm: usize,
    tool: usize,
    nail: usize,
    goal: usize,
    /// Positions observed as they are: the arm's, the hand's and the nail's.
    observed: Vec<usize>,
    /// Velocities of the hammer's joints.
    hammer_dofs: [usize; 6],
    way: NailsWay,
}

/// Where the nail's head is, seen from its goal, by what is observed of it.
#[derive(Debug)]
struct NailsWay {
    /// Index of the nail's position in the observation.
    observed: usize,
    /// With the nail's joint at 0, m.
    start_m: [f64; 3],
    /// The way that the joint moves it.
    along: [f64; 3],
}

impl NailsWay {
    fn of(model: &Model, observed: &[usize], joint: usize, nail: usize, goal: usize) -> Self {
        let (joint, nail, goal) = (&model.joints[joint], &model.sites[nail], &model.sites[goal]);
        let body = &model.bodies[joint.body].pose;
        let along = body.rotate(joint.axis);
        let (at, goal_m) = (body.transform_point(nail.pose.pos), goal.pose.pos);
        Self {
            observed: observed
                .iter()
                .position(|&adr| adr == joint.qpos_adr)
                .unwrap_or(usize::MAX),
            start_m: [0, 1, 2].map(|k| at[k] - goal_m[k] - joint.reference * along[k]),
            along,
        }
    }

    /// How far the head is from its goal; `None` for what is no observation of this task.
    fn goal_m(&self, obs: &[f32]) -> Option<f64> {
        let nail_m = f64::from(*obs.get(self.observed)?);
        let apart = [0, 1, 2].map(|k| self.start_m[k] + nail_m * self.along[k]);
        Some(distance(apart, [0.0; 3]))
    }
}

/// Loads the hammer from its task file.
pub(crate) fn load(source: &Source) -> Result<TaskModel, TaskError> {
    let (tables, frame) = source.parse::<Reset, Dense, Success>()?;
    let Tables {
        reset,
        dense,
        success,
    } = tables;
    let model = &frame.model;
    source.require_range("reset.board_z_m", reset.board_z_m)?;

    let mut hammer_joints = [0; 6];
    for (joint, name) in hammer_joints.iter_mut().zip(HAMMER_JOINTS) {
        *joint = source.scene(model.joint(name))?;
    }
    let others = (0..model.joints.len()).filter(|joint| !hammer_joints.contains(joint));
    let observed: Vec<usize> = others.map(|joint| model.joints[joint].qpos_adr).collect();
    let nail = source.scene(model.site("S_target"))?;
    let goal = source.scene(model.site("nail_goal"))?;
    let nail_joint = source.scene(model.joint("nail_dir"))?;
    let hammer = Hammer {
        board: source.scene(model.body("nail_board"))?,
        hammer: source.scene(model.body("Object"))?,
        palm: source.scene(model.site("S_grasp"))?,
        tool: source.scene(model.site("tool"))?,
        nail,
        goal,
        way: NailsWay::of(model, &observed, nail_joint, nail, goal),
        observed,
        hammer_dofs: hammer_joints.map(|joint| model.joints[joint].dof_adr),
        success_within_m: success.within_m,
        reset,
        dense,
    };
    frame.finish("hammer", success.min_steps, hammer)
}

impl Task for Hammer {
    fn obs_dim(&self) -> usize {
        self.observed.len() + 19
    }

    fn reset(&self, sim: &mut Sim, rng: &mut ChaCha8Rng) -> Result<(), SimError> {
        let [low, high] = self.reset.board_z_m;
        let mut position = sim.model().bodies[self.board].pose.pos;
        position[2] = low + (high - low) * rng.random::<f64>();
        sim.set_body_position(self.board, position)?;
        sim.reset();
        Ok(())
    }

    /// Joint angles (26), nail, the hammer's joint velocities in [-1, 1] (6), palm (3), hammer (3)
    /// and its Euler angles (3), nail head (3), touch of the nail head in [-1, 1].
    fn observe(&self, sim: &Sim, obs: &mut Vec<f32>) {
        let clip = |v: f64| v.clamp(-1.0, 1.0) as f32;
        let hammer = sim.body_pose(self.hammer);
        obs.extend(self.observed.iter().map(|&adr| sim.qpos()[adr] as f32));
        obs.extend(self.hammer_dofs.map(|dof| clip(sim.qvel()[dof])));
        obs.extend(sim.site_pose(self.palm).pos.map(|v| v as f32));
        obs.extend(hammer.pos.map(|v| v as f32));
        obs.extend(euler_angles(hammer.quat).map(|v| v as f32));
        obs.extend(sim.site_pose(self.nail).pos.map(|v| v as f32));
        obs.push(clip(sim.site_touch(self.nail)));
    }

    fn dense_terms(&self, sim: &Sim) -> Vec<RewardTerm> {
        let dense = &self.dense;
        let paid = |when: bool, value: f64| if when { value } else { 0.0 };
        let (palm, hammer) = (sim.site_pose(self.palm).pos, sim.body_pose(self.hammer).pos);
        let (tool, nail) = (sim.site_pose(self.tool).pos, sim.site_pose(self.nail).pos);
        let speed = sim.qvel().iter().map(|v| v * v).sum::<f64>().sqrt();
        let lifted = hammer[2].min(tool[2]) > dense.lift.above_m;
        let goal_m = self.goal_m(sim);
        vec![
            RewardTerm::new("reach", dense.reach * distance(palm, hammer)),
            RewardTerm::new("aim", dense.aim * distance(tool, nail)),
            RewardTerm::new("drive", dense.drive * goal_m),
            RewardTerm::new("velocity", dense.velocity * speed),
            RewardTerm::new("lift", paid(lifted, dense.lift.value)),
            RewardTerm::new("near", paid(goal_m < dense.near.within_m, dense.near.value)),
            RewardTerm::new("done", paid(goal_m < dense.done.within_m, dense.done.value)),
        ]
    }

    fn observed_success(&self, obs: &[f32]) -> Option<bool> {
        Some(self.way.goal_m(obs)? < self.success_within_m)
    }

    fn success(&self, sim: &Sim) -> bool {
        self.goal_m(sim) < self.success_within_m
    }

    fn measures(&self, sim: &Sim) -> Vec<Measure> {
        let (left, bound) = (1e3 * self.goal_m(sim), 1e3 * self.success_within_m);
        vec![Measure::below("nail still out", left, bound, "mm")]
    }
}

impl Hammer {
    /// How far the nail's head is from its goal.
    fn goal_m(&self, sim: &Sim) -> f64 {
        distance(sim.site_pose(self.nail).pos, sim.site_pose(self.goal).pos)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::Arc;

    use super::*;
    use rand::SeedableRng;

    // A state and what `AdroitHandHammer-v1` (Gymnasium-Robotics 1.4.2, MuJoCo 4.0.0) observes in it.
    const BOARD: [f64; 3] = [0.05, 0.0, 0.17];
    const QPOS: [f64; 33] = [
        -0.24, -0.09, -0.05, -0.02, -0.21, 0.72, 0.77, 0.46, 0.12, 0.42, 0.68, 0.8, -0.04, 0.87,
        1.01, 1.22, 0.26, 0.08, 0.97, 0.59, 0.32, 0.59, 0.5, -0.06, 0.25, -0.71, 0.03, 0.02, 0.13,
        -0.05, 0.4, -0.3, 0.6,
    ];
    const HAMMER_QVEL: [f64; 6] = [0.3, -1.7, 2.5, 0.9, -0.4, 1.2];
    const OBSERVED: [f64; 46] = [
        -0.24, -0.09, -0.05, -0.02, -0.21, 0.72, 0.77, 0.46, 0.12, 0.42, 0.68, 0.8, -0.04, 0.87,
        1.01, 1.22, 0.26, 0.08, 0.97, 0.59, 0.32, 0.59, 0.5, -0.06, 0.25, -0.71, 0.03, 0.3, -1.0,
        1.0, 0.9, -0.4, 1.0, 0.0432, -0.20349, 0.27196, 0.02, -0.1499, 0.16496, 1.97, -0.3, 0.6,
        -0.01617, -0.02573, 0.17002, 0.0,
    ];

    fn hammer() -> (Arc<TaskModel>, Sim) {
        let model = TaskModel::load("hammer").unwrap();
        let mut sim = Sim::new(Arc::clone(model.model()));
        let board = model.model().body("nail_board").unwrap();
        sim.set_body_position(board, BOARD).unwrap();
        (model, sim)
    }

    fn posed(nail_m: f64) -> (Arc<TaskModel>, Sim) {
        let (model, mut sim) = hammer();
        let mut qpos = QPOS;
        qpos[26] = nail_m;
        let mut qvel = [0.5; 33];
        qvel[27..].copy_from_slice(&HAMMER_QVEL);
        sim.set_state(&qpos, &qvel).unwrap();
        (model, sim)
    }

    #[test]
    fn observes_what_the_published_environment_does() {
        let (model, sim) = posed(0.03);
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
        // Computed from MuJoCo's positions in the same states, with mj_envs' sign of `reach`.
        let cases = [
            (0.03, [-0.01219, -0.13305, -0.61, -0.04288, 2.0, 0.0, 0.0]),
            (0.073, [-0.01219, -0.16837, -0.18, -0.04288, 2.0, 25.0, 0.0]),
            (
                0.0825,
                [-0.01219, -0.17663, -0.085, -0.04288, 2.0, 25.0, 75.0],
            ),
        ];
        let names = ["reach", "aim", "drive", "velocity", "lift", "near", "done"];
        for (nail_m, expected) in cases {
            let (model, sim) = posed(nail_m);
            let terms = model.task.dense_terms(&sim);
            assert_eq!(terms.len(), names.len());
            for ((term, name), expected) in terms.iter().zip(names).zip(expected) {
                assert_eq!(term.name, name);
                assert!(
                    (term.value - expected).abs() < 1e-4,
                    "{name} at {nail_m} m: {}, not {expected}",
                    term.value
                );
            }
        }
    }

    #[test]
    fn success_begins_at_the_published_depth() {
        for (nail_m, solved) in [(0.0805, false), (0.0815, true)] {
            let (model, sim) = posed(nail_m);
            assert_eq!(model.task.success(&sim), solved, "{nail_m} m");
            let mut obs = Vec::new();
            model.task.observe(&sim, &mut obs);
            assert_eq!(model.observed_success(&obs), Some(solved), "{nail_m} m");
        }
        assert_eq!(hammer().0.observed_success(&[0.0; 3]), None);
    }

    /// The hammer's position and velocity 5 mm in front of the nail, flying at it straight.
    fn thrown(speed: f64) -> ([f64; 33], [f64; 33]) {
        let (mut qpos, mut qvel) = ([0.0; 33], [0.0; 33]);
        // The arm out of the way.
        (qpos[0], qpos[3]) = (-0.4, -0.7);
        qpos[27..].copy_from_slice(&[-0.00293, 0.135, 0.07803, 0.0, -1.20032, 0.0]);
        for (v, along) in qvel[27..30].iter_mut().zip([0.93215, 0.0, -0.36206]) {
            *v = speed * along;
        }
        (qpos, qvel)
    }

    #[test]
    fn blows_drive_the_nail_as_deep_as_in_mujoco() {
        let (task_model, _) = hammer();
        let mut model = Model::clone(task_model.model());
        model.gravity = [0.0; 3];
        let board = model.body("nail_board").unwrap();
        let mut sim = Sim::new(Arc::new(model));
        // MuJoCo 4.0.0 on the same scene.
        for (speed, depth_m) in [(0.5, 0.0043), (1.0, 0.0249), (1.5, 0.0636)] {
            sim.set_body_position(board, BOARD).unwrap();
            let (qpos, qvel) = thrown(speed);
            sim.set_state(&qpos, &qvel).unwrap();
            for _ in 0..200 {
                sim.step(&[-0.16]);
            }
            let found = sim.qpos()[26];
            println!("{speed} m/s: {found:.4} m, MuJoCo {depth_m}");
            assert!(
                (found - depth_m).abs() < 0.1 * depth_m + 0.0005,
                "{speed} m/s: {found} m, not {depth_m}"
            );
        }
    }

    #[test]
    fn the_nail_feels_a_blow() {
        let (model, mut sim) = hammer();
        let (qpos, qvel) = thrown(1.0);
        sim.set_state(&qpos, &qvel).unwrap();
        let felt: Vec<f32> = (0..10)
            .map(|_| {
                sim.step(&[-0.16]);
                let mut obs = Vec::new();
                model.task.observe(&sim, &mut obs);
                obs[45]
            })
            .collect();
        assert_eq!(felt[0], 0.0, "no contact yet");
        assert!(felt.contains(&1.0), "{felt:?}");
    }

    #[test]
    fn resets_spread_over_the_published_range() {
        let (model, mut sim) = hammer();
        let board = model.model().body("nail_board").unwrap();
        let heights: Vec<f64> = (0..200)
            .map(|seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                model.task.reset(&mut sim, &mut rng).unwrap();
                assert!(sim.qpos().iter().chain(sim.qvel()).all(|v| *v == 0.0));
                sim.body_pose(board).pos[2]
            })
            .collect();
        let low = heights.iter().copied().fold(f64::INFINITY, f64::min);
        let high = heights.iter().copied().fold(0.0, f64::max);
        assert!((0.1..0.105).contains(&low), "{low}");
        assert!((0.245..=0.25).contains(&high), "{high}");
    }
}
