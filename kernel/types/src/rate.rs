//! Rates in basis points: 1,900 is 19%. They apply to amounts exactly, and round once, by the mode that the caller names.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Amount, ArithmeticError, Rounding};

/// Basis points in one whole.
const WHOLE_BP: i128 = 10_000;

/// A rate in basis points, hundredths of a percent: 725 is 7.25%.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RateBp(pub i64);

/// What is rounded when tax is taken out of an amount that contains it; the other part is the difference, so that both
/// always add up to the gross amount. Platforms differ, and by a cent an order this shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "tax/IncludedTax")]
pub enum IncludedTax {
    /// tax = round(gross × rate / (1 + rate)); net is the rest. As Sylius and Solidus do.
    RoundTheTax,
    /// net = round(gross / (1 + rate)); tax is the rest. As Vendure and Saleor do.
    RoundTheNet,
}

impl RateBp {
    /// 0%.
    pub const ZERO: RateBp = RateBp(0);

    /// The number of basis points.
    #[must_use]
    pub const fn basis_points(self) -> i64 {
        self.0
    }

    /// `amount × rate`, rounded once.
    pub fn of(self, amount: Amount, rounding: Rounding) -> Result<Amount, ArithmeticError> {
        rounding.divide(i128::from(amount.0) * i128::from(self.0), WHOLE_BP).map(Amount)
    }

    /// The tax at this rate that `gross` already contains. A rate of -100% or below has no such part.
    pub fn part_of_gross(
        self,
        gross: Amount,
        what: IncludedTax,
        rounding: Rounding,
    ) -> Result<Amount, ArithmeticError> {
        let with_rate = WHOLE_BP + i128::from(self.0);
        if with_rate <= 0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        let gross_wide = i128::from(gross.0);
        match what {
            IncludedTax::RoundTheTax => {
                rounding.divide(gross_wide * i128::from(self.0), with_rate).map(Amount)
            }
            IncludedTax::RoundTheNet => {
                let net = rounding.divide(gross_wide * WHOLE_BP, with_rate)?;
                gross.checked_sub(Amount(net))
            }
        }
    }

    /// `self + other`: several taxes on one base as one summed rate.
    pub fn checked_add(self, other: RateBp) -> Result<RateBp, ArithmeticError> {
        self.0.checked_add(other.0).map(RateBp).ok_or(ArithmeticError::Overflow)
    }
}

/// As a percentage, without needless zeros: `19%`, `7.25%`, `-0.5%`.
impl fmt::Display for RateBp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        match (part, part % 10) {
            (0, _) => write!(f, "{sign}{whole}%"),
            (_, 0) => write!(f, "{sign}{whole}.{}%", part / 10),
            _ => write!(f, "{sign}{whole}.{part:02}%"),
        }
    }
}

impl JsonSchema for RateBp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "rate_bp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "x-unit": "rate_bp" })
    }
}
