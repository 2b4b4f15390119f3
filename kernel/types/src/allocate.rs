//! Spreading an amount over weights, so that the shares add up to it to the minor unit. Which share gets the residual
//! is a named rule that the caller's policy chooses: platforms differ, and a shop must keep the totals that it has.
//! With floors, see `spread_with_floors`.

mod equal;
mod floors;
mod shares;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use equal::first_shares;
pub use floors::{Overflow, Spread, SpreadPolicy, spread_with_floors};

use crate::{Amount, ArithmeticError};

/// How shares become whole minor units, and who carries what rounding leaves over. Every rule conserves the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/ResidualRule")]
pub enum ResidualRule {
    /// Each share is rounded to the nearest, ties toward zero; what is missing or too much is given or taken one minor
    /// unit each from the left, also where the weight is zero. As Sylius does.
    RoundThenFromLeft,
    /// Each share is rounded down (toward minus infinity); the units left over go to the largest fractions, ties to the
    /// earlier. As Vendure and moneyphp do.
    LargestRemainder,
    /// From the last to the first, each takes its part, cut toward zero, of what is then left; the first that has a
    /// weight takes the rest. As Solidus does.
    FirstTakesRest,
    /// Each share but the last is rounded to the nearest, ties to even; the last takes the rest, which may have the
    /// other sign when many shares round up. As Saleor does.
    LastTakesRest,
}

/// What happens when there is something to spread and all weights are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/ZeroWeights")]
pub enum ZeroWeights {
    /// Nobody gets anything: the one case in which the shares do not add up to the amount.
    Nothing,
    /// All get equal shares, by the same residual rule.
    Equal,
    /// It is an error.
    Refuse,
}

/// Why an amount cannot be spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// A weight is below zero; a share of it would have no meaning.
    #[error("weight {index} is negative")]
    NegativeWeight {
        /// Its position, from 0.
        index: usize,
    },
    /// All weights are zero, or there are none, and the policy refuses that (or has nobody to give equal shares to).
    #[error("all weights are zero")]
    AllWeightsZero,
    /// A reduction to be spread over floors is below zero.
    #[error("a reduction cannot be negative")]
    NegativeReduction,
    /// There are not as many floors as bases.
    #[error("{bases} bases have {floors} floors")]
    LengthsDiffer {
        /// How many bases.
        bases: usize,
        /// How many floors.
        floors: usize,
    },
    /// A figure does not fit.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
}

/// Spreads `amount` over `weights`; share `i` belongs to weight `i`. The shares add up to `amount` whatever its sign
/// and size, except under [`ZeroWeights::Nothing`] with nothing but zero weights. Spreading zero gives zeros.
pub fn spread(
    amount: Amount,
    weights: &[i64],
    rule: ResidualRule,
    zero_weights: ZeroWeights,
) -> Result<Vec<Amount>, AllocationError> {
    if let Some(index) = weights.iter().position(|&weight| weight < 0) {
        return Err(AllocationError::NegativeWeight { index });
    }
    if amount.is_zero() {
        return Ok(vec![Amount::ZERO; weights.len()]);
    }
    let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    let shares = match (total, zero_weights) {
        (1.., _) => shares::of(amount, weights, total, rule)?,
        (_, ZeroWeights::Nothing) => return Ok(vec![Amount::ZERO; weights.len()]),
        (_, ZeroWeights::Equal) if !weights.is_empty() => {
            let equal = vec![1_i64; weights.len()];
            shares::of(amount, &equal, weights.len() as i128, rule)?
        }
        (_, ZeroWeights::Equal | ZeroWeights::Refuse) => return Err(AllocationError::AllWeightsZero),
    };
    Ok(shares)
}
