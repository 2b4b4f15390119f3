//! Walks and reads the project's own files: what is built, cached or hidden is not source. Judges nothing. Errors name
//! the file. The tree tests use it too.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders that hold what was made, not what was written.
const MADE: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// All files below `folder` whose name `wanted` accepts, in order of their paths; none if the folder is not there.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn files(folder: &Path, wanted: &dyn Fn(&OsStr) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = Vec::new();
    if folder.is_dir() {
        folders.push(folder.to_owned());
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| at(&folder, &error))? {
            let entry = entry.map_err(|error| at(&folder, &error))?;
            let name = entry.file_name();
            let kind = entry.file_type().map_err(|error| at(&entry.path(), &error))?;
            let hidden = name.to_string_lossy().starts_with('.');
            if kind.is_dir() && !hidden && !MADE.iter().any(|made| name == *made) {
                folders.push(entry.path());
            } else if kind.is_file() && wanted(&name) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a file.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub(crate) fn read(file: &Path) -> io::Result<String> {
    fs::read_to_string(file).map_err(|error| at(file, &error))
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
