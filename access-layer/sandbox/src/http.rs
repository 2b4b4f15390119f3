//! The routes, and what all handlers do with a request: bounded bodies, idempotency keys, checked fields. The rules are
//! in `payment` and `shipment`.

mod control;
mod page;
mod payments;
mod remittances;
mod shipments;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get, post};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::{App, Idempotency};
use crate::book::BookClosed;
use crate::fault::Endpoint;
use crate::problem::Problem;
use crate::signature::fingerprint;

/// The largest body.
const BODY_MAX_BYTES: usize = 256 * 1024;
/// The longest idempotency key.
const KEY_MAX_CHARS: usize = 255;
/// The longest reference, name, reason or line of an address.
const TEXT_MAX_CHARS: usize = 256;
/// The longest address of a webhook or a page.
const URL_MAX_CHARS: usize = 2_048;
/// The most payments, and the most shipments, of one book.
const BOOK_MAX: usize = 1_000_000;
/// How many due payments or parcels are moved in one line of the book.
const DUE_AT_ONCE: usize = 100;

pub(crate) fn router(app: Arc<App>) -> Router {
    let provider = Router::new()
        .route("/payments", post(payments::create).get(payments::by_reference))
        .route("/payments/{id}", get(payments::read))
        .route("/payments/{id}/capture", post(payments::capture))
        .route("/payments/{id}/void", post(payments::void))
        .route("/payments/{id}/refunds", post(payments::refund));
    let carrier = Router::new()
        .route("/rates", post(shipments::rates))
        .route("/shipments", post(shipments::create))
        .route("/shipments/{id}", get(shipments::read))
        .route("/shipments/{id}/cancel", post(shipments::cancel))
        .route("/shipments/{id}/advance", post(shipments::advance))
        .route("/shipments/{id}/label", get(shipments::label))
        .route("/remittances", post(remittances::pay_out).get(remittances::list));
    let control = Router::new()
        .route("/faults", get(control::faults).post(control::set_fault).delete(control::clear_faults))
        .route("/faults/{id}", delete(control::clear_fault))
        .route("/book", get(control::book))
        .route("/clock", get(control::clock).post(control::advance_clock))
        .route("/health", get(control::health));
    Router::new()
        .route("/pay/{id}", get(page::show).post(page::pay))
        .nest("/provider/v1", provider)
        .nest("/carrier/v1", carrier)
        .nest("/_control", control)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "no_such_route", "there is nothing here") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "not with this method")
        })
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(app)
}

/// Expires payments and moves parcels whose time has come.
pub(crate) async fn run_what_is_due(app: &App) -> Result<(), BookClosed> {
    let now = app.clock.now();
    let due =
        app.book.peek(|state| !state.expired(now, 1).is_empty() || !state.due_to_move(now, 1).is_empty());
    if !due {
        return Ok(());
    }
    app.run_due(|state, now| {
        let expired = state.expired(now, DUE_AT_ONCE).into_iter();
        let moved = state.due_to_move(now, DUE_AT_ONCE).into_iter();
        let mut changes: Vec<_> = expired.flat_map(|payment| payments::expiry(app, payment, now)).collect();
        changes.extend(moved.flat_map(|shipment| shipments::own_step(app, shipment, now)));
        changes
    })
    .await
}

/// Whether webhooks or customers can be sent there.
pub(crate) fn is_http_url(url: &str) -> bool {
    let parsed = reqwest::Url::parse(url);
    url.len() <= URL_MAX_CHARS
        && parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A body as its type, with the fingerprint of its content. An empty body is an empty object.
fn read_body<T: DeserializeOwned>(bytes: Result<Bytes, BytesRejection>) -> Result<(T, String), Problem> {
    let bytes = bytes.map_err(|refused| {
        let code = if refused.status() == StatusCode::PAYLOAD_TOO_LARGE {
            "body_too_large"
        } else {
            "body_unreadable"
        };
        Problem::new(refused.status(), code, "the body could not be taken")
    })?;
    let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed_json", error.to_string()))?;
    let print = fingerprint(&value.to_string());
    let body = serde_json::from_value(value).map_err(|error| invalid(error.to_string()))?;
    Ok((body, print))
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail)
}

/// The idempotency key of a call, made unique with the endpoint and the thing that it acts on.
fn idempotency(
    headers: &HeaderMap,
    endpoint: Endpoint,
    on: &str,
    fingerprint: String,
) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key =
        key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_MAX_CHARS).ok_or_else(|| {
            let detail = format!("an Idempotency-Key is 1 to {KEY_MAX_CHARS} visible ASCII characters");
            Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail)
        })?;
    Ok(Some(Idempotency { key: format!("{endpoint:?}\n{on}\n{key}"), fingerprint }))
}

/// As `idempotency`, for calls that must have a key.
fn required_idempotency(
    headers: &HeaderMap,
    endpoint: Endpoint,
    on: &str,
    fingerprint: String,
) -> Result<Option<Idempotency>, Problem> {
    let found = idempotency(headers, endpoint, on, fingerprint)?;
    found.map(Some).ok_or_else(|| {
        let detail = "this call needs the header Idempotency-Key";
        Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_missing", detail)
    })
}

fn check_text(name: &str, text: &str) -> Result<(), Problem> {
    if text.is_empty() || text.chars().count() > TEXT_MAX_CHARS || text.chars().any(char::is_control) {
        return Err(invalid(format!("{name} is 1 to {TEXT_MAX_CHARS} printable characters")));
    }
    Ok(())
}

fn check_url(name: &str, url: &str) -> Result<(), Problem> {
    if is_http_url(url) { Ok(()) } else { Err(invalid(format!("{name} is an http or https address"))) }
}

/// The receiver of the events: the request's own, or the sandbox's.
fn webhook_target(app: &App, asked: Option<String>) -> Result<String, Problem> {
    let target = asked.or_else(|| app.default_webhook_url.clone());
    let target =
        target.ok_or_else(|| invalid("webhook_url is missing, and this sandbox has no default one"))?;
    check_url("webhook_url", &target)?;
    Ok(target)
}
