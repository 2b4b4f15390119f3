//! `mortise flow publish`: a flow's name means it from now on.

use mortise_engine::{Aliasing, PublishError, Published};
use mortise_store::Access;
use mortise_types::{Clock as _, Scope, SystemClock};
use serde_json::json;

use crate::cli::{FlowPublish, Format};
use crate::commands::read_text;
use crate::compose::{self, AtRest};
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) async fn run(command: FlowPublish) -> Result<Exit, Failure> {
    let text = read_text(&command.file)?;
    let rest = compose::at_rest(&command.data.data, Access::Together).await?;
    let line = if command.line.is_empty() { "main" } else { &command.line };
    let scope = Scope::new(&command.tenant, line, "api")
        .map_err(|error| Failure::unusable(format!("--tenant, --line: {error}")))?;
    let place = (command.tenant.as_str(), command.line.as_str());
    let refused = |error| compose::refused_flow(&command.file.display().to_string(), &error);
    let compiled =
        rest.catalogue.compile(place, &text).map_err(|found| refused(PublishError::Refused(found)))?;
    number_is_free(&rest, &scope, &compiled).await?;
    let publishing = rest.catalogue.publish(&rest.store, place, &text, SystemClock.now(), Aliasing::Move);
    let published = publishing.await.map_err(refused)?;
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

/// A number stands for one text, since `flow migrate NAME@1 NAME@2` goes by it.
async fn number_is_free(rest: &AtRest, scope: &Scope, compiled: &Published) -> Result<(), Failure> {
    let (name, number) = (compiled.program.name(), compiled.program.version());
    let history = mortise_engine::history(&rest.store, &scope.tenant, name).await?;
    let is_other = |hash: &str| {
        let known = || rest.catalogue.definition(hash);
        hash != &**compiled.program.hash() && known().is_none_or(|known| known.text != compiled.text)
    };
    let own = history.versions.iter().filter(|version| version.tenant == scope.tenant.as_str());
    if own.filter(|version| version.version == number).any(|version| is_other(&version.hash)) {
        let last = history.versions.iter().map(|version| version.version).max().unwrap_or(number);
        return Err(Failure::refused(format!(
            "version {number} of `{name}` is published, with another text"
        ))
        .mend(format!("count `version` up, to {}", last.saturating_add(1))));
    }
    Ok(())
}
