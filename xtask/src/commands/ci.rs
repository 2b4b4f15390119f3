//! `cargo xtask ci`: what has to hold before a change goes in, quickest answers first. Advisories are left out: their
//! database comes from the network, and a build must not fail for what somebody wrote there today.

use std::path::{Path, PathBuf};

use super::{Next, no_arguments, note, test};
use crate::failure::Failure;
use crate::guests;
use crate::stage::Stages;
use crate::tools::{self, DENY};
use crate::workshop::Workshop;

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    no_arguments("ci", args)?;
    let program = stages.run("set-up: rustfmt, clippy, cargo-deny", || set_up(workshop))?;
    let guests = guests::find(workshop)?;
    stages.run("formatting", || {
        workshop.cargo().args(["fmt", "--all", "--check"]).run()?;
        guests.iter().try_for_each(|guest| guest.check_format(workshop))
    })?;
    stages.run("licences, bans, sources", || {
        note("advisories are not checked here; with a network: cargo deny check advisories");
        deny(workshop, &program, &workshop.root().join("Cargo.toml"))?;
        guests.iter().try_for_each(|guest| deny(workshop, &program, &guest.manifest()))
    })?;
    stages.run("clippy", || {
        let select = ["clippy", "--workspace", "--locked", "--all-targets"];
        workshop.cargo().args(select).args(["--", "--deny", "warnings"]).run()?;
        guests.iter().try_for_each(|guest| guest.clippy(workshop))
    })?;
    test::run(workshop, stages, &[])
}

fn set_up(workshop: &Workshop) -> Result<PathBuf, Failure> {
    tools::lint_components(workshop)?;
    tools::guest_target(workshop)?;
    tools::tool(workshop, &DENY)
}

/// One workspace's dependencies, by the project's one list.
fn deny(workshop: &Workshop, program: &Path, manifest: &Path) -> Result<(), Failure> {
    workshop
        .program(program)
        .args(["--locked".as_ref(), "--manifest-path".as_ref(), manifest.as_os_str()])
        .args(["--config".as_ref(), workshop.root().join("deny.toml").as_os_str()])
        .args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"])
        .run()
}
