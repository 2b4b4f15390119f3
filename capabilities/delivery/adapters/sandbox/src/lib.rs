//! The carrier of `mortise sandbox` over HTTP: its calls, its webhooks, its book. It decides nothing about parcels: what
//! an answer means to an order is the capability's.

mod book;
mod carrier;
mod http;
mod webhook;

pub use book::{Discrepancy, OurShipment, compare};
pub use carrier::{SandboxCarrier, SandboxCarrierConfig, StartError};
pub use webhook::{CarrierEvent, SIGNATURE_HEADER, WebhookRefused, Webhooks};
