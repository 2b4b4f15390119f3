//! `POST /v1/{tenant}/{line}/hooks/{peer}`: a peer's message, verified by its adapter, run as trades of one call. It is
//! answered with success only when everything that it asks for is committed; a peer sends again until then.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use mortise_engine::{CallRequest, Started};
use mortise_fault::{Fault, codes};
use mortise_flow::Answer;
use mortise_types::Scope;

use crate::answer::{failed, path};
use crate::app::App;
use crate::body::RawBody;
use crate::place::Place;
use crate::problem::{Problem, Trade};
use crate::webhook::{HookCall, HookError};

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    Place { scope, names: [peer] }: Place<1>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<StatusCode, Problem> {
    if app.is_draining() {
        return Err(Problem::draining());
    }
    let hook = app.hooks.get(&peer).ok_or_else(|| Fault::not_found("This peer"))?;
    let calls = hook.verify(&headers, &body, app.engine.clock().now()).map_err(|error| match error {
        HookError::Signature(reason) => {
            Fault::new(&codes::WEBHOOK_SIGNATURE, "The signature does not match, is missing, or is too old.")
                .because(reason)
        }
        HookError::Malformed(reason) => Fault::new(&codes::INVALID_INPUT, reason).at(""),
    })?;
    for call in calls {
        run(&app, &scope, &peer, call).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn run(app: &App, scope: &Scope, peer: &str, call: HookCall) -> Result<(), Problem> {
    let HookCall { operation, input } = call;
    let request = CallRequest {
        scope: scope.clone(),
        operation: operation.clone(),
        input,
        caller: None,
        idempotency: None,
    };
    let begun = app.engine.begin_call(request)?;
    match tokio::time::timeout(app.settings.answer_wait, begun.answer).await {
        Ok(Ok(Started::Answered { answer: Answer::Ok(_), .. })) => Ok(()),
        Ok(Ok(Started::Answered { trade, answer: Answer::Failed { code, detail }, .. })) => {
            tracing::warn!(peer, operation, code, trade = %trade, "a peer's message was answered with no");
            let currency = app.line_currency(scope).to_string();
            let trade = Trade { path: path(scope, &trade.id), id: trade.id };
            Err(failed(app, &code, &detail, &currency, trade))
        }
        Ok(Ok(Started::Broken(trouble))) => Err(trouble.into()),
        Ok(Ok(Started::KeyConflict | Started::IdempotencyMismatch)) => {
            Err(Fault::internal("a trade of one call met another of its key").into())
        }
        Ok(Err(_)) => Err(Problem::draining()),
        Err(_) => Err(Problem::of(&codes::TIMEOUT, "The message is being worked on. Send it again.")),
    }
}
