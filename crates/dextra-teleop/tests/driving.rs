//! What single controls do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path, sync::Arc};

use dextra_tasks::{Env, EnvOptions, Expert, TaskModel, difference, scenes_dir, task_names};
use dextra_teleop::{Axis, Button, Driver, Input, Rig};

const DT_SECS: f64 = 0.08;

fn bench(task: &str) -> (Arc<Rig>, Env, Driver) {
    let rig = Rig::load(&TaskModel::load(task).unwrap()).unwrap();
    let env = Env::with_model(rig.task().clone(), &EnvOptions::default());
    let driver = Driver::new(&rig, &env);
    (rig, env, driver)
}

fn press(driver: &mut Driver, name: &str) {
    driver.input(&Input::Press(Button::named(name).unwrap()));
}

fn release(driver: &mut Driver, name: &str) {
    driver.input(&Input::Release(Button::named(name).unwrap()));
}

fn axis(driver: &mut Driver, name: &str, value: f64) {
    driver.input(&Input::Axis(Axis::named(name).unwrap(), value));
}

fn drive(env: &mut Env, driver: &mut Driver, steps: usize) {
    for _ in 0..steps {
        let driven = driver.step(env, &[], DT_SECS);
        env.step(&driven.action);
    }
}

/// Angle of a joint.
fn angle(env: &Env, joint: &str) -> f64 {
    let model = env.sim().model();
    env.sim().qpos()[model.joints[model.joint(joint).unwrap()].qpos_adr]
}

#[test]
fn the_wrist_moves_as_told_in_metres_per_second_and_the_palm_follows() {
    // Relocate's arm has all six degrees of freedom.
    for (key, k, sign) in [
        ("W", 1, 1.0),
        ("S", 1, -1.0),
        ("A", 0, -1.0),
        ("D", 0, 1.0),
        ("E", 2, 1.0),
    ] {
        let (rig, mut env, mut driver) = bench("relocate");
        let palm = env.sim().model().site("S_grasp").unwrap();
        let (start, palm_start) = (driver.target(), env.sim().site_pose(palm).pos);
        press(&mut driver, key);
        drive(&mut env, &mut driver, 3);
        release(&mut driver, key);
        let [moved, turned] = difference(&driver.target(), &start);
        let told = sign * 3.0 * DT_SECS * rig.config.rates.translation_m_per_s;
        for axis in 0..3 {
            let expected = if axis == k { told } else { 0.0 };
            assert!((moved[axis] - expected).abs() < 2e-3, "{key}: {moved:?}");
            assert!(turned[axis].abs() < 0.02, "{key}: {turned:?}");
        }
        drive(&mut env, &mut driver, 150);
        let way = env.sim().site_pose(palm).pos[k] - palm_start[k];
        assert!(
            (way - told).abs() < 0.015,
            "{key}: the palm went {way}, not {told}"
        );
    }
}

#[test]
fn a_wrist_that_the_arm_cannot_take_there_stays_within_reach() {
    for task in task_names() {
        let (_, mut env, mut driver) = bench(task);
        for key in ["W", "D", "E", "Z", "T", "C"] {
            press(&mut driver, key);
        }
        drive(&mut env, &mut driver, 100);
        let before = driver.target();
        for key in ["W", "D", "E", "Z", "T", "C"] {
            release(&mut driver, key);
        }
        // The way back begins at once, whatever was asked for before.
        for key in ["S", "A", "Q", "X", "G", "V"] {
            press(&mut driver, key);
        }
        drive(&mut env, &mut driver, 2);
        let [moved, turned] = difference(&driver.target(), &before);
        let way: f64 = moved.iter().chain(&turned).map(|x| x.abs()).sum();
        assert!(way > 0.02, "{task}: {moved:?}, {turned:?}");
    }
}

#[test]
fn sticks_have_a_dead_zone_and_a_curve() {
    let speed = |at: f64| {
        let (_, mut env, mut driver) = bench("relocate");
        let start = driver.target();
        axis(&mut driver, "PadLeftX", at);
        drive(&mut env, &mut driver, 3);
        difference(&driver.target(), &start)[0][0]
    };
    let full = speed(1.0);
    assert_eq!(speed(0.1), 0.0);
    assert!(full > 0.05 && (speed(-1.0) + full).abs() < 2e-3);
    // Halfway beyond the dead zone of 0.15, a quarter of the speed.
    assert!(
        (speed(0.575) / full - 0.25).abs() < 0.03,
        "{}",
        speed(0.575) / full
    );
    assert_eq!(speed(f64::NAN), 0.0);
}

#[test]
fn the_mouse_moves_the_wrist_only_while_it_grabs() {
    let (rig, mut env, mut driver) = bench("relocate");
    let start = driver.target();
    axis(&mut driver, "MouseX", 40.0);
    drive(&mut env, &mut driver, 1);
    assert_eq!(difference(&driver.target(), &start)[0], [0.0; 3]);
    press(&mut driver, "MouseLeft");
    axis(&mut driver, "MouseX", 40.0);
    axis(&mut driver, "MouseY", -20.0);
    drive(&mut env, &mut driver, 3);
    let [moved, _] = difference(&driver.target(), &start);
    let told = rig.config.rates.mouse_m_per_pixel;
    assert!((moved[0] - 40.0 * told).abs() < 2e-3, "{moved:?}");
    assert!((moved[2] + 20.0 * told).abs() < 2e-3, "{moved:?}");
}

