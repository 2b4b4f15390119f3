//! Embeds the shipped trades: every `orchestrations/trades/*/flow.yaml` becomes an entry of a table that start-up publishes,
//! so that adding a trade is adding a file and no trade's name stands in Rust. It checks nothing: the tests and start-up do.

use std::path::{Path, PathBuf};
use std::{env, fs};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../orchestrations/trades");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut table = String::from("&[\n");
    for (name, file) in trades(&root)? {
        println!("cargo::rerun-if-changed={}", file.display());
        let file = file.canonicalize()?;
        table.push_str(&format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string()));
    }
    table.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("shipped.rs"), table)?;
    Ok(())
}

/// The folders that hold a flow, by name.
fn trades(root: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut found = Vec::new();
    if root.is_dir() {
        for entry in fs::read_dir(root)? {
            let file = entry?.path().join("flow.yaml");
            let name =
                file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
            if let Some(name) = name.filter(|_| file.is_file()) {
                found.push((name, file));
            }
        }
    }
    found.sort();
    Ok(found)
}
