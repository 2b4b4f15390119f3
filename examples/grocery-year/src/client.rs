//! The shop's HTTP client: places one order and says what came of it, and reads its proof.
//! Asks again, with the same idempotency key, where the answer says that asking again helps. Compares nothing.

use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::order::Order;

/// How long to wait before each further attempt, unless the answer says so itself.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// An order that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The problem's code, or what the transport said.
    pub(crate) code: String,
    /// The problem's sentence.
    pub(crate) detail: String,
}

/// Places orders with one tenant.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    tenant: Url,
    currency: String,
}

#[derive(Deserialize)]
struct Answer {
    payable: Payable,
}

#[derive(Deserialize)]
struct Stored<P> {
    proof: P,
}

#[derive(Deserialize)]
struct Payable {
    amount: i64,
    currency: String,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    detail: String,
    /// Why a trade failed, and its particulars.
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    reason_detail: Option<serde_json::Value>,
}

enum Attempt {
    Payable(i64),
    Refused(Refusal),
    Again { after: Option<Duration>, look_at: Option<Url>, why: Refusal },
}

impl Client {
    /// A client for a tenant of the platform at `platform`.
    pub(crate) fn new(
        http: reqwest::Client,
        platform: &Url,
        tenant: &str,
        currency: &str,
    ) -> Result<Self, url::Wrong> {
        let tenant = url::below(platform, &["v1", tenant])?;
        Ok(Self { http, tenant, currency: currency.to_owned() })
    }

    /// Places an order; the answer is the payable amount in cents.
    pub(crate) async fn place(&self, order: &Order) -> Result<i64, Refusal> {
        let url = url::below(&self.tenant, &[order.line.name(), "trades", "fixed-price"]);
        let url = url.map_err(|wrong| Refusal { code: "url".to_owned(), detail: wrong.to_string() })?;
        let customer = order.basket.household.to_string();
        let place = self
            .http
            .post(url)
            .header("Idempotency-Key", order.id())
            .header("Mortise-Customer", &customer)
            .json(&order.body(&self.currency));
        let mut request = place.try_clone();
        let mut pauses = PAUSES.into_iter();
        loop {
            let attempt = match request.take() {
                Some(request) => self.attempt(request).await,
                None => {
                    return Err(Refusal {
                        code: "transport".to_owned(),
                        detail: "the body is gone".to_owned(),
                    });
                }
            };
            match attempt {
                Attempt::Payable(amount) => return Ok(amount),
                Attempt::Refused(refusal) => return Err(refusal),
                Attempt::Again { after, look_at, why } => {
                    let pause = pauses.next().ok_or(why)?;
                    tokio::time::sleep(after.unwrap_or(pause)).await;
                    request = match look_at {
                        Some(url) => Some(self.http.get(url).header("Mortise-Customer", &customer)),
                        None => place.try_clone(),
                    };
                }
            }
        }
    }

    /// The proof of an order's price.
    pub(crate) async fn read_proof<P: DeserializeOwned>(&self, order: &Order) -> Result<P, String> {
        let url = url::below(&self.tenant, &[order.line.name(), "read", "order", "get"]);
        let mut url = url.map_err(|wrong| wrong.to_string())?;
        url.query_pairs_mut().append_pair("order_id", &order.id());
        let asked = self.http.get(url).header("Mortise-Staff", "rollout");
        let answer = asked.send().await.and_then(reqwest::Response::error_for_status);
        let stored: Stored<P> = answer.map_err(|e| e.to_string())?.json().await.map_err(|e| e.to_string())?;
        Ok(stored.proof)
    }

    async fn attempt(&self, request: RequestBuilder) -> Attempt {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return again(None, None, "transport", error),
        };
        let (status, url) = (response.status(), response.url().clone());
        let (after, location) = (retry_after(response.headers()), location(&url, response.headers()));
        let body = match response.bytes().await {
            Ok(body) => body,
            Err(error) => return again(None, None, "transport", error),
        };
        match status {
            StatusCode::ACCEPTED => again(after, location, "unanswered", "no answer yet"),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT
                if after.is_some() =>
            {
                let Refusal { code, detail } = refusal(status, &body);
                again(after, None, &code, detail)
            }
            status if status.is_success() => self.payable(&body),
            status => Attempt::Refused(refusal(status, &body)),
        }
    }

    fn payable(&self, body: &[u8]) -> Attempt {
        let wrong = |detail: String| Attempt::Refused(Refusal { code: "answer".to_owned(), detail });
        match serde_json::from_slice::<Answer>(body) {
            Ok(Answer { payable }) if payable.currency == self.currency => Attempt::Payable(payable.amount),
            Ok(Answer { payable }) => wrong(format!("payable in {}", payable.currency)),
            Err(error) => wrong(error.to_string()),
        }
    }
}

fn again(
    after: Option<Duration>,
    look_at: Option<Url>,
    code: &str,
    detail: impl std::fmt::Display,
) -> Attempt {
    Attempt::Again { after, look_at, why: Refusal { code: code.to_owned(), detail: detail.to_string() } }
}

