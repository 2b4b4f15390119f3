//! `cargo xtask endure`: the suites of endurance, on the platform as it is deployed; their short forms run with the tests. Builds,
//! then becomes `mortise-bench endure`; what a suite does and counts is its business.

use super::Next;
use crate::failure::Failure;
use crate::process::Program;
use crate::stage::Stages;
use crate::tools;
use crate::workshop::{Profile, Workshop};

/// Suites that are short: for the debug build, which is there when the tests run.
const SHORT: &str = "--short";

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    stages.run("set-up: PostgreSQL", || tools::postgres(workshop))?;
    let profile = profile(args);
    stages.run("the platform and its suites", || {
        let packages = ["--package", "mortise", "--package", "mortise-bench"];
        let optimised = matches!(profile, Profile::Release).then_some("--release");
        workshop.cargo().args(["build", "--locked"]).args(optimised).args(packages).run()
    })?;
    Ok(Next::Become(suites(workshop, profile).args(args)))
}

/// The short forms, where both programs are built for debugging already.
pub(super) fn short(workshop: &Workshop) -> Result<(), Failure> {
    suites(workshop, Profile::Dev).args([SHORT]).run()
}

fn suites(workshop: &Workshop, profile: Profile) -> Program {
    workshop.program(workshop.binary_of(profile, "mortise-bench")).args(["endure"])
}

fn profile(args: &[String]) -> Profile {
    if args.iter().any(|arg| arg == SHORT) { Profile::Dev } else { Profile::Release }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_forms_run_on_the_debug_build() {
        let of = |args: &[&str]| profile(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
        assert!(matches!(of(&["kills", "--short"]), Profile::Dev));
        assert!(matches!(of(&["kills", "--seed", "7"]), Profile::Release));
    }
}
