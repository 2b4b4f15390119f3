//! Waits for a trade that was begun and packs what became of it. The same trade gives the same bytes, whoever asks again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use mortise_contract::Value;
use mortise_engine::{Begun, Replay, Started, TradeId, TradeStatus};
use mortise_fault::{Fault, codes};
use mortise_flow::Answer;
use mortise_types::Scope;
use serde::Serialize;

use crate::app::App;
use crate::caller::Caller;
use crate::edge::Edge;
use crate::idempotency::{in_progress, mismatch};
use crate::money::Wrapped;
use crate::problem::{Page, Problem, Reason, Trade};

static REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// How an answer is packed: where its money stands, and in which currency.
#[derive(Debug)]
pub(crate) struct Packing {
    pub(crate) edge: Arc<Edge>,
    pub(crate) currency: String,
}

/// Waits for the answer of `begun`, which was started by this request of `caller`.
pub(crate) async fn answer(
    app: &App,
    (scope, caller): (&Scope, &Caller),
    begun: Begun,
    packing: Packing,
) -> Result<Response, Problem> {
    let Begun { trade, answer } = begun;
    let answered = match tokio::time::timeout(app.settings.answer_wait, answer).await {
        Ok(Ok(started)) => settled(app, scope, started, packing).await,
        Ok(Err(_)) => Err(Problem::draining()),
        Err(_) => late(app, scope, &trade).await,
    };
    answered.map(|response| app.told(scope, caller, response))
}

async fn settled(app: &App, scope: &Scope, started: Started, packing: Packing) -> Result<Response, Problem> {
    match started {
        Started::Answered { trade, answer, replay: Replay::First } => {
            pack(app, scope, &trade.id, &answer, &packing, Replay::First)
        }
        Started::Answered { trade, answer, replay: Replay::Repeated } => {
            // The first answer was packed as the definition of its time says.
            let status = app.engine.trade(&trade.tenant, &trade.id).await?;
            let packing = status.and_then(|status| packing_of(app, scope, &status)).unwrap_or(packing);
            pack(app, scope, &trade.id, &answer, &packing, Replay::Repeated)
        }
        Started::KeyConflict => Err(Problem::of(
            &codes::KEY_CONFLICT,
            "The trade's key stands for one that was begun with other content.",
        )),
        Started::IdempotencyMismatch => Err(mismatch()),
        Started::Broken(trouble) => Err(trouble.into()),
    }
}

/// The wait is over: the trade goes on, or the data cannot be written, or the first request with the key is not done.
async fn late(app: &App, scope: &Scope, trade: &TradeId) -> Result<Response, Problem> {
    match app.engine.trade(&trade.tenant, &trade.id).await? {
        Some(status) => report(app, scope, &trade.id, &status),
        None if app.engine.figures().unwritten.load(Ordering::Relaxed) > 0 => {
            Err(Fault::new(&codes::STORE_UNAVAILABLE, "The data cannot be written just now.").into())
        }
        None => Err(in_progress()),
    }
}

/// How the answer of a trade is packed by its own definition; none if that is gone.
fn packing_of(app: &App, scope: &Scope, status: &TradeStatus) -> Option<Packing> {
    let edge = match app.engine.catalogue().definition(&status.definition) {
        Some(published) => app.edges.flow(app.contracts(), &published),
        None => Arc::clone(app.edges.operation(&status.flow)?),
    };
    let currency = status.currency.clone().unwrap_or_else(|| app.line_currency(scope).to_string());
    Some(Packing { edge, currency })
}

/// A trade as its row says: its answer, or that it is under way.
pub(crate) fn report(
    app: &App,
    scope: &Scope,
    id: &Arc<str>,
    status: &TradeStatus,
) -> Result<Response, Problem> {
    if let Some(answer) = &status.answer {
        let packing = packing_of(app, scope, status);
        let packing =
            packing.ok_or_else(|| Fault::internal(format!("the definition of trade {id} is gone")))?;
        return pack(app, scope, id, answer, &packing, Replay::First);
    }
    match status.outcome.as_deref() {
        Some(outcome) => json(StatusCode::OK, &Ended { trade: id, status: "ended", outcome }),
        None => {
            let mut response = json(StatusCode::ACCEPTED, &Running { trade: id, status: "running" })?;
            let headers = response.headers_mut();
            headers.insert(header::LOCATION, header_of(path(scope, id))?);
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            Ok(response)
        }
    }
}

#[derive(Serialize)]
struct Running<'a> {
    trade: &'a str,
    status: &'static str,
}

#[derive(Serialize)]
struct Ended<'a> {
    trade: &'a str,
    status: &'static str,
    outcome: &'a str,
}

fn pack(
    app: &App,
    scope: &Scope,
    id: &Arc<str>,
    answer: &Answer,
    packing: &Packing,
    replay: Replay,
) -> Result<Response, Problem> {
    let mut response = match answer {
        Answer::Ok(value) => {
            let body = Wrapped::new(value, &packing.edge.output, &packing.currency).to_json();
            let mut response = Response::new(Body::from(body));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::CONTENT_LOCATION, header_of(path(scope, id))?);
            response
        }
        Answer::Failed { code, detail } => {
            let trade = Trade { id: Arc::clone(id), path: path(scope, id) };
            let problem = failed(app, code, detail, &packing.currency, trade);
            axum::response::IntoResponse::into_response(problem)
        }
    };
    if replay == Replay::Repeated {
        response.headers_mut().insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The problem of a trade that went backward.
pub(crate) fn failed(app: &App, code: &str, detail: &Value, currency: &str, trade: Trade) -> Problem {
    let sentence = format!("The answer is no: {code}. Whatever the trade had done is undone.");
    let reason = reason(app, code, detail, currency);
    Problem::of_reason(Fault::trade_failed(code, sentence), reason, Some(trade))
}

/// What a "no" is about, its amounts wrapped.
pub(crate) fn reason(app: &App, code: &str, detail: &Value, currency: &str) -> Reason {
    let none = crate::shapes::Shapes::default();
    let shapes = app.edges.rejection(code).unwrap_or(&none);
    let empty = detail.as_record().is_none_or(mortise_contract::Record::is_empty);
    let written =
        (!empty).then(|| serde_json::to_value(Wrapped::new(detail, shapes, currency)).ok()).flatten();
    let page = if app.engine.registry().page(code).is_some() { Page::Here } else { Page::None };
    Reason { detail: written, page }
}

/// Where a trade can be asked for.
pub(crate) fn path(scope: &Scope, id: &str) -> String {
    format!("/v1/{}/{}/trades/{id}", scope.tenant, scope.line)
}

/// An answer of a type of ours.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body).map_err(Fault::internal)?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn header_of(text: String) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(text).map_err(|error| Fault::internal(error).into())
}
