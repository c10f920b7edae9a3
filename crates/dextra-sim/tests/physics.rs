//! The simulation against formulas, against itself, and against MuJoCo's contact rules.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{f64::consts::PI, path::Path, sync::Arc};

use dextra_sim::{Model, PhysicsOptions, Pose, Sim, SimError, Snapshot};

const GRAVITY: f64 = 9.81;

fn sim_with(xml: &str, options: &PhysicsOptions) -> Sim {
    Sim::new(Arc::new(
        Model::from_xml(xml, Path::new("test.xml"), options).unwrap(),
    ))
}

/// A scene with the given world and what follows it.
fn sim(worldbody: &str, rest: &str) -> Sim {
    let xml = format!("<mujoco><worldbody>{worldbody}</worldbody>{rest}</mujoco>");
    sim_with(&xml, &PhysicsOptions::default())
}

fn run(sim: &mut Sim, secs: f64, ctrl: &[f64]) {
    for _ in 0..(secs / sim.model().timestep_secs).round() as usize {
        sim.step(ctrl);
    }
}

/// A rod of 0.4 m and 0.5 kg that swings about one end.
const PENDULUM: &str = r#"<body pos="0 0 1"><joint name="swing" axis="0 1 0"/>
    <inertial pos="0.2 0 0" mass="0.5" diaginertia="1e-4 0.0067 0.0067"/></body>"#;

#[test]
fn a_pendulum_swings_as_the_equation_says() {
    let mut sim = sim(PENDULUM, "");
    let inertia = 0.0067 + 0.5 * 0.2 * 0.2;
    let acceleration = |q: f64| 0.5 * GRAVITY * 0.2 * q.cos() / inertia;
    // Velocity Verlet at a hundredth of the step: error below 1e-6 rad.
    let (mut q, mut v) = (0.0, 0.0);
    let dt = 2e-5;
    for step in 0..250 {
        for _ in 0..100 {
            let half = v + 0.5 * dt * acceleration(q);
            q += dt * half;
            v = half + 0.5 * dt * acceleration(q);
        }
        sim.step(&[]);
        // The integrator, like MuJoCo's, is half a step ahead.
        let error = (sim.qpos()[0] - q - v * 0.001).abs();
        assert!(error < 1e-3, "{error} rad after step {step}");
    }
}

#[test]
fn a_free_body_falls_and_keeps_its_spin() {
    let body = r#"<body pos="0 0 5" euler="30 0 0"><freejoint/>
        <inertial pos="0.1 0 0" mass="2" diaginertia="0.01 0.01 0.01"/></body>"#;
    let mut sim = sim(body, "");
    let mut qvel = [0.0; 6];
    qvel[4] = 3.0;
    let qpos = sim.qpos().to_vec();
    sim.set_state(&qpos, &qvel).unwrap();
    assert!((sim.qvel()[4] - 3.0).abs() < 1e-6, "{:?}", sim.qvel());
    let centre = |sim: &Sim| sim.body_pose(1).transform_point([0.1, 0.0, 0.0])[2];
    let start = centre(&sim);
    // The centre of mass starts at w x r = 3 rad/s * 0.1 m below the frame's own velocity.
    let rise = sim.body_pose(1).rotate([0.0, 0.0, -0.3])[2];
    run(&mut sim, 0.5, &[]);
    let expected = start + rise * 0.5 - 0.5 * GRAVITY * 0.25;
    assert!(
        (centre(&sim) - expected).abs() < 0.006,
        "{} against {expected}",
        centre(&sim)
    );
    assert!((sim.qvel()[4] - 3.0).abs() < 1e-3, "{:?}", sim.qvel());
}

