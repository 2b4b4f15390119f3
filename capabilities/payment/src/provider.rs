//! What a payment provider is to the capability: four calls that may be repeated with the same key, and what it answers.
//! Protocols, addresses and signatures are the adapters' matter.

use std::fmt;

use futures::future::BoxFuture;
use mortise_capability::Unanswered;
use mortise_types::{Amount, Currency, OrderId, PaymentId, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use crate::policy::CaptureMethod;

/// A payment to be asked for. Equal for every attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRequest {
    /// Ours; also the idempotency key of the request.
    pub payment_id: PaymentId,
    /// For the customer's eyes.
    pub order_id: OrderId,
    /// In minor units.
    pub amount: Amount,
    /// Of the amount.
    pub currency: Currency,
    /// When the money moves.
    pub capture: CaptureMethod,
    /// Until when the customer can pay.
    pub expires_at: Timestamp,
}

/// Authorised money to be taken. Equal for every attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderCapture {
    /// The provider's name for the payment.
    pub provider_ref: String,
    /// Persisted before the first attempt.
    pub key: String,
    /// In minor units, at most what is authorised.
    pub amount: Amount,
}

/// Captured money to be given back. Equal for every attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRefundRequest {
    /// The provider's name for the payment.
    pub provider_ref: String,
    /// Ours.
    pub refund_id: String,
    /// Persisted before the first attempt.
    pub key: String,
    /// In minor units.
    pub amount: Amount,
}

/// What a provider says to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestAnswer {
    /// The customer can pay.
    Accepted {
        /// The provider's name for the payment.
        provider_ref: String,
        /// Where the customer pays.
        pay_url: String,
    },
    /// It will never be paid.
    Refused {
        /// The provider's reason.
        code: String,
    },
}

/// What a provider says to a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureAnswer {
    /// The money is ours.
    Captured {
        /// In minor units.
        amount: Amount,
    },
    /// Nothing was taken.
    Refused {
        /// The provider's reason.
        code: String,
    },
}

/// What a provider says to a void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidAnswer {
    /// It will never be captured.
    Voided,
    /// It came to nothing by itself: declined or expired.
    Nothing,
    /// Too late: the money has been captured.
    Captured {
        /// What was captured.
        captured: Amount,
        /// What of it can still be given back.
        refundable: Amount,
    },
}

/// What a provider says to a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundAnswer {
    /// The money is on its way to the customer.
    Refunded {
        /// The provider's name for the refund.
        provider_refund_ref: String,
    },
    /// Nothing was given back, and nothing will be under this key.
    Refused {
        /// The provider's reason.
        code: String,
    },
}

/// A payment provider. A repetition with the same key must have one effect; an error means that it is not known
/// whether there was one.
pub trait PaymentProvider: Send + Sync + fmt::Debug + 'static {
    /// Asks a customer to pay. The key is the payment's id.
    fn request<'a>(
        &'a self,
        scope: &'a Scope,
        request: &'a ProviderRequest,
    ) -> BoxFuture<'a, Result<RequestAnswer, Unanswered>>;

    /// Takes authorised money.
    fn capture<'a>(
        &'a self,
        scope: &'a Scope,
        capture: &'a ProviderCapture,
    ) -> BoxFuture<'a, Result<CaptureAnswer, Unanswered>>;

    /// Takes a request back. Repeated, it says again what became of the payment.
    fn void<'a>(
        &'a self,
        scope: &'a Scope,
        provider_ref: &'a str,
    ) -> BoxFuture<'a, Result<VoidAnswer, Unanswered>>;

    /// Gives captured money back.
    fn refund<'a>(
        &'a self,
        scope: &'a Scope,
        refund: &'a ProviderRefundRequest,
    ) -> BoxFuture<'a, Result<RefundAnswer, Unanswered>>;
}
