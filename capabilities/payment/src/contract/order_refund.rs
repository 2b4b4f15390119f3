//! What goes in and out of giving an order's money back over all of its payments.

use mortise_contract::{Declaration, Operation};
use mortise_types::{Amount, PaymentId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UnknownPayment;

/// Money of an order to be given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRefundInput {
    /// The order's payments, in the order in which they give back.
    #[schemars(length(max = 50))]
    pub payments: Vec<PaymentId>,
    /// How much, in minor units; nothing is given back for nothing.
    #[schemars(range(min = 0))]
    pub amount: Amount,
    /// What it is given back for, such as a return's id: it is given back once.
    pub reference: String,
    /// Why, for the shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}

/// What one payment gave back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundPart {
    /// The payment.
    pub payment_id: PaymentId,
    /// The refund.
    pub refund_id: String,
    /// How much, in minor units.
    pub amount: Amount,
}

/// Money of an order that was given back: to the customer, or off what the customer still owes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRefunded {
    /// How much, in minor units.
    pub amount: Amount,
    /// What was asked for and is not there any more: somebody gave it back by hand.
    pub missing: Amount,
    /// By payment.
    #[schemars(length(max = 50))]
    pub parts: Vec<RefundPart>,
}

/// Which payments to add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FundsInput {
    /// The payments.
    #[schemars(length(max = 50))]
    pub payments: Vec<PaymentId>,
}

/// What payments come to together, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Funds {
    /// What they brought: captured, or claimed by invoice or at the door.
    pub captured: Amount,
    /// What of it went back.
    pub refunded: Amount,
    /// What can still be given back.
    pub refundable: Amount,
}

pub(crate) fn declare(declared: Declaration) -> Declaration {
    declared
        .operation(
            Operation::remote::<OrderRefundInput, OrderRefunded>(
                "refund_order",
                "Gives an order's money back over its payments, once for a reference. Cannot be refused.",
            )
            .emits("payment.refunded"),
        )
        .operation(
            Operation::read::<FundsInput, Funds>("funds", "What payments come to together.")
                .rejects::<UnknownPayment>("unknown_payment"),
        )
}
