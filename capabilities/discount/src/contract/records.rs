//! The inputs, outputs, details and import rows of discount.

use mortise_types::{
    Amount, CouponCode, Currency, CustomerId, OrderId, PriceProof, ProofFee, ProofLine, Quantity, Sku,
    Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Promotion;

/// An order to take discounts off.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvaluateInput {
    /// The quoted lines.
    #[schemars(length(max = 500))]
    pub(crate) lines: Vec<ProofLine>,
    /// The quoted fees.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub(crate) fees: Vec<ProofFee>,
    /// What the customer entered.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub(crate) coupons: Vec<CouponCode>,
    /// Who buys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub(crate) customer_id: Option<CustomerId>,
    /// The customer's group; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) customer_group: Option<String>,
    /// Of all amounts.
    pub(crate) currency: Currency,
}

/// The order with its discounts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvaluateOutput {
    /// Every discount stands in it as an adjustment with source, version, lane and reason.
    pub(crate) proof: PriceProof,
    /// What has to be redeemed with the order: coupons, and promotions with a budget.
    #[schemars(length(max = 100))]
    pub(crate) redemptions: Vec<Redemption>,
    /// Coupons that open nothing here, where the policy is to go on without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub(crate) ignored_coupons: Vec<IgnoredCoupon>,
}

/// A limited promotion that an order gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redemption {
    /// The promotion.
    pub(crate) promotion: String,
    /// The version of the promotion.
    pub(crate) version: i64,
    /// The code that opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CouponCode")]
    pub(crate) coupon: Option<CouponCode>,
    /// What it takes off the order.
    pub(crate) amount: Amount,
}

/// Why a coupon opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CouponProblem {
    /// There is no such code, or its promotion is paused.
    Unknown,
    /// Its period, or its promotion's, has not begun.
    NotYet,
    /// Its period, or its promotion's, is over.
    Expired,
    /// It was redeemed as often as it may be.
    Exhausted,
    /// This customer has redeemed it as often as one may.
    ExhaustedForCustomer,
    /// It is limited by customer, and nobody is named.
    CustomerUnknown,
    /// The order is not one that its promotion is for.
    ConditionsNotMet,
    /// Another discount excludes it.
    Excluded,
    /// It would take nothing off.
    NoEffect,
    /// It was entered twice, or another code has opened its promotion.
    Repeated,
}

/// A coupon that opens nothing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IgnoredCoupon {
    /// The code.
    pub(crate) coupon: CouponCode,
    /// Why.
    pub(crate) reason: CouponProblem,
    /// In words.
    pub(crate) detail: String,
}

/// A coupon that opens nothing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CouponRefused {
    /// The code.
    pub(crate) coupon: CouponCode,
    /// Why.
    pub(crate) reason: CouponProblem,
    /// In words.
    pub(crate) detail: String,
}

/// What became of a promotion, coupon or proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fate {
    /// It takes something off.
    Applied,
    /// Paused, outside of its period, or not opened by a coupon.
    Closed,
    /// The order, the customer or the place is not one that it is for.
    NotForThis,
    /// A minimum is not reached.
    BelowMinimum,
    /// Another one of its stacking group or lane comes before it.
    Outranked,
    /// Another one applies, and excludes it.
    Excluded,
    /// Its budget is used up.
    OverBudget,
    /// There is nothing for it to take off.
    NoEffect,
}

/// What became of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Judged {
    /// The promotion, or the extension's `name@version`.
    pub(crate) source: String,
    /// Its lane.
    pub(crate) lane: String,
    /// What became of it.
    pub(crate) fate: Fate,
    /// What it takes off the order.
    pub(crate) amount: Amount,
    /// Why.
    pub(crate) reason: String,
}

/// The order with its discounts, and what became of everything that was in question.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainOutput {
    /// The proof that `evaluate` gives, with refused coupons left out.
    pub(crate) proof: PriceProof,
    /// In the order in which they were decided.
    #[schemars(length(max = 2000))]
    pub(crate) judged: Vec<Judged>,
    /// Coupons that open nothing here.
    #[schemars(length(max = 10))]
    pub(crate) refused_coupons: Vec<IgnoredCoupon>,
}

/// What to book to an order.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedeemInput {
    /// The order.
    pub(crate) order_id: OrderId,
    /// Who buys.
    pub(crate) customer_id: CustomerId,
    /// As evaluated.
    #[schemars(length(max = 100))]
    pub(crate) redemptions: Vec<Redemption>,
}

