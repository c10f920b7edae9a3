//! Files that are whole or absent, also after a power cut.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::error::DatasetError;

/// What the name of a file that is not yet whole ends in.
pub(crate) const UNFINISHED: &str = "writing";

/// Writes a file whole or not at all: temporary name beside it, sync, rename, sync of the folder.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    let temporary = path.with_extension(UNFINISHED);
    let written = write_synced(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_folder(folder));
    if written.is_err() {
        // The space is better used by what is whole; the error that is returned says why.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|error| DatasetError::io("write", path, error))
}

/// Makes a folder and those above it, durable.
pub(crate) fn create_folder(path: &Path) -> Result<(), DatasetError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)
        .and_then(|()| path.parent().map_or(Ok(()), sync_folder))
        .map_err(|error| DatasetError::io("create", path, error))
}

/// Appends a line to a file and waits until the disk has it.
pub(crate) fn append_line(path: &Path, line: &str) -> Result<(), DatasetError> {
    let append = || {
        let mut file = File::options().create(true).append(true).open(path)?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_all()
    };
    append().map_err(|error| DatasetError::io("write", path, error))
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DatasetError> {
    fs::read(path).map_err(|error| DatasetError::io("read", path, error))
}

/// Removes files that were not finished, below a folder; how many there were.
pub(crate) fn remove_unfinished(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            removed += remove_unfinished(&path)?;
        } else if path.extension().is_some_and(|kind| kind == UNFINISHED) {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes renames in a folder durable. An empty path is the present folder.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)?.sync_all()
}
