//! Hands as MuJoCo Menagerie writes them (`scenes/hands`): their palms hang in the world, and some of what
//! touches them cannot give way.

#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc};

use dextra_sim::{Model, PhysicsOptions, Sim};

const HANDS: [&str; 3] = ["boxes", "capsules", "tendons"];

fn load(name: &str) -> Sim {
    // From the package's folder, where cargo runs tests.
    let path = Path::new("tests/scenes/hands").join(name);
    let model = Model::load(&path.with_extension("xml"), &PhysicsOptions::default()).unwrap();
    Sim::new(Arc::new(model))
}

fn sim(world: &str) -> Sim {
    let xml = format!("<mujoco><option gravity='0 0 0'/><worldbody>{world}</worldbody></mujoco>");
    let model = Model::from_xml(&xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
    Sim::new(Arc::new(model))
}

/// Numbers in [0, 1) that look like chance (Knuth's multiplier).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How far the joints are past their ranges at most.
fn past(sim: &Sim) -> f64 {
    let joints = sim.model().joints.iter();
    let excess = joints.filter_map(|joint| {
        let ([low, high], q) = (joint.range?, sim.qpos()[joint.qpos_adr]);
        Some((low - q).max(q - high))
    });
    excess.fold(0.0, f64::max)
}

#[test]
fn ten_seconds_of_random_controls_stay_finite_and_within_limits() {
    for hand in HANDS {
        for (seed, scene) in ["", "_scene", "_scene"].into_iter().enumerate() {
            let name = format!("{hand}{scene}");
            let mut sim = load(&name);
            let mut chance = Chance(seed as u64);
            if let Some(key) = sim.model().keyframes.first().cloned() {
                let rest = vec![0.0; sim.model().nv];
                sim.set_state(&key.qpos, &rest).unwrap();
            }
            let mut ctrl = vec![0.0; sim.model().nu];
            let mut reached = vec![[f64::INFINITY, f64::NEG_INFINITY]; sim.model().nq];
            let mut touched = 0;
            for step in 0..5000 {
                // Some controls are held for a tenth of a second, some for one.
                if step % [50, 500][step / 2500] == 0 {
                    for (ctrl, actuator) in ctrl.iter_mut().zip(&sim.model().actuators) {
                        let [low, high] = actuator.ctrl_range.unwrap();
                        *ctrl = low + (high - low) * chance.next();
                    }
                }
                sim.step(&ctrl);
                assert!(sim.is_finite(), "{name}, seed {seed}, step {step}");
                assert!(past(&sim) < 0.1, "{name}, step {step}: {}", past(&sim));
                touched += usize::from(!sim.contacts().is_empty());
                for (range, q) in reached.iter_mut().zip(sim.qpos()) {
                    *range = [range[0].min(*q), range[1].max(*q)];
                }
            }
            assert!(touched > 100, "{name}: {touched} steps with contacts");
            for joint in sim.model().joints.iter().filter(|j| j.range.is_some()) {
                let [low, high] = reached[joint.qpos_adr];
                assert!(high - low > 0.1, "{name}: {} stands still", joint.name);
            }
        }
    }
}

/// A ball that turns about an axis, pressed along that axis or nearly so, and spun meanwhile: there the
/// engine divides by what is left of rounding.
#[test]
fn a_contact_that_nothing_gives_way_to_does_no_harm() {
    let mut chance = Chance(5);
    for trial in 0..100 {
        let mut axis = [0.0; 3].map(|_: f64| chance.next() - 0.5);
        let length = axis.iter().map(|a| a * a).sum::<f64>().sqrt();
        axis = axis.map(|a| a / length);
        // A wall before the ball on its axis, a little into it.
        let at = axis.map(|a| 0.1199 * a);
        let off = [1e-3, 1e-5, 1e-7, 0.0][trial % 4];
        let world = format!(
            "<body><joint name='turn' axis='{} {} {}' damping='1e-5'/>\
             <geom type='sphere' size='0.02' mass='0.02' pos='{off} 0 0'/>\
             <body><joint axis='{} {} {}' damping='1e-5'/>\
             <geom type='sphere' size='0.02' mass='0.02'/></body></body>\
             <geom type='sphere' size='0.1' pos='{} {} {}'/>",
            axis[0], axis[1], axis[2], axis[0], axis[1], axis[2], at[0], at[1], at[2],
        );
        let mut sim = sim(&world);
        let speed = 20.0 * (chance.next() - 0.5);
        sim.set_state(&[0.0, 0.0], &[speed, -speed]).unwrap();
        for step in 0..500 {
            sim.step(&[]);
            assert!(sim.is_finite(), "trial {trial}, step {step}");
            let fastest = sim
                .qvel()
                .iter()
                .fold(0.0, |most: f64, v| most.max(v.abs()));
            assert!(
                fastest < 30.0,
                "trial {trial}, step {step}: {:?}",
                sim.qvel()
            );
        }
    }
}

/// Two motors pull at a joint; what both do is bounded, whichever way it points.
#[test]
fn the_sum_of_all_actuators_on_a_joint_is_clamped() {
    let xml = "<mujoco><option gravity='0 0 0'/><worldbody><body>\
        <joint name='j' axis='0 0 1' actuatorfrcrange='-2 1'/>\
        <inertial pos='0 0 0' mass='1' diaginertia='0.5 0.5 0.5'/></body></worldbody>\
        <tendon><fixed name='t'><joint joint='j' coef='2'/></fixed></tendon>\
        <actuator><motor joint='j'/><motor tendon='t'/><position joint='j' kp='0' kv='3'/></actuator></mujoco>";
    let model = Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
    let model = Arc::new(model);
    let acceleration = |ctrl: [f64; 2], speed: f64| {
        let mut sim = Sim::new(Arc::clone(&model));
        sim.set_state(&[0.0], &[speed]).unwrap();
        sim.step(&[ctrl[0], ctrl[1], 0.0]);
        (sim.qvel()[0] - speed) / model.timestep_secs
    };
    let same = |a: f64, b: f64| assert!((a - b).abs() < 0.02, "{a} is not {b}");
    // Below the bound: 0.2 + 2 * 0.1 N m on 0.5 kg m^2.
    same(acceleration([0.2, 0.1], 0.0), 0.8);
    same(acceleration([3.0, 0.5], 0.0), 2.0);
    same(acceleration([-30.0, 0.5], 0.0), -4.0);
    // Each is beyond the bound, their sum is not.
    same(acceleration([3.0, -1.25], 0.0), 1.0);
    // The servo's damping is part of the sum.
    same(acceleration([3.0, 0.0], 1.0), 0.0);
    same(acceleration([0.0, 0.0], 5.0), -4.0);
}
