//! C: zig's wheel in Python's registry is a clang with the C library for WebAssembly.

use std::path::PathBuf;

use super::component::WASM_TOOLS;
use super::python::Environment;
use super::{Componentizer, Workshop, missing};
use crate::{Fault, Language};

const PACKAGES: &[&str] = &["ziglang==0.17.1", WASM_TOOLS];

/// A C compiler for WebAssembly, and what makes components of its modules.
#[derive(Debug)]
pub(crate) struct Native {
    /// A Python whose module `ziglang` is the compiler.
    pub(crate) python: PathBuf,
    pub(crate) componentizer: Componentizer,
    /// What the compiler keeps from build to build: the C library, compiled.
    pub(crate) cache: PathBuf,
}

impl Native {
    pub(crate) fn find(workshop: &Workshop) -> Result<Native, Fault> {
        let folder = workshop.of(Language::C);
        let found = Environment::find(&folder, PACKAGES).and_then(|environment| {
            let componentizer = Componentizer::find(workshop, &environment)?;
            Some(Native {
                python: environment.program("python"),
                componentizer,
                cache: folder.join("build-cache"),
            })
        });
        found.ok_or_else(|| missing(Language::C, "the toolchain (zig's clang, wasm-tools, wit-bindgen)"))
    }

    pub(crate) fn install(workshop: &Workshop, tell: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        Environment::install(&workshop.of(Language::C), PACKAGES, tell)?;
        Componentizer::install(workshop, tell)
    }
}