#[test]
fn dry_friction_holds_to_its_limit_and_no_further() {
    let body = r#"<body><joint name="x" type="slide" axis="1 0 0" frictionloss="2.5"/>
        <inertial pos="0 0 0" mass="0.5" diaginertia="1 1 1"/></body>"#;
    let mut sim = sim(body, r#"<actuator><motor joint="x"/></actuator>"#);
    run(&mut sim, 1.0, &[0.99 * 2.5]);
    assert!(sim.qpos()[0].abs() < 1e-6, "{}", sim.qpos()[0]);
    sim.reset();
    run(&mut sim, 1.0, &[1.01 * 2.5]);
    let expected = 0.5 * 0.01 * 2.5 / 0.5;
    assert!(
        (sim.qpos()[0] / expected - 1.0).abs() < 0.01,
        "{}",
        sim.qpos()[0]
    );
}

#[test]
fn a_limit_yields_by_mujocos_law() {
    let body = r#"<body gravcomp="0"><joint name="x" axis="0 0 1" limited="true" range="-1 1"
        margin="0.01" damping="0.01"/><inertial pos="0 0 0" mass="1" diaginertia="1 1 0.02"/></body>"#;
    let xml = format!(
        r#"<mujoco><compiler angle="radian"/><worldbody>{body}</worldbody>
        <actuator><motor joint="x"/></actuator></mujoco>"#
    );
    let mut sim = sim_with(&xml, &PhysicsOptions::default());
    for side in [1.0, -1.0] {
        run(&mut sim, 3.0, &[side * 2.0]);
        // f = d / (1 - d) * inertia * k * d * r with d = 0.95 and k = 1 / (0.95 * 0.02)^2.
        let r = 2.0 / (0.95 / 0.05 * 0.02 * 0.95 / (0.95_f64 * 0.02).powi(2));
        let expected = side * (1.0 - 0.01 + r);
        assert!(
            (sim.qpos()[0] - expected).abs() < 2e-4,
            "{} {expected}",
            sim.qpos()[0]
        );
        // Let go, it leaves the limit's margin and is held by nothing.
        run(&mut sim, 1.0, &[0.0]);
        assert!(side * sim.qpos()[0] < 0.9901, "{}", sim.qpos()[0]);
    }
}

#[test]
fn no_blow_drives_a_joint_past_the_end_of_its_stop() {
    // A light finger, and a heavy ball that falls fast on its end.
    let bodies = r#"<body pos="0 0 1"><joint name="j" axis="0 1 0" limited="true" range="-10 10"/>
        <geom type="capsule" fromto="0 0 0 0.05 0 0" size="0.008" mass="0.01"/></body>
        <body name="ball" pos="0.04 0 1.1"><freejoint/><geom size="0.03" mass="200"/></body>"#;
    let mut sim = sim(bodies, "");
    let mut qvel = [0.0; 7];
    qvel[3] = -12.0;
    let qpos = sim.qpos().to_vec();
    sim.set_state(&qpos, &qvel).unwrap();
    let mut furthest: f64 = 0.0;
    for _ in 0..100 {
        sim.step(&[]);
        furthest = furthest.max(sim.qpos()[0].abs() - 10_f64.to_radians());
    }
    assert!((0.05..0.0901).contains(&furthest), "{furthest}");
    assert!(sim.is_finite());
}

#[test]
fn a_tendons_limit_couples_its_joints() {
    let finger = r#"<body><joint name="a" axis="0 1 0" damping="0.05" armature="0.001"/>
        <inertial pos="0 0 0" mass="0.01" diaginertia="1e-5 1e-5 1e-5"/>
        <body pos="0.05 0 0"><joint name="b" axis="0 1 0" damping="0.05" armature="0.001"/>
        <inertial pos="0 0 0" mass="0.01" diaginertia="1e-5 1e-5 1e-5"/></body></body>"#;
    let rest = r#"<option gravity="0 0 0"/>
        <tendon><fixed limited="true" range="-0.001 0.001"><joint joint="a" coef="-0.008"/>
        <joint joint="b" coef="0.007"/></fixed></tendon>
        <actuator><position joint="a" kp="1"/><position joint="b" kp="1"/></actuator>"#;
    let mut sim = sim(finger, rest);
    run(&mut sim, 2.0, &[0.0, 1.6]);
    let (a, b) = (sim.qpos()[0], sim.qpos()[1]);
    let length = -0.008 * a + 0.007 * b;
    // The tendon pulls both joints: equilibrium of a = 0.008 f and 1.6 - b = 0.007 f.
    assert!((a / 0.008 - (1.6 - b) / 0.007).abs() < 1.0, "{a} {b}");
    assert!((0.001..0.0018).contains(&length), "{length}");
}

#[test]
fn joints_on_one_body_act_in_order() {
    let body = r#"<body name="arm" pos="0.1 0.2 0.3" euler="20 0 40">
        <joint type="slide" axis="0 0 1"/><joint axis="1 0 0"/><joint axis="0 1 0" pos="0 0 0.1"/>
        <joint axis="0 0 1"/><inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/>
        <site name="tip" pos="0.1 0.2 0.3"/></body>"#;
    let mut sim = sim(body, "");
    let q = [0.2, 0.5, -0.7, 1.1];
    sim.set_state(&q, &[0.0; 4]).unwrap();
    let turn = |axis: usize, angle: f64, p: [f64; 3]| {
        let (s, c) = angle.sin_cos();
        let (i, j) = ((axis + 1) % 3, (axis + 2) % 3);
        let mut out = p;
        (out[i], out[j]) = (c * p[i] - s * p[j], s * p[i] + c * p[j]);
        out
    };
    let mut p = turn(2, q[3], [0.1, 0.2, 0.3]);
    p[2] -= 0.1;
    p = turn(1, q[2], p);
    p[2] += 0.1;
    p = turn(0, q[1], p);
    p[2] += q[0];
    let expected = sim.model().bodies[1].pose.transform_point(p);
    let found = sim.site_pose(sim.model().site("tip").unwrap()).pos;
    for k in 0..3 {
        assert!(
            (found[k] - expected[k]).abs() < 1e-6,
            "{found:?} against {expected:?}"
        );
        assert!((sim.qpos()[k] - q[k]).abs() < 1e-7);
    }
}

#[test]
fn a_resting_ball_weighs_what_it_weighs() {
    let world = r#"<geom type="plane" size="1 1 1"/><body pos="0 0 0.1"><freejoint/>
        <geom name="ball" type="sphere" size="0.1" mass="0.3"/></body>"#;
    let mut sim = sim(world, "");
    run(&mut sim, 1.0, &[]);
    let ball = sim.model().geom("ball").unwrap();
    let weight = 0.3 * GRAVITY;
    assert!(
        (sim.touch(ball) / weight - 1.0).abs() < 0.01,
        "{} N",
        sim.touch(ball)
    );
    let contacts = sim.contacts();
    let force: f64 = contacts
        .iter()
        .map(|c| c.normal_force_n * c.normal[2].abs())
        .sum();
    assert!((force / weight - 1.0).abs() < 0.01, "{contacts:?}");
    assert!((sim.qpos()[2] - 0.1).abs() < 1e-3);
}

#[test]
fn friction_of_a_pair_is_the_larger_one() {
    // On a slope of 30 degrees a box slides with g (sin - mu cos); for mu = 0.8 it stays.
    for (box_mu, plane_mu) in [(0.3, 0.1), (0.2, 0.8)] {
        let world = format!(
            r#"<geom type="plane" size="9 9 1" friction="{plane_mu}"/><body pos="0 0 0.05">
            <freejoint/><geom type="box" size="0.1 0.1 0.05" friction="{box_mu}"/></body>"#
        );
        let slope = PI / 6.0;
        let (gx, gz) = (GRAVITY * slope.sin(), -GRAVITY * slope.cos());
        let mut sim = sim(&world, &format!(r#"<option gravity="{gx} 0 {gz}"/>"#));
        run(&mut sim, 0.5, &[]);
        let mu = f64::max(box_mu, plane_mu);
        let expected = (gx + mu * gz).max(0.0) * 0.5;
        // The engine's friction at the corners of a sliding box is a tenth short.
        assert!(
            (sim.qvel()[0] - expected).abs() < 0.15,
            "{} {expected}",
            sim.qvel()[0]
        );
    }
}

/// Spheres at one place under MuJoCo's rules: which pairs touch.
#[test]
fn contacts_follow_mujocos_rules() {
    let xml = r#"<mujoco><option gravity="0 0 0"/>
      <default><geom type="sphere" size="0.1" mass="1"/><joint type="slide"/></default>
      <worldbody>
        <geom name="world"/>
        <body name="hand" pos="0.01 0 0"><joint axis="1 0 0"/><geom name="palm"/>
          <body name="weld" pos="0 0 0.01"><geom name="nail" contype="1" conaffinity="1"/>
            <body name="finger" pos="0 0.01 0"><joint axis="0 1 0"/><geom name="tip"/>
              <body name="end" pos="0 0 0.01"><joint axis="0 0 1"/><geom name="end"/></body>
            </body></body></body>
        <body name="ghost" pos="0 0.02 0"><joint axis="0 1 0"/>
          <geom name="ghost" contype="2" conaffinity="0"/></body>
        <body name="seer" pos="0 0.03 0"><joint axis="0 1 0"/>
          <geom name="seer" contype="0" conaffinity="3"/></body>
        <body name="blind" pos="0 0.04 0"><joint axis="0 1 0"/>
          <geom name="blind" contype="0" conaffinity="0"/></body>
      </worldbody>
      <contact><exclude body1="end" body2="hand"/>
        <pair geom1="blind" geom2="ghost" condim="1"/><pair geom1="palm" geom2="tip"/></contact>
    </mujoco>"#;
    let mut sim = sim_with(xml, &PhysicsOptions::default());
    sim.step(&[]);
    let name = |g: usize| sim.model().geoms[g].name.clone().unwrap();
    let touching: std::collections::BTreeSet<(String, String)> = sim
        .contacts()
        .iter()
        .map(|c| (name(c.geom1.min(c.geom2)), name(c.geom1.max(c.geom2))))
        .collect();
    let expected = [
        ("ghost", "blind"), // explicit pair
        ("ghost", "seer"),  // 2 & 3
        ("nail", "end"),    // the exclusion names "hand", not the body welded to it
        ("nail", "seer"),
        ("end", "seer"),
        ("palm", "seer"),
        ("palm", "tip"), // explicit pair, although parent and child
        ("tip", "seer"),
        ("world", "end"),
        ("world", "nail"), // the world is nobody's parent
        ("world", "palm"),
        ("world", "seer"),
        ("world", "tip"),
    ];
    let expected = expected
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    assert_eq!(touching, expected);
    let smooth = sim
        .contacts()
        .into_iter()
        .find(|c| name(c.geom1) == "ghost" && name(c.geom2) == "blind");
    assert!(smooth.is_none_or(|c| c.friction_force_n.iter().all(|f| f.abs() < 1e-6)));
}

/// A palm on an arm, two fingers, a ball on the floor, and a door on a post.
fn hand(split_at: &[&str]) -> Sim {
    let finger = |name: &str, y: f64| {
        format!(
            r#"<body name="{name}" pos="0.05 {y} 0"><joint name="{name}1" axis="0 1 0" range="0 1.5"/>
            <geom type="capsule" fromto="0 0 0 0.05 0 0" size="0.01" mass="0.02"/>
            <body pos="0.05 0 0"><joint name="{name}2" axis="0 1 0" range="0 1.5"/>
            <geom type="capsule" fromto="0 0 0 0.04 0 0" size="0.01" mass="0.015"/></body></body>"#
        )
    };
    let xml = format!(
        r#"<mujoco><compiler angle="radian"/>
        <default><joint damping="0.05" armature="0.001" frictionloss="0.001" margin="0.01" limited="true"/>
          <position kp="1"/></default>
        <worldbody><geom type="plane" size="1 1 1"/>
        <body name="arm" pos="0 0 0.1"><joint name="lift" type="slide" axis="0 0 1" range="-1 1"
            damping="20"/><joint name="roll" axis="1 0 0" range="-1 1" damping="2"/>
          <geom type="box" size="0.05 0.04 0.01" mass="0.4"/>
          <body name="palm" pos="0.02 0 0"><joint name="wrist" axis="0 1 0" range="-1 1" damping="0.5"
              armature="0.005"/><geom type="box" size="0.04 0.04 0.01" mass="0.3"/>
            {}{}</body></body>
        <body pos="0.12 0 0.03"><freejoint/><geom name="ball" type="sphere" size="0.03" mass="0.1"
            condim="6" friction="1 0.02 0.001"/></body>
        <body name="post" pos="0.5 0 0"><geom type="cylinder" size="0.02 0.1"/>
          <body name="door"><joint name="door" axis="0 0 1" range="-2 2" frictionloss="0.1"/>
            <geom type="box" pos="0.2 0 0.2" size="0.15 0.02 0.15" mass="1"/></body></body>
        </worldbody>
        <actuator><position joint="lift" kp="200"/><position joint="roll" kp="20"/>
          <position joint="wrist" kp="10"/><position joint="a1"/><position joint="a2"/>
          <position joint="b1"/><position joint="b2"/></actuator></mujoco>"#,
        finger("a", 0.03),
        finger("b", -0.03),
    );
    let split_at = split_at.iter().map(|&s| s.to_owned()).collect();
    sim_with(
        &xml,
        &PhysicsOptions {
            split_at,
            ..PhysicsOptions::default()
        },
    )
}

fn control(step: usize) -> [f64; 7] {
    let t = step as f64 * 0.002;
    let close = 0.6 + 0.6 * (4.0 * t).sin();
    [
        -0.03 + 0.02 * (3.0 * t).sin(),
        0.2 * t.sin(),
        0.3 * (2.0 * t).sin(),
        close,
        close,
        close,
        0.5,
    ]
}

fn bits(sim: &Sim) -> Vec<u64> {
    sim.qpos()
        .iter()
        .chain(sim.qvel())
        .map(|x| x.to_bits())
        .collect()
}

#[test]
fn the_same_calls_give_the_same_bits() {
    for split in [&[][..], &["palm"]] {
        let (mut a, mut b) = (hand(split), hand(split));
        // What happened before a reset leaves no trace.
        for step in 0..300 {
            b.step(&control(3 * step));
        }
        b.reset();
        for step in 0..1000 {
            a.step(&control(step));
            b.step(&control(step));
            assert_eq!(bits(&a), bits(&b), "step {step}");
        }
        assert!(a.is_finite());
    }
}

#[test]
fn a_snapshot_continues_to_the_same_bits() {
    for split in [&[][..], &["palm"]] {
        let mut sim = hand(split);
        let post = sim.model().body("post").unwrap();
        for start in [0, 400] {
            sim.reset();
            sim.set_body_position(post, [0.6, 0.1, 0.0]).unwrap();
            for step in 0..start {
                sim.step(&control(step));
            }
            let snapshot = sim.snapshot();
            let bytes = bincode::serialize(&snapshot).unwrap();
            let mut expected = Vec::new();
            for step in start..start + 300 {
                sim.step(&control(step));
                expected.push(bits(&sim));
            }
            sim.restore(&snapshot).unwrap();
            let mut fresh = hand(split);
            fresh
                .restore(&bincode::deserialize::<Snapshot>(&bytes).unwrap())
                .unwrap();
            assert_eq!(fresh.body_pose(post).pos, [0.6, 0.1, 0.0]);
            for (n, expected) in expected.iter().enumerate() {
                sim.step(&control(start + n));
                fresh.step(&control(start + n));
                assert_eq!(&bits(&sim), expected, "restored, step {n} after {start}");
                assert_eq!(
                    &bits(&fresh),
                    expected,
                    "from bytes, step {n} after {start}"
                );
            }
        }
    }
}

#[test]
fn a_split_hand_moves_like_a_whole_one() {
    let (mut whole, mut split) = (hand(&[]), hand(&["palm"]));
    let lift = |step: usize| {
        let mut ctrl = control(step);
        ctrl[0] += 0.3; // away from the ball
        ctrl
    };
    let mut worst: f64 = 0.0;
    for step in 0..1500 {
        whole.step(&lift(step));
        split.step(&lift(step));
        for k in 0..7 {
            worst = worst.max((whole.qpos()[k] - split.qpos()[k]).abs());
        }
    }
    assert!(worst < 0.02, "{worst} rad or m apart");
}

#[test]
fn a_mount_can_be_moved_and_stays_moved() {
    let mut sim = hand(&["palm"]);
    let (post, door) = (
        sim.model().body("post").unwrap(),
        sim.model().body("door").unwrap(),
    );
    sim.set_body_position(post, [0.7, -0.2, 0.1]).unwrap();
    sim.reset();
    sim.step(&control(0));
    for body in [post, door] {
        let pos = sim.body_pose(body).pos;
        assert!(
            (pos[0] - 0.7).abs() + (pos[1] + 0.2).abs() + (pos[2] - 0.1).abs() < 1e-5,
            "{pos:?}"
        );
    }
    // Turned by a quarter about z; snapshots remember it, and a position alone leaves it.
    let turned = Pose {
        pos: [0.7, -0.2, 0.1],
        quat: [1.0, 0.0, 0.0, 1.0],
    };
    sim.set_body_pose(post, turned).unwrap();
    let snapshot = sim.snapshot();
    let points_along_y = |sim: &Sim| {
        let [x, y, _] = sim.body_pose(post).rotate([1.0, 0.0, 0.0]);
        assert!(x.abs() < 1e-6 && (y - 1.0).abs() < 1e-6, "{x} {y}");
    };
    points_along_y(&sim);
    sim.set_body_position(post, [0.0, 1.0, 0.0]).unwrap();
    points_along_y(&sim);
    sim.set_body_pose(post, Pose::IDENTITY).unwrap();
    sim.restore(&snapshot).unwrap();
    points_along_y(&sim);
    assert!((sim.body_pose(post).pos[0] - 0.7).abs() < 1e-6);
    let zero = Pose {
        quat: [0.0; 4],
        ..turned
    };
    assert!(matches!(
        sim.set_body_pose(post, zero),
        Err(SimError::NotFinite { what: "quat", .. })
    ));
    // The arm's root may move too, with the whole hand.
    let (arm, palm) = (
        sim.model().body("arm").unwrap(),
        sim.model().body("palm").unwrap(),
    );
    sim.set_body_position(arm, [0.0, 0.0, 0.5]).unwrap();
    assert!((sim.body_pose(palm).pos[2] - 0.5).abs() < 0.01);
    let refused = sim.set_body_position(palm, [0.0; 3]);
    assert!(
        matches!(refused, Err(SimError::MovingBody { .. })),
        "{refused:?}"
    );
    assert!(matches!(
        sim.set_body_position(999, [0.0; 3]),
        Err(SimError::NoSuchBody { .. })
    ));
    assert!(matches!(
        sim.set_body_position(0, [0.0; 3]),
        Err(SimError::NoSuchBody { .. })
    ));
}

#[test]
fn faults_are_told_and_do_not_spread() {
    let mut sim = hand(&["palm"]);
    let (nq, nv) = (sim.model().nq, sim.model().nv);
    let wrong = sim.set_state(&vec![0.0; nq - 1], &vec![0.0; nv]);
    assert_eq!(
        wrong,
        Err(SimError::Length {
            what: "qpos",
            expected: nq,
            found: nq - 1
        })
    );
    let mut qvel = vec![0.0; nv];
    qvel[2] = f64::NAN;
    let qpos = sim.qpos().to_vec();
    let wrong = sim.set_state(&qpos, &qvel);
    assert_eq!(
        wrong,
        Err(SimError::NotFinite {
            what: "qvel",
            index: 2
        })
    );
    let foreign = sim_with(
        &format!("<mujoco><worldbody>{PENDULUM}</worldbody></mujoco>"),
        &PhysicsOptions::default(),
    );
    assert!(matches!(
        sim.restore(&foreign.snapshot()),
        Err(SimError::OtherModel { .. })
    ));
    sim.step(&[f64::NAN; 7]);
    assert!(!sim.is_finite());
    sim.step(&control(0));
    assert_eq!(sim.time_secs(), 0.0);
    // Absurd speeds may end the simulation, but not the program.
    for speed in [1e3, 1e9, 1e30] {
        sim.set_state(&qpos, &vec![speed; nv]).unwrap();
        run(&mut sim, 0.1, &control(0));
    }
    sim.reset();
    assert!(sim.is_finite());
    run(&mut sim, 0.1, &control(0));
    assert!(sim.is_finite() && sim.qpos().iter().all(|x| x.is_finite()));
}
