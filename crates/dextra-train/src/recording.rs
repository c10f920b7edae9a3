//! One episode from its reset to its end: as the learner's memory keeps it, or with all that repeats it.

use dextra_data::{
    Episode, Source, Transition,
    dataset::{Recording, Start, States},
};
use dextra_tasks::Env;

use crate::actor::clipped;

/// An episode as it was played, with the simulator's states.
#[derive(Clone, Debug)]
pub struct Take {
    /// What a learner wants to know.
    pub episode: Episode,
    /// Whether the task was solved after each step.
    pub step_success: Vec<bool>,
    /// The simulator before every step and at the end.
    pub states: States,
    /// Why the physics lost it, if it did.
    pub failure: Option<String>,
}

impl Take {
    /// As a dataset keeps it.
    pub fn into_recording(self) -> Recording {
        Recording {
            episode: self.episode,
            step_success: self.step_success,
            states: Some(self.states),
            start: Start::Reset,
            snapshot: None,
            splices: Vec::new(),
            assisted: Vec::new(),
            trimmed: [0, 0],
        }
    }
}

/// Plays the episode of a seed with the actions that `act` gives, clipped to [-1, 1]. Nobody else is
/// asked; an episode lost to non-finite physics is no success.
pub fn record_take(
    env: &mut Env,
    seed: u64,
    source: Source,
    mut act: impl FnMut(&Env) -> Vec<f32>,
) -> Take {
    env.reset(seed);
    let mut transitions = Vec::with_capacity(env.horizon());
    let mut step_success = Vec::with_capacity(env.horizon());
    let mut states = States::default();
    loop {
        note_state(&mut states, env);
        let obs = env.observation().to_vec();
        let action = clipped(act(env));
        let step = env.step(&action);
        step_success.push(step.success);
        transitions.push(Transition {
            obs,
            action,
            expert_action: None,
            reward: step.reward,
            terminated: step.terminated,
            source,
        });
        if step.terminated || step.truncated {
            note_state(&mut states, env);
            return Take {
                episode: Episode {
                    transitions,
                    final_obs: env.observation().to_vec(),
                    seed,
                    success: env.episode_success() && step.failure.is_none(),
                },
                step_success,
                states,
                failure: step.failure,
            };
        }
    }
}

/// As [`record_take`], without the states.
pub fn record_episode(
    env: &mut Env,
    seed: u64,
    source: Source,
    act: impl FnMut(&Env) -> Vec<f32>,
) -> Episode {
    record_take(env, seed, source, act).episode
}

fn note_state(states: &mut States, env: &Env) {
    let sim = env.sim();
    states.qpos.extend_from_slice(sim.qpos());
    states.qvel.extend_from_slice(sim.qvel());
    states.time_secs.push(sim.time_secs());
}
