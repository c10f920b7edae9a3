//! `<keyframe>`: the states that a scene names.

use super::Names;
use crate::{error::SceneError, keyframe::Keyframe, model::Model, source::Element};

/// The keyframes of a scene, in its order.
pub(super) fn keyframes(root: &Element, model: &Model) -> Result<Vec<Keyframe>, SceneError> {
    let mut names = Names::new("key");
    root.all(&["keyframe"])
        .flat_map(|section| section.all(&["key"]))
        .map(|key| {
            let list = |attribute: &str, default: Vec<f64>| match key.numbers(attribute)? {
                Some(numbers) if numbers.len() == default.len() => Ok(numbers),
                Some(numbers) => Err(key.error(format!(
                    "{attribute} has {} numbers, this scene needs {}",
                    numbers.len(),
                    default.len()
                ))),
                None => Ok(default),
            };
            Ok(Keyframe {
                name: names.register(key)?,
                time_secs: key.number("time", 0.0)?,
                qpos: list("qpos", model.reference_qpos())?,
                qvel: list("qvel", vec![0.0; model.nv])?,
                ctrl: list("ctrl", vec![0.0; model.nu])?,
            })
        })
        .collect()
}
