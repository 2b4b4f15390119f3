//! What a shop chooses about delivery, by scope.

use mortise_capability::Policy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a fee is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeePer {
    /// Each parcel has its fee, by its own weight.
    #[default]
    Parcel,
    /// The order has one fee, by the weight of all its parcels.
    Order,
}

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryPolicy {
    /// What a fee is for.
    pub fee_per: FeePer,
    /// What a unit weighs whose item has no weight, in grams.
    pub default_weight_grams: u32,
}

impl Default for DeliveryPolicy {
    fn default() -> DeliveryPolicy {
        DeliveryPolicy { fee_per: FeePer::Parcel, default_weight_grams: 500 }
    }
}

impl Policy for DeliveryPolicy {
    const NAME: &'static str = "delivery";
}
