//! LeRobotDataset v3: where its files are and what the ones beside the data hold.
//!
//! One episode per data file and per file of `meta/episodes`. The names are LeRobot's.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{
    error::DatasetError,
    files,
    header::{Header, to_json},
    stats::{FeatureStats, Stats},
    table::{Table, Values, encode},
};

/// Files in a folder `chunk-*`.
const CHUNK: usize = 1000;

/// The data file of an episode.
pub(crate) fn data_path(root: &Path, index: usize) -> PathBuf {
    numbered(&root.join("data"), index, "parquet")
}

/// The file of `meta/episodes` about an episode.
pub(crate) fn episode_path(root: &Path, index: usize) -> PathBuf {
    numbered(&root.join("meta/episodes"), index, "parquet")
}

/// The snapshot that an episode begins with.
pub(crate) fn snapshot_path(root: &Path, index: usize) -> PathBuf {
    numbered(&root.join("snapshots"), index, "bin")
}

fn numbered(folder: &Path, index: usize, kind: &str) -> PathBuf {
    let (chunk, file) = (index / CHUNK, index % CHUNK);
    folder.join(format!("chunk-{chunk:03}/file-{file:03}.{kind}"))
}

pub(crate) fn info_path(root: &Path) -> PathBuf {
    root.join("meta/info.json")
}

pub(crate) fn stats_path(root: &Path) -> PathBuf {
    root.join("meta/stats.json")
}

/// Writes `meta/info.json`, which says how much there is.
pub(crate) fn write_info(
    root: &Path,
    header: &Header,
    episodes: usize,
    rows: usize,
) -> Result<(), DatasetError> {
    let path = info_path(root);
    let info = json!({
        "codebase_version": "v3.0",
        "robot_type": "adroit_hand",
        "fps": header.fps,
        "total_episodes": episodes,
        "total_frames": rows,
        "total_tasks": 1,
        "chunks_size": CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "splits": { "train": format!("0:{episodes}") },
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": null,
        "features": features(header),
    });
    files::write_whole(&path, &to_json(&path, &info)?)
}

/// How many episodes and steps `meta/info.json` states; `None` when it cannot be read.
pub(crate) fn read_info(root: &Path) -> Option<(usize, usize)> {
    let info: Value = serde_json::from_slice(&std::fs::read(info_path(root)).ok()?).ok()?;
    let number = |key: &str| usize::try_from(info.get(key)?.as_u64()?).ok();
    Some((number("total_episodes")?, number("total_frames")?))
}

fn features(header: &Header) -> Value {
    let feature = |dtype: &str, width: usize, names: Value| json!({ "dtype": dtype, "shape": [width], "names": names });
    let mut features = Map::new();
    let mut add = |name: &str, value: Value| features.insert(name.to_owned(), value);
    add(
        "observation.state",
        feature("float32", header.obs_dim, Value::Null),
    );
    let actuators = json!(header.actuators);
    add("action", feature("float32", header.action_dim(), actuators));
    if header.state_dims[0] > 0 {
        add(
            "sim.qpos",
            feature("float64", header.state_dims[0], Value::Null),
        );
        add(
            "sim.qvel",
            feature("float64", header.state_dims[1], Value::Null),
        );
        add("sim.time", feature("float64", 1, Value::Null));
    }
    for (name, dtype) in [
        ("next.reward", "float32"),
        ("next.done", "bool"),
        ("next.truncated", "bool"),
        ("next.success", "bool"),
        ("source", "int64"),
        ("timestamp", "float32"),
        ("frame_index", "int64"),
        ("episode_index", "int64"),
        ("index", "int64"),
        ("task_index", "int64"),
    ] {
        add(name, feature(dtype, 1, Value::Null));
    }
    Value::Object(features)
}

/// Writes `meta/tasks.parquet`, a pandas table whose index is the sentence of the task.
pub(crate) fn write_tasks(root: &Path, header: &Header) -> Result<(), DatasetError> {
    let column = |name: &str, pandas: &str, numpy: &str| {
        json!({ "name": name, "field_name": name, "pandas_type": pandas, "numpy_type": numpy,
                "metadata": null })
    };
    let pandas = json!({
        "index_columns": ["task"],
        "column_indexes": [{ "name": null, "field_name": null, "pandas_type": "unicode",
                             "numpy_type": "object", "metadata": { "encoding": "UTF-8" } }],
        "columns": [column("task_index", "int64", "int64"), column("task", "unicode", "object")],
        "creator": { "library": "dextra", "version": env!("CARGO_PKG_VERSION") },
        "pandas_version": "2.0.0",
    });
    let mut table = Table {
        rows: 1,
        texts: vec![("pandas".into(), pandas.to_string())],
        ..Table::default()
    };
    table.push("task_index", Values::I64(vec![0]));
    table.push("task", Values::Text(vec![header.instruction.clone()]));
    write_table(&root.join("meta/tasks.parquet"), &table)
}

/// Writes the file of `meta/episodes` about an episode.
pub(crate) fn write_episode(
    root: &Path,
    header: &Header,
    index: usize,
    (first_row, steps): (usize, usize),
    stats: &Stats,
) -> Result<(), DatasetError> {
    let mut table = Table {
        rows: 1,
        ..Table::default()
    };
    let mut number = |name: &str, value: usize| table.push(name, Values::I64(vec![value as i64]));
    number("episode_index", index);
    number("length", steps);
    number("data/chunk_index", index / CHUNK);
    number("data/file_index", index % CHUNK);
    number("dataset_from_index", first_row);
    number("dataset_to_index", first_row + steps);
    number("meta/episodes/chunk_index", index / CHUNK);
    number("meta/episodes/file_index", index % CHUNK);
    let sentence = Values::Text(vec![header.instruction.clone()]);
    table.push_list("tasks", 1, sentence);
    for (feature, stats) in stats {
        let FeatureStats {
            min,
            max,
            mean,
            std,
            count,
            quantiles,
        } = stats;
        let lists = [("min", min), ("max", max), ("mean", mean), ("std", std)].into_iter();
        let quantiles = quantiles.iter().map(|(name, list)| (name.as_str(), list));
        for (name, list) in lists.chain(quantiles) {
            let column = format!("stats/{feature}/{name}");
            table.push_list(&column, list.len(), Values::F64(list.clone()));
        }
        let count = Values::I64(vec![count[0] as i64]);
        table.push_list(&format!("stats/{feature}/count"), 1, count);
    }
    write_table(&episode_path(root, index), &table)
}

pub(crate) fn write_stats(root: &Path, stats: &Stats) -> Result<(), DatasetError> {
    let path = stats_path(root);
    files::write_whole(&path, &to_json(&path, stats)?)
}

/// The statistics of the whole dataset; `None` when they cannot be read.
pub(crate) fn read_stats(root: &Path) -> Option<Stats> {
    serde_json::from_slice(&std::fs::read(stats_path(root)).ok()?).ok()
}

fn write_table(path: &Path, table: &Table) -> Result<(), DatasetError> {
    let bytes = encode(table).map_err(|reason| DatasetError::unusable(path, reason))?;
    files::write_whole(path, &bytes)
}
