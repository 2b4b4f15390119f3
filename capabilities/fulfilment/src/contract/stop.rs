//! What goes in and out of stopping an order's parcels before they are packed.

use mortise_contract::{Declaration, Event, Operation};
use mortise_types::{OrderId, Parcel, ParcelId, PickListId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Changed, Progressed};

/// Parcels of an order that nobody wants any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopInput {
    /// The order.
    pub order_id: OrderId,
    /// Only these parcels; without any, all of them.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub parcels: Vec<ParcelId>,
}

/// What was stopped: what was packed already goes its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    /// The parcels that will not be packed.
    #[schemars(length(max = 50))]
    pub stopped: Vec<Parcel>,
    /// Their pick lists.
    #[schemars(length(max = 50))]
    pub pick_lists: Vec<PickListId>,
}

/// Pick lists to take up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeInput {
    /// The pick lists.
    #[schemars(length(max = 50))]
    pub pick_lists: Vec<PickListId>,
}

/// The most parcels that one order is stopped of at once.
pub(crate) const STOPPED_MAX: i64 = 50;

pub(super) fn declare(declared: Declaration) -> Declaration {
    declared
        .operation(
            Operation::write::<StopInput, Stopped>(
                "stop",
                "Stops an order's parcels that nobody has packed yet, each once.",
            )
            .undo("fulfilment.resume", json!({"pick_lists": "${ output.pick_lists }"}))
            .emits("fulfilment.stopped"),
        )
        .operation(
            Operation::write::<ResumeInput, Changed>("resume", "Takes stopped pick lists up again.")
                .nothing_to_undo(),
        )
        .event(Event::new::<Progressed, PickListId>(
            "stopped",
            "pick_list_id",
            "A parcel will not be packed: nobody wants it any more.",
        ))
}
