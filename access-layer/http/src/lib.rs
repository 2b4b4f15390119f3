//! The access layer over HTTP: it converts parameters, routes, invokes and packs the answer. Publishing a flow is what
//! creates its endpoint; no trade and no capability is named here, and no business rule stands here.

mod answer;
mod app;
mod body;
mod caller;
mod clock;
mod customer;
mod desk;
mod edge;
mod envelope;
mod idempotency;
mod mapping;
mod metrics;
mod money;
mod openapi;
mod own_writes;
mod place;
mod problem;
mod put_off;
mod query;
mod routes;
mod server;
mod settings;
mod shapes;
mod trace;
mod webhook;

pub use axum::http::HeaderMap;

pub use clock::SettableClock;
pub use desk::Desk;
pub use metrics::{Family, Labels, MetricsPage, MoreFigures};
pub use server::Server;
pub use settings::{CurrencyOf, Settings};
pub use webhook::{HookCall, HookError, Webhook};
