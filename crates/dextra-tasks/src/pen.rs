//! The Adroit pen: turn a pen in the hand until it points as the target does (Rajeswaran et al. 2018).
//!
//! Observation, reward, success and reset are those of `AdroitHandPen` (mj_envs v1.0, D4RL,
//! Gymnasium-Robotics). A dropped pen ends the episode, as in mj_envs and D4RL; Gymnasium-Robotics
//! goes on, which the task file can ask for too.

use dextra_sim::{Pose, Sim, SimError};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::{
    Measure, RewardTerm, TaskError, TaskModel,
    config::{Source, Tables},
    task::Task,
};

/// `[reset]`: the target's two angles, each uniform in its range.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    target_x_rad: [f64; 2],
    target_y_rad: [f64; 2],
}

/// `[reward.dense]`: weights and bonuses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dense {
    distance: f64,
    alignment: f64,
    close: Bonus,
    aligned: Bonus,
    dropped: f64,
}

/// Paid at every step with the pen in place and aligned better than this.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bonus {
    above: f64,
    value: f64,
}

/// `[success]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Success {
    distance_m: f64,
    alignment: f64,
    min_steps: usize,
    drop_below_m: f64,
    terminate_on_drop: bool,
}

/// Where the observation has the pen's axis, the desired one, how far the pen is from its place, and the
/// difference of the axes.
const AXIS: usize = 33;
const DESIRED: usize = 36;
const ERROR: usize = 39;
const TURN: usize = 42;

/// Velocities observed as they are: the pen's three slides and three hinges.
const PEN_JOINTS: [&str; 6] = ["OBJTx", "OBJTy", "OBJTz", "OBJRx", "OBJRy", "OBJRz"];

#[derive(Debug)]
struct Pen {
    reset: Reset,
    dense: Dense,
    success: Success,
    pen: usize,
    target: usize,
    /// Where the pen should stay.
    place: usize,
    /// Sites at the two ends of pen and target, the top first.
    pen_ends: [usize; 2],
    target_ends: [usize; 2],
    /// Positions observed as they are: the hand's joints.
    hand: Vec<usize>,
    /// Velocities observed as they are.
    pen_dofs: [usize; 6],
}

/// What observation, reward and success are made of.
struct View {
    position_m: [f64; 3],
    error_m: [f64; 3],
    axis: [f64; 3],
    desired_axis: [f64; 3],
    distance_m: f64,
    /// Cosine between the two axes.
    alignment: f64,
}

/// Loads the pen from its task file.
pub(crate) fn load(source: &Source) -> Result<TaskModel, TaskError> {
    let (tables, frame) = source.parse::<Reset, Dense, Success>()?;
    let Tables {
        reset,
        dense,
        success,
    } = tables;
    let model = &frame.model;
    source.require_range("reset.target_x_rad", reset.target_x_rad)?;
    source.require_range("reset.target_y_rad", reset.target_y_rad)?;

    let site = |name: &str| source.scene(model.site(name));
    let mut pen_dofs = [0; 6];
    for (dof, name) in pen_dofs.iter_mut().zip(PEN_JOINTS) {
        *dof = model.joints[source.scene(model.joint(name))?].dof_adr;
    }
    let pen = source.scene(model.body("Object"))?;
    let hand = model.joints.iter().filter(|joint| joint.body != pen);
    let task = Pen {
        pen,
        target: source.scene(model.body("target"))?,
        place: site("eps_ball")?,
        pen_ends: [site("object_top")?, site("object_bottom")?],
        target_ends: [site("target_top")?, site("target_bottom")?],
        hand: hand.map(|joint| joint.qpos_adr).collect(),
        pen_dofs,
        reset,
        dense,
        success,
    };
    let min_steps = task.success.min_steps;
    frame.finish("pen", min_steps, task)
}

impl Task for Pen {
    fn obs_dim(&self) -> usize {
        self.hand.len() + 21
    }

