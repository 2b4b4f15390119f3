//! `cargo xtask endure`: the suites of endurance, on the platform as it is deployed; their short forms run with the tests. Builds,
//! runs the suites that are tests of their part at full length, then becomes `mortise-bench endure` for the others. What a suite
//! does and counts is its own business.

use super::{Next, release};
use crate::failure::Failure;
use crate::process::Program;
use crate::stage::Stages;
use crate::tools;
use crate::workshop::{Profile, Workshop};

/// Suites that are short: for the debug build, which is there when the tests run.
const SHORT: &str = "--short";
const SEED: &str = "--seed";

/// A suite that is a test of its part, which needs what only a test may see.
struct Inner {
    name: &'static str,
    /// The test, as cargo is told it.
    test: &'static [&'static str],
    /// How much it does at full length, and the variable that says so.
    length: (&'static str, &'static str),
}

const INNER: [Inner; 2] = [
    Inner {
        name: "events",
        test: &["--package", "mortise-engine", "--test", "engine", "events::"],
        length: ("MORTISE_EVENTS", "200000"),
    },
    Inner {
        name: "worlds",
        test: &["--package", "mortise", "--bin", "mortise", "laws::seeds::"],
        length: ("MORTISE_SEEDS", "100"),
    },
];

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    let wish = Wish::of(args);
    for inner in INNER.iter().filter(|inner| wish.wants(inner.name)) {
        stages.run(&format!("suite {}", inner.name), || full(workshop, inner, &wish))?;
    }
    if !wish.all && wish.outer.is_empty() {
        return Ok(Next::Done);
    }
    stages.run("set-up: PostgreSQL", || tools::postgres(workshop))?;
    let suites = if wish.short {
        stages.run("the platform and its suites", || {
            let packages = ["--package", "mortise", "--package", "mortise-bench"];
            workshop.cargo().args(["build", "--locked"]).args(packages).run()
        })?;
        suites(workshop, Profile::Dev)
    } else {
        stages.run("the suites, optimised", || release::benchmarks(workshop))?;
        release::deployed(workshop, stages, &wish.options, suites(workshop, Profile::Release))?
    };
    Ok(Next::Become(suites.args(wish.outer).args(wish.options)))
}

/// The short forms, where both programs are built for debugging already. Those that are tests have run with the tests.
pub(super) fn short(workshop: &Workshop) -> Result<(), Failure> {
    suites(workshop, Profile::Dev).args([SHORT]).run()
}

fn suites(workshop: &Workshop, profile: Profile) -> Program {
    workshop.program(workshop.binary_of(profile, "mortise-bench")).args(["endure"])
}

fn full(workshop: &Workshop, inner: &Inner, wish: &Wish) -> Result<(), Failure> {
    let mut cargo = workshop.cargo().args(["test", "--locked", "--quiet"]).args(inner.test);
    cargo = cargo.args(["--", "--nocapture"]).variable("MORTISE_SEED", &wish.seed);
    let (variable, length) = inner.length;
    if !wish.short {
        cargo = cargo.variable(variable, length);
    }
    let short = if wish.short { " --short" } else { "" };
    let repeat = format!("cargo xtask endure {} --seed {}{short}", inner.name, wish.seed);
    cargo.run().map_err(|failure| failure.mend(format!("repeat it: {repeat}")))
}

/// What is to be run.
struct Wish {
    /// No suite is named.
    all: bool,
    inner: Vec<String>,
    outer: Vec<String>,
    /// Everything from the first option on.
    options: Vec<String>,
    seed: String,
    short: bool,
}

impl Wish {
    /// Names stand first, options behind them.
    fn of(args: &[String]) -> Self {
        let first = args.iter().position(|arg| arg.starts_with('-')).unwrap_or(args.len());
        let (names, options) = args.split_at(first);
        let (inner, outer): (Vec<String>, Vec<String>) =
            names.iter().cloned().partition(|name| INNER.iter().any(|inner| inner.name == name));
        let seed = options.iter().position(|arg| arg == SEED).and_then(|at| options.get(at + 1));
        Self {
            all: names.is_empty(),
            inner,
            outer,
            options: options.to_vec(),
            seed: seed.cloned().unwrap_or_else(|| "1".to_owned()),
            short: options.iter().any(|arg| arg == SHORT),
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.all || self.inner.iter().any(|inner| inner == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Wish {
        Wish::of(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn suites_are_told_apart_by_where_they_run() {
        let wish = of(&["kills", "events", "--seed", "7"]);
        assert!(!wish.all && wish.wants("events") && !wish.wants("worlds"));
        assert_eq!((wish.outer.as_slice(), wish.seed.as_str()), (&["kills".to_owned()][..], "7"));
        assert_eq!(wish.options, ["--seed", "7"]);
    }

    #[test]
    fn where_none_is_named_all_run() {
        let wish = of(&["--short"]);
        assert!(wish.all && wish.short && wish.wants("events") && wish.wants("worlds"));
        assert_eq!(wish.seed, "1");
    }
}
