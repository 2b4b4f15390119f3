//! `mortise flow check`. What a flow means and whether it is safe is the flow crate's; how findings read on a terminal is
//! decided here.

use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use mortise_contract::Contracts;
use mortise_flow::diagnostic::{Diagnostic, Severity};
use mortise_flow::{check_text, with_flows};
use serde::Serialize;

use crate::cli::{Extensions, FlowCheck, Format};
use crate::failure::{Exit, Failure};
use crate::{compose, print};

#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    diagnostics: &'a [Diagnostic],
}

pub(super) fn run(command: &FlowCheck) -> Result<Exit, Failure> {
    let files: Vec<_> = command.files.iter().map(|file| (file, std::fs::read(file))).collect();
    let texts = files.iter().filter_map(|(_, read)| std::str::from_utf8(read.as_deref().ok()?).ok());
    let contracts = with_flows(contracts(command.contracts.as_deref(), &command.extensions)?, texts);
    let mut worst = Exit::Clean;
    for (file, read) in files {
        let exit = match read {
            Ok(bytes) => check_one(file, &bytes, &contracts, command.format),
            Err(error) => {
                print::failure(&Failure::file(file, &error));
                Exit::Unusable
            }
        };
        worst = match (worst, exit) {
            (Exit::Unusable, _) | (_, Exit::Unusable) => Exit::Unusable,
            (Exit::Refused, _) | (_, Exit::Refused) => Exit::Refused,
            (Exit::Clean, Exit::Clean) => Exit::Clean,
        };
    }
    Ok(worst)
}

/// Those of a file, or this program's own with those of a folder of extensions.
pub(super) fn contracts(file: Option<&Path>, extensions: &Extensions) -> Result<Contracts, Failure> {
    let Some(file) = file else { return Ok(compose::contracts(&compose::Own::described(extensions)?)?) };
    let text = std::fs::read(file).map_err(|error| Failure::file(file, &error))?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::unusable(format!("{}: {error}", file.display()))
            .mend("write the file with `mortise capability export`; the language's chapter \"Contracts as data\" has its shape")
    })
}

fn check_one(file: &Path, bytes: &[u8], contracts: &Contracts, format: Format) -> Exit {
    let (_, diagnostics) = check_text(bytes, contracts);
    match format {
        Format::Json => print::json(&Checked { file: file.display().to_string(), diagnostics: &diagnostics }),
        Format::Text => {
            let text = String::from_utf8_lossy(bytes);
            for diagnostic in &diagnostics {
                print::line(drawn(file, &text, diagnostic));
            }
            print::line(counted(file, &diagnostics));
        }
    }
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        Exit::Refused
    } else {
        Exit::Clean
    }
}

fn counted(file: &Path, diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let verdict = match (errors, warnings) {
        (0, 0) => "accepted".to_owned(),
        (0, warnings) => format!("accepted, with {}", plural(warnings, "warning")),
        (errors, 0) => format!("refused: {}", plural(errors, "error")),
        (errors, warnings) => {
            format!("refused: {}, {}", plural(errors, "error"), plural(warnings, "warning"))
        }
    };
    let more = match diagnostics.first() {
        Some(first) => format!("; `mortise flow explain {}` says more", first.code),
        None => String::new(),
    };
    format!("{}: {verdict}{more}", file.display())
}

/// The lines with the place underlined, the way that leads there, and what would mend it.
fn drawn(file: &Path, text: &str, diagnostic: &Diagnostic) -> String {
    let mut help = diagnostic.help.clone();
    if !diagnostic.way.is_empty() {
        help.push_str("\nthe way:");
        for point in &diagnostic.way {
            help.push_str(&format!("\n  line {:>4}  {}", point.line, point.what));
        }
    }
    let mut shown = MietteDiagnostic::new(&diagnostic.message).with_code(&diagnostic.code).with_help(help);
    shown.severity = Some(match diagnostic.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    });
    let (start, length) = diagnostic.bytes;
    if start <= text.len() {
        shown = shown.with_label(LabeledSpan::underline(start..(start + length).min(text.len())));
    }
    let report =
        Report::new(shown).with_source_code(NamedSource::new(file.display().to_string(), text.to_owned()));
    let mut drawn = String::new();
    let pen = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(120);
    if pen.render_report(&mut drawn, report.as_ref()).is_err() {
        drawn =
            format!("{}:{}:{}: {}", file.display(), diagnostic.line, diagnostic.column, diagnostic.message);
    }
    drawn
}
