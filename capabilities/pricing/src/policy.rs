//! The choices that a shop has about prices, and what holds where nobody chose.

use mortise_capability::Policy;
use mortise_types::Rounding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How prices are chosen and rounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "pricing/Policy")]
pub struct PricingPolicy {
    /// Which of several entries wins.
    pub winner: Winner,
    /// What makes an entry more specific, the weightiest first; what is left out follows in the default order.
    #[schemars(length(max = 4))]
    pub specificity: Vec<Aspect>,
    /// What floor and ceiling prices hold.
    pub bounds: Bounds,
    /// How a line's amount is rounded.
    pub rounding: Rounding,
    /// At which level it is rounded.
    pub level: Level,
}

impl Default for PricingPolicy {
    fn default() -> Self {
        PricingPolicy {
            winner: Winner::MostSpecific,
            specificity: Aspect::DEFAULT.to_vec(),
            bounds: Bounds::Extensions,
            rounding: Rounding::HalfUp,
            level: Level::Line,
        }
    }
}

impl Policy for PricingPolicy {
    const NAME: &'static str = "pricing";
}

/// Which of several entries that hold wins. What is equal by the first rule is decided by the next: specificity,
/// priority, the higher tier, the later beginning, the name of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/Winner")]
pub enum Winner {
    /// The most specific, then the one of the highest priority.
    MostSpecific,
    /// The one of the highest priority, then the most specific.
    HighestPriority,
    /// The cheapest.
    LowestPrice,
}

/// An aspect in which an entry may be specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/Aspect")]
pub enum Aspect {
    /// For a customer group.
    CustomerGroup,
    /// For a place.
    Location,
    /// For a channel.
    Channel,
    /// For one business line.
    Line,
}

impl Aspect {
    pub(crate) const DEFAULT: [Aspect; 4] =
        [Aspect::CustomerGroup, Aspect::Location, Aspect::Channel, Aspect::Line];
}

/// What floor and ceiling prices hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/Bounds")]
pub enum Bounds {
    /// What extensions offer.
    Extensions,
    /// What extensions offer, and the winning entry itself.
    EveryPrice,
}

/// At which level a line's amount is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/Level")]
pub enum Level {
    /// One unit's price is rounded and multiplied.
    Unit,
    /// The line's amount is rounded once: "3 for 5.00" at quantity 3 is 5.00.
    Line,
}
