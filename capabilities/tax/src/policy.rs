//! The choices that a shop has about taxes, and what holds where nobody chose.

use mortise_capability::Policy;
use mortise_types::allocate::ResidualRule;
use mortise_types::{IncludedTax, Rounding, RoundingLevel, TaxTreatment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How taxes are chosen, reckoned and rounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "tax/Policy")]
pub struct TaxPolicy {
    /// Whether prices contain taxes, or they come on top.
    pub treatment: TaxTreatment,
    /// What happens where no tax is known for a place or class.
    pub unknown: Unknown,
    /// The class of items that have none of their own.
    pub default_class: String,
    /// The class of delivery fees.
    pub delivery_class: String,
    /// The class of handling fees.
    pub handling_class: String,
    /// The class of fees for a way to pay.
    pub payment_class: String,
    /// What a region's taxes are to its country's.
    pub regions: Regions,
    /// What is rounded where a price contains its taxes.
    pub included: IncludedTax,
    /// How it is rounded.
    pub rounding: Rounding,
    /// At which level it is rounded.
    pub level: RoundingLevel,
    /// How several taxes on one line are reckoned.
    pub several: Several,
    /// Who carries what rounding leaves over when an order's tax, or a summed tax, is split.
    pub residual: ResidualRule,
}

impl Default for TaxPolicy {
    fn default() -> Self {
        let standard = crate::contract::standard;
        TaxPolicy {
            treatment: TaxTreatment::Included,
            unknown: Unknown::Zero,
            default_class: standard(),
            delivery_class: standard(),
            handling_class: standard(),
            payment_class: standard(),
            regions: Regions::Add,
            included: IncludedTax::RoundTheTax,
            rounding: Rounding::HalfUp,
            level: RoundingLevel::Line,
            several: Several::OneByOne,
            residual: ResidualRule::LargestRemainder,
        }
    }
}

impl Policy for TaxPolicy {
    const NAME: &'static str = "tax";
}

/// What happens where no tax is known. A rate of 0 is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "tax/Unknown")]
pub enum Unknown {
    /// There is none: a shop without any tax table has no taxes.
    Zero,
    /// The order is refused.
    Refuse,
}

/// What a region's taxes are to its country's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "tax/Regions")]
pub enum Regions {
    /// They come beside them; one of the same code takes its place.
    Add,
    /// Where a region has taxes for a class, the country's for that class do not hold.
    Replace,
}

/// How several taxes on one amount are reckoned. No tax is on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "tax/Several")]
pub enum Several {
    /// Each is rounded by itself.
    OneByOne,
    /// Their rates are summed, the sum is rounded once and split over them by rate.
    Summed,
}
