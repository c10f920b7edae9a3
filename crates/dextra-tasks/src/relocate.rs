//! Adroit relocate: pick the ball up and hold it at the target (Rajeswaran et al. 2018).
//!
//! Observation, reward, success and reset are those of `AdroitHandRelocate` (mj_envs v0, D4RL,
//! Gymnasium-Robotics v2). Its dense reward has the reach term negative, as in all of these but
//! Gymnasium-Robotics 1.2.1 to 1.4.2, where the sign was flipped by mistake.
//!
//! The target is a body of the scene that nothing moves, so the simulation's snapshots have it.

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

/// `[reset]`: where the ball lies and where the target is, each coordinate uniform in its range.
/// The ball's height is the scene's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    ball_x_m: [f64; 2],
    ball_y_m: [f64; 2],
    target_x_m: [f64; 2],
    target_y_m: [f64; 2],
    target_z_m: [f64; 2],
}

/// `[reward.dense]`: weights of the distances and the bonuses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dense {
    reach: f64,
    lifted: Lifted,
    palm_to_target: f64,
    ball_to_target: f64,
    near: Bonus,
    nearer: Bonus,
}

/// Paid at every step with the ball's centre above a height. Only then do the distances to the
/// target count.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifted {
    above_m: f64,
    value: f64,
}

/// Paid at every step with the ball's centre within a distance of the target.
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

#[derive(Debug)]
struct Relocate {
    reset: Reset,
    dense: Dense,
    success_within_m: f64,
    ball: usize,
    target: usize,
    palm: usize,
    /// Positions observed as they are: those of the arm's and the hand's joints.
    observed: Vec<usize>,
}

/// Loads the task from its file.
pub(crate) fn load(source: &Source) -> Result<TaskModel, TaskError> {
    let (tables, frame) = source.parse::<Reset, Dense, Success>()?;
    let Tables {
        reset,
        dense,
        success,
    } = tables;
    let model = &frame.model;
    for (key, range) in [
        ("ball_x_m", reset.ball_x_m),
        ("ball_y_m", reset.ball_y_m),
        ("target_x_m", reset.target_x_m),
        ("target_y_m", reset.target_y_m),
        ("target_z_m", reset.target_z_m),
    ] {
        source.require_range(&format!("reset.{key}"), range)?;
    }
    let within_m = success.within_m;
    let possible = within_m.is_finite() && within_m > 0.0;
    source.require(
        "success.within_m",
        within_m,
        possible,
        "a finite number above 0",
    )?;

    let ball = source.scene(model.body("Object"))?;
    let hand = model.joints.iter().filter(|joint| joint.body != ball);
    let relocate = Relocate {
        ball,
        target: source.scene(model.body("target"))?,
        palm: source.scene(model.site("S_grasp"))?,
        observed: hand.map(|joint| joint.qpos_adr).collect(),
        success_within_m: within_m,
        reset,
        dense,
    };
    frame.finish("relocate", success.min_steps, relocate)
}

impl Task for Relocate {
    fn obs_dim(&self) -> usize {
        self.observed.len() + 9
    }

    fn reset(&self, sim: &mut Sim, rng: &mut ChaCha8Rng) -> Result<(), SimError> {
        let reset = &self.reset;
        let mut draw = |[low, high]: [f64; 2]| low + (high - low) * rng.random::<f64>();
        let ball_z_m = sim.model().bodies[self.ball].pose.pos[2];
        let ball = [draw(reset.ball_x_m), draw(reset.ball_y_m), ball_z_m];
        let target = [reset.target_x_m, reset.target_y_m, reset.target_z_m].map(draw);
        sim.set_body_position(self.ball, ball)?;
        sim.set_body_position(self.target, target)?;
        sim.reset();
        Ok(())
    }

    /// Joint positions (30), palm - ball (3), palm - target (3), ball - target (3).
    fn observe(&self, sim: &Sim, obs: &mut Vec<f32>) {
        let points = self.points(sim);
        obs.extend(self.observed.iter().map(|&adr| sim.qpos()[adr] as f32));
        for (from, to) in points.pairs() {
            obs.extend([0, 1, 2].map(|k| (from[k] - to[k]) as f32));
        }
    }

