//! What goes in and out of giving units back that count against a limit.

use mortise_contract::{Declaration, Operation};
use mortise_types::{ItemUnits, OrderId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ReleaseOutput;

/// Units of an order that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveBackInput {
    /// The order.
    pub order_id: OrderId,
    /// The paper that they came back with, such as a return's id: they are given back once.
    pub reference: String,
    /// The units, by item.
    #[schemars(length(max = 500))]
    pub units: Vec<ItemUnits>,
}

pub(super) fn declare(declared: Declaration) -> Declaration {
    declared.operation(Operation::write::<GiveBackInput, ReleaseOutput>(
        "give_back",
        "Units that came back count no more, once.",
    ))
}
