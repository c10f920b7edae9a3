//! Checkpoints: everything a run needs to continue exactly, written whole or not at all.
//!
//! A checkpoint is a folder `checkpoints/<steps>` with a manifest that names every file's length and
//! SHA-256. It is written under another name, synced and renamed; the one before it is kept.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{config::TrainConfig, error::TrainError, provenance::Provenance};

/// Version of the layout; readers refuse a later one.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const CONFIG: &str = "config.toml";
const LEARNER: &str = "learner.safetensors";
const POLICY: &str = "policy.safetensors";
const REPLAY: &str = "replay.bin";
const LOOP: &str = "loop.bin";
const FOLDER: &str = "checkpoints";
const KEPT: usize = 2;

/// A checkpoint in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The run's configuration.
    pub config: TrainConfig,
    /// What wrote it.
    pub provenance: Provenance,
    /// Environment steps made.
    pub steps: u64,
    /// Updates made.
    pub updates: u64,
    /// Length of an observation.
    pub obs_dim: usize,
    /// Length of an action.
    pub action_dim: usize,
    /// The policy that did best in the run's evaluations, or the newest before the first: safetensors.
    pub policy: Vec<u8>,
    /// Environment steps that policy was trained for.
    pub policy_steps: u64,
    /// Networks, targets, moments, dual variables, random state: safetensors.
    pub learner: Vec<u8>,
    /// The replay memory.
    pub replay: Vec<u8>,
    /// Actors with their simulators, random states and counters.
    pub loop_state: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    #[serde(flatten)]
    provenance: Provenance,
    task: String,
    steps: u64,
    updates: u64,
    policy_steps: u64,
    obs_dim: usize,
    action_dim: usize,
    files: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    sha256: String,
}

impl Checkpoint {
    /// Writes `checkpoints/<steps>` in the folder `run` and drops all but the two newest.
    ///
    /// # Errors
    /// When something cannot be written; what was there before is then untouched.
    pub fn write(&self, run: &Path) -> Result<PathBuf, TrainError> {
        let folder = run.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|error| TrainError::io("create", &folder, error))?;
        let name = name_of(self.steps);
        let (path, temporary) = (folder.join(&name), folder.join(format!(".writing-{name}")));
        let written = self
            .write_files(&temporary)
            .and_then(|()| replace(&temporary, &path));
        if written.is_err() {
            // The space is better used by what is whole; the error that is returned says why.
            let _ = fs::remove_dir_all(&temporary);
        }
        written?;
        sync_folder(&folder)?;
        for old in list(run).iter().rev().skip(KEPT) {
            fs::remove_dir_all(old).map_err(|error| TrainError::io("remove", old, error))?;
        }
        Ok(path)
    }

    fn write_files(&self, folder: &Path) -> Result<(), TrainError> {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|error| TrainError::io("remove", folder, error))?;
        }
        fs::create_dir(folder).map_err(|error| TrainError::io("create", folder, error))?;
        let config = self.config.to_toml()?;
        let files: [(&str, &[u8]); 5] = [
            (CONFIG, config.as_bytes()),
            (POLICY, &self.policy),
            (LEARNER, &self.learner),
            (REPLAY, &self.replay),
            (LOOP, &self.loop_state),
        ];
        let entry = |&(name, bytes): &(&str, &[u8])| Entry {
            name: name.into(),
            bytes: bytes.len() as u64,
            sha256: digest(bytes),
        };
        let manifest = Manifest {
            format: FORMAT,
            provenance: self.provenance.clone(),
            task: self.config.task.clone(),
            steps: self.steps,
            updates: self.updates,
            policy_steps: self.policy_steps,
            obs_dim: self.obs_dim,
            action_dim: self.action_dim,
            files: files.iter().map(entry).collect(),
        };
        let manifest = serde_json::to_vec_pretty(&manifest).map_err(|error| {
            TrainError::checkpoint(folder, format!("has no JSON form: {error}"))
        })?;
        for (name, bytes) in files {
            write_synced(&folder.join(name), bytes)?;
        }
        write_synced(&folder.join(MANIFEST), &manifest)?;
        sync_folder(folder)
    }

    /// Reads a checkpoint's folder, or the newest one of a run's folder.
    ///
    /// # Errors
    /// When there is none, it was not written by Dextra or by a later one, or it is damaged.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let path = &locate(path)?;
        let manifest = read_manifest(path)?;
        let mut files = manifest.files.iter().map(|entry| read_checked(path, entry));
        let mut next = |name: &str| match files.next() {
            Some(Ok((found, bytes))) if found == name => Ok(bytes),
            Some(Err(error)) => Err(error),
            _ => Err(damaged(
                path,
                &format!("does not list {name} where it should"),
            )),
        };
        let text = String::from_utf8(next(CONFIG)?)
            .map_err(|_| damaged(path, "has a configuration that is not text"))?;
        let mut config = TrainConfig::default();
        config.merge_toml(&text, &path.join(CONFIG).display().to_string())?;
        Ok(Self {
            config,
            provenance: manifest.provenance,
            steps: manifest.steps,
            updates: manifest.updates,
            policy_steps: manifest.policy_steps,
            obs_dim: manifest.obs_dim,
            action_dim: manifest.action_dim,
            policy: next(POLICY)?,
            learner: next(LEARNER)?,
            replay: next(REPLAY)?,
            loop_state: next(LOOP)?,
        })
    }
}