#[test]
fn presets_synergies_and_triggers_close_the_hand() {
    let (_, mut env, mut driver) = bench("relocate");
    drive(&mut env, &mut driver, 20);
    assert!(angle(&env, "MFJ2") < 0.1);
    for (control, name) in [
        ("preset", "5"),
        ("key", "K"),
        ("wheel", "Wheel"),
        ("trigger", "PadRightTrigger"),
    ] {
        let (_, mut env, mut driver) = bench("relocate");
        match control {
            "wheel" => axis(&mut driver, name, 10.0),
            "trigger" => axis(&mut driver, name, 1.0),
            _ => press(&mut driver, name),
        }
        drive(&mut env, &mut driver, 60);
        assert!(
            angle(&env, "MFJ2") > 0.5,
            "{control}: {}",
            angle(&env, "MFJ2")
        );
    }
    let (_, mut env, mut driver) = bench("relocate");
    axis(&mut driver, "PadRightTrigger", 1.0);
    drive(&mut env, &mut driver, 60);
    axis(&mut driver, "PadRightTrigger", 0.0);
    drive(&mut env, &mut driver, 60);
    assert!(angle(&env, "MFJ2") < 0.1, "{}", angle(&env, "MFJ2"));
}

#[test]
fn in_the_finger_layer_one_finger_moves_and_digits_choose_it() {
    let (_, mut env, mut driver) = bench("relocate");
    press(&mut driver, "F");
    assert_eq!(driver.finger(), Some(0));
    press(&mut driver, "2");
    assert_eq!(driver.finger(), Some(1));
    press(&mut driver, "K");
    drive(&mut env, &mut driver, 20);
    release(&mut driver, "K");
    drive(&mut env, &mut driver, 40);
    assert!(angle(&env, "FFJ2") > 0.8, "{}", angle(&env, "FFJ2"));
    for other in ["MFJ2", "RFJ2", "LFJ2", "THJ3"] {
        assert!(
            angle(&env, other).abs() < 0.2,
            "{other}: {}",
            angle(&env, other)
        );
    }
}

#[test]
fn a_mirrored_hand_goes_the_other_way_sideways_alone() {
    let (_, mut env, mut driver) = bench("relocate");
    let start = driver.target();
    for key in ["N", "D", "W"] {
        press(&mut driver, key);
    }
    drive(&mut env, &mut driver, 3);
    let [moved, _] = difference(&driver.target(), &start);
    assert!(moved[0] < -0.04 && moved[1] > 0.04, "{moved:?}");
}

#[test]
fn the_magnet_draws_the_wrist_to_a_waypoint_that_is_near_and_says_so() {
    let (_, env, mut driver) = bench("relocate");
    let mut waypoint = Expert::new(env.task_model())
        .unwrap()
        .waypoints(&env)
        .remove(0);
    let away = |driver: &Driver, to| {
        let [by, _] = difference(to, &driver.target());
        by.iter().map(|x| x * x).sum::<f64>().sqrt()
    };
    press(&mut driver, "M");
    waypoint.palm = driver.target();
    waypoint.palm.pos[2] += 0.5;
    assert!(
        !driver
            .step(&env, std::slice::from_ref(&waypoint), DT_SECS)
            .assisted
    );
    waypoint.palm.pos[2] -= 0.46;
    let before = away(&driver, &waypoint.palm);
    let driven = driver.step(&env, std::slice::from_ref(&waypoint), DT_SECS);
    assert!(driven.assisted && driven.busy);
    assert!(away(&driver, &waypoint.palm) < 0.9 * before);
    press(&mut driver, "M");
}

#[test]
fn every_task_can_be_driven_and_actions_are_in_range() {
    for task in task_names() {
        let (_, mut env, mut driver) = bench(task);
        for key in ["W", "E", "Z", "K", "I", "7"] {
            press(&mut driver, key);
        }
        for _ in 0..50 {
            let driven = driver.step(&env, &[], DT_SECS);
            assert!(
                driven.action.iter().all(|a| (-1.0..=1.0).contains(a)),
                "{task}"
            );
            assert_eq!(env.step(&driven.action).failure, None, "{task}");
        }
    }
}

#[test]
fn wrong_numbers_are_named_with_file_and_key() {
    let scenes = scenes_dir().unwrap();
    let task = TaskModel::load("door").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = |name: &str| fs::read_to_string(scenes.join(name)).unwrap();
    let message = |from: &str, to: &str| {
        let text = copy("teleop.toml");
        assert!(text.contains(from), "{from}");
        fs::write(
            folder.path().join("teleop.toml"),
            text.replacen(from, to, 1),
        )
        .unwrap();
        fs::write(folder.path().join("synergies.toml"), copy("synergies.toml")).unwrap();
        Rig::read(&task, folder.path()).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        (
            "dead_zone = 0.15",
            "dead_zone = 1.0",
            "`sticks.dead_zone` is 1.0; it must be at least 0",
        ),
        ("preset_secs", "preset_seconds", "preset_seconds"),
        (
            "limit_secs = 60.0",
            "limit_secs = nan",
            "`time.limit_secs` is NaN",
        ),
        ("[1.0, 0.5, ", "[0.5, 1.0, ", "`time.speeds`"),
        (
            "speed = 0.125",
            "speed = 0.3",
            "`tasks.door.speed` is 0.3; it must be one of",
        ),
        (
            "palm = \"S_grasp\"",
            "palm = \"S_grip\"",
            "`tasks.door.palm` is \"S_grip\"",
        ),
        ("[tasks.door]", "[tasks.window]", "a list with `door` in it"),
        ("FFJ2 = 1.2", "FFJ9 = 1.2", "`presets.power.FFJ9`"),
        ("FFJ2 = 1.2", "ARTz = 1.2", "`presets.power.ARTz`"),
    ] {
        let message = message(from, to);
        assert!(message.contains("teleop.toml"), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    let missing = Rig::read(&task, Path::new("/nowhere"))
        .unwrap_err()
        .to_string();
    assert!(missing.contains("/nowhere/teleop.toml"), "{missing}");
}
