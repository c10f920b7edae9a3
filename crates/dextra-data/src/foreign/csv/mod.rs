//! A dataset as one table of text, for spreadsheets and quick looks.

mod read;

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

pub(super) use read::read;

use crate::dataset::{Dataset, DatasetError};

/// Writes one line per step: episode, step, seconds, observation, action, reward, whether the task was
/// solved after it, whether it was the last.
///
/// # Errors
/// When an episode cannot be read or the file cannot be written; nothing stands under its name then.
pub fn write_csv(dataset: &Dataset, path: &Path) -> Result<(), DatasetError> {
    let temporary = path.with_extension("writing");
    let cannot = |source: io::Error| DatasetError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let written = write_all(dataset, &temporary, cannot)
        .and_then(|()| fs::rename(&temporary, path).map_err(cannot));
    if written.is_err() {
        // The error that is returned says why.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_all(
    dataset: &Dataset,
    path: &Path,
    cannot: impl Fn(io::Error) -> DatasetError + Copy,
) -> Result<(), DatasetError> {
    let header = dataset.header();
    let mut out = BufWriter::new(File::create(path).map_err(cannot)?);
    let mut columns = vec!["episode".to_owned(), "step".into(), "seconds".into()];
    columns.extend((0..header.obs_dim).map(|k| format!("observation[{k}]")));
    columns.extend(header.actuators.iter().map(|name| format!("action {name}")));
    columns.extend(["reward", "success", "done"].map(str::to_owned));
    let quoted = columns
        .iter()
        .map(|name| format!("\"{}\"", name.replace('"', "'")));
    writeln!(out, "{}", quoted.collect::<Vec<_>>().join(",")).map_err(cannot)?;
    for index in 0..dataset.len() {
        let recording = dataset.read(index)?;
        let steps = recording.episode.len();
        for (step, transition) in recording.episode.transitions.iter().enumerate() {
            let seconds = step as f64 / f64::from(header.fps);
            write!(out, "{index},{step},{seconds}").map_err(cannot)?;
            for value in transition.obs.iter().chain(&transition.action) {
                write!(out, ",{value}").map_err(cannot)?;
            }
            let solved = u8::from(recording.step_success[step]);
            let done = u8::from(step + 1 == steps);
            writeln!(out, ",{},{solved},{done}", transition.reward).map_err(cannot)?;
        }
    }
    let file = out
        .into_inner()
        .map_err(|error| cannot(error.into_error()))?;
    file.sync_all().map_err(cannot)
}