/// The newest checkpoint in a run's folder.
pub fn latest_checkpoint(run: &Path) -> Option<PathBuf> {
    list(run).pop()
}

/// Renames the checkpoints after `steps`: a run that continues from an earlier one would otherwise take
/// them for its newest. Nothing is deleted.
pub(crate) fn set_aside_after(run: &Path, steps: u64) -> Result<(), TrainError> {
    let current = run.join(FOLDER).join(name_of(steps));
    for path in list(run).into_iter().filter(|path| *path > current) {
        let aside = (0u32..)
            .map(|n| path.with_extension(format!("aside{n}")))
            .find(|aside| !aside.exists())
            .unwrap_or_else(|| path.with_extension("aside"));
        fs::rename(&path, &aside).map_err(|error| TrainError::io("rename", &path, error))?;
    }
    Ok(())
}

/// Nine digits: names sort as their steps do.
fn name_of(steps: u64) -> String {
    format!("{steps:09}")
}

/// A run's checkpoints, oldest first.
fn list(run: &Path) -> Vec<PathBuf> {
    let steps = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u64>().ok();
    let mut found: Vec<_> = fs::read_dir(run.join(FOLDER))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|path| Some((steps(&path)?, path)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// The checkpoint that `path` means: itself, or the newest of a run.
fn locate(path: &Path) -> Result<PathBuf, TrainError> {
    if path.join(MANIFEST).exists() {
        return Ok(path.to_owned());
    }
    if !path.exists() {
        return Err(TrainError::checkpoint(path, "does not exist"));
    }
    latest_checkpoint(path).ok_or_else(|| {
        let reason = "is not one of Dextra's: it is neither a checkpoint (a folder with a \
                      manifest.json) nor a run's folder with checkpoints in it";
        TrainError::checkpoint(path, reason)
    })
}

fn read_manifest(path: &Path) -> Result<Manifest, TrainError> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let file = path.join(MANIFEST);
    let bytes = fs::read(&file).map_err(|error| TrainError::io("read", &file, error))?;
    let foreign = |_| {
        damaged(
            path,
            "has a manifest.json that is not Dextra's: it is foreign or damaged",
        )
    };
    let version: Version = serde_json::from_slice(&bytes).map_err(foreign)?;
    if version.format > FORMAT {
        let reason = format!(
            "was written by a later Dextra (layout {}, this one reads {FORMAT}): update Dextra",
            version.format
        );
        return Err(TrainError::checkpoint(path, reason));
    }
    serde_json::from_slice(&bytes).map_err(foreign)
}

fn read_checked(path: &Path, entry: &Entry) -> Result<(String, Vec<u8>), TrainError> {
    let file = path.join(&entry.name);
    let bytes = fs::read(&file).map_err(|error| TrainError::io("read", &file, error))?;
    if bytes.len() as u64 != entry.bytes {
        let what = format!(
            "is truncated: {} has {} bytes instead of {}",
            entry.name,
            bytes.len(),
            entry.bytes
        );
        return Err(damaged(path, &what));
    }
    if digest(&bytes) != entry.sha256 {
        return Err(damaged(
            path,
            &format!("is damaged: {} was changed", entry.name),
        ));
    }
    Ok((entry.name.clone(), bytes))
}

/// An error that points to the checkpoint before, when there is one.
fn damaged(path: &Path, what: &str) -> TrainError {
    let run = path.parent().and_then(Path::parent);
    let before = run.and_then(|run| {
        list(run)
            .into_iter()
            .rev()
            .find(|other| other.as_path() < path)
    });
    let remedy = before.map_or(String::new(), |before| {
        format!("; the one before it is {}", before.display())
    });
    TrainError::checkpoint(path, format!("{what}{remedy}"))
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Puts the finished folder in its place, over one of the same name.
fn replace(temporary: &Path, path: &Path) -> Result<(), TrainError> {
    let rename = |from: &Path, to: &Path| {
        fs::rename(from, to).map_err(|error| TrainError::io("write", to, error))
    };
    if !path.exists() {
        return rename(temporary, path);
    }
    let aside = temporary.with_extension("old");
    rename(path, &aside)?;
    rename(temporary, path)?;
    fs::remove_dir_all(&aside).map_err(|error| TrainError::io("remove", &aside, error))
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    File::create(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(|error| TrainError::io("write", path, error))
}

/// Writes a file whole or not at all: temporary name, sync, rename.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let temporary = path.with_extension("writing");
    let written = write_synced(&temporary, bytes).and_then(|()| {
        fs::rename(&temporary, path).map_err(|error| TrainError::io("write", path, error))
    });
    if written.is_err() {
        // As above: the error that is returned says why.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn sync_folder(path: &Path) -> Result<(), TrainError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| TrainError::io("write", path, error))
}
