//! Which taxes are on a line or fee, and how much each is: by rate, by level, by what is rounded. Pure: rates and classes
//! are given. Amounts are before taxes on top, and contain the taxes that are included.

use std::collections::BTreeMap;

use mortise_types::allocate::{AllocationError, ZeroWeights, spread};
use mortise_types::{
    Amount, ArithmeticError, IncludedTax, Quantity, RateBp, RoundingLevel, TaxPart, TaxTreatment, Timestamp,
};

use crate::policy::{Regions, Several, TaxPolicy};

/// Basis points in one whole.
const WHOLE_BP: i128 = 10_000;

/// A tax that holds now at the place. Empty texts stand for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) line: String,
    pub(crate) region: String,
    pub(crate) tax_class: String,
    pub(crate) code: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) rate_bp: RateBp,
}

/// A line or a fee: what is taxed.
#[derive(Debug, Clone)]
pub(crate) struct Part<'r> {
    pub(crate) amount: Amount,
    /// A fee is one unit.
    pub(crate) quantity: Quantity,
    /// By `taxes_of`.
    pub(crate) taxes: Vec<&'r Rate>,
}

/// The taxes of a class: one a code, those of the country first. A region's comes before its country's, a line's before
/// one for all lines, the later beginning before the earlier.
pub(crate) fn taxes_of<'r>(rates: &'r [Rate], class: &str, policy: &TaxPolicy) -> Vec<&'r Rate> {
    let of_class = || rates.iter().filter(|rate| rate.tax_class == class);
    let regional = policy.regions == Regions::Replace && of_class().any(|rate| !rate.region.is_empty());
    let mut by_code: BTreeMap<&str, &Rate> = BTreeMap::new();
    let precedence = |rate: &Rate| (!rate.region.is_empty(), !rate.line.is_empty(), rate.valid_from);
    for rate in of_class().filter(|rate| !regional || !rate.region.is_empty()) {
        let kept = by_code.entry(&rate.code).or_insert(rate);
        if precedence(kept) < precedence(rate) {
            *kept = rate;
        }
    }
    let mut taxes: Vec<&Rate> = by_code.into_values().collect();
    taxes.sort_by_key(|rate| !rate.region.is_empty());
    taxes
}

