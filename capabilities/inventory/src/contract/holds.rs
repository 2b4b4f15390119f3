//! What goes in and out of allocating, holding and settling.

use mortise_asking::Decided;
use mortise_types::{
    Address, Allocation, Applied, LocationId, Parcel, Quantity, RequestedLine, ReservationId, Sku,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lines that look for a place to come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocateInput {
    /// The requested lines.
    #[schemars(length(min = 1, max = 500))]
    pub lines: Vec<RequestedLine>,
    /// Where the goods go: locations of that country come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Address")]
    pub ship_to: Option<Address>,
}

/// Where each line comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocateOutput {
    /// What comes from where. Line ids are positions in `lines`.
    #[schemars(length(max = 1000))]
    pub allocations: Vec<Allocation>,
    /// The lines that are sold: the requested ones, unless the shop cuts lines to what is there.
    #[schemars(length(max = 500))]
    pub lines: Vec<RequestedLine>,
    /// What was asked beyond what is saleable, and then cut or backordered, by item and named location.
    #[schemars(length(max = 500))]
    pub short: Vec<Shortage>,
    /// The extension that chose the locations, and why; left out where the shop's own order did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Decided")]
    pub decided: Option<Decided>,
}

/// Too little of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shortage {
    /// The item.
    pub sku: Sku,
    /// The location that was asked, if it was a certain one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub location: Option<LocationId>,
    /// Units asked, over all lines with this item.
    pub wanted: Quantity,
    /// Units that are saleable to this order.
    pub available: Quantity,
}

/// What is to be held, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReserveInput {
    /// For whom: an order id, as a rule.
    pub holder: String,
    /// What, from where.
    #[schemars(length(max = 1000))]
    pub allocations: Vec<Allocation>,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReserveOutput {
    /// The handle of the hold.
    pub reservation: ReservationId,
}

/// Names a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservationInput {
    /// The handle of the hold.
    pub reservation: ReservationId,
}

/// What has become of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservationState {
    /// Its units are reserved.
    Held,
    /// Its units are sold, and still there.
    Claimed,
    /// Nothing of it is left: its units have left, or are free again because their parcel does not leave.
    Shipped,
    /// Its units are free again.
    Released,
    /// There is no such hold.
    Unknown,
}

/// What a command did to a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// Whether it did something.
    pub applied: Applied,
    /// What the hold is now.
    pub state: ReservationState,
}

/// A parcel that leaves with units of a claimed hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipInput {
    /// The claimed hold.
    pub reservation: ReservationId,
    /// What leaves, and from where. A parcel leaves once.
    pub parcel: Parcel,
}

/// Why a parcel cannot leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CannotShip {
    /// The hold.
    pub reservation: ReservationId,
    /// What the hold is.
    pub state: ReservationState,
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units in the parcel.
    pub wanted: Quantity,
    /// Units that the hold has claimed there.
    pub claimed: Quantity,
    /// Units that are there.
    pub on_hand: Quantity,
}
