//! `mortise ext bench [DIR]`: how long the calls of a project's cases take, and how much of that is the host.

use mortise_workshop::{Figures, bench};
use serde_json::json;

use super::{OnHost, workshop};
use crate::cli::Format;
use crate::cli::ext::ExtBench;
use crate::failure::{Exit, Failure};
use crate::print;

/// As this program was compiled, which is most of what the host costs.
const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

pub(super) fn run(command: &ExtBench) -> Result<Exit, Failure> {
    let there = OnHost::open(&command.folder, &workshop(&command.toolchains)?)?;
    let rounds = usize::try_from(command.calls).unwrap_or(usize::MAX);
    let figures = bench(&there.runtime, &there.extension, &there.project, rounds)?;
    if command.format == Format::Text {
        print::line(format_args!(
            "{:<24}{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}   (us; this mortise is a {PROFILE} build)",
            "case", "p50", "p99", "bare p50", "bare p99", "p99/bare", "fuel"
        ));
    }
    for figures in &figures {
        match command.format {
            Format::Text => as_text(figures),
            Format::Json => print::json(&json!({
                "case": figures.case,
                "profile": PROFILE,
                "calls": figures.calls,
                "p50_us": figures.by_host.p50_us,
                "p99_us": figures.by_host.p99_us,
                "bare_p50_us": figures.bare.p50_us,
                "bare_p99_us": figures.bare.p99_us,
                "fuel_used": figures.fuel_used,
            })),
        }
    }
    Ok(Exit::Clean)
}

fn as_text(figures: &Figures) {
    let Figures { case, by_host, bare, fuel_used, .. } = figures;
    print::line(format_args!(
        "{case:<24}{:>10.1}{:>10.1}{:>10.1}{:>10.1}{:>10.2}{fuel_used:>12}",
        by_host.p50_us,
        by_host.p99_us,
        bare.p50_us,
        bare.p99_us,
        by_host.p99_us / bare.p99_us
    ));
}
