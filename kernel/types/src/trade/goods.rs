//! Goods on their way through a trade: requested, allocated to locations, packed in parcels.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LineId, LocationId, ParcelId, Quantity, Sku};

/// Free facts about a line, such as an engraving; the only open map in a contract.
pub type Attributes = BTreeMap<String, String>;

/// A line that a customer asks for. Its line id is its position in the request: see `LineId::nth`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "pricing/RequestedLine")]
pub struct RequestedLine {
    /// The item.
    pub sku: Sku,
    /// How many units; at least 1.
    #[schemars(range(min = 1))]
    pub quantity: Quantity,
    /// The place that it must come from, and whose prices apply; without it, the capabilities choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub location: Option<LocationId>,
    /// Free facts that extensions may read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: Attributes,
}

/// A quantity of a line that comes from one location. A line may have several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "inventory/Allocation")]
pub struct Allocation {
    /// The requested line.
    pub line_id: LineId,
    /// The item.
    pub sku: Sku,
    /// Where the units are.
    pub location: LocationId,
    /// How many units; at least 1.
    #[schemars(range(min = 1))]
    pub quantity: Quantity,
}

/// What travels together, from one location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "delivery/Parcel")]
pub struct Parcel {
    /// The parcel, within its order.
    pub parcel_id: ParcelId,
    /// Where it is packed.
    pub location: LocationId,
    /// What is in it.
    #[schemars(length(min = 1, max = 500))]
    pub items: Vec<ParcelItem>,
}

/// A quantity of a line in a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "delivery/ParcelItem")]
pub struct ParcelItem {
    /// The requested line.
    pub line_id: LineId,
    /// The item.
    pub sku: Sku,
    /// How many units; at least 1.
    #[schemars(range(min = 1))]
    pub quantity: Quantity,
}
