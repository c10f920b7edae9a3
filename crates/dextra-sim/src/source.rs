//! Reading a scene: XML files, their includes expanded, every element with its place.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use roxmltree::{Document, Node};

use crate::error::SceneError;

/// An XML element that remembers where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub tag: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub file: Arc<Path>,
    pub line: u32,
    /// Byte of the file at which the element's start tag begins.
    pub start: usize,
}

impl Element {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets an attribute, keeping the order of those there are.
    pub fn set(&mut self, name: &str, value: String) {
        match self.attributes.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((name.to_owned(), value)),
        }
    }

    /// Children with one of these tags.
    pub fn all<'a>(&'a self, tags: &'a [&str]) -> impl Iterator<Item = &'a Element> {
        self.children
            .iter()
            .filter(|child| tags.contains(&child.tag.as_str()))
    }

    /// An error at this element.
    pub fn error(&self, problem: impl Into<String>) -> SceneError {
        SceneError::Element {
            file: self.file.to_path_buf(),
            line: self.line,
            element: self.label(),
            problem: problem.into(),
        }
    }

    /// `file:line: <tag>: note`, for what is accepted without effect.
    pub fn warning(&self, note: &str) -> String {
        format!(
            "{}:{}: {}: {note}",
            self.file.display(),
            self.line,
            self.label()
        )
    }

    fn label(&self) -> String {
        match self.get("name") {
            Some(name) => format!("<{} name=\"{name}\">", self.tag),
            None => format!("<{}>", self.tag),
        }
    }

    /// The finite numbers of an attribute.
    pub fn numbers(&self, name: &str) -> Result<Option<Vec<f64>>, SceneError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let parse = |word: &str| match word.parse::<f64>() {
            Ok(x) if x.is_finite() => Ok(x),
            Ok(_) => Err(self.error(format!(
                "{name}=\"{text}\" holds {word}, not a finite number"
            ))),
            Err(_) => Err(self.error(format!("{name}=\"{text}\": \"{word}\" is not a number"))),
        };
        text.split_ascii_whitespace()
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// One number, or the default.
    pub fn number(&self, name: &str, default: f64) -> Result<f64, SceneError> {
        Ok(self
            .numbers(name)?
            .and_then(|v| v.first().copied())
            .unwrap_or(default))
    }

    /// A number that must not be negative, or the default.
    pub fn positive(&self, name: &str, default: f64) -> Result<f64, SceneError> {
        let value = self.number(name, default)?;
        if value < 0.0 {
            return Err(self.error(format!("{name}=\"{value}\" is negative; give zero or more")));
        }
        Ok(value)
    }

    /// A vector; numbers that are not given keep the default, as in MuJoCo.
    pub fn vector<const N: usize>(
        &self,
        name: &str,
        mut default: [f64; N],
    ) -> Result<[f64; N], SceneError> {
        let given = self.numbers(name)?.unwrap_or_default();
        for (slot, value) in default.iter_mut().zip(given) {
            *slot = value;
        }
        Ok(default)
    }

    /// A word that must be one of a few, or the first of them.
    pub fn choice<'a>(&self, name: &str, choices: &[&'a str]) -> Result<&'a str, SceneError> {
        let first = choices.first().copied().unwrap_or_default();
        let Some(word) = self.get(name) else {
            return Ok(first);
        };
        choices
            .iter()
            .find(|choice| **choice == word)
            .copied()
            .ok_or_else(|| {
                self.error(format!(
                    "{name}=\"{word}\" is none of: {}",
                    choices.join(", ")
                ))
            })
    }
}

/// Reads a scene file with everything it includes.
pub(crate) fn read(path: &Path) -> Result<Element, SceneError> {
    let text = fs::read_to_string(path).map_err(|source| SceneError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, path)
}

/// As [`read`], with some of the files as they will be.
pub(crate) fn read_as(
    path: &Path,
    texts: &BTreeMap<PathBuf, String>,
) -> Result<Element, SceneError> {
    let mut reader = Reader::new(path);
    reader.texts = texts.clone();
    let text = reader.text(path).map_err(|source| SceneError::Read {
        path: path.to_owned(),
        source,
    })?;
    reader.document(&text, path)
}

/// The files that a scene consists of, itself first: also where it is broken or one is missing.
///
/// Whoever waits for a scene to change watches these.
pub fn scene_files(path: &Path) -> Vec<PathBuf> {
    let mut reader = Reader::new(path);
    if let Ok(text) = fs::read_to_string(path) {
        // What is wrong with the scene is for whoever loads it.
        let _ = reader.document(&text, path);
    }
    reader.files
}

