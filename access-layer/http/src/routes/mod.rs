//! The table of routes. No trade and no capability has one of its own: they are names in a path.

mod describe;
mod dev_clock;
mod follow;
mod get_trade;
mod health;
mod problem_page;
mod read;
mod receive_hook;
mod run_operation;
mod start_trade;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::app::App;
use crate::envelope::envelope;
use crate::problem::Problem;

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let line = Router::new()
        .route("/trades/{name}", post(start_trade::handle).get(get_trade::handle))
        .route("/operations/{capability}/{operation}", post(run_operation::handle))
        .route("/read/{capability}/{operation}", get(read::by_query).post(read::by_body))
        .route("/follow/{capability}/{operation}", get(follow::handle))
        .route("/hooks/{peer}", post(receive_hook::handle))
        .route("/openapi.json", get(describe::line_document))
        .route("/docs", get(describe::line_page));
    let mut routes = Router::new()
        .nest("/v1/{tenant}/{line}", line)
        .route("/", get(describe::page))
        .route("/docs", get(describe::page))
        .route("/openapi.json", get(describe::document))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/problems/{code}", get(problem_page::handle));
    if app.dev_clock.is_some() {
        routes = routes.route("/dev/clock", get(dev_clock::show).post(dev_clock::set));
    }
    let max = app.settings.body_max_bytes;
    routes
        .fallback(async || Problem::no_such_path())
        .method_not_allowed_fallback(async || Problem::other_method())
        .layer(DefaultBodyLimit::max(max))
        .layer(from_fn_with_state(Arc::clone(&app), envelope))
        .with_state(app)
}
