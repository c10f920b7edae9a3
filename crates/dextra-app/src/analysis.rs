//! The runs being compared: read from their folders on a thread, kept as curves, written out as CSV.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, bounded};

use crate::{
    curves::Curve,
    library::{Library, RunEntry},
    notice::Notices,
    panel::Layout,
    workspace::Workspace,
};

/// Open runs are looked at again after this: they may go on.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(3);

/// What the charts are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Axis {
    /// Environment steps.
    #[default]
    Steps,
    /// Updates.
    Updates,
    /// Minutes of training.
    Minutes,
}

impl Axis {
    /// Every axis.
    pub const ALL: [Self; 3] = [Self::Steps, Self::Updates, Self::Minutes];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Updates => "updates",
            Self::Minutes => "minutes",
        }
    }
}

/// A change of what is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// Open or close this run of the library.
    Run(usize),
    /// Show this metric, or no longer.
    Metric(&'static str),
    /// Average over this share of the charts' width.
    Smoothing(f64),
    /// Draw over this.
    Axis(Axis),
    /// Draw runs that differ only in their seed as one band, or apart.
    Group(bool),
    /// Write the open runs' shown metrics as CSV.
    Csv,
}

/// A run read from its folder.
pub(crate) struct OpenRun {
    /// Its folder.
    pub path: PathBuf,
    /// Its folder's name.
    pub name: String,
    /// Its configuration but for the seed: runs that have it in common are one experiment.
    pub experiment: String,
    /// Every metric's curve over each axis.
    curves: BTreeMap<String, [Curve; 3]>,
    bytes: u64,
}

impl OpenRun {
    /// A metric's curve, if it has points.
    pub fn curve(&self, metric: &str, axis: Axis) -> Option<&Curve> {
        let curve = &self.curves.get(metric)?[axis as usize];
        (curve.len() > 0).then_some(curve)
    }
}

type Read = Receiver<Vec<Result<OpenRun, String>>>;

/// What is compared and how it is drawn.
#[derive(Resource)]
pub(crate) struct Analysis {
    /// The open runs, in the order they were opened.
    pub runs: Vec<Arc<OpenRun>>,
    /// The metrics shown.
    pub metrics: Vec<&'static str>,
    /// Share of the charts' width to average over.
    pub smoothing: f64,
    /// What the charts are over.
    pub axis: Axis,
    /// Whether runs that differ only in their seed are one band.
    pub group: bool,
    wanted: Vec<PathBuf>,
    read: Option<Read>,
    read_at: Instant,
    /// What is to be told of a file, once it is written.
    written: Option<Receiver<String>>,
}

impl Default for Analysis {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            metrics: vec![
                "eval_success_rate",
                "success_rate",
                "q_mean",
                "advantage_pass_share",
            ],
            smoothing: 0.02,
            axis: Axis::Steps,
            group: true,
            wanted: Vec::new(),
            read: None,
            read_at: Instant::now(),
            written: None,
        }
    }
}

impl Analysis {
    /// Whether a run is open, or about to be.
    pub fn wants(&self, run: &Path) -> bool {
        self.wanted.iter().any(|path| path == run)
    }

    /// Whether files are being read.
    pub fn is_reading(&self) -> bool {
        self.wanted.len() > self.runs.len()
    }

    /// Carries a change out.
    pub fn change(&mut self, change: Change, library: &Library) {
        match change {
            Change::Run(run) => {
                let Some(RunEntry { path, .. }) = library.runs().get(run) else {
                    return;
                };
                if self.wants(path) {
                    self.wanted.retain(|wanted| wanted != path);
                    self.runs.retain(|open| open.path != *path);
                } else {
                    self.wanted.push(path.clone());
                }
            }
            Change::Metric(metric) if self.metrics.contains(&metric) => {
                self.metrics.retain(|shown| *shown != metric);
            }
            Change::Metric(metric) => self.metrics.push(metric),
            Change::Smoothing(share) => self.smoothing = share,
            Change::Axis(axis) => self.axis = axis,
            Change::Group(group) => self.group = group,
            Change::Csv => self.write_csv(),
        }
    }

