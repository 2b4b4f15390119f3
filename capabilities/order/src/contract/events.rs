//! The events that orders write; each has its order as key.

use mortise_types::{Amount, Currency, CustomerId, OrderId, PaymentId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::changes::PaymentTerms;

/// An order was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What the customer pays.
    pub payable: Amount,
}

/// It is settled how an order is paid; the goods may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// The order.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Whether the money is there, or comes later.
    pub terms: PaymentTerms,
}

/// An order has come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
}

/// Somebody wants an order cancelled. Whether it is, the trade decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequested {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}
