//! The risk of an order that is to be paid at the door, as records with schemas.

use mortise_types::{Address, Amount, Currency, CustomerId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order that a customer wants to pay at the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessInput {
    /// Who buys.
    pub customer_id: CustomerId,
    /// What is to be collected, in minor units.
    #[schemars(range(min = 0))]
    pub amount: Amount,
    /// Of the amount.
    pub currency: Currency,
    /// Where.
    pub ship_to: Address,
}

/// What a score is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskReasonCode {
    /// The amount is above the shop's limit.
    OverLimit,
    /// The customer has refused parcels at the door.
    RefusedBefore,
    /// Nothing is known of the customer.
    Newcomer,
    /// The address has no house number or no city.
    IncompleteAddress,
    /// It is not possible in this country.
    Country,
    /// The customer has paid at the door.
    PaidBefore,
    /// An extension says so. Of it and the sum of the others, the higher counts.
    Extension,
}

/// One fact, and what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskReason {
    /// The fact.
    pub code: RiskReasonCode,
    /// Points; below zero, it speaks for the customer.
    #[schemars(extend("x-unit" = "count"))]
    pub points: i64,
    /// Which extension says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub extension: Option<String>,
    /// Why, in its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub detail: Option<String>,
}

/// A risk that the shop takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessed {
    /// 0 to 100.
    #[schemars(extend("x-unit" = "count"))]
    pub score: i64,
    /// What it is made of, the heaviest first.
    #[schemars(length(max = 20))]
    pub reasons: Vec<RiskReason>,
}

/// Detail of `too_risky`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct TooRisky {
    /// 0 to 100.
    #[schemars(extend("x-unit" = "count"))]
    pub(crate) score: i64,
    /// From which score on the shop refuses.
    #[schemars(extend("x-unit" = "count"))]
    pub(crate) refuse_from: i64,
    /// What the score is made of, the heaviest first.
    #[schemars(length(max = 20))]
    pub(crate) reasons: Vec<RiskReason>,
}
