//! Every extension of the cookbook on the real host: each loads, and answers its own cases as they say.

use std::path::{Path, PathBuf};

use mortise_host::{Case, Extension, Runtime};

use crate::support::{self, runtime};

/// The folders with a manifest beside the shipped example, which are built with it.
fn cookbook() -> Vec<PathBuf> {
    let shelf = support::loyal_price();
    let entries = std::fs::read_dir(shelf.parent().unwrap()).unwrap();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        // What answers no point has its tests where it is called.
        .filter(|folder| folder.join("extension.toml").is_file() && folder.join("cases").is_dir())
        .collect();
    folders.sort();
    folders
}

fn differences(runtime: &Runtime, extension: &Extension, file: &Path) -> Vec<String> {
    let case = Case::from_json(&std::fs::read_to_string(file).unwrap()).unwrap();
    let run = case.run(runtime, extension).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    run.differences.into_iter().map(|difference| format!("{}: {difference}", file.display())).collect()
}

#[test]
fn every_extension_of_the_cookbook_answers_as_its_cases_say() {
    let runtime = runtime();
    let folders = cookbook();
    let mut off = Vec::new();
    for folder in &folders {
        let extension = Extension::load(&runtime, folder).unwrap_or_else(|error| panic!("{error}"));
        let cases = std::fs::read_dir(folder.join("cases")).unwrap();
        let files: Vec<PathBuf> = cases.map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 2, "{} says too little of what it answers", folder.display());
        off.extend(files.iter().flat_map(|file| differences(&runtime, &extension, file)));
        assert!(folder.join("README.md").is_file(), "{} has no README", folder.display());
    }
    assert!(folders.len() >= 6, "{folders:?}");
    assert!(off.is_empty(), "\n{}", off.join("\n"));
}
