//! What this program carries for authors: templates, SDKs, the WIT of every point. Reads no disk, writes what it is told to.

use std::fs;
use std::path::Path;

use crate::Fault;

/// Path from `extensions/`, and content; in order of the paths.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The files below a folder, with their paths from it.
pub(crate) fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> + use<> {
    let folder = format!("{folder}/");
    FILES.iter().filter_map(move |(path, content)| Some((path.strip_prefix(folder.as_str())?, *content)))
}

/// A file that is text.
pub(crate) fn text(path: &str) -> Option<&'static str> {
    let index = FILES.binary_search_by_key(&path, |(path, _)| path).ok()?;
    std::str::from_utf8(FILES[index].1).ok()
}

/// The points with the versions of their worlds, oldest first: those whose WIT is carried.
pub(crate) fn worlds() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut worlds: Vec<(&str, Vec<&str>)> = Vec::new();
    for (path, _) in below("points") {
        let mut parts = path.split('/');
        let (Some(point), Some("wit"), Some(version)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        match worlds.last_mut() {
            Some((last, versions)) if *last == point => {
                if !versions.contains(&version) {
                    versions.push(version);
                }
            }
            _ => worlds.push((point, vec![version])),
        }
    }
    for (_, versions) in &mut worlds {
        versions.sort_by_key(|version| numbers(version));
    }
    worlds
}

/// `1.10` behind `1.9`.
fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// Writes the files below a folder to another, where they differ from what is there: a build tool takes a file that
/// was written as one that has changed.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn unpack(folder: &str, into: &Path) -> Result<(), Fault> {
    below(folder).try_for_each(|(path, content)| write(&into.join(path), content))
}

/// Writes a file unless it holds this already.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(file: &Path, content: &[u8]) -> Result<(), Fault> {
    if fs::read(file).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| Fault::file(folder, &error))?;
    }
    fs::write(file, content).map_err(|error| Fault::file(file, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_carried_with_its_versions() {
        let worlds = worlds();
        let unit_price = worlds.iter().find(|(point, _)| *point == "unit-price").unwrap();
        assert_eq!(unit_price.1[0], "1.0");
        assert!(text("points/unit-price/wit/1.0/world.wit").unwrap().contains("world unit-price"));
        assert!(text("sdk/rust/src/lib.rs").is_some());
        assert!(FILES.is_sorted_by_key(|(path, _)| *path));
        assert!(FILES.iter().all(|(path, _)| !path.contains("/target/") && !path.contains("node_modules")));
    }

    #[test]
    fn versions_are_numbers() {
        assert!(numbers("1.10") > numbers("1.9"));
    }
}
