//! The demonstrations that come with Dextra: made through the driving controls, and true to the physics.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use dextra_data::{Source, dataset::Dataset};
use dextra_train::{dataset_env, replay_actions};

/// Bits are those of the machine that recorded (`dextra replay` compares them); on another, whose sines
/// round otherwise, a few takes may go astray.
#[test]
fn the_committed_takes_are_successes_and_still_solve_the_task() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demonstrations/door");
    let dataset = Dataset::open(&root).unwrap();
    assert!(dataset.len() >= 25);
    let mut env = dataset_env(&dataset).unwrap();
    let mut solved = 0;
    for (index, info) in dataset.episodes().enumerate() {
        assert!(info.success, "episode {index}");
        assert_eq!(info.sources, [Source::Human], "episode {index}");
        let report = replay_actions(&mut env, &dataset.read(index).unwrap()).unwrap();
        solved += usize::from(report.success_steps[1] > 0);
    }
    assert!(
        solved >= 20,
        "{solved} of {}: make the dataset anew, as assets/demonstrations/README.md says",
        dataset.len()
    );
}
