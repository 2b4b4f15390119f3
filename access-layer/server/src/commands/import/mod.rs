//! `mortise import`: rows of a file become calls of an operation that takes a list, several thousand a call and several calls
//! at a time. What a row means is the operation's; an error names the file, the line, the column and the mend.

mod columns;
mod file;
mod money;
mod sink;

use std::path::Path;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use indicatif::{ProgressBar, ProgressStyle};
use mortise_contract::{Contracts, Effect, Schema};
use serde_json::json;
use tokio::sync::mpsc;

use crate::cli::{Format, Import};
use crate::failure::{Exit, Failure};
use crate::{compose, print};

use self::columns::Row;
use self::file::{Chunk, Source};
use self::sink::Sink;

/// Rows a call into a data directory.
const CHUNK: usize = 5_000;
/// Rows a call over HTTP, where a body has its limit.
const CHUNK_HTTP: usize = 2_000;
/// Calls in flight at a time: the next chunks are read and sent while one is written.
const IN_FLIGHT: usize = 4;

pub(super) async fn run(command: Import) -> Result<Exit, Failure> {
    let wired = compose::contracts_only(&compose::Own::None)?;
    let target = Target::find(&command.operation, wired.registry.contracts())?;
    let scope = super::scope(&command.whose)?;
    let file = std::fs::File::open(&command.file).map_err(|error| Failure::file(&command.file, &error))?;
    let length = file.metadata().map_err(|error| Failure::file(&command.file, &error))?.len();
    let usual = if command.url.is_some() { CHUNK_HTTP } else { CHUNK };
    let chunk = command.chunk.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(usual).min(target.most);
    let row = Row::of(&target.row, wired.registry.contracts());
    let sink = Sink::open(&command, scope, &target, &wired.registry).await?;

    let bar = progress(length, &command.file, command.format);
    let (chunks, to_send) = mpsc::channel(IN_FLIGHT);
    let source = Source { path: command.file.clone(), row, chunk };
    let reading = tokio::task::spawn_blocking(move || source.read(file, &chunks));
    let sent = send(to_send, &sink, &command.file, &bar).await;
    bar.finish_and_clear();
    sink.close().await;
    let read = reading.await.map_err(|error| Failure::unusable(error.to_string()))?;
    let (rows, outcome) = match (sent, read) {
        ((rows, Err(failure)), _) | ((rows, Ok(())), Err(failure)) => (rows, Err(failure)),
        ((rows, Ok(())), Ok(())) => (rows, Ok(())),
    };
    if let Err(failure) = outcome {
        return Err(stored_so_far(failure, rows));
    }
    match command.format {
        Format::Json => print::json(&json!({"operation": command.operation, "rows": rows})),
        Format::Text => print::line(format_args!(
            "{rows} rows of {} went through {}",
            command.file.display(),
            command.operation
        )),
    }
    Ok(Exit::Clean)
}

fn stored_so_far(mut failure: Failure, rows: u64) -> Failure {
    if rows > 0 {
        let so_far = format!("{rows} rows of other calls are stored; importing the file again replaces them");
        failure.mend = Some(failure.mend.map_or(so_far.clone(), |mend| format!("{mend}; {so_far}")));
    }
    failure
}

/// Sends what is read, a few calls at a time; the rows that are stored, and the first thing that went wrong.
async fn send(
    mut chunks: mpsc::Receiver<Chunk>,
    sink: &Sink,
    file: &Path,
    bar: &ProgressBar,
) -> (u64, Result<(), Failure>) {
    let (mut in_flight, mut stored, mut ended) = (FuturesUnordered::new(), 0, false);
    let mut outcome = Ok(());
    loop {
        tokio::select! {
            chunk = chunks.recv(), if !ended && in_flight.len() < IN_FLIGHT => match chunk {
                Some(chunk) => in_flight.push(sink.send(chunk, file)),
                None => ended = true,
            },
            Some(sent) = in_flight.next() => match sent {
                Ok(done) => {
                    stored += done.rows;
                    bar.inc(done.bytes);
                }
                Err(failure) => {
                    // What is in flight is finished; nothing more is taken.
                    chunks.close();
                    ended = true;
                    if outcome.is_ok() {
                        outcome = Err(failure);
                    }
                }
            },
            else => break,
        }
    }
    (stored, outcome)
}

fn progress(bytes: u64, file: &Path, format: Format) -> ProgressBar {
    if format == Format::Json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {bytes}/{total_bytes}, {eta} left");
    let bar = ProgressBar::new(bytes)
        .with_message(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What an operation takes: the one list in its input.
#[derive(Debug)]
struct Target {
    list: String,
    row: Schema,
    most: usize,
}

impl Target {
    fn find(operation: &str, contracts: &Contracts) -> Result<Self, Failure> {
        let Some(contract) = contracts.operations.get(operation) else {
            let importing = contracts
                .operations
                .iter()
                .filter(|(_, contract)| Self::of(contract.effect, &contract.input, contracts).is_some());
            let failure =
                super::capability::unknown(operation, importing.clone().map(|(name, _)| name.as_str()));
            let names: Vec<&str> =
                importing.map(|(name, _)| name.as_str()).filter(|name| name.contains("import")).collect();
            return Err(failure.mend(format!("rows can be imported by {}", names.join(", "))));
        };
        Self::of(contract.effect, &contract.input, contracts).ok_or_else(|| {
            Failure::unusable(format!("`{operation}` takes no list of rows and nothing else"))
                .mend(format!("`mortise capability describe {operation}` shows what it takes"))
        })
    }

    fn of(effect: Effect, input: &Schema, contracts: &Contracts) -> Option<Self> {
        let input = contracts.resolve(input)?;
        let mut lists = input.properties.iter().filter_map(|(name, field)| {
            let list = contracts.resolve(field)?;
            let row = contracts.resolve(list.items.as_deref()?)?;
            let most = list.max_items.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
            (!row.properties.is_empty()).then(|| Self { list: name.clone(), row: row.clone(), most })
        });
        let only = lists.next().filter(|_| effect == Effect::Write)?;
        let other_is_needed = input.required.iter().any(|name| *name != only.list);
        (lists.next().is_none() && !other_is_needed).then_some(only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_one_list_of_rows_can_be_imported() {
        let contracts: Contracts = serde_json::from_str(
            r#"{"operations": {
                "shop.import_rows": {"effect": "write", "output": {"type": "object"}, "input": {"type": "object", "required": ["rows"],
                    "properties": {"rows": {"type": "array", "maxItems": 10, "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}}}},
                "shop.reserve": {"effect": "write", "output": {"type": "object"}, "input": {"type": "object", "required": ["holder", "rows"],
                    "properties": {"holder": {"type": "string"}, "rows": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}}}}
            }}"#,
        )
        .unwrap();
        let found = Target::find("shop.import_rows", &contracts).unwrap();
        assert_eq!((found.list.as_str(), found.most), ("rows", 10));
        assert!(
            Target::find("shop.reserve", &contracts).unwrap_err().sentence.contains("takes no list of rows")
        );
        let unknown = Target::find("shop.import_row", &contracts).unwrap_err();
        assert!(unknown.mend.unwrap().contains("shop.import_rows"));
    }
}
