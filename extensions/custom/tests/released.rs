//! Holds that a released WIT file never changes. What it means is for the tests of the example.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn released_wit_is_unchanged_and_complete() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let released: BTreeMap<String, String> =
        toml::from_str(&fs::read_to_string(folder.join("released.toml")).unwrap()).unwrap();
    let versions = fs::read_dir(folder.join("wit")).unwrap();
    let present: BTreeMap<String, String> = versions
        .map(|version| format!("wit/{}/world.wit", version.unwrap().file_name().to_str().unwrap()))
        .map(|file| {
            let hash = blake3::hash(&fs::read(folder.join(&file)).unwrap()).to_hex().to_string();
            (file, hash)
        })
        .collect();
    assert_eq!(present, released, "left: the files, right: released.toml");
}
