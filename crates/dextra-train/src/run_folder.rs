//! A run's folder: resolved configuration, metrics, events, checkpoints, failures, policy.
//!
//! `config.toml` holds every field and what wrote it; `progress.csv` and the TensorBoard event file
//! hold one row per round; `events.jsonl` what happened when; `failures/` what reproduces an episode
//! that the physics lost; `checkpoints/` the two newest; `policy.safetensors` and `summary.json` are
//! written at the end. Files that grow are handed to the system row by row: a killed run is readable
//! up to its last round.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    actor::Failure,
    checkpoint::{Checkpoint, set_aside_after, write_atomic},
    config::{PROVENANCE, TrainConfig},
    error::TrainError,
    metrics::{MetricRow, columns},
    provenance::Provenance,
    tensorboard::EventWriter,
};

const CONFIG: &str = "config.toml";
const PROGRESS: &str = "progress.csv";
const EVENTS: &str = "events.jsonl";

/// An open run's folder.
pub struct RunFolder {
    path: PathBuf,
    progress: csv::Writer<File>,
    events: File,
    curves: EventWriter,
    columns: Vec<&'static str>,
}

impl RunFolder {
    /// Makes the folder of a new run.
    ///
    /// # Errors
    /// When it cannot be made or written, or holds something already.
    pub fn create(
        path: &Path,
        config: &TrainConfig,
        provenance: &Provenance,
    ) -> Result<Self, TrainError> {
        let occupied = |reason: String| {
            Err(TrainError::RunFolder {
                path: path.to_owned(),
                reason,
            })
        };
        if path.join(CONFIG).exists() {
            return occupied(format!(
                "holds a run already; continue it with `--resume {}` or choose another folder with \
                 `--out`",
                path.display()
            ));
        }
        fs::create_dir_all(path).map_err(|error| TrainError::io("create", path, error))?;
        let mut entries =
            fs::read_dir(path).map_err(|error| TrainError::io("read", path, error))?;
        if entries.next().is_some() {
            return occupied("is not empty; choose another folder with `--out`".into());
        }
        let provenance = toml::to_string(provenance).unwrap_or_default();
        let text = format!("{}\n[{PROVENANCE}]\n{provenance}", config.to_toml()?);
        write_atomic(&path.join(CONFIG), text.as_bytes())?;
        write_atomic(&path.join(PROGRESS), header().as_bytes())?;
        Self::open(path, 0)
    }

