//! `mortise ext test [DIR]`: a project's cases on the real host. Prints nothing that differs from run to run, so that two
//! runs can be compared byte by byte.

use mortise_workshop::{Ran, Update, run_all};
use serde_json::json;

use super::{OnHost, workshop};
use crate::cli::Format;
use crate::cli::ext::ExtTest;
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) fn run(command: &ExtTest) -> Result<Exit, Failure> {
    let there = OnHost::open(&command.folder, &workshop(&command.toolchains)?)?;
    let update = match std::env::var_os("UPDATE_EXPECT") {
        Some(value) if value != "0" => Update::Expectations,
        _ => Update::Never,
    };
    let ran = run_all(&there.runtime, &there.extension, there.project.folder(), update)?;
    for ran in &ran {
        match command.format {
            Format::Text => as_text(ran),
            Format::Json => print::json(&json!({
                "case": ran.name,
                "holds": ran.differences.is_empty(),
                "answer": ran.run.result.as_ref().ok(),
                "failure": ran.run.result.as_ref().err(),
                "fuel_used": ran.run.fuel_used,
                "log": ran.run.log,
                "differences": ran.differences,
            })),
        }
    }
    let failed = ran.iter().filter(|ran| !ran.differences.is_empty()).count();
    if command.format == Format::Text {
        print::line(format_args!("{} passed, {failed} failed", ran.len() - failed));
    }
    Ok(if failed == 0 { Exit::Clean } else { Exit::Refused })
}

fn as_text(ran: &Ran) {
    let how = match (ran.rewritten, ran.differences.is_empty()) {
        (true, true) => "rewritten",
        (false, true) => "ok",
        (_, false) => "FAILED",
    };
    print::line(format_args!("{how:<10}{} ({} units of fuel)", ran.name, ran.run.fuel_used));
    for difference in &ran.differences {
        print::line(format_args!("  {difference}"));
    }
    if let Some(log) = ran.run.log.as_ref().filter(|_| !ran.differences.is_empty()) {
        print::line(format_args!("  it printed: {log}"));
    }
}
