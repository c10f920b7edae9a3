//! The compiler against MuJoCo's: every number of a scene that uses every construct.
//!
//! `scenes/compile.csv` is written by `scenes/reference.py`, which runs MuJoCo on the same file.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use dextra_sim::{JointKind, Mesh, Model, PhysicsOptions, Pose, Shape, Transmission};

fn folder() -> &'static Path {
    // From the package's folder, where cargo runs tests.
    Path::new("tests/scenes")
}

fn load(name: &str) -> Model {
    Model::load(
        &folder().join(name).with_extension("xml"),
        &PhysicsOptions::default(),
    )
    .unwrap()
}

fn model() -> Model {
    load("compile")
}

#[test]
fn every_number_is_mujocos() {
    compare("compile");
}

/// Meshes too: binary STL, OBJ and written out; scaled, mirrored, moved and turned; weighed by each rule.
#[test]
fn every_number_of_a_hand_of_meshes_is_mujocos() {
    compare("hand");
}

/// Hands as MuJoCo Menagerie writes them, with the files that they include.
#[test]
fn every_number_of_hands_of_other_makers_is_mujocos() {
    for name in ["boxes_scene", "capsules_scene", "tendons_scene"] {
        compare(&format!("hands/{name}"));
    }
}

fn compare(name: &str) {
    let reference = fs::read_to_string(folder().join(name).with_extension("csv")).unwrap();
    let ours = numbers(&load(name));
    assert_eq!(ours.len(), reference.lines().count(), "as many lines");
    for (line, (key, index, ours)) in reference.lines().zip(ours) {
        let mut words = line.split(',');
        assert_eq!(
            (words.next(), words.next()),
            (Some(key), Some(&*index.to_string()))
        );
        let theirs: Vec<f64> = words.map(|w| w.parse().unwrap()).collect();
        let same = ours.len() == theirs.len()
            && ours
                .iter()
                .zip(&theirs)
                .all(|(a, b)| (a - b).abs() < 1e-7 * (1.0 + b.abs()));
        assert!(
            same,
            "{key} {index}\n  ours   {ours:?}\n  MuJoCo {theirs:?}"
        );
    }
}

#[test]
fn the_same_scene_has_the_same_hash_and_another_has_not() {
    assert_eq!(model().hash(), model().hash());
    assert_eq!(model().hash().len(), 64);
    let options = PhysicsOptions {
        substeps: 2,
        ..PhysicsOptions::default()
    };
    let other = Model::load(&folder().join("compile.xml"), &options).unwrap();
    assert_ne!(model().hash(), other.hash());
}

#[test]
fn solver_settings_without_effect_are_listed() {
    let warnings = model().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("compile.xml:4: <flag>: warmstart"),
        "{warnings:?}"
    );
}

