//! What the way back of a sale passes from one capability to another: goods that came back, and what promotions asked of an
//! order. What is owed for it is decided elsewhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Amount, LocationId, Quantity, Sku};

/// In which condition goods came back.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "inventory/GoodsCondition")]
pub enum GoodsCondition {
    /// They can be sold again.
    #[default]
    Sellable,
    /// They cannot.
    Damaged,
}

/// Units of an item that came back to a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "inventory/ReturnedUnits")]
pub struct ReturnedUnits {
    /// The item.
    pub sku: Sku,
    /// Where it is now.
    pub location: LocationId,
    /// How many units; at least 1.
    #[schemars(range(min = 1))]
    pub quantity: Quantity,
    /// In which condition.
    pub condition: GoodsCondition,
}

/// Units of an item, wherever they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "catalogue/ItemUnits")]
pub struct ItemUnits {
    /// The item.
    pub sku: Sku,
    /// How many units; at least 1.
    #[schemars(range(min = 1))]
    pub quantity: Quantity,
}

/// What a promotion asks of the lines that it is for. A price proof names the promotion, and not its conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "discount/PromotionTerms")]
pub struct PromotionTerms {
    /// The promotion, as adjustments name it.
    pub source: String,
    /// Its version, as adjustments name it.
    pub version: String,
    /// The lines cost at least so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub min_subtotal: Option<Amount>,
    /// The lines have at least so many units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub min_quantity: Option<Quantity>,
    /// The lines have one price together: a bundle, broken by whatever goes out of it.
    #[serde(default)]
    pub bundle: bool,
}
