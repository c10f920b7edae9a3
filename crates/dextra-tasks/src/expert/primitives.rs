//! Primitives learnt from scratch, and a controller that puts them together, as the paper does where bricks
//! are turned in the hand (Jeong et al. 2020, appendix).
//!
//! Where no waypoint of the palm would help, a learnt policy chooses a posture, and the hand goes there for
//! some control steps; that is how the policy acted when it learnt. While the task is solved, the
//! posture that solved it is held; when it no longer is, the policy is asked again.

use std::{fs, sync::Arc};

use dextra_learn::{ActMode, Policy};
use dextra_sim::Model;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    config::{PrimitivesConfig, checked_noise},
    math::normal,
};
use crate::{TaskError, config::Source};

/// What a decision was: to hold the posture, or to ask the policy for another.
pub(crate) const PHASES: [&str; 2] = ["hold", "move"];

/// The policy, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct PrimitivePlan {
    policy: Arc<Policy>,
    hold_steps: usize,
    action_noise: f64,
}

impl PrimitivePlan {
    pub fn compile(
        config: PrimitivesConfig,
        model: &Model,
        obs_dim: usize,
        source: &Source,
    ) -> Result<Self, TaskError> {
        let noise = checked_noise(config.action_noise, source)?;
        source.require(
            "expert.hold_steps",
            config.hold_steps,
            config.hold_steps > 0,
            "at least 1",
        )?;
        let path = source.beside(&config.policy);
        let bytes = fs::read(&path).map_err(|source| TaskError::Read {
            path: path.clone(),
            source,
        })?;
        let bad = |message: String| TaskError::Parse {
            path: path.clone(),
            message,
        };
        let policy = Policy::load(&bytes).map_err(|error| bad(error.to_string()))?;
        let (found, expected) = ((policy.obs_dim(), policy.action_dim()), (obs_dim, model.nu));
        if found != expected {
            return Err(bad(format!(
                "a policy of {} observations and {} actions; the task has {} and {}",
                found.0, found.1, expected.0, expected.1
            )));
        }
        Ok(Self {
            policy: Arc::new(policy),
            hold_steps: config.hold_steps,
            action_noise: noise,
        })
    }

    /// Whether a posture is to be chosen after so many control steps.
    pub fn decides_at(&self, step: usize) -> bool {
        step.is_multiple_of(self.hold_steps)
    }

    /// The posture that the policy wants next, as an action, missed by this decision's noise.
    pub fn posture(&self, obs: &[f32], step: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Stream 0 is the environment's reset.
        rng.set_stream(1 + (step / self.hold_steps) as u64);
        let mut action = self.policy.act(obs, &mut rng, ActMode::Mean);
        for a in &mut action {
            let missed = f64::from(*a) + self.action_noise * normal(&mut rng);
            *a = missed.clamp(-1.0, 1.0) as f32;
        }
        action
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::path::PathBuf;

    use dextra_learn::{LearnConfig, Learner};

    use super::*;
    use crate::{Env, EnvOptions, Expert, TaskModel, scenes_dir};

    /// A file of fresh networks, which asks for another posture wherever it is asked.
    fn policy_file(name: &str, obs_dim: usize) -> PathBuf {
        let config = LearnConfig {
            hidden: 16,
            ..LearnConfig::default()
        };
        let policy = Learner::new(&config, obs_dim, 24, 1).unwrap().policy();
        let file = format!("dextra-primitive-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(file);
        fs::write(&path, policy.save().unwrap()).unwrap();
        path
    }

    fn plan(policy: PathBuf, hold_steps: usize) -> Result<PrimitivePlan, TaskError> {
        let source = Source::read(&scenes_dir().unwrap().join("pen.toml")).unwrap();
        let config = PrimitivesConfig {
            policy,
            hold_steps,
            action_noise: 0.01,
        };
        let pen = TaskModel::load("pen").unwrap();
        PrimitivePlan::compile(config, pen.model(), 45, &source)
    }

    /// The pen with this expert, come to rest in an episode that is solved by that, or is not.
    fn pen(plan: PrimitivePlan, solved: bool) -> (Env, Expert) {
        let mut model = crate::task::load("pen").unwrap();
        model.expert = Some(super::super::ExpertPlan::Primitives(plan));
        let model = Arc::new(model);
        let mut env = Env::with_model(Arc::clone(&model), &EnvOptions::default());
        let expert = Expert::new(&model).unwrap();
        let seed = (0..100).find(|&seed| {
            env.reset(seed);
            (0..15).for_each(|_| drop(env.step(&[0.0; 24])));
            env.task_model().task.success(env.sim()) == solved
        });
        assert!(seed.is_some(), "no such episode");
        (env, expert)
    }

    #[test]
    fn a_posture_is_held_until_the_next_decision() {
        let path = policy_file("held", 45);
        let (mut env, mut expert) = pen(plan(path.clone(), 3).unwrap(), false);
        expert.reset(4);
        let mut actions = Vec::new();
        for _ in 0..6 {
            let action = expert.act(&env);
            env.step(&action);
            actions.push(action);
        }
        assert_eq!(expert.phase(), "move");
        assert!(actions[..3].iter().all(|action| *action == actions[0]));
        assert!(actions[3..].iter().all(|action| *action == actions[3]));
        assert_ne!(actions[0], actions[3]);
        // Its state says all that another one needs to go on with.
        let mut other = expert.clone();
        other.reset(0);
        other.set_state(expert.state());
        assert_eq!(other.act(&env), expert.act(&env));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_solved_the_task_is_held() {
        let path = policy_file("solved", 45);
        let (mut env, mut expert) = pen(plan(path.clone(), 1).unwrap(), true);
        expert.reset(4);
        let first = expert.act(&env);
        env.step(&first);
        assert!(env.task_model().task.success(env.sim()));
        assert_eq!(expert.act(&env), first);
        assert_eq!(expert.phase(), "hold");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_policy_that_does_not_fit_is_told_by_file() {
        let path = policy_file("other", 39);
        let message = plan(path.clone(), 12).unwrap_err().to_string();
        assert!(message.contains("dextra-primitive"), "{message}");
        assert!(message.contains("39 observations"), "{message}");
        fs::write(&path, b"nothing").unwrap();
        let message = plan(path.clone(), 12).unwrap_err().to_string();
        assert!(message.contains("truncated or not"), "{message}");
        fs::remove_file(&path).unwrap();
        let message = plan(path, 12).unwrap_err().to_string();
        assert!(message.contains("cannot read"), "{message}");
    }
}
