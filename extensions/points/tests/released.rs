//! Holds that a released WIT file never changes, that every WIT file is released, and that every folder is on the list of
//! points. What the files mean is for the points' own tests.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mortise_points::POINTS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn wit_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            wit_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "wit") {
            found.push(path);
        }
    }
}

#[test]
fn released_wit_is_unchanged_and_complete() {
    for (point, version) in POINTS {
        let folder = root().join(point);
        let released: BTreeMap<String, String> =
            toml::from_str(&fs::read_to_string(folder.join("released.toml")).unwrap()).unwrap();
        let mut files = Vec::new();
        wit_files(&folder, &mut files);
        let present: BTreeMap<String, String> = files
            .iter()
            .map(|file| {
                let name = file.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
                (name, blake3::hash(&fs::read(file).unwrap()).to_hex().to_string())
            })
            .collect();
        assert_eq!(present, released, "left: the files of {point}, right: its released.toml");
        assert!(present.contains_key(&format!("wit/{version}/world.wit")), "{point} {version}");
    }
}

#[test]
fn every_folder_with_a_world_is_a_point_with_a_worked_example() {
    let folders = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let points: BTreeSet<String> = folders
        .filter(|folder| folder.join("wit").is_dir())
        .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let listed: BTreeSet<String> = POINTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(points, listed, "left: the folders, right: every_point!");
    for point in points {
        let readme = fs::read_to_string(root().join(&point).join("README.md")).unwrap();
        assert!(readme.contains("## A worked example"), "{point}/README.md has no worked example");
    }
}
