#![allow(clippy::unwrap_used)]

use super::*;

/// Acts well for a while, then answers with a number that is none.
struct Breaking;

impl Act for Breaking {
    fn act(&self, _obs: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
        use rand::Rng;
        let value = if rng.random_bool(0.02) { f32::NAN } else { 0.0 };
        vec![value; 28]
    }
}

/// Acts at random, which drops the pen in four of five episodes.
struct Random;

impl Act for Random {
    fn act(&self, _obs: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
        use rand::Rng;
        (0..24).map(|_| rng.random_range(-1.0..=1.0)).collect()
    }
}

#[test]
fn an_episode_that_ends_by_itself_is_kept_as_terminated() {
    let config = TrainConfig {
        lambda_psi: 0.0,
        ..TrainConfig::default()
    };
    let model = TaskModel::load("pen").unwrap();
    let mut actor = Actor::new(0, &model, &config).unwrap();
    let collected = actor.collect(&Random, 0, 1_000, &Outside::default());
    assert!(collected.failures.is_empty());
    let mut dropped = 0;
    for finished in &collected.finished {
        let episode = &finished.episode;
        let height_m = |obs: &[f32]| obs[26];
        let ends_low = height_m(&episode.final_obs) < 0.075;
        assert!(ends_low || episode.len() == 100, "{} steps", episode.len());
        for (index, transition) in episode.transitions.iter().enumerate() {
            let last = index + 1 == episode.len();
            assert_eq!(transition.terminated, last && ends_low);
            assert!(height_m(&transition.obs) >= 0.075);
        }
        dropped += usize::from(ends_low);
    }
    assert!(dropped > 0, "no pen was dropped");
}

/// Answers with its noise.
struct Noise;

impl Act for Noise {
    fn act(&self, _obs: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
        use rand::Rng;
        (0..28).map(|_| rng.random_range(-0.01..=0.01)).collect()
    }
}

#[test]
fn draws_last_their_steps_and_begin_anew_with_the_episode() {
    let episodes = |exploration_hold_steps| -> Vec<Vec<Transition>> {
        let config = TrainConfig {
            lambda_psi: 0.5,
            lambda_intertwine: 1.0,
            horizon: 10,
            exploration_hold_steps,
            ..TrainConfig::default()
        };
        let model = TaskModel::load("door").unwrap();
        let mut actor = Actor::new(0, &model, &config).unwrap();
        let collected = actor.collect(&Noise, 0, 400, &Outside::default());
        let episodes = collected.finished.into_iter();
        episodes.map(|done| done.episode.transitions).collect()
    };
    let alike = |a: &Transition, b: &Transition| {
        a.source == b.source && (a.source == Source::Expert || a.action == b.action)
    };
    let mut changes = 0;
    for episode in episodes(4) {
        // Draws for steps 0 to 3, 4 to 7, and 8 and 9.
        for held in episode.chunks(4) {
            assert!(held.iter().all(|step| alike(&held[0], step)));
        }
        let noise = [0, 4, 8].map(|step| &episode[step]);
        let of_policy = |step: &&&Transition| step.source == Source::Policy;
        let drawn: Vec<_> = noise.iter().filter(of_policy).map(|s| &s.action).collect();
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
    }
    for episode in episodes(1) {
        changes += episode
            .windows(2)
            .filter(|w| w[0].source != w[1].source)
            .count();
    }
    assert!(changes > 120, "{changes} of 360");
}

#[test]
fn an_episode_that_is_only_begun_is_cut_and_said_to_be() {
    let config = TrainConfig {
        beginning_share: 0.5,
        beginning_steps: 3,
        horizon: 10,
        ..TrainConfig::default()
    };
    let model = TaskModel::load("door").unwrap();
    let mut actor = Actor::new(0, &model, &config).unwrap();
    let collected = actor.collect(&Noise, 0, 2_000, &Outside::default());
    let begun = collected.finished.iter().filter(|done| done.begun).count();
    let share = begun as f64 / collected.finished.len() as f64;
    assert!((0.4..0.6).contains(&share), "{share}");
    for done in &collected.finished {
        let transitions = &done.episode.transitions;
        assert_eq!(transitions.len(), if done.begun { 3 } else { 10 });
        // Cut, not ended: the value of what would have followed counts.
        assert!(transitions.iter().all(|step| !step.terminated));
    }
}

#[test]
fn an_episode_that_fails_is_reported_and_never_kept() {
    let config = TrainConfig {
        lambda_psi: 0.0,
        ..TrainConfig::default()
    };
    let model = TaskModel::load("door").unwrap();
    let mut actor = Actor::new(0, &model, &config).unwrap();
    let collected = actor.collect(&Breaking, 0, 1_000, &Outside::default());
    assert!(collected.failures.len() > 5);
    for failure in &collected.failures {
        assert_eq!(failure.actions.len(), failure.step);
        assert!(
            failure.actions[failure.step - 1][0].is_nan(),
            "the last action broke it"
        );
        assert!(
            failure.message.contains("not finite"),
            "{}",
            failure.message
        );
    }
    for finished in &collected.finished {
        let transitions = &finished.episode.transitions;
        assert!(
            transitions
                .iter()
                .flat_map(|t| &t.action)
                .all(|a| a.is_finite())
        );
    }
}
