//! The table of routes. No trade and no capability has one of its own: they are names in a path.

mod attention;
mod describe;
mod desk;
mod dev_clock;
mod figures;
pub(crate) mod follow;
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
    let line = |path: &str| format!("/v1/{{tenant}}/{{line}}{path}");
    let mut routes = Router::new()
        .route(&line("/trades/{name}"), post(start_trade::handle).get(get_trade::handle))
        .route(&line("/operations/{capability}/{operation}"), post(run_operation::handle))
        .route(&line("/read/{capability}/{operation}"), get(read::by_query).post(read::by_body))
        .route(&line("/follow/{capability}/{operation}"), get(follow::handle))
        .route(&line("/hooks/{peer}"), post(receive_hook::handle))
        .route(&line("/attention"), get(attention::list))
        .route(&line("/attention/{trade}"), post(attention::choose))
        .route(&line("/openapi.json"), get(describe::line_document))
        .route(&line("/docs"), get(describe::line_page))
        .route("/", get(describe::page))
        .route("/docs", get(describe::page))
        .route("/openapi.json", get(describe::document))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/dev/figures", get(figures::show))
        .route("/problems/{code}", get(problem_page::handle));
    if app.dev_clock.is_some() {
        routes = routes.route("/dev/clock", get(dev_clock::show).post(dev_clock::set));
    }
    if let Some(desk) = app.desk.get() {
        let limit = DefaultBodyLimit::max(desk.request_max_bytes());
        routes = routes.route("/desk", post(desk::handle).layer(limit));
    }
    let max = app.settings.body_max_bytes;
    routes
        .fallback(async || Problem::no_such_path())
        .method_not_allowed_fallback(async || Problem::other_method())
        .layer(DefaultBodyLimit::max(max))
        .layer(from_fn_with_state(Arc::clone(&app), envelope))
        .with_state(app)
}
