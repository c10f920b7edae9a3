//! Changes to datasets. Each makes a new folder and then puts it in the place of the old one, so that
//! a kill at any moment leaves one of the two.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{
    Dataset, Recording,
    error::DatasetError,
    files,
    repair::{BEFORE_EDIT, sibling},
};

/// The word for a dataset that is being written to replace another.
const EDIT: &str = "edit";

/// Removes episodes; those after them move up.
///
/// # Errors
/// When there is no such episode, or something cannot be read or written; nothing has changed then.
pub fn delete(root: &Path, episodes: &[usize]) -> Result<(), DatasetError> {
    edit(root, |old, new| without(old, new, episodes))
}

/// Writes the episodes but some.
pub(super) fn without(
    old: &Dataset,
    new: &mut Dataset,
    episodes: &[usize],
) -> Result<(), DatasetError> {
    for &index in episodes {
        require(old, index)?;
    }
    for index in (0..old.len()).filter(|index| !episodes.contains(index)) {
        new.append(&old.read(index)?)?;
    }
    Ok(())
}

/// Puts another episode in the place of one.
///
/// # Errors
/// As [`delete`].
pub fn replace(root: &Path, episode: usize, recording: &Recording) -> Result<(), DatasetError> {
    edit(root, |old, new| with(old, new, episode, recording))
}

/// Writes the episodes with another in the place of one.
pub(super) fn with(
    old: &Dataset,
    new: &mut Dataset,
    episode: usize,
    recording: &Recording,
) -> Result<(), DatasetError> {
    require(old, episode)?;
    for index in 0..old.len() {
        if index == episode {
            new.append(recording)?;
        } else {
            new.append(&old.read(index)?)?;
        }
    }
    Ok(())
}

/// Makes two new datasets of one: episodes before `at`, and the others. The old one stays.
///
/// # Errors
/// When one of the two would be empty, a folder is not empty, or something cannot be read or written.
pub fn split(root: &Path, at: usize, first: &Path, second: &Path) -> Result<(), DatasetError> {
    let old = Dataset::open(root)?;
    if at == 0 || at >= old.len() {
        let reason = format!(
            "has {} episodes: it can be split at 1 to {}",
            old.len(),
            old.len().saturating_sub(1)
        );
        return Err(DatasetError::unusable(root, reason));
    }
    for (out, range) in [(first, 0..at), (second, at..old.len())] {
        let mut new = Dataset::create(out, old.header.clone())?;
        for index in range {
            new.append(&old.read(index)?)?;
        }
    }
    Ok(())
}

/// Makes a new dataset of the episodes of several with equal headers, in order.
///
/// # Errors
/// When they differ in more than their episodes, the folder is not empty, or something cannot be read or
/// written.
pub fn merge(roots: &[&Path], out: &Path) -> Result<(), DatasetError> {
    let parts = roots.iter().map(|root| Dataset::open(root));
    let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
    let Some(first) = parts.first() else {
        return Err(DatasetError::unusable(out, "would be made of nothing"));
    };
    for part in &parts {
        if let Some(what) = part.header.difference(&first.header) {
            let reason = format!(
                "cannot be merged with {}: it has another {what}",
                first.root.display()
            );
            return Err(DatasetError::unusable(&part.root, reason));
        }
    }
    let mut new = Dataset::create(out, first.header.clone())?;
    for part in &parts {
        for index in 0..part.len() {
            new.append(&part.read(index)?)?;
        }
    }
    Ok(())
}

fn require(dataset: &Dataset, index: usize) -> Result<(), DatasetError> {
    if index < dataset.len() {
        return Ok(());
    }
    let reason = format!("has no episode {index}: it has {} episodes", dataset.len());
    Err(DatasetError::unusable(&dataset.root, reason))
}

/// Writes the new dataset beside the old one and changes the two.
fn edit(
    root: &Path,
    write: impl FnOnce(&Dataset, &mut Dataset) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    let old = exchange(root, write)?;
    remove(&old.folder)
}

/// A dataset that another one has taken the place of.
pub(super) struct Replaced {
    /// Where it is now.
    pub folder: PathBuf,
    /// Keeps others from writing it.
    pub lock: Option<File>,
}

/// As [`edit`], and the old one stays beside the new one.
pub(super) fn exchange(
    root: &Path,
    write: impl FnOnce(&Dataset, &mut Dataset) -> Result<(), DatasetError>,
) -> Result<Replaced, DatasetError> {
    // The name under which a folder is found, also through `.` or a link.
    let root = &root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let old = Dataset::open_to_write(root)?;
    let (aside, new_root) = (sibling(root, BEFORE_EDIT), sibling(root, EDIT));
    remove(&new_root)?;
    remove(&aside)?;
    let mut new = Dataset::create(&new_root, old.header.clone())?;
    if let Err(error) = write(&old, &mut new) {
        // The error that is returned says why.
        let _ = fs::remove_dir_all(&new_root);
        return Err(error);
    }
    rename(root, &aside)?;
    rename(&new_root, root)?;
    sync_parent(root)?;
    Ok(Replaced {
        folder: aside,
        lock: old.writer.map(|writer| writer.lock),
    })
}

/// Puts a dataset back in the place of the one that replaced it, which is removed.
pub(super) fn put_back(root: &Path, folder: &Path) -> Result<(), DatasetError> {
    let (aside, away) = (sibling(root, BEFORE_EDIT), sibling(root, EDIT));
    remove(&aside)?;
    remove(&away)?;
    // Under this name whoever opens the dataset finds it after a kill between the next two renames.
    rename(folder, &aside)?;
    rename(root, &away)?;
    rename(&aside, root)?;
    sync_parent(root)?;
    remove(&away)
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), DatasetError> {
    fs::rename(from, to).map_err(|error| DatasetError::io("write", to, error))
}

pub(super) fn remove(path: &Path) -> Result<(), DatasetError> {
    match path.exists() {
        true => fs::remove_dir_all(path).map_err(|error| DatasetError::io("remove", path, error)),
        false => Ok(()),
    }
}

fn sync_parent(root: &Path) -> Result<(), DatasetError> {
    let folder = root.parent().unwrap_or(Path::new("."));
    files::sync_folder(folder).map_err(|error| DatasetError::io("write", folder, error))
}
