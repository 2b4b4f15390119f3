//! What a promotion takes off the parts of an order, before anybody asks whether it counts beside others. Every share is
//! zero or more, and leaves its part at its floor or above.

use std::cmp::Ordering;

use mortise_types::allocate::{AllocationError, Overflow, SpreadPolicy, ZeroWeights, spread_with_floors};
use mortise_types::{
    Amount, ArithmeticError, FeeKind, LineId, Price, ProofLine, Quantity, RateBp, RoundingLevel,
};

use super::promotion::{Benefit, Promotion};
use super::{Amounts, Order, SheetEntry, TooLarge};
use crate::contract::{Each, Target};
use crate::policy::{Base, DiscountPolicy, EachDefault, SpreadDelivery, SpreadOver, UnitOrder};

/// Basis points in one whole.
const WHOLE_BP: i128 = 10_000;

/// What a reduction is worked out from.
pub(super) struct Reckoning<'o, 'a> {
    pub(super) order: &'o Order<'a>,
    pub(super) amounts: &'o Amounts,
    pub(super) policy: &'o DiscountPolicy,
}

impl Reckoning<'_, '_> {
    /// The lines that a promotion selects.
    pub(super) fn selected(&self, promotion: &Promotion) -> Vec<usize> {
        let lines = self.order.lines.iter().enumerate();
        let taken = lines.filter(|(index, line)| promotion.selection.takes(line, self.order.facts[*index]));
        taken.map(|(index, _)| index).collect()
    }

    /// The share of every part.
    pub(super) fn shares(&self, promotion: &Promotion, selected: &[usize]) -> Result<Vec<Amount>, TooLarge> {
        match promotion.target {
            Target::Items => self.off_items(promotion, selected),
            Target::Order => self.off_order(promotion, selected),
            Target::Delivery => self.off_delivery(promotion),
        }
    }

    /// An amount off some lines together, as an extension proposes it.
    pub(super) fn off_named(&self, lines: &[LineId], amount: Amount) -> Result<Vec<Amount>, TooLarge> {
        let named = |id: &LineId| self.order.lines.iter().position(|line| line.line_id == *id);
        let parts: Vec<usize> = lines.iter().filter_map(named).collect();
        self.spread(amount, &parts, None)
    }

    fn off_items(&self, promotion: &Promotion, selected: &[usize]) -> Result<Vec<Amount>, TooLarge> {
        let units = self.units(promotion.max_quantity, selected);
        let mut shares = self.nothing();
        match promotion.benefit {
            Benefit::Amount { off, each: Some(Each::Together) } => {
                let amount = capped(off.amount(), promotion.max_amount);
                return self.spread(amount, selected, promotion.min_price);
            }
            Benefit::Percent(rate) if self.policy.percent_level == RoundingLevel::Order => {
                shares = self.percent_together(rate, promotion, selected, &units)?;
            }
            _ => {
                for (&part, &units) in selected.iter().zip(&units).filter(|(_, units)| units.units() > 0) {
                    let share = self.off_line(promotion, part, units)?;
                    shares[part] = share.clamp(Amount::ZERO, self.room(part, promotion.min_price)?);
                }
            }
        }
        match promotion.max_amount {
            Some(most) if Amount::sum(shares.iter().copied())? > most => self.scaled(&shares, most),
            _ => Ok(shares),
        }
    }

    /// What one line gets, whatever its floor is.
    fn off_line(&self, promotion: &Promotion, part: usize, units: Quantity) -> Result<Amount, TooLarge> {
        let rounding = self.policy.rounding;
        let line = &self.order.lines[part];
        let share = match promotion.benefit {
            Benefit::Percent(rate) => self.percent(rate, line, self.percent_base(part), units)?,
            Benefit::Amount { off, each } => {
                let each = each.unwrap_or(match self.policy.each {
                    EachDefault::Unit => Each::Unit,
                    EachDefault::Line => Each::Line,
                });
                if each == Each::Unit { off.extend(units, rounding)? } else { off.amount() }
            }
            Benefit::Fixed(price) => {
                let now = part_of(self.amounts.running[part], line.quantity, units, self.policy)?;
                now.checked_sub(price.extend(units, rounding)?)?
            }
            Benefit::Sheet => match sheet_entry(promotion, self.order, part) {
                Some(entry) => entry.off.extend(units, rounding)?,
                None => Amount::ZERO,
            },
        };
        Ok(share)
    }

    fn percent_base(&self, part: usize) -> Amount {
        match self.policy.percent_base {
            Base::List => self.amounts.list[part],
            Base::Running => self.amounts.running[part],
        }
    }

