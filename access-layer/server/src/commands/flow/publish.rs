//! `mortise flow publish`: a flow's name means it from now on.

use mortise_engine::Aliasing;
use mortise_store::Access;
use mortise_types::{Clock as _, Scope, SystemClock};
use serde_json::json;

use crate::cli::{FlowPublish, Format};
use crate::commands::read_text;
use crate::compose;
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) async fn run(command: FlowPublish) -> Result<Exit, Failure> {
    let text = read_text(&command.file)?;
    // An empty line is every line.
    let line = if command.line.is_empty() { "main" } else { &command.line };
    Scope::new(&command.tenant, line, "api")
        .map_err(|error| Failure::unusable(format!("--tenant, --line: {error}")))?;
    let rest = compose::at_rest(&command.data.data, Access::Together).await?;
    let place = (command.tenant.as_str(), command.line.as_str());
    let publishing = rest.catalogue.publish(&rest.store, place, &text, SystemClock.now(), Aliasing::Move);
    let published = publishing
        .await
        .map_err(|error| compose::refused_flow(&command.file.display().to_string(), &error))?;
    let (name, version, hash) =
        (published.program.name(), published.program.version(), published.program.hash());
    match command.format {
        Format::Json => print::json(&json!({
            "flow": name, "version": version, "hash": hash, "tenant": command.tenant, "line": command.line,
        })),
        Format::Text => {
            let on = if command.line.is_empty() {
                "all lines".to_owned()
            } else {
                format!("line {}", command.line)
            };
            let short = &hash[..hash.len().min(12)];
            print::line(format_args!(
                "{name} means version {version} ({short}) for {} on {on}",
                command.tenant
            ));
        }
    }
    Ok(Exit::Clean)
}
