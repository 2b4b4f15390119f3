//! What has to hold of every flow in `orchestrations` and `examples`: found by themselves, so that a new trade is held
//! without a line of Rust. Tests only.

mod transcripts;
mod ways;

use std::path::{Path, PathBuf};

use crate::compose::{Answering, Simulation};

/// The project's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The shipped platform without extensions.
fn simulation() -> Simulation {
    Simulation { answering: Answering::none() }
}

/// The folders of trades, by name.
fn trades() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for parent in ["orchestrations/trades", "examples/flows"] {
        let Ok(entries) = std::fs::read_dir(root().join(parent)) else { continue };
        found.extend(
            entries.map(|entry| entry.unwrap().path()).filter(|path| path.join("flow.yaml").is_file()),
        );
    }
    found.sort();
    found
}
