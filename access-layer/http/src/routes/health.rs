//! `GET /health/live` and `/health/ready`: whether the process runs, and whether it takes requests.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::answer::json;
use crate::app::App;
use crate::problem::Problem;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

pub(super) async fn live() -> Result<Response, Problem> {
    json(StatusCode::OK, &Health { status: "live" })
}

/// Not ready while it is about to stop, or while the database cannot be read.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if app.is_draining() {
        return Err(Problem::draining());
    }
    app.engine.store().read(async |_| Ok(())).await?;
    json(StatusCode::OK, &Health { status: "ready" })
}
