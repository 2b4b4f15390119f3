//! One file a command. Each takes its part of the command line and answers an exit code or a failure that a person can
//! act on; what they share (opening things, scopes, input files) stands here.

mod attention;
mod capability;
mod demo;
mod desk;
mod ending;
mod ext;
mod flow;
mod import;
mod policy;
mod sandbox;
mod serve;
pub(crate) mod trade;
mod verify;

use std::io::Read as _;
use std::path::Path;

use mortise_contract::Violation;
use mortise_types::Scope;

use crate::cli::{Command, Whose};
use crate::failure::{Exit, Failure};

/// Runs the command.
pub(crate) async fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Serve(serve) => serve::run(serve).await,
        Command::Sandbox(sandbox) => sandbox::run(sandbox).await,
        Command::Capability(capability) => capability::run(capability).await,
        Command::Flow(flow) => flow::run(flow).await,
        Command::Ext(ext) => ext::run(ext).await,
        Command::Import(import) => import::run(import).await,
        Command::Policy(policy) => policy::run(policy).await,
        Command::Attention(command) => attention::run(command).await,
        Command::Trade(trade) => trade::run(trade).await,
        Command::Replay(replay) => trade::replay(replay).await,
        Command::Verify(verify) => verify::run(verify).await,
        Command::Demo(demo) => demo::run(demo).await,
    }
}

/// The scope that a command names.
fn scope(whose: &Whose) -> Result<Scope, Failure> {
    Scope::new(&whose.tenant, &whose.line, &whose.channel)
        .map_err(|error| Failure::unusable(error.to_string()))
}

/// A file's text; `-` is stdin.
fn read_text(path: &Path) -> Result<String, Failure> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::file(Path::new("stdin"), &error))?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}

/// An input that does not fit, with every place.
fn invalid(what: &str, violations: &[Violation]) -> Failure {
    let places: Vec<String> = violations
        .iter()
        .map(|violation| {
            let place = if violation.pointer.is_empty() { "the whole" } else { &violation.pointer };
            format!("\n  {place}: {}", violation.message)
        })
        .collect();
    Failure::refused(format!("{what} does not fit:{}", places.concat()))
}