    /// Opens the folder of a run that continues at `steps`; rows after that are dropped, the run will
    /// write them again, and checkpoints after that are renamed.
    ///
    /// # Errors
    /// When something cannot be read or written, or `progress.csv` has other columns.
    pub fn open(path: &Path, steps: u64) -> Result<Self, TrainError> {
        let progress = path.join(PROGRESS);
        if steps > 0 {
            keep_rows(&progress, steps)?;
            set_aside_after(path, steps)?;
        }
        Ok(Self {
            path: path.to_owned(),
            progress: csv::Writer::from_writer(append_to(&progress)?),
            events: append_to(&path.join(EVENTS))?,
            curves: EventWriter::create(path, steps)?,
            columns: columns(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration that the run began with.
    ///
    /// # Errors
    /// When `config.toml` cannot be read.
    pub fn initial_config(&self) -> Result<TrainConfig, TrainError> {
        let path = self.path.join(CONFIG);
        let text =
            fs::read_to_string(&path).map_err(|error| TrainError::io("read", &path, error))?;
        let mut config = TrainConfig::default();
        config.merge_toml(&text, &path.display().to_string())?;
        Ok(config)
    }

    /// Appends a row to `progress.csv` and the event file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(&mut self, row: &MetricRow) -> Result<(), TrainError> {
        let value = |name: &str| row.values.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        let cells = [
            row.step.to_string(),
            row.updates.to_string(),
            format!("{:.3}", row.wall_secs),
        ];
        let values = self
            .columns
            .iter()
            .map(|name| value(name).map_or(String::new(), f64::to_string));
        let path = self.path.join(PROGRESS);
        self.progress
            .write_record(cells.into_iter().chain(values))
            .map_err(|error| TrainError::io("write", &path, error.into()))?;
        self.progress
            .flush()
            .map_err(|error| TrainError::io("write", &path, error))?;
        self.curves.scalars(row.step, &row.values)
    }

    /// Appends a line to `events.jsonl`; `details` is an object.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn event(&mut self, event: &str, step: u64, details: Value) -> Result<(), TrainError> {
        let time = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |t| t.as_secs_f64());
        let mut line = Map::new();
        line.insert("time".into(), json!(time));
        line.insert("step".into(), json!(step));
        line.insert("event".into(), json!(event));
        if let Value::Object(details) = details {
            line.extend(details);
        }
        let path = self.path.join(EVENTS);
        writeln!(self.events, "{}", Value::Object(line))
            .map_err(|error| TrainError::io("write", &path, error))
    }

    /// Dumps an episode that the physics lost to `failures/`, and notes it among the events.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn failure(&mut self, step: u64, failure: &Failure) -> Result<PathBuf, TrainError> {
        let folder = self.path.join("failures");
        fs::create_dir_all(&folder).map_err(|error| TrainError::io("create", &folder, error))?;
        let name = format!("actor{}_episode{:06}.json", failure.actor, failure.episode);
        let path = folder.join(name);
        write_json(&path, failure)?;
        let details = json!({ "message": failure.message, "state": path });
        self.event("physics_failure", step, details)?;
        Ok(path)
    }

    /// Writes a checkpoint and notes it among the events.
    ///
    /// # Errors
    /// When it cannot be written; earlier checkpoints are then untouched.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<PathBuf, TrainError> {
        let path = checkpoint.write(&self.path)?;
        self.event("checkpoint", checkpoint.steps, json!({ "path": path }))?;
        Ok(path)
    }

    /// Writes `summary.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn summary(&self, summary: &impl Serialize) -> Result<(), TrainError> {
        write_json(&self.path.join("summary.json"), summary)
    }

    /// Writes `policy.safetensors`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn policy(&self, bytes: &[u8]) -> Result<(), TrainError> {
        write_atomic(&self.path.join("policy.safetensors"), bytes)
    }
}

fn header() -> String {
    let mut header = "step,updates,wall_secs".to_owned();
    for name in columns() {
        header.push(',');
        header.push_str(name);
    }
    header.push('\n');
    header
}

fn append_to(path: &Path) -> Result<File, TrainError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|error| TrainError::io("write", path, error))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| TrainError::io("write", path, error.into()))?;
    write_atomic(path, &bytes)
}

/// Drops the rows after `steps`, and a row cut short by a crash.
fn keep_rows(path: &Path, steps: u64) -> Result<(), TrainError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => header(),
        Err(error) => return Err(TrainError::io("read", path, error)),
    };
    let mut lines = text.split_inclusive('\n');
    let (first, expected) = (lines.next().unwrap_or_default(), header());
    // Columns that this version has added are empty in rows from before.
    let added = expected.strip_prefix(first.trim_end()).map(str::trim_end);
    let Some(added) = added.filter(|added| added.is_empty() || added.starts_with(',')) else {
        return Err(TrainError::RunFolder {
            path: path.to_owned(),
            reason: "has other columns than this version of Dextra writes; move it away to go on"
                .into(),
        });
    };
    let empty = ",".repeat(added.matches(',').count());
    let at_most = |line: &&str| {
        let step = line
            .split(',')
            .next()
            .and_then(|cell| cell.parse::<u64>().ok());
        line.ends_with('\n') && step.is_some_and(|step| step <= steps)
    };
    let rows = lines
        .filter(at_most)
        .map(|row| format!("{}{empty}\n", row.trim_end()));
    let kept: String = std::iter::once(expected.clone()).chain(rows).collect();
    write_atomic(path, kept.as_bytes())
}
