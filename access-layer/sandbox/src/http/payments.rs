//! The payment provider's calls.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mortise_types::{Amount, Currency, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    BOOK_MAX, check_text, check_url, idempotency, invalid, read_body, required_idempotency, webhook_target,
};
use crate::app::{About, App, Call, Idempotency, Outcome};
use crate::connection::Connection;
use crate::fault::Endpoint;
use crate::payment::{self, AMOUNT_MAX, CaptureMethod, Card, Payment, PaymentStatus, Refund, RefundRequest};
use crate::problem::{Problem, Refusal, RefusalKind};
use crate::state::{Change, State};

/// How long a customer has to pay when the request does not say.
const DEFAULT_LIFE_MS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPayment {
    reference: String,
    amount: Amount,
    currency: Currency,
    #[serde(default)]
    capture: CaptureMethod,
    return_url: Option<String>,
    webhook_url: Option<String>,
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaptureRequest {
    amount: Option<Amount>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Debug, Deserialize)]
pub(crate) struct ByReference {
    reference: String,
}

type Peer = ConnectInfo<Connection>;
type Body = Result<Bytes, BytesRejection>;

/// `POST /provider/v1/payments`
pub(crate) async fn create(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (request, fingerprint) = read_body::<NewPayment>(body)?;
    check_text("reference", &request.reference)?;
    if !(1..=AMOUNT_MAX).contains(&request.amount.minor()) {
        return Err(invalid(format!("amount is 1 to {AMOUNT_MAX} minor units")));
    }
    if let Some(url) = &request.return_url {
        check_url("return_url", url)?;
    }
    let webhook_url = webhook_target(&app, request.webhook_url.clone())?;
    let endpoint = Endpoint::PaymentsCreate;
    let call = Call {
        endpoint,
        connection,
        reference: request.reference.clone(),
        amount: Some(request.amount),
        idempotency: required_idempotency(&headers, endpoint, "", fingerprint)?,
    };
    let decide = |state: &State, now: Timestamp| open_payment(&app, request, webhook_url, state, now);
    Ok(app.run(call, decide).await)
}

fn open_payment(
    app: &App,
    request: NewPayment,
    webhook_url: String,
    state: &State,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    if state.payments.len() >= BOOK_MAX {
        return Err(Refusal::new(
            RefusalKind::Full,
            "book_full",
            format!("the book has {BOOK_MAX} payments"),
        ));
    }
    let expires_at =
        request.expires_at.unwrap_or(Timestamp::from_millis(now.as_millis().saturating_add(DEFAULT_LIFE_MS)));
    if expires_at <= now {
        return Err(Refusal::new(RefusalKind::Unprocessable, "expired", "expires_at has passed"));
    }
    let payment = Payment {
        id: app.mint("pay"),
        reference: request.reference,
        amount: request.amount,
        currency: request.currency,
        capture: request.capture,
        status: PaymentStatus::RequiresPayment,
        captured_amount: Amount::ZERO,
        refunded_amount: Amount::ZERO,
        decline_code: None,
        refunds: Vec::new(),
        return_url: request.return_url,
        webhook_url,
        created_at: now,
        expires_at,
        updated_at: now,
    };
    let body = view(app, &payment);
    let changes = vec![Change::Payment { payment: Box::new(payment) }];
    Ok(Outcome { status: StatusCode::CREATED, body, changes })
}

/// `GET /provider/v1/payments/{id}`
pub(crate) async fn read(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    Path(id): Path<String>,
) -> Response {
    let call = call_on(&app, Endpoint::PaymentsGet, connection, &id, None);
    app.run(call, |state, _| Ok(Outcome::ok(view(&app, find(state, &id)?)))).await
}

/// `GET /provider/v1/payments?reference=`
pub(crate) async fn by_reference(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    Query(query): Query<ByReference>,
) -> Response {
    let reference = query.reference;
    let endpoint = Endpoint::PaymentsGet;
    let call = Call { endpoint, connection, reference: reference.clone(), amount: None, idempotency: None };
    app.run(call, |state, _| {
        let found: Vec<Value> = state.payments_of(&reference).map(|payment| view(&app, payment)).collect();
        Ok(Outcome::ok(json!({ "payments": found })))
    })
    .await
}

/// `POST /provider/v1/payments/{id}/capture`
pub(crate) async fn capture(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (request, fingerprint) = read_body::<CaptureRequest>(body)?;
    let endpoint = Endpoint::PaymentsCapture;
    let key = required_idempotency(&headers, endpoint, &id, fingerprint)?;
    let call = call_on(&app, endpoint, connection, &id, key);
    Ok(app
        .run(call, |state, now| {
            let captured = payment::capture(find(state, &id)?, request.amount, now)?;
            Ok(moved(&app, captured, now))
        })
        .await)
}

/// `POST /provider/v1/payments/{id}/void`
pub(crate) async fn void(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (Nothing {}, fingerprint) = read_body(body)?;
    let endpoint = Endpoint::PaymentsVoid;
    let key = idempotency(&headers, endpoint, &id, fingerprint)?;
    let call = call_on(&app, endpoint, connection, &id, key);
    Ok(app
        .run(call, |state, now| {
            let payment = find(state, &id)?;
            Ok(match payment::void(payment, now)? {
                Some(voided) => moved(&app, voided, now),
                None => Outcome::ok(view(&app, payment)),
            })
        })
        .await)
}

