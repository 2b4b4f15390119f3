//! What a shop chooses about its limits, by scope.

use mortise_capability::Policy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A shop's choices about purchase limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PurchaseLimitPolicy {
    /// Days, weeks and months begin at midnight so many minutes ahead of UTC: 60 is UTC+1. At most 14 hours either way.
    #[schemars(range(min = -840, max = 840))]
    pub utc_offset_minutes: i64,
}

impl Policy for PurchaseLimitPolicy {
    const NAME: &'static str = "purchase_limit";
}
