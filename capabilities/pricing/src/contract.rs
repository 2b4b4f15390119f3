//! What pricing takes and answers, as records with schemas. Which price wins is not here: see `rules`.

use mortise_asking::{EXTENSION_REFUSED, ExtensionRefused};
use mortise_capability::import::{ROW_REFUSED, RowRefused, Rows};
use mortise_contract::{Declaration, Operation};
use mortise_points::{Point as _, UnitPrice};
use mortise_types::{
    Amount, Currency, CustomerId, LocationId, Price, ProofLine, Quantity, RequestedLine, Sku, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rejection: an item has no price here.
pub(crate) const PRICE_MISSING: &str = "price_missing";

/// What to quote.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteInput {
    /// The lines, at least one.
    #[schemars(length(min = 1, max = 500))]
    pub(crate) lines: Vec<RequestedLine>,
    /// Of all prices.
    pub(crate) currency: Currency,
    /// Who buys: the group is looked up by it where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub(crate) customer_id: Option<CustomerId>,
    /// The group whose prices hold; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) customer_group: Option<String>,
}

/// A quote.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteOutput {
    /// One for each requested line, in their order. The first adjustment names the winning price list and why it won.
    #[schemars(length(max = 500))]
    pub(crate) lines: Vec<ProofLine>,
    /// The group whose prices were used; empty for none.
    pub(crate) customer_group: String,
}

/// An item without a price.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceMissing {
    /// The item.
    pub(crate) sku: Sku,
    /// The place that the line named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub(crate) location: Option<LocationId>,
    /// The currency that was asked for.
    pub(crate) currency: Currency,
}

/// What an entry is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// A price.
    #[default]
    Price,
    /// No price offered by an extension goes below it.
    Floor,
    /// No price offered by an extension goes above it.
    Ceiling,
}

/// An entry of a price list. What is left out, or `*`, stands for any.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The list's id, such as `shelf`.
    pub(crate) price_list: String,
    /// The item.
    pub(crate) sku: Sku,
    /// Of the amount.
    pub(crate) currency: Currency,
    /// What `per` units cost together; 0 is a price.
    #[schemars(range(min = 0))]
    pub(crate) amount: Amount,
    /// For how many units the amount is.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub(crate) per: Quantity,
    /// The place where it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) location: Option<String>,
    /// The customers for whom it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) customer_group: Option<String>,
    /// The channel in which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) channel: Option<String>,
    /// The business line: left out, the line of the call; `*`, all lines of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) line: Option<String>,
    /// A tier: it holds for a line of at least so many units.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub(crate) min_quantity: Quantity,
    /// Its first moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) valid_from: Option<Timestamp>,
    /// The first moment at which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) valid_until: Option<Timestamp>,
    /// Among equally specific entries the higher wins.
    #[serde(default)]
    pub(crate) priority: i64,
    /// A price, or a bound on what extensions offer.
    #[serde(default)]
    pub(crate) role: Role,
}

const fn one() -> Quantity {
    Quantity::ONE
}

/// Entries to store. An entry with the same list, item, place, group, channel, tier and beginning is replaced.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportEntriesInput {
    /// In the order of location, item, beginning it is fastest.
    #[schemars(length(max = 10_000))]
    pub(crate) rows: Vec<Entry>,
}

/// A stored entry, by its key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveEntriesInput {
    /// Entries as they were imported; amount, per, end and priority don't matter.
    #[schemars(length(max = 10_000))]
    pub(crate) rows: Vec<Entry>,
}

/// A customer's group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// The customer.
    pub(crate) customer_id: CustomerId,
    /// The group; left out, the customer is in none from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) customer_group: Option<String>,
    /// The business line: left out, the line of the call; `*`, all lines in which no other group is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) line: Option<String>,
}

/// Memberships to store.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportMembersInput {
    /// A customer is in one group for each business line.
    #[schemars(length(max = 10_000))]
    pub(crate) rows: Vec<Member>,
}

/// Which item to explain.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainInput {
    /// The item.
    pub(crate) sku: Sku,
    /// Of all prices.
    pub(crate) currency: Currency,
    /// How many units.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub(crate) quantity: Quantity,
    /// The place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub(crate) location: Option<LocationId>,
    /// The group whose prices hold; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) customer_group: Option<String>,
    /// The moment; left out, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub(crate) at: Option<Timestamp>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Its price holds.
    Wins,
    /// It is the list price from which the winner is reckoned.
    Base,
    /// It would hold, and another comes before it.
    Outranked,
    /// It is for another channel, or for more units.
    DoesNotApply,
    /// It bounds what extensions may offer.
    Bound,
}

/// An entry and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explained {
    /// The list's id.
    pub(crate) price_list: String,
    /// The price.
    pub(crate) price: Price,
    /// Where and for whom it holds.
    pub(crate) holds: String,
    /// Its priority.
    pub(crate) priority: i64,
    /// What became of it.
    pub(crate) verdict: Verdict,
}

/// All entries of an item that hold at a moment, the winner first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainOutput {
    /// In the order of their rank; bounds and what does not apply come last.
    #[schemars(length(max = 1000))]
    pub(crate) entries: Vec<Explained>,
    /// The policy by which they were ranked.
    pub(crate) policy_version: String,
}

pub(crate) fn declaration() -> Declaration {
    Declaration::new("pricing")
        .operation(
            Operation::read::<QuoteInput, QuoteOutput>(
                "quote",
                "What each line costs before discounts and taxes.",
            )
            .opens(UnitPrice::NAME)
            .rejects::<PriceMissing>(PRICE_MISSING)
            .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            Operation::read::<ExplainInput, ExplainOutput>(
                "explain",
                "Every entry of an item that holds at a moment, and which one wins.",
            )
            .may_lag(2_000),
        )
        .operation(
            Operation::write::<ImportEntriesInput, Rows>("import_entries", "Stores entries of price lists.")
                .nothing_to_undo()
                .rejects::<RowRefused>(ROW_REFUSED),
        )
        .operation(
            Operation::write::<RemoveEntriesInput, Rows>("remove_entries", "Removes entries of price lists.")
                .nothing_to_undo()
                .rejects::<RowRefused>(ROW_REFUSED),
        )
        .operation(
            Operation::write::<ImportMembersInput, Rows>(
                "import_members",
                "Puts customers into customer groups.",
            )
            .nothing_to_undo()
            .rejects::<RowRefused>(ROW_REFUSED),
        )
}
