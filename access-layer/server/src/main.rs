//! The `mortise` binary: reads the command line, hands over to one command, and turns what became of it into an exit code.
//! What a command does stands in `commands`; how the platform is put together, in `compose`.

mod allocator;
mod cli;
mod clock;
mod commands;
mod compose;
mod desk;
mod failure;
#[cfg(test)]
mod laws;
mod place;
mod print;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Format, Logging};
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    // The host runs this program again to compile an extension: a process of few rights, without anything of the platform.
    if let Some(exit) = mortise_host::compile_if_asked() {
        return exit;
    }
    let cli = Cli::parse();
    match start_log(&cli.logging).and_then(|()| run(cli)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            print::failure(&failure);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unusable(format!("no threads to run on: {error}")))?;
    let exit = runtime.block_on(Box::pin(commands::run(cli.command)));
    // A peer that never answers must not keep the process.
    runtime.shutdown_background();
    exit
}

fn start_log(logging: &Logging) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&logging.log).map_err(|error| {
        Failure::unusable(format!("--log {:?}: {error}", logging.log)).mend("write a level such as `info`")
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let lines = lines.with_ansi(std::io::stderr().is_terminal());
    match logging.log_format {
        Format::Text => lines.init(),
        Format::Json => lines.json().init(),
    }
    let mimalloc = allocator::version();
    tracing::debug!(mimalloc, "allocator");
    Ok(())
}
