//! `mortise ext run CASE`: one case, with all that its call gave and cost.

use mortise_workshop::{CaseFile, Update, run_one};
use serde_json::json;

use super::{OnHost, workshop};
use crate::cli::Format;
use crate::cli::ext::ExtRun;
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) fn run(command: &ExtRun) -> Result<Exit, Failure> {
    let there = OnHost::open(&command.folder, &workshop(&command.toolchains)?)?;
    let case = CaseFile::named(there.project.folder(), &command.case)?;
    let ran = run_one(&there.runtime, &there.extension, &case, Update::Never)?;
    match command.format {
        Format::Json => print::json(&json!({
            "case": ran.name,
            "answer": ran.run.result.as_ref().ok(),
            "failure": ran.run.result.as_ref().err(),
            "fuel_used": ran.run.fuel_used,
            "took_us": ran.run.took_us,
            "log": ran.run.log,
            "differences": ran.differences,
        })),
        Format::Text => {
            match &ran.run.result {
                Ok(answer) => {
                    print::line(format_args!(
                        "answer  {}",
                        serde_json::to_string_pretty(answer).unwrap_or_default()
                    ));
                }
                Err(why) => print::line(format_args!("failed  {why}")),
            }
            print::line(format_args!("fuel    {} of at most {}", ran.run.fuel_used, case.case.fuel_at_most));
            print::line(format_args!("time    {} us, the first call after loading", ran.run.took_us));
            print::line(format_args!("log     {}", ran.run.log.as_deref().unwrap_or("nothing printed")));
            for difference in &ran.differences {
                print::line(format_args!("differs {difference}"));
            }
        }
    }
    Ok(if ran.differences.is_empty() { Exit::Clean } else { Exit::Refused })
}
