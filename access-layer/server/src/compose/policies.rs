//! What a business line chooses that belongs to no capability.

use mortise_capability::Policy;
use mortise_types::Currency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a business line is by itself.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LinePolicy {
    /// The currency of amounts that nothing nearer says the currency of.
    pub(crate) currency: Currency,
}

impl Default for LinePolicy {
    fn default() -> Self {
        Self { currency: Currency::new("EUR").expect("a currency of ISO 4217") }
    }
}

impl Policy for LinePolicy {
    const NAME: &'static str = "line";
}
