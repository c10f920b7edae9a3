//! Demonstrations to begin with: successful episodes of someone who is not asked again
//! (RLfD of Jeong et al. 2020, figure 1).

use std::{path::Path, sync::Arc};

use dextra_data::{Episode, Source};
use dextra_tasks::{Expert, TaskModel};

use crate::{
    config::TrainConfig,
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

enum Demonstrator {
    Expert(Box<Expert>),
    Policy(Box<LoadedPolicy>),
}

/// The run's demonstrations: `config.demonstrations` successful episodes of `config.demonstrator`.
///
/// # Errors
/// When there is no such demonstrator, or it succeeds too rarely.
pub(crate) fn record(
    model: &Arc<TaskModel>,
    config: &TrainConfig,
) -> Result<Vec<Episode>, TrainError> {
    let mut episodes = Vec::with_capacity(config.demonstrations);
    if config.demonstrations == 0 {
        return Ok(episodes);
    }
    let mut demonstrator = match config.demonstrator.as_str() {
        EXPERT => Demonstrator::Expert(Box::new(Expert::new(model)?)),
        path => Demonstrator::Policy(Box::new(load_policy(Path::new(path))?)),
    };
    if let Demonstrator::Policy(policy) = &demonstrator {
        let found = (policy.obs_dim, policy.action_dim);
        if found != (model.obs_dim(), model.action_dim()) {
            return Err(TrainError::Policy {
                path: config.demonstrator.clone().into(),
                reason: format!("it is for another task than {}", config.task),
            });
        }
    }
    let mut env = config.make_env(model);
    let mut rng = generator(config.seed, "demonstrations", 0);
    for _ in 0..TRIES * config.demonstrations {
        let seed = episode_seed(&mut rng);
        if let Demonstrator::Expert(expert) = &mut demonstrator {
            expert.reset(seed);
        }
        let episode =
            record_episode(
                &mut env,
                seed,
                Source::Demonstration,
                |env| match &mut demonstrator {
                    Demonstrator::Expert(expert) => expert.act(env),
                    Demonstrator::Policy(policy) => policy.act(env.observation(), &mut rng),
                },
            );
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
