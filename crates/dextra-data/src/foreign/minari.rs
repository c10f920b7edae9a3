//! Minari's datasets. In the `parquet` storage each episode has a folder, and all columns have a last row
//! for the last observation; the `hdf5` storage is one file (`hdf5`).

use std::path::Path;

use serde_json::{Value, json};

use super::Trajectory;
use crate::dataset::{
    Dataset, DatasetError, Start, files,
    table::{Column, Table, Values, decode, encode},
};

/// The file of the `hdf5` storage.
pub(super) const HDF5_FILE: &str = "main_data.hdf5";
/// The version whose layout this is.
const VERSION: &str = "0.5.4";

/// Reads the episodes of a dataset's folder (that with `data/metadata.json`).
pub(super) fn read(root: &Path) -> Result<Vec<Trajectory>, DatasetError> {
    let unusable = |path: &Path, reason: String| DatasetError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let data = root.join("data");
    let path = data.join("metadata.json");
    if !path.exists() {
        let reason = "is no Minari dataset: it has no data/metadata.json".to_owned();
        return Err(unusable(root, reason));
    }
    let metadata: Value = serde_json::from_slice(&files::read(&path)?)
        .map_err(|error| unusable(&path, format!("is damaged: {error}")))?;
    let format = metadata["data_format"].as_str().unwrap_or("hdf5");
    if format == "hdf5" {
        return super::read_hdf5(&data.join(HDF5_FILE)).map(|(trajectories, _)| trajectories);
    }
    if format != "parquet" {
        let reason = format!(
            "is stored as {format}; only Minari's parquet and hdf5 storages are read: load it in Python and \
             write it again with data_format=\"parquet\""
        );
        return Err(unusable(&path, reason));
    }
    let total = metadata["total_episodes"].as_u64().unwrap_or(0);
    let mut trajectories = Vec::new();
    for index in 0..total {
        let folder = data.join(index.to_string());
        let path = folder.join("part-0.parquet");
        let table = decode(files::read(&path)?)
            .map_err(|reason| unusable(&path, format!("is damaged: {reason}")))?;
        let mut trajectory = trajectory(table)
            .map_err(|reason| unusable(&path, format!("cannot be used: {reason}")))?;
        let about = std::fs::read(folder.join("metadata.json")).ok();
        let about: Option<Value> = about.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        trajectory.seed = about.and_then(|about| about["seed"].as_u64());
        trajectories.push(trajectory);
    }
    Ok(trajectories)
}

fn trajectory(mut table: Table) -> Result<Trajectory, String> {
    let obs = rows(column(&mut table, "observations")?)?;
    let mut actions = rows(column(&mut table, "actions")?)?;
    let mut rewards = rows(column(&mut table, "rewards")?)?.concat();
    let Values::Bool(mut terminations) = column(&mut table, "terminations")?.values else {
        return Err("its terminations are no flags".into());
    };
    // The last row holds the last observation alone.
    actions.pop();
    rewards.pop();
    terminations.pop();
    Ok(Trajectory {
        obs,
        actions,
        rewards,
        terminated: terminations.last().copied().unwrap_or(false),
        seed: None,
    })
}

fn column(table: &mut Table, name: &str) -> Result<Column, String> {
    table
        .take(name)
        .ok_or_else(|| format!("it has no column {name} of numbers"))
}

fn rows(column: Column) -> Result<Vec<Vec<f32>>, String> {
    let values: Vec<f32> = match column.values {
        Values::F32(values) => values,
        Values::F64(values) => values.into_iter().map(|x| x as f32).collect(),
        Values::I64(values) => values.into_iter().map(|x| x as f32).collect(),
        _ => return Err(format!("its column {} holds no numbers", column.name)),
    };
    let rows = values.chunks_exact(column.width.unwrap_or(1).max(1));
    Ok(rows.map(<[f32]>::to_vec).collect())
}

/// Writes a dataset as Minari reads it, into a folder that does not exist yet.
///
/// # Errors
/// When an episode cannot be read or something cannot be written.
pub fn write_minari(dataset: &Dataset, root: &Path) -> Result<(), DatasetError> {
    require_new(root)?;
    let header = dataset.header();
    let data = root.join("data");
    let mut bytes = 0;
    for index in 0..dataset.len() {
        let recording = dataset.read(index)?;
        let folder = data.join(index.to_string());
        let path = folder.join("part-0.parquet");
        let episode = &recording.episode;
        let steps = episode.len();
        let mut table = Table {
            rows: steps + 1,
            ..Table::default()
        };
        let obs = (0..=steps).flat_map(|t| episode.obs(t).iter().copied());
        table.push_list("observations", header.obs_dim, Values::F32(obs.collect()));
        let mut actions: Vec<f32> = Vec::with_capacity((steps + 1) * header.action_dim());
        let (mut rewards, mut terminations, mut truncations) = (vec![], vec![], vec![]);
        for (step, transition) in episode.transitions.iter().enumerate() {
            actions.extend(&transition.action);
            rewards.push(f64::from(transition.reward));
            terminations.push(transition.terminated);
            truncations.push(step + 1 == steps && !transition.terminated);
        }
        actions.resize((steps + 1) * header.action_dim(), 0.0);
        rewards.push(0.0);
        terminations.push(false);
        truncations.push(false);
        table.push_list("actions", header.action_dim(), Values::F32(actions));
        table.push("rewards", Values::F64(rewards));
        table.push("terminations", Values::Bool(terminations));
        table.push("truncations", Values::Bool(truncations));
        let encoded = encode(&table).map_err(|reason| DatasetError::Unusable {
            path: path.clone(),
            reason,
        })?;
        bytes += encoded.len();
        files::write_whole(&path, &encoded)?;
        let mut about = json!({ "id": index, "total_steps": steps });
        if recording.start == Start::Reset {
            about["seed"] = json!(episode.seed);
        }
        write_json(&folder.join("metadata.json"), &about)?;
    }
    write_metadata(dataset, root, "parquet", bytes)
}

/// Refuses a folder that exists.
pub(super) fn require_new(root: &Path) -> Result<(), DatasetError> {
    match root.exists() {
        true => Err(DatasetError::Unusable {
            path: root.to_owned(),
            reason: "exists already; choose another folder".into(),
        }),
        false => Ok(()),
    }
}

/// Writes what says that a folder is a dataset, once its episodes are written: `bytes` in all.
pub(super) fn write_metadata(
    dataset: &Dataset,
    root: &Path,
    format: &str,
    bytes: usize,
) -> Result<(), DatasetError> {
    let header = dataset.header();
    // Without limits of its own an observation has those of its numbers.
    let space = |width: usize, low: f64, high: f64| {
        let bounds = |bound: f64| vec![bound; width];
        json!({ "type": "Box", "dtype": "float32", "shape": [width],
                "low": bounds(low), "high": bounds(high) })
        .to_string()
    };
    let limit = f64::from(f32::MAX);
    let metadata = json!({
        "total_episodes": dataset.len(),
        "total_steps": dataset.steps(),
        "data_format": format,
        "observation_space": space(header.obs_dim, -limit, limit),
        "action_space": space(header.action_dim(), -1.0, 1.0),
        "dataset_id": format!("dextra/{}-v0", header.task),
        "algorithm_name": "Dextra",
        "minari_version": VERSION,
        "dataset_size": bytes as f64 / 1e6,
    });
    write_json(&root.join("data/metadata.json"), &metadata)
}

fn write_json(path: &Path, value: &Value) -> Result<(), DatasetError> {
    files::write_whole(path, value.to_string().as_bytes())
}
