//! `mortise flow check | publish | list | history | graph`. What a flow means and whether it is safe is the flow crate's; how findings read
//! on a terminal is decided here.

use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use mortise_contract::Contracts;
use mortise_engine::Aliasing;
use mortise_flow::check_text;
use mortise_flow::diagnostic::{Diagnostic, Severity};
use mortise_types::{Clock as _, SystemClock};
use serde::Serialize;
use serde_json::json;

use crate::cli::{Flow, FlowCheck, FlowGraph, FlowHistory, FlowList, FlowPublish, Format, Picture};
use crate::failure::{Exit, Failure};
use crate::{compose, print};

pub(super) async fn run(command: Flow) -> Result<Exit, Failure> {
    match command {
        Flow::Check(command) => check(&command),
        Flow::Publish(command) => publish(command).await,
        Flow::List(command) => list(command).await,
        Flow::History(command) => history(command).await,
        Flow::Graph(command) => graph(&command),
    }
}

#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    diagnostics: &'a [Diagnostic],
}

fn check(command: &FlowCheck) -> Result<Exit, Failure> {
    let contracts = contracts(command.contracts.as_deref())?;
    let mut worst = Exit::Clean;
    for file in &command.files {
        let exit = match std::fs::read(file) {
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

fn contracts(file: Option<&Path>) -> Result<Contracts, Failure> {
    let Some(file) = file else { return Ok(compose::contracts_only()?.registry.contracts().clone()) };
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
    format!("{}: {verdict}", file.display())
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

async fn publish(command: FlowPublish) -> Result<Exit, Failure> {
    let text = super::read_text(&command.file)?;
    let rest = compose::at_rest(&command.data.data).await?;
    let line = if command.line.is_empty() { "main" } else { &command.line };
    mortise_types::Scope::new(&command.tenant, line, "api")
        .map_err(|error| Failure::unusable(error.to_string()))?;
    let place = (command.tenant.as_str(), command.line.as_str());
    let published = rest
        .catalogue
        .publish(&rest.store, place, &text, SystemClock.now(), Aliasing::Move)
        .await
        .map_err(|error| compose::refused_flow(&command.file.display().to_string(), &error))?;
    let (name, hash) = (published.program.name(), published.program.hash());
    match command.format {
        Format::Json => print::json(&json!({
            "flow": name, "version": published.program.version(), "hash": hash, "tenant": command.tenant, "line": command.line,
        })),
        Format::Text => {
            let on = if command.line.is_empty() {
                "all lines".to_owned()
            } else {
                format!("line {}", command.line)
            };
            print::line(format_args!("{name} means {hash} for {} on {on}", command.tenant));
        }
    }
    Ok(Exit::Clean)
}

async fn list(command: FlowList) -> Result<Exit, Failure> {
    let scope = super::scope(&command.whose)?;
    let rest = compose::at_rest(&command.data.data).await?;
    for name in rest.catalogue.names(&scope) {
        let Some(published) = rest.catalogue.find(&scope, &name) else { continue };
        let (version, hash) = (published.program.version(), published.program.hash());
        match command.format {
            Format::Json => print::json(&json!({
                "flow": name, "version": version, "hash": hash, "summary": published.summary, "fails": published.fails,
            })),
            Format::Text => {
                print::line(format_args!("{name:<24} version {version:<3} {hash}  {}", published.summary))
            }
        }
    }
    Ok(Exit::Clean)
}

/// Whatever the grammar has is drawn, also what the checker refuses: to see what is wrong.
fn graph(command: &FlowGraph) -> Result<Exit, Failure> {
    let text = super::read_text(&command.file)?;
    let flow = mortise_flow::parse(&text).map_err(|found| {
        let first = found.first().map(|d| format!("; line {}: {}", d.line, d.message)).unwrap_or_default();
        Failure::refused(format!("{} is no flow{first}", command.file.display()))
            .mend("`mortise flow check` says all")
    })?;
    let graph = mortise_graph::graph(&flow, &contracts(command.contracts.as_deref())?);
    let drawn = match command.picture {
        Picture::Svg => mortise_graph::svg(&graph),
        Picture::Mermaid => mortise_graph::mermaid(&graph),
    };
    match &command.out {
        Some(file) => std::fs::write(file, drawn).map_err(|error| Failure::file(file, &error))?,
        None => print::line(drawn.trim_end()),
    }
    Ok(Exit::Clean)
}

async fn history(command: FlowHistory) -> Result<Exit, Failure> {
    let tenant = mortise_types::TenantId::new(command.tenant.as_str())
        .map_err(|error| Failure::unusable(error.to_string()))?;
    let rest = compose::at_rest(&command.data.data).await?;
    let history = mortise_engine::history(&rest.store, &tenant, &command.name).await?;
    if history.versions.is_empty() {
        let sentence = format!("`{}` has never been published for {tenant}", command.name);
        return Err(Failure::refused(sentence).mend("`mortise flow list` shows what is"));
    }
    if command.format == Format::Json {
        print::json(&history);
        return Ok(Exit::Clean);
    }
    let by = |tenant: &str| {
        if tenant == mortise_engine::PLATFORM { "shipped".to_owned() } else { tenant.to_owned() }
    };
    for version in &history.versions {
        let mortise_engine::Version { hash, version, published_at, open_trades, tenant } = version;
        let open = format!("{open_trades} open trade{}", if *open_trades == 1 { "" } else { "s" });
        print::line(format_args!("version {version:<3} {hash}  {published_at}  {}  {open}", by(tenant)));
    }
    for moved in &history.moves {
        let on = if moved.line.is_empty() { "all lines".to_owned() } else { format!("line {}", moved.line) };
        let (at, hash) = (moved.moved_at, &moved.hash[..moved.hash.len().min(12)]);
        print::line(format_args!("{at}  {} means {hash} for {} on {on}", history.flow, by(&moved.tenant)));
    }
    Ok(Exit::Clean)
}
