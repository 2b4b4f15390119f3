//! What `grant_for_deposit` takes and answers.

use mortise_types::{Amount, PriceProof, RateBp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order of which a part is paid early.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantForDepositInput {
    /// The order with its discounts, before taxes.
    pub(crate) proof: PriceProof,
    /// Whose terms they are: the source of the adjustment.
    pub(crate) source: String,
    /// Of the terms.
    pub(crate) version: String,
    /// The part of what the goods cost that is paid early: 1000 is a tenth.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) deposit_bp: RateBp,
    /// What it counts for: 10000 is what was paid, 20000 is double.
    #[serde(default = "once")]
    #[schemars(range(min = 10_000, max = 100_000))]
    pub(crate) counts_bp: RateBp,
}

const fn once() -> RateBp {
    RateBp(10_000)
}

/// The order with what is granted for its deposit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantedForDeposit {
    /// What the deposit counts for beyond itself stands in it as adjustments of the lane `deposit`.
    pub(crate) proof: PriceProof,
    /// What is paid early, in minor units; at least 1.
    pub(crate) deposit: Amount,
    /// What it counts for beyond itself: what the order costs less.
    pub(crate) granted: Amount,
}

/// A deposit that leaves nothing to pay.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepositCoversPrice {
    /// What is paid early.
    pub(crate) deposit: Amount,
    /// What it counts for.
    pub(crate) counts_for: Amount,
    /// What the goods cost.
    pub(crate) goods: Amount,
}
