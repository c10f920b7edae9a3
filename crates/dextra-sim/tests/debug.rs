//! What a person who debugs a scene asks of a simulation: pushes, edits, saved edits, reloads.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path, sync::Arc};

use dextra_sim::{Model, Parameter, PhysicsOptions, Pose, Push, Sim, scene_files};

fn sim(xml: &str) -> Sim {
    let model = Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
    Sim::new(Arc::new(model))
}

const FLOATING: &str = "<mujoco><option gravity='0 0 0'/><worldbody><body name='b'><freejoint/>\
    <geom type='box' size='0.1 0.1 0.1' mass='2'/></body></worldbody></mujoco>";

#[test]
fn a_push_accelerates_by_force_over_mass_and_ends_with_its_step() {
    let mut sim = sim(FLOATING);
    let push = Push {
        body: 1,
        force_n: [4.0, 0.0, 0.0],
        ..Push::default()
    };
    for _ in 0..100 {
        sim.step_pushed(&[], Some(&push));
    }
    // 2 m/s^2 over 0.2 s.
    assert!((sim.qvel()[0] - 0.4).abs() < 1e-3, "{:?}", sim.qvel());
    let before = sim.qvel()[0];
    sim.step(&[]);
    assert!((sim.qvel()[0] - before).abs() < 1e-6);
    assert!((sim.effective_mass(1, [0.0; 3]) - 2.0).abs() < 1e-3);
    let (linear, _) = sim.velocity_at(1, sim.body_pose(1).pos);
    assert!((linear[0] - before).abs() < 1e-5);
}

#[test]
fn a_pulled_link_seems_as_heavy_as_its_chain_makes_it() {
    // A point mass of 1 kg on a massless rod of 1 m, free about y: along the rod it cannot move, across
    // the axis it weighs a kilogram, and along the axis it cannot move either.
    let mut sim = sim(
        "<mujoco><worldbody><body name='b'><joint type='hinge' axis='0 1 0'/>\
         <inertial pos='1 0 0' mass='1' diaginertia='1e-6 1e-6 1e-6'/></body></worldbody></mujoco>",
    );
    sim.step(&[]);
    let found = sim.effective_mass(1, [1.0, 0.0, 0.0]);
    assert!((found - 3.0).abs() < 0.05, "{found}");
}

#[test]
fn keyframes_are_read_and_their_length_is_checked() {
    let xml = "<mujoco>\n<worldbody><body><joint type='slide'/><geom size='0.1'/></body></worldbody>\n\
        <keyframe>\n<key name='up' qpos='0.3'/></keyframe></mujoco>";
    let model = |xml: &str| Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default());
    let keyframes = model(xml).unwrap().keyframes;
    assert_eq!(keyframes[0].name, "up");
    assert_eq!(
        (&keyframes[0].qpos[..], &keyframes[0].qvel[..]),
        (&[0.3][..], &[0.0][..])
    );
    let error = model(&xml.replace("0.3", "0.3 1")).unwrap_err().to_string();
    assert!(
        error.contains("t.xml:4") && error.contains("needs 1"),
        "{error}"
    );
}

#[test]
fn joints_that_match_by_name_keep_their_state_in_another_model() {
    let two = |second: &str| {
        sim(&format!(
            "<mujoco><worldbody><body name='base' pos='0 0 1'><body name='x'>\
             <joint name='a' type='slide'/><geom size='0.1'/></body></body>\
             <body><joint name='{second}' type='slide'/><geom size='0.1' pos='1 0 0'/></body>\
             </worldbody></mujoco>"
        ))
    };
    let (mut old, mut new) = (two("b"), two("c"));
    old.set_body_pose(
        1,
        Pose {
            pos: [0.0, 0.0, 3.0],
            ..Pose::IDENTITY
        },
    )
    .unwrap();
    old.set_state(&[0.1, 0.2], &[0.3, 0.4]).unwrap();
    old.set_time(7.0);
    new.adopt(&old).unwrap();
    assert!((new.qpos()[0] - 0.1).abs() < 1e-6 && new.qpos()[1] == 0.0);
    assert!((new.qvel()[0] - 0.3).abs() < 1e-6 && new.qvel()[1] == 0.0);
    assert_eq!(new.time_secs(), 7.0);
    assert!(
        (new.body_pose(2).pos[2] - 3.1).abs() < 1e-6,
        "{:?}",
        new.body_pose(2)
    );
}

