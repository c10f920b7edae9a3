//! What a dataset holds, seen in passing: nothing is mended, nobody who writes is disturbed.

use std::path::Path;

use super::{Entry, error::DatasetError, files, header, index_path};

/// What lists of datasets say of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Name of the task.
    pub task: String,
    /// Episodes on its list.
    pub episodes: usize,
    /// Successes among them.
    pub successes: usize,
}

/// Glances at the dataset in a folder.
///
/// # Errors
/// When it is none of Dextra's, was written by a later Dextra, or cannot be read.
pub fn glance(root: &Path) -> Result<Glance, DatasetError> {
    let header = header::read(root)?;
    let path = index_path(root);
    let bytes = match path.exists() {
        true => files::read(&path)?,
        false => Vec::new(),
    };
    // A line that is being written is not yet one.
    let lines = bytes.split(|&byte| byte == b'\n');
    let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    let (mut episodes, mut successes) = (0, 0);
    for entry in entries {
        episodes += 1;
        successes += usize::from(entry.episode.success);
    }
    Ok(Glance {
        task: header.task,
        episodes,
        successes,
    })
}
