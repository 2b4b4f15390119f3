//! `mortise flow publish`: a flow's name means it from now on.

use mortise_engine::Aliasing;
use mortise_store::Access;
use mortise_types::{Clock as _, SystemClock};
use serde_json::json;

use crate::cli::{FlowPublish, Format};
use crate::commands::read_text;
use crate::failure::{Exit, Failure};
use crate::{compose, print};

pub(super) async fn run(command: FlowPublish) -> Result<Exit, Failure> {
    let text = read_text(&command.file)?;
    let rest = compose::at_rest(&command.data.data, Access::Together).await?;
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
