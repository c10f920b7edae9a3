//! What can go wrong with a scene or a simulation, in words that name the place and the remedy.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A scene that cannot be loaded, or a name that it does not hold.
#[derive(Debug, Error)]
pub enum SceneError {
    /// A file could not be read.
    #[error("{}: cannot read the scene: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An `<include>` that leads nowhere or back to itself.
    #[error("{}:{line}: <include file=\"{target}\">: {problem} (included from {})", file.display(), arrows(chain))]
    Include {
        /// The file that holds the `<include>`.
        file: PathBuf,
        /// Its line.
        line: u32,
        /// The file asked for.
        target: String,
        /// What is wrong.
        problem: String,
        /// The files that led here, the scene first.
        chain: Vec<PathBuf>,
    },
    /// A file is not well-formed XML.
    #[error("{}:{line}: not well-formed XML: {problem}", path.display())]
    Xml {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u32,
        /// What is wrong.
        problem: String,
    },
    /// An element or attribute that is wrong, or that Dextra does not simulate.
    #[error("{}:{line}: {element}: {problem}", file.display())]
    Element {
        /// The file.
        file: PathBuf,
        /// The line of the element.
        line: u32,
        /// The element, with its name if it has one.
        element: String,
        /// What is wrong and what to do about it.
        problem: String,
    },
    /// The scene as a whole is wrong.
    #[error("{}: {problem}", file.display())]
    Scene {
        /// The scene's file.
        file: PathBuf,
        /// What is wrong and what to do about it.
        problem: String,
    },
    /// A setting of [`crate::PhysicsOptions`] is out of range.
    #[error("[physics] {key}: {problem}")]
    Options {
        /// The key.
        key: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The scene holds nothing of that name.
    #[error("no {kind} is called \"{name}\"{}", suggestion(nearest.as_deref()))]
    UnknownName {
        /// What was looked for.
        kind: &'static str,
        /// The name.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
}

impl SceneError {
    /// A name that does not exist, with the nearest that does.
    pub(crate) fn unknown_name<'a>(
        kind: &'static str,
        name: &str,
        candidates: impl Iterator<Item = &'a str>,
    ) -> Self {
        let nearest = nearest(name, candidates).map(str::to_owned);
        Self::UnknownName {
            kind,
            name: name.to_owned(),
            nearest,
        }
    }

    /// A fault of the whole scene.
    pub(crate) fn scene(file: &Path, problem: impl Into<String>) -> Self {
        Self::Scene {
            file: file.to_owned(),
            problem: problem.into(),
        }
    }
}

/// A state or command that the simulation cannot take.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SimError {
    /// A slice of the wrong length.
    #[error("{what} has {found} numbers, this model needs {expected}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// What the model needs.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A number that is not finite.
    #[error("{what}[{index}] is not a finite number")]
    NotFinite {
        /// Which slice.
        what: &'static str,
        /// Where.
        index: usize,
    },
    /// A body index that does not exist.
    #[error("there is no body {index}: this model has {bodies}")]
    NoSuchBody {
        /// The index.
        index: usize,
        /// How many bodies there are.
        bodies: usize,
    },
    /// A body that its joints place.
    #[error("body \"{body}\" is placed by its joints: set qpos instead")]
    MovingBody {
        /// The body.
        body: String,
    },
    /// A snapshot of another model.
    #[error(
        "this snapshot belongs to another scene or other physics settings \
         (its hash is {found}, this model's {expected}): load the scene it was taken in"
    )]
    OtherModel {
        /// This model's hash.
        expected: String,
        /// The snapshot's.
        found: String,
    },
}

/// The candidate that is spelled most like `name`, if any is close.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .filter(|c| !c.is_empty())
        .map(|c| {
            (
                strsim::jaro_winkler(&name.to_lowercase(), &c.to_lowercase()),
                c,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.7)
        // The first of equals, so that the message does not depend on the iterator's end.
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(b) if b.0 >= next.0 => Some(b),
            _ => Some(next),
        })
        .map(|(_, c)| c)
}

/// `; did you mean "x"?`, or nothing.
pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest
        .map(|n| format!("; did you mean \"{n}\"?"))
        .unwrap_or_default()
}

fn arrows(chain: &[PathBuf]) -> String {
    chain
        .iter()
        .map(|p| p.display().to_string())
        .collect::<Vec<_>>()
        .join(" -> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_suggest_the_nearest() {
        let names = ["rh_FFJ3", "rh_FFJ2", "latch"];
        let error = SceneError::unknown_name("joint", "lach", names.into_iter());
        assert_eq!(
            error.to_string(),
            "no joint is called \"lach\"; did you mean \"latch\"?"
        );
        let error = SceneError::unknown_name("joint", "qqq", names.into_iter());
        assert_eq!(error.to_string(), "no joint is called \"qqq\"");
    }
}
