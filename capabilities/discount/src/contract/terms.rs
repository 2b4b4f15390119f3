//! What `terms` takes and answers.

use mortise_types::{PriceProof, PromotionTerms};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order's price, to ask what its promotions asked for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermsInput {
    /// How its price came about.
    pub(crate) proof: PriceProof,
}

/// What the promotions of an order asked for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermsOutput {
    /// Of those that stand as they stood then.
    #[schemars(length(max = 200))]
    pub(crate) terms: Vec<PromotionTerms>,
}