/// `POST /provider/v1/payments/{id}/refunds`
pub(crate) async fn refund(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): Peer,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (request, fingerprint) = read_body::<RefundRequest>(body)?;
    for (name, text) in [("reference", &request.reference), ("reason", &request.reason)] {
        text.as_deref().map_or(Ok(()), |text| check_text(name, text))?;
    }
    let endpoint = Endpoint::PaymentsRefund;
    let key = required_idempotency(&headers, endpoint, &id, fingerprint)?;
    let call = call_on(&app, endpoint, connection, &id, key);
    Ok(app
        .run(call, |state, now| {
            let payment = find(state, &id)?;
            let refund_id = app.mint("re");
            let (payment, refund) = payment::refund(payment, refund_id, request, now)?;
            let body = refund_view(&payment, &refund);
            let event = event(&app, "payment.refunded", &payment, Some(&refund), now);
            let changes = vec![Change::Payment { payment: Box::new(payment) }, event];
            Ok(Outcome { status: StatusCode::CREATED, body, changes })
        })
        .await)
}

/// The customer presents a card, on the hosted page or by program.
pub(crate) async fn pay(app: &App, connection: Connection, id: &str, card: Card) -> Response {
    let call = call_on(app, Endpoint::PaymentsPay, connection, id, None);
    app.run_or_declined(call, |state, now, declined| {
        let payment = find(state, id)?;
        let card = if declined.is_some() { Card::Decline } else { card };
        Ok(match payment::pay(payment, card, now)? {
            Some(next) => moved(app, next, now),
            None => Outcome::ok(view(app, payment)),
        })
    })
    .await
}

/// A payment's expiry as changes of the book.
pub(crate) fn expiry(app: &App, payment: &Payment, now: Timestamp) -> Vec<Change> {
    payment::expire(payment, now).map(|expired| moved(app, expired, now).changes).unwrap_or_default()
}

/// What a caller sees of a payment.
pub(crate) fn view(app: &App, payment: &Payment) -> Value {
    let mut view = json!(payment);
    view["pay_url"] = json!(format!("{}/pay/{}", app.public_url, payment.id));
    view["refundable"] = json!(payment.refundable());
    view
}

fn refund_view(payment: &Payment, refund: &Refund) -> Value {
    let mut view = json!(refund);
    view["currency"] = json!(payment.currency);
    view["refundable"] = json!(payment.refundable());
    view
}

/// A payment in its new state, stored, announced and answered.
fn moved(app: &App, payment: Payment, now: Timestamp) -> Outcome {
    let kind = match payment.status {
        PaymentStatus::RequiresPayment => None,
        PaymentStatus::Authorised => Some("payment.authorised"),
        PaymentStatus::Captured => Some("payment.captured"),
        PaymentStatus::Declined => Some("payment.declined"),
        PaymentStatus::Voided => Some("payment.voided"),
        PaymentStatus::Expired => Some("payment.expired"),
    };
    let body = view(app, &payment);
    let raised = kind.map(|kind| event(app, kind, &payment, None, now));
    let mut changes = vec![Change::Payment { payment: Box::new(payment) }];
    changes.extend(raised);
    Outcome { status: StatusCode::OK, body, changes }
}

fn event(app: &App, kind: &str, payment: &Payment, refund: Option<&Refund>, now: Timestamp) -> Change {
    let mut data = json!({
        "payment_id": payment.id,
        "reference": payment.reference,
        "status": payment.status,
        "amount": payment.amount,
        "currency": payment.currency,
        "captured_amount": payment.captured_amount,
        "refunded_amount": payment.refunded_amount,
    });
    if let Some(code) = &payment.decline_code {
        data["decline_code"] = json!(code);
    }
    if let Some(refund) = refund {
        data["refund"] = json!({ "id": refund.id, "reference": refund.reference, "amount": refund.amount });
    }
    let about = About {
        subject: &payment.id,
        reference: &payment.reference,
        amount: Some(payment.amount),
        target: &payment.webhook_url,
    };
    app.raise(kind, &about, now, data)
}

fn find<'s>(state: &'s State, id: &str) -> Result<&'s Payment, Refusal> {
    state.payments.get(id).ok_or_else(|| {
        Refusal::new(RefusalKind::Missing, "no_such_payment", "there is no payment of this id")
    })
}

/// A call about a payment that exists, or may.
fn call_on(
    app: &App,
    endpoint: Endpoint,
    connection: Connection,
    id: &str,
    idempotency: Option<Idempotency>,
) -> Call {
    let known =
        app.book.peek(|state| state.payments.get(id).map(|found| (found.reference.clone(), found.amount)));
    let (reference, amount) =
        known.map_or_else(Default::default, |(reference, amount)| (reference, Some(amount)));
    Call { endpoint, connection, reference, amount, idempotency }
}
