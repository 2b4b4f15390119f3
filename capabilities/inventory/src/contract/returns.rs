//! What goes in and out of taking goods back: what came back to a location, what never left it.

use mortise_contract::{Declaration, Operation};
use mortise_types::{Applied, Parcel, ReservationId, ReturnedUnits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Settled, UnknownLocation};

/// Goods that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestockInput {
    /// The paper that they came back with, such as a return's id: it is taken in once.
    pub reference: String,
    /// What came back. Damaged units are booked in and off again: they are not sold.
    #[schemars(length(max = 500))]
    pub units: Vec<ReturnedUnits>,
}

/// What taking goods in did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restocked {
    /// Whether they were taken in now.
    pub applied: Applied,
}

/// A parcel that will not leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreeParcelInput {
    /// The hold that its units are of.
    pub reservation: ReservationId,
    /// What does not leave. A parcel is freed once, and then does not leave any more.
    pub parcel: Parcel,
}

pub(super) fn declare(declared: Declaration) -> Declaration {
    declared
        .operation(
            Operation::write::<RestockInput, Restocked>("restock", "Takes goods in that came back, once.")
                .rejects::<UnknownLocation>("unknown_location"),
        )
        .operation(Operation::write::<FreeParcelInput, Settled>(
            "free_parcel",
            "The units of a parcel that will not leave can be sold again, once.",
        ))
}
