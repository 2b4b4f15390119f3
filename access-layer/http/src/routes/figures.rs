//! `GET /dev/figures`, for benchmarks and whoever watches a server on this machine: what the driver and the database have done
//! since the start. Counters only; answers this machine only.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;

use crate::answer::json;
use crate::app::App;
use crate::caller::from_this_machine;
use crate::problem::Problem;

/// `load` and `sending` are of now; everything else is a sum since the start.
#[derive(Serialize)]
struct Figures {
    load: usize,
    sending: usize,
    batches: u64,
    stretches: u64,
    stale: u64,
    halved: u64,
    journal_bytes: u64,
    statements: u64,
    executions: u64,
    commits: u64,
}

pub(super) async fn show(State(app): State<Arc<App>>, parts: Parts) -> Result<Response, Problem> {
    from_this_machine(&parts)?;
    let (driver, cost) = (app.engine.figures(), app.engine.store().cost());
    let figures = Figures {
        load: driver.load.load(Relaxed),
        sending: driver.sending.load(Relaxed),
        batches: driver.batches.load(Relaxed),
        stretches: driver.stretches.load(Relaxed),
        stale: driver.stale.load(Relaxed),
        halved: driver.halved.load(Relaxed),
        journal_bytes: driver.journal_bytes.load(Relaxed),
        statements: cost.statements,
        executions: cost.executions,
        commits: cost.commits,
    };
    json(StatusCode::OK, &figures)
}
