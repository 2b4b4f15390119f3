//! `cargo xtask bench`: measures the platform, built as it is deployed, beside baselines of the same run. Builds, then becomes
//! `mortise-bench`; what is measured and how is its business.

use super::{Next, build_guests, release};
use crate::failure::Failure;
use crate::stage::Stages;
use crate::workshop::{Profile, Workshop};

/// The benchmark that is meant where none is named.
const USUAL: &str = "checkout";

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    if asks_for_help(args) {
        stages.run("the benchmarks, for what they say of themselves", || {
            workshop.cargo().args(["build", "--locked", "--package", "mortise-bench"]).run()
        })?;
        return Ok(Next::Become(workshop.program(workshop.binary("mortise-bench")).args(args)));
    }
    build_guests(workshop, stages)?;
    stages.run("the benchmarks, optimised", || release::benchmarks(workshop))?;
    let bench = workshop.program(workshop.binary_of(Profile::Release, "mortise-bench"));
    let bench = release::deployed(workshop, stages, args, bench)?;
    Ok(Next::Become(bench.args(named(args)).args(args)))
}

/// The name that is left out where the arguments begin with an option.
fn named(args: &[String]) -> Option<&'static str> {
    let first = args.first().map_or("-", String::as_str);
    first.starts_with('-').then_some(USUAL)
}

/// What the program says of itself, or of the benchmark that is named; nothing is measured.
fn asks_for_help(args: &[String]) -> bool {
    let is_help = |arg: &String| matches!(arg.as_str(), "--help" | "-h");
    args.first().is_some_and(|first| first == "help") || args.iter().take(2).any(is_help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_help_is_not_built_a_platform() {
        let asks =
            |args: &[&str]| asks_for_help(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
        assert!(asks(&["--help"]) && asks(&["help", "checkout"]) && asks(&["checkout", "-h"]));
        assert!(!asks(&[]) && !asks(&["checkout"]) && !asks(&["--seconds", "1"]));
    }

    #[test]
    fn a_benchmark_that_is_named_is_not_named_again() {
        let named = |args: &[&str]| named(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
        assert_eq!(named(&[]), Some(USUAL));
        assert_eq!(named(&["--seconds", "1"]), Some(USUAL));
        assert_eq!(named(&["checkout", "--seconds", "1"]), None);
    }
}
