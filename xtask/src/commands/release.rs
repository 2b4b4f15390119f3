//! `cargo xtask release`: the platform as it is deployed. A compiler that knows which way each branch goes lays a program out better
//! (profile-guided optimisation), so it is built once to count, shown the trades of the benchmarks, and built again with the counts.
//! What is shown is the benchmarks' business.

use std::env;
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
use crate::workshop::{Profile, Workshop, binary_in};

/// Where no file can be: a child without our variables, as the compiler of extensions is, keeps its counts to itself.
const NOWHERE: &str = "/dev/null/counts";

/// Where a benchmark keeps its data.
const DISK: &str = "--disk";
/// Which program a benchmark tries.
const TRIED: &str = "MORTISE_BIN";

/// What the program that counts is shown, and for how many seconds each. What it never sees is compiled to be small.
const SHOWN: [(&[&str], u32); 3] = [
    (&["checkout", "--parts", "uniform", "--callers", "64"], 8),
    (&["checkout", "--parts", "uniform,one-sku,bids", "--callers", "16"], 4),
    (&["conditions", "--parts", "paid"], 4),
];
/// The same where PostgreSQL's programs are.
const SHOWN_ON_POSTGRES: (&[&str], u32) = (&["postgres", "--crowds", "64,1"], 5);

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
    let counts = count(workshop, stages, &shelf(workshop)?, disk)?;
    let program = stages.run("the platform, with the counts", || with_counts(workshop, &counts))?;
    say::result(&program.display().to_string());
    Ok(Next::Done)
}

/// Has a program of the benchmarks try the platform as it is deployed, unless its arguments or the environment name another. The counts
/// are of an earlier run, where there are some for these dependencies and this compiler.
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
    let shelf = shelf(workshop)?;
    let counts = match found(&shelf)? {
        Some(counts) => {
            let earlier = counts.display();
            note(&format!("counted by an earlier run: {earlier}; `cargo xtask release` counts anew"));
            counts
        }
        None => {
            let disk = args.iter().position(|arg| arg == DISK).and_then(|at| args.get(at + 1));
            count(workshop, stages, &shelf, disk.map(String::as_str))?
        }
    };
    let platform = stages.run("the platform, with the counts", || with_counts(workshop, &counts))?;
    Ok(benchmarks.variable(TRIED, platform))
}

/// `mortise-bench`, optimised.
pub(super) fn benchmarks(workshop: &Workshop) -> Result<(), Failure> {
    workshop.cargo().args(["build", "--locked", "--release", "--package", "mortise-bench"]).run()
}

/// Shows the debug build for a moment what the program that counts is shown, where both programs are built already: the benchmarks
/// still do what a release asks of them.
pub(super) fn rehearse(workshop: &Workshop) -> Result<(), Failure> {
    let platform = workshop.binary("mortise");
    for (benchmark, _) in shown(workshop) {
        show(workshop, Profile::Dev, &platform, benchmark, 1, &["--skus", "200"]).run()?;
    }
    Ok(())
}

/// Where counts are kept that are of use: for the same dependencies, settings and compiler.
fn shelf(workshop: &Workshop) -> Result<PathBuf, Failure> {
    let mut key = DefaultHasher::new();
    for file in ["Cargo.lock", "Cargo.toml", ".cargo/config.toml"] {
        source::read(&workshop.root().join(file))?.hash(&mut key);
    }
    tools::compiler(workshop)?.words.hash(&mut key);
    has_postgres(workshop).hash(&mut key);
    Ok(workshop.cache().join(format!("counts/{:016x}", key.finish())))
}

fn found(shelf: &Path) -> Result<Option<PathBuf>, Failure> {
    let merged = source::files(shelf, &|name| name.to_string_lossy().ends_with(".profdata"))?;
    Ok(merged.into_iter().next())
}

