//! A run small enough for a test.

use dextra_learn::LearnConfig;
use dextra_train::TrainConfig;

/// Two actors, tiny networks, an update every four steps once the first episodes are complete.
pub fn small() -> TrainConfig {
    TrainConfig {
        seed: 3,
        steps: 1_200,
        actors: 2,
        round_steps: 50,
        warmup_steps: 400,
        eval_every_steps: 600,
        eval_episodes: 2,
        final_eval_episodes: 2,
        stop_at_success: None,
        learn: LearnConfig {
            hidden: 16,
            sequences: 4,
            ..LearnConfig::default()
        },
        ..TrainConfig::default()
    }
}
