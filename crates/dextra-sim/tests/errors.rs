//! Bad scenes: each gives one message that names the place and the remedy.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use dextra_sim::{Model, PhysicsOptions};

/// The message for a scene whose `<mujoco>` holds `inside`, from line 2 on.
fn message(inside: &str) -> String {
    let xml = format!("<mujoco>\n{inside}\n</mujoco>");
    match Model::from_xml(&xml, Path::new("scene.xml"), &PhysicsOptions::default()) {
        Ok(_) => "it loads".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn expect(inside: &str, words: &[&str]) {
    let message = message(inside);
    for word in words {
        assert!(
            message.contains(word),
            "{inside}\n-> {message}\nlacks {word}"
        );
    }
    assert_eq!(message.lines().count(), 1, "{message}");
}

fn body(inside: &str) -> String {
    format!("<worldbody><body name=\"b\">\n{inside}\n</body></worldbody>")
}

#[test]
fn unknown_words_suggest_the_nearest() {
    expect(
        "<worldbody>\n<bdy/></worldbody>",
        &["scene.xml:3: <bdy>", "did you mean \"body\"?"],
    );
    expect(
        "<aktuator/>",
        &["unknown element in <mujoco>", "\"actuator\""],
    );
    expect(
        &body("<geom sise=\"1\"/>"),
        &["scene.xml:3", "sise=\"1\"", "\"size\""],
    );
    expect(
        &body("<geom size=\"1\" class=\"x\"/>"),
        &["no default class is called \"x\""],
    );
    expect(
        &body("<geom size=\"1\" material=\"x\"/>"),
        &["no material is called \"x\""],
    );
    expect(
        &body("<geom size=\"1\" type=\"sfere\"/>"),
        &["none of: sphere, capsule"],
    );
    let scene = body("<joint name=\"latch\"/><geom size=\".1\"/>");
    expect(
        &format!("{scene}\n<actuator><motor joint=\"lacth\"/></actuator>"),
        &[
            "scene.xml:5: <motor>",
            "\"lacth\"",
            "did you mean \"latch\"?",
        ],
    );
    expect(
        &format!("{scene}\n<contact><exclude body1=\"b\" body2=\"wrold\"/></contact>"),
        &["<exclude>", "did you mean \"world\"?"],
    );
    let options = PhysicsOptions {
        split_at: vec!["bb".into()],
        ..PhysicsOptions::default()
    };
    let xml = format!("<mujoco>{scene}</mujoco>");
    let error = Model::from_xml(&xml, Path::new("s.xml"), &options)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no body is called \"bb\"; did you mean \"b\"?"),
        "{error}"
    );
}

#[test]
fn broken_files_and_includes_name_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str| {
        let path = folder.path().join(name);
        Model::load(&path, &PhysicsOptions::default())
            .unwrap_err()
            .to_string()
    };
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();

    assert!(
        load("none.xml").contains("none.xml: cannot read the scene"),
        "{}",
        load("none.xml")
    );

    write("broken.xml", "<mujoco>\n<worldbody>\n</mujoco>");
    assert!(load("broken.xml").contains("broken.xml:3: not well-formed XML"));

    write(
        "missing.xml",
        "<mujoco>\n<include file=\"gone.xml\"/></mujoco>",
    );
    let error = load("missing.xml");
    assert!(
        error.contains("missing.xml:2: <include file=\"gone.xml\">: cannot read"),
        "{error}"
    );

    write("a.xml", "<mujoco><include file=\"b.xml\"/></mujoco>");
    write("b.xml", "<x>\n<include file=\"c.xml\"/></x>");
    write("c.xml", "<x>\n\n<include file=\"a.xml\"/></x>");
    let error = load("a.xml");
    assert!(
        error.contains("c.xml:3: <include file=\"a.xml\">: the file includes itself"),
        "{error}"
    );
    let [a, b, c] = ["a.xml ->", "b.xml ->", "c.xml)"].map(|name| error.find(name).unwrap());
    assert!(a < b && b < c, "the chain in order: {error}");

    write("root.xml", "<robot/>");
    assert!(load("root.xml").contains("outermost element is <mujoco>"));
}

#[test]
fn numbers_must_be_numbers_in_range() {
    expect(
        &body("<geom size=\"nan\"/>"),
        &["scene.xml:3: <geom>", "nan, not a finite number"],
    );
    expect(
        &body("<geom size=\"1\" pos=\"0 inf 0\"/>"),
        &["inf, not a finite number"],
    );
    expect(
        &body("<geom size=\"1\" pos=\"0 0\"/>"),
        &["pos needs 3 numbers, found 2"],
    );
    expect(
        &body("<geom size=\"1\" mass=\"heavy\"/>"),
        &["\"heavy\" is not a number"],
    );
    expect(
        &body("<geom size=\"-1\"/>"),
        &["size needs 1 positive number"],
    );
    expect(
        &body("<geom size=\"1\" contype=\"1.5\"/>"),
        &["contype must be a whole number"],
    );
    expect(
        &body("<geom size=\"1\" condim=\"2\"/>"),
        &["none of 1, 3, 4, 6"],
    );
    expect(
        &body("<geom size=\"1\" quat=\"0 0 0 0\"/>"),
        &["quat has no length"],
    );
    expect(
        &body("<joint range=\"2 1\"/><geom size=\"1\"/>"),
        &["lower end must be below"],
    );
    expect(
        &body("<joint limited=\"true\"/><geom size=\"1\"/>"),
        &["range", "lower end"],
    );
    expect(
        &body("<joint axis=\"0 0 0\"/><geom size=\"1\"/>"),
        &["axis has no length"],
    );
    expect(
        &body("<joint damping=\"-1\"/><geom size=\"1\"/>"),
        &["damping=\"-1\" is negative"],
    );
    expect(
        "<option timestep=\"0\"/>",
        &["scene.xml:2: <option>", "timestep must be positive"],
    );
    expect("<compiler eulerseq=\"xyq\"/>", &["eulerseq=\"xyq\""]);
}

