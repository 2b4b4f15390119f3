//! What a script or a test does with the sandbox from outside: faults, the book, the clock.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{check_text, invalid, payments, read_body};
use crate::app::App;
use crate::fault::{FAULTS_MAX, FaultRule};
use crate::problem::Problem;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdvanceClock {
    advance_ms: u32,
}

type Body = Result<Bytes, BytesRejection>;

/// `GET /_control/faults`
pub(crate) async fn faults(Shared(app): Shared<Arc<App>>) -> Json<Value> {
    Json(json!({ "faults": app.faults.list() }))
}

/// `POST /_control/faults`
pub(crate) async fn set_fault(Shared(app): Shared<Arc<App>>, body: Body) -> Result<Response, Problem> {
    let (rule, _) = read_body::<FaultRule>(body)?;
    if let Some(problem) = rule.problem() {
        return Err(invalid(problem));
    }
    for (name, text) in [("reference", &rule.reference), ("event", &rule.event)] {
        text.as_deref().map_or(Ok(()), |text| check_text(name, text))?;
    }
    let set = app.faults.set(rule).ok_or_else(|| {
        let detail = format!("at most {FAULTS_MAX} faults are set at once");
        Problem::new(StatusCode::CONFLICT, "too_many_faults", detail)
    })?;
    Ok((StatusCode::CREATED, Json(set)).into_response())
}

/// `DELETE /_control/faults`
pub(crate) async fn clear_faults(Shared(app): Shared<Arc<App>>) -> Json<Value> {
    Json(json!({ "cleared": app.faults.clear(None) }))
}

/// `DELETE /_control/faults/{id}`
pub(crate) async fn clear_fault(
    Shared(app): Shared<Arc<App>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, Problem> {
    match app.faults.clear(Some(id)) {
        0 => Err(Problem::new(StatusCode::NOT_FOUND, "no_such_fault", "there is no fault of this id")),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// `GET /_control/book`: all of it, as far as it is durable.
pub(crate) async fn book(Shared(app): Shared<Arc<App>>) -> Result<Json<Value>, Problem> {
    let book = app.book.transact(|state| {
        let payments: Vec<Value> =
            state.payments.values().map(|payment| payments::view(&app, payment)).collect();
        let refunds: Vec<_> = state.payments.values().flat_map(|payment| &payment.refunds).collect();
        let shipments: Vec<_> = state.shipments.values().collect();
        let remittances: Vec<_> = state.remittances.values().collect();
        let waiting: Vec<Value> = state
            .waiting
            .values()
            .map(|event| json!({ "id": event.id, "kind": event.kind, "subject": event.subject }))
            .collect();
        let events = json!({ "waiting": waiting, "delivered": state.delivered });
        (
            json!({
                "payments": payments,
                "refunds": refunds,
                "shipments": shipments,
                "remittances": remittances,
                "events": events,
            }),
            Vec::new(),
        )
    });
    let closed = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "book_closed", "the book cannot be read");
    book.await.map(Json).map_err(closed)
}

/// `GET /_control/clock`
pub(crate) async fn clock(Shared(app): Shared<Arc<App>>) -> Json<Value> {
    Json(json!({ "now": app.clock.now() }))
}

/// `POST /_control/clock`
pub(crate) async fn advance_clock(Shared(app): Shared<Arc<App>>, body: Body) -> Result<Json<Value>, Problem> {
    let (AdvanceClock { advance_ms }, _) = read_body(body)?;
    Ok(Json(json!({ "now": app.clock.advance(advance_ms) })))
}

/// `GET /_control/health`
pub(crate) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
