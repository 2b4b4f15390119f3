//! The first shares of an amount that is spread over equal weights, without working out each: a line may have millions of
//! units (grams), and a return asks only what the first so many of them come to.

use super::ResidualRule;
use crate::{Amount, ArithmeticError, Rounding};

/// What the first `taken` of `of` equal shares of `amount` come to: the sum of that many of [`super::spread`]'s shares.
/// None of them is nothing, all of them are `amount`; what lies outside is cut to that.
///
/// # Errors
/// A sum beyond 64 bits, which only [`ResidualRule::LastTakesRest`] can reach, whose shares but the last may be too large.
pub fn first_shares(
    amount: Amount,
    taken: i64,
    of: i64,
    rule: ResidualRule,
) -> Result<Amount, ArithmeticError> {
    if taken <= 0 || of <= 0 {
        return Ok(Amount::ZERO);
    }
    if taken >= of {
        return Ok(amount);
    }
    let (total, taken, of) = (i128::from(amount.minor()), i128::from(taken), i128::from(of));
    let (each, residual) = match rule {
        ResidualRule::LargestRemainder => parts(total, of, Rounding::Floor)?,
        ResidualRule::RoundThenFromLeft => parts(total, of, Rounding::HalfDown)?,
        // Cut from the last to the first, equal shares leave the larger ones to the first.
        ResidualRule::FirstTakesRest => parts(total, of, Rounding::Down)?,
        // Only the last takes the rest, and it is not among those taken.
        ResidualRule::LastTakesRest => (parts(total, of, Rounding::HalfEven)?.0, 0),
    };
    let extra = taken.min(residual.abs()) * residual.signum();
    i64::try_from(each * taken + extra).map(Amount).map_err(|_| ArithmeticError::Overflow)
}

/// An equal share, rounded, and what rounding leaves over: one minor unit each for as many of the first.
fn parts(total: i128, of: i128, rounding: Rounding) -> Result<(i128, i128), ArithmeticError> {
    let each = i128::from(rounding.divide(total, of)?);
    Ok((each, total - each * of))
}
