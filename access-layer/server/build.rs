//! Embeds the shipped trades: every `orchestrations/trades/*/flow.yaml`, and every further `*.yaml` beside it (a companion
//! flow of the trade), becomes an entry of a table that start-up publishes, so that adding a trade is adding files and no
//! trade's name stands in Rust. What lies in a folder below (`worlds/`) is not a flow. It checks nothing: the tests and
//! start-up do.

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

/// The flows by name, which is that of the folder, and for companions `folder/file`. Companions come first: a trade may
/// start one, and what it starts has to be published before it.
fn trades(root: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let (mut companions, mut trades) = (Vec::new(), Vec::new());
    for folder in entries(root)? {
        println!("cargo::rerun-if-changed={}", folder.display());
        let name = stem(&folder);
        if !folder.join("flow.yaml").is_file() {
            continue;
        }
        for file in entries(&folder)?.into_iter().filter(|file| file.is_file()) {
            if file.ends_with("flow.yaml") {
                trades.push((name.clone(), file));
            } else if file.extension().is_some_and(|extension| extension == "yaml") {
                companions.push((format!("{name}/{}", stem(&file)), file));
            }
        }
    }
    companions.append(&mut trades);
    Ok(companions)
}

/// What a folder holds, by name; nothing where there is no folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            found.push(entry?.path());
        }
    }
    found.sort();
    Ok(found)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