    fn dense_terms(&self, sim: &Sim) -> Vec<RewardTerm> {
        let dense = &self.dense;
        let points = self.points(sim);
        let [reach_m, palm_m, ball_m] = points.pairs().map(|(from, to)| distance(from, to));
        let lifted = f64::from(u8::from(points.ball[2] > dense.lifted.above_m));
        let bonus = |b: Bonus| if ball_m < b.within_m { b.value } else { 0.0 };
        vec![
            RewardTerm::new("reach", dense.reach * reach_m),
            RewardTerm::new("lifted", lifted * dense.lifted.value),
            RewardTerm::new("palm_to_target", lifted * dense.palm_to_target * palm_m),
            RewardTerm::new("ball_to_target", lifted * dense.ball_to_target * ball_m),
            RewardTerm::new("near", bonus(dense.near)),
            RewardTerm::new("nearer", bonus(dense.nearer)),
        ]
    }

    fn observed_success(&self, obs: &[f32]) -> Option<bool> {
        // The last of the observed differences is that of ball and target.
        let from = self.obs_dim() - 3;
        let Some(&[x, y, z]) = obs.get(from..from + 3) else {
            return None;
        };
        let apart = [x, y, z].map(f64::from);
        Some(distance(apart, [0.0; 3]) < self.success_within_m)
    }

    fn success(&self, sim: &Sim) -> bool {
        let points = self.points(sim);
        distance(points.ball, points.target) < self.success_within_m
    }

    fn measures(&self, sim: &Sim) -> Vec<Measure> {
        let points = self.points(sim);
        let away = 1e2 * distance(points.ball, points.target);
        let bound = 1e2 * self.success_within_m;
        vec![Measure::below("ball to target", away, bound, "cm")]
    }
}

/// The three places that matter, in the world, m.
struct Points {
    palm: [f64; 3],
    ball: [f64; 3],
    target: [f64; 3],
}

impl Points {
    /// The three differences that are observed: each is the first less the second.
    fn pairs(&self) -> [([f64; 3], [f64; 3]); 3] {
        [
            (self.palm, self.ball),
            (self.palm, self.target),
            (self.ball, self.target),
        ]
    }
}

