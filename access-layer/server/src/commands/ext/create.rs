//! `mortise ext new NAME --point POINT --lang LANG`: a project that builds and passes its cases as it is.

use mortise_workshop::{New, create};

use super::workshop;
use crate::cli::ext::{ExtNew, Toolchains};
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) fn run(command: ExtNew) -> Result<Exit, Failure> {
    let ExtNew { name, point, lang, into } = command;
    let project = create(&New { name, point, language: lang, into: into.clone() })?;
    let name = &project.manifest().name;
    let folder = into.join(name);
    print::line(format_args!("{} is an extension in {lang}. Next:", folder.display()));
    let installed = workshop(&Toolchains { toolchains: None }).is_ok_and(|there| there.find(lang).is_ok());
    if !installed {
        print::line(format_args!("  mortise ext toolchain {lang}"));
    }
    print::line(format_args!("  mortise ext build {0}\n  mortise ext test {0}", folder.display()));
    Ok(Exit::Clean)
}
