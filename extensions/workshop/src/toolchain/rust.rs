//! Rust: rustup's target, and the SDK's dependencies fetched once, so that builds need no network.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::missing;
use crate::program::{Program, on_path};
use crate::{Fault, Language, shipped};

/// The target of components.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// A Rust that compiles components.
#[derive(Debug)]
pub(crate) struct Rust {
    pub(crate) cargo: OsString,
}

impl Rust {
    pub(crate) fn find() -> Result<Rust, Fault> {
        let cargo = cargo()?;
        if !sysroot()?.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
            return Err(missing(Language::Rust, &format!("the target {TARGET}")));
        }
        Ok(Rust { cargo })
    }

    pub(crate) fn install(folder: &Path, tell: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        let cargo = cargo()?;
        if Rust::find().is_err() {
            tell(&format!("rustup target add {TARGET}"));
            Program::new("rustup", Path::new(".")).args(["target", "add", TARGET]).run().map_err(
                |fault| {
                    fault.mend(format!(
                        "install Rust by rustup (https://rustup.rs), then: rustup target add {TARGET}"
                    ))
                },
            )?;
        }
        tell("cargo fetch: what the SDK depends on");
        let (sdk, points) = (folder.join("sdk").join("rust"), folder.join("points"));
        shipped::unpack("sdk/rust", &sdk)?;
        shipped::unpack("custom", &folder.join("custom"))?;
        shipped::unpack("points", &points)?;
        Program::new(cargo, &sdk).args(["fetch", "--locked", "--target", TARGET]).run().map(drop)
    }
}

fn cargo() -> Result<OsString, Fault> {
    on_path("cargo").ok_or_else(|| {
        Fault::new("cargo is not on PATH, and rust needs it")
            .mend("install Rust by rustup: https://rustup.rs")
    })
}

fn sysroot() -> Result<PathBuf, Fault> {
    let said = Program::new("rustc", Path::new(".")).args(["--print", "sysroot"]).run()?;
    Ok(PathBuf::from(said.trim()))
}
