//! What goes in and out of setting up: locations, counts, adjustments.

use mortise_types::{CountryCode, LocationId, Quantity, Sku};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
