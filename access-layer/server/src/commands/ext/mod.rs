//! `mortise ext ...`: a file a subcommand. What they share stands here: the workshop, a project, the host that runs it.

mod bench;
mod build;
mod create;
mod run;
mod test;
mod toolchain;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mortise_host::{Ceilings, CompileCache, Extension, Runtime};
use mortise_workshop::{Fault, Project, Workshop};

use crate::cli::ext::{Ext, Toolchains};
use crate::failure::{Exit, Failure};
use crate::print;

/// How long a call may run here. Fuel ends what has to end; a developer's busy machine is not the platform's.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn run(command: Ext) -> Result<Exit, Failure> {
    match command {
        Ext::New(command) => create::run(command),
        Ext::Toolchain(command) => toolchain::run(&command),
        Ext::Build(command) => build::run(&command),
        Ext::Test(command) => test::run(&command),
        Ext::Run(command) => run::run(&command),
        Ext::Bench(command) => bench::run(&command),
        Ext::Desk(command) => super::desk::run(command).await,
    }
}

/// The workshop of the command line.
fn workshop(toolchains: &Toolchains) -> Result<Workshop, Failure> {
    let of_user = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        cache.or_else(home).map(|cache| cache.join("mortise"))
    };
    let cache = toolchains.toolchains.clone().or_else(of_user).ok_or_else(|| {
        Failure::unusable("there is no home folder to keep toolchains in")
            .mend("name a folder with --toolchains")
    })?;
    Ok(Workshop::at(cache))
}

/// A built project on the real host.
struct OnHost {
    project: Project,
    runtime: Runtime,
    extension: Extension,
}

impl OnHost {
    fn open(folder: &Path, workshop: &Workshop) -> Result<OnHost, Failure> {
        let project = Project::open(folder)?;
        if !project.component().is_file() {
            return Err(Failure::unusable(format!("{} is not there", project.component().display()))
                .mend(format!("mortise ext build {}", folder.display())));
        }
        if let Some(source) = project.changed() {
            print::note(format_args!(
                "{} was changed behind the build of {}; mortise ext build {}",
                source.display(),
                project.component().display(),
                folder.display()
            ));
        }
        let cache =
            CompileCache::open(workshop.compiled()).map_err(|error| Failure::unusable(error.to_string()))?;
        let runtime = Runtime::start(Ceilings { deadline: DEADLINE, ..Ceilings::default() }, Some(cache))
            .map_err(|error| Failure::unusable(error.to_string()))?;
        let extension = Extension::load(&runtime, project.folder())
            .map_err(|error| Failure::refused(error.to_string()))?;
        Ok(OnHost { project, runtime, extension })
    }
}

impl From<Fault> for Failure {
    fn from(Fault { sentence, mend }: Fault) -> Failure {
        Failure { mend, ..Failure::unusable(sentence) }
    }
}
