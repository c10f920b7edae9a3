//! Meshes in motion: a hand that is made of them, and things that lie on them.

#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc};

use dextra_sim::{Model, PhysicsOptions, Sim};

fn hand() -> Sim {
    let path = Path::new("tests/scenes/hand.xml");
    Sim::new(Arc::new(
        Model::load(path, &PhysicsOptions::default()).unwrap(),
    ))
}

/// Numbers in [0, 1) that look like chance (Knuth's multiplier).
fn chance() -> impl FnMut() -> f64 {
    let mut state = 1_u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[test]
fn the_hand_goes_where_its_controls_say() {
    let mut sim = hand();
    let closed = sim.model().keyframes[1].clone();
    assert_eq!((closed.name.as_str(), closed.ctrl.len()), ("closed", 7));
    let open = sim.qpos().to_vec();
    for _ in 0..1000 {
        sim.step(&closed.ctrl);
    }
    let knuckle = sim.model().joint("first_knuckle").unwrap();
    let at = sim.model().joints[knuckle].qpos_adr;
    // Gravity pulls at what a servo of 2 N m/rad holds; nothing is in the way.
    assert!(
        (sim.qpos()[at] - closed.qpos[at]).abs() < 0.1,
        "{:?}",
        sim.qpos()
    );
    assert!((sim.qpos()[at] - open[at]).abs() > 1.0);
}

#[test]
fn ten_seconds_of_random_controls_stay_finite() {
    let mut sim = hand();
    let ranges: Vec<[f64; 2]> = sim
        .model()
        .actuators
        .iter()
        .map(|actuator| actuator.ctrl_range.unwrap())
        .collect();
    let mut chance = chance();
    let mut ctrl = vec![0.0; ranges.len()];
    let mut touched = false;
    for step in 0..5000 {
        if step % 50 == 0 {
            for (ctrl, [low, high]) in ctrl.iter_mut().zip(&ranges) {
                *ctrl = low + (high - low) * chance();
            }
        }
        sim.step(&ctrl);
        assert!(sim.is_finite(), "step {step}");
        touched |= !sim.contacts().is_empty();
    }
    assert!(touched, "nothing touched anything");
    assert!(
        sim.qpos().iter().all(|x| x.abs() < 20.0),
        "{:?}",
        sim.qpos()
    );
}

/// A block of 2 by 2 by 2 cm, once a box and once a mesh, dropped on a table that is a mesh.
#[test]
fn a_mesh_lies_where_a_box_does() {
    let height = |block: &str| {
        let corners = "0 0 0 1 0 0 0 1 0 1 1 0 0 0 1 1 0 1 0 1 1 1 1 1";
        let xml = format!(
            r#"<mujoco><asset>
            <mesh name="block" vertex="{corners}" scale="0.02 0.02 0.02"/>
            <mesh name="table" vertex="{corners}" scale="0.4 0.4 0.1"/></asset>
            <worldbody><geom type="mesh" mesh="table" pos="-0.2 -0.2 0"/>
            <body name="block" pos="0 0 0.13"><freejoint/>{block}</body></worldbody></mujoco>"#
        );
        let model = Model::from_xml(&xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
        let mut sim = Sim::new(Arc::new(model));
        for _ in 0..1000 {
            sim.step(&[]);
        }
        sim.body_pose(1).pos[2]
    };
    let boxed = height(r#"<geom type="box" size="0.01 0.01 0.01"/>"#);
    let meshed = height(r#"<geom type="mesh" mesh="block" pos="-0.01 -0.01 -0.01"/>"#);
    assert!((boxed - 0.11).abs() < 0.001, "{boxed}");
    assert!((meshed - boxed).abs() < 0.0002, "{meshed}, not {boxed}");
}
