//! One episode from its reset to its end, as the learner's memory keeps it.

use dextra_data::{Episode, Source, Transition};
use dextra_tasks::Env;

use crate::actor::clipped;

/// Plays the episode of a seed with the actions that `act` gives, clipped to [-1, 1]. Nobody else is
/// asked; an episode lost to non-finite physics is no success.
pub fn record_episode(
    env: &mut Env,
    seed: u64,
    source: Source,
    mut act: impl FnMut(&Env) -> Vec<f32>,
) -> Episode {
    env.reset(seed);
    let mut transitions = Vec::with_capacity(env.horizon());
    loop {
        let obs = env.observation().to_vec();
        let action = clipped(act(env));
        let step = env.step(&action);
        transitions.push(Transition {
            obs,
            action,
            expert_action: None,
            reward: step.reward,
            terminated: step.terminated,
            source,
        });
        if step.terminated || step.truncated {
            return Episode {
                transitions,
                final_obs: env.observation().to_vec(),
                seed,
                success: env.episode_success() && step.failure.is_none(),
            };
        }
    }
}
