//! Where the commands work: the project's folder, its cargo, its ignored cache. Knows places, runs nothing.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process::Program;

/// The project on this machine.
#[derive(Debug)]
pub(crate) struct Workshop {
    root: PathBuf,
    cargo: OsString,
}

/// How the workspace is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Compiled quickly.
    Dev,
    /// As it is deployed.
    Release,
}

impl Profile {
    const fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

impl Workshop {
    /// Finds the project: the folder above this crate.
    ///
    /// # Errors
    /// When that folder holds no workspace.
    pub(crate) fn open() -> Result<Self, Failure> {
        // Cargo sets it at run time as well; the folder that was compiled in may have moved.
        let here = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = here.parent().unwrap_or(&here).to_owned();
        if !root.join("Cargo.lock").is_file() {
            return Err(Failure::new(format!("{} is not the project's folder", root.display()))
                .mend("run `cargo xtask ...` somewhere inside the clone"));
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Self { root, cargo })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where tools and data of the project's own are kept; ignored by git.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join(".cache")
    }

    /// Where the binary `name` stands after a build in the dev profile.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.binary_of(Profile::Dev, name)
    }

    /// Where the binary `name` stands after a build.
    pub(crate) fn binary_of(&self, profile: Profile, name: &str) -> PathBuf {
        binary_in(&self.target().join(profile.folder()), name)
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }

    /// Cargo in the project's folder.
    pub(crate) fn cargo(&self) -> Program {
        self.cargo_in(&self.root)
    }

    /// Cargo in another workspace of the project.
    pub(crate) fn cargo_in(&self, folder: &Path) -> Program {
        Program::new(&self.cargo, folder)
    }

    /// A program in the project's folder.
    pub(crate) fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Program {
        Program::new(program, &self.root)
    }
}

/// The binary `name` in a folder, as this system calls it.
pub(crate) fn binary_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}