    /// Writes the shown metrics to a file, on a thread: there may be millions of points.
    fn write_csv(&mut self) {
        let (runs, metrics, axis) = (self.runs.clone(), self.metrics.clone(), self.axis);
        let (sender, receiver) = bounded(1);
        thread::spawn(move || {
            let path = free_name();
            // The receiver is gone when another file is asked for, and at the end.
            let _ = sender.send(match fs::write(&path, csv(&runs, &metrics, axis)) {
                Ok(()) => format!("Saved {}", path.display()),
                Err(error) => format!("Cannot save {}: {error}", path.display()),
            });
        });
        self.written = Some(receiver);
    }

    /// Begins to read the runs that are wanted, or that have grown.
    fn read_again(&mut self) {
        let is_new = |path: &PathBuf| self.runs.iter().all(|run| run.path != *path);
        let fresh = self.wanted.iter().any(is_new);
        if self.read.is_some() || !(fresh || self.read_at.elapsed() > READ_AGAIN_AFTER) {
            return;
        }
        self.read_at = Instant::now();
        let known = |path: &PathBuf| self.runs.iter().find(|run| run.path == *path);
        let work: Vec<(PathBuf, Option<u64>)> = self
            .wanted
            .iter()
            .map(|path| (path.clone(), known(path).map(|run| run.bytes)))
            .collect();
        if work.is_empty() {
            return;
        }
        let (sender, receiver) = bounded(1);
        thread::spawn(move || {
            let changed = |(path, bytes): &(PathBuf, Option<u64>)| {
                let now = fs::metadata(path.join("progress.csv"))
                    .map(|m| m.len())
                    .ok();
                bytes.is_none() || now != *bytes
            };
            let read = work.into_iter().filter(changed);
            let _ = sender.send(read.map(|(path, _)| read_run(path)).collect());
        });
        self.read = Some(receiver);
    }

    /// Takes in what was read. Returns what could not be.
    fn take_in(&mut self) -> Vec<String> {
        let Some(read) = self.read.as_ref().and_then(|read| read.try_recv().ok()) else {
            return Vec::new();
        };
        self.read = None;
        let mut failed = Vec::new();
        for run in read {
            match run {
                Ok(run) => match self.runs.iter().position(|open| open.path == run.path) {
                    Some(place) => self.runs[place] = Arc::new(run),
                    None if self.wants(&run.path) => self.runs.push(Arc::new(run)),
                    None => {}
                },
                Err(message) => failed.push(message),
            }
        }
        if !failed.is_empty() {
            let runs = &self.runs;
            self.wanted
                .retain(|path| runs.iter().any(|run| run.path == *path));
        }
        failed
    }
}

/// Metrics of runs, every point: `run,metric,x,value`.
fn csv(runs: &[Arc<OpenRun>], metrics: &[&str], axis: Axis) -> String {
    let mut text = format!("run,metric,{},value\n", axis.name());
    for run in runs {
        for metric in metrics {
            let Some(curve) = run.curve(metric, axis) else {
                continue;
            };
            for [x, y] in curve.outline(&(f64::MIN..=f64::MAX), usize::MAX) {
                // A String takes every write.
                let _ = writeln!(text, "{},{metric},{x},{y}", run.name);
            }
        }
    }
    text
}

/// Reads a run's `progress.csv`.
fn read_run(path: PathBuf) -> Result<OpenRun, String> {
    let file = path.join("progress.csv");
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let curves = read_table(&text).map_err(|what| format!("{}: {what}", file.display()))?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(OpenRun {
        name: name.to_string_lossy().into_owned(),
        experiment: experiment_of(&path),
        curves,
        bytes: text.len() as u64,
        path,
    })
}

/// A run's configuration without its seed; its folder where there is none.
fn experiment_of(path: &Path) -> String {
    let text = fs::read_to_string(path.join("config.toml")).ok();
    let table = text.and_then(|text| toml::from_str::<toml::Table>(&text).ok());
    let Some(mut table) = table else {
        return path.display().to_string();
    };
    table.remove("seed");
    table.remove("provenance");
    table.to_string()
}

