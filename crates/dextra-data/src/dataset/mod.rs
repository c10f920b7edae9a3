//! Datasets of recorded episodes on disk: LeRobotDataset v3, one episode per file.
//!
//! ```text
//! <root>/meta/dextra.json       the sidecar: task, versions, scene, options
//!        meta/episodes.jsonl    one line per episode: what is known of it, length and hash of its file
//!        meta/info.json, stats.json, tasks.parquet, episodes/   what LeRobot reads beside the data
//!        data/chunk-000/file-000.parquet   the first episode
//!        snapshots/             the environment where an episode that lost its head begins
//! ```
//!
//! A data file is the whole truth about its episode; every other file but the sidecar can be made from
//! the data files. An episode is kept from the moment its data file has its name, which happens after
//! the disk has it, and before the next may begin. Whoever opens a dataset mends what a kill left
//! behind.

mod check;
mod edit;
mod error;
pub(crate) mod files;
mod glance;
mod header;
mod history;
mod lerobot;
mod recording;
mod repair;
mod stats;
pub(crate) mod table;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use check::Finding;
pub use edit::{delete, merge, replace, split};
pub use error::DatasetError;
pub use glance::{Glance, glance};
pub use header::{Header, Origin};
pub use history::EditHistory;
pub use recording::{EpisodeInfo, Recording, Start, States};
pub use stats::{FeatureStats, Stats};

/// A line of `meta/episodes.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    episode: EpisodeInfo,
    /// Length of the data file.
    bytes: u64,
    /// Hash of the data file.
    sha256: String,
    /// Hash of the snapshot, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    snapshot_sha256: Option<String>,
}

/// Whether a folder is one of Dextra's datasets, as far as its sidecar says.
pub fn is_dataset(root: &Path) -> bool {
    header::sidecar_path(root).is_file()
}

/// A dataset's folder.
pub struct Dataset {
    root: PathBuf,
    header: Header,
    entries: Vec<Entry>,
    rows: usize,
    repairs: Vec<String>,
    /// Held by the one who writes.
    writer: Option<Writer>,
}

struct Writer {
    /// Keeps others from writing as long as it lives.
    lock: File,
    stats: Stats,
}

impl Dataset {
    /// Makes the folder of a new dataset, to be written.
    ///
    /// # Errors
    /// When it holds something already, or cannot be written.
    pub fn create(root: &Path, header: Header) -> Result<Self, DatasetError> {
        files::create_folder(root)?;
        let mut entries =
            std::fs::read_dir(root).map_err(|error| DatasetError::io("read", root, error))?;
        if entries.next().is_some() {
            let reason = "is not empty; choose another folder";
            return Err(DatasetError::unusable(root, reason));
        }
        let lock = lock(root)?;
        lerobot::write_tasks(root, &header)?;
        lerobot::write_info(root, &header, 0, 0)?;
        lerobot::write_stats(root, &Stats::new())?;
        // Last: with it, it is a dataset.
        header::write(root, &header)?;
        let writer = Writer {
            lock,
            stats: Stats::new(),
        };
        Ok(Self {
            root: root.to_owned(),
            header,
            entries: Vec::new(),
            rows: 0,
            repairs: Vec::new(),
            writer: Some(writer),
        })
    }

    /// Opens a dataset to be read, and mends what a kill left behind unless someone is writing.
    ///
    /// # Errors
    /// When it is none of Dextra's, was written by a later Dextra, or cannot be mended.
    pub fn open(root: &Path) -> Result<Self, DatasetError> {
        repair::undo_unfinished_edit(root)?;
        let header = header::read(root)?;
        // Without the lock someone is recording, or the folder cannot be written: nothing is mended.
        match lock(root) {
            Ok(lock) => repair::open(root, header, Some(lock)).map(|mut dataset| {
                dataset.writer = None;
                dataset
            }),
            Err(_) => repair::open(root, header, None),
        }
    }

    /// Opens a dataset to be written.
    ///
    /// # Errors
    /// As [`Dataset::open`], and when someone else is writing it.
    pub fn open_to_write(root: &Path) -> Result<Self, DatasetError> {
        repair::undo_unfinished_edit(root)?;
        let header = header::read(root)?;
        let lock = lock(root)?;
        repair::open(root, header, Some(lock))
    }

    /// Opens a dataset to append episodes of that kind, or makes it where there is none.
    ///
    /// # Errors
    /// As [`Dataset::open_to_write`] and [`Dataset::create`], and when it holds another kind of episodes.
    pub fn append_to(root: &Path, header: Header) -> Result<Self, DatasetError> {
        repair::undo_unfinished_edit(root)?;
        if !header::sidecar_path(root).exists() {
            repair::remove_unfinished_creation(root);
            return Self::create(root, header);
        }
        let dataset = Self::open_to_write(root)?;
        match dataset.header.difference(&header) {
            None => Ok(dataset),
            Some(what) => {
                let reason = format!("holds episodes with another {what}; choose another folder");
                Err(DatasetError::unusable(root, reason))
            }
        }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What all its episodes have in common.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Number of episodes.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no episodes.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Steps of all episodes.
    pub fn steps(&self) -> usize {
        self.rows
    }

    /// Bytes of all data files.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }

    /// What is known of each episode, in order.
    pub fn episodes(&self) -> impl ExactSizeIterator<Item = &EpisodeInfo> {
        self.entries.iter().map(|entry| &entry.episode)
    }

    /// What was mended when it was opened, a sentence each.
    pub fn repairs(&self) -> &[String] {
        &self.repairs
    }

    /// Statistics of all features over all episodes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn stats(&self) -> Result<Stats, DatasetError> {
        lerobot::read_stats(&self.root).ok_or_else(|| {
            let path = lerobot::stats_path(&self.root);
            DatasetError::unusable(&path, "cannot be read: it is missing or damaged")
        })
    }

