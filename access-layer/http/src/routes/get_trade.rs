//! `GET /v1/{tenant}/{line}/trades/{id}`: a trade's answer, or that it is still under way. Customers see their own.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use mortise_engine::TradeStatus;
use mortise_fault::Fault;
use mortise_types::Scope;

use crate::answer::report;
use crate::app::App;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    Place { scope, names: [id] }: Place<1>,
    caller: Caller,
) -> Result<Response, Problem> {
    let status = app.engine.trade(&scope.tenant, &id).await?;
    let seen = status.filter(|status| may_see(&caller, &scope, status));
    let status = seen.ok_or_else(|| Fault::not_found("This trade"))?;
    let response = report(&app, &scope, &id.into(), &status)?;
    Ok(app.told(&scope, &caller, response))
}

/// A trade without a customer is seen by whoever knows its id; a single call of an operation is staff's.
fn may_see(caller: &Caller, scope: &Scope, status: &TradeStatus) -> bool {
    let is_flow = !status.flow.contains(['.', ':']);
    status.line == scope.line.as_str()
        && match caller {
            Caller::Staff(_) => true,
            Caller::Customer(customer) => {
                is_flow && status.caller.as_ref().is_none_or(|owner| owner == customer)
            }
            Caller::Nobody => is_flow && status.caller.is_none(),
        }
}
