//! What can be opened: the tasks, and the runs that lie in the run folder. Reading is done on threads of
//! its own; the window takes over what has been read.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use bevy::{prelude::*, window::PrimaryWindow};
use crossbeam_channel::{Receiver, bounded};
use dextra_sim::Model;
use dextra_train::{TrainConfig, latest_checkpoint, shipped_policy};

use crate::{
    AppError,
    demos::{self, DatasetEntry},
    notice::Notices,
    session::Training,
    source::{self, Given, Opponent, Rival, Shown, Watch},
    tape::Tape,
};

/// Runs listed at most, the newest first.
const LISTED: usize = 40;
/// The folder is not read again sooner than this.
const SCAN_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// A run in a folder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunEntry {
    /// Its folder.
    pub path: PathBuf,
    /// The folder's name.
    pub name: String,
    /// Its task.
    pub task: String,
    /// Whether it has a checkpoint to continue from or to show.
    pub has_checkpoint: bool,
}

enum Loaded {
    Task(Box<(Watch, Arc<Model>, TrainConfig)>),
    Policy(Given),
    Rival(Box<Rival>),
}

/// Tasks and runs, and what is being read of them.
#[derive(Resource)]
pub(crate) struct Library {
    folders: Vec<PathBuf>,
    runs: Vec<RunEntry>,
    datasets: Vec<DatasetEntry>,
    scan: Option<Receiver<(Vec<RunEntry>, Vec<DatasetEntry>)>>,
    scanned: Option<Instant>,
    loading: Option<Receiver<Result<Loaded, AppError>>>,
}

impl Library {
    /// Runs are looked for in `runs` and beside `out`.
    pub fn new(out: Option<&Path>) -> Self {
        let mut folders = vec![PathBuf::from("runs")];
        let beside = out.and_then(Path::parent).map(Path::to_owned);
        folders.extend(beside.filter(|folder| *folder != folders[0]));
        Self {
            folders,
            runs: Vec::new(),
            datasets: Vec::new(),
            scan: None,
            scanned: None,
            loading: None,
        }
    }

    /// The runs found, the newest first.
    pub fn runs(&self) -> &[RunEntry] {
        &self.runs
    }

    /// The datasets found that have something to learn from.
    pub fn datasets(&self) -> &[DatasetEntry] {
        &self.datasets
    }

    /// Whether something is being read.
    pub fn is_loading(&self) -> bool {
        self.loading.is_some()
    }

    /// Looks for runs and datasets, unless that was just done. The dataset `also` may lie anywhere.
    pub fn look(&mut self, also: Option<&Path>) {
        let recent = self
            .scanned
            .is_some_and(|at| at.elapsed() < SCAN_AGAIN_AFTER);
        if self.scan.is_some() || recent {
            return;
        }
        let (sender, receiver) = bounded(1);
        let folders = self.folders.clone();
        let also: Vec<PathBuf> = also.map(Path::to_owned).into_iter().collect();
        thread::spawn(move || {
            let _ = sender.send((find_runs(&folders), demos::find(&also)));
        });
        self.scan = Some(receiver);
    }

    /// Opens a task, with a policy from a file or the one that comes with Dextra.
    pub fn open_task(&mut self, config: TrainConfig, policy: Option<PathBuf>) {
        self.load(move || {
            let policy = policy.or_else(|| shipped_policy(&config.task));
            let (watch, model) = source::open(&config, policy.as_deref())?;
            Ok(Loaded::Task(Box::new((watch, model, config))))
        });
    }

    /// Reads a policy to show.
    pub fn open_policy(&mut self, path: PathBuf) {
        self.load(move || Ok(Loaded::Policy(source::read_policy(&path)?)));
    }

    /// Opens someone to compare with.
    pub fn open_rival(&mut self, config: TrainConfig, opponent: Opponent) {
        self.load(move || Ok(Loaded::Rival(Box::new(Rival::open(&config, opponent)?))));
    }

    fn load(&mut self, work: impl FnOnce() -> Result<Loaded, AppError> + Send + 'static) {
        let (sender, receiver) = bounded(1);
        thread::spawn(move || {
            // What was asked for before and not yet read is no longer wanted.
            let _ = sender.send(work());
        });
        self.loading = Some(receiver);
    }
}

