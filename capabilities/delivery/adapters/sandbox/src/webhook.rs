//! The carrier's webhooks: verified over the bytes as they came, then read as the capability's events. A webhook that
//! concerns nobody here is told apart from one that is forged.

use hmac::{Hmac, KeyInit, Mac};
use mortise_delivery::contract::{Remittance, RemittanceItem, TrackingEvent, TrackingStatus};
use mortise_types::{Amount, Currency, ShipmentId, Timestamp};
use serde::Deserialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header that carries the signature, in lower case.
pub const SIGNATURE_HEADER: &str = "sandbox-signature";

/// How far the signature's moment may lie from ours.
const TOLERANCE_MS: i64 = 5 * 60 * 1_000;

/// Why a webhook is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefused {
    /// The header is missing or is no signature.
    #[error("the signature header is missing or unreadable")]
    Unsigned,
    /// The signature is another one's.
    #[error("the signature does not fit the body")]
    Forged,
    /// The signature is too old, or from the future.
    #[error("the signature was made {0} s away from now")]
    Stale(i64),
    /// It is signed and cannot be read.
    #[error("unreadable event: {0}")]
    Unreadable(String),
    /// It speaks of something that this platform does not take part in.
    #[error("an event of no concern: {0}")]
    NotOurs(String),
}

/// Reads webhooks that were signed with a secret.
pub struct Webhooks {
    secret: Vec<u8>,
}

impl std::fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhooks").finish_non_exhaustive()
    }
}

/// What a carrier has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CarrierEvent {
    /// The input of `delivery.record_tracking_event`.
    Tracking(TrackingEvent),
    /// The input of `delivery.record_remittance`.
    Remittance(Remittance),
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: serde_json::Value,
}

#[derive(Deserialize)]
struct Data {
    shipment_id: String,
    reference: String,
    sequence: i64,
    at: Timestamp,
    #[serde(default)]
    collected: Option<Amount>,
}

#[derive(Deserialize)]
struct Payout {
    remittance_id: String,
    currency: Currency,
    amount: Amount,
    items: Vec<PayoutItem>,
}

#[derive(Deserialize)]
struct PayoutItem {
    reference: String,
    amount: Amount,
}

impl Webhooks {
    /// Webhooks of the carrier that signs with `secret`.
    #[must_use]
    pub fn new(secret: impl Into<Vec<u8>>) -> Webhooks {
        Webhooks { secret: secret.into() }
    }

    /// The event of a webhook that came at `now` with the value of [`SIGNATURE_HEADER`].
    ///
    /// # Errors
    /// Why it is not taken; only `NotOurs` is to be answered with success.
    pub fn read(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<CarrierEvent, WebhookRefused> {
        self.verify(signature, body, now)?;
        let Envelope { id, kind, data } =
            serde_json::from_slice(body).map_err(|error| WebhookRefused::Unreadable(error.to_string()))?;
        if kind == "remittance.paid" {
            return payout(data).map(CarrierEvent::Remittance);
        }
        tracking(id, kind, data).map(CarrierEvent::Tracking)
    }

    fn verify(&self, signature: Option<&str>, body: &[u8], now: Timestamp) -> Result<(), WebhookRefused> {
        let (t, v1) = signature
            .and_then(|header| header.strip_prefix("t="))
            .and_then(|header| header.split_once(",v1="))
            .ok_or(WebhookRefused::Unsigned)?;
        let seconds: i64 = t.parse().map_err(|_| WebhookRefused::Unsigned)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(t.as_bytes());
        mac.update(b".");
        mac.update(body);
        let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        if !bool::from(expected.as_bytes().ct_eq(v1.as_bytes())) {
            return Err(WebhookRefused::Forged);
        }
        // After the comparison: what is not signed is told nothing about clocks.
        let off_ms = seconds.saturating_mul(1_000).saturating_sub(now.as_millis());
        if off_ms.unsigned_abs() > TOLERANCE_MS.unsigned_abs() {
            return Err(WebhookRefused::Stale(off_ms / 1_000));
        }
        Ok(())
    }
}

/// Our name of the shipment, out of `parcel:shipment`.
fn our_shipment(reference: &str) -> Option<ShipmentId> {
    reference.rsplit_once(':').and_then(|(_, id)| ShipmentId::new(id).ok())
}

fn unreadable(error: &serde_json::Error) -> WebhookRefused {
    WebhookRefused::Unreadable(error.to_string())
}

fn payout(data: serde_json::Value) -> Result<Remittance, WebhookRefused> {
    let Payout { remittance_id, currency, amount, items } =
        serde_json::from_value(data).map_err(|error| unreadable(&error))?;
    let item = |item: PayoutItem| match our_shipment(&item.reference) {
        Some(shipment_id) => Ok(RemittanceItem { shipment_id, amount: item.amount }),
        None => Err(WebhookRefused::NotOurs(item.reference)),
    };
    let items = items.into_iter().map(item).collect::<Result<_, _>>()?;
    Ok(Remittance { remittance_id, currency, amount, items })
}

fn tracking(id: String, kind: String, data: serde_json::Value) -> Result<TrackingEvent, WebhookRefused> {
    let status = match kind.as_str() {
        "shipment.picked_up" => TrackingStatus::PickedUp,
        "shipment.in_transit" => TrackingStatus::InTransit,
        "shipment.out_for_delivery" => TrackingStatus::OutForDelivery,
        "shipment.delivered" => TrackingStatus::Delivered,
        "shipment.exception" => TrackingStatus::Exception,
        "shipment.refused" => TrackingStatus::RefusedAtDoor,
        "shipment.returning" => TrackingStatus::Returning,
        "shipment.returned" => TrackingStatus::Returned,
        "shipment.cancelled" => TrackingStatus::Cancelled,
        _ => return Err(WebhookRefused::NotOurs(kind)),
    };
    let data: Data = serde_json::from_value(data).map_err(|error| unreadable(&error))?;
    if data.sequence < 1 {
        return Err(WebhookRefused::Unreadable("steps are counted from 1".to_owned()));
    }
    let shipment_id = our_shipment(&data.reference).ok_or(WebhookRefused::NotOurs(data.reference))?;
    let (event_id, carrier_ref) = (id, data.shipment_id);
    let Data { sequence, at, collected, .. } = data;
    Ok(TrackingEvent { event_id, shipment_id, carrier_ref, status, sequence, at, collected })
}
