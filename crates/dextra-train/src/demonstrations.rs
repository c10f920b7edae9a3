//! Demonstrations to begin with: successful episodes of someone who is not asked again
//! (RLfD of Jeong et al. 2020, figure 1).

use std::{path::Path, sync::Arc};

use dextra_data::{Episode, Source};
use dextra_tasks::{Env, Expert, TaskModel};
use rand_chacha::ChaCha8Rng;

use crate::{
    config::TrainConfig,
    datasets,
    error::TrainError,
    evaluate::Act,
    policy::{LoadedPolicy, load_policy},
    recording::record_episode,
    seeds::{episode_seed, generator},
};

/// Whose word for the demonstrator is the task's own expert.
pub(crate) const EXPERT: &str = "expert";
/// Episodes tried for each that is wanted, before the demonstrator counts as unable.
const TRIES: usize = 20;

/// Someone who acts alone: the task's expert, or a policy.
pub(crate) enum Demonstrator {
    Expert(Box<Expert>),
    Policy(Box<(LoadedPolicy, ChaCha8Rng)>),
}

impl Demonstrator {
    /// `expert`, or the path of a policy.
    pub fn load(name: &str, model: &Arc<TaskModel>) -> Result<Self, TrainError> {
        if name == EXPERT {
            return Ok(Self::Expert(Box::new(Expert::new(model)?)));
        }
        let policy = load_policy(Path::new(name))?;
        if (policy.obs_dim, policy.action_dim) != (model.obs_dim(), model.action_dim()) {
            return Err(TrainError::Policy {
                path: name.into(),
                reason: format!("it is for another task than {}", model.name()),
            });
        }
        Ok(Self::Policy(Box::new((
            policy,
            generator(0, "demonstrator", 0),
        ))))
    }

    /// Begins the episode of a seed; what is done in it depends on nothing before.
    pub fn reset(&mut self, seed: u64) {
        match self {
            Self::Expert(expert) => expert.reset(seed),
            Self::Policy(policy) => policy.1 = generator(seed, "demonstrator", 0),
        }
    }

    /// The action for the environment's present state; to be asked once per control step.
    pub fn act(&mut self, env: &Env) -> Vec<f32> {
        match self {
            Self::Expert(expert) => expert.act(env),
            Self::Policy(policy) => {
                let (policy, rng) = policy.as_mut();
                policy.act(env.observation(), rng)
            }
        }
    }

    /// Who it is, to those who read what it did.
    pub fn source(&self) -> Source {
        match self {
            Self::Expert(_) => Source::Expert,
            Self::Policy(_) => Source::Policy,
        }
    }
}

/// The run's demonstrations: `config.demonstrations` successful episodes of `config.demonstrator`, or of
/// the dataset that it names.
///
/// # Errors
/// When there is no such demonstrator or dataset, or it succeeds too rarely.
pub(crate) fn record(
    model: &Arc<TaskModel>,
    config: &TrainConfig,
) -> Result<Vec<Episode>, TrainError> {
    let mut episodes = Vec::with_capacity(config.demonstrations);
    if config.demonstrations == 0 {
        return Ok(episodes);
    }
    let dataset = Path::new(&config.demonstrator);
    if dataset.join("meta").is_dir() {
        return datasets::demonstrations(dataset, model, config);
    }
    let mut demonstrator = Demonstrator::load(&config.demonstrator, model)?;
    let mut env = config.make_env(model);
    let mut rng = generator(config.seed, "demonstrations", 0);
    for _ in 0..TRIES * config.demonstrations {
        let seed = episode_seed(&mut rng);
        demonstrator.reset(seed);
        let act = |env: &Env| demonstrator.act(env);
        let episode = record_episode(&mut env, seed, Source::Demonstration, act);
        if episode.success {
            episodes.push(episode);
        }
        if episodes.len() == config.demonstrations {
            return Ok(episodes);
        }
    }
    Err(TrainError::Demonstrator {
        demonstrator: config.demonstrator.clone(),
        found: episodes.len(),
        tries: TRIES * config.demonstrations,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dextra_data::Transition;

    use super::*;

    fn config(demonstrator: &str) -> TrainConfig {
        TrainConfig {
            demonstrations: 3,
            demonstrator: demonstrator.into(),
            ..TrainConfig::default()
        }
    }

    #[test]
    fn demonstrations_succeed_repeat_and_name_their_source() {
        let model = TaskModel::load("door").unwrap();
        let episodes = record(&model, &config(EXPERT)).unwrap();
        assert_eq!(episodes.len(), 3);
        for episode in &episodes {
            assert!(episode.success && episode.len() == model.horizon());
            let paid = episode.transitions.iter().filter(|t| t.reward > 0.0);
            assert!(paid.count() > 25);
            let alone = |t: &Transition| {
                t.source == Source::Demonstration && t.expert_action.is_none() && !t.terminated
            };
            assert!(episode.transitions.iter().all(alone));
        }
        assert_eq!(record(&model, &config(EXPERT)).unwrap(), episodes);
        let other = TrainConfig {
            seed: 1,
            ..config(EXPERT)
        };
        assert_ne!(record(&model, &other).unwrap(), episodes);
    }

    #[test]
    fn who_cannot_demonstrate_is_named() {
        let model = TaskModel::load("door").unwrap();
        let error = record(&model, &config("nobody.npz")).unwrap_err();
        assert!(error.to_string().contains("nobody.npz"), "{error}");
        // An expert that has two steps of time opens no door.
        let hurried = TrainConfig {
            horizon: 2,
            ..config(EXPERT)
        };
        let error = record(&model, &hurried).unwrap_err().to_string();
        assert!(error.contains("0 of 60"), "{error}");
    }
}