    /// A percentage of `units` of a line, rounded by unit or once.
    fn percent(
        &self,
        rate: RateBp,
        line: &ProofLine,
        base: Amount,
        units: Quantity,
    ) -> Result<Amount, ArithmeticError> {
        let of_base = i128::from(base.minor()) * i128::from(rate.basis_points());
        let whole = i128::from(line.quantity.units()) * WHOLE_BP;
        if self.policy.percent_level == RoundingLevel::Unit {
            return Amount(self.policy.rounding.divide(of_base, whole)?).checked_mul(units);
        }
        let of_units = of_base.checked_mul(i128::from(units.units())).ok_or(ArithmeticError::Overflow)?;
        self.policy.rounding.divide(of_units, whole).map(Amount)
    }

    /// A percentage of all selected units together, rounded once and spread by what it is of.
    fn percent_together(
        &self,
        rate: RateBp,
        promotion: &Promotion,
        selected: &[usize],
        units: &[Quantity],
    ) -> Result<Vec<Amount>, TooLarge> {
        let base = |(&part, &units): (&usize, &Quantity)| {
            part_of(self.percent_base(part), self.order.lines[part].quantity, units, self.policy)
        };
        let bases = selected.iter().zip(units).map(base).collect::<Result<Vec<Amount>, _>>()?;
        let total = rate.of(Amount::sum(bases.iter().copied())?, self.policy.rounding)?;
        self.spread_by(total, selected, &bases, promotion.min_price)
    }

    fn off_order(&self, promotion: &Promotion, selected: &[usize]) -> Result<Vec<Amount>, TooLarge> {
        let mut bearing: Vec<usize> = match self.policy.spread_over {
            SpreadOver::Selected => selected.to_vec(),
            SpreadOver::All => (0..self.order.lines.len()).collect(),
        };
        let mut of: Vec<usize> = selected.to_vec();
        if self.policy.spread_delivery == SpreadDelivery::With {
            bearing.extend(self.delivery_fees());
            of.extend(self.delivery_fees());
        }
        let sum = |amounts: &[Amount]| Amount::sum(of.iter().map(|&part| amounts[part]));
        let total = match promotion.benefit {
            Benefit::Percent(rate) => {
                let base = match self.policy.percent_base {
                    Base::List => sum(&self.amounts.list)?,
                    Base::Running => sum(&self.amounts.running)?,
                };
                rate.of(base, self.policy.rounding)?
            }
            Benefit::Amount { off, .. } => off.amount(),
            Benefit::Fixed(price) => sum(&self.amounts.running)?.checked_sub(price.amount())?,
            Benefit::Sheet => Amount::ZERO,
        };
        self.spread(capped(total, promotion.max_amount), &bearing, promotion.min_price)
    }

    fn off_delivery(&self, promotion: &Promotion) -> Result<Vec<Amount>, TooLarge> {
        let fees: Vec<usize> = self.delivery_fees().collect();
        let total = match promotion.benefit {
            Benefit::Percent(rate) => {
                let base = Amount::sum(fees.iter().map(|&part| self.percent_base(part)))?;
                rate.of(base, self.policy.rounding)?
            }
            Benefit::Amount { off, .. } => off.amount(),
            Benefit::Fixed(price) => Amount::sum(fees.iter().map(|&part| self.amounts.running[part]))?
                .checked_sub(price.amount())?,
            Benefit::Sheet => Amount::ZERO,
        };
        self.spread(capped(total, promotion.max_amount), &fees, None)
    }

    fn delivery_fees(&self) -> impl Iterator<Item = usize> {
        let first = self.order.lines.len();
        let fees = self.order.fees.iter().enumerate();
        fees.filter(|(_, fee)| fee.kind == FeeKind::Delivery).map(move |(index, _)| first + index)
    }

    /// How many units of each selected line have the benefit, at most `most` together.
    fn units(&self, most: Option<Quantity>, selected: &[usize]) -> Vec<Quantity> {
        let all = |&part: &usize| self.order.lines[part].quantity;
        let Some(most) = most else { return selected.iter().map(all).collect() };
        let mut turns: Vec<usize> = (0..selected.len()).collect();
        match self.policy.units {
            UnitOrder::AsListed => {}
            UnitOrder::CheapestFirst => turns.sort_by(|&a, &b| self.compare_units(selected[a], selected[b])),
            UnitOrder::DearestFirst => turns.sort_by(|&a, &b| self.compare_units(selected[b], selected[a])),
        }
        let (mut left, mut units) = (most, vec![Quantity::ZERO; selected.len()]);
        for turn in turns {
            units[turn] = all(&selected[turn]).min(left);
            left = Quantity(left.units() - units[turn].units());
        }
        units
    }

