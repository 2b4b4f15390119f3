//! What a front end sends, as the flow's input: where somebody answers the point `request-mapping`, the body is shown to
//! them before the flow sees anything. What comes back is a body like any other: the flow's type judges it, and who calls
//! and what is money is decided behind this.

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use mortise_contract::{Value, to_value};
use mortise_fault::{Fault, codes};
use mortise_points::request_mapping::{Question, Taken};
use mortise_points::{
    CallIdentity, ExtensionId, FailureKind, Opened, Outcome, Point as _, PointError, RequestMapping,
};
use mortise_types::{CustomerId, Scope};

use crate::app::App;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::problem::Problem;

static MAPPED_BY: HeaderName = HeaderName::from_static("mortise-mapped-by");

/// The flow's input, and who made it of the body.
#[derive(Debug)]
pub(crate) struct Mapped {
    pub(crate) input: Value,
    pub(crate) by: Option<ExtensionId>,
}

/// A request that starts a trade.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) flow: &'a str,
    pub(crate) caller: &'a Caller,
    /// The request's key with its owner: who repeats the request is answered the same.
    pub(crate) key: &'a str,
    pub(crate) body: &'a JsonBody,
}

/// The input that a body stands for: itself where nobody is bound, or nobody knows it.
///
/// # Errors
/// A body that is no JSON, or that an extension refuses; an extension that failed and must not.
pub(crate) async fn input(app: &App, request: Request<'_>) -> Result<Mapped, Problem> {
    let own = request.body.value()?;
    let Some(opened) = app.settings.points.open::<RequestMapping>(request.scope) else {
        return Ok(Mapped { input: own, by: None });
    };
    let asked = ask(app, opened, request).await?;
    match asked.map_err(refused)?.reduced {
        None => Ok(Mapped { input: own, by: None }),
        Some(Taken { input, reason, extension }) => {
            tracing::debug!(%extension, reason, "a body was mapped");
            Ok(Mapped { input: to_value(&input).map_err(Fault::internal)?, by: Some(extension) })
        }
    }
}

/// Asks on a thread of its own: an extension computes, and may take as long as the host's deadline.
async fn ask(
    app: &App,
    opened: Opened<RequestMapping>,
    request: Request<'_>,
) -> Result<Result<Outcome<RequestMapping>, PointError>, Problem> {
    let Request { scope, flow, caller, key, body } = request;
    let question = Question {
        flow: flow.to_owned(),
        line: scope.line.clone(),
        channel: scope.channel.clone(),
        currency: app.line_currency(scope),
        customer_id: caller.customer().cloned(),
        request_time: app.engine.clock().now(),
        body: String::from_utf8(body.0.to_vec()).map_err(Fault::internal)?,
    };
    let key = key.to_owned();
    let asking = move || {
        let customer = question.customer_id.as_ref().map(CustomerId::as_str);
        let identity = CallIdentity { instance: &key, step: RequestMapping::NAME, attempt: 1, customer };
        opened.ask(identity, &question)
    };
    Ok(tokio::task::spawn_blocking(asking).await.map_err(Fault::internal)?)
}

/// An extension's own error says what is wrong with the body; any other failure is the shop's, and for its log.
fn refused(error: PointError) -> Problem {
    match &error {
        PointError::Refused { why, .. } if why.kind == FailureKind::Declined => {
            Fault::invalid_input("", format!("The body cannot be taken: {}.", why.detail)).into()
        }
        PointError::Refused { .. } => {
            let said = "This shop's reading of the body failed. Nothing was begun.";
            Fault::new(&codes::EXTENSION_FAILED, said).because(error).into()
        }
        _ => Fault::internal(error).into(),
    }
}

/// The answer, whatever it is, says who read the body.
pub(crate) fn signed(
    answer: Result<Response, Problem>,
    by: Option<&ExtensionId>,
) -> Result<Response, Problem> {
    let Some(by) = by else { return answer };
    let mut response = answer.unwrap_or_else(Problem::into_response);
    let name = HeaderValue::from_str(by.as_str()).map_err(Fault::internal)?;
    response.headers_mut().insert(MAPPED_BY.clone(), name);
    Ok(response)
}