/// The taxes of every part, in the order of its rates.
pub(crate) fn assess(parts: &[Part<'_>], policy: &TaxPolicy) -> Result<Vec<Vec<TaxPart>>, AllocationError> {
    let amounts = match policy.level {
        RoundingLevel::Unit => each(parts, |part| amounts_by_unit(part, policy))?,
        RoundingLevel::Line => each(parts, |part| amounts_of(part.amount, 1, &rates(part), policy))?,
        RoundingLevel::Order => amounts_by_order(parts, policy)?,
    };
    let described = |(part, taxes): (&Part<'_>, Vec<Amount>)| {
        let base = match policy.treatment {
            TaxTreatment::Added => part.amount,
            TaxTreatment::Included => part.amount.checked_sub(Amount::sum(taxes.iter().copied())?)?,
        };
        let tax_part = |(rate, tax): (&&Rate, Amount)| TaxPart {
            code: rate.code.clone(),
            rate_bp: rate.rate_bp,
            base,
            tax,
            treatment: policy.treatment,
        };
        Ok(part.taxes.iter().zip(taxes).map(tax_part).collect())
    };
    parts.iter().zip(amounts).map(described).collect()
}

fn rates(part: &Part<'_>) -> Vec<RateBp> {
    part.taxes.iter().map(|rate| rate.rate_bp).collect()
}

fn each(
    parts: &[Part<'_>],
    amounts: impl Fn(&Part<'_>) -> Result<Vec<Amount>, AllocationError>,
) -> Result<Vec<Vec<Amount>>, AllocationError> {
    parts.iter().map(amounts).collect()
}

fn amounts_by_unit(part: &Part<'_>, policy: &TaxPolicy) -> Result<Vec<Amount>, AllocationError> {
    let of_unit = amounts_of(part.amount, part.quantity.units().max(1), &rates(part), policy)?;
    Ok(of_unit.into_iter().map(|tax| tax.checked_mul(part.quantity)).collect::<Result<_, _>>()?)
}

/// The taxes at `rates` on the `units`-th part of `amount`, each rounded once, or their sum.
fn amounts_of(
    amount: Amount,
    units: i64,
    rates: &[RateBp],
    policy: &TaxPolicy,
) -> Result<Vec<Amount>, AllocationError> {
    let sum: i128 = rates.iter().map(|rate| i128::from(rate.basis_points())).sum();
    let whole = match policy.treatment {
        TaxTreatment::Added => WHOLE_BP,
        TaxTreatment::Included => WHOLE_BP + sum,
    };
    let denominator = whole.checked_mul(i128::from(units)).ok_or(ArithmeticError::Overflow)?;
    let part = |bp: i128| {
        let numerator = i128::from(amount.minor()).checked_mul(bp).ok_or(ArithmeticError::Overflow)?;
        policy.rounding.divide(numerator, denominator).map(Amount)
    };
    let round_net = policy.treatment == TaxTreatment::Included && policy.included == IncludedTax::RoundTheNet;
    if rates.is_empty() {
        return Ok(Vec::new());
    }
    if policy.several == Several::OneByOne && !round_net {
        return Ok(rates
            .iter()
            .map(|rate| part(i128::from(rate.basis_points())))
            .collect::<Result<_, _>>()?);
    }
    let total = if round_net {
        // The unit's gross amount is exact only if it is whole; else the tax is what rounding the net leaves of it.
        let gross = policy.rounding.divide(i128::from(amount.minor()), i128::from(units)).map(Amount)?;
        gross.checked_sub(part(WHOLE_BP)?)?
    } else {
        part(sum)?
    };
    let weights: Vec<i64> = rates.iter().map(|rate| rate.basis_points()).collect();
    spread(total, &weights, policy.residual, ZeroWeights::Nothing)
}

/// Every group of parts is taxed as one amount, and the tax is spread over the group. Where taxes come on top and are
/// rounded one by one, a group is what one tax is on; else it is what has the same taxes.
fn amounts_by_order(parts: &[Part<'_>], policy: &TaxPolicy) -> Result<Vec<Vec<Amount>>, AllocationError> {
    let mut amounts: Vec<Vec<Amount>> =
        parts.iter().map(|part| vec![Amount::ZERO; part.taxes.len()]).collect();
    let by_tax = policy.treatment == TaxTreatment::Added && policy.several == Several::OneByOne;
    type Taxes<'a> = Vec<(&'a str, RateBp)>;
    let mut groups: BTreeMap<Taxes<'_>, Vec<usize>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate() {
        let taxes: Taxes<'_> = part.taxes.iter().map(|rate| (rate.code.as_str(), rate.rate_bp)).collect();
        if by_tax {
            taxes.into_iter().for_each(|tax| groups.entry(vec![tax]).or_default().push(index));
        } else {
            groups.entry(taxes).or_default().push(index);
        }
    }
    for (taxes, members) in groups {
        let sum = Amount::sum(members.iter().map(|&member| parts[member].amount))?;
        let rates: Vec<RateBp> = taxes.iter().map(|(_, rate)| *rate).collect();
        let weights: Vec<i64> =
            members.iter().map(|&member| parts[member].amount.minor().saturating_abs()).collect();
        for ((code, _), tax) in taxes.iter().zip(amounts_of(sum, 1, &rates, policy)?) {
            let shares = spread(tax, &weights, policy.residual, ZeroWeights::Equal)?;
            for (&member, share) in members.iter().zip(shares) {
                if let Some(place) = parts[member].taxes.iter().position(|rate| rate.code == *code) {
                    amounts[member][place] = share;
                }
            }
        }
    }
    Ok(amounts)
}

#[cfg(test)]
mod tests;
