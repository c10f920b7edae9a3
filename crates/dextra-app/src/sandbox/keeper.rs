//! Loads a scene and loads it again whenever one of its files changes, on a thread of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use dextra_sim::{Model, PhysicsOptions, Snapshot, scene_files};
use dextra_tasks::{Env, EnvOptions, scenes_dir};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_millis(250);

/// Where a scene comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Origin {
    /// An MJCF file.
    File(PathBuf),
    /// A task's scene, as the episode of a seed begins.
    Task { name: String, seed: u64 },
}

impl Origin {
    /// A file, or where there is none of that name, the scene of the task of that name.
    pub fn named(path: PathBuf) -> Self {
        let name = path.to_string_lossy();
        match dextra_tasks::task_names()
            .iter()
            .find(|task| **task == name)
        {
            Some(task) if !path.exists() => Self::Task {
                name: (*task).to_owned(),
                seed: 0,
            },
            _ => Self::File(path),
        }
    }

    /// A short name.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned(),
            Self::Task { name, .. } => name.clone(),
        }
    }
}

/// A scene that could be loaded.
pub(crate) struct Loaded {
    pub model: Arc<Model>,
    /// Its MJCF file.
    pub file: PathBuf,
    /// The state to begin in, where it is not the reference configuration.
    pub start: Option<Box<Snapshot>>,
}

/// The thread; it ends when this is dropped.
pub(crate) struct Keeper {
    reload: Sender<()>,
    loaded: Receiver<Result<Loaded, String>>,
}

impl Keeper {
    /// Begins to load and to watch.
    pub fn start(origin: Origin) -> Self {
        let (reload, wishes) = unbounded();
        let (sender, loaded) = unbounded();
        thread::spawn(move || keep(&origin, &wishes, &sender));
        Self { reload, loaded }
    }

    /// Loads again, whether or not a file changed.
    pub fn reload(&self) {
        let _ = self.reload.send(());
    }

    /// What was loaded since the last call, or why it could not be.
    pub fn take(&self) -> Option<Result<Loaded, String>> {
        self.loaded.try_iter().last()
    }
}

type Stamps = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

fn keep(origin: &Origin, wishes: &Receiver<()>, out: &Sender<Result<Loaded, String>>) {
    loop {
        // Looked at before loading: what changes meanwhile is loaded next.
        let stamps = stamps(files(origin));
        if out.send(load(origin)).is_err() {
            return;
        }
        loop {
            match wishes.recv_timeout(EVERY) {
                Ok(()) => break,
                Err(RecvTimeoutError::Timeout) if stamps == stamps_of(&stamps) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

fn stamps(files: Vec<PathBuf>) -> Stamps {
    files
        .into_iter()
        .map(|path| {
            let stamp = stamp(&path);
            (path, stamp)
        })
        .collect()
}

fn stamps_of(known: &Stamps) -> Stamps {
    stamps(known.iter().map(|(path, _)| path.clone()).collect())
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let found = fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

fn files(origin: &Origin) -> Vec<PathBuf> {
    match origin {
        Origin::File(path) => scene_files(path),
        Origin::Task { name, .. } => match dextra_tasks::TaskModel::load(name) {
            Ok(task) => task.files(),
            // Broken: what to wait for are changes of the task's file and of the scenes beside it.
            Err(_) => scenes_dir()
                .map(|folder| beside(&folder, name))
                .unwrap_or_default(),
        },
    }
}

fn beside(folder: &Path, task: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "xml"))
        .collect();
    files.push(folder.join(format!("{task}.toml")));
    files.sort();
    files
}

fn load(origin: &Origin) -> Result<Loaded, String> {
    match origin {
        Origin::File(path) => {
            let model = Model::load(path, &PhysicsOptions::default());
            Ok(Loaded {
                model: Arc::new(model.map_err(|error| error.to_string())?),
                file: path.clone(),
                start: None,
            })
        }
        Origin::Task { name, seed } => {
            let mut env = Env::make(name, &EnvOptions::default()).map_err(|e| e.to_string())?;
            env.reset(*seed);
            Ok(Loaded {
                model: Arc::clone(env.sim().model()),
                file: env.task_model().scene_file().to_owned(),
                start: Some(Box::new(env.sim().snapshot())),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::time::Instant;

    use super::*;

    /// The keeper's next word, which comes within its period.
    fn next(keeper: &Keeper) -> Result<Loaded, String> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if let Some(loaded) = keeper.take() {
                return loaded;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("nothing was loaded")
    }

    #[test]
    fn a_scene_is_loaded_again_when_an_include_changes_and_told_when_it_breaks() {
        let folder = std::env::temp_dir().join(format!("dextra-keeper-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (main, part) = (folder.join("main.xml"), folder.join("part.xml"));
        let body = |mass: &str| {
            format!(
                "<mujoco><worldbody><body><freejoint/>\n<geom size='0.1' mass='{mass}'/>\
                 </body></worldbody></mujoco>"
            )
        };
        fs::write(&main, "<mujoco><include file='part.xml'/></mujoco>").unwrap();
        let keeper = Keeper::start(Origin::File(main));
        assert!(next(&keeper).is_err_and(|problem| problem.contains("part.xml")));
        fs::write(&part, body("2")).unwrap();
        assert_eq!(next(&keeper).unwrap().model.bodies[1].mass, 2.0);
        fs::write(&part, body("two")).unwrap();
        assert!(next(&keeper).is_err_and(|problem| problem.contains("part.xml:2")));
        fs::write(&part, body("3.5")).unwrap();
        assert_eq!(next(&keeper).unwrap().model.bodies[1].mass, 3.5);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_tasks_scene_begins_where_its_episode_does() {
        let name = "door".to_owned();
        let keeper = Keeper::start(Origin::Task { name, seed: 5 });
        let loaded = next(&keeper).unwrap();
        assert!(
            loaded
                .start
                .is_some_and(|s| s.model_hash() == loaded.model.hash())
        );
        assert!(loaded.file.ends_with("adroit_door.xml"));
    }
}
