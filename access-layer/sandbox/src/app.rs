//! How every call runs: its fault, its idempotency key, its decision in the book, its answer. What a call decides is in
//! `payment` and `shipment`; how it looks on the wire is in `http`.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mortise_types::{Amount, IdSource, Timestamp};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::book::{Book, BookClosed};
use crate::clock::ShiftedClock;
use crate::connection::Connection;
use crate::fault::{Endpoint, Fault, Faults, Repetition, Target};
use crate::problem::{Problem, Refusal, RefusalKind, json_response};
use crate::state::{Change, Event, State, StoredAnswer};

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) book: Book,
    pub(crate) faults: Faults,
    pub(crate) clock: ShiftedClock,
    pub(crate) ids: Arc<dyn IdSource>,
    /// Where people and adapters reach the sandbox, without a slash at the end.
    pub(crate) public_url: String,
    pub(crate) default_webhook_url: Option<String>,
    pub(crate) auto_advance: Option<Duration>,
    /// Turns true when the sandbox stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// A call, before it is decided.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) connection: Connection,
    /// The merchant's name for what it is about; faults choose by it.
    pub(crate) reference: String,
    pub(crate) amount: Option<Amount>,
    pub(crate) idempotency: Option<Idempotency>,
}

/// A request's key and what it must be equal to when it comes again.
#[derive(Clone, Debug)]
pub(crate) struct Idempotency {
    /// Unique with its endpoint and the thing it acts on.
    pub(crate) key: String,
    pub(crate) fingerprint: String,
}

/// What a call does: its answer and the changes that make it true.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    pub(crate) changes: Vec<Change>,
}

impl Outcome {
    pub(crate) fn ok(body: Value) -> Outcome {
        Outcome { status: StatusCode::OK, body, changes: Vec::new() }
    }
}

enum Decided {
    Now(StatusCode, String),
    Already(StatusCode, String),
    KeyReused,
}

impl App {
    /// Runs a call to its answer. A refusal is an answer too, and stored as such; so is a decline on demand.
    pub(crate) async fn run(
        &self,
        call: Call,
        decide: impl FnOnce(&State, Timestamp) -> Result<Outcome, Refusal>,
    ) -> Response {
        self.run_or_declined(call, |state, now, declined| match declined {
            Some(code) => Err(Refusal::new(RefusalKind::Declined, code, "declined on demand")),
            None => decide(state, now),
        })
        .await
    }

    /// As `run`, for a call that does something else with a decline than to refuse.
    pub(crate) async fn run_or_declined(
        &self,
        call: Call,
        decide: impl FnOnce(&State, Timestamp, Option<&str>) -> Result<Outcome, Refusal>,
    ) -> Response {
        let fault = self.fault_of(&call);
        match &fault {
            Some(Fault::ErrorBefore {}) => return injected_error("nothing happened"),
            Some(Fault::DropBefore {}) => return cut(&call.connection),
            _ => {}
        }
        let declined = match &fault {
            Some(Fault::Decline { code }) => Some(code.as_str()),
            _ => None,
        };
        let now = self.clock.now();
        let decided = self
            .book
            .transact(|state| decide_once(call.idempotency.as_ref(), state, || decide(state, now, declined)));
        let response = match decided.await {
            Ok(decided) => decided.into_response(),
            Err(BookClosed) => return book_closed(),
        };
        self.misbehave(fault, &call.connection, response).await
    }

    /// Runs changes that no request asked for: expiry, and parcels that move by themselves.
    pub(crate) async fn run_due(
        &self,
        decide: impl FnOnce(&State, Timestamp) -> Vec<Change>,
    ) -> Result<(), BookClosed> {
        let now = self.clock.now();
        self.book.transact(|state| ((), decide(state, now))).await
    }

    /// A new id. The source never repeats itself, also over restarts.
    pub(crate) fn mint(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.ids.next().simple())
    }

    /// The event `kind` about `subject`, for the receiver `target`.
    pub(crate) fn raise(&self, kind: &str, about: &About<'_>, now: Timestamp, data: Value) -> Change {
        let id = self.mint("evt");
        let body = json!({ "id": id, "type": kind, "created_at": now, "data": data }).to_string();
        Change::Raised {
            event: Event {
                id,
                kind: kind.to_owned(),
                subject: about.subject.to_owned(),
                reference: about.reference.to_owned(),
                amount: about.amount,
                target: about.target.to_owned(),
                body,
            },
        }
    }

    fn fault_of(&self, call: &Call) -> Option<Fault> {
        let key = call.idempotency.as_ref().map(|idempotency| idempotency.key.as_str());
        let answered = key.is_some_and(|key| self.book.peek(|state| state.answers.contains_key(key)));
        let repetition = if answered { Repetition::Answered } else { Repetition::First };
        let (reference, amount) = (call.reference.as_str(), call.amount);
        self.faults.strike(Target { endpoint: call.endpoint, reference, amount, key, repetition })
    }

    async fn misbehave(&self, fault: Option<Fault>, connection: &Connection, response: Response) -> Response {
        match fault {
            Some(Fault::ErrorAfter {}) => injected_error("it happened all the same"),
            Some(Fault::DropAfter {}) => cut(connection),
            Some(Fault::Hang {}) => {
                self.stopped().await;
                cut(connection)
            }
            Some(Fault::Slow { after_ms }) => tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(after_ms)) => response,
                () = self.stopped() => cut(connection),
            },
            _ => response,
        }
    }

    /// Returns when the sandbox stops.
    pub(crate) async fn stopped(&self) {
        // An error means that the running sandbox is gone, which is a stop as well.
        let _ = self.stopping.clone().wait_for(|stopping| *stopping).await;
    }
}

/// What an event is about and who hears of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) subject: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) amount: Option<Amount>,
    pub(crate) target: &'a str,
}

/// Answers a known key from the book, and decides an unknown one.
fn decide_once(
    idempotency: Option<&Idempotency>,
    state: &State,
    decide: impl FnOnce() -> Result<Outcome, Refusal>,
) -> (Decided, Vec<Change>) {
    if let Some(stored) = idempotency.and_then(|idempotency| state.answers.get(&idempotency.key)) {
        let same = idempotency.is_some_and(|idempotency| idempotency.fingerprint == stored.fingerprint);
        let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
        let known = if same { Decided::Already(status, stored.body.clone()) } else { Decided::KeyReused };
        return (known, Vec::new());
    }
    let (status, body, mut changes) = match decide() {
        Ok(Outcome { status, body, changes }) => (status, body.to_string(), changes),
        Err(refusal) => (refusal.status(), refusal.body().to_string(), Vec::new()),
    };
    if let Some(Idempotency { key, fingerprint }) = idempotency.cloned() {
        let answer = StoredAnswer { fingerprint, status: status.as_u16(), body: body.clone() };
        changes.push(Change::Answered { key, answer });
    }
    (Decided::Now(status, body), changes)
}

impl IntoResponse for Decided {
    fn into_response(self) -> Response {
        match self {
            Decided::Now(status, body) => json_response(status, body),
            Decided::Already(status, body) => {
                let mut response = json_response(status, body);
                response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
                response
            }
            Decided::KeyReused => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request",
            )
            .into_response(),
        }
    }
}

fn injected_error(what: &str) -> Response {
    let detail = format!("an error on demand; {what}");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "injected_error", detail).into_response()
}

fn book_closed() -> Response {
    let detail = "the book cannot be written; nothing is acknowledged";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "book_closed", detail).into_response()
}

/// Ends the connection; what is returned here never gets through.
fn cut(connection: &Connection) -> Response {
    connection.cut();
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
