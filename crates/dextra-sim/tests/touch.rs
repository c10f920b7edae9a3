//! Touch: normal forces on a geom, and on the part of a body within a site.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{path::Path, sync::Arc};

use dextra_sim::{Model, PhysicsOptions, Shape, Sim};

#[test]
fn a_site_feels_what_presses_within_it() {
    // A bar on two balls that stick out of the ground: each carries half of the bar.
    let xml = r#"<mujoco><worldbody>
        <geom type="sphere" size="0.05" pos="-0.2 0 0"/><geom type="sphere" size="0.05" pos="0.2 0 0"/>
        <body name="bar" pos="0 0 0.075"><freejoint/>
          <geom name="bar" type="box" size="0.3 0.05 0.025" mass="1"/>
          <site name="left" type="box" size="0.1 0.05 0.01" pos="-0.2 0 -0.025"/>
          <site name="all" type="ellipsoid" size="0.4 0.1 0.1"/>
          <site name="top" type="cylinder" size="0.3 0.01" pos="0 0 0.025"/>
        </body></worldbody></mujoco>"#;
    let model = Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
    let mut sim = Sim::new(Arc::new(model));
    for _ in 0..500 {
        sim.step(&[]);
    }
    let site = |name| sim.site_touch(sim.model().site(name).unwrap());
    let (left, all, top) = (site("left"), site("all"), site("top"));
    assert!((left - 4.905).abs() < 0.1, "{left} N");
    assert!((all - 9.81).abs() < 0.1, "{all} N");
    assert_eq!(top, 0.0);
    let bar = sim.touch(sim.model().geom("bar").unwrap());
    assert!((bar - all).abs() < 1e-9);
}

#[test]
fn shapes_contain_what_is_in_them() {
    let half_extents = [1.0, 2.0, 3.0];
    let (radius, half_length) = (1.0, 2.0);
    let cases = [
        (Shape::Sphere { radius }, [0.6, 0.6, 0.5], [0.6, 0.6, 0.6]),
        (
            Shape::Capsule {
                radius,
                half_length,
            },
            [0.0, 0.0, 2.9],
            [0.5, 0.0, 2.9],
        ),
        (
            Shape::Cylinder {
                radius,
                half_length,
            },
            [0.7, 0.7, -1.9],
            [0.0, 0.0, 2.1],
        ),
        (
            Shape::Box { half_extents },
            [-0.9, 1.9, 2.9],
            [0.0, 2.1, 0.0],
        ),
        (
            Shape::Ellipsoid { half_extents },
            [0.5, 1.0, 1.5],
            [0.9, 1.9, 2.9],
        ),
        (
            Shape::Plane {
                half_extents: [1.0; 2],
            },
            [5.0, 0.0, -0.1],
            [0.0, 0.0, 0.1],
        ),
    ];
    for (shape, inside, outside) in cases {
        assert!(shape.contains(inside), "{shape:?} lacks {inside:?}");
        assert!(!shape.contains(outside), "{shape:?} has {outside:?}");
    }
}
