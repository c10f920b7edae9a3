//! Edits that can be taken back: the dataset as it was before each is kept beside it.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::{
    Dataset, Recording, digest, edit, error::DatasetError, files, index_path, lock, repair::sibling,
};

/// Edits that can be taken back; the oldest are forgotten. Each keeps a whole dataset on the disk.
const KEPT: usize = 10;

/// Edits one dataset and keeps what was there before, to the byte, until this is dropped.
pub struct EditHistory {
    root: PathBuf,
    kept: Vec<Kept>,
}

/// The dataset before an edit.
struct Kept {
    folder: PathBuf,
    /// Tells others that it is not left over.
    _lock: Option<File>,
    /// Hash of the list of episodes as the edit left it.
    after: String,
}

impl EditHistory {
    /// No edits yet; what a history that was killed has left is removed.
    pub fn new(root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        for number in 0..KEPT {
            let folder = undo_folder(&root, number);
            // One whose lock is held is another program's. What cannot be removed is only in the way.
            if folder.exists() && lock(&folder).is_ok() {
                let _ = edit::remove(&folder);
            }
        }
        Self {
            root,
            kept: Vec::new(),
        }
    }

    /// Edits that can be taken back.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there is nothing to take back.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// As [`super::delete`].
    ///
    /// # Errors
    /// As [`super::delete`].
    pub fn delete(&mut self, episodes: &[usize]) -> Result<(), DatasetError> {
        self.keep(|old, new| edit::without(old, new, episodes))
    }

    /// As [`super::replace`].
    ///
    /// # Errors
    /// As [`super::replace`].
    pub fn replace(&mut self, episode: usize, recording: &Recording) -> Result<(), DatasetError> {
        self.keep(|old, new| edit::with(old, new, episode, recording))
    }

    /// Puts back what was there before the last edit. Whether there was one.
    ///
    /// # Errors
    /// When the dataset was changed by someone else since, or cannot be written; it is then as it was.
    pub fn undo(&mut self) -> Result<bool, DatasetError> {
        let Some(last) = self.kept.last() else {
            return Ok(false);
        };
        // Nobody else may write meanwhile.
        let now = Dataset::open_to_write(&self.root)?;
        if list_hash(&self.root)? != last.after {
            let reason = "has changed since the edit, which can no longer be taken back";
            return Err(DatasetError::unusable(&self.root, reason));
        }
        edit::put_back(&self.root, &last.folder)?;
        drop(now);
        self.kept.pop();
        Ok(true)
    }

    fn keep(
        &mut self,
        write: impl FnOnce(&Dataset, &mut Dataset) -> Result<(), DatasetError>,
    ) -> Result<(), DatasetError> {
        if self.kept.len() == KEPT {
            edit::remove(&self.kept[0].folder)?;
            self.kept.remove(0);
        }
        let free = |number: &usize| !undo_folder(&self.root, *number).exists();
        let number = (0..).find(free).unwrap_or_default();
        let folder = undo_folder(&self.root, number);
        let replaced = edit::exchange(&self.root, write)?;
        edit::rename(&replaced.folder, &folder)?;
        self.kept.push(Kept {
            folder,
            _lock: replaced.lock,
            after: list_hash(&self.root)?,
        });
        Ok(())
    }
}

impl Drop for EditHistory {
    fn drop(&mut self) {
        for kept in &self.kept {
            // What stays is removed by the next history.
            let _ = edit::remove(&kept.folder);
        }
    }
}

fn undo_folder(root: &Path, number: usize) -> PathBuf {
    sibling(root, &format!("undo-{number}"))
}

/// Hash of the list of episodes, which names the hash of every data file.
fn list_hash(root: &Path) -> Result<String, DatasetError> {
    let path = index_path(root);
    let bytes = match path.exists() {
        true => files::read(&path)?,
        false => Vec::new(),
    };
    Ok(digest(&bytes))
}