    fn reset(&self, sim: &mut Sim, rng: &mut ChaCha8Rng) -> Result<(), SimError> {
        let Reset {
            target_x_rad,
            target_y_rad,
        } = self.reset;
        let half_rad = [target_x_rad, target_y_rad]
            .map(|[low, high]| (low + (high - low) * rng.random::<f64>()) / 2.0);
        let ([sx, sy], [cx, cy]) = (half_rad.map(f64::sin), half_rad.map(f64::cos));
        let pose = Pose {
            pos: sim.model().bodies[self.target].pose.pos,
            quat: [cx * cy, sx * cy, cx * sy, sx * sy],
        };
        sim.set_body_pose(self.target, pose)?;
        sim.reset();
        Ok(())
    }

    /// Hand joints (24), pen position (3), pen joint velocities (6), pen axis (3), desired axis (3),
    /// pen position - its place (3), pen axis - desired axis (3).
    fn observe(&self, sim: &Sim, obs: &mut Vec<f32>) {
        let view = self.view(sim);
        let turn = [0, 1, 2].map(|k| view.axis[k] - view.desired_axis[k]);
        obs.extend(self.hand.iter().map(|&adr| sim.qpos()[adr] as f32));
        obs.extend(view.position_m.map(|v| v as f32));
        obs.extend(self.pen_dofs.iter().map(|&adr| sim.qvel()[adr] as f32));
        for vector in [view.axis, view.desired_axis, view.error_m, turn] {
            obs.extend(vector.map(|v| v as f32));
        }
    }

    fn dense_terms(&self, sim: &Sim) -> Vec<RewardTerm> {
        let (view, dense) = (self.view(sim), &self.dense);
        let in_place = view.distance_m < self.success.distance_m;
        let bonus = |b: Bonus| match in_place && view.alignment > b.above {
            true => b.value,
            false => 0.0,
        };
        let dropped = if self.dropped(sim) {
            dense.dropped
        } else {
            0.0
        };
        vec![
            RewardTerm::new("distance", dense.distance * view.distance_m),
            RewardTerm::new("alignment", dense.alignment * view.alignment),
            RewardTerm::new("close", bonus(dense.close)),
            RewardTerm::new("aligned", bonus(dense.aligned)),
            RewardTerm::new("dropped", dropped),
        ]
    }

    fn success(&self, sim: &Sim) -> bool {
        let (view, success) = (self.view(sim), &self.success);
        view.distance_m < success.distance_m && view.alignment > success.alignment
    }

    fn measures(&self, sim: &Sim) -> Vec<Measure> {
        let (view, success) = (self.view(sim), &self.success);
        let degrees = |cosine: f64| cosine.clamp(-1.0, 1.0).acos().to_degrees();
        let (off, away) = (degrees(view.alignment), 1e2 * view.distance_m);
        vec![
            Measure::below("pen turned off by", off, degrees(success.alignment), "°"),
            Measure::below("pen to its place", away, 1e2 * success.distance_m, "cm"),
        ]
    }

    fn goal(&self, sim: &Sim) -> Vec<f64> {
        goal_angles_rad(self.view(sim).desired_axis).to_vec()
    }

    /// The goal is the axis, observed at [`AXIS`] as it is and at [`DESIRED`] as it should be.
    fn hindsight(&self, obs: &[f32], achieved: &[f32]) -> Option<(Vec<f32>, bool)> {
        let vector = |obs: &[f32], at: usize| [0, 1, 2].map(|k| f64::from(obs[at + k]));
        let (axis, desired) = (vector(obs, AXIS), vector(achieved, AXIS));
        let possible = goal_angles_rad(desired)
            .into_iter()
            .zip([self.reset.target_x_rad, self.reset.target_y_rad])
            .all(|(angle, [low, high])| (low..=high).contains(&angle));
        if !possible {
            return None;
        }
        let mut obs = obs.to_vec();
        for k in 0..3 {
            obs[DESIRED + k] = desired[k] as f32;
            obs[TURN + k] = (axis[k] - desired[k]) as f32;
        }
        let solved = self.observed_success(&obs)?;
        Some((obs, solved))
    }

