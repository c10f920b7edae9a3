//! What is selected: its numbers with units, those that can be edited as fields.

use bevy_egui::egui::{DragValue, Grid, RichText, Ui, vec2};
use dextra_sim::{JointKind, Model, Parameter, Place, Transmission};

use super::{Answer, section, theme};
use crate::sandbox::{Command, Selection, Shot, view::SandboxView};

pub(super) fn show(ui: &mut Ui, view: &SandboxView, shot: &Shot, answer: &mut Answer) {
    let model = &shot.model;
    let (title, lines, parameters) = match view.selected {
        Some(Selection::Body(index)) if index < model.bodies.len() => body(shot, index),
        Some(Selection::Joint(index)) if index < model.joints.len() => joint(shot, index),
        Some(Selection::Geom(index)) if index < model.geoms.len() => geom(shot, index),
        Some(Selection::Actuator(index)) if index < model.actuators.len() => actuator(shot, index),
        _ => {
            section(ui, "Selected");
            ui.colored_label(theme::FAINT, "Double-click a body, or choose one above");
            return;
        }
    };
    section(ui, &title);
    if let Some(place) = place(model, view.selected) {
        let file = place.file.file_name().unwrap_or_default().to_string_lossy();
        let text = format!("<{}> in {file}, line {}", place.tag, place.line);
        ui.label(RichText::new(text).small().color(theme::FAINT))
            .on_hover_text(format!("{}:{}", place.file.display(), place.line));
    }
    Grid::new("inspector")
        .num_columns(2)
        .spacing(vec2(10.0, 3.0))
        .show(ui, |ui| {
            for (name, text) in lines {
                ui.colored_label(theme::QUIET, name);
                ui.label(RichText::new(text).small());
                ui.end_row();
            }
            for parameter in parameters {
                field(ui, view, shot, parameter, answer);
            }
        });
}

/// Where what is selected was written.
fn place(model: &Model, selected: Option<Selection>) -> Option<&Place> {
    match selected? {
        Selection::Body(index) => model.body_place(index),
        Selection::Joint(index) => model.joint_place(index),
        Selection::Geom(index) => model.geom_place(index),
        Selection::Actuator(index) => model.actuator_place(index),
    }
}

/// A number that can be edited; bold while it differs from the file.
fn field(ui: &mut Ui, view: &SandboxView, shot: &Shot, parameter: Parameter, answer: &mut Answer) {
    let model = &shot.model;
    let Some(mut value) = model.value(parameter) else {
        return;
    };
    let mut name = RichText::new(model.parameter_name(parameter));
    name = match view.edited.contains(&parameter) {
        true => name.strong().color(theme::CAUTION),
        false => name.color(theme::QUIET),
    };
    ui.label(name);
    let unit = model.parameter_unit(parameter);
    // A tenth of it over a hand's width of mouse.
    let speed = (0.005 * value.abs()).max(1e-4);
    // A gear may be negative; nothing else.
    let least = match parameter {
        Parameter::ActuatorGear(_) => f64::NEG_INFINITY,
        _ => 0.0,
    };
    let suffix = match unit {
        "" => String::new(),
        unit => format!(" {unit}"),
    };
    let field = DragValue::new(&mut value)
        .speed(speed)
        .range(least..=f64::INFINITY)
        .clamp_existing_to_range(false)
        .max_decimals(7)
        .suffix(suffix)
        .update_while_editing(false);
    let mut field = ui.add(field);
    if let Parameter::GeomFriction(..) = parameter {
        field = field.on_hover_text("Of two geoms that touch, the larger friction counts");
    }
    answer.typing |= field.has_focus();
    answer.marks.insert(mark(parameter), field.rect);
    if field.changed() {
        answer.commands.push(Command::Edit(parameter, value));
    }
    if field.drag_stopped() || field.lost_focus() {
        answer.commands.push(Command::FinishEdit);
    }
    ui.end_row();
}

/// The name of a parameter's field, for scripted tests.
fn mark(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::JointDamping(_) => "damping",
        Parameter::JointFrictionloss(_) => "frictionloss",
        Parameter::JointArmature(_) => "armature",
        Parameter::JointStiffness(_) => "stiffness",
        Parameter::GeomFriction(_, 0) => "friction",
        Parameter::GeomFriction(..) => "friction_turning",
        Parameter::BodyMass(_) => "mass",
        Parameter::ActuatorGain(_) => "gain",
        Parameter::ActuatorDamping(_) => "servo_damping",
        Parameter::ActuatorGear(_) => "gear",
    }
}

