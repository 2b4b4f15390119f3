//! Where chunks go: into a data directory through an engine of our own, or to a server over HTTP. Either way each is a trade of
//! one call, and what is refused is told by the line of the file.

use std::path::Path;

use mortise_contract::{Value, Violation};
use mortise_engine::{Engine, EngineError, Started};
use mortise_flow::Answer;
use mortise_types::{IdSource as _, Scope, SystemIds};

use super::file::Chunk;
use crate::cli::Import;
use crate::compose::{self, Opening, Peers};
use crate::failure::Failure;

/// Where rows go.
#[derive(Debug)]
pub(super) struct Sink {
    place: Place,
    scope: Scope,
    operation: String,
    list: String,
}

#[derive(Debug)]
enum Place {
    Engine(Box<Engine>),
    Server { http: reqwest::Client, url: String },
}

/// A call that went through.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Why a call did not go through, without its place in the file.
enum Refused {
    Places(Vec<Violation>),
    Rejected { code: String, detail: Value },
    Broken(Failure),
}

impl Sink {
    /// Opens the data directory, or the way to the server.
    ///
    /// # Errors
    /// A directory that cannot be opened.
    pub(super) async fn open(command: &Import, scope: Scope, list: &str) -> Result<Self, Failure> {
        let place = match (&command.url, &command.data) {
            (Some(url), _) => {
                let url = url.trim_end_matches('/');
                let operation = command.operation.replace('.', "/");
                let url = format!("{url}/v1/{}/{}/operations/{operation}", scope.tenant, scope.line);
                Place::Server { http: reqwest::Client::new(), url }
            }
            (None, Some(data)) => Place::Engine(Box::new(compose::idle(Opening::of(data, Peers::unasked())).await?)),
            (None, None) => return Err(Failure::unusable("nowhere to import to").mend("name --data or --url")),
        };
        Ok(Self { place, scope, operation: command.operation.clone(), list: list.to_owned() })
    }

    /// Returns when everything that was sent is stored.
    pub(super) async fn close(&self) {
        if let Place::Engine(engine) = &self.place {
            engine.drain().await;
        }
    }

    /// Makes one call.
    ///
    /// # Errors
    /// What was refused, by the lines of the file.
    pub(super) async fn send(&self, chunk: Chunk, file: &Path) -> Result<Sent, Failure> {
        let Chunk { rows, lines, bytes } = chunk;
        let sent = Sent { rows: rows.len() as u64, bytes };
        let input = Value::record([(self.list.as_str(), Value::list(rows))]);
        let refused = match &self.place {
            Place::Engine(engine) => self.call(engine, input).await,
            Place::Server { http, url } => post(http, url, &input).await,
        };
        refused.map(|()| sent).map_err(|refused| self.told(refused, &lines, file))
    }

    async fn call(&self, engine: &Engine, input: Value) -> Result<(), Refused> {
        let begun = engine.call(self.scope.clone(), &self.operation, input, None).await;
        let answer = begun.map_err(|error| match error {
            EngineError::Invalid(violations) => Refused::Places(violations),
            error => Refused::Broken(Failure::unusable(error.to_string())),
        })?;
        match answer.await {
            Ok(Started::Answered { answer: Answer::Ok(_), .. }) => Ok(()),
            Ok(Started::Answered { answer: Answer::Failed { code, detail }, .. }) => Err(Refused::Rejected { code, detail }),
            Ok(Started::Broken { problem }) => Err(Refused::Broken(Failure::unusable(problem))),
            Ok(Started::KeyConflict | Started::IdempotencyMismatch) | Err(_) => {
                Err(Refused::Broken(Failure::unusable("a call was not answered; its rows are stored wholly or not at all")))
            }
        }
    }

    /// The refusal as the file's author reads it.
    fn told(&self, refused: Refused, lines: &[u64], file: &Path) -> Failure {
        let file = file.display();
        match refused {
            Refused::Broken(failure) => failure,
            Refused::Places(violations) => {
                let told = violations.iter().map(|violation| {
                    let mut parts = violation.pointer.splitn(4, '/').skip(2);
                    let line = parts.next().and_then(|index| lines.get(index.parse::<usize>().ok()?));
                    let column = parts.next().map_or_else(String::new, |column| format!(", column `{column}`"));
                    match line {
                        Some(line) => format!("{file}:{line}{column}: {}", violation.message),
                        None => format!("{file}: {} {}", violation.pointer, violation.message),
                    }
                });
                Failure::refused(told.collect::<Vec<_>>().join("\n"))
                    .mend(format!("`mortise capability describe {}` shows what a row may hold", self.operation))
            }
            Refused::Rejected { code, detail } => {
                let row = detail.get("row").and_then(Value::as_int).and_then(|row| usize::try_from(row - 1).ok());
                let place = match (row.and_then(|row| lines.get(row)), lines) {
                    (Some(line), _) => format!("{file}:{line}"),
                    (None, [first, .., last]) => format!("{file}, in the lines {first} to {last}"),
                    (None, [line]) => format!("{file}:{line}"),
                    (None, []) => file.to_string(),
                };
                let problem = detail.get("problem").and_then(Value::as_str).map_or_else(|| detail.to_json(), str::to_owned);
                Failure::refused(format!("{place}: {code}: {problem}"))
                    .mend(format!("`mortise capability describe {code}` explains it"))
            }
        }
    }
}

/// The server's answer to a call.
async fn post(http: &reqwest::Client, url: &str, input: &Value) -> Result<(), Refused> {
    let unreached = |error: reqwest::Error| Refused::Broken(Failure::unusable(format!("{url}: {error}")));
    let key = SystemIds.next().simple().to_string();
    let request = http.post(url).header("Mortise-Staff", "import").header("Idempotency-Key", key).json(input);
    let response = request.send().await.map_err(unreached)?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let problem: serde_json::Value = response.json().await.map_err(unreached)?;
    let text = |name: &str| problem.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let places: Vec<Violation> = problem
        .get("errors")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|error| {
            let part = |name: &str| error.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
            Some(Violation { pointer: part("pointer")?, message: part("detail")? })
        })
        .collect();
    if !places.is_empty() {
        return Err(Refused::Places(places));
    }
    Err(match problem.get("reason").and_then(serde_json::Value::as_str) {
        Some(reason) => {
            let detail = problem.get("reason_detail").and_then(|detail| mortise_contract::to_value(detail).ok());
            Refused::Rejected { code: reason.to_owned(), detail: detail.unwrap_or_else(Value::empty_record) }
        }
        None => Refused::Broken(Failure::unusable(format!("{url}: {status}: {} {}", text("title"), text("detail")))),
    })
}
