//! `cargo xtask demo`: from a fresh clone to the platform selling. Builds, then becomes `mortise demo`; the story itself
//! is the binary's.

use super::{Next, build_guests};
use crate::failure::Failure;
use crate::stage::Stages;
use crate::workshop::Workshop;

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    build_guests(workshop, stages)?;
    stages.run("the platform: mortise and its dependencies", || {
        workshop.cargo().args(["build", "--locked", "--package", "mortise"]).run()
    })?;
    Ok(Next::Become(workshop.program(workshop.binary("mortise")).args(["demo"]).args(args)))
}
