//! `mortise flow list`: what names mean in a data directory.

use serde_json::json;

use mortise_store::Access;

use crate::cli::{FlowList, Format};
use crate::commands::scope;
use crate::failure::{Exit, Failure};
use crate::{compose, print};

pub(super) async fn run(command: FlowList) -> Result<Exit, Failure> {
    let scope = scope(&command.whose)?;
    let rest = compose::at_rest(&command.data.data, Access::Reading).await?;
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
