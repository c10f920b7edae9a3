//! What else differs between episodes when a run asks for it: masses, friction, the object's size and
//! the actuators' gains (domain randomisation). Off unless [`crate::EnvOptions::randomise`] is set.

use std::sync::Arc;

use dextra_sim::{Model, Pose, Shape};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::{TaskError, config::Source};

/// `[randomise]`: factors, each uniform in its range.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RandomiseTable {
    /// The body whose size varies.
    object: String,
    /// Of its lengths. Its mass stays, and a loose object still lies where it lay.
    object_size: [f64; 2],
    /// Of mass and inertia, for each body anew.
    mass: [f64; 2],
    /// Of all friction coefficients, alike.
    friction: [f64; 2],
    /// Of the servos' stiffness and damping, for each actuator anew. What they steer to stays.
    gain: [f64; 2],
}

/// A checked `[randomise]` table.
#[derive(Debug)]
pub(crate) struct Randomise {
    object: usize,
    object_size: [f64; 2],
    mass: [f64; 2],
    friction: [f64; 2],
    gain: [f64; 2],
}

impl Randomise {
    pub fn compile(
        table: RandomiseTable,
        model: &Model,
        source: &Source,
    ) -> Result<Self, TaskError> {
        for (key, range) in [
            ("object_size", table.object_size),
            ("mass", table.mass),
            ("friction", table.friction),
            ("gain", table.gain),
        ] {
            let [low, high] = range;
            let good = low > 0.0 && low <= high && high.is_finite();
            let allowed = "[low, high], finite, with 0 < low <= high";
            source.require(format!("randomise.{key}"), range, good, allowed)?;
        }
        Ok(Self {
            object: source.scene(model.body(&table.object))?,
            object_size: table.object_size,
            mass: table.mass,
            friction: table.friction,
            gain: table.gain,
        })
    }

    /// The scene of the episode with that seed.
    pub fn model(&self, model: &Model, seed: u64) -> Arc<Model> {
        // A stream of its own: the reset draws the same with and without.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        let mut draw = |[low, high]: [f64; 2]| low + (high - low) * rng.random::<f64>();
        let mut model = model.clone();
        resize(&mut model, self.object, draw(self.object_size));
        let friction = draw(self.friction);
        let geoms = model.geoms.iter_mut().map(|geom| &mut geom.friction);
        let pairs = model.pairs.iter_mut().map(|pair| &mut pair.friction);
        for coefficients in geoms.chain(pairs) {
            coefficients.iter_mut().for_each(|mu| *mu *= friction);
        }
        for body in &mut model.bodies {
            let factor = draw(self.mass);
            body.mass *= factor;
            body.inertia.iter_mut().for_each(|i| *i *= factor);
        }
        for actuator in &mut model.actuators {
            let factor = draw(self.gain);
            actuator.gain *= factor;
            actuator.bias.iter_mut().for_each(|b| *b *= factor);
        }
        Arc::new(model)
    }
}

/// Joints by which a body that hangs on nothing else moves.
const LOOSE_DOFS: usize = 6;

/// Scales a body about its own frame, with all that is on it.
fn resize(model: &mut Model, object: usize, factor: f64) {
    let before_m = lowest(model, object);
    let lengths = |pose: &mut Pose| pose.pos.iter_mut().for_each(|x| *x *= factor);
    let mut of_object = vec![false; model.bodies.len()];
    for index in 0..model.bodies.len() {
        let body = &mut model.bodies[index];
        let on_object = body.parent.is_some_and(|parent| of_object[parent]);
        of_object[index] = index == object || on_object;
        if on_object {
            lengths(&mut body.pose);
        }
        if of_object[index] {
            lengths(&mut body.inertial_pose);
            body.inertia.iter_mut().for_each(|i| *i *= factor * factor);
        }
    }
    for joint in model.joints.iter_mut().filter(|j| of_object[j.body]) {
        joint.anchor.iter_mut().for_each(|x| *x *= factor);
    }
    for geom in model.geoms.iter_mut().filter(|g| of_object[g.body]) {
        lengths(&mut geom.pose);
        geom.shape = geom.shape.scaled(factor);
    }
    for site in model.sites.iter_mut().filter(|s| of_object[s.body]) {
        lengths(&mut site.pose);
        site.shape = site.shape.scaled(factor);
    }
    let dofs = model.joints.iter().filter(|joint| joint.body == object);
    let dofs: usize = dofs.map(|joint| joint.kind.dofs()).sum();
    if dofs == LOOSE_DOFS {
        let sunk_m = before_m - lowest(model, object);
        model.bodies[object].pose.pos[2] += sunk_m;
    }
}

