//! `POST /desk`, for staff on this machine: hands the request to the server's desk.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Bytes,
) -> Result<Response, Problem> {
    let staff = caller.staff()?.to_owned();
    if app.is_draining() {
        return Err(Problem::draining());
    }
    let desk = app.desk.get().ok_or_else(Problem::no_such_path)?;
    let answer = desk.serve(staff, request.to_vec()).await;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "private, no-store")];
    Ok((headers, answer).into_response())
}
