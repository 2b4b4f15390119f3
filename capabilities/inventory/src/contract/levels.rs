//! What goes in and out of looking at stock.

use mortise_types::{LocationId, Quantity, Sku, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
