//! The payment provider of `mortise sandbox` over HTTP: its calls, its webhooks, its book. It decides nothing about
//! payments: what an answer means to an order is the capability's.

mod book;
mod http;
mod provider;
mod webhook;

pub use book::{Discrepancy, OurPayment, compare};
pub use provider::{SandboxProvider, SandboxProviderConfig, StartError};
pub use webhook::{SIGNATURE_HEADER, WebhookRefused, Webhooks};