#[test]
fn moving_bodies_need_mass() {
    let place = ["scene.xml:2: <body name=\"b\">", "no mass"];
    expect(&body("<joint/>"), &place);
    expect(&body("<joint/><geom size=\".1\" mass=\"0\"/>"), &place);
    let zero = "<inertial pos=\"0 0 0\" mass=\"0\" diaginertia=\"1 1 1\"/>";
    expect(&body(&format!("{zero}<joint/><geom size=\".1\"/>")), &place);
    let negative = zero.replace("mass=\"0\"", "mass=\"-1\"");
    expect(
        &body(&format!("{negative}<joint/>")),
        &["the mass -1 is negative"],
    );
    let thin = zero
        .replace("mass=\"0\"", "mass=\"1\"")
        .replace("1 1 1", "1 1 3");
    expect(
        &body(&format!("{thin}<joint/>")),
        &["A + B >= C", "balanceinertia"],
    );
    // A welded child's mass counts, as in MuJoCo.
    assert_eq!(
        message(&body("<joint/><body><geom size=\".1\"/></body>")),
        "it loads"
    );
}

#[test]
fn what_is_not_simulated_is_refused_by_name() {
    let mesh = "<asset><mesh name=\"m\" file=\"m.stl\"/></asset>";
    let scene = body("<geom name=\"palm\" type=\"mesh\" mesh=\"m\"/>");
    // A file that is not there; a name that no mesh has; nothing to collide with; a fit to a mesh.
    expect(
        &format!("{mesh}\n{scene}"),
        &["scene.xml:2: <mesh name=\"m\">", "cannot read", "m.stl"],
    );
    let flat = "<asset><mesh name=\"flat\" vertex=\"0 0 0 1 0 0 1 1 0\" face=\"0 1 2\"/></asset>\n";
    let near = body("<geom type=\"mesh\" mesh=\"flad\"/>");
    expect(&format!("{flat}{near}"), &["\"flad\"", "\"flat\""]);
    let lies = body("<geom type=\"mesh\" mesh=\"flat\"/>");
    expect(&format!("{flat}{lies}"), &["no convex hull", "thin box"]);
    let fitted = body("<geom type=\"box\" mesh=\"flat\"/>");
    expect(&format!("{flat}{fitted}"), &["not fitted", "type=\"mesh\""]);
    let shell = flat.replace("<mesh", "<mesh inertia=\"shell\"");
    expect(&format!("{shell}{lies}"), &["shell", "<inertial>"]);
    let beyond = flat.replace("0 1 2\"", "0 1 3\"");
    expect(&format!("{beyond}{lies}"), &["from 0 to 2"]);
    expect(
        "<equality>\n<weld body1=\"a\"/></equality>",
        &["scene.xml:3: <weld>", "child body"],
    );
    expect(
        "<equality><joint joint1=\"a\"/></equality>",
        &["equality constraints", "tendon"],
    );
    expect(
        "<tendon><spatial/></tendon>",
        &["<spatial>", "<fixed> tendon"],
    );
    expect(
        "<actuator><muscle joint=\"a\"/></actuator>",
        &["<muscle>", "use <motor>"],
    );
    expect("<extension><plugin/></extension>", &["plugins"]);
    expect("<deformable><flex/></deformable>", &["deformable"]);
    expect(&body("<composite/>"), &["<composite>", "not supported"]);
    expect(
        &body("<joint type=\"ball\"/><geom size=\"1\"/>"),
        &["ball joints", "three hinges"],
    );
    expect(
        &body("<geom size=\"1\" gap=\"0.1\"/>"),
        &["gap=\"0.1\" is not supported"],
    );
    expect(
        "<option density=\"1.2\"/>",
        &["density=\"1.2\"", "air is not simulated"],
    );
    expect(
        "<option><flag contact=\"disable\"/></option>",
        &["contact=\"disable\"", "contype"],
    );
    expect("<worldbody><body mocap=\"true\"/></worldbody>", &["mocap"]);
    expect(
        &body("<body><freejoint/><geom size=\"1\"/></body>"),
        &["free joint must be the only joint of a body in <worldbody>"],
    );
    let scene = body("<joint name=\"j\"/><geom size=\".1\"/>");
    for (attribute, words) in [
        ("dyntype=\"filter\"", "activation"),
        ("gaintype=\"muscle\"", "fixed gain"),
        ("gear=\"1 1\"", "gear"),
    ] {
        let actuator = format!("<actuator><general joint=\"j\" {attribute}/></actuator>");
        expect(&format!("{scene}{actuator}"), &["<general>", words]);
    }
}

#[test]
fn names_are_unique_and_settings_in_range() {
    expect(
        &body("<geom name=\"g\" size=\"1\"/>\n<geom name=\"g\" size=\"1\"/>"),
        &[
            "scene.xml:4: <geom name=\"g\">",
            "another geom has this name",
        ],
    );
    let options = PhysicsOptions {
        prediction_m: f64::NAN,
        ..PhysicsOptions::default()
    };
    let error = Model::from_xml("<mujoco/>", Path::new("s.xml"), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[physics] prediction_m: NaN must be positive and finite"
    );
}
