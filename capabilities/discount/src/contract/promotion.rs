//! A promotion as it is defined: one flat record, whose fields `rules::promotion` judges and compiles.

use mortise_types::{Amount, Currency, LocationId, Price, Quantity, RateBp, Sku, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a promotion takes part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// In its period it does.
    #[default]
    Live,
    /// It does not, whatever its period.
    Paused,
}

/// What opens a promotion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OpenedBy {
    /// It is open to everybody whom its conditions fit.
    #[default]
    Itself,
    /// One of its coupon codes.
    Coupon,
}

/// What a promotion takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// The lines that its selection fits, each for itself.
    Items,
    /// The sum of these lines, spread over them.
    Order,
    /// The delivery fees.
    Delivery,
}

/// How a reduction is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BenefitKind {
    /// `rate_bp` off.
    Percent,
    /// `amount` off, for every `per` units where `each` is `unit`.
    Amount,
    /// `amount` for every `per` units is what items cost; `amount` is what the order, or its delivery, costs.
    FixedPrice,
    /// An amount off per units, from the promotion's entries by location and item.
    Sheet,
}

/// What an amount off items is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Each {
    /// For every `per` units.
    Unit,
    /// For every line.
    Line,
    /// Once, for all lines together.
    Together,
}

/// What else may apply when a promotion does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exclusive {
    /// Nothing else in the whole order.
    Order,
    /// Nothing else in its lane.
    Lane,
    /// Everything that stacks with it.
    #[default]
    No,
}

/// A promotion. A list that is empty restricts nothing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promotion {
    /// Its id; a promotion of this id is replaced.
    pub(crate) promotion: String,
    /// What customers and receipts call it.
    pub(crate) title: String,
    /// The business line: left out, the line of the call; `*`, all lines of the tenant that have none of this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) line: Option<String>,
    /// Whether it takes part.
    #[serde(default)]
    pub(crate) status: Status,
    /// What opens it.
    #[serde(default)]
    pub(crate) opened_by: OpenedBy,
    /// The channels in which it is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub(crate) channels: Vec<String>,
    /// The customer groups to whom it is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub(crate) customer_groups: Vec<String>,
    /// Its first moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) valid_from: Option<Timestamp>,
    /// The first moment at which it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) valid_until: Option<Timestamp>,
    /// Of its amounts; needed where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Currency")]
    pub(crate) currency: Option<Currency>,
    /// Selection: these items, beside those of `item_groups`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10_000))]
    pub(crate) skus: Vec<Sku>,
    /// Selection: items with one of these facts, written `name=value`, such as `department=DAIRY`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1_000))]
    pub(crate) item_groups: Vec<String>,
    /// Selection: not these items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10_000))]
    pub(crate) without_skus: Vec<Sku>,
    /// Selection: no items with one of these facts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1_000))]
    pub(crate) without_item_groups: Vec<String>,
    /// Selection: lines from these places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10_000))]
    pub(crate) locations: Vec<LocationId>,
    /// Condition: the selected lines cost at least so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub(crate) min_subtotal: Option<Amount>,
    /// Condition: the selected lines have at least so many units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub(crate) min_quantity: Option<Quantity>,
    /// What it takes from.
    pub(crate) target: Target,
    /// How it is reckoned.
    pub(crate) benefit: BenefitKind,
    /// For `percent`: 1 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RateBp")]
    pub(crate) rate_bp: Option<RateBp>,
    /// For `amount` and `fixed_price`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub(crate) amount: Option<Amount>,
    /// For how many units the amount is; left out, 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub(crate) per: Option<Quantity>,
    /// For an `amount` off `items`; left out, the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Each")]
    pub(crate) each: Option<Each>,
    /// Cap: no more than this is taken off an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub(crate) max_amount: Option<Amount>,
    /// Cap: no more units than this have the benefit; for `items`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub(crate) max_quantity: Option<Quantity>,
    /// It brings no line below this price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Price")]
    pub(crate) min_price: Option<Price>,
    /// The lane in which it is decided; left out, the one named as its target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) lane: Option<String>,
    /// In its lane the higher comes first.
    #[serde(default)]
    pub(crate) priority: i64,
    /// Of one group at most one applies in an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) stacking_group: Option<String>,
    /// What else may apply when it does.
    #[serde(default)]
    pub(crate) exclusive: Exclusive,
    /// Limit: what all orders together may get off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub(crate) budget_amount: Option<Amount>,
    /// Limit: how many orders may have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub(crate) budget_count: Option<i64>,
    /// Limit: what one customer may get off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub(crate) customer_budget_amount: Option<Amount>,
    /// Limit: in how many orders one customer may have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub(crate) customer_budget_count: Option<i64>,
}
