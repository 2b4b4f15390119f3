//! What goes wrong, as RFC 9457 problems: a fault with the places in the request that it concerns. Handlers return one;
//! `envelope` writes it with the request's trace. Inner errors are for the log and never part of the text.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mortise_engine::{EngineError, Mistake, Trouble};
use mortise_fault::{Class, Fault, FaultCode, codes};
use mortise_store::{StoreError, StoreErrorKind};
use mortise_types::{Span, nearest};
use serde::Serialize;
use tokio::time::Instant;

use crate::put_off::PutOff;

/// How long to wait before asking again where the server cannot tell better.
const RETRY_AFTER: Span = Span::seconds(1);

/// A place in the request that is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    /// JSON Pointer into the body, or into the record that a query string stands for.
    pub(crate) pointer: String,
    /// What is wrong there.
    pub(crate) detail: String,
}

/// A business "no" with what it is about.
#[derive(Debug)]
pub(crate) struct Reason {
    /// By the code's schema, as JSON; none where it says nothing.
    pub(crate) detail: Option<serde_json::Value>,
    /// Whether `/problems/<reason>` explains it.
    pub(crate) page: Page,
}

/// Whether a code has a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Here,
    None,
}

/// A problem on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fault: Fault,
    errors: Vec<FieldError>,
    reason: Option<Reason>,
    /// The trade that failed: its problem is the same for every request that asks.
    trade: Option<Trade>,
}

/// A trade as a problem names it.
#[derive(Debug)]
pub(crate) struct Trade {
    /// Also its trace's id.
    pub(crate) id: Arc<str>,
    /// Where it can be asked for.
    pub(crate) path: String,
}

#[derive(Serialize)]
struct Written<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_detail: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    trace_id: &'a str,
}

impl Problem {
    fn new(fault: Fault) -> Self {
        Self(Arc::new(Inner { fault, errors: Vec::new(), reason: None, trade: None }))
    }

    /// A code with a sentence.
    pub(crate) fn of(code: &'static FaultCode, detail: impl Into<String>) -> Self {
        Fault::new(code, detail).into()
    }

    /// Places in the request that are at fault; the first one is the problem's own.
    pub(crate) fn of_fields(code: &'static FaultCode, errors: Vec<FieldError>) -> Self {
        let fault = match errors.first() {
            Some(first) => Fault::new(code, sentence(first)).at(first.pointer.clone()),
            None => Fault::new(code, "The request is not what is asked for here."),
        };
        Self(Arc::new(Inner { fault, errors, reason: None, trade: None }))
    }

    /// A trade that went backward, or a read's "no".
    pub(crate) fn of_reason(fault: Fault, reason: Reason, trade: Option<Trade>) -> Self {
        Self(Arc::new(Inner { fault, errors: Vec::new(), reason: Some(reason), trade }))
    }

    /// A path that leads nowhere.
    pub(crate) fn no_such_path() -> Self {
        Self::of(&codes::NOT_FOUND, "There is nothing at this path. What there is stands under /docs.")
    }

    /// Another method than the path has; the header `Allow` names them.
    pub(crate) fn other_method() -> Self {
        Self::of(&codes::METHOD_NOT_ALLOWED, "This path has other methods: see the header Allow.")
    }

    /// A panic while the request was worked on.
    pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Fault::internal(format!("panic: {}", said.unwrap_or_else(|| "of another type than text".into())))
            .into()
    }

    /// The problem of an answer that was not made here.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let known = [
            &codes::NOT_FOUND,
            &codes::METHOD_NOT_ALLOWED,
            &codes::PAYLOAD_TOO_LARGE,
            &codes::UNSUPPORTED_MEDIA_TYPE,
            &codes::REQUEST_TIMEOUT,
            &codes::MALFORMED_BODY,
        ];
        match known.into_iter().find(|code| code.http_status == status.as_u16()) {
            Some(code) => Self::of(code, "The request could not be taken."),
            None => Fault::internal(format!("an answer of status {status} without a problem")).into(),
        }
    }

    /// The fault.
    #[cfg(test)]
    pub(crate) fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The places that are at fault.
    #[cfg(test)]
    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// Writes it into its response.
    pub(crate) fn write(&self, response: &mut Response, trace_id: &str) {
        let (fault, inner) = (&self.0.fault, &*self.0);
        let code = fault.code();
        let reason_page =
            fault.reason().filter(|_| inner.reason.as_ref().is_some_and(|r| r.page == Page::Here));
        let written = Written {
            r#type: format!("/problems/{}", code.code),
            title: code.title,
            status: code.http_status,
            code: code.code,
            detail: fault.detail(),
            instance: inner.trade.as_ref().map(|trade| trade.path.as_str()),
            reason: fault.reason(),
            reason_page: reason_page.map(|reason| format!("/problems/{reason}")),
            reason_detail: inner.reason.as_ref().and_then(|reason| reason.detail.as_ref()),
            pointer: fault.pointer(),
            errors: &inner.errors,
            trace_id: inner.trade.as_ref().map_or(trace_id, |trade| &trade.id),
        };
        let text = serde_json::to_vec(&written).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.remove(header::CONTENT_LENGTH);
        if code.http_status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Mortise"));
        }
        if let Some(seconds) = fault.retry_after_seconds() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        *response.body_mut() = Body::from(text);
    }

    /// What the log is told. Where a thousand requests are put off in a second, it is warned of the first.
    pub(crate) fn log(&self, trace_id: &str, put_off: &PutOff) {
        let fault = &self.0.fault;
        match fault.code().class {
            Class::Broken => tracing::error!(trace_id, fault = fault.log_line(), "a request failed"),
            Class::Unavailable if fault.code().http_status >= 500 => {
                match put_off.count(fault.code().code, Instant::now()) {
                    Some(unsaid) => {
                        tracing::warn!(trace_id, unsaid, fault = fault.log_line(), "a request was put off");
                    }
                    None => tracing::debug!(trace_id, fault = fault.log_line(), "a request was put off"),
                }
            }
            Class::Unavailable | Class::Rejected | Class::Invalid => {
                tracing::debug!(trace_id, fault = fault.log_line(), "a request was refused");
            }
        }
    }
}

