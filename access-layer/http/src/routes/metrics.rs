//! `GET /metrics`, for a collector on this machine: what the driver, the database and the extensions have done since the
//! start, in Prometheus' text format. Counters only; answers this machine only.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::caller::from_this_machine;
use crate::metrics::{self, MetricsPage};
use crate::problem::Problem;

pub(super) async fn show(State(app): State<Arc<App>>, parts: Parts) -> Result<Response, Problem> {
    from_this_machine(&parts)?;
    let mut page = MetricsPage::default();
    driver(&app, &mut page);
    database(&app, &mut page);
    replicas(&app, &mut page);
    for more in &app.settings.more_figures {
        more(&mut page);
    }
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], page.into_text()).into_response())
}

fn driver(app: &App, page: &mut MetricsPage) {
    let figures = app.engine.figures();
    page.gauge("mortise_trades_moving", "Trades that are being moved on now.")
        .sample(&[], figures.load.load(Relaxed));
    page.gauge("mortise_peers_asked", "Requests to peers that are under way now.")
        .sample(&[], figures.sending.load(Relaxed));
    for (name, help, count) in [
        ("mortise_batches_total", "Batches that were committed.", &figures.batches),
        ("mortise_stretches_total", "Stretches that were committed.", &figures.stretches),
        (
            "mortise_stale_total",
            "Stretches that ran again, since what they had read was another.",
            &figures.stale,
        ),
        ("mortise_halved_total", "Batches that were halved to find the trade that failed.", &figures.halved),
        ("mortise_journal_bytes_total", "Bytes that were added to journals.", &figures.journal_bytes),
    ] {
        page.counter(name, help).sample(&[], count.load(Relaxed));
    }
}

fn database(app: &App, page: &mut MetricsPage) {
    let cost = app.engine.store().cost();
    for (name, help, count) in [
        ("mortise_statements_total", "Statements that were prepared or found prepared.", cost.statements),
        ("mortise_executions_total", "Executions of statements.", cost.executions),
        ("mortise_commits_total", "Transactions that were committed.", cost.commits),
    ] {
        page.counter(name, help).sample(&[], count);
    }
}

/// Nothing where no replicas were named.
fn replicas(app: &App, page: &mut MetricsPage) {
    let Some(figures) = app.engine.store().replica_figures() else { return };
    page.gauge("mortise_replicas", "Replicas by whether they answer now.")
        .sample(&[("state", "up")], figures.up)
        .sample(&[("state", "down")], figures.named - figures.up);
    page.counter("mortise_replica_reads_total", "Reads that a replica answered.").sample(&[], figures.reads);
    page.counter(
        "mortise_replica_fallbacks_total",
        "Reads that a replica might have answered and the primary did, by why.",
    )
    .sample(&[("reason", "late")], figures.late)
    .sample(&[("reason", "own_write")], figures.own_write)
    .sample(&[("reason", "down")], figures.down)
    .sample(&[("reason", "failed")], figures.failed);
}
