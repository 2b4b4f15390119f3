//! What goes in and out of paying an order by what is left of another's payments.

use mortise_contract::{Declaration, Operation};
use mortise_types::{Amount, OrderId, PaymentId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Money of one order that is to pay another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferInput {
    /// The payments of the one.
    #[schemars(length(max = 50))]
    pub payments: Vec<PaymentId>,
    /// The other.
    pub to_order: OrderId,
    /// How much at most, in minor units: as much of it as the payment has that has the most.
    #[schemars(range(min = 0))]
    pub amount: Amount,
    /// What it is for, such as a return's id: it is transferred once.
    pub reference: String,
}

/// A payment of the other order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transferred {
    /// The payment: a handle on its money. It stands as the one stood that it was taken from, with the same provider.
    pub payment_id: PaymentId,
    /// How much, in minor units.
    pub amount: Amount,
}

pub(crate) fn declare(declared: Declaration) -> Declaration {
    declared.operation(
        Operation::write::<TransferInput, Transferred>(
            "transfer",
            "What is left of an order's payment pays another order, once for a reference. No money leaves.",
        )
        .acquires("money", "payment_id")
        .undo(
            "payment.give_back",
            json!({ "payment_id": "${ output.payment_id }", "amount": "${ output.amount }" }),
        ),
    )
}
