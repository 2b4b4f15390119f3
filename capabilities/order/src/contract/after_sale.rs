//! What goes in and out of telling an order what happens after the sale, and of asking it what the sale has left behind.

use mortise_contract::{Declaration, Operation};
use mortise_types::{Amount, OrderId, PaymentId, ReservationId, RmaId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Changed, GetInput, OrderUnknown};

/// How far a return is, to its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterSaleStage {
    /// It is asked for.
    Requested,
    /// What was owed has been given back.
    Settled,
    /// Nothing came of it.
    Closed,
}

/// News of a return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAfterSaleInput {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub rma_id: RmaId,
    /// How far it is.
    pub stage: AfterSaleStage,
}

/// News of money that a return gave back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRefundInput {
    /// The order.
    pub order_id: OrderId,
    /// The return that it was owed for: it is recorded once.
    pub rma_id: RmaId,
    /// How much, in minor units.
    #[schemars(range(min = 0))]
    pub amount: Amount,
}

/// A return of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AfterSaleEntry {
    /// The return.
    pub rma_id: RmaId,
    /// How far it is.
    pub stage: AfterSaleStage,
    /// What it gave back, in minor units.
    pub refunded: Amount,
}

/// What the sale has left behind: what a way back begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effects {
    /// The payments that it was paid by, the latest first.
    #[schemars(length(max = 50))]
    pub payments: Vec<PaymentId>,
    /// The hold that its goods come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ReservationId")]
    pub reservation: Option<ReservationId>,
    /// When the last of it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub delivered_at: Option<Timestamp>,
    /// From when the days count in which it may come back: its delivery, or its placing where that is not known.
    pub returnable_from: Timestamp,
    /// Its returns.
    #[schemars(length(max = 1000))]
    pub returns: Vec<AfterSaleEntry>,
    /// What they gave back together, in minor units.
    pub refunded: Amount,
}

pub(super) fn declare(declared: Declaration) -> Declaration {
    let closed = json!({"order_id": "${ input.order_id }", "rma_id": "${ input.rma_id }", "stage": "closed"});
    declared
        .operation(
            Operation::write::<RecordAfterSaleInput, Changed>("record_after_sale", "News of a return.")
                .undo("order.record_after_sale", closed),
        )
        .operation(Operation::write::<RecordRefundInput, Changed>(
            "record_refund",
            "News of money that a return gave back, once a return.",
        ))
        .operation(
            Operation::read::<GetInput, Effects>("effects", "What a sale has left behind.")
                .rejects::<OrderUnknown>("order_unknown"),
        )
}
