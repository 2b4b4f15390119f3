//! `mortise ext build [DIR]`: a project's component.

use mortise_workshop::Project;

use super::workshop;
use crate::cli::ext::ExtBuild;
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) fn run(command: &ExtBuild) -> Result<Exit, Failure> {
    let project = Project::open(&command.folder)?;
    let built = workshop(&command.toolchains)?.build(&project)?;
    let kib = built.bytes.div_ceil(1024);
    print::line(format_args!("{}: {kib} KiB", built.component.display()));
    Ok(Exit::Clean)
}
