//! Somebody takes an environment out of the actor's hands for a while, and gives it back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{fs, path::Path};

use dextra_data::{Source, Transition};
use dextra_tasks::Env;
use dextra_train::{
    Checkpoint, Command, FrameSink, Outside, Pilot, RunLog, Seat, Session, Trainer,
};

/// Opens the hand for so many steps, then gives it back.
struct Opening {
    left: usize,
}

impl Pilot for Opening {
    fn act(&mut self, env: &Env, before: &[Transition]) -> Option<Vec<f32>> {
        assert_eq!(before.len(), env.step_index());
        self.left = self.left.checked_sub(1)?;
        Some(vec![-0.75; env.action_dim()])
    }
}

#[test]
fn what_a_person_did_is_kept_as_theirs_and_as_an_experts_answer() {
    let mut trainer = Trainer::new(common::small()).unwrap();
    let (sink, frames) = FrameSink::new(512);
    sink.watch(Some(1));
    let seat = Seat::default();
    seat.take(1, Box::new(Opening { left: 70 }));
    let mut rates = Vec::new();
    while trainer.steps() < 600 {
        let report = trainer.round_with(&Outside {
            sink: Some(&sink),
            seat: Some(&seat),
            again: &[],
        });
        let row = report.unwrap().row;
        rates.extend(
            row.values
                .into_iter()
                .filter(|v| v.0 == "intervention_rate"),
        );
    }
    // Rounds of 50 steps of each of two actors.
    let rates: Vec<f64> = rates.into_iter().map(|(_, rate)| rate).collect();
    assert_eq!(rates, [0.5, 0.2, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(seat.actor(), None);

    let seen: Vec<_> = frames.try_iter().collect();
    assert_eq!((seen[69].source, seen[69].by_hand), (Source::Human, 70));
    assert_ne!(seen[70].source, Source::Human);
    assert_eq!(seen[70].by_hand, 70);

    let human = |t: &&Transition| t.source == Source::Human;
    let episodes = trainer.some_episodes(60);
    let driven: Vec<_> = episodes
        .iter()
        .flat_map(|e| &e.transitions)
        .filter(human)
        .collect();
    assert_eq!(driven.len(), 70);
    for transition in driven {
        assert_eq!(transition.action, [-0.75; 28]);
        assert_eq!(transition.expert_action.as_ref(), Some(&transition.action));
    }
    // The episode that they had a hand in is complete, and of nobody else are any steps theirs.
    let theirs = episodes
        .iter()
        .filter(|e| e.transitions.iter().any(|t| human(&t)));
    let lengths: Vec<_> = theirs.map(|episode| episode.len()).collect();
    assert_eq!(lengths, [200]);
}

#[test]
fn an_empty_seat_changes_nothing() {
    let product = |seat: Option<&Seat>| {
        let mut trainer = Trainer::new(common::small()).unwrap();
        while !trainer.is_finished() {
            let outside = Outside {
                seat,
                ..Outside::default()
            };
            trainer.round_with(&outside).unwrap();
        }
        let checkpoint = trainer.checkpoint().unwrap();
        (checkpoint.learner, checkpoint.replay)
    };
    assert!(product(None) == product(Some(&Seat::default())));
}

/// Everything of a run but the clock.
fn product(run: &Path) -> (u64, Vec<u8>, Vec<u8>) {
    let checkpoint = Checkpoint::read(run).unwrap();
    (checkpoint.updates, checkpoint.learner, checkpoint.replay)
}

#[test]
fn a_run_with_a_person_in_it_repeats_to_the_bit_from_its_log() {
    let parent = tempfile::tempdir().unwrap();
    let folder = |name: &str| parent.path().join(name);
    let (first, again, plain) = (folder("first"), folder("again"), folder("plain"));

    let session = Session::start(common::small(), first.clone()).unwrap();
    session.take_over(0, Box::new(Opening { left: 120 }));
    while session.status().steps < 500 {
        std::thread::yield_now();
    }
    session.command(Command::Stop);
    session.join().unwrap();
    Session::resume(&first).unwrap().join().unwrap();

    let log = RunLog::read(&first.join("events.jsonl")).unwrap();
    let steps: usize = log.takeovers.iter().map(|t| t.takeover.actions.len()).sum();
    assert_eq!(steps, 120);
    let progress = fs::read_to_string(first.join("progress.csv")).unwrap();
    let rates = progress
        .lines()
        .map(|line| line.rsplit(',').next().unwrap());
    assert_eq!(rates.clone().next(), Some("intervention_rate"));
    assert!(
        rates
            .clone()
            .any(|rate| rate.parse().is_ok_and(|r: f64| r > 0.0))
    );

    let session = Session::start_with(common::small(), again.clone(), log.clone()).unwrap();
    session.join().unwrap();
    assert!(product(&first) == product(&again));
    assert_eq!(RunLog::read(&again.join("events.jsonl")).unwrap(), log);

    let session = Session::start(common::small(), plain.clone()).unwrap();
    session.join().unwrap();
    assert!(product(&first) != product(&plain));

    // A log of another kind of run is refused before anything runs.
    let mut config = common::small();
    config.set("round_steps", "30").unwrap();
    let other = folder("other");
    let refused = Session::start_with(config, other.clone(), log)
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains("rounds of 30 steps"),
        "{refused}"
    );
    assert!(!other.exists());
}
