//! Opening a dataset, and mending what a kill at any moment leaves behind.

use std::{fs, fs::File, path::Path};

use super::{
    Dataset, Entry, Writer,
    error::DatasetError,
    files,
    header::Header,
    index_path, lerobot,
    recording::Recording,
    stats::{self, Stats},
    table,
};

/// Reads the list of episodes; with the lock, also finds episodes that a kill kept off it.
pub(super) fn open(
    root: &Path,
    header: Header,
    lock: Option<File>,
) -> Result<Dataset, DatasetError> {
    let mut repairs = Vec::new();
    let entries = read_index(root, lock.is_some(), &mut repairs)?;
    let rows = entries.iter().map(|entry| entry.episode.steps).sum();
    let mut dataset = Dataset {
        root: root.to_owned(),
        header,
        entries,
        rows,
        repairs,
        writer: None,
    };
    if let Some(lock) = lock {
        let unfinished = files::remove_unfinished(root)
            .map_err(|error| DatasetError::io("read", root, error))?;
        if unfinished > 0 {
            let what = format!("removed {unfinished} unfinished files of an interrupted recording");
            dataset.repairs.push(what);
        }
        let stats = lerobot::read_stats(root);
        let known = lerobot::read_info(root) == Some((dataset.len(), dataset.rows))
            && counted(stats.as_ref()) == dataset.rows;
        dataset.writer = Some(Writer {
            lock,
            stats: if known {
                stats.unwrap_or_default()
            } else {
                all_stats(&dataset)
            },
        });
        let before = dataset.len();
        while take_in_next(&mut dataset)? {}
        let found = dataset.len() - before;
        if found > 0 {
            let what = format!("took in {found} kept episodes that were not yet on the list");
            dataset.repairs.push(what);
        }
        if found > 0 || !known {
            dataset.summarise()?;
            if found == 0 {
                dataset
                    .repairs
                    .push("counted episodes, steps and statistics anew".into());
            }
        }
    }
    Ok(dataset)
}

/// The list of episodes. A last line without an end is of an interrupted recording.
fn read_index(
    root: &Path,
    may_write: bool,
    repairs: &mut Vec<String>,
) -> Result<Vec<Entry>, DatasetError> {
    let path = index_path(root);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = files::read(&path)?;
    let whole = bytes
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |end| end + 1);
    if whole < bytes.len() && may_write {
        files::write_whole(&path, &bytes[..whole])?;
        repairs.push("dropped half a line from the list of episodes".into());
    }
    let mut entries = Vec::new();
    for (number, line) in bytes[..whole].split(|&b| b == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let entry: Entry = serde_json::from_slice(line).map_err(|error| {
            let reason = format!(
                "is damaged in line {}: {error}; remove the file, and the list is made anew from the \
                 data files",
                number + 1
            );
            DatasetError::unusable(&path, reason)
        })?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Takes in the data file after the last on the list, if there is one.
fn take_in_next(dataset: &mut Dataset) -> Result<bool, DatasetError> {
    let index = dataset.len();
    let path = lerobot::data_path(&dataset.root, index);
    if !path.exists() {
        return Ok(false);
    }
    let bytes = files::read(&path)?;
    let unusable = |reason: String| {
        let reason = format!("{reason}; move the file away, and those after it down in number");
        DatasetError::unusable(&path, reason)
    };
    let (length, sha256) = (bytes.len() as u64, super::digest(&bytes));
    let decoded =
        table::decode(bytes).map_err(|reason| unusable(format!("is damaged: {reason}")))?;
    let (mut recording, first_row) =
        Recording::from_table(decoded, &dataset.header, index).map_err(unusable)?;
    if first_row != dataset.rows {
        return Err(unusable("does not follow the episode before it".into()));
    }
    let snapshot = lerobot::snapshot_path(&dataset.root, index);
    if recording.start == super::Start::Snapshot {
        recording.snapshot = Some(files::read(&snapshot)?);
    }
    recording.check(&dataset.header).map_err(unusable)?;
    let table = recording
        .to_table(&dataset.header, index, first_row)
        .map_err(unusable)?;
    let entry = Entry {
        episode: recording.info(),
        bytes: length,
        sha256,
        snapshot_sha256: recording.snapshot.as_deref().map(super::digest),
    };
    dataset.describe(&table, entry)?;
    Ok(true)
}

fn counted(stats: Option<&Stats>) -> usize {
    let rows = stats.and_then(|stats| stats.get("action"));
    rows.map_or(0, |stats| stats.count[0] as usize)
}

/// Statistics from the data files; those that cannot be read do not count.
fn all_stats(dataset: &Dataset) -> Stats {
    let mut all = Stats::new();
    let mut first_row = 0;
    for index in 0..dataset.len() {
        if let Ok(recording) = dataset.read(index)
            && let Ok(table) = recording.to_table(&dataset.header, index, first_row)
        {
            stats::add(&mut all, &stats::of_table(&table));
            first_row += table.rows;
        }
    }
    all
}

/// The word for a dataset that another one is about to replace.
pub(super) const BEFORE_EDIT: &str = "before-edit";

/// A sibling of a folder, named after it.
pub(super) fn sibling(root: &Path, word: &str) -> std::path::PathBuf {
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    root.with_file_name(format!(".{name}.{word}"))
}

/// An edit puts the old folder aside, then the new one in its place: between the two, there is none.
pub(super) fn undo_unfinished_edit(root: &Path) -> Result<(), DatasetError> {
    let before = sibling(root, BEFORE_EDIT);
    if !root.exists() && before.exists() {
        fs::rename(&before, root).map_err(|error| DatasetError::io("write", root, error))?;
    }
    Ok(())
}

/// Removes what [`Dataset::create`] writes before the sidecar; a folder with anything else stays.
pub(super) fn remove_unfinished_creation(root: &Path) {
    // What cannot be removed is in the way of what follows, which says so.
    for name in ["tasks.parquet", "info.json", "stats.json"] {
        let path = root.join("meta").join(name);
        let _ = fs::remove_file(path.with_extension(files::UNFINISHED));
        if root.join(".lock").exists() {
            let _ = fs::remove_file(path);
        }
    }
    if fs::remove_dir(root.join("meta")).is_ok() {
        let _ = fs::remove_file(root.join(".lock"));
    }
}
