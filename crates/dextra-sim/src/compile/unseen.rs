//! Geoms that are only drawn and whose mesh cannot be read: they touch nothing and weigh nothing. A scene
//! simulates the same without them, so they are left out, with a warning.

use std::path::Path;

use super::{defaults::Classes, meshes::Meshes};
use crate::{error::SceneError, source::Element};

/// Removes them; returns a warning for each. Bodies that are left with nothing to show, show what they
/// collide with.
pub(super) fn remove(root: &mut Element, origin: &Path) -> Result<Vec<String>, SceneError> {
    if !has_mesh(root) {
        return Ok(Vec::new());
    }
    let classes = Classes::new(root)?;
    let from_geoms = root
        .all(&["compiler"])
        .any(|compiler| compiler.get("inertiafromgeom") == Some("true"));
    let mut scan = Scan {
        meshes: Meshes::new(root, &classes, origin)?,
        classes,
        from_geoms,
        warnings: Vec::new(),
    };
    for section in &mut root.children {
        if section.tag == "worldbody" {
            scan.body(section, None, true)?;
        }
    }
    Ok(scan.warnings)
}

fn has_mesh(element: &Element) -> bool {
    let own = element.get("mesh").is_some() || element.get("type") == Some("mesh");
    own && element.tag == "geom" || element.children.iter().any(has_mesh)
}

struct Scan {
    classes: Classes,
    meshes: Meshes,
    /// Whether geoms give the inertia even where an `<inertial>` does.
    from_geoms: bool,
    warnings: Vec<String>,
}

impl Scan {
    /// `weighed` says that the body's mass does not come from its geoms.
    fn body(
        &mut self,
        body: &mut Element,
        childclass: Option<&str>,
        weighed: bool,
    ) -> Result<(), SceneError> {
        let childclass = body.get("childclass").or(childclass).map(str::to_owned);
        let childclass = childclass.as_deref();
        let mut removed = false;
        let mut kept = Vec::with_capacity(body.children.len());
        for mut child in std::mem::take(&mut body.children) {
            match child.tag.as_str() {
                "body" => {
                    let inertial = child.all(&["inertial"]).next().is_some();
                    self.body(&mut child, childclass, inertial && !self.from_geoms)?;
                }
                "frame" => self.body(&mut child, childclass, weighed)?,
                "geom" => {
                    let geom = self.classes.resolve(&child, &["geom"], childclass)?;
                    let unread = is_unseen(&geom, weighed).then(|| self.meshes.of(&geom).err());
                    if let Some(problem) = unread.flatten() {
                        self.warnings.push(child.warning(&format!(
                            "it touches nothing, so only the picture lacks it: {problem}"
                        )));
                        removed = true;
                        continue;
                    }
                }
                _ => {}
            }
            kept.push(child);
        }
        body.children = kept;
        if removed {
            self.show_the_rest(body, childclass)?;
        }
        Ok(())
    }

    /// Shows the geoms that viewers hide by default, where there are no others.
    fn show_the_rest(
        &self,
        body: &mut Element,
        childclass: Option<&str>,
    ) -> Result<(), SceneError> {
        let mut hidden = Vec::new();
        for (index, child) in body.children.iter().enumerate() {
            if child.tag != "geom" {
                continue;
            }
            let geom = self.classes.resolve(child, &["geom"], childclass)?;
            if super::geoms::group(&geom)? < 3 {
                return Ok(());
            }
            hidden.push(index);
        }
        for index in hidden {
            body.children[index].set("group", "0".to_owned());
        }
        Ok(())
    }
}

/// Whether a geom, defaults included, is a mesh that only a picture needs.
fn is_unseen(geom: &Element, weighed: bool) -> bool {
    let zero = |name: &str| {
        geom.get(name)
            .is_some_and(|value| value.trim().parse() == Ok(0.0))
    };
    let is_mesh = match geom.get("type") {
        Some(kind) => kind == "mesh",
        None => geom.get("mesh").is_some(),
    };
    let weightless = weighed || zero("mass") || geom.get("mass").is_none() && zero("density");
    is_mesh && zero("contype") && zero("conaffinity") && weightless
}
