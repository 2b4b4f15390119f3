//! What a shop chooses about its stock, by scope. How the choices are applied stands in the rules.

use mortise_capability::Policy;
use mortise_types::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to a line of which there is not enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShortStock {
    /// The order is rejected with `out_of_stock`.
    #[default]
    AllOrNothing,
    /// The line gets what is saleable; a line of which there is nothing falls away; nothing at all is `out_of_stock`.
    Cut,
    /// The line is sold, and what is missing is owed by the most preferred location that carries the item.
    Backorder,
}

/// A shop's choices about stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InventoryPolicy {
    /// What happens to a line of which there is not enough.
    pub short_stock: ShortStock,
    /// Saleable is on hand − reserved − claimed − this. Positive keeps a safety stock back, negative sells so many units
    /// before they are there. An item may have its own at a location.
    pub threshold: Quantity,
}

impl Policy for InventoryPolicy {
    const NAME: &'static str = "inventory";
}
