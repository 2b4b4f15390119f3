//! What tax takes and answers, as records with schemas. How a tax is reckoned is not here: see `rules`.

use mortise_capability::import::{ROW_REFUSED, RowRefused, Rows};
use mortise_contract::{Declaration, Operation};
use mortise_types::{Address, Amount, CountryCode, PriceProof, RateBp, Sku, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rejection: no tax is known for a place or an item, and the policy is to refuse then.
pub(crate) const TAX_UNKNOWN: &str = "tax_unknown";

/// An order to tax.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssessInput {
    /// Its price with all discounts, before taxes.
    pub(crate) proof: PriceProof,
    /// Where it goes: country and region decide.
    pub(crate) ship_to: Address,
}

/// The order with its taxes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssessOutput {
    /// Each line and fee names its taxes; those that come on top stand among the adjustments too.
    pub(crate) proof: PriceProof,
    /// What the customer pays, taxes included.
    pub(crate) payable: Amount,
}

/// No tax is known.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaxUnknown {
    /// Where it goes.
    pub(crate) country: CountryCode,
    /// The region that the address names; empty for none.
    pub(crate) region: String,
    /// The tax class for which there is no rate.
    pub(crate) tax_class: String,
    /// The line or fee.
    pub(crate) place: String,
}

/// A tax.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateRow {
    /// Where it falls due.
    pub(crate) country: CountryCode,
    /// The region as addresses write it; left out, the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) region: Option<String>,
    /// The class of items; left out, `standard`.
    #[serde(default = "standard")]
    pub(crate) tax_class: String,
    /// The tax, such as `vat`.
    pub(crate) code: String,
    /// Its rate; 0 is a rate.
    #[schemars(range(min = 0, max = 100_000))]
    pub(crate) rate_bp: RateBp,
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

/// The class that a row is of when it names none.
pub(crate) fn standard() -> String {
    "standard".to_owned()
}

/// Taxes to store. A tax of the same code, place, class and beginning is replaced.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportRatesInput {
    /// The taxes.
    #[schemars(length(max = 10_000))]
    pub(crate) rows: Vec<RateRow>,
}

/// The tax class of an item.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemRow {
    /// The item.
    pub(crate) sku: Sku,
    /// Its class.
    pub(crate) tax_class: String,
    /// The business line: left out, the line of the call; `*`, all lines of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) line: Option<String>,
}

/// Classes to store.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportItemsInput {
    /// An item has one class in a line.
    #[schemars(length(max = 10_000))]
    pub(crate) rows: Vec<ItemRow>,
}

/// Which taxes to show.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatesInput {
    /// Where.
    pub(crate) country: CountryCode,
    /// The region as addresses write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) region: Option<String>,
}

/// A tax that holds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownRate {
    /// The class of items.
    pub(crate) tax_class: String,
    /// The tax.
    pub(crate) code: String,
    /// Its rate.
    pub(crate) rate_bp: RateBp,
    /// The region that it is of; empty for the whole country.
    pub(crate) region: String,
}

/// The taxes that hold at a place now.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatesOutput {
    /// By class and code.
    #[schemars(length(max = 1_000))]
    pub(crate) rates: Vec<ShownRate>,
    /// The policy by which they are chosen and reckoned.
    pub(crate) policy_version: String,
}

pub(crate) fn declaration() -> Declaration {
    Declaration::new("tax")
        .operation(
            Operation::read::<AssessInput, AssessOutput>("assess", "The taxes in or on every line and fee.")
                .rejects::<TaxUnknown>(TAX_UNKNOWN),
        )
        .operation(
            Operation::read::<RatesInput, RatesOutput>("rates", "The taxes that hold at a place now.")
                .may_lag(2_000),
        )
        .operation(
            Operation::write::<ImportRatesInput, Rows>("import_rates", "Stores taxes by place and class.")
                .nothing_to_undo()
                .rejects::<RowRefused>(ROW_REFUSED),
        )
        .operation(
            Operation::write::<ImportItemsInput, Rows>("import_items", "Stores the tax classes of items.")
                .nothing_to_undo()
                .rejects::<RowRefused>(ROW_REFUSED),
        )
}
