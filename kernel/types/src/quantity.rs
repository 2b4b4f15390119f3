//! A number of units of an item. It is not money and not a count of rows, and the checker keeps them apart.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::ArithmeticError;

/// Units of an item, in the smallest unit that the item is sold in (pieces, or grams for weighed goods). Changes of
/// stock are negative quantities; where only positive ones make sense, the contract says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(pub i64);

impl Quantity {
    /// None.
    pub const ZERO: Quantity = Quantity(0);
    /// One.
    pub const ONE: Quantity = Quantity(1);

    /// The number of units.
    #[must_use]
    pub const fn units(self) -> i64 {
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
    pub fn checked_add(self, other: Quantity) -> Result<Quantity, ArithmeticError> {
        self.0.checked_add(other.0).map(Quantity).ok_or(ArithmeticError::Overflow)
    }

    /// `self - other`.
    pub fn checked_sub(self, other: Quantity) -> Result<Quantity, ArithmeticError> {
        self.0.checked_sub(other.0).map(Quantity).ok_or(ArithmeticError::Overflow)
    }

    /// `-self`.
    pub fn checked_neg(self) -> Result<Quantity, ArithmeticError> {
        self.0.checked_neg().map(Quantity).ok_or(ArithmeticError::Overflow)
    }

    /// The exact sum. It is worked out wide, so that only the result must fit and the order does not matter.
    pub fn sum(quantities: impl IntoIterator<Item = Quantity>) -> Result<Quantity, ArithmeticError> {
        let wide = quantities.into_iter().try_fold(0_i128, |sum, next| sum.checked_add(i128::from(next.0)));
        wide.and_then(|sum| i64::try_from(sum).ok()).map(Quantity).ok_or(ArithmeticError::Overflow)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "x-unit": "quantity" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_refuses_to_wrap() {
        assert_eq!(Quantity(i64::MAX).checked_add(Quantity::ONE), Err(ArithmeticError::Overflow));
        assert_eq!(Quantity(i64::MIN).checked_sub(Quantity::ONE), Err(ArithmeticError::Overflow));
        assert_eq!(Quantity(i64::MIN).checked_neg(), Err(ArithmeticError::Overflow));
        assert_eq!(Quantity::sum([Quantity(i64::MAX), Quantity(1), Quantity(-1)]), Ok(Quantity(i64::MAX)));
    }
}