/// What was booked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redeemed {
    /// Redemptions that were booked now; those that the order had already are not counted.
    pub(crate) redeemed: i64,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExhaustedWhat {
    /// The coupon's redemptions.
    Coupon,
    /// The coupon's redemptions by this customer.
    CouponForCustomer,
    /// The promotion's budget.
    Promotion,
    /// The promotion's budget for this customer.
    PromotionForCustomer,
}

/// A limit that was reached by others between quote and order.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CouponExhausted {
    /// The promotion.
    pub(crate) promotion: String,
    /// The code, where one opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CouponCode")]
    pub(crate) coupon: Option<CouponCode>,
    /// Which limit.
    pub(crate) limit: ExhaustedWhat,
}

/// Whose redemptions to give back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreInput {
    /// The order.
    pub(crate) order_id: OrderId,
}

/// What was given back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restored {
    /// Redemptions that were given back now: 0 where they were before, or there were none.
    pub(crate) restored: i64,
}

/// Whose usage.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageInput {
    /// The promotion.
    pub(crate) promotion: String,
    /// One of its codes; left out, the promotion as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CouponCode")]
    pub(crate) coupon: Option<CouponCode>,
}

/// How much is used.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageOutput {
    /// Orders that have it.
    pub(crate) count: i64,
    /// What it took off them.
    pub(crate) amount: Amount,
}

/// Promotions to define.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefineInput {
    /// All are stored, or none.
    #[schemars(length(max = 500))]
    pub(crate) promotions: Vec<Promotion>,
}

/// A promotion that makes no sense.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromotionInvalid {
    /// Its id.
    pub(crate) promotion: String,
    /// What is wrong with it.
    pub(crate) problem: String,
}

/// An entry of a price sheet. What is left out, or `*`, stands for any.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryRow {
    /// The promotion whose sheet it is on.
    pub(crate) promotion: String,
    /// The item.
    pub(crate) sku: Sku,
    /// Of the amount.
    pub(crate) currency: Currency,
    /// What is taken off `per` units together; 0 takes the entry back.
    #[schemars(range(min = 0))]
    pub(crate) amount_off: Amount,
    /// For how many units.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub(crate) per: Quantity,
    /// The place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) location: Option<String>,
    /// The business line: left out, the line of the call; `*`, all lines of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) line: Option<String>,
    /// Its first moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) valid_from: Option<Timestamp>,
    /// The first moment at which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) valid_until: Option<Timestamp>,
}

const fn one() -> Quantity {
    Quantity::ONE
}

/// Entries to store. An entry with the same promotion, place, item and beginning is replaced.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportEntriesInput {
    /// In the order of location, item, beginning it is fastest.
    #[schemars(length(max = 10_000))]
    pub(crate) rows: Vec<EntryRow>,
}

/// A coupon code.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CouponRow {
    /// The code, as customers enter it.
    pub(crate) coupon: CouponCode,
    /// The promotion that it opens.
    pub(crate) promotion: String,
    /// The business line: left out, the line of the call; `*`, all lines of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) line: Option<String>,
    /// Its first moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) valid_from: Option<Timestamp>,
    /// The first moment at which it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) valid_until: Option<Timestamp>,
    /// How many orders may redeem it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", range(min = 0))]
    pub(crate) max_redemptions: Option<i64>,
    /// In how many orders one customer may redeem it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", range(min = 0))]
    pub(crate) max_per_customer: Option<i64>,
}

/// Coupons to store. A code that exists gets the new period and limits; what was redeemed stays redeemed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportCouponsInput {
    /// The codes.
    #[schemars(length(max = 10_000))]
    pub(crate) rows: Vec<CouponRow>,
}

/// A fact about an item.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemRow {
    /// The item.
    pub(crate) sku: Sku,
    /// Such as `department`.
    pub(crate) name: String,
    /// Such as `DAIRY`. A name may have several values.
    pub(crate) value: String,
    /// The business line: left out, the line of the call; `*`, all lines of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) line: Option<String>,
}

/// Facts to store.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportItemsInput {
    /// They are added to what is known.
    #[schemars(length(max = 10_000))]
    pub(crate) rows: Vec<ItemRow>,
}
