//! The provider's webhooks: verified over the bytes as they came, then read as the capability's event. A webhook that
//! concerns nobody here is told apart from one that is forged.

use hmac::{Hmac, KeyInit, Mac};
use mortise_payment::contract::{ProviderEvent, ProviderEventKind, ProviderRefund};
use mortise_types::{Amount, PaymentId, Timestamp};
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

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    payment_id: String,
    reference: String,
    captured_amount: Amount,
    decline_code: Option<String>,
    refund: Option<RefundData>,
}

#[derive(Deserialize)]
struct RefundData {
    id: String,
    reference: Option<String>,
    amount: Amount,
}

impl Webhooks {
    /// Webhooks of the provider that signs with `secret`.
    #[must_use]
    pub fn new(secret: impl Into<Vec<u8>>) -> Webhooks {
        Webhooks { secret: secret.into() }
    }

    /// The event of a webhook that came at `now` with the value of [`SIGNATURE_HEADER`]: the input of
    /// `payment.record_provider_event`.
    ///
    /// # Errors
    /// Why it is not taken; only `NotOurs` is to be answered with success.
    pub fn read(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<ProviderEvent, WebhookRefused> {
        self.verify(signature, body, now)?;
        let Envelope { id, kind, data } =
            serde_json::from_slice(body).map_err(|error| WebhookRefused::Unreadable(error.to_string()))?;
        let kind = match kind.as_str() {
            "payment.authorised" => ProviderEventKind::Authorised,
            "payment.captured" => ProviderEventKind::Captured,
            "payment.declined" => ProviderEventKind::Declined,
            "payment.voided" => ProviderEventKind::Voided,
            "payment.expired" => ProviderEventKind::Expired,
            "payment.refunded" => ProviderEventKind::Refunded,
            _ => return Err(WebhookRefused::NotOurs(kind)),
        };
        if (kind == ProviderEventKind::Refunded) != data.refund.is_some() {
            return Err(WebhookRefused::Unreadable(
                "a refund belongs to `payment.refunded` alone".to_owned(),
            ));
        }
        let ours = data.reference.rsplit_once(':').and_then(|(_, id)| PaymentId::new(id).ok());
        let payment_id = ours.ok_or(WebhookRefused::NotOurs(data.reference))?;
        let refund = data.refund.map(|refund| ProviderRefund {
            provider_refund_ref: refund.id,
            refund_id: refund.reference,
            amount: refund.amount,
        });
        let has_money = matches!(kind, ProviderEventKind::Captured | ProviderEventKind::Refunded);
        let amount = has_money.then_some(data.captured_amount);
        let (event_id, provider_ref, code) = (id, data.payment_id, data.decline_code);
        Ok(ProviderEvent { event_id, kind, payment_id, provider_ref, amount, code, refund })
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
