//! What a shop chooses about payments, by scope.

use mortise_capability::Policy;
use mortise_types::{Amount, CountryCode};
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
    /// Who may pay at the door.
    pub risk: RiskPolicy,
}

/// How the risk of an order is scored that is to be paid at the door, from 0 to 100.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RiskPolicy {
    /// A score from here on is refused.
    #[schemars(range(min = 1, max = 101))]
    pub refuse_from: u8,
    /// An order above this amount, in minor units, is refused; without it, there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub amount_limit: Option<Amount>,
    /// For each parcel that the customer has refused at the door.
    pub points_per_refusal: u8,
    /// For a customer of whom nothing is known.
    pub points_newcomer: u8,
    /// For an address without a house number or a city.
    pub points_incomplete_address: u8,
    /// Taken off for each parcel that the customer has paid for at the door.
    pub relief_per_collection: u8,
    /// Where it is possible; empty for everywhere.
    #[schemars(length(max = 300))]
    pub countries: Vec<CountryCode>,
}

impl Default for RiskPolicy {
    fn default() -> RiskPolicy {
        RiskPolicy {
            refuse_from: 70,
            amount_limit: None,
            points_per_refusal: 35,
            points_newcomer: 10,
            points_incomplete_address: 25,
            relief_per_collection: 10,
            countries: Vec::new(),
        }
    }
}

impl Default for PaymentPolicy {
    fn default() -> PaymentPolicy {
        PaymentPolicy {
            capture: CaptureMethod::Automatic,
            request_expires_in_s: 3_600,
            risk: RiskPolicy::default(),
        }
    }
}

impl Policy for PaymentPolicy {
    const NAME: &'static str = "payment";
}
