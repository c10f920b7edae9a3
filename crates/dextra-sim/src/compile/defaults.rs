//! Default classes: `<default>` and `childclass`, as MuJoCo's compiler resolves them.

use std::collections::BTreeMap;

use crate::{
    error::{SceneError, suggestion},
    source::Element,
};

/// The actuators that are simulated; MuJoCo keeps one default for all of them.
pub(crate) const ACTUATORS: [&str; 4] = ["general", "motor", "position", "velocity"];

/// The ways to write an orientation; the last one given counts.
pub(crate) const ORIENTATIONS: [&str; 5] = ["quat", "axisangle", "euler", "xyaxes", "zaxis"];

/// Attributes that list numbers and may give only the first few.
const PARTIAL: [&str; 11] = [
    "friction",
    "size",
    "solref",
    "solimp",
    "solreflimit",
    "solimplimit",
    "gainprm",
    "biasprm",
    "gear",
    "springlength",
    "solreffriction",
];

const MAIN: &str = "main";

/// Every default class with its settings, the outermost class's first.
pub(crate) struct Classes(BTreeMap<String, Vec<Element>>);

impl Classes {
    /// Collects the classes of a scene.
    pub fn new(root: &Element) -> Result<Self, SceneError> {
        let mut classes = Self(BTreeMap::from([(MAIN.to_owned(), Vec::new())]));
        for top in root.all(&["default"]) {
            if let Some(name) = top.get("class").filter(|name| *name != MAIN) {
                return Err(top.error(format!(
                    "the outermost default class is \"{MAIN}\" and cannot be called \"{name}\"; \
                     nest it in a <default>"
                )));
            }
            classes.fill(MAIN, top)?;
        }
        Ok(classes)
    }

    fn fill(&mut self, name: &str, node: &Element) -> Result<(), SceneError> {
        let own = node
            .children
            .iter()
            .filter(|child| child.tag != "default")
            .cloned();
        self.0.entry(name.to_owned()).or_default().extend(own);
        // A nested class starts as a copy of what surrounds it.
        let inherited = self.0.get(name).cloned().unwrap_or_default();
        for child in node.all(&["default"]) {
            let Some(class) = child.get("class") else {
                return Err(child.error("a nested default class needs the attribute class"));
            };
            if self.0.insert(class.to_owned(), inherited.clone()).is_some() {
                return Err(child.error(format!("the class \"{class}\" is defined twice")));
            }
            self.fill(class, child)?;
        }
        Ok(())
    }

    /// The settings that apply to an element, the most general first, itself last.
    ///
    /// `tags` are the tags that share a default; `childclass` is that of the surroundings.
    pub fn layers<'a>(
        &'a self,
        element: &'a Element,
        tags: &[&str],
        childclass: Option<&str>,
    ) -> Result<Vec<&'a Element>, SceneError> {
        let class = element.get("class").or(childclass).unwrap_or(MAIN);
        let Some(settings) = self.0.get(class) else {
            let names = self.0.keys().map(String::as_str);
            let near = suggestion(crate::error::nearest(class, names));
            return Err(element.error(format!("no default class is called \"{class}\"{near}")));
        };
        let mut layers: Vec<_> = settings
            .iter()
            .filter(|e| tags.contains(&e.tag.as_str()))
            .collect();
        layers.push(element);
        Ok(layers)
    }

    /// The element with all its defaults written out.
    pub fn resolve(
        &self,
        element: &Element,
        tags: &[&str],
        childclass: Option<&str>,
    ) -> Result<Element, SceneError> {
        Ok(merge(&self.layers(element, tags, childclass)?, element))
    }
}

/// One element out of its layers: later attributes replace earlier ones.
pub(crate) fn merge(layers: &[&Element], element: &Element) -> Element {
    let mut merged = Element {
        attributes: Vec::new(),
        children: Vec::new(),
        ..element.clone()
    };
    merged.children.clone_from(&element.children);
    for layer in layers {
        if ORIENTATIONS.iter().any(|name| layer.get(name).is_some()) {
            merged
                .attributes
                .retain(|(name, _)| !ORIENTATIONS.contains(&name.as_str()));
        }
        for (name, value) in &layer.attributes {
            if name == "class" {
                continue;
            }
            let value = match merged.get(name) {
                Some(old) if PARTIAL.contains(&name.as_str()) => overlay(old, value),
                _ => value.clone(),
            };
            merged.set(name, value);
        }
    }
    // MuJoCo lets the segment win over an orientation, but not over a position.
    if merged.get("fromto").is_some() {
        merged
            .attributes
            .retain(|(name, _)| !ORIENTATIONS.contains(&name.as_str()));
    }
    merged
}

/// The new numbers, then those of the old ones that they do not reach.
fn overlay(old: &str, new: &str) -> String {
    let given = new.split_ascii_whitespace().count();
    let tail = old.split_ascii_whitespace().skip(given);
    new.split_ascii_whitespace()
        .chain(tail)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::source::parse;

    const XML: &str = r#"<mujoco>
      <default><geom friction="1 2 3" euler="1 0 0" margin="0.1"/>
        <default class="a"><geom friction="5" quat="1 0 0 0"/>
          <default class="b"><geom margin="0.2"/></default></default></default>
      <worldbody><geom/><geom class="b" contype="0"/><geom class="aa"/></worldbody></mujoco>"#;

    #[test]
    fn classes_nest_and_short_lists_overlay() {
        let root = parse(XML, Path::new("a.xml")).unwrap();
        let classes = Classes::new(&root).unwrap();
        let geoms = &root.children[1].children;
        let plain = classes.resolve(&geoms[0], &["geom"], Some("a")).unwrap();
        assert_eq!(plain.get("friction"), Some("5 2 3"));
        assert_eq!(
            (plain.get("euler"), plain.get("quat")),
            (None, Some("1 0 0 0"))
        );
        let nested = classes.resolve(&geoms[1], &["geom"], Some("a")).unwrap();
        assert_eq!(
            (nested.get("margin"), nested.get("contype")),
            (Some("0.2"), Some("0"))
        );
        let error = classes
            .resolve(&geoms[2], &["geom"], None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("a.xml:5") && error.contains("\"aa\""),
            "{error}"
        );
    }
}
