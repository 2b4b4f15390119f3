//! Spreading a reduction over bases that must not sink below their floors. What a line cannot take goes to the others,
//! in as many rounds as it takes, or is lost: a policy says which.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AllocationError, ResidualRule, ZeroWeights, shares};
use crate::{Amount, ArithmeticError, Rounding};

/// What becomes of the part of a reduction that a line cannot take because of its floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "pricing/Overflow")]
pub enum Overflow {
    /// The others take it, as far as they can.
    ToOthers,
    /// It is lost. What rounding alone laid on a line that has no room for it is not: the others take that.
    Lost,
}

/// How a reduction is spread over lines with floors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "pricing/SpreadPolicy")]
pub struct SpreadPolicy {
    /// Who carries what rounding leaves over, in each round.
    pub rule: ResidualRule,
    /// What happens when all bases, or all that can still take something, are zero.
    pub zero_weights: ZeroWeights,
    /// What becomes of what a line cannot take.
    pub overflow: Overflow,
}

/// A reduction that was spread: `shares` and `lost` add up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// What each line is reduced by; never negative.
    pub shares: Vec<Amount>,
    /// What no line took.
    pub lost: Amount,
}

/// Spreads `reduction` (zero or more) over `bases` (zero or more each, and the weights) so that no `base - share` is
/// below its floor. A base that is below its floor already takes nothing. A floor may be negative.
///
/// A round spreads what is left by the residual rule and gives each line at most what it can take; the next round is
/// among the lines that can still take something. A rule that would raise a line to even out the others' rounding (its
/// share negative) raises none here: the line gets nothing, and the units come from the others, in the rule's own
/// direction. At most one round more than there are lines.
pub fn spread_with_floors(
    reduction: Amount,
    bases: &[Amount],
    floors: &[Amount],
    policy: SpreadPolicy,
) -> Result<Spread, AllocationError> {
    if reduction.is_negative() {
        return Err(AllocationError::NegativeReduction);
    }
    if bases.len() != floors.len() {
        return Err(AllocationError::LengthsDiffer { bases: bases.len(), floors: floors.len() });
    }
    if let Some(index) = bases.iter().position(|base| base.is_negative()) {
        return Err(AllocationError::NegativeWeight { index });
    }
    let all_zero = bases.iter().all(|base| base.is_zero());
    if all_zero && !reduction.is_zero() && refuses(policy.zero_weights, bases.len()) {
        return Err(AllocationError::AllWeightsZero);
    }
    let mut lines = Lines {
        capacity: capacities(bases, floors),
        taken: vec![0; bases.len()],
        left: reduction,
        lost: Amount::ZERO,
    };
    // A line that meets its floor has its share all the same; a free line without room has none.
    let mut taking: Vec<usize> = (0..bases.len()).collect();
    taking.retain(|&index| !bases[index].is_zero() || lines.room(index) > 0);
    let mut overflow = policy.overflow;
    while !lines.left.is_zero() {
        let Some(weights) = weights_of(&taking, bases, policy.zero_weights) else {
            break;
        };
        lines.round(&taking, &weights, policy.rule, overflow)?;
        taking.retain(|&index| lines.room(index) > 0);
        // After the first round only what rounding laid on full lines is left to give.
        overflow = Overflow::ToOthers;
    }
    let lost = lines.lost.checked_add(lines.left)?;
    Ok(Spread { shares: lines.taken.into_iter().map(Amount).collect(), lost })
}

fn refuses(zero_weights: ZeroWeights, lines: usize) -> bool {
    match zero_weights {
        ZeroWeights::Nothing => false,
        ZeroWeights::Equal => lines == 0,
        ZeroWeights::Refuse => true,
    }
}

/// How far each base lies above its floor; wide, as a floor may be far below zero.
fn capacities(bases: &[Amount], floors: &[Amount]) -> Vec<i128> {
    let above = |(base, floor): (&Amount, &Amount)| i128::from(base.minor()) - i128::from(floor.minor());
    bases.iter().zip(floors).map(above).map(|capacity| capacity.max(0)).collect()
}

