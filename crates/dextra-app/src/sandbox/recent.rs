//! What was opened last, remembered between starts.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use dextra_data::dataset::is_dataset;

const AT_MOST: usize = 10;

/// Where the app remembers things, `XDG_STATE_HOME/dextra`; `None` without a home.
pub(super) fn state_folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let state = set("XDG_STATE_HOME").map(PathBuf::from);
    let home = || set("HOME").map(|home| Path::new(&home).join(".local/state"));
    Some(state.or_else(home)?.join("dextra"))
}

/// Scenes or datasets, the newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    paths: Vec<PathBuf>,
    file: Option<PathBuf>,
}

impl Recent {
    /// The scenes of earlier starts that still exist.
    pub fn scenes() -> Self {
        let file = state_folder().map(|folder| folder.join("recent"));
        Self::load_from(file, Path::is_file)
    }

    /// The datasets of earlier starts that still exist.
    pub fn datasets() -> Self {
        let file = state_folder().map(|folder| folder.join("recent-datasets"));
        Self::load_from(file, is_dataset)
    }

    fn load_from(file: Option<PathBuf>, exists: impl Fn(&Path) -> bool) -> Self {
        let text = file.as_ref().and_then(|file| fs::read_to_string(file).ok());
        let paths = text.unwrap_or_default();
        let paths = paths.lines().map(PathBuf::from).filter(|path| exists(path));
        Self {
            paths: paths.take(AT_MOST).collect(),
            file,
        }
    }

    /// Where they are.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Puts one first.
    pub fn push(&mut self, path: &Path) {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.paths.retain(|known| *known != path);
        self.paths.insert(0, path);
        self.paths.truncate(AT_MOST);
        let Some(file) = &self.file else { return };
        let lines: Vec<_> = self.paths.iter().map(|p| p.display().to_string()).collect();
        // A list that cannot be kept is no reason to bother anyone.
        let _ = file
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(file, lines.join("\n")));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_is_first_and_what_is_gone_is_left_out() {
        let folder = env::temp_dir().join(format!("dextra-recent-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let file = Some(folder.join("state/recent"));
        let scene = |name: &str| {
            fs::write(folder.join(name), "").unwrap();
            folder.join(name)
        };
        let (a, b) = (scene("a.xml"), scene("b.xml"));
        let mut recent = Recent::load_from(file.clone(), Path::is_file);
        for path in [&a, &b, &a] {
            recent.push(path);
        }
        assert_eq!(
            Recent::load_from(file.clone(), Path::is_file).paths(),
            [a.clone(), b.clone()]
        );
        fs::remove_file(&a).unwrap();
        assert_eq!(Recent::load_from(file, Path::is_file).paths(), [b]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
