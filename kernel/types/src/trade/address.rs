//! A postal address. It is as the customer gave it: no register of streets was asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CountryCode;

/// Where a parcel goes, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "delivery/Address")]
pub struct Address {
    /// The person or company.
    pub name: String,
    /// Street, house, floor: one to four lines, as printed on a label.
    #[schemars(length(min = 1, max = 4))]
    pub street: Vec<String>,
    /// City, town or village.
    pub city: String,
    /// Postal code; empty where a country has none.
    pub postal_code: String,
    /// State, province or prefecture, where the country uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2 code in upper case.
    pub country: CountryCode,
    /// For the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub phone: Option<String>,
    /// For notices of delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub email: Option<String>,
}