/// The weights of a round: the bases of the lines in it; equal ones if all are zero and the policy says so; none if
/// nobody has a claim.
fn weights_of(taking: &[usize], bases: &[Amount], zero_weights: ZeroWeights) -> Option<Vec<i64>> {
    if taking.is_empty() {
        return None;
    }
    let weights: Vec<i64> = taking.iter().map(|&index| bases[index].minor()).collect();
    match zero_weights {
        _ if weights.iter().any(|&weight| weight > 0) => Some(weights),
        ZeroWeights::Equal => Some(vec![1; weights.len()]),
        ZeroWeights::Nothing | ZeroWeights::Refuse => None,
    }
}

/// The state between rounds.
struct Lines {
    /// What each line can take in all.
    capacity: Vec<i128>,
    /// What each line has taken.
    taken: Vec<i64>,
    /// What is still to be taken.
    left: Amount,
    /// What the policy gave up.
    lost: Amount,
}

impl Lines {
    fn room(&self, index: usize) -> i128 {
        self.capacity[index] - i128::from(self.taken[index])
    }

    /// Spreads what is left among the lines `taking`; each takes as much of its share as it has room for.
    fn round(
        &mut self,
        taking: &[usize],
        weights: &[i64],
        rule: ResidualRule,
        overflow: Overflow,
    ) -> Result<(), ArithmeticError> {
        let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
        let spread = self.left;
        let wanted = shares::of(spread, weights, total, rule)?;
        let mut takes: Vec<i64> = Vec::with_capacity(taking.len());
        let mut beyond_room = 0_i128;
        for ((&index, share), &weight) in taking.iter().zip(wanted).zip(weights) {
            let room = self.room(index);
            let take = i128::from(share.minor()).clamp(0, room);
            takes.push(i64::try_from(take).map_err(|_| ArithmeticError::Overflow)?);
            // The most that the weight alone lays on the line; what is above it came by rounding.
            let by_weight = Rounding::Up.divide(i128::from(spread.minor()) * i128::from(weight), total)?;
            beyond_room += (i128::from(share.minor().min(by_weight)) - room).max(0);
        }
        let sum: i128 = takes.iter().map(|&take| i128::from(take)).sum();
        give_back(&mut takes, sum - i128::from(spread.minor()), rule);
        for (&index, take) in taking.iter().zip(takes) {
            self.taken[index] = self.taken[index].checked_add(take).ok_or(ArithmeticError::Overflow)?;
            self.left = self.left.checked_sub(Amount(take))?;
        }
        if overflow == Overflow::Lost {
            let lost = i64::try_from(beyond_room).map_or(self.left, |beyond| self.left.min(Amount(beyond)));
            self.lost = self.lost.checked_add(lost)?;
            self.left = self.left.checked_sub(lost)?;
        }
        Ok(())
    }
}

/// Takes `excess` units back out of `takes`, whose sum is at least that: what was taken too much because a negative
/// share counted as nothing. From the left one unit each, or from the last backwards as much as there is: whichever
/// way the rule lays its residual.
fn give_back(takes: &mut [i64], mut excess: i128, rule: ResidualRule) {
    while excess > 0 {
        let before = excess;
        match rule {
            ResidualRule::RoundThenFromLeft => {
                for take in takes.iter_mut().filter(|take| **take > 0) {
                    if excess > 0 {
                        *take -= 1;
                        excess -= 1;
                    }
                }
            }
            ResidualRule::LastTakesRest | ResidualRule::LargestRemainder | ResidualRule::FirstTakesRest => {
                for take in takes.iter_mut().rev() {
                    let back = excess.min(i128::from(*take));
                    *take -= i64::try_from(back).unwrap_or(*take);
                    excess -= back;
                }
            }
        }
        if excess == before {
            return;
        }
    }
}
