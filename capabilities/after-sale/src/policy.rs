//! What a shop chooses about returns, by scope. What a choice means is in the rules; the choices that hold when the first
//! unit of an order is asked for are kept with the order, so that later returns of it are reckoned the same way.

use mortise_capability::Policy;
use mortise_types::allocate::ResidualRule;
use mortise_types::{Amount, LocationId, RateBp, Rounding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::ReturnReason;

/// A shop's choices about returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "after_sale/Policy")]
pub struct AfterSalePolicy {
    /// Which units of a line carry its residual cents.
    pub residual: ResidualRule,
    /// A promotion whose conditions what is kept no longer meets.
    pub broken_promotion: BrokenPromotion,
    /// A gift that is kept when what it was given for has come back.
    pub gift_kept: GiftKept,
    /// Fees for bringing parcels.
    pub delivery_fee: FeeRule,
    /// Fees for work on the order.
    pub handling_fee: FeeRule,
    /// Fees for a way to pay.
    pub payment_fee: FeeRule,
    /// Who lets goods come back.
    pub approval: Approval,
    /// For how many days after delivery goods may come back; after the order was placed, where nobody knows when it was
    /// delivered. Goods at fault may come back whenever. Left out, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub window_days: Option<u32>,
    /// The reasons for which the customer bears the charges below; all others are the shop's fault.
    #[schemars(length(max = 20))]
    pub at_customers_cost: Vec<ReturnReason>,
    /// Kept of what the goods cost, for unpacking and storing them again.
    pub restocking_fee_bp: RateBp,
    /// How that is rounded.
    pub rounding: Rounding,
    /// Kept once a return, for bringing it back, in minor units of the order's currency.
    pub return_shipping: Amount,
    /// Where goods come back to, if the return does not say otherwise. Without a place nothing goes back to a shelf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub return_to: Option<LocationId>,
    /// When the coupons of an order may be used again.
    pub coupons: GivenBack,
    /// When units that came back no longer count against the customer's purchase limits.
    pub purchase_limits: GivenBack,
}

impl Default for AfterSalePolicy {
    fn default() -> Self {
        AfterSalePolicy {
            residual: ResidualRule::LargestRemainder,
            broken_promotion: BrokenPromotion::Keep,
            gift_kept: GiftKept::Deduct,
            delivery_fee: FeeRule::WholeOrder,
            handling_fee: FeeRule::WholeOrder,
            payment_fee: FeeRule::Never,
            approval: Approval::Automatic,
            window_days: None,
            at_customers_cost: vec![ReturnReason::ChangedMind, ReturnReason::Other],
            restocking_fee_bp: RateBp::ZERO,
            rounding: Rounding::HalfUp,
            return_shipping: Amount::ZERO,
            return_to: None,
            coupons: GivenBack::WholeOrder,
            purchase_limits: GivenBack::EachUnit,
        }
    }
}

impl Policy for AfterSalePolicy {
    const NAME: &'static str = "after_sale";
}

/// What becomes of a promotion whose conditions what is kept no longer meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "after_sale/BrokenPromotion")]
pub enum BrokenPromotion {
    /// It stays: each unit goes back at what was paid for it.
    Keep,
    /// What is kept costs what it costs without it.
    Reprice,
}

/// What becomes of a gift that is kept when what it was given for has come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "after_sale/GiftKept")]
pub enum GiftKept {
    /// It is the customer's.
    Keep,
    /// Its list price is deducted, and owed again when it comes back too.
    Deduct,
    /// The return is refused unless it comes back as well; if it then does not, its list price is deducted.
    MustComeBack,
}

/// When a fee is owed back. A fee of goods that were never shipped is always owed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "after_sale/FeeRule")]
pub enum FeeRule {
    /// When the whole order has come back.
    WholeOrder,
    /// Never.
    Never,
    /// In proportion to what was paid for what has come back.
    Proportional,
}

/// Who lets goods come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "after_sale/Approval")]
pub enum Approval {
    /// Nobody needs to be asked.
    Automatic,
    /// Staff are asked.
    ByStaff,
}

/// When what an order had used up may be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "after_sale/GivenBack")]
pub enum GivenBack {
    /// When the whole order has come back.
    WholeOrder,
    /// With each unit that comes back, where it can be parted; else with the whole order.
    EachUnit,
    /// Never.
    Never,
}
