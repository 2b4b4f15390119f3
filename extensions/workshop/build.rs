//! Embeds what a project is made of, as one table of path and content: the templates, the SDKs, the WIT of every point
//! and of operations of one's own. A point, a template or a file of an SDK that is added is one more entry, with no line of
//! Rust. It reads and checks nothing of them: the tests render every template.

use std::path::{Path, PathBuf};
use std::{env, fs};

type Failure = Box<dyn std::error::Error>;

/// Folders that hold what was made, not what was written.
const MADE: [&str; 4] = ["target", "node_modules", "__pycache__", "build"];

fn main() -> Result<(), Failure> {
    let extensions = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    let mut files = Vec::new();
    for folder in ["workshop/templates", "workshop/toolchains", "sdk", "custom/wit"] {
        walk(&extensions.join(folder), &mut files)?;
    }
    println!("cargo::rerun-if-changed={}", extensions.join("points").display());
    for point in fs::read_dir(extensions.join("points"))? {
        walk(&point?.path().join("wit"), &mut files)?;
    }
    let mut named = Vec::new();
    for file in files {
        named.push((file.strip_prefix(&extensions)?.to_string_lossy().replace('\\', "/"), file));
    }
    // By the text of the name: that is how they are looked up.
    named.sort();
    let mut table = String::from("&[\n");
    for (name, file) in named {
        table.push_str(&format!("    ({name:?}, include_bytes!({:?})),\n", file.display().to_string()));
    }
    table.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("shipped.rs"), table)?;
    Ok(())
}

/// All files below a folder; none where there is no folder. Hidden ones are left out.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || MADE.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}
