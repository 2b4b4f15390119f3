//! What a shop chooses about payments, by scope.

use mortise_capability::Policy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a provider moves the money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    /// When the customer pays.
    #[default]
    Automatic,
    /// When the flow calls `payment.capture`; until then the money is authorised.
    Manual,
}

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentPolicy {
    /// When a provider moves the money.
    pub capture: CaptureMethod,
    /// How long a customer has to pay where the flow does not say, in seconds.
    pub request_expires_in_s: u32,
}

impl Default for PaymentPolicy {
    fn default() -> PaymentPolicy {
        PaymentPolicy { capture: CaptureMethod::Automatic, request_expires_in_s: 3_600 }
    }
}

impl Policy for PaymentPolicy {
    const NAME: &'static str = "payment";
}
