//! A price is an amount for a number of units: "3 for 5.00" is 500 per 3. Extending it over a quantity is exact until
//! the one rounding that the caller names.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{Amount, ArithmeticError, Quantity, Rounding};

/// Why a price is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// `per` was zero or negative.
    #[error("a price is for at least one unit, not for {0}")]
    PerTooSmall(Quantity),
}

/// `amount` for every `per` units. `per` is at least 1. Equality is of the two numbers as written: 200 per 2 and 100 per
/// 1 cost the same but are two prices; see [`Price::compare_value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawPrice", into = "RawPrice")]
pub struct Price {
    amount: Amount,
    per: Quantity,
}

/// An amount for a number of units: 500 per 3 is "3 for 5.00".
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "pricing/Price")]
struct RawPrice {
    /// What `per` units cost together, in minor units.
    amount: Amount,
    /// For how many units the amount is; at least 1.
    #[schemars(range(min = 1))]
    per: Quantity,
}

impl Price {
    /// `amount` for every `per` units.
    pub const fn new(amount: Amount, per: Quantity) -> Result<Price, PriceError> {
        if per.0 < 1 { Err(PriceError::PerTooSmall(per)) } else { Ok(Price { amount, per }) }
    }

    /// `amount` for each single unit.
    #[must_use]
    pub const fn each(amount: Amount) -> Price {
        Price { amount, per: Quantity::ONE }
    }

    /// What [`Price::per`] units cost together.
    #[must_use]
    pub const fn amount(self) -> Amount {
        self.amount
    }

    /// For how many units the amount is; at least 1.
    #[must_use]
    pub const fn per(self) -> Quantity {
        self.per
    }

    /// What `quantity` units cost: `amount × quantity / per`, rounded once.
    pub fn extend(self, quantity: Quantity, rounding: Rounding) -> Result<Amount, ArithmeticError> {
        let exact_times_per = i128::from(self.amount.0) * i128::from(quantity.0);
        rounding.divide(exact_times_per, i128::from(self.per.0)).map(Amount)
    }

    /// What one unit costs, rounded: for display, and for policies that round per unit.
    pub fn unit_amount(self, rounding: Rounding) -> Result<Amount, ArithmeticError> {
        self.extend(Quantity::ONE, rounding)
    }

    /// Compares what one unit costs, exactly, without dividing.
    #[must_use]
    pub fn compare_value(self, other: Price) -> Ordering {
        let ours = i128::from(self.amount.0) * i128::from(other.per.0);
        let theirs = i128::from(other.amount.0) * i128::from(self.per.0);
        ours.cmp(&theirs)
    }
}

/// Minor units, and the number of units unless it is one: `199`, `500 per 3`.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.per == Quantity::ONE {
            write!(f, "{}", self.amount)
        } else {
            write!(f, "{} per {}", self.amount, self.per)
        }
    }
}

impl TryFrom<RawPrice> for Price {
    type Error = PriceError;

    fn try_from(raw: RawPrice) -> Result<Price, PriceError> {
        Price::new(raw.amount, raw.per)
    }
}

impl From<Price> for RawPrice {
    fn from(price: Price) -> RawPrice {
        RawPrice { amount: price.amount, per: price.per }
    }
}

impl JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        RawPrice::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RawPrice::json_schema(generator)
    }
}