const MAIN: &str = r#"<mujoco model="saved">
  <!-- A comment that stays. -->
  <include file="parts.xml"/>
  <worldbody>
    <body name="arm">
      <joint name="hinge"   axis="0 1 0"/>   <!-- odd spacing -->
      <geom name="rod" class="slick" type="capsule" size="0.02 0.1"/>
      <geom name="tip" size="0.03" pos="0 0 0.1" friction="0.7"/>
      <body name="hand" pos="0 0 0.2">
        <inertial pos="0 0 0" mass="0.5" diaginertia="1e-3 1e-3 1e-3"/>
        <joint name="slide" type='slide' damping='3'/>
      </body>
    </body>
  </worldbody>
</mujoco>
"#;
const PARTS: &str = r#"<mujocoinclude>
  <default><joint damping="0.5"/><default class="slick"><geom friction="0.2 0.01"/></default></default>
  <actuator>
    <position name="servo" joint="hinge" kp="10" kv="1"/>
    <general name="law" joint="slide" gainprm="4" biastype="affine" biasprm="0 -4 -1"/>
    <motor name="motor" joint="slide"/>
  </actuator>
</mujocoinclude>
"#;

#[test]
fn edited_numbers_are_written_back_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, parts) = (
        folder.path().join("main.xml"),
        folder.path().join("parts.xml"),
    );
    fs::write(&path, MAIN).unwrap();
    fs::write(&parts, PARTS).unwrap();
    assert_eq!(scene_files(&path), [path.clone(), parts.clone()]);
    let original = Model::load(&path, &PhysicsOptions::default()).unwrap();
    let edits = [
        (Parameter::JointDamping(0), 0.25),
        (Parameter::JointFrictionloss(1), 0.1),
        (Parameter::GeomFriction(0, 0), 0.9),
        (Parameter::BodyMass(1), 0.4),
        (Parameter::BodyMass(2), 1.0),
        (Parameter::ActuatorGain(0), 12.5),
        (Parameter::ActuatorGain(1), 8.0),
        (Parameter::ActuatorGear(2), 3.0),
    ];
    let edited = edits
        .iter()
        .fold(original.clone(), |m, &(parameter, value)| {
            m.with(parameter, value).unwrap()
        });
    let parameters: Vec<_> = edits.iter().map(|(parameter, _)| *parameter).collect();
    let texts = edited.saved(&original, &path, &parameters).unwrap();
    for (file, text) in &texts {
        fs::write(file, text).unwrap();
    }
    let reloaded = Model::load(&path, &PhysicsOptions::default()).unwrap();
    for (parameter, value) in edits {
        let found = reloaded.value(parameter).unwrap();
        assert!(
            (found - value).abs() <= 1e-12 * value,
            "{parameter:?}: {found}"
        );
    }
    assert_eq!(reloaded.geoms[0].friction, [0.9, 0.01, 0.0001]);
    let line = |place: Option<&dextra_sim::Place>| place.unwrap().line;
    assert_eq!(line(reloaded.body_place(1)), 5);
    assert_eq!(line(reloaded.joint_place(1)), 11);
    assert_eq!(line(reloaded.geom_place(1)), 8);
    let servo = reloaded.actuator_place(0).unwrap();
    assert_eq!((&*servo.file, servo.line), (parts.as_path(), 4));
    assert_eq!(reloaded.body_place(0), None);
    // Line by line, only what was edited differs.
    let changed = |old: &str, new: &str| -> Vec<String> {
        assert_eq!(old.lines().count(), new.lines().count());
        let pairs = old.lines().zip(new.lines());
        pairs
            .filter(|(a, b)| a != b)
            .map(|(_, b)| b.trim().to_owned())
            .collect()
    };
    let main = changed(MAIN, &texts[&path]);
    assert_eq!(main.len(), 5, "{main:#?}");
    assert!(
        main[0].starts_with(r#"<joint name="hinge"   axis="0 1 0" damping="0.25"/>   <!-- odd"#)
    );
    assert_eq!(
        main[4],
        r#"<joint name="slide" type='slide' damping='3' frictionloss="0.1"/>"#
    );
    assert_eq!(changed(PARTS, &texts[&parts]).len(), 3);
    // Once more from there: the places follow the new text.
    let again = reloaded.with(Parameter::JointDamping(0), 0.125).unwrap();
    let texts = again
        .saved(&reloaded, &path, &[Parameter::JointDamping(0)])
        .unwrap();
    assert!(texts[&path].contains(r#"damping="0.125""#) && texts.len() == 1);
}

#[test]
fn a_mass_that_the_file_spreads_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.xml");
    let text = MAIN
        .replace(
            "  <include file=\"parts.xml\"/>\n",
            "<compiler settotalmass=\"3\"/>\n",
        )
        .replace(" class=\"slick\"", "");
    fs::write(&path, text).unwrap();
    let original = Model::load(&path, &PhysicsOptions::default()).unwrap();
    let edited = original.with(Parameter::BodyMass(2), 1.0).unwrap();
    let error = edited
        .saved(&original, &path, &[Parameter::BodyMass(2)])
        .unwrap_err();
    assert!(error.to_string().contains("by hand"), "{error}");
}

#[test]
fn a_file_that_changed_meanwhile_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.xml");
    fs::write(&path, FLOATING).unwrap();
    let original = Model::load(&path, &PhysicsOptions::default()).unwrap();
    fs::write(&path, format!("<!-- new -->\n{FLOATING}")).unwrap();
    let edited = original.with(Parameter::GeomFriction(0, 0), 0.3).unwrap();
    let error = edited
        .saved(&original, &path, &[Parameter::GeomFriction(0, 0)])
        .unwrap_err();
    assert!(error.to_string().contains("reload"), "{error}");
}