/// Parses a scene; `origin` names it in messages, and includes are found beside it.
pub(crate) fn parse(text: &str, origin: &Path) -> Result<Element, SceneError> {
    let mut reader = Reader::new(origin);
    let root = reader.document(text, origin)?;
    if root.tag != "mujoco" {
        return Err(root.error("a scene's outermost element is <mujoco>"));
    }
    Ok(root)
}

struct Reader {
    directory: PathBuf,
    /// The files being read, the scene first.
    chain: Vec<PathBuf>,
    /// Every file read so far, in its canonical form.
    seen: Vec<PathBuf>,
    /// Every file asked for, as it was asked for.
    files: Vec<PathBuf>,
    /// What some files are to be taken to say.
    texts: BTreeMap<PathBuf, String>,
}

impl Reader {
    fn text(&self, path: &Path) -> std::io::Result<String> {
        match self.texts.get(path) {
            Some(text) => Ok(text.clone()),
            None => fs::read_to_string(path),
        }
    }

    fn new(origin: &Path) -> Self {
        Self {
            // MuJoCo finds includes relative to the main file, wherever they are written.
            directory: origin.parent().unwrap_or(Path::new("")).to_owned(),
            chain: vec![origin.to_owned()],
            seen: vec![canonical(origin)],
            files: vec![origin.to_owned()],
            texts: BTreeMap::new(),
        }
    }

    fn document(&mut self, text: &str, path: &Path) -> Result<Element, SceneError> {
        let document = Document::parse(text).map_err(|error| SceneError::Xml {
            path: path.to_owned(),
            line: error.pos().row,
            problem: error.to_string(),
        })?;
        self.element(document.root_element(), &Arc::from(path))
    }

    fn element(&mut self, node: Node, file: &Arc<Path>) -> Result<Element, SceneError> {
        let mut element = Element {
            tag: node.tag_name().name().to_owned(),
            attributes: node
                .attributes()
                .map(|a| (a.name().into(), a.value().into()))
                .collect(),
            children: Vec::new(),
            file: file.clone(),
            line: node.document().text_pos_at(node.range().start).row,
            start: node.range().start,
        };
        for child in node.children().filter(Node::is_element) {
            let child = self.element(child, file)?;
            if child.tag == "include" {
                element.children.extend(self.include(&child)?);
            } else {
                element.children.push(child);
            }
        }
        Ok(element)
    }

    /// The children of the included file's outermost element, whatever that is called.
    fn include(&mut self, include: &Element) -> Result<Vec<Element>, SceneError> {
        let Some(target) = include.get("file") else {
            return Err(include.error("the attribute file is missing"));
        };
        let path = self.directory.join(target);
        let refuse = |problem: String| SceneError::Include {
            file: include.file.to_path_buf(),
            line: include.line,
            target: target.to_owned(),
            problem,
            chain: self.chain.clone(),
        };
        let id = canonical(&path);
        if self.chain.iter().any(|open| canonical(open) == id) {
            return Err(refuse(
                "the file includes itself; remove one of the includes".into(),
            ));
        }
        if self.seen.contains(&id) {
            return Err(refuse(
                "the file is included twice; MJCF allows it once".into(),
            ));
        }
        self.files.push(path.clone());
        let text = self
            .text(&path)
            .map_err(|error| refuse(format!("cannot read {}: {error}", path.display())))?;
        self.seen.push(id);
        self.chain.push(path.clone());
        let root = self.document(&text, &path)?;
        self.chain.pop();
        Ok(root.children)
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn elements_keep_their_lines() {
        let xml = "<mujoco>\n  <worldbody>\n    <geom name=\"g\" size=\"1 nan\"/>\n  </worldbody>\n</mujoco>";
        let root = parse(xml, Path::new("a.xml")).unwrap();
        let geom = &root.children[0].children[0];
        let message = geom.numbers("size").unwrap_err().to_string();
        assert_eq!(
            message,
            "a.xml:3: <geom name=\"g\">: size=\"1 nan\" holds nan, not a finite number"
        );
    }

    #[test]
    fn short_vectors_keep_the_tail_of_the_default() {
        let root = parse("<mujoco friction=\"0.5\"/>", Path::new("a.xml")).unwrap();
        assert_eq!(
            root.vector("friction", [1.0, 0.005, 0.0001]).unwrap(),
            [0.5, 0.005, 0.0001]
        );
    }
}
