//! The datasets that a training can learn from: those of this folder, and those that come with Dextra.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use dextra_data::dataset::{Glance, glance};
use dextra_tasks::scenes_dir;

/// Folder of the datasets of all tasks, below the working folder.
pub(crate) const DATASETS: &str = "datasets";
/// Datasets listed at most, the newest first.
const LISTED: usize = 40;

/// A dataset with something to learn from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DatasetEntry {
    /// Its folder.
    pub path: PathBuf,
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub holds: Glance,
}

/// The datasets of this folder, the newest first, and then those that come with Dextra. `also` is looked at
/// too, wherever it lies.
pub(crate) fn find(also: &[PathBuf]) -> Vec<DatasetEntry> {
    let shipped = scenes_dir()
        .ok()
        .map(|scenes| scenes.join("../assets/demonstrations"));
    let mut found = find_in(&[PathBuf::from(DATASETS)], also);
    found.extend(find_in(shipped.as_slice(), &[]));
    found
}

fn find_in(folders: &[PathBuf], also: &[PathBuf]) -> Vec<DatasetEntry> {
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let inside = entries
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<(SystemTime, PathBuf)> = also
        .iter()
        .cloned()
        .chain(inside)
        .filter_map(|path| {
            let list = fs::metadata(path.join("meta/episodes.jsonl")).ok()?;
            Some((list.modified().ok()?, path))
        })
        .collect();
    paths.sort_by(|a, b| b.cmp(a));
    paths.dedup_by(|a, b| a.1 == b.1);
    paths
        .into_iter()
        .filter_map(|(_, path)| entry(&path).ok())
        .filter(|entry| entry.holds.successes > 0)
        .take(LISTED)
        .collect()
}

/// The dataset in a folder.
pub(crate) fn entry(path: &Path) -> Result<DatasetEntry, String> {
    let holds = glance(path).map_err(|error| error.to_string())?;
    // Folders that only say `demonstrations` are told apart by where they lie.
    let shipped = path.components().any(|part| part.as_os_str() == "..");
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    Ok(DatasetEntry {
        name: match shipped {
            true => format!("{name}, comes with Dextra"),
            false => name.into_owned(),
        },
        path: path.to_owned(),
        holds,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_demonstrations_that_come_with_dextra_are_listed_and_what_is_none_is_not() {
        let found = find(&[]);
        let door = found.iter().find(|entry| entry.holds.task == "door");
        let door = door.expect("assets/demonstrations/door");
        assert!(door.holds.successes >= 25 && door.name.contains("comes with Dextra"));

        let folder = std::env::temp_dir().join(format!("dextra-demos-{}", std::process::id()));
        fs::create_dir_all(folder.join("other/meta")).unwrap();
        fs::write(folder.join("other/meta/episodes.jsonl"), "{}").unwrap();
        assert!(find_in(std::slice::from_ref(&folder), &[]).is_empty());
        let wherever = find_in(
            std::slice::from_ref(&folder),
            std::slice::from_ref(&door.path),
        );
        assert_eq!(wherever.as_slice(), std::slice::from_ref(door));
        assert!(entry(&folder).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
