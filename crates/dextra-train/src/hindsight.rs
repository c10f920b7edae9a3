//! Hindsight (Andrychowicz et al. 2017): an episode that missed its goal is one that reached another.

use dextra_data::Episode;
use dextra_tasks::{RewardKind, TaskModel};

/// The episode as it would have been, had it asked for the state that it ended in: with that goal in its
/// observations and rewards. `None` where the task has no goals or never sets this one, or where too few
/// steps would have been successful.
///
/// With `end_on_success` it ends as soon as it counts as a success. The expert's answers are left out:
/// they were for the other goal.
pub(crate) fn relabelled(
    model: &TaskModel,
    reward: RewardKind,
    end_on_success: bool,
    episode: &Episode,
) -> Option<Episode> {
    let achieved = &episode.final_obs;
    let mut transitions = Vec::with_capacity(episode.len());
    let (mut obs, _) = model.hindsight(episode.obs(0), achieved)?;
    let mut successes = 0;
    for (t, lived) in episode.transitions.iter().enumerate() {
        let (next_obs, success) = model.hindsight(episode.obs(t + 1), achieved)?;
        let mut transition = lived.clone();
        transition.obs = std::mem::replace(&mut obs, next_obs);
        transition.expert_action = None;
        transition.reward = reward.of_success(success)?;
        transitions.push(transition);
        successes += usize::from(success);
        if end_on_success && successes >= model.min_success_steps() {
            break;
        }
    }
    (successes >= model.min_success_steps()).then_some(Episode {
        transitions,
        final_obs: obs,
        seed: episode.seed,
        success: true,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dextra_data::Source;
    use dextra_tasks::{Env, EnvOptions, Expert};

    use super::*;
    use crate::recording::record_episode;

    /// An episode of the expert, whatever came of it.
    fn lived(env: &mut Env, seed: u64) -> Episode {
        let mut expert = Expert::new(env.task_model()).unwrap();
        expert.reset(seed);
        record_episode(env, seed, Source::Expert, |env| expert.act(env))
    }

    #[test]
    fn missed_goals_become_reached_ones() {
        let mut env = Env::make("pen", &EnvOptions::default()).unwrap();
        let model = std::sync::Arc::clone(env.task_model());
        let (mut missed, mut reached) = (0, 0);
        for seed in 0..120 {
            let episode = lived(&mut env, seed);
            missed += usize::from(!episode.success);
            let Some(again) = relabelled(&model, RewardKind::Sparse, false, &episode) else {
                continue;
            };
            reached += usize::from(!episode.success);
            assert_eq!(again.len(), episode.len());
            let paid = again.transitions.iter().filter(|t| t.reward == 10.0);
            assert!(paid.count() > 20);
            // The desired axis is the one in which the pen ended, and everything else as it was.
            for t in 0..=again.len() {
                let (new, old) = (again.obs(t), episode.obs(t));
                assert_eq!(new[36..39], episode.final_obs[33..36]);
                assert_eq!((&new[..36], &new[39..42]), (&old[..36], &old[39..42]));
                for k in 0..3 {
                    assert!((new[42 + k] - (new[33 + k] - new[36 + k])).abs() < 1e-6);
                }
            }
            let cut = relabelled(&model, RewardKind::Sparse, true, &episode).unwrap();
            let paid = cut.transitions.iter().filter(|t| t.reward == 10.0);
            assert_eq!(paid.count(), model.min_success_steps());
            assert_eq!(cut.final_obs, again.obs(cut.len()));
        }
        assert!(missed > 5 && reached > missed / 2, "{reached} of {missed}");
    }

    #[test]
    fn with_its_own_goal_an_episode_keeps_its_rewards() {
        let mut env = Env::make("pen", &EnvOptions::default()).unwrap();
        let model = std::sync::Arc::clone(env.task_model());
        for seed in 0..10 {
            let episode = lived(&mut env, seed);
            for t in 0..episode.len() {
                // An observation whose axis is the goal's: nothing changes.
                let mut ideal = episode.obs(0).to_vec();
                ideal.copy_within(36..39, 33);
                let (obs, success) = model.hindsight(episode.obs(t + 1), &ideal).unwrap();
                let close = obs.iter().zip(episode.obs(t + 1));
                assert!(close.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-5);
                let reward = RewardKind::Sparse.of_success(success);
                assert_eq!(reward, Some(episode.transitions[t].reward), "{seed} {t}");
            }
        }
    }

    #[test]
    fn a_door_has_no_goals() {
        let mut env = Env::make("door", &EnvOptions::default()).unwrap();
        let model = std::sync::Arc::clone(env.task_model());
        let episode = lived(&mut env, 0);
        assert!(relabelled(&model, RewardKind::Sparse, true, &episode).is_none());
    }
}
