//! What of an order can be paid now, as records with schemas.

use mortise_types::{Amount, Currency, OrderId, PaymentId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Purpose;

/// An order that somebody wants to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenInput {
    /// The order.
    pub order_id: OrderId,
}

/// A payment that waits for its customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenPayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// What is asked for, in minor units.
    pub amount: Amount,
    /// Of the amount.
    pub currency: Currency,
    /// What it is for.
    pub purpose: Purpose,
    /// Where the customer pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub pay_url: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub expires_at: Option<Timestamp>,
}

/// What can be paid now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenPayments {
    /// In the order in which they were asked for; a signed-in customer sees their own.
    #[schemars(length(max = 20))]
    pub payments: Vec<OpenPayment>,
}
