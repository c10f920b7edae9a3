//! The same seed gives the same run to the bit, whatever the timing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{sync::atomic::AtomicBool, thread, time::Duration};

use dextra_train::{FrameSink, TrainConfig, Trainer};

/// Everything that the run produced but the clock.
#[derive(PartialEq)]
struct Product {
    learner: Vec<u8>,
    replay: Vec<u8>,
    success_rates: Vec<f64>,
}

/// Runs to the end; `watched` also offers frames and delays rounds, as a window would.
fn run(config: TrainConfig, watched: bool) -> Product {
    let (sink, frames) = FrameSink::new(16);
    sink.watch(watched.then_some(1));
    let mut trainer = Trainer::new(config).unwrap();
    let mut success_rates = Vec::new();
    while !trainer.is_finished() || trainer.evaluation_due() {
        if trainer.evaluation_due() {
            let result = trainer.evaluate(&AtomicBool::new(false)).unwrap().unwrap();
            success_rates.push(result.success_rate);
        } else {
            let report = trainer.round(Some(&sink)).unwrap();
            assert!(report.failures.is_empty());
        }
        if watched {
            thread::sleep(Duration::from_millis(3));
            // Taken now and then, so that the queue is sometimes full.
            if trainer.steps().is_multiple_of(300) {
                assert!(frames.try_iter().all(|frame| frame.actor == 1));
            }
        }
    }
    assert!(trainer.updates() > 0);
    let checkpoint = trainer.checkpoint().unwrap();
    Product {
        learner: checkpoint.learner,
        replay: checkpoint.replay,
        success_rates,
    }
}

#[test]
fn a_run_repeats_to_the_bit_watched_or_not() {
    let first = run(common::small(), false);
    let again = run(common::small(), true);
    assert!(first == again);
    assert_eq!(first.success_rates.len(), 2);
    let other = run(
        TrainConfig {
            seed: 4,
            ..common::small()
        },
        false,
    );
    assert!(first.learner != other.learner && first.replay != other.replay);
}

#[test]
fn the_update_to_data_ratio_is_exact() {
    let config = TrainConfig {
        utd_ratio: 0.13,
        ..common::small()
    };
    let mut trainer = Trainer::new(config).unwrap();
    while !trainer.is_finished() {
        trainer.round(None).unwrap();
    }
    // Warm-up is 400 steps, as long as two actors take to complete their first episodes.
    assert_eq!(
        (trainer.steps(), trainer.updates()),
        (1_200, (0.13f64 * 800.0) as u64)
    );
}
