//! `cargo xtask grocery-year`: a year of real baskets against the platform. Builds both and has the data prepared (its
//! script fetches it the first time), then becomes the replay.

use super::{Next, build_guests};
use crate::failure::Failure;
use crate::process::Program;
use crate::stage::Stages;
use crate::tools;
use crate::workshop::Workshop;

const FOLDER: &str = "examples/grocery-year";
/// The part of the year that runs with the tests: a few stores and weeks, with every kind of basket.
const SLICE: [&str; 1] = ["--slice"];
/// The same part on two lines, one of which tries extensions.
const ROLLOUT: &str = "--rollout";

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    stages.run("the data: fetched once, prepared once", || prepare(workshop))?;
    if args.iter().any(|arg| arg == ROLLOUT) {
        build_guests(workshop, stages)?;
    }
    stages.run("the platform and the replay", || {
        let packages = ["--package", "mortise", "--package", "mortise-grocery-year"];
        workshop.cargo().args(["build", "--locked"]).args(packages).run()
    })?;
    Ok(Next::Become(replay(workshop).args(args)))
}

/// The part of the year that runs with the tests; the binaries have been built by then.
pub(super) fn slice(workshop: &Workshop) -> Result<(), Failure> {
    prepare(workshop)?;
    replay(workshop).args(SLICE).run()
}

/// Three extensions on one business line, from shadow to live; binaries and guests have been built by then.
pub(super) fn rollout(workshop: &Workshop) -> Result<(), Failure> {
    prepare(workshop)?;
    replay(workshop).args([ROLLOUT]).run()
}

/// The tests of the rules by which prices are read out of receipts.
pub(super) fn test_rules(workshop: &Workshop) -> Result<(), Failure> {
    Program::new(tools::python(workshop)?, &workshop.root().join(FOLDER))
        .variable("PYTHONDONTWRITEBYTECODE", "1")
        .args(["-m", "unittest", "--quiet"])
        .run()
}

fn prepare(workshop: &Workshop) -> Result<(), Failure> {
    let script = workshop.root().join(FOLDER).join("prepare.py");
    workshop.program(tools::python(workshop)?).args([script]).run()
}

fn replay(workshop: &Workshop) -> Program {
    workshop
        .program(workshop.binary("mortise-grocery-year"))
        .variable("MORTISE_BIN", workshop.binary("mortise"))
}
