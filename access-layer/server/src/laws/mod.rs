//! What has to hold of every flow in `orchestrations` and `examples`: found by themselves, so that a new trade is held
//! without a line of Rust. Flows beside an extension need it, and are held by its own tests. Tests only.

mod seeds;
mod transcripts;
mod ways;

use std::path::{Path, PathBuf};

use mortise_simulator::name_of;

use crate::compose::{Answering, Simulation};

/// The project's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The shipped platform without extensions.
fn simulation() -> Simulation {
    Simulation { answering: Answering::none() }
}

/// The folders that hold flows, each with the names of its flows.
fn trades() -> Vec<(PathBuf, Vec<String>)> {
    let mut found = Vec::new();
    for parent in ["orchestrations", "examples"] {
        look_in(&root().join(parent), &mut found);
    }
    assert!(!found.is_empty(), "there is no flow");
    found
}

fn look_in(folder: &Path, found: &mut Vec<(PathBuf, Vec<String>)>) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let flow = |path: &PathBuf| {
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml");
        if is_yaml { name_of(&std::fs::read_to_string(path).unwrap()) } else { None }
    };
    let names: Vec<String> = paths.iter().filter_map(flow).collect();
    if !names.is_empty() {
        found.push((folder.to_owned(), names));
    }
    let has_trades =
        |path: &&PathBuf| path.is_dir() && !path.ends_with("target") && !path.ends_with("extensions");
    for path in paths.iter().filter(has_trades) {
        look_in(path, found);
    }
}
