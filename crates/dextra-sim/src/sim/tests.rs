//! What the engine finds while it steps, against looking everywhere.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use rapier3d::parry::query;

use super::*;
use crate::PhysicsOptions;

/// Depth at which two colliders surely overlap, m.
const DEPTH: f32 = 1e-5;

/// Pairs of geoms that overlap and may touch, found by trying all of them.
fn overlaps(sim: &Sim) -> Vec<(usize, usize)> {
    let colliders = &sim.state.world.colliders;
    let collider = |geom: usize| colliders.get(sim.plan.colliders[geom]?);
    let geoms = sim.model.geoms.len();
    let mut found = Vec::new();
    for a in 0..geoms {
        for b in (a + 1..geoms).filter(|&b| sim.rules.allows(a, b)) {
            let Some((first, second)) = collider(a).zip(collider(b)) else {
                continue;
            };
            let contact = query::contact(
                first.position(),
                first.shape(),
                second.position(),
                second.shape(),
                0.0,
            );
            if contact.is_ok_and(|c| c.is_some_and(|c| c.dist < -DEPTH)) {
                found.push((a, b));
            }
        }
    }
    found
}

#[test]
fn no_overlap_goes_unnoticed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/adroit_door.xml");
    let options = PhysicsOptions {
        split_at: vec!["palm".into()],
        ..PhysicsOptions::default()
    };
    let model = Arc::new(Model::load(&path, &options).unwrap());
    let mut sim = Sim::new(Arc::clone(&model));
    let mut checked = 0;
    // The controls jump from end to end, at different times, so that fingers meet at full speed.
    for step in 0..2000_usize {
        let control = |i: usize| {
            let [lo, hi] = model.actuators[i].ctrl_range.unwrap_or([-1.0, 1.0]);
            let (period, phase) = (50 + 7 * i, 13 * i);
            if ((step + phase) / period).is_multiple_of(2) {
                lo
            } else {
                hi
            }
        };
        let ctrl: Vec<f64> = (0..model.nu).map(control).collect();
        let expected = overlaps(&sim);
        sim.step(&ctrl);
        for (a, b) in expected {
            let (first, second) = (
                sim.plan.colliders[a].unwrap(),
                sim.plan.colliders[b].unwrap(),
            );
            let pair = sim.state.world.narrow_phase.contact_pair(first, second);
            assert!(pair.is_some(), "geoms {a} and {b} at step {step}");
            checked += 1;
        }
    }
    assert!(
        checked > 1000,
        "only {checked} overlaps: the test tests little"
    );
}