/// Height of a body's lowest solid point above its parent's frame, m.
fn lowest(model: &Model, body: usize) -> f64 {
    let pose = model.bodies[body].pose;
    let solid = |shape: &Shape| !matches!(shape, Shape::Plane { .. });
    let on_body = model
        .geoms
        .iter()
        .filter(|g| g.body == body && solid(&g.shape));
    let heights = on_body.map(|geom| {
        let frame = pose.mul(&geom.pose);
        let down = frame.inverse().rotate([0.0, 0.0, -1.0]);
        frame.pos[2] - geom.shape.support(down)
    });
    heights.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Env, EnvOptions, TaskModel};

    fn env(task: &str) -> Env {
        let options = EnvOptions {
            randomise: true,
            ..EnvOptions::default()
        };
        Env::make(task, &options).unwrap()
    }

    #[test]
    fn every_quantity_spreads_over_its_range_and_nothing_else_changes() {
        for task in crate::task_names() {
            let task_model = TaskModel::load(task).unwrap();
            let randomise = task_model.randomise.as_ref().unwrap();
            let plain = task_model.model();
            let object_geom = plain
                .geoms
                .iter()
                .position(|geom| geom.body == randomise.object)
                .unwrap();
            let mut found = [[f64::INFINITY, 0.0]; 4];
            for seed in 0..200 {
                let model = randomise.model(plain, seed);
                let body = plain.bodies.iter().position(|b| b.mass > 0.0).unwrap();
                let down = [0.0, 0.0, -1.0];
                let size = |m: &Model| m.geoms[object_geom].shape.support(down);
                for (bounds, ratio) in found.iter_mut().zip([
                    size(&model) / size(plain),
                    model.bodies[body].mass / plain.bodies[body].mass,
                    model.geoms[0].friction[0] / plain.geoms[0].friction[0],
                    model.actuators[3].gain / plain.actuators[3].gain,
                ]) {
                    *bounds = [bounds[0].min(ratio), bounds[1].max(ratio)];
                }
                for (varied, actuator) in model.actuators.iter().zip(&plain.actuators) {
                    let steers_to = |a: &dextra_sim::Actuator| a.gain / a.bias[1];
                    assert!((steers_to(varied) / steers_to(actuator) - 1.0).abs() < 1e-9);
                    assert_eq!(varied.force_range, actuator.force_range);
                }
                assert_eq!((model.nq, model.nu), (plain.nq, plain.nu));
                assert_eq!(model.gravity, plain.gravity);
            }
            let expected = [
                randomise.object_size,
                randomise.mass,
                randomise.friction,
                randomise.gain,
            ];
            for ([low, high], [from, to]) in found.into_iter().zip(expected) {
                let near = 0.05 * (to - from) + 1e-9;
                assert!(low >= from - 1e-9 && low < from + near, "{task}: {found:?}");
                assert!(high <= to + 1e-9 && high > to - near, "{task}: {found:?}");
            }
        }
    }

    #[test]
    fn a_larger_ball_lies_on_the_table_all_the_same() {
        let mut env = env("relocate");
        let idle = vec![0.0; env.action_dim()];
        let mut moved_m: f64 = 0.0;
        for seed in 0..10 {
            env.reset(seed);
            let ball = env.sim().model().body("Object").unwrap();
            let before = env.sim().body_pose(ball).pos[2];
            for _ in 0..20 {
                env.step(&idle);
            }
            moved_m = moved_m.max((env.sim().body_pose(ball).pos[2] - before).abs());
        }
        assert!(moved_m < 0.002, "{moved_m}");
    }

    #[test]
    fn an_episode_comes_from_its_seed_and_its_snapshot_alone() {
        let act = |env: &mut Env, steps: usize| {
            let action = vec![0.3; env.action_dim()];
            (0..steps).for_each(|_| drop(env.step(&action)));
            env.observation().to_vec()
        };
        let (mut one, mut other) = (env("hammer"), env("hammer"));
        one.reset(3);
        act(&mut one, 10);
        let moment = one.snapshot();
        let end = act(&mut one, 30);
        // After another episode, in another environment, from the seed and from the moment.
        other.reset(4);
        act(&mut other, 5);
        other.restore(&moment).unwrap();
        assert_eq!(act(&mut other, 30), end);
        other.reset(3);
        assert_eq!(act(&mut other, 40), end);
        let mut plain = Env::make("hammer", &EnvOptions::default()).unwrap();
        plain.reset(3);
        assert_ne!(act(&mut plain, 40), end, "nothing was varied");
    }
}