type Lines = (String, Vec<(&'static str, String)>, Vec<Parameter>);

fn vector(v: [f64; 3], unit: &str) -> String {
    format!("{:.4} {:.4} {:.4} {unit}", v[0], v[1], v[2])
}

fn body(shot: &Shot, index: usize) -> Lines {
    let (body, pose) = (&shot.model.bodies[index], &shot.body_poses[index]);
    let [w, x, y, z] = pose.quat;
    let mut lines = vec![
        ("position", vector(pose.pos, "m")),
        ("quaternion", format!("{w:.3} {x:.3} {y:.3} {z:.3}")),
        (
            "inertia",
            body.inertia.map(|i| format!("{i:.2e}")).join(" ") + " kg m²",
        ),
    ];
    let geoms = shot.model.geoms.iter().enumerate();
    let geoms: Vec<_> = geoms.filter(|(_, geom)| geom.body == index).collect();
    lines.push(("geoms", geoms.len().to_string()));
    let mut parameters = Vec::new();
    if body.mass > 0.0 {
        parameters.push(Parameter::BodyMass(index));
    }
    // What a person looks for first, without a search for the geom.
    if let [(geom, _)] = geoms[..] {
        parameters.push(Parameter::GeomFriction(geom, 0));
    }
    (format!("Body {}", body.name), lines, parameters)
}

fn joint(shot: &Shot, index: usize) -> Lines {
    let joint = &shot.model.joints[index];
    let (kind, position, speed) = match joint.kind {
        JointKind::Hinge => ("hinge", "rad", "rad/s"),
        JointKind::Slide => ("slide", "m", "m/s"),
        JointKind::Free => ("free", "", ""),
    };
    let mut lines = vec![("type", kind.to_owned())];
    if joint.kind.dofs() == 1 {
        lines.push((
            "position",
            format!("{:.4} {position}", shot.qpos[joint.qpos_adr]),
        ));
        lines.push((
            "velocity",
            format!("{:.4} {speed}", shot.qvel[joint.dof_adr]),
        ));
        lines.push((
            "range",
            joint.range.map_or("none".into(), |[low, high]| {
                format!("{low:.3} to {high:.3} {position}")
            }),
        ));
    }
    let parameters = shot.model.joint_parameters(index);
    (format!("Joint {}", joint.name), lines, parameters)
}

fn geom(shot: &Shot, index: usize) -> Lines {
    let geom = &shot.model.geoms[index];
    let force: f64 = shot
        .contacts
        .iter()
        .filter(|contact| contact.geom1 == index || contact.geom2 == index)
        .map(|contact| contact.normal_force_n)
        .sum();
    let mut lines = vec![
        ("shape", shape(&geom.shape)),
        (
            "collides",
            format!("type {} with {}", geom.contype, geom.conaffinity),
        ),
        ("dimension", geom.condim.to_string()),
        ("pressed by", format!("{force:.3} N")),
    ];
    let pairs = shot
        .model
        .pairs
        .iter()
        .filter(|pair| pair.geoms.contains(&index));
    let pairs = pairs.count();
    if pairs > 0 {
        lines.push(("pairs", format!("{pairs}, with friction of their own")));
    }
    let parameters = (0..3).map(|k| Parameter::GeomFriction(index, k)).collect();
    let unnamed = index.to_string();
    let name = geom.name.as_deref().unwrap_or(&unnamed);
    (format!("Geom {name}"), lines, parameters)
}

fn shape(shape: &dextra_sim::Shape) -> String {
    use dextra_sim::Shape;
    match *shape {
        Shape::Sphere { radius } => format!("sphere, {radius} m"),
        Shape::Capsule {
            radius,
            half_length,
        } => format!("capsule, {radius} by {half_length:.4} m"),
        Shape::Cylinder {
            radius,
            half_length,
        } => {
            format!("cylinder, {radius} by {half_length:.4} m")
        }
        Shape::Box {
            half_extents: [x, y, z],
        } => format!("box, {x} {y} {z} m"),
        Shape::Ellipsoid {
            half_extents: [x, y, z],
        } => format!("ellipsoid, {x} {y} {z} m"),
        Shape::Plane { .. } => "plane".into(),
        Shape::Mesh(ref mesh) => {
            let corners = mesh.hull.as_ref().map_or(0, |hull| hull.vertices.len());
            format!(
                "mesh, {} triangles; hull of {corners} corners",
                mesh.faces.len()
            )
        }
    }
}

fn actuator(shot: &Shot, index: usize) -> Lines {
    let actuator = &shot.model.actuators[index];
    let pulls = match actuator.transmission {
        Transmission::Joint(joint) => format!("joint {}", shot.model.joints[joint].name),
        Transmission::Tendon(tendon) => format!("tendon {}", shot.model.tendons[tendon].name),
    };
    let range = |range: Option<[f64; 2]>| {
        range.map_or("none".into(), |[low, high]| {
            format!("{low:.3} to {high:.3}")
        })
    };
    let lines = vec![
        ("pulls at", pulls),
        (
            "control",
            format!("{:.4}", shot.ctrl.get(index).copied().unwrap_or(0.0)),
        ),
        ("ctrlrange", range(actuator.ctrl_range)),
        ("forcerange", range(actuator.force_range)),
    ];
    let parameters = shot.model.actuator_parameters(index);
    (format!("Actuator {}", actuator.name), lines, parameters)
}
