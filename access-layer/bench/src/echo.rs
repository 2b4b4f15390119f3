//! Baseline 1: what HTTP and JSON alone cost. A bare axum server that parses an order and answers with it; it stores nothing.

use axum::routing::post;
use axum::{Json, Router};

use crate::failure::Failure;
use crate::print;

/// Serves until it is killed, on a free port that it prints.
pub(crate) fn serve() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        print::result(&format!("listening on http://{}", listener.local_addr()?));
        axum::serve(listener, Router::new().fallback(post(echo))).await?;
        Ok(())
    })
}

async fn echo(Json(order): Json<serde_json::Value>) -> Json<serde_json::Value> {
    Json(order)
}
