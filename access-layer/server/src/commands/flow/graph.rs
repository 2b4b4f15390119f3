//! `mortise flow graph`: a flow as a picture. What is drawn is the graph crate's.

use crate::cli::{FlowGraph, Picture};
use crate::commands::read_text;
use crate::failure::{Exit, Failure};
use crate::print;

use super::check::contracts;

/// Whatever the grammar has is drawn, also what the checker refuses: to see what is wrong.
pub(super) fn run(command: &FlowGraph) -> Result<Exit, Failure> {
    let text = read_text(&command.file)?;
    let flow = mortise_flow::parse(&text).map_err(|found| {
        let first = found.first().map(|d| format!("; line {}: {}", d.line, d.message)).unwrap_or_default();
        Failure::refused(format!("{} is no flow{first}", command.file.display()))
            .mend("`mortise flow check` says all")
    })?;
    let graph = mortise_graph::graph(&flow, &contracts(command.contracts.as_deref(), &command.extensions)?);
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
