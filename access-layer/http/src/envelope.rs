//! What stands around every handler: the trace, the bound on how much is worked on at once, panics, and the writing of
//! problems. The one layer of the hot path.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response as HttpResponse, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;

use crate::app::App;
use crate::problem::Problem;
use crate::trace::Trace;

/// Runs a request.
pub(crate) async fn envelope(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let trace = Trace::of(request.headers(), &*app.settings.ids);
    let seat = if request.uri().path().starts_with("/v1/") { app.request_seat().map(Some) } else { Ok(None) };
    let mut response = match seat {
        Ok(_seat) => match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => Problem::panicked(&*panic).into_response(),
        },
        Err(problem) => problem.into_response(),
    };
    if response.status().is_client_error() || response.status().is_server_error() {
        let problem = problem_of(&mut response);
        problem.log(trace.id(), &app.put_off);
        problem.write(&mut response, trace.id());
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    trace.write(headers);
    response
}

/// The problem that a handler returned, or that of an answer that was made elsewhere.
fn problem_of<T>(response: &mut HttpResponse<T>) -> Problem {
    let found = response.extensions_mut().remove::<Problem>();
    found.unwrap_or_else(|| Problem::of_status(response.status()))
}