/// The curves of a table with columns `step,updates,wall_secs,` and metrics.
fn read_table(text: &str) -> Result<BTreeMap<String, [Curve; 3]>, String> {
    let mut lines = text.split_inclusive('\n');
    let header = lines.next().unwrap_or_default().trim_end();
    let Some(names) = header.strip_prefix("step,updates,wall_secs,") else {
        return Err("is not a run's progress: its first columns are others".into());
    };
    let names: Vec<&str> = names.split(',').collect();
    let mut curves: Vec<[Curve; 3]> = vec![Default::default(); names.len()];
    // A line without an end was cut short, or is being written.
    for line in lines.filter(|line| line.ends_with('\n')) {
        let mut cells = line.trim_end().split(',').map(str::parse::<f64>);
        let mut next = || cells.next().and_then(Result::ok);
        let (Some(steps), Some(updates), Some(secs)) = (next(), next(), next()) else {
            continue;
        };
        for (curves, cell) in curves.iter_mut().zip(cells) {
            let Ok(value) = cell else { continue };
            for (curve, x) in curves.iter_mut().zip([steps, updates, secs / 60.0]) {
                curve.push(x, value);
            }
        }
    }
    let names = names.into_iter().map(str::to_owned);
    Ok(names.zip(curves).collect())
}

fn free_name() -> PathBuf {
    (1..)
        .map(|n: u32| PathBuf::from(format!("charts-{n:03}.csv")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| PathBuf::from("charts.csv"))
}

pub(crate) struct AnalysisPlugin;

impl Plugin for AnalysisPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Analysis>().add_systems(PreUpdate, read);
    }
}

fn read(
    mut analysis: ResMut<Analysis>,
    mut library: ResMut<Library>,
    layout: Res<Layout>,
    mut notices: ResMut<Notices>,
    mut was_open: Local<bool>,
) {
    let open = layout.workspace == Workspace::Analyse;
    if open && !std::mem::replace(&mut *was_open, open) {
        library.look(None);
    }
    *was_open = open;
    let analysis = analysis.as_mut();
    if let Some(told) = analysis.written.as_ref().and_then(|w| w.try_recv().ok()) {
        notices.say(told);
        analysis.written = None;
    }
    if !open {
        return;
    }
    // The first time, the newest run is what one wants to see.
    if analysis.wanted.is_empty() && analysis.runs.is_empty() && !library.runs().is_empty() {
        analysis.change(Change::Run(0), &library);
    }
    analysis.read_again();
    for failed in analysis.take_in() {
        notices.say(failed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn run(folder: &Path, seed: u64, rows: usize) -> PathBuf {
        let path = folder.join(format!("seed{seed}"));
        fs::create_dir_all(&path).unwrap();
        let config = dextra_train::TrainConfig {
            seed,
            ..Default::default()
        };
        fs::write(path.join("config.toml"), config.to_toml().unwrap()).unwrap();
        let mut text = "step,updates,wall_secs,success_rate,q_mean\n".to_owned();
        for row in 1..=rows {
            let _ = writeln!(
                text,
                "{},{},{},,{}",
                200 * row,
                50 * row,
                row,
                row as f64 / 2.0
            );
        }
        text.push_str("99999,1,1,0.5");
        fs::write(path.join("progress.csv"), text).unwrap();
        path
    }

    #[test]
    fn runs_are_read_as_curves_and_seeds_belong_together() {
        let folder = std::env::temp_dir().join(format!("dextra-analysis-{}", std::process::id()));
        let (a, b) = (run(&folder, 0, 500), run(&folder, 1, 3));
        let (a, b) = (read_run(a).unwrap(), read_run(b).unwrap());
        assert_eq!(a.experiment, b.experiment);
        let curve = a.curve("q_mean", Axis::Steps).unwrap();
        assert_eq!(
            (curve.len(), curve.range().unwrap()),
            (500, 200.0..=100_000.0)
        );
        let minutes = a.curve("q_mean", Axis::Minutes).unwrap();
        assert_eq!(minutes.range().unwrap(), 1.0 / 60.0..=500.0 / 60.0);
        assert!(a.curve("success_rate", Axis::Steps).is_none());

        let mut analysis = Analysis {
            metrics: vec!["q_mean"],
            ..Analysis::default()
        };
        analysis.runs.push(Arc::new(b));
        let csv = csv(&analysis.runs, &analysis.metrics, analysis.axis);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], "run,metric,steps,value");
        assert_eq!(
            lines[1..],
            [
                "seed1,q_mean,200,0.5",
                "seed1,q_mean,400,1",
                "seed1,q_mean,600,1.5"
            ]
        );

        fs::write(folder.join("seed1/progress.csv"), "a,b\n1,2\n").unwrap();
        let error = read_run(folder.join("seed1")).err().unwrap();
        assert!(
            error.contains("progress.csv") && error.contains("columns"),
            "{error}"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
