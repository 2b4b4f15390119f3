//! `POST /v1/{tenant}/{line}/operations/{capability}/{operation}`: staff run one operation as a trade of one call: the
//! warehouse packs, prices are imported.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use mortise_contract::{Contracts, Effect, OperationContract};
use mortise_engine::CallRequest;
use mortise_fault::codes;

use crate::answer::{Packing, answer};
use crate::app::App;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::idempotency::{IdempotencyKey, request_hash};
use crate::money;
use crate::place::Place;
use crate::problem::Problem;

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    place: Place<2>,
    caller: Caller,
    key: IdempotencyKey,
    body: JsonBody,
) -> Result<Response, Problem> {
    let staff = caller.staff()?;
    if app.is_draining() {
        return Err(Problem::draining());
    }
    let operation = place.operation();
    let scope = place.scope;
    let (contract, edge) = app.operation(&operation, |effect| effect != Effect::Read)?;
    refuse_acquiring(app.contracts(), &operation, contract)?;
    let hash = request_hash("operations", &operation, &body.0);
    let mut input = body.value()?;
    let currency = app.line_currency(&scope).to_string();
    money::unwrap(&mut input, &edge.input, Some(&currency))?;
    let mut turn = app.under_way.enter(&key, &scope, &caller, hash)?;
    tracing::info!(staff, %scope, %operation, "staff run an operation");
    let packing = Packing { edge: Arc::clone(edge), currency };
    let begun = app.engine.begin_call(CallRequest {
        scope: scope.clone(),
        operation,
        input,
        caller: None,
        idempotency: Some(std::mem::take(&mut turn.kept)),
    })?;
    answer(&app, (&scope, &caller), begun, packing).await
}

/// What a single call acquires nobody would give back, nor what an event brings that it leads to: the flow checker's
/// `leaks-resource`, for a flow of one step.
fn refuse_acquiring(
    contracts: &Contracts,
    operation: &str,
    contract: &OperationContract,
) -> Result<(), Problem> {
    match contracts.acquired_by(contract).next() {
        None => Ok(()),
        Some(resource) => Err(Problem::of(
            &codes::FORBIDDEN,
            format!("`{operation}` acquires {resource}, which only a flow can own and give back."),
        )),
    }
}
