//! `cargo xtask release`: the platform as it is deployed. A compiler that knows which way each branch goes lays a program out better
//! (profile-guided optimisation), so it is built once to count, shown the trades of the benchmarks, and built again with the counts.
//! What is shown is the benchmarks' business.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use super::{Next, build_guests, note};
use crate::failure::Failure;
use crate::process::Program;
use crate::say;
use crate::source;
use crate::stage::Stages;
use crate::tools;
use crate::workshop::{Profile, Workshop};

/// Where no file can be: a child without our variables, as the compiler of extensions is, keeps its counts to itself.
const NOWHERE: &str = "/dev/null/counts";

/// Where a benchmark keeps its data.
const DISK: &str = "--disk";
/// Which program a benchmark tries.
const TRIED: &str = "MORTISE_BIN";

/// What the program that counts is shown. What it never sees is compiled to be small.
const SHOWN: [&[&str]; 3] = [
    &["checkout", "--parts", "uniform", "--callers", "64", "--seconds", "8"],
    &["checkout", "--parts", "uniform,one-sku,bids", "--callers", "16", "--seconds", "4"],
    &["conditions", "--parts", "paid", "--seconds", "4"],
];
/// The same where PostgreSQL's programs are.
const SHOWN_ON_POSTGRES: [&[&str]; 1] = [&["postgres", "--crowds", "64,1", "--seconds", "5"]];

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    let disk = match args {
        [] => None,
        [option, disk] if option == DISK => Some(disk.as_str()),
        _ => {
            return Err(Failure::new(
                "`cargo xtask release` takes `--disk DIR`, where it trades to count, and nothing else",
            ));
        }
    };
    build_guests(workshop, stages)?;
    stages.run("the benchmarks, optimised", || benchmarks(workshop))?;
    let counts = count(workshop, stages, disk)?;
    let program = stages.run("the platform, with the counts", || with_counts(workshop, &counts))?;
    say::result(&program.display().to_string());
    Ok(Next::Done)
}

/// Has a program of the benchmarks try the platform as it is deployed, unless its arguments or the environment name another. The counts
/// are of an earlier run, where there are some for these dependencies and compilers.
///
/// # Errors
/// What cannot be built, a benchmark that fails.
pub(super) fn deployed(
    workshop: &Workshop,
    stages: &mut Stages,
    args: &[String],
    benchmarks: Program,
) -> Result<Program, Failure> {
    if env::var_os(TRIED).is_some() || args.iter().any(|arg| arg.starts_with("--mortise")) {
        return Ok(benchmarks);
    }
    let counts = match Counts::find(workshop)? {
        Some(counts) => {
            let earlier = counts.rust.display();
            note(&format!("counted by an earlier run: {earlier}; `cargo xtask release` counts anew"));
            counts
        }
        None => {
            let disk = args.iter().position(|arg| arg == DISK).and_then(|at| args.get(at + 1));
            count(workshop, stages, disk.map(String::as_str))?
        }
    };
    let platform = stages.run("the platform, with the counts", || with_counts(workshop, &counts))?;
    Ok(benchmarks.variable(TRIED, platform))
}

/// `mortise-bench`, optimised.
pub(super) fn benchmarks(workshop: &Workshop) -> Result<(), Failure> {
    workshop.cargo().args(["build", "--locked", "--release", "--package", "mortise-bench"]).run()
}

/// What was counted, in a folder whose name says what of: cargo builds again when it changes.
#[derive(Debug)]
struct Counts {
    /// Of what Rust compiles.
    rust: PathBuf,
    /// Of what gcc compiles, SQLite above all: a file for each object.
    c: PathBuf,
}

impl Counts {
    /// Those that are there.
    fn find(workshop: &Workshop) -> Result<Option<Self>, Failure> {
        let merged = source::files(&Self::folder(workshop)?, &|name| name == MERGED)?;
        Ok(merged.into_iter().next().map(|rust| Self { c: rust.with_file_name(""), rust }))
    }

    /// Counts are of use for the same dependencies, settings and compilers.
    fn folder(workshop: &Workshop) -> Result<PathBuf, Failure> {
        let mut key = DefaultHasher::new();
        for file in ["Cargo.lock", "Cargo.toml", ".cargo/config.toml"] {
            source::read(&workshop.root().join(file))?.hash(&mut key);
        }
        tools::compiler(workshop)?.words.hash(&mut key);
        gcc(workshop).hash(&mut key);
        has_postgres(workshop).hash(&mut key);
        Ok(workshop.cache().join(format!("counts/{:016x}", key.finish())))
    }
}

const MERGED: &str = "mortise.profdata";

