//! `GET /v1/{tenant}/{line}/follow/{capability}/{operation}`: server-sent events out of any read operation that answers
//! entries behind a position. It looks again when something was committed, never by the clock, and resumes from
//! `Last-Event-ID`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use mortise_contract::{OperationContract, Schema, Text, Type, Types, Value};
use mortise_engine::Freshness;
use mortise_fault::{Fault, codes};
use tokio::sync::watch;

use crate::app::{App, Seat};
use crate::caller::Caller;
use crate::money::Wrapped;
use crate::place::Place;
use crate::problem::Problem;
use crate::query;
use crate::routes::read::Reading;

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The input's field behind whose position entries are answered.
const AFTER: &str = "after";
/// The output's field with the entries.
const ENTRIES: &str = "entries";
/// An entry's field with its position.
const POSITION: &str = "position";
/// How long a browser waits before it connects again.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    place: Place<2>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    if app.is_draining() {
        return Err(Problem::draining());
    }
    let reading = Reading::of(&app, place, caller)?;
    let after = after_of(&app, reading.contract).ok_or_else(|| {
        let detail =
            format!("`{}` has no entries with positions: it can be read, not followed.", reading.operation);
        Problem::of(&codes::UNKNOWN_OPERATION, detail)
    })?;
    let mut input = query::input(&uri, app.contracts(), &reading.contract.input)?;
    if let Some(last) = headers.get(&LAST_EVENT_ID) {
        set_after(&mut input, position(after, last.to_str().unwrap_or_default())?);
    }
    let mut follower = Follower {
        place: Place { scope: reading.scope.clone(), names: split(&reading.operation) },
        caller: reading.caller.clone(),
        committed: app.engine.committed(),
        draining: app.draining.subscribe(),
        events: VecDeque::from([Event::default().retry(RECONNECT_AFTER).comment("following")]),
        input,
        _seat: app.follower_seat()?,
        app: Arc::clone(&app),
    };
    // The first look is made here, so that a "no" is a problem and not an empty stream.
    follower.committed.borrow_and_update();
    follower.look().await?;
    let alive = KeepAlive::new().interval(app.settings.follow_keep_alive).text("still here");
    let events = stream::unfold(follower, Follower::next);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

/// The schema of the cursor, if an operation can be followed.
pub(crate) fn after_of<'a>(app: &'a App, contract: &'a OperationContract) -> Option<&'a Schema> {
    let contracts = app.contracts();
    let entries = contracts.resolve(contracts.resolve(&contract.output)?.properties.get(ENTRIES)?)?;
    let entry = contracts.resolve(entries.items.as_deref()?)?;
    entry.properties.get(POSITION)?;
    contracts.resolve(contracts.resolve(&contract.input)?.properties.get(AFTER)?)
}

/// A position as it is sent in `Last-Event-ID`.
fn position(after: &Schema, text: &str) -> Result<Value, Problem> {
    match after.types.as_ref().and_then(Types::main) {
        Some(Type::Integer) => text
            .parse()
            .map(Value::Int)
            .map_err(|_| Fault::invalid_input("/after", "Last-Event-ID is no position of this list.").into()),
        _ => Ok(Value::from(text)),
    }
}

fn set_after(input: &mut Value, position: Value) {
    if let Value::Record(record) = input {
        Arc::make_mut(record).insert(Text::Static(AFTER), position);
    }
}

fn split(operation: &str) -> [String; 2] {
    let (capability, name) = operation.split_once('.').unwrap_or((operation, ""));
    [capability.to_owned(), name.to_owned()]
}

/// One who follows: where the list was read to, and what is not sent yet.
struct Follower {
    app: Arc<App>,
    place: Place<2>,
    caller: Caller,
    input: Value,
    committed: watch::Receiver<u64>,
    draining: watch::Receiver<bool>,
    events: VecDeque<Event>,
    _seat: Seat,
}

impl Follower {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some((Ok(event), self));
            }
            if !self.wait().await {
                return None;
            }
            if let Err(problem) = self.look().await {
                // The stream ends; who follows connects again and meets the problem there.
                problem.log("", &self.app.put_off);
                return None;
            }
        }
    }

    /// Waits until something was committed; false when the server stops.
    async fn wait(&mut self) -> bool {
        let pause = self.app.settings.follow_pause;
        let committed = async {
            let changed = self.committed.changed().await.is_ok();
            tokio::time::sleep(pause).await;
            self.committed.borrow_and_update();
            changed
        };
        tokio::select! {
            changed = committed => changed,
            _ = self.draining.wait_for(|draining| *draining) => false,
        }
    }

    /// Reads what has come, page by page.
    async fn look(&mut self) -> Result<(), Problem> {
        let app = Arc::clone(&self.app);
        let place = Place { scope: self.place.scope.clone(), names: self.place.names.clone() };
        let reading = Reading::of(&app, place, self.caller.clone())?;
        let currency = app.line_currency(&reading.scope);
        loop {
            // Nobody looks again for what a standby does not show yet.
            let output = reading.ask(self.input.clone(), Freshness::Current).await?;
            let whole = Wrapped::new(&output, &reading.edge.output, currency.code());
            let Some(entries) = output.get(ENTRIES).and_then(Value::as_list) else { return Ok(()) };
            let shapes = &reading.edge.output;
            let node =
                shapes.root().and_then(|root| shapes.field(root, ENTRIES)).and_then(|list| shapes.item(list));
            let mut last = None;
            for entry in entries {
                let Some(position) = entry.get(POSITION) else { continue };
                let data = String::from_utf8(whole.part(entry, node).to_json()).map_err(Fault::internal)?;
                self.events.push_back(Event::default().id(written(position)).data(data));
                last = Some(position.clone());
            }
            let Some(last) = last.filter(|last| self.input.get(AFTER) != Some(last)) else { return Ok(()) };
            set_after(&mut self.input, last);
        }
    }
}

/// A position as an event's id.
fn written(position: &Value) -> String {
    let text = position.as_str().map_or_else(|| position.to_json(), str::to_owned);
    text.replace(['\n', '\r', '\0'], "")
}
