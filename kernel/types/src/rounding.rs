//! How an exact quotient becomes an integer, and at which level that happens. Both are named policies that an order
//! stores; nothing here chooses for a shop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ArithmeticError;

/// How a quotient that is not whole becomes one. "Half" modes round to the nearer integer and differ on exact ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/Rounding")]
pub enum Rounding {
    /// To the nearest, ties away from zero: 0.5 becomes 1, -0.5 becomes -1. Commercial rounding.
    HalfUp,
    /// To the nearest, ties to the even neighbour: 0.5 becomes 0, 1.5 becomes 2. Banker's rounding.
    HalfEven,
    /// To the nearest, ties toward zero: 0.5 becomes 0, -0.5 becomes 0.
    HalfDown,
    /// Toward zero: cuts the fraction off.
    Down,
    /// Away from zero.
    Up,
    /// Toward minus infinity.
    Floor,
    /// Toward plus infinity.
    Ceiling,
}

/// Where rounding happens when a rate is applied to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/RoundingLevel")]
pub enum RoundingLevel {
    /// Each single unit is rounded, then multiplied by the quantity.
    Unit,
    /// Each line is rounded once.
    Line,
    /// The order is rounded once, and the result is spread over its lines.
    Order,
}

impl Rounding {
    /// `numerator / denominator`, exact and then rounded. Neither overflows on the way, whatever the inputs.
    pub fn divide(self, numerator: i128, denominator: i128) -> Result<i64, ArithmeticError> {
        if denominator == 0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        // Fails only for i128::MIN / -1, which is far beyond 64 bits.
        let truncated = numerator.checked_div(denominator).ok_or(ArithmeticError::Overflow)?;
        let remainder = numerator.checked_rem(denominator).ok_or(ArithmeticError::Overflow)?;
        let away = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
        let rounded = if remainder != 0 && self.leaves_zero(truncated, remainder, denominator, away) {
            truncated.checked_add(away).ok_or(ArithmeticError::Overflow)?
        } else {
            truncated
        };
        i64::try_from(rounded).map_err(|_| ArithmeticError::Overflow)
    }

    /// Whether a quotient with a fraction goes to the neighbour away from zero instead of the one toward it.
    fn leaves_zero(self, truncated: i128, remainder: i128, denominator: i128, away: i128) -> bool {
        // |remainder| < |denominator|, so the other part of the unit is known without doubling anything.
        let part = remainder.unsigned_abs();
        let rest = denominator.unsigned_abs() - part;
        match self {
            Rounding::HalfUp => part >= rest,
            Rounding::HalfDown => part > rest,
            Rounding::HalfEven => part > rest || (part == rest && truncated % 2 != 0),
            Rounding::Down => false,
            Rounding::Up => true,
            Rounding::Floor => away < 0,
            Rounding::Ceiling => away > 0,
        }
    }
}