/// Builds the program that counts, shows it what there is to be seen, and puts on the shelf what it has counted.
fn count(
    workshop: &Workshop,
    stages: &mut Stages,
    shelf: &Path,
    disk: Option<&str>,
) -> Result<PathBuf, Failure> {
    let merger = stages.run("set-up: LLVM's tools", || tools::profdata(workshop))?;
    let program = stages.run("the platform, so that it counts its branches", || {
        // In a folder of its own: nobody deploys it by mistake.
        let target = workshop.target().join("counting");
        build(workshop, &target, vec![format!("-Cprofile-generate={NOWHERE}"), "-Cdebuginfo=0".to_owned()])
    })?;
    stages.run("what it counts while it trades", || {
        let raw = shelf.join("raw");
        if raw.exists() {
            fs::remove_dir_all(&raw)?;
        }
        fs::create_dir_all(&raw)?;
        if !has_postgres(workshop) {
            note(
                "nothing is counted on PostgreSQL: its programs are not here, pgbench among them (Debian: `postgresql`)",
            );
        }
        let disk: Vec<&str> = disk.into_iter().flat_map(|disk| [DISK, disk]).collect();
        for (benchmark, seconds) in shown(workshop) {
            show(workshop, Profile::Release, &program, benchmark, seconds, &disk)
                // Four files, into which processes merge.
                .variable("LLVM_PROFILE_FILE", raw.join("%4m.profraw"))
                .run_quietly()?;
        }
        merge(workshop, &merger, &raw, shelf)
    })
}

/// Makes one file of what the processes have counted. Its name says what is in it: cargo builds again when it changes.
fn merge(workshop: &Workshop, merger: &Path, raw: &Path, shelf: &Path) -> Result<PathBuf, Failure> {
    let merged = raw.join("merged");
    let counted = source::files(raw, &|name| name.to_string_lossy().ends_with(".profraw"))?;
    if counted.is_empty() {
        return Err(Failure::new("the program has counted nothing while it traded"));
    }
    workshop.program(merger).args(["merge", "-o"]).args([&merged]).args(&counted).run()?;
    let mut name = DefaultHasher::new();
    fs::read(&merged)?.hash(&mut name);
    while let Some(earlier) = found(shelf)? {
        fs::remove_file(earlier)?;
    }
    let kept = shelf.join(format!("{:016x}.profdata", name.finish()));
    fs::rename(&merged, &kept)?;
    fs::remove_dir_all(raw)?;
    Ok(kept)
}

/// What is shown on this machine.
fn shown(workshop: &Workshop) -> impl Iterator<Item = (&'static [&'static str], u32)> {
    SHOWN.into_iter().chain(has_postgres(workshop).then_some(SHOWN_ON_POSTGRES))
}

fn show(
    workshop: &Workshop,
    profile: Profile,
    platform: &Path,
    benchmark: &[&str],
    seconds: u32,
    more: &[&str],
) -> Program {
    workshop
        .program(workshop.binary_of(profile, "mortise-bench"))
        .args(benchmark)
        .args(["--rounds", "1", "--let-end", "--seconds"])
        .args([seconds.to_string()])
        .args(more)
        .variable(TRIED, platform)
}

fn with_counts(workshop: &Workshop, counts: &Path) -> Result<PathBuf, Failure> {
    build(workshop, &workshop.target(), vec![format!("-Cprofile-use={}", counts.display())])
}

/// Builds the platform for this machine's own target, named, so that the Rust that runs in the build itself is built as ever.
fn build(workshop: &Workshop, target: &Path, mut flags: Vec<String>) -> Result<PathBuf, Failure> {
    let host = tools::compiler(workshop)?.host;
    let given = env::var("RUSTFLAGS").unwrap_or_default();
    flags.splice(0..0, given.split_whitespace().map(str::to_owned));
    workshop
        .cargo()
        .args(["build", "--locked", "--release", "--package", "mortise", "--target", &host])
        .variable("CARGO_TARGET_DIR", target)
        .variable("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .run()?;
    Ok(binary_in(&target.join(host).join("release"), "mortise"))
}

fn has_postgres(workshop: &Workshop) -> bool {
    tools::has_postgres(workshop, &["initdb", "postgres", "pgbench"])
}
