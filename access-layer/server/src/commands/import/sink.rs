//! Where chunks go: into a data directory through an engine of our own, or to a server over HTTP. Either way each is a trade of
//! one call, and what is refused is told by the line of the file.

use std::path::Path;
use std::sync::Arc;

use mortise_capability::Registry;
use mortise_contract::{Schema, Value, Violation};
use mortise_engine::{Engine, EngineError, Started};
use mortise_flow::Answer;
use mortise_types::{IdSource as _, Scope, SystemIds};

use super::Target;
use super::file::Chunk;
use super::money::{CurrencyMissing, wrap};
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
    Server(Box<Server>),
}

/// A server, and what it has to be told that a file leaves out.
#[derive(Debug)]
struct Server {
    http: reqwest::Client,
    url: String,
    row: Schema,
    contracts: Arc<Registry>,
    currency: Option<String>,
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
    Rejected {
        code: String,
        detail: Value,
    },
    /// A row that fits its schema and is still not what the operation takes.
    Unread(String),
    Broken(Failure),
}

impl Sink {
    /// Opens the data directory, or the way to the server.
    ///
    /// # Errors
    /// A directory that cannot be opened.
    pub(super) async fn open(
        command: &Import,
        scope: Scope,
        target: &Target,
        contracts: &Arc<Registry>,
    ) -> Result<Self, Failure> {
        let place = match (&command.url, &command.data) {
            (Some(url), _) => {
                let url = url.trim_end_matches('/');
                let operation = command.operation.replace('.', "/");
                let url = format!("{url}/v1/{}/{}/operations/{operation}", scope.tenant, scope.line);
                let (row, contracts, currency) =
                    (target.row.clone(), Arc::clone(contracts), command.currency.clone());
                Place::Server(Box::new(Server {
                    http: reqwest::Client::new(),
                    url,
                    row,
                    contracts,
                    currency,
                }))
            }
            (None, Some(data)) => {
                Place::Engine(Box::new(compose::idle(Opening::of(data, Peers::unasked())).await?))
            }
            (None, None) => {
                return Err(Failure::unusable("nowhere to import to").mend("name --data or --url"));
            }
        };
        Ok(Self { place, scope, operation: command.operation.clone(), list: target.list.clone() })
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
        let refused = match &self.place {
            Place::Engine(engine) => {
                self.call(engine, Value::record([(self.list.as_str(), Value::list(rows))])).await
            }
            Place::Server(server) => server.post(&self.list, rows).await,
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
            Ok(Started::Answered { answer: Answer::Failed { code, detail }, .. }) => {
                Err(Refused::Rejected { code, detail })
            }
            Ok(Started::Broken(trouble)) => Err(Refused::Unread(trouble.problem)),
            Ok(Started::KeyConflict | Started::IdempotencyMismatch) | Err(_) => Err(Refused::Broken(
                Failure::unusable("a call was not answered; its rows are stored wholly or not at all"),
            )),
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
                    let column =
                        parts.next().map_or_else(String::new, |column| format!(", column `{column}`"));
                    match line {
                        Some(line) => format!("{file}:{line}{column}: {}", violation.message),
                        None => format!("{file}: {} {}", violation.pointer, violation.message),
                    }
                });
                Failure::refused(told.collect::<Vec<_>>().join("\n")).mend(format!(
                    "`mortise capability describe {}` shows what a row may hold",
                    self.operation
                ))
            }
            Refused::Unread(problem) => Failure::refused(format!("{}: {problem}", place(&file, lines))),
            Refused::Rejected { code, detail } => {
                let row =
                    detail.get("row").and_then(Value::as_int).and_then(|row| usize::try_from(row - 1).ok());
                let place = match row.and_then(|row| lines.get(row)) {
                    Some(line) => format!("{file}:{line}"),
                    None => place(&file, lines),
                };
                let problem = detail
                    .get("problem")
                    .and_then(Value::as_str)
                    .map_or_else(|| detail.to_json(), str::to_owned);
                Failure::refused(format!("{place}: {code}: {problem}"))
                    .mend(format!("`mortise capability describe {code}` explains it"))
            }
        }
    }
}

/// The rows of a call, as a person finds them.
fn place(file: &impl std::fmt::Display, lines: &[u64]) -> String {
    match lines {
        [line] => format!("{file}:{line}"),
        [first, .., last] => format!("{file}, in the lines {first} to {last}"),
        [] => file.to_string(),
    }
}

impl Server {
    /// One call over HTTP.
    async fn post(&self, list: &str, rows: Vec<Value>) -> Result<(), Refused> {
        let unreached =
            |error: reqwest::Error| Refused::Broken(Failure::unusable(format!("{}: {error}", self.url)));
        let contracts = self.contracts.contracts();
        let rows = rows.iter().map(|row| wrap(row, &self.row, contracts, self.currency.as_deref()));
        let rows = rows.collect::<Result<Vec<_>, _>>().map_err(|CurrencyMissing| {
            let failure = Failure::unusable("the rows have amounts and name no currency");
            Refused::Broken(failure.mend("name it with --currency, or in a column `currency`"))
        })?;
        let key = SystemIds.next().simple().to_string();
        let request =
            self.http.post(&self.url).header("Mortise-Staff", "import").header("Idempotency-Key", key);
        let response =
            request.json(&Value::record([(list, Value::list(rows))])).send().await.map_err(unreached)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let problem: serde_json::Value = response.json().await.map_err(unreached)?;
        Err(refusal(&problem, format_args!("{}: {status}", self.url)))
    }
}

/// A server's problem as what it says about the rows.
fn refusal(problem: &serde_json::Value, whose: std::fmt::Arguments<'_>) -> Refused {
    let text = |of: &serde_json::Value, name: &str| {
        of.get(name).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    let errors = problem.get("errors").and_then(serde_json::Value::as_array).into_iter().flatten();
    let places: Vec<Violation> = errors
        .filter_map(|error| {
            Some(Violation { pointer: text(error, "pointer")?, message: text(error, "detail")? })
        })
        .collect();
    match (places.is_empty(), text(problem, "reason")) {
        (false, _) => Refused::Places(places),
        (true, Some(code)) => {
            let detail =
                problem.get("reason_detail").and_then(|detail| mortise_contract::to_value(detail).ok());
            Refused::Rejected { code, detail: detail.unwrap_or_else(Value::empty_record) }
        }
        (true, None) => {
            let said = [text(problem, "title"), text(problem, "detail")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(". ");
            Refused::Broken(Failure::unusable(format!("{whose}: {said}")))
        }
    }
}
