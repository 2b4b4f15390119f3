//! The choices that a shop has about discounts: every axis on which respected platforms differ, and what holds where
//! nobody chose.

use mortise_capability::Policy;
use mortise_types::allocate::{Overflow, ResidualRule, ZeroWeights};
use mortise_types::{RateBp, Rounding, RoundingLevel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How discounts are reckoned, stacked and spread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "discount/Policy")]
pub struct DiscountPolicy {
    /// The lanes, in their order; lanes that are not named come last, by name.
    #[schemars(length(max = 50))]
    pub lanes: Vec<Lane>,
    /// What becomes of several promotions in a lane that is not named.
    pub several: Several,
    /// Which of one stacking group applies.
    pub stacking_group: GroupWinner,
    /// On which amounts a minimum subtotal is tested.
    pub conditions: Conditions,
    /// What a percentage is of.
    pub percent_base: Base,
    /// Where a percentage off items is rounded.
    pub percent_level: RoundingLevel,
    /// How a reduction is rounded.
    pub rounding: Rounding,
    /// What an amount off items is for, where the promotion does not say.
    pub each: EachDefault,
    /// Which units have the benefit of a promotion for so many units.
    pub units: UnitOrder,
    /// Who carries what rounding leaves over when an amount is spread.
    pub residual: ResidualRule,
    /// What happens when an amount is to be spread and nothing costs anything.
    pub zero_weights: ZeroWeights,
    /// By what an amount is spread.
    pub spread_by: Base,
    /// Over which lines a discount off the order is spread.
    pub spread_over: SpreadOver,
    /// Whether delivery takes its part of a discount off the order.
    pub spread_delivery: SpreadDelivery,
    /// What becomes of what a line cannot take of a spread amount.
    pub overflow: Overflow,
    /// No discount brings a line below this part of its list amount.
    pub floor_bp: RateBp,
    /// What happens when a discount would pass a budget.
    pub budget: Budget,
    /// What happens with a coupon that opens nothing.
    pub refused_coupon: RefusedCoupon,
}

impl Default for DiscountPolicy {
    fn default() -> Self {
        let lane = |lane: &str| Lane { lane: lane.to_owned(), several: Several::Stack };
        DiscountPolicy {
            lanes: ["catalogue", "items", "order", "delivery"].map(lane).to_vec(),
            several: Several::Stack,
            stacking_group: GroupWinner::First,
            conditions: Conditions::Running,
            percent_base: Base::Running,
            percent_level: RoundingLevel::Line,
            rounding: Rounding::HalfUp,
            each: EachDefault::Unit,
            units: UnitOrder::AsListed,
            residual: ResidualRule::LargestRemainder,
            zero_weights: ZeroWeights::Nothing,
            spread_by: Base::Running,
            spread_over: SpreadOver::Selected,
            spread_delivery: SpreadDelivery::Without,
            overflow: Overflow::ToOthers,
            floor_bp: RateBp::ZERO,
            budget: Budget::WhatFits,
            refused_coupon: RefusedCoupon::Refuse,
        }
    }
}

impl Policy for DiscountPolicy {
    const NAME: &'static str = "discount";
}

/// A lane: later lanes see what earlier ones took off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "discount/Lane")]
pub struct Lane {
    /// Its name.
    pub lane: String,
    /// What becomes of several promotions in it.
    pub several: Several,
}

/// What becomes of several promotions in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/Several")]
pub enum Several {
    /// All apply, one after another, each to what the former left.
    Stack,
    /// The one that takes most off the order.
    Best,
    /// For each line, the one that takes most off it.
    BestPerLine,
}

/// Which of one stacking group applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/GroupWinner")]
pub enum GroupWinner {
    /// The first by priority that takes something off.
    First,
    /// Of those in one lane, the one that takes most off.
    Best,
}

/// On which amounts a minimum subtotal is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/Conditions")]
pub enum Conditions {
    /// As quoted.
    Quoted,
    /// What the promotions before it left: tested again after each.
    Running,
}

/// Which of a line's amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/Base")]
pub enum Base {
    /// By the list price.
    List,
    /// What the adjustments before left.
    Running,
}

/// What an amount off items is for, where the promotion does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/EachDefault")]
pub enum EachDefault {
    /// For every unit.
    Unit,
    /// For every line.
    Line,
}

/// Which units have the benefit of a promotion for so many units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/UnitOrder")]
pub enum UnitOrder {
    /// Those of the first lines.
    AsListed,
    /// The cheapest, by what a unit costs at the moment.
    CheapestFirst,
    /// The dearest.
    DearestFirst,
}

/// Over which lines a discount off the order is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/SpreadOver")]
pub enum SpreadOver {
    /// Those that its selection fits.
    Selected,
    /// All.
    All,
}

/// Whether delivery takes its part of a discount off the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/SpreadDelivery")]
pub enum SpreadDelivery {
    /// It does not.
    Without,
    /// It does, and a percentage is of it too.
    With,
}

/// What happens when a discount would pass a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/Budget")]
pub enum Budget {
    /// Nothing is taken off.
    Nothing,
    /// The part that fits is taken off.
    WhatFits,
}

/// What happens with a coupon that opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "discount/RefusedCoupon")]
pub enum RefusedCoupon {
    /// The order is refused, with the reason.
    Refuse,
    /// The order goes on without it.
    Ignore,
}
