//! Python: the machine's Python 3, a virtual environment of our own, and componentize-py in it. Other languages take
//! programs from Python's registry too, which carries them prebuilt.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::missing;
use crate::program::{Program, on_path};
use crate::{Fault, Language, shipped};

#[cfg(windows)]
const SCRIPTS: &str = "Scripts";
#[cfg(not(windows))]
const SCRIPTS: &str = "bin";

const PACKAGES: &[&str] = &["componentize-py==0.25.1"];

/// A componentize-py.
#[derive(Debug)]
pub(crate) struct Python {
    pub(crate) componentize: PathBuf,
}

impl Python {
    pub(crate) fn find(folder: &Path) -> Result<Python, Fault> {
        let environment = Environment::find(folder, PACKAGES)
            .ok_or_else(|| missing(Language::Python, "componentize-py (of Python's registry)"))?;
        Ok(Python { componentize: environment.program("componentize-py") })
    }

    pub(crate) fn install(folder: &Path, tell: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        Environment::install(folder, PACKAGES, tell).map(drop)
    }
}

/// A virtual environment that holds these packages.
#[derive(Debug)]
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The environment, if it was installed with these very packages.
    pub(crate) fn find(folder: &Path, packages: &[&str]) -> Option<Environment> {
        let installed = std::fs::read_to_string(installed(folder)).ok()?;
        (installed == packages.join("\n")).then(|| Environment { folder: folder.to_owned() })
    }

    pub(crate) fn install(
        folder: &Path,
        packages: &[&str],
        tell: &mut dyn FnMut(&str),
    ) -> Result<Environment, Fault> {
        if let Some(there) = Environment::find(folder, packages) {
            return Ok(there);
        }
        let python = python()?;
        tell(&format!("pip install {} into {}", packages.join(" "), folder.display()));
        Program::new(python, Path::new(".")).args(["-m", "venv", "--clear"]).arg(folder).run()?;
        let environment = Environment { folder: folder.to_owned() };
        Program::new(environment.program("python"), Path::new("."))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--only-binary", ":all:"])
            .args(packages)
            .run()
            .map_err(|fault| fault.mend("it needs Python's registry once; then builds need no network"))?;
        shipped::write(&installed(folder), packages.join("\n").as_bytes())?;
        Ok(environment)
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(SCRIPTS).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

fn installed(folder: &Path) -> PathBuf {
    folder.join("installed.txt")
}

/// The machine's Python 3, with what it takes to make a virtual environment.
fn python() -> Result<OsString, Fault> {
    ["python3", "python"]
        .into_iter()
        .filter_map(on_path)
        .find(|python| {
            Program::new(python, Path::new(".")).args(["-c", "import venv, ensurepip"]).run().is_ok()
        })
        .ok_or_else(|| {
            Fault::new("no Python 3 with `venv` on PATH")
                .mend("install Python 3.10 or later and, on Debian, python3-venv")
        })
}
