//! What goes in and out of the inventory's operations. It decides nothing.

use mortise_contract::{Declaration, Operation};
use mortise_types::{
    Address, Allocation, Applied, CountryCode, LocationId, Parcel, Quantity, RequestedLine, ReservationId,
    Sku, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The most allocations that an order may have.
pub const ALLOCATIONS_MAX: usize = 1_000;

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
    /// All its units have left.
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

/// Whether a location sells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LocationState {
    /// Orders may be allocated to it.
    #[default]
    Open,
    /// Nothing new is allocated to it; holds stay.
    Closed,
}

/// A place that holds stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationRow {
    /// Its id.
    pub location: LocationId,
    /// What people call it; its id where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CountryCode")]
    pub country: Option<CountryCode>,
    /// Lower sells first; equal ones by id.
    #[serde(default)]
    pub priority: i64,
    /// Whether it sells.
    #[serde(default)]
    pub state: LocationState,
}

/// Locations to add or to replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportLocationsInput {
    /// A row a location; of several for one, the last holds.
    #[schemars(length(max = 10000))]
    pub rows: Vec<LocationRow>,
}

/// What is on hand of an item at a location: a count, not a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StockRow {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units that are there, reserved and claimed ones included.
    #[schemars(range(min = 0, max = 1_000_000_000_000_i64))]
    pub on_hand: Quantity,
    /// The item's own threshold here; without it, the shop's policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub threshold: Option<Quantity>,
}

/// Stock to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportStockInput {
    /// A row an item and location; of several for one, the last holds.
    #[schemars(length(max = 10000))]
    pub rows: Vec<StockRow>,
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// Rows that were added or replaced.
    #[schemars(extend("x-unit" = "count"))]
    pub rows: i64,
}

/// A location that was never imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnknownLocation {
    /// The location.
    pub location: LocationId,
}

/// Why units came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentReason {
    /// Delivered by a supplier.
    Received,
    /// A count found another number.
    Counted,
    /// Broken or spoilt.
    Damaged,
    /// Gone.
    Lost,
    /// Came back from a customer.
    Returned,
    /// Anything else.
    Other,
}

/// A change of what is on hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentRow {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units that came; negative for units that went.
    #[schemars(range(min = -1_000_000_000_000_i64, max = 1_000_000_000_000_i64))]
    pub delta: Quantity,
    /// Why.
    pub reason: AdjustmentReason,
    /// The paper that says so, such as a delivery note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reference: Option<String>,
}

/// Changes of stock, all or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustInput {
    /// The changes, in order.
    #[schemars(length(min = 1, max = 10000))]
    pub rows: Vec<AdjustmentRow>,
}

/// More was to go than there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BelowZero {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units that are there.
    pub on_hand: Quantity,
    /// The change.
    pub delta: Quantity,
}

/// Which stock to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetStockInput {
    /// The items.
    #[schemars(length(min = 1, max = 100))]
    pub skus: Vec<Sku>,
    /// Only there; without it, everywhere, up to 500 locations an item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub location: Option<LocationId>,
}

/// An item's stock at a location: `on_hand = free + reserved + claimed`, and `saleable = free − threshold`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StockLevel {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units that are there.
    pub on_hand: Quantity,
    /// Of these, held for open trades.
    pub reserved: Quantity,
    /// Of these, sold and not yet gone.
    pub claimed: Quantity,
    /// What may still be sold; below zero where more is promised than may be.
    pub saleable: Quantity,
}

/// Stock levels, by item and location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetStockOutput {
    /// A row an item and location.
    #[schemars(length(max = 50000))]
    pub rows: Vec<StockLevel>,
}

/// Which movements to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMovementsInput {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Go on behind this page's end, as `next` of the last page says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub cursor: Option<String>,
    /// At most so many.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 500), extend("x-unit" = "count"))]
    pub limit: i64,
}

const fn page() -> i64 {
    100
}

/// A change of what is on hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Movement {
    /// When.
    pub at: Timestamp,
    /// Units that came; negative for units that went.
    pub delta: Quantity,
    /// `import`, `ship`, or a reason of an adjustment.
    pub reason: String,
    /// The parcel or paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reference: Option<String>,
}

/// Movements of an item at a location, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMovementsOutput {
    /// The movements.
    #[schemars(length(max = 500))]
    pub movements: Vec<Movement>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub next: Option<String>,
}

pub(crate) fn declaration() -> Declaration {
    Declaration::new("inventory")
        .operation(
            Operation::read::<AllocateInput, AllocateOutput>(
                "allocate",
                "Proposes where each line comes from; holds nothing.",
            )
            .rejects::<Shortage>("out_of_stock"),
        )
        .operation(
            Operation::write::<ReserveInput, ReserveOutput>(
                "reserve",
                "Holds stock until it is released or claimed.",
            )
            .undo("inventory.release", json!({"reservation": "${ output.reservation }"}))
            .rejects::<Shortage>("out_of_stock")
            .acquires("stock", "reservation")
            .may_be_stale(),
        )
        .operation(
            Operation::write::<ReservationInput, Settled>("release", "Frees what a hold still holds, once.")
                .nothing_to_undo()
                .releases("stock", "reservation"),
        )
        .operation(
            Operation::write::<ReservationInput, Settled>(
                "claim",
                "What is held is sold; it leaves with its parcels.",
            )
            .undo("inventory.unclaim", json!({"reservation": "${ input.reservation }"}))
            .consumes("stock", "reservation"),
        )
        .operation(
            Operation::write::<ReservationInput, Settled>(
                "unclaim",
                "A claimed hold of which nothing has left is held again.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<ShipInput, Settled>("ship", "The claimed units of a parcel leave, once.")
                .nothing_to_undo()
                .rejects::<CannotShip>("cannot_ship"),
        )
        .operation(
            Operation::write::<ImportLocationsInput, Imported>(
                "import_locations",
                "Adds or replaces locations.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<ImportStockInput, Imported>("import_stock", "Sets what is on hand.")
                .nothing_to_undo()
                .rejects::<UnknownLocation>("unknown_location"),
        )
        .operation(
            Operation::write::<AdjustInput, Imported>("adjust", "Changes what is on hand, with reasons.")
                .nothing_to_undo()
                .rejects::<UnknownLocation>("unknown_location")
                .rejects::<BelowZero>("stock_below_zero"),
        )
        .operation(Operation::read::<GetStockInput, GetStockOutput>("get_stock", "Stock levels of items."))
        .operation(Operation::read::<ListMovementsInput, ListMovementsOutput>(
            "list_movements",
            "Why an item's stock at a location is what it is.",
        ))
}
