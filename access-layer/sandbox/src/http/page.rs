//! The pages for people: where a customer pays, and the label of a parcel. Self-contained HTML: no script, no font, no
//! image from elsewhere.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, Path, Query, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::{payments, read_body};
use crate::app::App;
use crate::connection::Connection;
use crate::payment::{Card, Payment, PaymentStatus};
use crate::problem::{Problem, Refusal, RefusalKind};
use crate::shipment::Shipment;

const STYLE: &str = include_str!("page.css");

/// What a program sends, or the address of a button says.
#[derive(Debug, Deserialize)]
pub(crate) struct Pay {
    card: Card,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Pressed {
    card: Option<Card>,
}

/// `GET /pay/{id}`
pub(crate) async fn show(Shared(app): Shared<Arc<App>>, Path(id): Path<String>) -> Response {
    match find(&app, &id) {
        Some(payment) => page(StatusCode::OK, &pay_page(&payment)),
        None => page(StatusCode::NOT_FOUND, &layout("No such payment", "<h1>There is no such payment</h1>")),
    }
}

/// `POST /pay/{id}`: a person's button has `?card=` and gets a page or is sent back to the shop; a program sends
/// `{"card": ...}` and gets the payment.
pub(crate) async fn pay(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    Path(id): Path<String>,
    Query(pressed): Query<Pressed>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Some(card) = pressed.card else {
        let (Pay { card }, _) = read_body(body)?;
        return Ok(payments::pay(&app, connection, &id, card).await);
    };
    let answer = payments::pay(&app, connection, &id, card).await;
    let Some(payment) = find(&app, &id) else {
        return Ok(
            Refusal::new(RefusalKind::Missing, "no_such_payment", "there is no such payment").into_response()
        );
    };
    if answer.status().is_server_error() {
        return Ok(answer);
    }
    Ok(match back_to_shop(&payment, card) {
        Some(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        None => page(StatusCode::OK, &pay_page(&payment)),
    })
}

fn find(app: &App, id: &str) -> Option<Payment> {
    app.book.peek(|state| state.payments.get(id).cloned())
}

/// The shop's page with the payment and how it ended. The shop must not believe it: the webhook says what is true.
fn back_to_shop(payment: &Payment, card: Card) -> Option<HeaderValue> {
    let mut url = reqwest::Url::parse(payment.return_url.as_deref()?).ok()?;
    let ended = if card == Card::Abandon { "abandoned" } else { status_word(payment.status) };
    url.query_pairs_mut().append_pair("payment_id", &payment.id).append_pair("payment_status", ended);
    HeaderValue::from_str(url.as_str()).ok()
}

fn status_word(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::RequiresPayment => "requires_payment",
        PaymentStatus::Authorised => "authorised",
        PaymentStatus::Captured => "captured",
        PaymentStatus::Declined => "declined",
        PaymentStatus::Voided => "voided",
        PaymentStatus::Expired => "expired",
    }
}

fn pay_page(payment: &Payment) -> String {
    let sum = payment.currency.format_amount(payment.amount);
    let below = match payment.status {
        PaymentStatus::RequiresPayment => buttons().to_owned(),
        PaymentStatus::Authorised | PaymentStatus::Captured => end("paid", "Paid. Thank you."),
        PaymentStatus::Declined => end("not-paid", "The card was declined. Nothing was charged."),
        PaymentStatus::Voided => end("not-paid", "The shop has withdrawn this payment. Nothing was charged."),
        PaymentStatus::Expired => end("not-paid", "The time to pay is over. Nothing was charged."),
    };
    let main = format!(
        "<p class=\"note\">Test payment: no real money moves</p>\
         <h1><span class=\"amount\">{sum}</span> <span class=\"currency\">{currency}</span></h1>\
         <dl><dt>Reference</dt><dd>{reference}</dd><dt>Payable until</dt><dd>{until}</dd></dl>{below}",
        sum = escape(&sum),
        currency = escape(payment.currency.code()),
        reference = escape(&payment.reference),
        until = escape(&payment.expires_at.to_string()),
    );
    layout(&format!("Pay {sum} {}", payment.currency.code()), &main)
}

fn buttons() -> &'static str {
    "<form method=\"post\">\
     <button class=\"pay\" formaction=\"?card=ok\">Pay</button>\
     <button formaction=\"?card=decline\">Decline</button>\
     <button class=\"quiet\" formaction=\"?card=abandon\">Abandon</button>\
     </form>"
}

fn end(class: &str, text: &str) -> String {
    format!("<p class=\"end {class}\" role=\"status\">{text}</p>")
}

/// A parcel's label.
pub(crate) fn label(shipment: &Shipment) -> String {
    let to = &shipment.to;
    let lines: String = to.lines.iter().map(|line| format!("{}<br>", escape(line))).collect();
    let main = format!(
        "<p class=\"note\">Test label: nobody will collect this</p><h1 class=\"tracking\">{number}</h1>\
         <address>{name}<br>{lines}{code} {city}<br>{country}</address>\
         <dl><dt>Reference</dt><dd>{reference}</dd><dt>Weight</dt><dd>{weight} g</dd></dl>",
        number = escape(&shipment.tracking_number),
        name = escape(&to.name),
        code = escape(&to.postal_code),
        city = escape(&to.city),
        country = escape(&to.country),
        reference = escape(&shipment.reference),
        weight = shipment.weight_grams,
    );
    layout(&shipment.tracking_number, &main)
}

fn layout(title: &str, main: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\
         <body><main>{main}</main></body></html>",
        title = escape(title),
    )
}

fn page(status: StatusCode, html: &str) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Html(html.to_owned())).into_response()
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, character| {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}
