//! The price proof: the adjustments, each with its source, that lead exactly from list price to payable amount. It is
//! stored with the order and can be checked by anyone, without asking the rules that made it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Amount, FeeId, LineId, LocationId, ParcelId, Price, Quantity, RateBp, Sku};

/// What kind of rule changed an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/AdjustmentKind")]
pub enum AdjustmentKind {
    /// A price list other than the one of list prices won, such as a customer group's.
    PriceList,
    /// An extension answered.
    Extension,
    /// A promotion that applies by itself.
    Promotion,
    /// A promotion that a coupon code opened.
    Coupon,
    /// Tax that comes on top of the price.
    TaxAdded,
    /// Tax that the price contained and this customer does not owe.
    TaxRemoved,
    /// Rounding of a total to what can be paid.
    Rounding,
}

/// One change of an amount, and who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "pricing/Adjustment")]
pub struct Adjustment {
    /// What kind of rule it was.
    pub kind: AdjustmentKind,
    /// Which one: the id of the promotion, price list, extension or tax.
    pub source: String,
    /// Its version.
    pub version: String,
    /// The lane of discounts in which it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub lane: Option<String>,
    /// The change; reductions are negative.
    pub amount: Amount,
    /// Why, in words for the customer or the shop's staff.
    pub reason: String,
}

/// Whether tax is in the price or comes on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "tax/TaxTreatment")]
pub enum TaxTreatment {
    /// The payable amount contains it; it changes nothing.
    Included,
    /// It comes on top, as adjustments of kind `tax_added`.
    Added,
}

/// One tax on a line or fee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "tax/TaxPart")]
pub struct TaxPart {
    /// The tax, such as `vat` or `us-ny-city`.
    pub code: String,
    /// Its rate.
    pub rate_bp: RateBp,
    /// The net amount that it is on, without this tax.
    pub base: Amount,
    /// The tax.
    pub tax: Amount,
    /// Whether it is in the price or comes on top.
    pub treatment: TaxTreatment,
}

/// The proof of a line: `list` and the adjustments add up to `payable`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "pricing/ProofLine")]
pub struct ProofLine {
    /// The requested line.
    pub line_id: LineId,
    /// The item.
    pub sku: Sku,
    /// How many units; at least 1.
    #[schemars(range(min = 1))]
    pub quantity: Quantity,
    /// The place whose price it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub location: Option<LocationId>,
    /// The list price.
    pub list_price: Price,
    /// The list price over the quantity, rounded.
    pub list: Amount,
    /// What changed it, in the order in which it was decided.
    #[schemars(length(max = 200))]
    pub adjustments: Vec<Adjustment>,
    /// The taxes in or on it.
    #[schemars(length(max = 20))]
    pub taxes: Vec<TaxPart>,
    /// What the customer pays for this line, taxes included.
    pub payable: Amount,
}

/// What a fee is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/FeeKind")]
pub enum FeeKind {
    /// Bringing a parcel.
    Delivery,
    /// Work on the order, such as wrapping or a small-order surcharge.
    Handling,
    /// A way to pay that costs extra.
    Payment,
}

/// The proof of a fee: `list` and the adjustments add up to `payable`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "pricing/ProofFee")]
pub struct ProofFee {
    /// The fee, within its order.
    pub fee_id: FeeId,
    /// What it is for.
    pub kind: FeeKind,
    /// The parcel that it is for, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ParcelId")]
    pub parcel_id: Option<ParcelId>,
    /// The fee before adjustments.
    pub list: Amount,
    /// What changed it, in the order in which it was decided.
    #[schemars(length(max = 200))]
    pub adjustments: Vec<Adjustment>,
    /// The taxes in or on it.
    #[schemars(length(max = 20))]
    pub taxes: Vec<TaxPart>,
    /// What the customer pays for it, taxes included.
    pub payable: Amount,
}

/// The proof of an order's price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "pricing/PriceProof")]
pub struct PriceProof {
    /// The version of the shop's policies (rounding, residuals, stacking) by which it was worked out.
    pub policy_version: String,
    /// The lines, in the order of the request.
    #[schemars(length(max = 500))]
    pub lines: Vec<ProofLine>,
    /// The fees.
    #[schemars(length(max = 100))]
    pub fees: Vec<ProofFee>,
    /// What the customer pays: the sum over lines and fees.
    pub payable: Amount,
    /// The taxes in that: the sum over lines and fees.
    pub tax: Amount,
}
