//! The messages of peers as calls: the adapters verify and read them, here they are joined to the operation that takes them.

use std::sync::Arc;

use mortise_http::{HeaderMap, HookCall, HookError, Webhook};
use mortise_types::Timestamp;
use serde::Serialize;

use crate::compose::Peers;

/// The peers' names in paths, `/v1/{tenant}/{line}/hooks/{peer}`.
pub(super) const PROVIDER: &str = "payment";
/// The carrier's.
pub(super) const CARRIER: &str = "carrier";

/// Everyone who may send us messages.
pub(crate) fn hooks(peers: &Peers) -> Vec<Arc<dyn Webhook>> {
    let secret = peers.webhook_secret.as_bytes();
    vec![
        Arc::new(Provider(mortise_payment_sandbox::Webhooks::new(secret))),
        Arc::new(Carrier(mortise_delivery_sandbox::Webhooks::new(secret))),
    ]
}

struct Provider(mortise_payment_sandbox::Webhooks);

impl Webhook for Provider {
    fn peer(&self) -> &str {
        PROVIDER
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Vec<HookCall>, HookError> {
        use mortise_payment_sandbox::{SIGNATURE_HEADER, WebhookRefused};
        match self.0.read(text(headers, SIGNATURE_HEADER), body, now) {
            Ok(event) => call("payment.record_provider_event", &event),
            Err(WebhookRefused::NotOurs(_)) => Ok(Vec::new()),
            Err(WebhookRefused::Unreadable(problem)) => Err(HookError::Malformed(problem)),
            Err(refused) => Err(HookError::Signature(refused.to_string())),
        }
    }
}

struct Carrier(mortise_delivery_sandbox::Webhooks);

impl Webhook for Carrier {
    fn peer(&self) -> &str {
        CARRIER
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Vec<HookCall>, HookError> {
        use mortise_delivery_sandbox::{CarrierEvent, SIGNATURE_HEADER, WebhookRefused};
        match self.0.read(text(headers, SIGNATURE_HEADER), body, now) {
            Ok(CarrierEvent::Tracking(event)) => call("delivery.record_tracking_event", &event),
            Ok(CarrierEvent::Remittance(remittance)) => call("delivery.record_remittance", &remittance),
            Err(WebhookRefused::NotOurs(_)) => Ok(Vec::new()),
            Err(WebhookRefused::Unreadable(problem)) => Err(HookError::Malformed(problem)),
            Err(refused) => Err(HookError::Signature(refused.to_string())),
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn call(operation: &str, event: &impl Serialize) -> Result<Vec<HookCall>, HookError> {
    let input = mortise_contract::to_value(event).map_err(|error| HookError::Malformed(error.to_string()))?;
    Ok(vec![HookCall { operation: operation.to_owned(), input }])
}
