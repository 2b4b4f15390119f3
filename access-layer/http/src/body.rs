//! Bodies: bounded in size and time, JSON by their own word, read once into a value. What a value should look like is
//! its schema's.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use mortise_contract::Value;
use mortise_fault::{Fault, codes};
use serde_json::error::Category;

use crate::app::App;
use crate::problem::Problem;

/// A body of any kind, within the limits.
#[derive(Debug)]
pub(crate) struct RawBody(pub(crate) Bytes);

/// A body that says it is JSON, within the limits; not read yet.
#[derive(Debug)]
pub(crate) struct JsonBody(pub(crate) Bytes);

impl JsonBody {
    /// The value that the body is.
    ///
    /// # Errors
    /// No JSON, or JSON that no value can hold: a field that stands twice, an integer beyond 64 bits.
    pub(crate) fn value(&self) -> Result<Value, Problem> {
        serde_json::from_slice(&self.0).map_err(|error| match error.classify() {
            Category::Data => Fault::invalid_input("", format!("The body cannot be taken: {error}.")).into(),
            Category::Syntax | Category::Eof | Category::Io => {
                Problem::of(&codes::MALFORMED_BODY, format!("The body is not JSON: {error}."))
            }
        })
    }
}

impl FromRequest<Arc<App>> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let max = app.settings.body_max_bytes;
        let too_large = || Problem::of(&codes::PAYLOAD_TOO_LARGE, format!("A body has at most {max} bytes."));
        if announced(request.headers()).is_some_and(|length| length > max as u64) {
            return Err(too_large());
        }
        let body = tokio::time::timeout(app.settings.body_timeout, Bytes::from_request(request, app)).await;
        match body {
            Ok(Ok(bytes)) => Ok(Self(bytes)),
            Ok(Err(refused)) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
            Ok(Err(_)) => Err(Problem::of(&codes::MALFORMED_BODY, "The body broke off.")),
            Err(_) => Err(Problem::of(
                &codes::REQUEST_TIMEOUT,
                "The body did not arrive in time. Nothing was begun.",
            )),
        }
    }
}

impl FromRequest<Arc<App>> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::of(
                &codes::UNSUPPORTED_MEDIA_TYPE,
                "Send JSON, with Content-Type: application/json.",
            ));
        }
        RawBody::from_request(request, app).await.map(|RawBody(bytes)| Self(bytes))
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `application/json` or `application/*+json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(given) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}
