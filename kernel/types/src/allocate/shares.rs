//! The residual rules themselves, one function each. They take weights that are not negative and have a sum above zero,
//! and do not ask what the amount is for.

use super::ResidualRule;
use crate::{Amount, ArithmeticError, Rounding};

/// The shares of `amount` by `weights`, whose sum is `total`, at least 1.
pub(super) fn of(
    amount: Amount,
    weights: &[i64],
    total: i128,
    rule: ResidualRule,
) -> Result<Vec<Amount>, ArithmeticError> {
    match rule {
        ResidualRule::RoundThenFromLeft => round_then_from_left(amount, weights, total),
        ResidualRule::LargestRemainder => largest_remainder(amount, weights, total),
        ResidualRule::FirstTakesRest => first_takes_rest(amount, weights, total),
        ResidualRule::LastTakesRest => last_takes_rest(amount, weights, total),
    }
}

/// `amount × weight`, exact: two 64-bit factors always fit 128 bits.
fn product(amount: Amount, weight: i64) -> i128 {
    i128::from(amount.minor()) * i128::from(weight)
}

fn rounded(
    amount: Amount,
    weights: &[i64],
    total: i128,
    rounding: Rounding,
) -> Result<Vec<Amount>, ArithmeticError> {
    weights.iter().map(|&weight| rounding.divide(product(amount, weight), total).map(Amount)).collect()
}

/// What `shares` leave of `amount`; wide, as shares that were rounded up may together be more than 64 bits hold.
fn residual(amount: Amount, shares: &[Amount]) -> i128 {
    i128::from(amount.minor()) - shares.iter().map(|share| i128::from(share.minor())).sum::<i128>()
}

fn round_then_from_left(
    amount: Amount,
    weights: &[i64],
    total: i128,
) -> Result<Vec<Amount>, ArithmeticError> {
    let mut shares = rounded(amount, weights, total, Rounding::HalfDown)?;
    let missing = residual(amount, &shares);
    // Each share is off by at most a half, so there are at least twice as many shares as units missing.
    let takers = usize::try_from(missing.unsigned_abs()).map_err(|_| ArithmeticError::Overflow)?;
    let unit = if missing < 0 { Amount(-1) } else { Amount(1) };
    for share in shares.iter_mut().take(takers) {
        *share = share.checked_add(unit)?;
    }
    Ok(shares)
}

fn largest_remainder(amount: Amount, weights: &[i64], total: i128) -> Result<Vec<Amount>, ArithmeticError> {
    let mut shares = rounded(amount, weights, total, Rounding::Floor)?;
    // Each share is off by less than one, so fewer units are left than there are shares with a fraction.
    let left = usize::try_from(residual(amount, &shares)).map_err(|_| ArithmeticError::Overflow)?;
    let fraction = |index: usize| product(amount, weights[index]).rem_euclid(total);
    let mut by_fraction: Vec<usize> = (0..weights.len()).collect();
    by_fraction.sort_by_key(|&index| (std::cmp::Reverse(fraction(index)), index));
    for index in by_fraction.into_iter().take(left) {
        shares[index] = shares[index].checked_add(Amount(1))?;
    }
    Ok(shares)
}

fn first_takes_rest(amount: Amount, weights: &[i64], total: i128) -> Result<Vec<Amount>, ArithmeticError> {
    let (mut amount_left, mut weight_left) = (amount, total);
    let mut shares = vec![Amount::ZERO; weights.len()];
    for (share, &weight) in shares.iter_mut().zip(weights).rev() {
        if weight_left > 0 {
            *share = Amount(Rounding::Down.divide(product(amount_left, weight), weight_left)?);
            amount_left = amount_left.checked_sub(*share)?;
            weight_left -= i128::from(weight);
        }
    }
    Ok(shares)
}

fn last_takes_rest(amount: Amount, weights: &[i64], total: i128) -> Result<Vec<Amount>, ArithmeticError> {
    let mut shares = rounded(amount, weights, total, Rounding::HalfEven)?;
    if let Some((last, others)) = shares.split_last_mut() {
        *last = i64::try_from(residual(amount, others)).map(Amount).map_err(|_| ArithmeticError::Overflow)?;
    }
    Ok(shares)
}
