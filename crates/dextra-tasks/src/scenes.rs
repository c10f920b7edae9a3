//! Where the scenes are.

use std::{env, path::PathBuf};

use crate::TaskError;

/// The folder with the scenes and the task files.
///
/// In this order: the environment variable `DEXTRA_SCENES`; `scenes` in the working folder;
/// `scenes` beside the executable or in a folder above it; `scenes` in the source tree that cargo runs
/// this program from, or else was built from (several trees may share one build folder, and cargo then
/// does not build again). A set `DEXTRA_SCENES` is taken as it is and never passed over.
///
/// # Errors
/// When none of them exists.
pub fn scenes_dir() -> Result<PathBuf, TaskError> {
    if let Some(named) = env::var_os("DEXTRA_SCENES") {
        return existing(vec![PathBuf::from(named)]);
    }
    let mut candidates = vec![PathBuf::from("scenes")];
    if let Ok(executable) = env::current_exe() {
        candidates.extend(
            executable
                .ancestors()
                .skip(1)
                .map(|folder| folder.join("scenes")),
        );
    }
    let packages = [
        env::var_os("CARGO_MANIFEST_DIR"),
        Some(env!("CARGO_MANIFEST_DIR").into()),
    ];
    for package in packages.into_iter().flatten() {
        candidates.push(PathBuf::from(package).join("../../scenes"));
    }
    existing(candidates)
}

/// The first candidate that holds a task file: a folder of that name alone may be anyone's.
fn existing(candidates: Vec<PathBuf>) -> Result<PathBuf, TaskError> {
    match candidates
        .iter()
        .find(|folder| folder.join("door.toml").is_file())
    {
        Some(folder) => Ok(folder.clone()),
        None => {
            let tried: Vec<_> = candidates.iter().map(|c| c.display().to_string()).collect();
            Err(TaskError::NoScenes {
                tried: tried.join(", "),
            })
        }
    }
}
