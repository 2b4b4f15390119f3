//! The commands: one table of them, and what several share. What a command does stands in its own file.

mod bench;
mod ci;
mod demo;
mod endure;
mod grocery_year;
mod release;
mod sdk;
mod test;

use crate::failure::Failure;
use crate::guests;
use crate::process::Program;
use crate::say;
use crate::stage::Stages;
use crate::tools;
use crate::workshop::Workshop;

/// A command of `cargo xtask`.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    summary: &'static str,
    pub(crate) run: fn(&Workshop, &mut Stages, &[String]) -> Result<Next, Failure>,
}

/// What is left to do when a command's stages are over.
#[derive(Debug)]
pub(crate) enum Next {
    Done,
    /// The rest belongs to this program: it gets the terminal, the signals and the exit status.
    Become(Program),
}

pub(crate) const COMMANDS: [Command; 8] = [
    Command {
        name: "demo",
        summary: "the main job: builds the platform and its example extensions, then runs `mortise demo` with the arguments given (--once, --data DIR, --format json)",
        run: demo::run,
    },
    Command {
        name: "test",
        summary: "all tests; with arguments, those that `cargo nextest run` selects by them",
        run: test::run,
    },
    Command {
        name: "grocery-year",
        summary: "a year of real grocery baskets through a trade that ships, with the arguments given",
        run: grocery_year::run,
    },
    Command {
        name: "release",
        summary: "the platform as it is deployed: built, shown what it will do, and built again with the branches counted; says where the program is",
        run: release::run,
    },
    Command {
        name: "bench",
        summary: "how fast it is and what an order costs, beside baselines of the same run (--seconds N, --callers N, --format json)",
        run: bench::run,
    },
    Command {
        name: "endure",
        summary: "what is not given up for speed, as suites with a seed and a count each (SUITE ..., --seed N, --short)",
        run: endure::run,
    },
    Command {
        name: "sdk",
        summary: "every extension template of every language, or of those named: toolchain, build, cases on the real host, determinism",
        run: sdk::run,
    },
    Command {
        name: "ci",
        summary: "formatting, licences, clippy and all tests: what `.ci/run` runs",
        run: ci::run,
    },
];

pub(crate) fn help() -> String {
    let mut help = String::from("cargo xtask COMMAND [ARGUMENTS]\n");
    for command in &COMMANDS {
        help.push_str(&format!("\n  {:<14}{}", command.name, command.summary));
    }
    help
}

/// The part of the set-up that every build shares, and all guests compiled.
fn build_guests(workshop: &Workshop, stages: &mut Stages) -> Result<(), Failure> {
    stages.run("set-up: the WebAssembly target", || tools::guest_target(workshop))?;
    for guest in guests::find(workshop)?.iter().filter(|guest| guest.has_components()) {
        stages.run(&format!("extensions: {}", guest.name(workshop)), || guest.build(workshop))?;
    }
    Ok(())
}

fn no_arguments(name: &str, args: &[String]) -> Result<(), Failure> {
    match args.first() {
        None => Ok(()),
        Some(arg) => Err(Failure::new(format!("`cargo xtask {name}` takes no argument, got `{arg}`"))),
    }
}

fn note(text: &str) {
    say::line(&format!("    {text}"));
}