/// Builds the program that counts, shows it what there is to be seen, and gathers what it has counted.
fn count(workshop: &Workshop, stages: &mut Stages, disk: Option<&str>) -> Result<Counts, Failure> {
    let merger = stages.run("set-up: LLVM's tools", || tools::profdata(workshop))?;
    let program = stages.run("the platform, so that it counts its branches", || {
        let mut rust = vec![format!("-Cprofile-generate={NOWHERE}"), "-Cdebuginfo=0".to_owned()];
        let mut c = Vec::new();
        if gcc(workshop).is_some() {
            rust.push("-Clink-arg=-lgcov".to_owned());
            c.push(format!("-fprofile-generate={NOWHERE}"));
            c.push("-fprofile-update=prefer-atomic".to_owned());
        } else {
            note("SQLite is not counted: the C compiler is not gcc");
        }
        build(workshop, rust, c)
    })?;
    stages.run("what it counts while it trades", || {
        let folder = Counts::folder(workshop)?;
        let raw = folder.join("raw");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&raw)?;
        show(workshop, &program, &raw, disk, &SHOWN)?;
        if has_postgres(workshop) {
            show(workshop, &program, &raw, disk, &SHOWN_ON_POSTGRES)?;
        } else {
            note(
                "nothing is counted on PostgreSQL: its programs are not here, pgbench among them (Debian: `postgresql`)",
            );
        }
        gather(workshop, &merger, &raw, &folder)?;
        fs::remove_dir_all(&raw)?;
        Ok(())
    })?;
    Counts::find(workshop)?.ok_or_else(|| Failure::new("the program has counted nothing"))
}

/// Merges what the processes have counted.
fn gather(workshop: &Workshop, merger: &Path, raw: &Path, folder: &Path) -> Result<(), Failure> {
    let ending = |ending: &'static str| move |name: &OsStr| name.to_string_lossy().ends_with(ending);
    let merged = raw.join(MERGED);
    let counted = source::files(raw, &ending(".profraw"))?;
    workshop.program(merger).args(["merge", "-o"]).args([&merged]).args(&counted).run()?;
    let mut name = DefaultHasher::new();
    fs::read(&merged)?.hash(&mut name);
    let folder = folder.join(format!("{:016x}", name.finish()));
    fs::create_dir_all(&folder)?;
    for file in source::files(raw, &ending(".gcda"))?.iter().chain([&merged]) {
        fs::rename(file, folder.join(file.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn show(
    workshop: &Workshop,
    program: &Path,
    raw: &Path,
    disk: Option<&str>,
    shown: &[&[&str]],
) -> Result<(), Failure> {
    for benchmark in shown {
        workshop
            .program(workshop.binary_of(Profile::Release, "mortise-bench"))
            .args(*benchmark)
            .args(["--rounds", "1", "--let-end"])
            .args(disk.into_iter().flat_map(|disk| [DISK, disk]))
            .variable(TRIED, program)
            // Four files, into which processes merge.
            .variable("LLVM_PROFILE_FILE", raw.join("%4m.profraw"))
            .variable("GCOV_PREFIX", raw)
            .variable("GCOV_PREFIX_STRIP", "99")
            .run_quietly()?;
    }
    Ok(())
}

fn with_counts(workshop: &Workshop, counts: &Counts) -> Result<PathBuf, Failure> {
    let c = match gcc(workshop) {
        Some(_) => vec![
            format!("-fprofile-use={}", counts.c.display()),
            // Threads that count at once miss each other's.
            "-fprofile-correction".to_owned(),
            "-Wno-coverage-mismatch".to_owned(),
            "-Wno-missing-profile".to_owned(),
        ],
        None => Vec::new(),
    };
    build(workshop, vec![format!("-Cprofile-use={}", counts.rust.display())], c)
}

/// Builds the platform for this machine's own target, named, so that the Rust that runs in the build itself is built as ever.
fn build(workshop: &Workshop, mut rust: Vec<String>, mut c: Vec<String>) -> Result<PathBuf, Failure> {
    let host = tools::compiler(workshop)?.host;
    let given = |variable: &str| env::var(variable).unwrap_or_default();
    rust.splice(0..0, given("RUSTFLAGS").split_whitespace().map(str::to_owned));
    let c_flags = format!("CFLAGS_{}", host.replace('-', "_"));
    if !c.is_empty() {
        // By the folder that it notes, gcc names what is local to a file; cargo's changes with each setting.
        c.push("-dumpdir /".to_owned());
    }
    workshop
        .cargo()
        .args(["build", "--locked", "--release", "--package", "mortise", "--target", &host])
        .variable("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"))
        .variable(&c_flags, format!("{} {}", given(&c_flags), c.join(" ")))
        .run()?;
    Ok(workshop.binary_for(&host, Profile::Release, "mortise"))
}

/// What the C compiler says of itself, where it is gcc.
fn gcc(workshop: &Workshop) -> Option<String> {
    let host = tools::compiler(workshop).ok()?.host.replace('-', "_");
    let named = [format!("CC_{host}"), "CC".to_owned()].iter().find_map(|variable| env::var(variable).ok());
    let words = workshop.program(named.as_deref().unwrap_or("cc")).args(["--version"]).output()?;
    words.contains("Free Software Foundation").then_some(words)
}

fn has_postgres(workshop: &Workshop) -> bool {
    tools::has_postgres(workshop, &["initdb", "postgres", "pgbench"])
}
