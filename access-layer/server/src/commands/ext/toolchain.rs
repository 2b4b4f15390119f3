//! `mortise ext toolchain LANG`: installs what a language needs, or says that it is there.

use super::workshop;
use crate::cli::ext::ExtToolchain;
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) fn run(command: &ExtToolchain) -> Result<Exit, Failure> {
    let workshop = workshop(&command.toolchains)?;
    workshop.install(command.lang, &mut |line| print::line(line))?;
    workshop.find(command.lang)?;
    print::line(format_args!("{} can be built", command.lang));
    Ok(Exit::Clean)
}
