//! The carrier's payouts of collected cash.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mortise_types::{Amount, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{read_body, required_idempotency};
use crate::app::{About, App, Call, Outcome};
use crate::connection::Connection;
use crate::fault::{Endpoint, Fault, Repetition, Target};
use crate::problem::Problem;
use crate::remittance::{self, Remittance};
use crate::shipment::Shipment;
use crate::state::{Change, State};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// `POST /carrier/v1/remittances`: pays out all that was collected and not paid out before.
pub(crate) async fn pay_out(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (Nothing {}, fingerprint) = read_body(body)?;
    let endpoint = Endpoint::RemittancesCreate;
    let idempotency = required_idempotency(&headers, endpoint, "", fingerprint)?;
    let call = Call { endpoint, connection, reference: String::new(), amount: None, idempotency };
    Ok(app.run(call, |state, now| Ok(paid_out(&app, state, now))).await)
}

/// `GET /carrier/v1/remittances`
pub(crate) async fn list(Shared(app): Shared<Arc<App>>) -> Json<Value> {
    Json(app.book.peek(|state| json!({ "remittances": state.remittances.values().collect::<Vec<_>>() })))
}

fn paid_out(app: &App, state: &State, now: Timestamp) -> Outcome {
    let pays = |shipment: &Shipment, collected| pays(app, shipment, collected);
    let mint = || app.mint("rmt");
    let (remittances, paid) = remittance::due(state.shipments.values(), pays, mint, now);
    let body = json!({ "remittances": remittances });
    let mut changes: Vec<Change> =
        paid.into_iter().map(|shipment| Change::Shipment { shipment: Box::new(shipment) }).collect();
    for remittance in remittances {
        changes.push(event(app, &remittance, now));
        changes.push(Change::Remittance { remittance: Box::new(remittance) });
    }
    Outcome { status: StatusCode::CREATED, body, changes }
}

/// What is paid out for a parcel; a fault may keep it or a part of it back.
fn pays(app: &App, shipment: &Shipment, collected: Amount) -> Option<Amount> {
    let target = Target {
        endpoint: Endpoint::RemittancesItem,
        reference: &shipment.reference,
        amount: Some(collected),
        key: None,
        repetition: Repetition::First,
    };
    match app.faults.strike(target) {
        Some(Fault::Decline { .. }) => None,
        Some(Fault::Short { by }) => {
            Some(collected.checked_sub(by).map_or(Amount::ZERO, |left| left.max(Amount::ZERO)))
        }
        _ => Some(collected),
    }
}

fn event(app: &App, remittance: &Remittance, now: Timestamp) -> Change {
    let data = json!({
        "remittance_id": remittance.id,
        "currency": remittance.currency,
        "amount": remittance.amount,
        "items": remittance.items,
        "at": now,
    });
    let about = About {
        subject: &remittance.id,
        reference: &remittance.id,
        amount: Some(remittance.amount),
        target: &remittance.webhook_url,
    };
    app.raise("remittance.paid", &about, now, data)
}
