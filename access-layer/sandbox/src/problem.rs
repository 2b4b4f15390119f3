//! What goes wrong: refusals of a rule, problems as RFC 9457 on the wire, and why a sandbox does not start.

use std::io;
use std::path::PathBuf;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// Why a sandbox did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The book's directory or file cannot be used.
    #[error("cannot use the book {path}")]
    Book {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another sandbox has the book open.
    #[error("the book {path} is in use by another process")]
    Locked {
        /// The book's file.
        path: PathBuf,
    },
    /// A line of the book that is not its last one cannot be read.
    #[error("line {line} of the book {path} is damaged: {reason}")]
    Damaged {
        /// The book's file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Webhooks cannot be sent: no HTTP client, or an unusable address.
    #[error("webhooks cannot be sent: {0}")]
    Webhooks(String),
}

/// A no of the business: it changes nothing, and it is the stored answer to its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: RefusalKind,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) extra: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalKind {
    /// There is no such thing.
    Missing,
    /// Its state does not allow that.
    Conflict,
    /// The input cannot be taken.
    Unprocessable,
    /// The bank or the carrier says no.
    Declined,
    /// The book is full.
    Full,
}

impl Refusal {
    pub(crate) fn new(kind: RefusalKind, code: &str, detail: impl Into<String>) -> Refusal {
        Refusal { kind, code: code.to_owned(), detail: detail.into(), extra: Map::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Refusal {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self.kind {
            RefusalKind::Missing => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Declined => StatusCode::PAYMENT_REQUIRED,
            RefusalKind::Full => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = problem_body(self.status(), &self.code, &self.detail);
        if let Value::Object(members) = &mut body {
            members.extend(self.extra.clone());
        }
        body
    }
}

/// An answer that no rule gave: a malformed request, an injected fault, a broken book.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, code, detail: detail.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        problem_response(self.status, &problem_body(self.status, self.code, &self.detail))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        problem_response(self.status(), &self.body())
    }
}

fn problem_body(status: StatusCode, code: &str, detail: &str) -> Value {
    json!({
        "type": format!("urn:mortise:sandbox:{code}"),
        "title": status.canonical_reason().unwrap_or("Problem"),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    })
}

fn problem_response(status: StatusCode, body: &Value) -> Response {
    json_response(status, body.to_string())
}

/// A JSON answer; from 400 on it is a problem document.
pub(crate) fn json_response(status: StatusCode, body: String) -> Response {
    let kind = if status.as_u16() >= 400 { "application/problem+json" } else { "application/json" };
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}
