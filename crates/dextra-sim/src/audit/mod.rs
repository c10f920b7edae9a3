//! The audit of a scene: every element and attribute is honoured, known to be harmless, listed as
//! a warning, or refused. Nothing is dropped in silence.

mod rules;
mod values;

use crate::{
    error::{SceneError, nearest, suggestion},
    source::Element,
};
use rules::{Attributes, Treatment};
use values::values;

/// Checks a scene; returns one line for each setting that is accepted without effect.
pub(crate) fn audit(root: &Element) -> Result<Vec<String>, SceneError> {
    let mut warnings = Vec::new();
    check(root, "mujoco", &mut warnings)?;
    Ok(warnings)
}

fn check(element: &Element, rule: &str, warnings: &mut Vec<String>) -> Result<(), SceneError> {
    let Some(rule) = rules::find(rule) else {
        return Err(element.error("this element has no rule"));
    };
    match &rule.treatment {
        Treatment::Harmless => Ok(()),
        Treatment::Refused(remedy) => {
            Err(element.error(format!("this element is not supported: {remedy}")))
        }
        Treatment::Read(allowed) => {
            attributes(element, allowed, warnings)?;
            values(element)?;
            for child in &element.children {
                check(child, child_rule(element, child, allowed)?, warnings)?;
            }
            Ok(())
        }
    }
}

/// The rule of a child element.
fn child_rule(
    parent: &Element,
    child: &Element,
    allowed: &Attributes,
) -> Result<&'static str, SceneError> {
    let entries = || {
        allowed
            .children
            .split_ascii_whitespace()
            .map(|c| c.split_once('=').unwrap_or((c, c)))
    };
    entries()
        .find(|(tag, _)| *tag == child.tag)
        .map(|(_, rule)| rule)
        .ok_or_else(|| {
            let near = suggestion(nearest(&child.tag, entries().map(|(tag, _)| tag)));
            child.error(format!("unknown element in <{}>{near}", parent.tag))
        })
}

fn attributes(
    element: &Element,
    allowed: &Attributes,
    warnings: &mut Vec<String>,
) -> Result<(), SceneError> {
    let listed = |list: &str, name: &str| list.split_ascii_whitespace().any(|word| word == name);
    for (name, value) in &element.attributes {
        if listed(allowed.honoured, name) || listed(allowed.harmless, name) {
            continue;
        }
        if listed(allowed.noted, name) {
            warnings.push(element.warning(&format!(
                "{name}=\"{value}\" is a setting of MuJoCo's solver and has no effect here"
            )));
            continue;
        }
        if let Some((_, values, remedy)) = allowed.neutral.iter().find(|(n, ..)| n == name) {
            if values.split('|').any(|neutral| same(neutral, value)) {
                continue;
            }
            return Err(element.error(format!("{name}=\"{value}\" is not supported: {remedy}")));
        }
        let neutral = allowed.neutral.iter().map(|(name, ..)| *name);
        let words = [allowed.honoured, allowed.harmless, allowed.noted];
        let known = words
            .iter()
            .flat_map(|list| list.split_ascii_whitespace())
            .chain(neutral);
        let near = suggestion(nearest(name, known));
        return Err(element.error(format!("unknown attribute {name}=\"{value}\"{near}")));
    }
    Ok(())
}

/// Whether two values mean the same: as words, or number by number.
fn same(a: &str, b: &str) -> bool {
    let numbers = |s: &str| {
        s.split_ascii_whitespace()
            .map(str::parse)
            .collect::<Result<Vec<f64>, _>>()
    };
    a == b || matches!((numbers(a), numbers(b)), (Ok(x), Ok(y)) if !x.is_empty() && x == y)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::source::parse;

    #[test]
    fn every_child_named_in_the_table_has_a_rule() {
        for rule in rules::all() {
            let Treatment::Read(allowed) = &rule.treatment else {
                continue;
            };
            for child in allowed.children.split_ascii_whitespace() {
                let id = child.split_once('=').map_or(child, |(_, id)| id);
                assert!(rules::find(id).is_some(), "{} in {}", id, rule.id);
            }
        }
    }

    #[test]
    fn solver_settings_are_listed_and_neutral_values_pass() {
        let xml = "<mujoco>\n<option iterations=\"20\" density=\"0.0\"/></mujoco>";
        let warnings = audit(&parse(xml, Path::new("a.xml")).unwrap()).unwrap();
        assert_eq!(
            warnings,
            [
                "a.xml:2: <option>: iterations=\"20\" is a setting of MuJoCo's solver and has no effect here"
            ]
        );
    }
}
