//! Fixed tendons and actuators.

use super::{
    Names,
    defaults::{ACTUATORS, Classes, merge},
    limits, solver,
};
use crate::{
    error::SceneError,
    model::{Actuator, Joint, JointKind, Tendon, Transmission},
    place::Place,
    source::Element,
};

/// The `<fixed>` tendons of a scene.
pub(crate) fn tendons(
    root: &Element,
    classes: &Classes,
    autolimits: bool,
    joints: &[Joint],
) -> Result<Vec<Tendon>, SceneError> {
    let mut names = Names::new("tendon");
    let mut tendons = Vec::new();
    for raw in root.all(&["tendon"]).flat_map(|section| &section.children) {
        let element = classes.resolve(raw, &["tendon"], None)?;
        let mut terms = Vec::new();
        for term in &element.children {
            let joint = scalar_joint(term, joints)?;
            if term.get("coef").is_none() {
                return Err(term.error("the attribute coef is missing"));
            }
            terms.push((joint, term.number("coef", 0.0)?));
        }
        if terms.is_empty() {
            return Err(element.error("a fixed tendon needs at least one <joint>"));
        }
        // Without a rest length the spring rests where the joints' springs do.
        let rest: f64 = terms
            .iter()
            .map(|(joint, coef)| coef * joints[*joint].springref)
            .sum();
        let springlength = match element.numbers("springlength")?.unwrap_or_default()[..] {
            [] | [-1.0] | [-1.0, -1.0] => [rest; 2],
            [length] => [length; 2],
            [low, high, ..] if low <= high => [low, high],
            _ => return Err(element.error("springlength must not fall")),
        };
        tendons.push(Tendon {
            name: names.register(&element)?,
            terms,
            range: limits(&element, "range", "limited", autolimits)?,
            margin: element.positive("margin", 0.0)?,
            limit: solver(&element, "solreflimit", "solimplimit")?,
            stiffness: element.positive("stiffness", 0.0)?,
            damping: element.positive("damping", 0.0)?,
            springlength,
        });
    }
    Ok(tendons)
}

/// The actuators of a scene, in its order, and where they stand.
pub(crate) fn actuators(
    root: &Element,
    classes: &Classes,
    autolimits: bool,
    joints: &[Joint],
    tendons: &[Tendon],
) -> Result<(Vec<Actuator>, Vec<Place>), SceneError> {
    let mut names = Names::new("actuator");
    let (mut actuators, mut places) = (Vec::new(), Vec::new());
    for raw in root
        .all(&["actuator"])
        .flat_map(|section| &section.children)
    {
        let layers = classes.layers(raw, &ACTUATORS, None)?;
        let element = merge(&layers, raw);
        let law = law(&layers)?;
        places.push(Place::new(raw));
        let transmission = transmission(raw, joints, tendons)?;
        let gear = element.numbers("gear")?.unwrap_or_else(|| vec![1.0]);
        if gear.iter().skip(1).any(|g| *g != 0.0) {
            return Err(
                element.error("only the first number of gear applies to joints and tendons")
            );
        }
        let mut ctrl_range = limits(&element, "ctrlrange", "ctrllimited", autolimits)?;
        let inherit = element.positive("inheritrange", 0.0)?;
        if element.tag == "position" && inherit > 0.0 {
            let range = match transmission {
                Transmission::Joint(joint) => joints[joint].range,
                Transmission::Tendon(tendon) => tendons[tendon].range,
            };
            let [low, high] = range.ok_or_else(|| {
                element.error("inheritrange needs a joint or tendon with a range")
            })?;
            let (middle, radius) = ((low + high) / 2.0, (high - low) / 2.0 * inherit);
            ctrl_range = Some([middle - radius, middle + radius]);
        }
        actuators.push(Actuator {
            name: names.register(&element)?,
            transmission,
            gear: gear.first().copied().unwrap_or(1.0),
            gain: law.gain,
            bias: if law.affine { law.bias } else { [0.0; 3] },
            ctrl_range,
            force_range: limits(&element, "forcerange", "forcelimited", autolimits)?,
        });
    }
    Ok((actuators, places))
}

/// Gain and bias while the layers of defaults are applied.
struct Law {
    gain: f64,
    bias: [f64; 3],
    affine: bool,
}

/// Applies the layers in order: each actuator tag rewrites gain and bias in its own way, starting
/// from what the layers before left (MuJoCo keeps one default for all actuators).
fn law(layers: &[&Element]) -> Result<Law, SceneError> {
    let mut law = Law {
        gain: 1.0,
        bias: [0.0; 3],
        affine: false,
    };
    for layer in layers {
        match layer.tag.as_str() {
            "motor" => {
                law = Law {
                    gain: 1.0,
                    bias: [0.0; 3],
                    affine: false,
                }
            }
            "position" => {
                let kp = layer.positive("kp", law.gain)?;
                let kv = layer.positive("kv", -law.bias[2])?;
                law = Law {
                    gain: kp,
                    bias: [0.0, -kp, -kv],
                    affine: true,
                };
            }
            "velocity" => {
                let kv = layer.positive("kv", law.gain)?;
                law = Law {
                    gain: kv,
                    bias: [0.0, 0.0, -kv],
                    affine: true,
                };
            }
            _ => {
                [law.gain] = layer.vector("gainprm", [law.gain])?;
                law.bias = layer.vector("biasprm", law.bias)?;
                if layer.get("biastype").is_some() {
                    law.affine = layer.choice("biastype", &["none", "affine"])? == "affine";
                }
            }
        }
    }
    Ok(law)
}

fn transmission(
    element: &Element,
    joints: &[Joint],
    tendons: &[Tendon],
) -> Result<Transmission, SceneError> {
    match (element.get("joint"), element.get("tendon")) {
        (Some(_), None) => scalar_joint(element, joints).map(Transmission::Joint),
        (None, Some(name)) => {
            let names = tendons.iter().map(|t| t.name.as_str());
            super::lookup(element, "tendon", name, names).map(Transmission::Tendon)
        }
        _ => Err(element.error("an actuator needs either joint or tendon")),
    }
}

/// The hinge or slide that an element's attribute `joint` names.
fn scalar_joint(element: &Element, joints: &[Joint]) -> Result<usize, SceneError> {
    let name = element
        .get("joint")
        .ok_or_else(|| element.error("the attribute joint is missing"))?;
    let index = super::lookup(
        element,
        "joint",
        name,
        joints.iter().map(|j| j.name.as_str()),
    )?;
    if joints[index].kind == JointKind::Free {
        return Err(element.error(format!(
            "joint \"{name}\" is free; only hinges and slides can be driven"
        )));
    }
    Ok(index)
}