/// A failed trade is told by its reason, anything else by the problem's code.
fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        let detail = String::from_utf8_lossy(body).chars().take(200).collect();
        return Refusal { code: status.as_u16().to_string(), detail };
    };
    match (problem.reason, problem.reason_detail) {
        (Some(code), Some(particulars)) => Refusal { code, detail: particulars.to_string() },
        (Some(code), None) => Refusal { code, detail: problem.detail },
        (None, _) => Refusal { code: problem.code, detail: problem.detail },
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn location(url: &Url, headers: &HeaderMap) -> Option<Url> {
    url.join(headers.get(LOCATION)?.to_str().ok()?).ok()
}

/// Addresses below an address.
pub(crate) mod url {
    use reqwest::Url;

    /// An address that nothing can stand below, such as `mailto:`.
    #[derive(Debug, thiserror::Error)]
    #[error("{0} is no address of a server")]
    pub(crate) struct Wrong(Url);

    /// `base` with further segments of its path, each escaped.
    pub(crate) fn below(base: &Url, segments: &[&str]) -> Result<Url, Wrong> {
        let mut url = base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => path.pop_if_empty().extend(segments),
            Err(()) => return Err(Wrong(base.clone())),
        };
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::{HeaderMap, StatusCode};
    use axum::response::{IntoResponse, Response};
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::*;
    use crate::order::BusinessLine;
    use crate::order::tests::{HALF_KNOWN, order};

    async fn place_at(router: Router) -> Result<i64, Refusal> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let client = Client::new(reqwest::Client::new(), &platform, "grocery", "USD").unwrap();
        let answer = client.place(&order(BusinessLine::Learned, HALF_KNOWN)).await;
        server.abort();
        answer
    }

    fn at(handler: axum::routing::MethodRouter) -> Router {
        Router::new().route("/v1/grocery/learned/trades/fixed-price", handler)
    }

    fn payable(amount: i64, currency: &str) -> Response {
        Json(json!({"order_id": "o", "payable": {"amount": amount, "currency": currency}})).into_response()
    }

    #[tokio::test]
    async fn an_order_carries_key_customer_and_store() {
        let handler = |headers: HeaderMap, Json(body): Json<Value>| async move {
            let told =
                (&headers["idempotency-key"], &headers["mortise-customer"], &body["lines"][0]["location"]);
            if told == (&"learned-33".parse().unwrap(), &"9".parse().unwrap(), &json!("2")) {
                payable(11, "USD")
            } else {
                StatusCode::BAD_REQUEST.into_response()
            }
        };
        assert_eq!(place_at(at(post(handler))).await, Ok(11));
    }

    #[tokio::test]
    async fn an_overloaded_platform_is_asked_again_with_the_same_key() {
        let calls = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&calls);
        let handler = move |headers: HeaderMap| async move {
            let again = seen.fetch_add(1, Ordering::SeqCst) > 0;
            match headers["idempotency-key"] == "learned-33" {
                true if again => payable(11, "USD"),
                true => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response(),
                false => StatusCode::BAD_REQUEST.into_response(),
            }
        };
        assert_eq!(place_at(at(post(handler))).await, Ok(11));
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn an_answer_that_takes_long_is_fetched_where_the_platform_says() {
        let accepted = || async { (StatusCode::ACCEPTED, [("location", "/later/33"), ("retry-after", "0")]) };
        let later = |headers: HeaderMap| async move {
            match headers.get("mortise-customer") {
                Some(_) => payable(7, "USD"),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        };
        let router = at(post(accepted)).route("/later/33", get(later));
        assert_eq!(place_at(router).await, Ok(7));
    }

    #[tokio::test]
    async fn a_failed_trade_is_told_by_its_reason() {
        let handler = || async {
            let problem = json!({"code": "trade-failed", "detail": "The answer is no.", "reason": "out_of_stock",
                "reason_detail": {"sku": "7"}});
            (StatusCode::UNPROCESSABLE_ENTITY, Json(problem))
        };
        let refusal = place_at(at(post(handler))).await.unwrap_err();
        assert_eq!((&*refusal.code, &*refusal.detail), ("out_of_stock", r#"{"sku":"7"}"#));
    }

    #[tokio::test]
    async fn any_other_refusal_is_told_by_its_code() {
        let problem =
            || async { (StatusCode::FORBIDDEN, Json(json!({"code": "forbidden", "detail": "Not you."}))) };
        let refusal = place_at(at(post(problem))).await.unwrap_err();
        assert_eq!((&*refusal.code, &*refusal.detail), ("forbidden", "Not you."));
        let refusal = place_at(at(post(|| async { (StatusCode::BAD_GATEWAY, "proxy") }))).await.unwrap_err();
        assert_eq!((&*refusal.code, &*refusal.detail), ("502", "proxy"));
    }

    #[tokio::test]
    async fn an_answer_in_another_currency_is_no_price() {
        let refusal = place_at(at(post(|| async { payable(11, "EUR") }))).await.unwrap_err();
        assert_eq!(refusal.detail, "payable in EUR");
    }
}