/// The runs in these folders, the newest first.
fn find_runs(folders: &[PathBuf]) -> Vec<RunEntry> {
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let changed = fs::metadata(path.join("progress.csv")).ok()?.modified();
            Some((changed.ok()?, path))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found
        .into_iter()
        .filter_map(|(_, path)| entry(path))
        .take(LISTED)
        .collect()
}

fn entry(path: PathBuf) -> Option<RunEntry> {
    let text = fs::read_to_string(path.join("config.toml")).ok()?;
    let table: toml::Table = toml::from_str(&text).ok()?;
    Some(RunEntry {
        name: path.file_name()?.to_string_lossy().into_owned(),
        task: table.get("task")?.as_str()?.to_owned(),
        has_checkpoint: latest_checkpoint(&path).is_some(),
        path,
    })
}

/// The configuration that a run began with.
pub(crate) fn config_of(run: &Path) -> Result<TrainConfig, String> {
    let path = run.join("config.toml");
    let name = path.display().to_string();
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {name}: {error}"))?;
    let mut config = TrainConfig::default();
    config
        .merge_toml(&text, &name)
        .map_err(|error| error.to_string())?;
    Ok(config)
}

pub(crate) struct LibraryPlugin {
    /// Run folder of the first training.
    pub out: Option<PathBuf>,
}

impl Plugin for LibraryPlugin {
    fn build(&self, app: &mut App) {
        let mut library = Library::new(self.out.as_deref());
        library.look(None);
        app.insert_resource(library).add_systems(PreUpdate, arrive);
    }
}

/// Takes over what has been read.
fn arrive(
    mut library: ResMut<Library>,
    mut watch: ResMut<Watch>,
    mut shown: ResMut<Shown>,
    mut training: ResMut<Training>,
    mut tape: ResMut<Tape>,
    mut notices: ResMut<Notices>,
    mut window: Single<&mut Window, With<PrimaryWindow>>,
) {
    let scanned = library.scan.as_ref().and_then(|scan| scan.try_recv().ok());
    if let Some((runs, datasets)) = scanned {
        let library = library.as_mut();
        (library.runs, library.datasets, library.scan) = (runs, datasets, None);
        library.scanned = Some(Instant::now());
    }
    let loaded = library.loading.as_ref().and_then(|l| l.try_recv().ok());
    let Some(loaded) = loaded else { return };
    library.loading = None;
    match loaded {
        Ok(Loaded::Policy(given)) => {
            notices.say(format!("Showing the policy {}", given.name));
            watch.give(given, &mut training);
        }
        Ok(Loaded::Rival(rival)) => {
            notices.say(format!("Beside it, as a ghost: {}", rival.name));
            watch.rival = Some(*rival);
        }
        // A training that was started meanwhile keeps its scene.
        Ok(Loaded::Task(_)) if training.is_active() => {
            notices.say("A training has begun: the task stays");
        }
        Ok(Loaded::Task(opened)) => {
            let (opened, model, config) = *opened;
            *watch = opened;
            shown.0 = model;
            tape.clear();
            window.title = format!("Dextra: {}", config.task);
            training.prepare(config);
        }
        Err(error) => notices.say(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn runs_are_found_with_their_task_and_nothing_else_is() {
        let folder = std::env::temp_dir().join(format!("dextra-library-{}", std::process::id()));
        for (name, task) in [("a", "door"), ("b", "pen")] {
            let run = folder.join(name);
            fs::create_dir_all(&run).unwrap();
            fs::write(run.join("progress.csv"), "step\n").unwrap();
            let config = TrainConfig {
                task: task.into(),
                ..TrainConfig::default()
            };
            fs::write(run.join("config.toml"), config.to_toml().unwrap()).unwrap();
        }
        fs::create_dir_all(folder.join("no run")).unwrap();
        fs::create_dir_all(folder.join("damaged")).unwrap();
        fs::write(folder.join("damaged/progress.csv"), "").unwrap();
        let mut tasks: Vec<_> = find_runs(&[folder.clone(), folder.join("missing")])
            .into_iter()
            .map(|run| (run.name, run.task, run.has_checkpoint))
            .collect();
        tasks.sort();
        let expected = [("a", "door"), ("b", "pen")];
        assert_eq!(tasks, expected.map(|(n, t)| (n.into(), t.into(), false)));
        assert_eq!(config_of(&folder.join("b")).unwrap().task, "pen");
        assert!(
            config_of(&folder.join("c"))
                .unwrap_err()
                .contains("config.toml")
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
