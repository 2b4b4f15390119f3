//! What goes in and out of the purchase limits' operations. It decides nothing.

mod returns;

use mortise_asking::{EXTENSION_REFUSED, ExtensionRefused};
use mortise_contract::{Declaration, Operation};
use mortise_points::{Point as _, PurchaseLimit};
use mortise_types::{Applied, BusinessLine, CustomerId, OrderId, Quantity, RequestedLine, Sku, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use returns::GiveBackInput;

/// Over what time a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// One order.
    Order,
    /// A calendar day of the shop.
    Day,
    /// A calendar week of the shop, from Monday.
    Week,
    /// A calendar month of the shop.
    Month,
    /// As long as the rule is valid.
    Always,
}

/// Units that an order counts against a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The rule.
    pub rule: String,
    /// When the period began in which they count.
    pub window_start: Timestamp,
    /// Units, over all lines of the order.
    pub quantity: Quantity,
}

/// A basket that wants to know whether it may be bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInput {
    /// Who buys.
    pub customer_id: CustomerId,
    /// What.
    #[schemars(length(max = 500))]
    pub lines: Vec<RequestedLine>,
}

/// What the basket counts against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckOutput {
    /// To be claimed with the order; empty where no limit counts over time.
    #[schemars(length(max = 500))]
    pub claims: Vec<Claim>,
}

/// More than a customer may buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitExceeded {
    /// The rule.
    pub rule: String,
    /// The item that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Sku")]
    pub sku: Option<Sku>,
    /// The group of items that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub item_group: Option<String>,
    /// Over what time it counts.
    pub period: Period,
    /// Units that a customer may buy.
    pub most: Quantity,
    /// Units bought already in this period.
    pub used: Quantity,
    /// Units in this order.
    pub wanted: Quantity,
    /// When the next period begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub resets_at: Option<Timestamp>,
}

/// What an extension does not let a customer buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseRefused {
    /// Why, for the customer.
    pub reason: String,
    /// The item that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Sku")]
    pub sku: Option<Sku>,
    /// The extension that objects, `name@version`.
    pub extension: String,
}

/// What an order counts, to be booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimInput {
    /// The order.
    pub order_id: OrderId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// As `purchase_limit.check` answered.
    #[schemars(length(max = 500))]
    pub claims: Vec<Claim>,
}

/// What was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimOutput {
    /// Rules against which the order counts.
    #[schemars(extend("x-unit" = "count"))]
    pub claimed: i64,
}

/// An order that counts already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlreadyClaimed {
    /// The order.
    pub order_id: OrderId,
}

/// Names the order whose claims are given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseInput {
    /// The order.
    pub order_id: OrderId,
}

/// What a release did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseOutput {
    /// Whether it gave something back.
    pub applied: Applied,
}

/// Whether a rule holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    /// It holds.
    #[default]
    Active,
    /// It holds no more; what was counted stays counted.
    Retired,
}

/// A limit for each customer: on one item, on a group of items, or, with neither, on everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleRow {
    /// Its id.
    pub rule: String,
    /// The item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Sku")]
    pub sku: Option<Sku>,
    /// The group of items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub item_group: Option<String>,
    /// Only in this business line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "BusinessLine")]
    pub business_line: Option<BusinessLine>,
    /// Over what time it counts.
    pub period: Period,
    /// Units that a customer may buy in that time.
    #[schemars(range(min = 0))]
    pub most: Quantity,
    /// It holds from this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub valid_from: Option<Timestamp>,
    /// It holds until just before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub valid_until: Option<Timestamp>,
    /// Whether it holds.
    #[serde(default)]
    pub state: RuleState,
}

/// Rules to add or to replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRulesInput {
    /// A row a rule; of several for one, the last holds.
    #[schemars(length(max = 10000))]
    pub rows: Vec<RuleRow>,
}

/// A rule that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleUnclear {
    /// The rule.
    pub rule: String,
    /// What is unclear.
    pub problem: String,
}

/// An item's membership in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemRow {
    /// The item.
    pub sku: Sku,
    /// A group that it is in.
    pub item_group: String,
}

/// Memberships to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportItemsInput {
    /// A row an item and group.
    #[schemars(length(max = 10000))]
    pub rows: Vec<ItemRow>,
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// Rows that were added or replaced.
    #[schemars(extend("x-unit" = "count"))]
    pub rows: i64,
}

pub(crate) fn declaration() -> Declaration {
    returns::declare(Declaration::new("purchase_limit"))
        .operation(
            Operation::read::<CheckInput, CheckOutput>(
                "check",
                "Whether a customer may buy this, and what it counts against.",
            )
            .opens(PurchaseLimit::NAME)
            .rejects::<LimitExceeded>("limit_exceeded")
            .rejects::<PurchaseRefused>("purchase_refused")
            .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            Operation::write::<ClaimInput, ClaimOutput>(
                "claim",
                "Counts an order against its customer's limits.",
            )
            .undo("purchase_limit.release", json!({"order_id": "${ input.order_id }"}))
            .rejects::<LimitExceeded>("limit_exceeded")
            .rejects::<AlreadyClaimed>("already_claimed"),
        )
        .operation(
            Operation::write::<ReleaseInput, ReleaseOutput>("release", "An order counts no more, once.")
                .nothing_to_undo(),
        )
        .operation(
            Operation::write::<ImportRulesInput, Imported>("import_rules", "Adds or replaces limits.")
                .nothing_to_undo()
                .rejects::<RuleUnclear>("rule_unclear"),
        )
        .operation(
            Operation::write::<ImportItemsInput, Imported>("import_items", "Puts items into groups.")
                .nothing_to_undo(),
        )
}
