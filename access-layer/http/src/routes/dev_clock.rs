//! `GET` and `POST /dev/clock`, for development: shows and moves the server's clock. The routes exist only where the
//! server was given a clock that can be set, and answer this machine only.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use mortise_fault::Fault;
use mortise_types::{Span, Timestamp};
use serde::Serialize;

use crate::answer::json;
use crate::app::App;
use crate::body::JsonBody;
use crate::caller::from_this_machine;
use crate::clock::SettableClock;
use crate::problem::Problem;

#[derive(Serialize)]
struct Now {
    now: Timestamp,
}

pub(super) async fn show(State(app): State<Arc<App>>, parts: Parts) -> Result<Response, Problem> {
    from_this_machine(&parts)?;
    json(StatusCode::OK, &Now { now: clock(&app)?.now() })
}

/// `{"now": "2026-11-21T07:05:00Z"}` or `{"advance": "30m"}`. The answer comes when what became due is done, or still
/// waits for a peer after as long as any answer is waited for.
pub(super) async fn set(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: JsonBody,
) -> Result<Response, Problem> {
    from_this_machine(&parts)?;
    let clock = clock(&app)?;
    let value = body.value()?;
    let field = |name: &str| value.get(name).map(|field| field.as_str().unwrap_or_default());
    let one_field = value.as_record().is_some_and(|record| record.len() == 1);
    let moment = match (field("now"), field("advance")) {
        (Some(now), None) if one_field => parsed::<Timestamp>("/now", now)?,
        (None, Some(span)) if one_field => clock.now().saturating_add(parsed::<Span>("/advance", span)?),
        _ => {
            return Err(Fault::invalid_input(
                "",
                "Send either {\"now\": a moment} or {\"advance\": a time such as 30m}.",
            )
            .into());
        }
    };
    clock.set(moment);
    app.engine.tick();
    // Who moves the clock wants to see what that does; a peer that hangs is no reason to hang with it.
    let _ = tokio::time::timeout(app.settings.answer_wait, app.engine.rest()).await;
    json(StatusCode::OK, &Now { now: moment })
}

fn clock(app: &App) -> Result<&dyn SettableClock, Problem> {
    app.dev_clock.as_deref().ok_or_else(Problem::no_such_path)
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(pointer: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Fault::invalid_input(pointer, format!("It is {error}.")).into())
}
