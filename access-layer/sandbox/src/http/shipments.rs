//! The carrier's calls.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use mortise_types::{Currency, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    BOOK_MAX, check_text, idempotency, invalid, page, read_body, required_idempotency, webhook_target,
};
use crate::app::{About, App, Call, Idempotency, Outcome};
use crate::connection::Connection;
use crate::fault::{Endpoint, Fault, Repetition, Target};
use crate::problem::{Problem, Refusal, RefusalKind};
use crate::shipment::{
    self, Collect, Door, ITEMS_MAX, ParcelItem, PostalAddress, Shipment, ShipmentStatus, WEIGHT_MAX_GRAMS,
};
use crate::state::{Change, State};

/// What a parcel weighs when nobody says.
const DEFAULT_WEIGHT_GRAMS: u32 = 1_000;
/// The longest pause between two steps of a parcel that moves by itself: a month.
const ADVANCE_MAX_MS: u64 = 31 * 24 * 60 * 60 * 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatesRequest {
    currency: Currency,
    from_country: String,
    to_country: String,
    #[serde(default)]
    weight_grams: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewShipment {
    reference: String,
    from: PostalAddress,
    to: PostalAddress,
    items: Vec<ParcelItem>,
    weight_grams: Option<u32>,
    webhook_url: Option<String>,
    /// Cash to be collected at the door.
    collect: Option<Collect>,
    /// Moves by itself with this pause between two steps.
    auto_advance_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdvanceRequest {
    to: Option<ShipmentStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

type Peer = ConnectInfo<Connection>;
type Body = Result<Bytes, BytesRejection>;

/// `POST /carrier/v1/rates`
pub(crate) async fn rates(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    body: Body,
) -> Result<Response, Problem> {
    let (request, _) = read_body::<RatesRequest>(body)?;
    check_country("from_country", &request.from_country)?;
    check_country("to_country", &request.to_country)?;
    let weight_grams = check_weight(request.weight_grams)?;
    let endpoint = Endpoint::Rates;
    let call = Call { endpoint, connection, reference: String::new(), amount: None, idempotency: None };
    Ok(app
        .run(call, |_, _| {
            let rates = shipment::rates(&request.from_country, &request.to_country, weight_grams);
            Ok(Outcome::ok(json!({ "currency": request.currency, "rates": rates })))
        })
        .await)
}

/// `POST /carrier/v1/shipments`
pub(crate) async fn create(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (request, fingerprint) = read_body::<NewShipment>(body)?;
    check_text("reference", &request.reference)?;
    check_address("from", &request.from)?;
    check_address("to", &request.to)?;
    if request.items.is_empty() || request.items.len() > ITEMS_MAX {
        return Err(invalid(format!("items are 1 to {ITEMS_MAX}")));
    }
    for item in &request.items {
        check_text("sku", &item.sku)?;
    }
    if request.collect.is_some_and(|collect| collect.amount.minor() < 1) {
        return Err(invalid("collect.amount is at least 1, or there is no collect"));
    }
    if request.auto_advance_ms.is_some_and(|pause_ms| pause_ms > ADVANCE_MAX_MS) {
        return Err(invalid(format!("auto_advance_ms is at most {ADVANCE_MAX_MS}")));
    }
    let weight_grams = check_weight(request.weight_grams)?;
    let webhook_url = webhook_target(&app, request.webhook_url.clone())?;
    let endpoint = Endpoint::ShipmentsCreate;
    let call = Call {
        endpoint,
        connection,
        reference: request.reference.clone(),
        amount: None,
        idempotency: required_idempotency(&headers, endpoint, "", fingerprint)?,
    };
    let decide = |state: &State, now: Timestamp| accept(&app, request, weight_grams, webhook_url, state, now);
    Ok(app.run(call, decide).await)
}

fn accept(
    app: &App,
    request: NewShipment,
    weight_grams: u32,
    webhook_url: String,
    state: &State,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    if state.shipments.len() >= BOOK_MAX {
        return Err(Refusal::new(
            RefusalKind::Full,
            "book_full",
            format!("the book has {BOOK_MAX} shipments"),
        ));
    }
    let id = app.mint("shp");
    let own_pause = app.auto_advance.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(ADVANCE_MAX_MS));
    let mut shipment = Shipment {
        tracking_number: tracking_number(&id),
        id,
        reference: request.reference,
        status: ShipmentStatus::Created,
        from: request.from,
        to: request.to,
        items: request.items,
        weight_grams,
        webhook_url,
        collect: request.collect,
        collected: None,
        remittance: None,
        history: Vec::new(),
        advance_every_ms: request.auto_advance_ms.or(own_pause),
        advance_at: None,
        created_at: now,
    };
    shipment.advance_at = shipment::next_advance(&shipment, now);
    let body = view(app, &shipment);
    let changes = vec![Change::Shipment { shipment: Box::new(shipment) }];
    Ok(Outcome { status: StatusCode::CREATED, body, changes })
}

/// `GET /carrier/v1/shipments/{id}`
pub(crate) async fn read(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    Path(id): Path<String>,
) -> Response {
    let call = call_on(&app, Endpoint::ShipmentsGet, connection, &id, None);
    app.run(call, |state, _| Ok(Outcome::ok(view(&app, find(state, &id)?)))).await
}

/// `POST /carrier/v1/shipments/{id}/cancel`
pub(crate) async fn cancel(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (Nothing {}, fingerprint) = read_body(body)?;
    let endpoint = Endpoint::ShipmentsCancel;
    let key = idempotency(&headers, endpoint, &id, fingerprint)?;
    let call = call_on(&app, endpoint, connection, &id, key);
    Ok(app
        .run(call, |state, now| {
            let shipment = find(state, &id)?;
            Ok(match shipment::cancel(shipment, now)? {
                Some(cancelled) => moved(&app, vec![cancelled], now, shipment),
                None => Outcome::ok(view(&app, shipment)),
            })
        })
        .await)
}

/// `POST /carrier/v1/shipments/{id}/advance`
pub(crate) async fn advance(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let (request, _) = read_body::<AdvanceRequest>(body)?;
    let call = call_on(&app, Endpoint::ShipmentsAdvance, connection, &id, None);
    Ok(app
        .run(call, |state, now| {
            let shipment = find(state, &id)?;
            let door = door(&app, shipment, request.to);
            let steps = shipment::advance(shipment, request.to, door, now)?;
            Ok(moved(&app, steps, now, shipment))
        })
        .await)
}

/// `GET /carrier/v1/shipments/{id}/label`
pub(crate) async fn label(
    Shared(app): Shared<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let shipment = app.book.peek(|state| find(state, &id).cloned())?;
    Ok(Html(page::label(&shipment)).into_response())
}

/// What happens at the door, where the parcel comes there now: a fault is asked once.
fn door(app: &App, shipment: &Shipment, to: Option<ShipmentStatus>) -> Door {
    let comes_there = match to {
        None => shipment.status == ShipmentStatus::OutForDelivery,
        Some(to) => to == ShipmentStatus::Delivered,
    };
    let target = Target {
        endpoint: Endpoint::ShipmentsDoor,
        reference: &shipment.reference,
        amount: shipment.collect.map(|collect| collect.amount),
        key: None,
        repetition: Repetition::First,
    };
    match comes_there.then(|| app.faults.strike(target)).flatten() {
        Some(Fault::Decline { .. }) => Door::Refuses,
        Some(Fault::Short { by }) => Door::PaysLess(by),
        _ => Door::Takes,
    }
}

/// The next step of a parcel that moves by itself, as changes of the book.
pub(crate) fn own_step(app: &App, shipment: &Shipment, now: Timestamp) -> Vec<Change> {
    match shipment::advance(shipment, None, door(app, shipment, None), now) {
        Ok(steps) => moved(app, steps, now, shipment).changes,
        Err(_) => Vec::new(),
    }
}

fn view(app: &App, shipment: &Shipment) -> Value {
    let mut view = json!(shipment);
    view["label_url"] = json!(format!("{}/carrier/v1/shipments/{}/label", app.public_url, shipment.id));
    view
}

/// A parcel at its new place, after `steps`, each announced.
fn moved(app: &App, steps: Vec<Shipment>, now: Timestamp, before: &Shipment) -> Outcome {
    let mut changes: Vec<Change> = steps.iter().map(|step| event(app, step, now)).collect();
    let last = steps.into_iter().next_back().unwrap_or_else(|| before.clone());
    let body = view(app, &last);
    changes.push(Change::Shipment { shipment: Box::new(last) });
    Outcome { status: StatusCode::OK, body, changes }
}

fn event(app: &App, shipment: &Shipment, now: Timestamp) -> Change {
    let kind = format!("shipment.{}", shipment.status.name());
    let data = json!({
        "shipment_id": shipment.id,
        "tracking_number": shipment.tracking_number,
        "reference": shipment.reference,
        "status": shipment.status,
        "sequence": shipment.history.len(),
        "collected": shipment.collected,
        "at": now,
    });
    let about = About {
        subject: &shipment.id,
        reference: &shipment.reference,
        amount: shipment.collect.map(|collect| collect.amount),
        target: &shipment.webhook_url,
    };
    app.raise(&kind, &about, now, data)
}

/// Twelve characters of the id that are its random part, as a carrier would print them.
fn tracking_number(id: &str) -> String {
    let tail: String = id.chars().skip(id.len().saturating_sub(12)).collect();
    format!("MT{}", tail.to_ascii_uppercase())
}

fn find<'s>(state: &'s State, id: &str) -> Result<&'s Shipment, Refusal> {
    state.shipments.get(id).ok_or_else(|| {
        Refusal::new(RefusalKind::Missing, "no_such_shipment", "there is no shipment of this id")
    })
}

