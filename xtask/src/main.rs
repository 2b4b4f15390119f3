//! `cargo xtask`: the project's own commands, from a fresh clone to a running platform. Each does its own set-up, says
//! what it installs, and ends with a table of where the time went. Does no work itself: commands run cargo and tools.

mod commands;
mod failure;
mod guests;
mod process;
mod say;
mod source;
mod stage;
mod tools;
mod workshop;

use std::process::ExitCode;

use commands::{COMMANDS, Next};
use failure::Failure;
use stage::Stages;
use workshop::Workshop;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "help".to_owned());
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        say::result(&commands::help());
        return ExitCode::SUCCESS;
    }
    let args: Vec<String> = args.collect();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        say::line(&format!("there is no `cargo xtask {name}`\n\n{}", commands::help()));
        return ExitCode::from(2);
    };

    let mut stages = Stages::start();
    let outcome = Workshop::open().and_then(|workshop| (command.run)(&workshop, &mut stages, &args));
    if let Some(table) = stages.table() {
        say::line(&table);
    }
    match outcome.and_then(finish) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::line(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn finish(next: Next) -> Result<(), Failure> {
    match next {
        Next::Done => Ok(()),
        Next::Become(program) => program.replace_this_process(),
    }
}