    fn observed_success(&self, obs: &[f32]) -> Option<bool> {
        let vector = |at: usize| match obs.get(at..at + 3) {
            Some(&[x, y, z]) => Some([x, y, z].map(f64::from)),
            _ => None,
        };
        let (axis, desired) = (vector(AXIS)?, vector(DESIRED)?);
        let alignment: f64 = (0..3).map(|k| axis[k] * desired[k]).sum();
        let in_place = norm(vector(ERROR)?) < self.success.distance_m;
        Some(in_place && alignment > self.success.alignment)
    }

    fn terminated(&self, sim: &Sim) -> bool {
        self.success.terminate_on_drop && self.dropped(sim)
    }
}

impl Pen {
    fn view(&self, sim: &Sim) -> View {
        let axis = |ends: [usize; 2]| {
            let [top, bottom] = ends.map(|site| sim.site_pose(site).pos);
            let along = [0, 1, 2].map(|k| top[k] - bottom[k]);
            along.map(|v| v / norm(along))
        };
        let position_m = sim.body_pose(self.pen).pos;
        let place_m = sim.site_pose(self.place).pos;
        let error_m = [0, 1, 2].map(|k| position_m[k] - place_m[k]);
        let (axis, desired_axis) = (axis(self.pen_ends), axis(self.target_ends));
        View {
            position_m,
            error_m,
            axis,
            desired_axis,
            distance_m: norm(error_m),
            alignment: (0..3).map(|k| axis[k] * desired_axis[k]).sum(),
        }
    }

    fn dropped(&self, sim: &Sim) -> bool {
        sim.body_pose(self.pen).pos[2] < self.success.drop_below_m
    }
}

/// The two angles a and b by which a target with that axis is turned: (sin b, -sin a cos b, cos a cos b).
fn goal_angles_rad([x, y, z]: [f64; 3]) -> [f64; 2] {
    [(-y).atan2(z), x.clamp(-1.0, 1.0).asin()]
}