/// As the hands of MuJoCo Menagerie are written: meshes to see, primitives to touch.
const MENAGERIE: &str = r#"<mujoco model="hand">
  <compiler angle="radian" meshdir="assets"/>
  <default>
    <default class="visual"><geom type="mesh" contype="0" conaffinity="0" group="2"/></default>
    <default class="collision"><geom group="3"/></default>
  </default>
  <asset><mesh name="palm" file="palm.stl"/></asset>
  <worldbody>
    <body name="palm" childclass="visual">
      <inertial pos="0 0 0" mass="0.4" diaginertia="1e-4 1e-4 1e-4"/>
      <joint name="wrist" axis="0 1 0"/>
      <geom mesh="palm"/>
      <geom class="collision" type="box" size="0.04 0.05 0.01"/>
    </body>
  </worldbody>
</mujoco>"#;

#[test]
fn meshes_that_are_only_seen_and_cannot_be_read_are_left_out_and_listed() {
    let load = |xml: &str| Model::from_xml(xml, Path::new("hand.xml"), &PhysicsOptions::default());
    let model = load(MENAGERIE).unwrap();
    assert_eq!(model.geoms.len(), 1);
    assert!(model.geoms[0].visible, "nothing is left to see of the palm");
    assert_eq!(model.warnings.len(), 1);
    assert!(
        model.warnings[0].starts_with("hand.xml:12: <geom>"),
        "{:?}",
        model.warnings
    );
    // One that is touched, or that gives the mass, changes the simulation.
    for (from, to) in [
        ("contype=\"0\"", "contype=\"1\""),
        ("<inertial", "<!-- "),
        ("<compiler ", "<compiler inertiafromgeom=\"true\" "),
    ] {
        let xml = MENAGERIE.replace(from, to);
        let xml = match to {
            "<!-- " => xml.replace("1e-4\"/>", "1e-4\" -->"),
            _ => xml,
        };
        let error = load(&xml).unwrap_err().to_string();
        assert!(
            error.contains("hand.xml:7: <mesh") && error.contains("palm.stl"),
            "{error}"
        );
    }
}
