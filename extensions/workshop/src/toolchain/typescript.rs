//! TypeScript: Node.js of the machine, and npm's packages of one lock (jco for types, tsc, rolldown, componentize-qjs).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::missing;
use crate::program::{Program, on_path};
use crate::{Fault, Language, shipped};

/// What was installed, as the lock of it; beside it stands what it installed.
const LOCK: &str = "package-lock.json";
const INSTALLED: &str = "node_modules/.installed";

/// A Node.js with the packages.
#[derive(Debug)]
pub(crate) struct TypeScript {
    pub(crate) node: OsString,
    /// The script that builds a project.
    pub(crate) script: PathBuf,
}

impl TypeScript {
    pub(crate) fn find(folder: &Path) -> Result<TypeScript, Fault> {
        let node = node()?;
        let installed = std::fs::read_to_string(folder.join(INSTALLED)).unwrap_or_default();
        if installed != lock() {
            return Err(missing(
                Language::TypeScript,
                "the toolchain (npm's componentize-qjs, jco, rolldown, typescript)",
            ));
        }
        // The script is this program's, the packages are the lock's.
        shipped::unpack("workshop/toolchains/typescript", folder)?;
        Ok(TypeScript { node, script: folder.join("build.mjs") })
    }

    pub(crate) fn install(folder: &Path, tell: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        node()?;
        if TypeScript::find(folder).is_ok() {
            return Ok(());
        }
        let npm = on_path("npm").ok_or_else(|| {
            Fault::new("npm is not on PATH, and typescript needs it")
                .mend("install Node.js 20 or later with npm")
        })?;
        shipped::unpack("workshop/toolchains/typescript", folder)?;
        tell(&format!("npm ci: 130 packages, 270 MB, into {}", folder.display()));
        Program::new(npm, folder)
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .run()
            .map_err(|fault| fault.mend("it needs npm's registry once; then builds need no network"))?;
        shipped::write(&folder.join(INSTALLED), lock().as_bytes())
    }
}

fn lock() -> &'static str {
    shipped::text(&format!("workshop/toolchains/typescript/{LOCK}")).unwrap_or_default()
}

fn node() -> Result<OsString, Fault> {
    on_path("node").ok_or_else(|| {
        Fault::new("node is not on PATH, and typescript needs it").mend("install Node.js 20 or later")
    })
}
