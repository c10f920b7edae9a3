//! The states before a number stopped being finite, for whoever looks for the cause.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use dextra_sim::Model;

/// States written.
pub(super) const STATES: usize = 64;

/// Writes times, positions and velocities as CSV into a folder of that one; returns the file.
pub(super) fn write(
    folder: Option<&Path>,
    model: &Model,
    states: &[(f64, Vec<f64>, Vec<f64>)],
) -> Result<PathBuf, String> {
    let folder = folder.ok_or("there is no folder to keep the last states in")?;
    let folder = folder.join("nonfinite");
    let secs = SystemTime::now().duration_since(UNIX_EPOCH);
    let name = format!("{}.csv", secs.map_or(0, |since| since.as_secs()));
    let path = folder.join(name);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, table(model, states)))
        .map_err(|error| {
            format!(
                "the last states cannot be kept in {}: {error}",
                path.display()
            )
        })?;
    Ok(path)
}

fn table(model: &Model, states: &[(f64, Vec<f64>, Vec<f64>)]) -> String {
    let mut text = String::from("time_secs");
    for (kind, count) in [("qpos", model.nq), ("qvel", model.nv)] {
        for index in 0..count {
            // Writing to a string cannot fail.
            let _ = write!(text, ",{kind}{index}");
        }
    }
    text.push('\n');
    for (time_secs, qpos, qvel) in states {
        let _ = write!(text, "{time_secs}");
        for value in qpos.iter().chain(qvel) {
            let _ = write!(text, ",{value}");
        }
        text.push('\n');
    }
    text
}
