//! `GET /v1/{tenant}/{line}/attention`: the line's trades that wait for a person, and what can be done about each.
//! `POST .../attention/{trade}`: what a member of staff has chosen. What a choice does to a trade is the engine's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use mortise_engine::{Choice, ChoiceError, TradeId, Waiting, waiting};
use mortise_fault::{Fault, codes};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::{FieldError, Page, Problem, Reason};

/// Of a reason, in characters.
const REASON_MAX: usize = 1_000;

#[derive(Serialize)]
struct Listed {
    waiting: Vec<Waiting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    choice: Choice,
    reason: String,
}

#[derive(Serialize)]
struct Taken<'a> {
    trade: &'a str,
    choice: Choice,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Place { scope, names: [] }: Place<0>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.staff()?;
    let mut waiting = waiting(app.engine.store(), app.engine.catalogue(), &scope.tenant).await?;
    waiting.retain(|waiting| waiting.line == scope.line.as_str());
    Ok(([(header::CACHE_CONTROL, "private, no-store")], Json(Listed { waiting })).into_response())
}

pub(super) async fn choose(
    State(app): State<Arc<App>>,
    Place { scope, names: [trade] }: Place<1>,
    caller: Caller,
    body: JsonBody,
) -> Result<Response, Problem> {
    let staff = caller.staff()?;
    if app.is_draining() {
        return Err(Problem::draining());
    }
    let Chosen { choice, reason } = chosen(&body)?;
    let here = app.engine.trade(&scope.tenant, &trade).await?;
    here.filter(|status| status.line == scope.line.as_str()).ok_or_else(|| Fault::not_found("This trade"))?;
    let id = TradeId { tenant: scope.tenant.clone(), id: trade.as_str().into() };
    tracing::info!(staff, %scope, trade, choice = choice.name(), "staff decide about a trade");
    app.engine.choose(&id, choice, &format!("{staff}: {reason}")).await?;
    let place = format!("/v1/{}/{}/trades/{trade}", scope.tenant, scope.line);
    let taken = Json(Taken { trade: &trade, choice });
    Ok((StatusCode::ACCEPTED, [(header::CONTENT_LOCATION, place)], taken).into_response())
}

/// What the body says; a reason is kept with the trade, so there has to be one.
fn chosen(body: &JsonBody) -> Result<Chosen, Problem> {
    body.value()?;
    let refused = |pointer: &str, detail: String| {
        Problem::of_fields(&codes::INVALID_INPUT, vec![FieldError { pointer: pointer.to_owned(), detail }])
    };
    let chosen: Chosen = serde_json::from_slice(&body.0).map_err(|error| refused("", error.to_string()))?;
    let length = chosen.reason.trim().chars().count();
    if length == 0 || length > REASON_MAX {
        return Err(refused("/reason", format!("has to say why, in 1 to {REASON_MAX} characters")));
    }
    Ok(chosen)
}

impl From<ChoiceError> for Problem {
    fn from(error: ChoiceError) -> Self {
        let sentence = format!("{error}.");
        let reason = match error {
            ChoiceError::NotWaiting(_) => "not_waiting",
            ChoiceError::NotSo { .. } => "not_so",
            ChoiceError::PassedPivot(_) => "passed_pivot",
            ChoiceError::GoesBackward(_) => "goes_backward",
            ChoiceError::Store(error) => return error.into(),
        };
        let fault = Fault::new(&codes::REJECTED, sentence).for_reason(reason);
        Self::of_reason(fault, Reason { detail: None, page: Page::None }, None)
    }
}
