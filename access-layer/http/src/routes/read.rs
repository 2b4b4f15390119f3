//! `GET` and `POST /v1/{tenant}/{line}/read/{capability}/{operation}`: any `read` operation, with its input as a query
//! string or as JSON. Reads change nothing: they need no idempotency key.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use mortise_contract::{Effect, OperationContract, Value};
use mortise_engine::{Freshness, ReadOutcome};
use mortise_fault::{Fault, codes};
use mortise_store::Position;
use mortise_types::Scope;

use crate::answer::reason;
use crate::app::App;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::customer;
use crate::edge::{CustomerField, Edge};
use crate::money::{self, Wrapped};
use crate::own_writes::ToldOf;
use crate::place::Place;
use crate::problem::Problem;
use crate::query;

/// A read operation that a caller may ask.
pub(super) struct Reading<'a> {
    pub(super) app: &'a App,
    pub(super) scope: Scope,
    pub(super) operation: String,
    pub(super) contract: &'a OperationContract,
    pub(super) edge: Arc<Edge>,
    pub(super) caller: Caller,
}

pub(super) async fn by_query(
    State(app): State<Arc<App>>,
    place: Place<2>,
    caller: Caller,
    ToldOf(told_of): ToldOf,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let reading = Reading::of(&app, place, caller)?;
    let input = query::input(&uri, app.contracts(), &reading.contract.input)?;
    let body = reading.json(input, told_of).await?;
    let hash = blake3::hash(&body).to_hex();
    let tag = HeaderValue::try_from(format!("\"{}\"", &hash[..32])).map_err(Fault::internal)?;
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|given| names(given, &tag));
    let mut response = if known { Response::new(Body::empty()) } else { answered(body) };
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

pub(super) async fn by_body(
    State(app): State<Arc<App>>,
    place: Place<2>,
    caller: Caller,
    ToldOf(told_of): ToldOf,
    body: JsonBody,
) -> Result<Response, Problem> {
    let reading = Reading::of(&app, place, caller)?;
    let mut input = body.value()?;
    let currency = app.line_currency(&reading.scope).to_string();
    money::unwrap(&mut input, &reading.edge.input, Some(&currency))?;
    let mut response = answered(reading.json(input, told_of).await?);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

impl<'a> Reading<'a> {
    /// The operation that a path names. What says nothing of a customer is about the whole shop, and staff's.
    pub(super) fn of(app: &'a App, place: Place<2>, caller: Caller) -> Result<Self, Problem> {
        caller.anybody()?;
        let operation = place.operation();
        let (contract, edge) = app.operation(&operation, |effect| effect == Effect::Read)?;
        if edge.customer == CustomerField::None {
            caller.staff()?;
        }
        Ok(Self { app, scope: place.scope, operation, contract, edge: Arc::clone(edge), caller })
    }

    /// What the operation answers.
    pub(super) async fn ask(&self, mut input: Value, freshness: Freshness) -> Result<Value, Problem> {
        customer::fill(&mut input, self.edge.customer, &self.caller)?;
        let caller = self.caller.customer().cloned();
        let read = self.app.engine.read(self.scope.clone(), &self.operation, input, caller, freshness);
        match read.await? {
            ReadOutcome::Done(output) => Ok(output),
            ReadOutcome::Rejected(rejection) => {
                let currency = self.app.line_currency(&self.scope).to_string();
                let reason = reason(self.app, &rejection.code, &rejection.detail, &currency);
                let sentence = format!("The answer is no: {}.", rejection.code);
                let fault = Fault::new(&codes::REJECTED, sentence).for_reason(rejection.code);
                Err(Problem::of_reason(fault, reason, None))
            }
        }
    }

    /// The same as it is written. It shows what the caller has been told of here, or says he has been elsewhere.
    async fn json(&self, input: Value, told_of: Option<Position>) -> Result<Vec<u8>, Problem> {
        let own = self.app.own_writes.of(&self.scope.tenant, &self.caller);
        let output = self.ask(input, Freshness::AsDeclared(own.max(told_of))).await?;
        let currency = self.app.line_currency(&self.scope);
        Ok(Wrapped::new(&output, &self.edge.output, currency.code()).to_json())
    }
}

fn answered(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Whether an `If-None-Match` names a tag, weakly compared.
fn names(given: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(given), Ok(tag)) = (given.to_str(), tag.to_str()) else { return false };
    given.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
