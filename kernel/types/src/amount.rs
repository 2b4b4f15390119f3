//! An amount of money in minor units. It carries no currency (see `Money`), and no arithmetic of it can overflow
//! unseen: there are no operator traits, every sum is checked. No float anywhere.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Quantity;

/// Why an exact integer calculation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArithmeticError {
    /// The result does not fit 64 bits.
    #[error("the result is too large for a 64-bit integer")]
    Overflow,
    /// A division by zero, or a rate that would need one.
    #[error("division by zero")]
    DivisionByZero,
}

/// Money in minor units (cents for EUR, yen for JPY), of a currency that the context knows. Any `i64` is a valid amount;
/// reductions are negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(pub i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// The number of minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Whether this is exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether this is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// `self + other`.
    pub fn checked_add(self, other: Amount) -> Result<Amount, ArithmeticError> {
        self.0.checked_add(other.0).map(Amount).ok_or(ArithmeticError::Overflow)
    }

    /// `self - other`.
    pub fn checked_sub(self, other: Amount) -> Result<Amount, ArithmeticError> {
        self.0.checked_sub(other.0).map(Amount).ok_or(ArithmeticError::Overflow)
    }

    /// `-self`.
    pub fn checked_neg(self) -> Result<Amount, ArithmeticError> {
        self.0.checked_neg().map(Amount).ok_or(ArithmeticError::Overflow)
    }

    /// `self × quantity`, for an amount per single unit. Per-N prices extend through `Price`.
    pub fn checked_mul(self, quantity: Quantity) -> Result<Amount, ArithmeticError> {
        self.0.checked_mul(quantity.0).map(Amount).ok_or(ArithmeticError::Overflow)
    }

    /// The exact sum. It is worked out wide, so that only the result must fit and the order does not matter.
    pub fn sum(amounts: impl IntoIterator<Item = Amount>) -> Result<Amount, ArithmeticError> {
        let wide = amounts.into_iter().try_fold(0_i128, |sum, next| sum.checked_add(i128::from(next.0)));
        wide.and_then(|sum| i64::try_from(sum).ok()).map(Amount).ok_or(ArithmeticError::Overflow)
    }
}

/// The bare number of minor units: without a currency there is no place for a decimal point.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "x-unit": "money" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_refuses_to_wrap() {
        let (least, most) = (Amount(i64::MIN), Amount(i64::MAX));
        assert_eq!(most.checked_add(Amount(1)), Err(ArithmeticError::Overflow));
        assert_eq!(least.checked_sub(Amount(1)), Err(ArithmeticError::Overflow));
        assert_eq!(least.checked_neg(), Err(ArithmeticError::Overflow));
        assert_eq!(most.checked_mul(Quantity(2)), Err(ArithmeticError::Overflow));
        assert_eq!(Amount(7).checked_mul(Quantity(-3)), Ok(Amount(-21)));
    }

    #[test]
    fn only_the_total_of_a_sum_must_fit() {
        let (least, most) = (Amount(i64::MIN), Amount(i64::MAX));
        assert_eq!(Amount::sum([most, most, least, least]), Ok(Amount(-2)));
        assert_eq!(Amount::sum([most, Amount(1)]), Err(ArithmeticError::Overflow));
        assert_eq!(Amount::sum([]), Ok(Amount::ZERO));
    }

    #[test]
    fn json_is_an_integer_and_never_a_fraction() {
        assert_eq!(serde_json::to_string(&Amount(-1299)).unwrap(), "-1299");
        assert_eq!(serde_json::from_str::<Amount>("1299").unwrap(), Amount(1299));
        assert!(serde_json::from_str::<Amount>("12.99").is_err());
        assert!(serde_json::from_str::<Amount>("1299.0").is_err());
        assert!(serde_json::from_str::<Amount>("\"1299\"").is_err());
    }
}