/// `/lines/0/quantity has to be at least 1.`
fn sentence(error: &FieldError) -> String {
    let place = if error.pointer.is_empty() { "The body" } else { &error.pointer };
    format!("{place} {}.", error.detail)
}

/// The response carries the problem; `envelope` writes it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.fault.code().http_status);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self);
        response
    }
}

/// What can be repeated says when.
impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let waits = fault.code().class == Class::Unavailable && fault.retry_after_seconds().is_none();
        Self::new(if waits { fault.retry_after(RETRY_AFTER) } else { fault })
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let mistake = match error {
            StoreError::Conflict(_) => Mistake::Conflict,
            StoreError::Contradiction(_) => Mistake::Contradiction,
            _ => Mistake::Ours,
        };
        match error.kind() {
            _ if mistake != Mistake::Ours => Trouble { problem: error.to_string(), mistake }.into(),
            StoreErrorKind::Unavailable => {
                Fault::new(&codes::STORE_UNAVAILABLE, "The data cannot be reached just now.")
                    .because(error)
                    .into()
            }
            StoreErrorKind::Corrupt => {
                Fault::new(&codes::STORE_CORRUPT, "The data cannot be read; it has been reported.")
                    .because(error)
                    .into()
            }
            StoreErrorKind::Statement | StoreErrorKind::Program => Fault::internal(error).into(),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::UnknownFlow(name) => Self::unknown_flow(&name, []),
            EngineError::UnknownOperation(name) => Self::unknown_operation(&name, []),
            EngineError::Invalid(violations) => {
                let error = |violation: mortise_contract::Violation| FieldError {
                    pointer: violation.pointer,
                    detail: violation.message,
                };
                Self::of_fields(&codes::INVALID_INPUT, violations.into_iter().map(error).collect())
            }
            EngineError::Key(_) => {
                Fault::invalid_input("", "The trade's key cannot be worked out from this input.")
                    .because(error)
                    .into()
            }
            EngineError::Overloaded => {
                Self::of(&codes::OVERLOADED, "More is queued than can be done in time. Nothing was begun.")
            }
            EngineError::Draining => Self::draining(),
            EngineError::Store(error) => error.into(),
        }
    }
}

/// A trade that could not be begun: what was asked for does not fit what is there, or something of ours is broken.
impl From<Trouble> for Problem {
    fn from(Trouble { problem, mistake }: Trouble) -> Self {
        let said = || format!("{problem}. Nothing was changed.");
        match mistake {
            Mistake::Ours => Fault::internal(problem).into(),
            Mistake::Conflict => Self::of(&codes::STATE_CONFLICT, said()),
            Mistake::Contradiction => Fault::invalid_input("", said()).into(),
        }
    }
}

impl Problem {
    /// No flow has this name; those of `known` may have been meant.
    pub(crate) fn unknown_flow<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let detail = format!("No flow `{name}` is published for this business line.{}", meant(name, known));
        Self::of(&codes::UNKNOWN_FLOW, detail)
    }

    /// No operation has this name and may be used so; those of `known` may have been meant.
    pub(crate) fn unknown_operation<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let detail = format!("There is no operation `{name}` that can be used so.{}", meant(name, known));
        Self::of(&codes::UNKNOWN_OPERATION, detail)
    }

    /// The server is about to stop.
    pub(crate) fn draining() -> Self {
        Self::of(
            &codes::DRAINING,
            "This server takes nothing new. Another one, or this one in a while, will.",
        )
    }
}

/// ` Did you mean ...?`, if a known name is near.
fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!(" Did you mean `{near}`?"))
}