impl Relocate {
    fn points(&self, sim: &Sim) -> Points {
        Points {
            palm: sim.site_pose(self.palm).pos,
            ball: sim.body_pose(self.ball).pos,
            target: sim.body_pose(self.target).pos,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::Arc;

    use super::*;
    use rand::SeedableRng;

    // A state and what `AdroitHandRelocate-v1` (Gymnasium-Robotics 1.4.2, MuJoCo 4.0.0) observes in
    // it; the ball hangs between table and target, turned about all axes.
    const BALL: [f64; 3] = [0.05, -0.1, 0.035];
    const TARGET: [f64; 3] = [0.12, 0.1, 0.25];
    const QPOS: [f64; 36] = [
        0.11, 0.07, 0.23, -0.21, 0.14, -0.32, -0.2, 0.31, -0.03, 0.63, 0.57, 0.53, -0.19, 0.38,
        0.4, 0.42, -0.19, 0.45, 0.52, 0.6, 0.37, -0.05, 0.79, 0.92, 1.01, 0.39, 0.85, 0.09, 0.22,
        -0.42, 0.02, -0.03, 0.08, 0.3, -0.2, 0.5,
    ];
    const OBSERVED: [f64; 9] = [
        -0.21632, 0.14309, 0.19463, -0.26632, -0.08691, 0.05963, -0.05, -0.23, -0.135,
    ];

    /// The state above with another target and height of the ball above where it lay.
    fn posed(target: [f64; 3], ball_z_m: f64) -> (Arc<TaskModel>, Sim) {
        let model = TaskModel::load("relocate").unwrap();
        let mut sim = Sim::new(Arc::clone(model.model()));
        for (body, position) in [("Object", BALL), ("target", target)] {
            sim.set_body_position(model.model().body(body).unwrap(), position)
                .unwrap();
        }
        let mut qpos = QPOS;
        qpos[32] = ball_z_m;
        sim.set_state(&qpos, &[0.5; 36]).unwrap();
        (model, sim)
    }

    #[test]
    fn observes_what_the_published_environment_does() {
        let (model, sim) = posed(TARGET, QPOS[32]);
        let mut obs = Vec::new();
        model.task.observe(&sim, &mut obs);
        assert_eq!((obs.len(), model.obs_dim()), (39, 39));
        let expected = QPOS[..30].iter().chain(&OBSERVED);
        for (index, (ours, theirs)) in obs.iter().zip(expected).enumerate() {
            assert!(
                (f64::from(*ours) - theirs).abs() < 2e-4,
                "obs[{index}]: {ours}, not {theirs}"
            );
        }
    }

    #[test]
    fn dense_reward_and_success_are_the_published_ones() {
        // Computed by the environment above, with the reach term's sign set right.
        for (target, ball_z_m, reward, solved) in [
            (TARGET, 0.08, 0.688693, false),
            (TARGET, 0.0, -0.037775, false),
            ([0.07, -0.05, 0.13], 0.08, 10.782788, true),
            ([0.07, -0.11, 0.15], 0.08, 30.799574, true),
        ] {
            let (model, sim) = posed(target, ball_z_m);
            let terms = model.task.dense_terms(&sim);
            let sum: f32 = terms.iter().map(|term| term.value).sum();
            assert!(
                (f64::from(sum) - reward).abs() < 1e-4,
                "{target:?}: {terms:?}, not {reward} in all"
            );
            assert_eq!(model.task.success(&sim), solved, "{target:?}");
            let mut obs = Vec::new();
            model.task.observe(&sim, &mut obs);
            assert_eq!(model.observed_success(&obs), Some(solved), "{target:?}");
        }
    }

    #[test]
    fn bad_values_are_told_by_file_and_key() {
        let path = crate::scenes_dir().unwrap().join("relocate.toml");
        let good = Source::read(&path).unwrap();
        for (from, to, parts) in [
            (
                "[-0.15, 0.3]",
                "[0.3, -0.15]",
                ["reset.ball_y_m", "low <= high"],
            ),
            (
                "within_m = 0.1  ",
                "within_m = 0 ",
                ["success.within_m", "above 0"],
            ),
            (
                "ARTx = 0.1",
                "FFJ2 = 0.1",
                ["anticipation_secs.FFJ2", "world and the palm"],
            ),
            (
                "below_m = 0.02",
                "below_rad = 0.02",
                ["lift.retry.below", "below_m"],
            ),
        ] {
            let mut source = good.clone();
            source.text = source.text.replacen(from, to, 1);
            assert_ne!(source.text, good.text, "the file has no `{from}`");
            let message = load(&source).expect_err("accepted").to_string();
            for part in ["relocate.toml"].into_iter().chain(parts) {
                assert!(message.contains(part), "no `{part}` in: {message}");
            }
        }
    }

    #[test]
    fn resets_spread_over_the_published_ranges() {
        let model = TaskModel::load("relocate").unwrap();
        let [ball, target] = ["Object", "target"].map(|b| model.model().body(b).unwrap());
        let mut sim = Sim::new(Arc::clone(model.model()));
        let mut bounds = [[f64::INFINITY, f64::NEG_INFINITY]; 6];
        for seed in 0..200 {
            model
                .task
                .reset(&mut sim, &mut ChaCha8Rng::seed_from_u64(seed))
                .unwrap();
            let places = [sim.body_pose(ball).pos, sim.body_pose(target).pos].concat();
            for (bound, value) in bounds.iter_mut().zip(places) {
                *bound = [bound[0].min(value), bound[1].max(value)];
            }
            // The ball's own coordinates count from where it was put.
            assert!(sim.qpos().iter().chain(sim.qvel()).all(|v| *v == 0.0));
        }
        let expected = [
            [-0.15, 0.15],
            [-0.15, 0.3],
            [0.035, 0.035],
            [-0.2, 0.2],
            [-0.2, 0.2],
            [0.15, 0.35],
        ];
        for ([low, high], [from, to]) in bounds.into_iter().zip(expected) {
            let near = 0.05 * (to - from) + 1e-6;
            assert!(
                low >= from - 1e-6 && low < from + near,
                "{bounds:?}, not {expected:?}"
            );
            assert!(
                high <= to + 1e-6 && high > to - near,
                "{bounds:?}, not {expected:?}"
            );
        }
    }
}