    /// By what one unit costs at the moment, exactly.
    fn compare_units(&self, a: usize, b: usize) -> Ordering {
        let cost = |part: usize, other: usize| {
            i128::from(self.amounts.running[part].minor())
                * i128::from(self.order.lines[other].quantity.units())
        };
        cost(a, b).cmp(&cost(b, a))
    }

    /// What can be taken off a part: down to the policy's floor, or a price that the promotion keeps.
    fn room(&self, part: usize, min_price: Option<Price>) -> Result<Amount, TooLarge> {
        let up = mortise_types::Rounding::Up;
        let mut floor = self.policy.floor_bp.of(self.amounts.list[part], up)?.max(Amount::ZERO);
        if let (Some(price), Some(line)) = (min_price, self.order.lines.get(part)) {
            floor = floor.max(price.extend(line.quantity, up)?);
        }
        Ok(self.amounts.running[part].checked_sub(floor)?.max(Amount::ZERO))
    }

    fn nothing(&self) -> Vec<Amount> {
        vec![Amount::ZERO; self.amounts.running.len()]
    }

    fn spread(
        &self,
        amount: Amount,
        parts: &[usize],
        min_price: Option<Price>,
    ) -> Result<Vec<Amount>, TooLarge> {
        let weights = match self.policy.spread_by {
            Base::List => &self.amounts.list,
            Base::Running => &self.amounts.running,
        };
        let weights: Vec<Amount> = parts.iter().map(|&part| weights[part]).collect();
        self.spread_by(amount, parts, &weights, min_price)
    }

    /// Spreads an amount over parts by weights; the kernel's rule keeps each within its room.
    fn spread_by(
        &self,
        amount: Amount,
        parts: &[usize],
        weights: &[Amount],
        min_price: Option<Price>,
    ) -> Result<Vec<Amount>, TooLarge> {
        let mut shares = self.nothing();
        if amount.minor() < 1 {
            return Ok(shares);
        }
        let weights: Vec<Amount> = weights.iter().map(|&weight| weight.max(Amount::ZERO)).collect();
        let mut floors = Vec::with_capacity(parts.len());
        for (&part, weight) in parts.iter().zip(&weights) {
            floors.push(weight.checked_sub(self.room(part, min_price)?)?);
        }
        let by = SpreadPolicy {
            rule: self.policy.residual,
            zero_weights: self.policy.zero_weights,
            overflow: self.policy.overflow,
        };
        match spread_with_floors(amount, &weights, &floors, by) {
            Ok(spread) => parts.iter().zip(spread.shares).for_each(|(&part, share)| shares[part] = share),
            // The policy refuses to spread over nothing: then there is no discount, and `explain` says so.
            Err(AllocationError::AllWeightsZero) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(shares)
    }

    /// The same shares in proportion, `most` together.
    pub(super) fn scaled(&self, shares: &[Amount], most: Amount) -> Result<Vec<Amount>, TooLarge> {
        let by = SpreadPolicy {
            rule: self.policy.residual,
            zero_weights: ZeroWeights::Nothing,
            overflow: Overflow::ToOthers,
        };
        let floors = vec![Amount::ZERO; shares.len()];
        Ok(spread_with_floors(most.max(Amount::ZERO), shares, &floors, by)?.shares)
    }
}

fn capped(amount: Amount, most: Option<Amount>) -> Amount {
    most.map_or(amount, |most| amount.min(most))
}

/// What `units` of a line's `quantity` units cost.
fn part_of(
    amount: Amount,
    quantity: Quantity,
    units: Quantity,
    policy: &DiscountPolicy,
) -> Result<Amount, ArithmeticError> {
    if units == quantity {
        return Ok(amount);
    }
    let of_units = i128::from(amount.minor()) * i128::from(units.units());
    policy.rounding.divide(of_units, i128::from(quantity.units())).map(Amount)
}

/// The entry of a promotion's sheet for a line: the one for its place before the one for any, the one for its business
/// line before the one for any, the later beginning before the earlier.
pub(super) fn sheet_entry<'a>(
    promotion: &Promotion,
    order: &Order<'a>,
    part: usize,
) -> Option<&'a SheetEntry> {
    let entries = order.sheets.get(part)?.iter().filter(|entry| entry.promotion == promotion.id);
    entries.max_by_key(|entry| (!entry.location.is_empty(), !entry.line.is_empty(), entry.valid_from))
}
