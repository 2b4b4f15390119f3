//! The toolchains: what each language needs beside this program, found or installed by one command, from the package
//! registries and into one folder. It builds nothing; the system outside of that folder is not touched, but for rustup's
//! own target.

mod component;
mod go;
mod native;
mod python;
mod rust;
mod typescript;

use std::path::{Path, PathBuf};

pub(crate) use component::Componentizer;
pub(crate) use go::Go;
pub(crate) use native::Native;
pub(crate) use python::Python;
pub(crate) use rust::{Rust, TARGET as RUST_TARGET};
pub(crate) use typescript::TypeScript;

use crate::{Fault, Language};

/// Where toolchains and compiled components are kept.
#[derive(Clone, Debug)]
pub struct Workshop {
    cache: PathBuf,
}

impl Workshop {
    /// A workshop in a folder, which is made when something is put into it.
    #[must_use]
    pub fn at(cache: impl Into<PathBuf>) -> Workshop {
        Workshop { cache: cache.into() }
    }

    /// The folder.
    #[must_use]
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Where the host keeps what it compiled.
    #[must_use]
    pub fn compiled(&self) -> PathBuf {
        self.cache.join("compiled")
    }

    fn of(&self, language: Language) -> PathBuf {
        self.cache.join(language.name())
    }

    /// Installs what a language needs and is not there; `tell` gets a line before each thing that takes time.
    ///
    /// # Errors
    /// Something of the machine is missing that no registry has (rustup, Node.js, Python), or an installation fails.
    pub fn install(&self, language: Language, tell: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        match language {
            Language::Rust => Rust::install(&self.of(language), tell),
            Language::TypeScript => TypeScript::install(&self.of(language), tell),
            Language::Python => Python::install(&self.of(language), tell),
            Language::Go => Go::install(self, tell),
            Language::C => Native::install(self, tell),
        }
    }

    /// Whether a language can be built.
    ///
    /// # Errors
    /// What is missing, and the command that installs it.
    pub fn find(&self, language: Language) -> Result<(), Fault> {
        match language {
            Language::Rust => Rust::find().map(drop),
            Language::TypeScript => TypeScript::find(&self.of(language)).map(drop),
            Language::Python => Python::find(&self.of(language)).map(drop),
            Language::Go => Go::find(self).map(drop),
            Language::C => Native::find(self).map(drop),
        }
    }
}

/// The one sentence about a toolchain that is not there.
fn missing(language: Language, what: &str) -> Fault {
    Fault::new(format!("{what} is not installed, and {language} needs it"))
        .mend(format!("mortise ext toolchain {language}"))
}