fn call_on(
    app: &App,
    endpoint: Endpoint,
    connection: Connection,
    id: &str,
    idempotency: Option<Idempotency>,
) -> Call {
    let reference = app.book.peek(|state| state.shipments.get(id).map(|found| found.reference.clone()));
    Call { endpoint, connection, reference: reference.unwrap_or_default(), amount: None, idempotency }
}

fn check_weight(weight_grams: Option<u32>) -> Result<u32, Problem> {
    let weight_grams = weight_grams.unwrap_or(DEFAULT_WEIGHT_GRAMS);
    if weight_grams > WEIGHT_MAX_GRAMS {
        return Err(invalid(format!("weight_grams is at most {WEIGHT_MAX_GRAMS}")));
    }
    Ok(weight_grams)
}

fn check_country(name: &str, country: &str) -> Result<(), Problem> {
    if country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(invalid(format!("{name} is a country's two letters (ISO 3166-1 alpha-2)")))
}

fn check_address(name: &str, address: &PostalAddress) -> Result<(), Problem> {
    check_country(&format!("{name}.country"), &address.country)?;
    check_text(&format!("{name}.name"), &address.name)?;
    if address.lines.is_empty() || address.lines.len() > 5 {
        return Err(invalid(format!("{name}.lines are 1 to 5")));
    }
    // Some countries have no postal codes.
    let postal_code = Some(&address.postal_code).filter(|code| !code.is_empty());
    let mut texts = address.lines.iter().chain([&address.city]).chain(postal_code).chain(&address.region);
    texts.try_for_each(|text| check_text(name, text))
}
