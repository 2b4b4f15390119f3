//! Holds that a released WIT file never changes, and that every WIT file is released.
//! What the files mean is for the points' own tests.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let released: BTreeMap<String, String> =
        toml::from_str(&fs::read_to_string(root.join("released.toml")).unwrap()).unwrap();
    let mut files = Vec::new();
    wit_files(root, &mut files);
    let present: BTreeMap<String, String> = files
        .iter()
        .map(|file| {
            let name = file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            (name, blake3::hash(&fs::read(file).unwrap()).to_hex().to_string())
        })
        .collect();
    assert_eq!(present, released, "left: the files here, right: released.toml");
}