fn norm(v: [f64; 3]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::Arc;

    use super::*;
    use rand::SeedableRng;

    // A state and what `AdroitHandPen-v1` (Gymnasium-Robotics 1.4.2, MuJoCo 4.0.0) observes in it.
    const TARGET: [f64; 4] = [0.926092, 0.205798, -0.308697, -0.068599];
    const QPOS: [f64; 30] = [
        -0.464, -0.454, 0.263, 0.915, 0.148, 0.68, -0.018, 0.251, 1.154, 0.179, -0.095, 0.812,
        0.677, 0.922, 0.515, 0.398, 0.446, 1.019, 1.094, -0.434, 0.002, 0.248, -0.211, -1.078,
        0.01, -0.02, 0.015, 0.3, -0.4, 0.2,
    ];
    const PEN_QVEL: [f64; 6] = [0.1, -0.2, 0.3, 1.0, -2.0, 3.0];
    const OBSERVED_PEN: [f64; 21] = [
        0.015008, -0.22, 0.240012, 0.1, -0.2, 0.3, 1.0, -2.0, 3.0, 0.879613, -0.272192, 0.390119,
        -0.6, -0.338824, 0.724706, 0.015008, -0.02, -0.009988, 1.479613, 0.066631, -0.334587,
    ];

    /// The state above with the target turned and the pen moved along its own slides.
    fn posed(target: [f64; 4], slide_m: [f64; 3]) -> (Arc<TaskModel>, Sim) {
        let model = TaskModel::load("pen").unwrap();
        let mut sim = Sim::new(Arc::clone(model.model()));
        let target = Pose {
            pos: [0.2, -0.2, 0.25],
            quat: target,
        };
        sim.set_body_pose(model.model().body("target").unwrap(), target)
            .unwrap();
        let (mut qpos, mut qvel) = (QPOS, [0.0; 30]);
        (0..3).for_each(|k| qpos[24 + k] += slide_m[k]);
        qvel[24..].copy_from_slice(&PEN_QVEL);
        sim.set_state(&qpos, &qvel).unwrap();
        (model, sim)
    }

    /// How the pen is turned in that state, so that a target can be turned alike.
    fn pen_turn() -> [f64; 4] {
        let (model, sim) = posed(TARGET, [0.0; 3]);
        sim.body_pose(model.model().body("Object").unwrap()).quat
    }

    fn terms(target: [f64; 4], slide_m: [f64; 3]) -> Vec<(&'static str, f32)> {
        let (model, sim) = posed(target, slide_m);
        let terms = model.task.dense_terms(&sim);
        terms.iter().map(|term| (term.name, term.value)).collect()
    }

    #[test]
    fn observes_what_the_published_environment_does() {
        let (model, sim) = posed(TARGET, [0.0; 3]);
        let mut obs = Vec::new();
        model.task.observe(&sim, &mut obs);
        assert_eq!((obs.len(), model.obs_dim()), (45, 45));
        let expected = QPOS[..24].iter().chain(&OBSERVED_PEN);
        for (index, (ours, theirs)) in obs.iter().zip(expected).enumerate() {
            assert!(
                (f64::from(*ours) - theirs).abs() < 1e-4,
                "obs[{index}]: {ours}, not {theirs}"
            );
        }
    }

    #[test]
    fn dense_reward_is_the_published_formula() {
        // Distance and alignment as measured in the published environment.
        let unaligned = [
            ("distance", -0.026926),
            ("alignment", -0.152821),
            ("close", 0.0),
            ("aligned", 0.0),
            ("dropped", 0.0),
        ];
        for ((name, value), (expected_name, expected)) in
            terms(TARGET, [0.0; 3]).into_iter().zip(unaligned)
        {
            assert_eq!(name, expected_name);
            assert!(
                (value - expected).abs() < 1e-4,
                "{name}: {value}, not {expected}"
            );
        }
        let values = |terms: Vec<(&str, f32)>| terms.iter().map(|t| t.1).collect::<Vec<_>>();
        assert_eq!(
            values(terms(pen_turn(), [0.0; 3]))[2..],
            [10.0, 50.0, 0.0],
            "aligned and in place"
        );
        // The slides' frame is the pen's at rest: its x points down.
        assert_eq!(
            values(terms(pen_turn(), [0.07, 0.0, 0.0]))[2..],
            [0.0, 0.0, 0.0],
            "aligned but 78 mm away"
        );
        assert_eq!(
            values(terms(pen_turn(), [0.17, 0.0, 0.0]))[2..],
            [0.0, 0.0, -5.0],
            "aligned but dropped"
        );
    }

    #[test]
    fn success_needs_place_and_alignment_and_a_drop_ends_the_episode() {
        let aligned = pen_turn();
        for (target, slide_m, solved, ended) in [
            (aligned, 0.0, true, false),
            (TARGET, 0.0, false, false),
            (aligned, 0.07, false, false),
            (aligned, 0.17, false, true),
        ] {
            let (model, sim) = posed(target, [slide_m, 0.0, 0.0]);
            let found = (model.task.success(&sim), model.task.terminated(&sim));
            assert_eq!(found, (solved, ended), "{slide_m} m lower");
            let mut obs = Vec::new();
            model.task.observe(&sim, &mut obs);
            assert_eq!(model.observed_success(&obs), Some(solved));
        }
    }

    #[test]
    fn resets_spread_the_target_over_the_published_directions() {
        let model = TaskModel::load("pen").unwrap();
        let target = model.model().body("target").unwrap();
        let mut sim = Sim::new(Arc::clone(model.model()));
        let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for seed in 0..400 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            model.task.reset(&mut sim, &mut rng).unwrap();
            let pose = sim.body_pose(target);
            let [x, y, z] = pose.rotate([0.0, 0.0, 1.0]);
            // The axis is (sin b, -sin a cos b, cos a cos b).
            let angles_rad = [(-y).atan2(z), x.asin(), 0.0];
            low = [0, 1, 2].map(|k| low[k].min(angles_rad[k]));
            high = [0, 1, 2].map(|k| high[k].max(angles_rad[k]));
            assert!(sim.qpos().iter().chain(sim.qvel()).all(|v| *v == 0.0));
            assert!((pose.pos[0] - 0.2).abs() < 1e-6);
        }
        for k in 0..2 {
            assert!(low[k] >= -1.0 - 1e-6 && low[k] < -0.97, "{low:?}");
            assert!(high[k] <= 1.0 + 1e-6 && high[k] > 0.97, "{high:?}");
        }
    }
}
