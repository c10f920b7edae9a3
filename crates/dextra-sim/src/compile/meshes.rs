//! Mesh assets: what `<mesh>` names, loaded when a geom wants it.

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::defaults::Classes;
use crate::{
    error::{SceneError, nearest, suggestion},
    mesh::{Filling, Mesh, Surface, read},
    pose::{Pose, normalized},
    source::Element,
};

/// The meshes of a scene by name.
pub(crate) struct Meshes(BTreeMap<String, Asset>);

/// A mesh of the file, with its defaults.
struct Asset {
    element: Element,
    folder: PathBuf,
    loaded: OnceCell<(Arc<Mesh>, Pose)>,
}

impl Meshes {
    /// Collects the `<mesh>` elements; nothing is read yet.
    pub fn new(root: &Element, classes: &Classes, origin: &Path) -> Result<Self, SceneError> {
        let mut folder = origin.parent().unwrap_or(Path::new("")).to_owned();
        let mut strips = false;
        for compiler in root.all(&["compiler"]) {
            let named = compiler.get("meshdir").or(compiler.get("assetdir"));
            if let Some(named) = named {
                folder = origin.parent().unwrap_or(Path::new("")).join(named);
            }
            strips |= compiler.get("strippath") == Some("true");
        }
        let mut assets = BTreeMap::new();
        let sections = root.all(&["asset"]);
        for raw in sections.flat_map(|section| section.all(&["mesh"])) {
            let mut element = classes.resolve(raw, &["mesh"], None)?;
            if let Some(file) = element.get("file").filter(|_| strips) {
                let bare = file.rsplit(['/', '\\']).next().unwrap_or(file).to_owned();
                element.set("file", bare);
            }
            let stem = |file: &str| {
                let stem = Path::new(file).file_stem()?;
                Some(stem.to_string_lossy().into_owned())
            };
            let given = element.get("name").map(str::to_owned);
            let Some(name) = given.or_else(|| stem(element.get("file")?)) else {
                return Err(element.error("a mesh needs a name or a file"));
            };
            let asset = Asset {
                element,
                folder: folder.clone(),
                loaded: OnceCell::new(),
            };
            if let Some(before) = assets.insert(name.clone(), asset) {
                let message = format!("another mesh is called \"{name}\"");
                return Err(before.element.error(message));
            }
        }
        Ok(Self(assets))
    }

    /// The mesh that a geom names, and its frame in the frame of the file.
    pub fn of(&self, geom: &Element) -> Result<(Arc<Mesh>, Pose), SceneError> {
        let Some(name) = geom.get("mesh") else {
            return Err(geom.error("type=\"mesh\" needs the attribute mesh"));
        };
        let Some(asset) = self.0.get(name) else {
            let near = nearest(name, self.0.keys().map(String::as_str));
            let message = format!("no mesh is called \"{name}\"{}", suggestion(near));
            return Err(geom.error(message));
        };
        if let Some(loaded) = asset.loaded.get() {
            return Ok(loaded.clone());
        }
        let (mesh, frame) = asset.load()?;
        Ok(asset.loaded.get_or_init(|| (Arc::new(mesh), frame)).clone())
    }
}

impl Asset {
    fn load(&self) -> Result<(Mesh, Pose), SceneError> {
        let element = &self.element;
        let filling = match element.choice("inertia", &["legacy", "exact", "convex", "shell"])? {
            "exact" => Filling::Exact,
            "convex" => Filling::Convex,
            "shell" => {
                return Err(element.error(
                    "inertia=\"shell\" is not supported: give the bodies an <inertial> and remove it",
                ));
            }
            _ => Filling::Legacy,
        };
        let mut surface = match element.get("file") {
            Some(file) => self.file(file)?,
            None => self.written_out()?,
        };
        let scale = element.vector("scale", [1.0; 3])?;
        let position = element.vector("refpos", [0.0; 3])?;
        let turn = element.vector("refquat", [1.0, 0.0, 0.0, 0.0])?;
        let back = Pose {
            pos: position,
            quat: normalized(turn),
        }
        .inverse();
        for vertex in &mut surface.vertices {
            let [x, y, z] = back.transform_point(*vertex);
            *vertex = [x * scale[0], y * scale[1], z * scale[2]];
        }
        // A mirror turns the triangles inside out.
        if scale.iter().product::<f64>() < 0.0 {
            surface.faces.iter_mut().for_each(|face| face.swap(1, 2));
        }
        let (mesh, frame) = Mesh::new(surface, filling);
        if mesh.volume == 0.0 && filling == Filling::Exact && mesh.hull.is_some() {
            return Err(element.error(
                "its triangles face inwards or enclose nothing; turn them, or leave inertia out",
            ));
        }
        Ok((mesh, frame))
    }

    fn file(&self, file: &str) -> Result<Surface, SceneError> {
        let path = self.folder.join(file);
        let refuse = |reason: String| {
            let path = path.display();
            self.element.error(format!("cannot read {path}: {reason}"))
        };
        let bytes = fs::read(&path).map_err(|error| refuse(error.to_string()))?;
        read(file, &bytes).map_err(refuse)
    }

    /// Vertices and triangles in the scene itself; without triangles, the hull of the vertices.
    fn written_out(&self) -> Result<Surface, SceneError> {
        let element = &self.element;
        let numbers = element.numbers("vertex")?.unwrap_or_default();
        if numbers.is_empty() || numbers.len() % 3 != 0 {
            return Err(element.error("a mesh needs a file, or vertex=\"x y z x y z ...\""));
        }
        let vertices: Vec<[f64; 3]> = numbers
            .chunks_exact(3)
            .map(|p| [p[0], p[1], p[2]])
            .collect();
        let Some(indices) = element.numbers("face")? else {
            return Surface::hull_of(&vertices)
                .ok_or_else(|| element.error("the vertices lie in a plane; give face too"));
        };
        let count = vertices.len() as f64;
        let known = |i: &f64| i.fract() == 0.0 && (0.0..count).contains(i);
        if indices.len() % 3 != 0 || !indices.iter().all(known) {
            return Err(element.error(format!(
                "face needs three vertices for each triangle, each from 0 to {}",
                vertices.len() - 1
            )));
        }
        let faces = indices
            .chunks_exact(3)
            .map(|face| [face[0] as u32, face[1] as u32, face[2] as u32])
            .collect();
        Ok(Surface { vertices, faces })
    }
}
