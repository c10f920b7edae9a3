//! How many updates a second, on this thread; and the inputs and results of a few updates for other
//! implementations to be compared with.
//!
//! `update_rate export DIR [shared]` writes a learner, a batch, its noise and the losses of five
//! updates on them. `update_rate time SECONDS [shared]` prints milliseconds of processor time per
//! update. With `shared`, V of neighbouring states is computed once. Run by
//! `tests/reference/update_rate.sh`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement, run by its script"
)]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use dextra_data::Batch;
use dextra_learn::{LearnConfig, Learner};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};

const OBS: usize = 39;
const ACTIONS: usize = 28;
const SEQUENCES: usize = 8;
const LENGTH: usize = 32;

fn config(share_values: bool) -> LearnConfig {
    LearnConfig {
        action_samples: 20,
        sequences: SEQUENCES,
        sequence_length: LENGTH,
        n_step: 1,
        reward_scale: 1.0,
        share_values,
        // Normalised observations would be the same numbers for all.
        normalise_batches: 0,
        ..LearnConfig::default()
    }
}

/// Consecutive steps of random numbers.
fn batch(rng: &mut ChaCha8Rng) -> Batch {
    let rows = SEQUENCES * LENGTH;
    let mut uniform = |n: usize| {
        (0..n)
            .map(|_| rng.random_range(-1.0..1.0))
            .collect::<Vec<f32>>()
    };
    let states = uniform(SEQUENCES * (LENGTH + 1) * OBS);
    let (mut obs, mut next_obs) = (vec![], vec![]);
    for run in states.chunks((LENGTH + 1) * OBS) {
        obs.extend_from_slice(&run[..LENGTH * OBS]);
        next_obs.extend_from_slice(&run[OBS..]);
    }
    Batch {
        sequences: SEQUENCES,
        length: LENGTH,
        obs,
        action: uniform(rows * ACTIONS),
        expert_action: uniform(rows * ACTIONS),
        expert_mask: (0..rows)
            .map(|row| if row % 4 == 0 { 0.0 } else { 1.0 })
            .collect(),
        reward: uniform(rows),
        discount: vec![0.99; rows],
        next_obs,
        next_row: (0..rows)
            .map(|row| ((row + 1) % LENGTH > 0).then_some(row + 1))
            .collect(),
    }
}

/// Time that this program's threads have spent on processors: updates may run on any of them.
fn processor_time() -> Duration {
    let threads = fs::read_dir("/proc/self/task").expect("Linux's list of threads");
    let spent_nanos = |thread: fs::DirEntry| -> Option<u64> {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    Duration::from_nanos(threads.flatten().filter_map(spent_nanos).sum())
}

fn export(folder: &Path, share: bool) {
    let config = config(share);
    let batch = batch(&mut ChaCha8Rng::seed_from_u64(1));
    let mut learner = Learner::new(&config, OBS, ACTIONS, 2).unwrap();
    let noise = learner.noise(&batch).unwrap();
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("learner.safetensors"), learner.save().unwrap()).unwrap();

    let next_row: Vec<f32> = batch
        .next_row
        .iter()
        .map(|next| next.map_or(-1.0, |n| n as f32))
        .collect();
    let bytes = |numbers: &[f32]| {
        numbers
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let arrays = [
        ("obs", OBS, bytes(&batch.obs)),
        ("action", ACTIONS, bytes(&batch.action)),
        ("expert_action", ACTIONS, bytes(&batch.expert_action)),
        ("expert_mask", 1, bytes(&batch.expert_mask)),
        ("reward", 1, bytes(&batch.reward)),
        ("discount", 1, bytes(&batch.discount)),
        ("next_obs", OBS, bytes(&batch.next_obs)),
        ("next_row", 1, bytes(&next_row)),
        ("noise", config.action_samples * ACTIONS, bytes(&noise)),
    ];
    let views = arrays.iter().map(|(name, columns, bytes)| {
        let shape = vec![bytes.len() / 4 / columns, *columns];
        (*name, TensorView::new(Dtype::F32, shape, bytes).unwrap())
    });
    serialize_to_file(views, None, &folder.join("batch.safetensors")).unwrap();

    let losses: Vec<_> = (0..5)
        .map(|_| {
            let metrics = learner.update_with(&batch, &noise).unwrap();
            serde_json::Value::from_iter(metrics.named().map(|(name, value)| (name, value)))
        })
        .collect();
    let text = serde_json::json!({ "config": config, "updates": losses });
    fs::write(
        folder.join("expected.json"),
        serde_json::to_string_pretty(&text).unwrap(),
    )
    .unwrap();
}

fn time(seconds: f64, share: bool) {
    let batch = batch(&mut ChaCha8Rng::seed_from_u64(1));
    let mut learner = Learner::new(&config(share), OBS, ACTIONS, 2).unwrap();
    for _ in 0..5 {
        learner.update(&batch).unwrap();
    }
    let (begin, mut updates, mut windows) = (Instant::now(), 0, vec![]);
    while begin.elapsed().as_secs_f64() < seconds {
        let (window, cpu, before) = (Instant::now(), processor_time(), updates);
        while window.elapsed().as_secs_f64() < 0.5 {
            learner.update(&batch).unwrap();
            updates += 1;
        }
        let spent = processor_time() - cpu;
        windows.push(1e3 * spent.as_secs_f64() / f64::from(updates - before));
    }
    windows.sort_by(f64::total_cmp);
    println!("RESULT {:.3}", windows[windows.len() / 2]);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let share = words.last() == Some(&"shared");
    match words.as_slice() {
        ["export", folder, ..] => export(Path::new(folder), share),
        ["time", seconds, ..] => time(seconds.parse().expect("seconds"), share),
        _ => eprintln!("usage: update_rate export DIR [shared] | time SECONDS [shared]"),
    }
}