    /// Keeps an episode. When this returns, the disk has it.
    ///
    /// # Errors
    /// When it does not belong here, or cannot be written; what was kept before is then untouched.
    pub fn append(&mut self, recording: &Recording) -> Result<usize, DatasetError> {
        let refuse = |reason: String| DatasetError::Episode {
            seed: recording.episode.seed,
            reason,
        };
        recording.check(&self.header).map_err(refuse)?;
        let index = self.len();
        let table = recording
            .to_table(&self.header, index, self.rows)
            .map_err(refuse)?;
        let bytes = table::encode(&table).map_err(refuse)?;
        if self.writer.is_none() {
            let reason = "was opened to be read and cannot be written";
            return Err(DatasetError::unusable(&self.root, reason));
        }
        if let Some(snapshot) = &recording.snapshot {
            files::write_whole(&lerobot::snapshot_path(&self.root, index), snapshot)?;
        }
        files::write_whole(&lerobot::data_path(&self.root, index), &bytes)?;
        let entry = Entry {
            episode: recording.info(),
            bytes: bytes.len() as u64,
            sha256: digest(&bytes),
            snapshot_sha256: recording.snapshot.as_deref().map(digest),
        };
        self.describe(&table, entry)?;
        self.summarise()?;
        Ok(index)
    }

    /// Writes what stands beside a data file, and counts it in.
    fn describe(&mut self, table: &table::Table, entry: Entry) -> Result<(), DatasetError> {
        let (index, steps) = (self.len(), table.rows);
        let stats = stats::of_table(table);
        let rows = (self.rows, steps);
        lerobot::write_episode(&self.root, &self.header, index, rows, &stats)?;
        let path = index_path(&self.root);
        let line = serde_json::to_string(&entry)
            .map_err(|error| DatasetError::unusable(&path, format!("has no JSON form: {error}")))?;
        files::append_line(&path, &line)?;
        self.entries.push(entry);
        self.rows += steps;
        if let Some(writer) = &mut self.writer {
            stats::add(&mut writer.stats, &stats);
        }
        Ok(())
    }

    /// Writes what counts the whole.
    fn summarise(&self) -> Result<(), DatasetError> {
        if let Some(writer) = &self.writer {
            lerobot::write_stats(&self.root, &writer.stats)?;
        }
        lerobot::write_info(&self.root, &self.header, self.len(), self.rows)
    }

    /// Reads an episode.
    ///
    /// # Errors
    /// When there is no such episode, or its file is missing or damaged.
    pub fn read(&self, index: usize) -> Result<Recording, DatasetError> {
        let Some(entry) = self.entries.get(index) else {
            let reason = match self.len() {
                0 => "has no episodes".to_owned(),
                n => format!("has no episode {index}; its episodes are 0 to {}", n - 1),
            };
            return Err(DatasetError::unusable(&self.root, reason));
        };
        let remedy = format!(
            "; restore it, or drop the episode with `dextra dataset delete {} {index}`",
            self.root.display()
        );
        let path = lerobot::data_path(&self.root, index);
        let bytes = read_checked(&path, &entry.sha256, &remedy)?;
        let unusable = |reason: String| DatasetError::unusable(&path, reason + &remedy);
        let table =
            table::decode(bytes).map_err(|reason| unusable(format!("is damaged: {reason}")))?;
        let (mut recording, _) =
            Recording::from_table(table, &self.header, index).map_err(unusable)?;
        if let Some(sha256) = &entry.snapshot_sha256 {
            let path = lerobot::snapshot_path(&self.root, index);
            recording.snapshot = Some(read_checked(&path, sha256, &remedy)?);
        }
        recording.check(&self.header).map_err(unusable)?;
        Ok(recording)
    }
}

/// Reads a file that must have that hash.
fn read_checked(path: &Path, sha256: &str, remedy: &str) -> Result<Vec<u8>, DatasetError> {
    if !path.exists() {
        return Err(DatasetError::unusable(path, format!("is missing{remedy}")));
    }
    let bytes = files::read(path)?;
    if digest(&bytes) != sha256 {
        let reason = format!("is damaged: it is not what was written{remedy}");
        return Err(DatasetError::unusable(path, reason));
    }
    Ok(bytes)
}

fn index_path(root: &Path) -> PathBuf {
    root.join("meta/episodes.jsonl")
}

/// Makes the caller the only one who writes.
fn lock(root: &Path) -> Result<File, DatasetError> {
    let path = root.join(".lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| DatasetError::io("write", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let reason = "is being written by another program; wait until that has ended";
            Err(DatasetError::unusable(root, reason))
        }
        Err(TryLockError::Error(error)) => Err(DatasetError::io("lock", &path, error)),
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