type Line = (&'static str, usize, Vec<f64>);

/// The model in the reference's form.
fn numbers(m: &Model) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = |key, index, parts: &[&[f64]]| lines.push((key, index, parts.concat()));
    let sizes = [m.nq as f64, m.nv as f64, m.nu as f64, m.timestep_secs];
    line("model", 0, &[&sizes, &m.gravity]);
    for (i, b) in m.bodies.iter().enumerate() {
        line(
            "body",
            i,
            &[
                &[b.parent.unwrap_or(0) as f64],
                &b.pose.pos,
                &matrix(&b.pose),
            ],
        );
        line(
            "mass",
            i,
            &[
                &[b.mass],
                &b.inertial_pose.pos,
                &tensor(&b.inertial_pose, b.inertia),
            ],
        );
    }
    for (i, j) in m.joints.iter().enumerate() {
        let kind = match j.kind {
            JointKind::Free => 0.0,
            JointKind::Slide => 2.0,
            JointKind::Hinge => 3.0,
        };
        line(
            "joint",
            i,
            &[&[kind, j.body as f64, j.qpos_adr as f64, j.dof_adr as f64]],
        );
        if j.kind != JointKind::Free {
            line("axis", i, &[&j.anchor, &j.axis]);
            line("rest", i, &[&[j.springref, j.reference]]);
        }
        line(
            "range",
            i,
            &[&limited(j.range), &j.limit.solref, &j.limit.solimp],
        );
        let passive = [j.margin, j.damping, j.armature, j.frictionloss, j.stiffness];
        line("passive", i, &[&passive]);
        line("driven", i, &[&limited(j.actuator_force_range)]);
    }
    for (i, g) in m.geoms.iter().enumerate() {
        let (kind, size) = shape(&g.shape);
        if let Shape::Mesh(mesh) = &g.shape {
            line("geom", i, &[&[g.body as f64, kind], &g.pose.pos]);
            line("size", i, &[&extent(mesh, &g.pose)]);
        } else {
            line(
                "geom",
                i,
                &[&[g.body as f64, kind], &g.pose.pos, &matrix(&g.pose)],
            );
            line("size", i, &[&size]);
        }
        line("colour", i, &[&g.rgba.map(f64::from)]);
        let bits = [
            g.margin,
            g.contype.into(),
            g.conaffinity.into(),
            g.condim.into(),
        ];
        line(
            "contact",
            i,
            &[&g.friction, &bits, &g.contact.solref, &g.contact.solimp],
        );
    }
    for (i, s) in m.sites.iter().enumerate() {
        line(
            "site",
            i,
            &[&[s.body as f64], &s.pose.pos, &matrix(&s.pose)],
        );
    }
    for (i, t) in m.tendons.iter().enumerate() {
        let terms: Vec<f64> = t
            .terms
            .iter()
            .flat_map(|(joint, c)| [*joint as f64, *c])
            .collect();
        line("tendon", i, &[&terms]);
        let spring = [t.margin, t.stiffness];
        line(
            "length",
            i,
            &[&limited(t.range), &spring, &t.springlength, &t.limit.solimp],
        );
    }
    for (i, a) in m.actuators.iter().enumerate() {
        let (kind, index) = match a.transmission {
            Transmission::Joint(joint) => (0.0, joint),
            Transmission::Tendon(tendon) => (3.0, tendon),
        };
        line(
            "actuator",
            i,
            &[&[kind, index as f64, a.gear, a.gain], &a.bias],
        );
        line(
            "ranges",
            i,
            &[&limited(a.ctrl_range), &limited(a.force_range)],
        );
    }
    for (i, p) in m.pairs.iter().enumerate() {
        let mut geoms = p.geoms.map(|g| g as f64);
        geoms.sort_by(f64::total_cmp);
        let rest = [&p.friction[..], &[p.margin]].concat();
        line(
            "pair",
            i,
            &[&geoms, &[p.condim.into()], &rest, &p.contact.solimp],
        );
    }
    lines
}

fn limited(range: Option<[f64; 2]>) -> [f64; 3] {
    range.map_or([0.0; 3], |[low, high]| [1.0, low, high])
}

/// The shape's number in MuJoCo and its sizes.
fn shape(shape: &Shape) -> (f64, Vec<f64>) {
    match *shape {
        Shape::Plane { half_extents } => (0.0, half_extents.to_vec()),
        Shape::Sphere { radius } => (2.0, vec![radius]),
        Shape::Capsule {
            radius,
            half_length,
        } => (3.0, vec![radius, half_length]),
        Shape::Ellipsoid { half_extents } => (4.0, half_extents.to_vec()),
        Shape::Cylinder {
            radius,
            half_length,
        } => (5.0, vec![radius, half_length]),
        Shape::Box { half_extents } => (6.0, half_extents.to_vec()),
        Shape::Mesh(_) => (7.0, Vec::new()),
    }
}

/// The lowest and the highest coordinates of a mesh in its body's frame.
fn extent(mesh: &Mesh, pose: &Pose) -> Vec<f64> {
    let points = || mesh.vertices.iter().map(|p| pose.transform_point(*p));
    let low = (0..3).map(|k| points().map(|p| p[k]).fold(f64::INFINITY, f64::min));
    let high = (0..3).map(|k| points().map(|p| p[k]).fold(f64::NEG_INFINITY, f64::max));
    low.chain(high).collect()
}

const UNIT: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// The rotation as a matrix, row by row.
fn matrix(pose: &Pose) -> Vec<f64> {
    let columns = UNIT.map(|axis| pose.rotate(axis));
    (0..9).map(|k| columns[k % 3][k / 3]).collect()
}

/// The inertia in the body's axes.
fn tensor(pose: &Pose, moments: [f64; 3]) -> Vec<f64> {
    let axes = UNIT.map(|axis| pose.rotate(axis));
    let entry = |i, j| (0..3).map(|k| moments[k] * axes[k][i] * axes[k][j]).sum();
    (0..9).map(|k| entry(k / 3, k % 3)).collect()
}
