//! A payment service provider and a parcel carrier as one process of its own: real HTTP peers for adapters, with a
//! durable book of what they did and faults on demand. It knows nothing of orders, flows or Mortise's data; the
//! platform reaches it as it would reach any provider. The API stands in README.md.

mod app;
mod book;
mod clock;
mod config;
mod connection;
mod fault;
mod http;
mod journal;
mod magic;
mod payment;
mod problem;
mod remittance;
mod running;
mod shipment;
mod signature;
mod state;
mod webhook;

pub use config::{SandboxConfig, WebhookRetry};
pub use problem::SandboxError;
pub use running::{RunningSandbox, Sandbox};
pub use signature::sign;
