//! What is owed altogether for what has come back of a sale: a function of the price proof and of what is kept, and of
//! nothing else. What a single return is owed is the difference that it makes; so whatever the order in which units come
//! back, and however they are grouped, together they come to the same.

use std::collections::BTreeMap;

use mortise_types::allocate::first_shares;
use mortise_types::{
    Adjustment, AdjustmentKind, Amount, FeeKind, IncludedTax, LineId, PromotionTerms, ProofFee, ProofLine,
    Quantity, RateBp, Rounding, TaxPart, TaxTreatment,
};

use super::account::{Account, Units};
use super::{AfterSaleError, Sale};
use crate::contract::DeductionKind;
use crate::policy::{AfterSalePolicy, BrokenPromotion, FeeRule, GiftKept};

/// A tax as the proof names it.
pub(crate) type TaxKey = (String, RateBp, TaxTreatment);

/// What is owed for what has come back. Amounts contain their taxes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Worth {
    /// What was paid for the units, by line.
    pub(crate) goods: BTreeMap<LineId, Amount>,
    /// Fees.
    pub(crate) fees: Amount,
    /// What is owed less, by why and which promotion.
    pub(crate) deductions: BTreeMap<(DeductionKind, String), Amount>,
    /// Net base and tax in all of that; what is kept by a deduction is taxed as what was bought.
    pub(crate) taxes: BTreeMap<TaxKey, (Amount, Amount)>,
    /// Whether everything that was paid for has come back.
    pub(crate) whole: bool,
}

impl Worth {
    /// Goods and fees less deductions; below zero where what is kept costs more than was paid for all.
    pub(crate) fn owed(&self) -> Result<Amount, AfterSaleError> {
        let goods = Amount::sum(self.goods.values().copied())?;
        let deductions = Amount::sum(self.deductions.values().copied())?;
        Ok(goods.checked_add(self.fees)?.checked_sub(deductions)?)
    }

    /// What is owed for what has come back of `sale`, by `account`; what is held has not.
    pub(crate) fn of(sale: &Sale, account: &Account) -> Result<Worth, AfterSaleError> {
        let mut reckoning = Reckoning { sale, account, worth: Worth::default() };
        reckoning.worth.whole = reckoning.is_whole();
        for line in &sale.proof.lines {
            reckoning.goods(line)?;
        }
        for fee in &sale.proof.fees {
            reckoning.fee(fee)?;
        }
        reckoning.gifts()?;
        if sale.policy.broken_promotion == BrokenPromotion::Reprice {
            for terms in &sale.terms {
                reckoning.promotion(terms)?;
            }
        }
        Ok(reckoning.worth)
    }
}

/// The gifts of which something is kept although what they were given for has come back.
pub(crate) fn unearned_gifts(sale: &Sale, account: &Account) -> Result<Vec<LineId>, AfterSaleError> {
    let reckoning = Reckoning { sale, account, worth: Worth::default() };
    let mut found = Vec::new();
    for line in sale.proof.lines.iter().filter(|line| is_gift(line)) {
        if reckoning.is_unearned(line)? {
            found.push(line.line_id.clone());
        }
    }
    Ok(found)
}

struct Reckoning<'a> {
    sale: &'a Sale,
    account: &'a Account,
    worth: Worth,
}

/// Free of charge by a promotion.
fn is_gift(line: &ProofLine) -> bool {
    line.payable.is_zero() && line.list > Amount::ZERO && line.adjustments.iter().any(is_promotional)
}

fn is_promotional(adjustment: &Adjustment) -> bool {
    matches!(adjustment.kind, AdjustmentKind::Promotion | AdjustmentKind::Coupon)
}

fn is_of(adjustment: &Adjustment, terms: &PromotionTerms) -> bool {
    is_promotional(adjustment) && adjustment.source == terms.source && adjustment.version == terms.version
}

/// What is kept of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kept {
    units: Quantity,
    list: Amount,
    /// Units that have come back.
    gone: Quantity,
}

impl Kept {
    /// Whether it no longer meets a promotion's conditions. List amounts are compared: in doubt for the customer.
    fn breaks(self, terms: &PromotionTerms) -> bool {
        let too_few = terms.min_quantity.is_some_and(|least| self.units < least);
        let too_little = terms.min_subtotal.is_some_and(|least| self.list < least);
        self.gone > Quantity::ZERO && (too_few || too_little || terms.bundle)
    }
}

impl Reckoning<'_> {
    fn policy(&self) -> &AfterSalePolicy {
        &self.sale.policy
    }

    fn units(&self, line: &ProofLine) -> Units {
        self.account.units(&line.line_id)
    }

    /// What the first units of a line, which are those that have come back, have of an amount of it.
    fn back(&self, line: &ProofLine, amount: Amount) -> Result<Amount, AfterSaleError> {
        let (back, all) = (self.units(line).back.units(), line.quantity.units());
        let share = first_shares(amount, back, all, self.policy().residual)?;
        // One residual rule gives the last unit the rest, which may have the other sign.
        Ok(share.clamp(amount.min(Amount::ZERO), amount.max(Amount::ZERO)))
    }

    fn kept(&self, line: &ProofLine, amount: Amount) -> Result<Amount, AfterSaleError> {
        Ok(amount.checked_sub(self.back(line, amount)?)?)
    }

    fn keeps_all_of<'l>(&self, lines: impl Iterator<Item = &'l ProofLine>) -> Result<Kept, AfterSaleError> {
        let mut kept = Kept::default();
        for line in lines {
            let back = self.units(line).back;
            kept.gone = kept.gone.checked_add(back)?;
            kept.units = kept.units.checked_add(line.quantity.checked_sub(back)?)?;
            kept.list = kept.list.checked_add(self.kept(line, line.list)?)?;
        }
        Ok(kept)
    }

    /// A gift does not matter: who gives back all that was paid for gives back the order.
    fn is_whole(&self) -> bool {
        let lines = &self.sale.proof.lines;
        let paid = lines.iter().filter(|line| !is_gift(line)).count();
        let counts = |line: &&ProofLine| paid == 0 || !is_gift(line);
        lines.iter().filter(counts).all(|line| self.units(line).back >= line.quantity)
    }

    fn never_shipped(&self) -> bool {
        self.sale.proof.lines.iter().all(|line| self.units(line).stopped >= line.quantity)
    }

    fn goods(&mut self, line: &ProofLine) -> Result<(), AfterSaleError> {
        if self.units(line).back.is_zero() {
            return Ok(());
        }
        self.worth.goods.insert(line.line_id.clone(), self.back(line, line.payable)?);
        for part in &line.taxes {
            let (base, tax) = (self.back(line, part.base)?, self.back(line, part.tax)?);
            self.add_tax(part, base, tax)?;
        }
        Ok(())
    }

    fn fee(&mut self, fee: &ProofFee) -> Result<(), AfterSaleError> {
        let (part, of) = self.fee_back(fee)?;
        let back = |amount: Amount| -> Result<Amount, AfterSaleError> {
            Ok(Amount(Rounding::Down.divide(i128::from(amount.minor()) * part, of)?))
        };
        self.worth.fees = self.worth.fees.checked_add(back(fee.payable)?)?;
        for tax in &fee.taxes {
            self.add_tax(tax, back(tax.base)?, back(tax.tax)?)?;
        }
        Ok(())
    }

    /// Which part of a fee goes back, as a fraction.
    fn fee_back(&self, fee: &ProofFee) -> Result<(i128, i128), AfterSaleError> {
        let parcel_stopped =
            fee.parcel_id.as_ref().is_some_and(|parcel| self.account.parcels.contains(parcel));
        if parcel_stopped || self.never_shipped() {
            return Ok((1, 1));
        }
        let rule = match fee.kind {
            FeeKind::Delivery => self.policy().delivery_fee,
            FeeKind::Handling => self.policy().handling_fee,
            FeeKind::Payment => self.policy().payment_fee,
        };
        Ok(match rule {
            FeeRule::Never => (0, 1),
            FeeRule::WholeOrder => (i128::from(self.worth.whole), 1),
            FeeRule::Proportional if self.worth.whole => (1, 1),
            FeeRule::Proportional => {
                let back = Amount::sum(self.worth.goods.values().copied())?;
                let all = Amount::sum(self.sale.proof.lines.iter().map(|line| line.payable))?;
                if all > Amount::ZERO { (i128::from(back.minor()), i128::from(all.minor())) } else { (0, 1) }
            }
        })
    }

    fn is_unearned(&self, gift: &ProofLine) -> Result<bool, AfterSaleError> {
        if self.units(gift).back >= gift.quantity {
            return Ok(false);
        }
        let kept = self.keeps_all_of(self.sale.proof.lines.iter().filter(|line| !is_gift(line)))?;
        let conditions = self.sale.terms.iter().filter(|terms| {
            (terms.min_quantity.is_some() || terms.min_subtotal.is_some())
                && gift.adjustments.iter().any(|adjustment| is_of(adjustment, terms))
        });
        let broken: Vec<bool> = conditions.map(|terms| kept.breaks(terms)).collect();
        let nothing_kept = kept.units.is_zero() && kept.gone > Quantity::ZERO;
        Ok(nothing_kept || broken.contains(&true))
    }

    fn gifts(&mut self) -> Result<(), AfterSaleError> {
        if self.policy().gift_kept == GiftKept::Keep {
            return Ok(());
        }
        for line in self.sale.proof.lines.iter().filter(|line| is_gift(line)) {
            if self.is_unearned(line)? {
                let source = line.adjustments.iter().rfind(|adjustment| is_promotional(adjustment));
                let source = source.map_or_else(String::new, |adjustment| adjustment.source.clone());
                let value = self.kept(line, line.list)?;
                self.deduct(DeductionKind::GiftKept, source, value, &line.taxes, line.payable)?;
            }
        }
        Ok(())
    }

    /// A promotion whose conditions are no longer met: what is kept loses what it took off.
    fn promotion(&mut self, terms: &PromotionTerms) -> Result<(), AfterSaleError> {
        let proof = &self.sale.proof;
        let has = |line: &&ProofLine| !is_gift(line) && line.adjustments.iter().any(|a| is_of(a, terms));
        let kept = if proof.lines.iter().any(|line| has(&line)) {
            self.keeps_all_of(proof.lines.iter().filter(has))?
        } else {
            self.keeps_all_of(proof.lines.iter().filter(|line| !is_gift(line)))?
        };
        if kept.units.is_zero() || !kept.breaks(terms) {
            return Ok(());
        }
        for line in proof.lines.iter().filter(has) {
            let taken_off = sum_of(&line.adjustments, terms)?;
            let lost = self.kept(line, taken_off)?.checked_neg()?;
            self.deduct(
                DeductionKind::BrokenPromotion,
                terms.source.clone(),
                lost,
                &line.taxes,
                line.payable,
            )?;
        }
        for fee in &proof.fees {
            let (part, of) = self.fee_back(fee)?;
            let taken_off = sum_of(&fee.adjustments, terms)?;
            let kept_part = i128::from(taken_off.minor()) * (of - part);
            let lost = Amount(Rounding::Down.divide(kept_part, of)?).checked_neg()?;
            self.deduct(DeductionKind::BrokenPromotion, terms.source.clone(), lost, &fee.taxes, fee.payable)?;
        }
        Ok(())
    }

    /// Takes `value`, an amount as things are priced, off what is owed, with the taxes of what was priced `payable`.
    fn deduct(
        &mut self,
        kind: DeductionKind,
        source: String,
        value: Amount,
        taxes: &[TaxPart],
        payable: Amount,
    ) -> Result<(), AfterSaleError> {
        if value.is_zero() {
            return Ok(());
        }
        let mut gross = value;
        for part in taxes {
            let tax = match part.treatment {
                TaxTreatment::Added => part.rate_bp.of(value, Rounding::HalfUp)?,
                TaxTreatment::Included => contained(part, value, payable)?,
            };
            let base = match part.treatment {
                TaxTreatment::Added => value,
                TaxTreatment::Included => value.checked_sub(tax)?,
            };
            if part.treatment == TaxTreatment::Added {
                gross = gross.checked_add(tax)?;
            }
            self.add_tax(part, base.checked_neg()?, tax.checked_neg()?)?;
        }
        let sum = self.worth.deductions.entry((kind, source)).or_default();
        *sum = sum.checked_add(gross)?;
        Ok(())
    }

    fn add_tax(&mut self, part: &TaxPart, base: Amount, tax: Amount) -> Result<(), AfterSaleError> {
        let key = (part.code.clone(), part.rate_bp, part.treatment);
        let sums = self.worth.taxes.entry(key).or_default();
        *sums = (sums.0.checked_add(base)?, sums.1.checked_add(tax)?);
        Ok(())
    }
}

/// The tax in `value`, at the share of tax that the line was proved to have; by its rate, where it cost nothing.
fn contained(part: &TaxPart, value: Amount, payable: Amount) -> Result<Amount, AfterSaleError> {
    if payable.is_zero() {
        return Ok(part.rate_bp.part_of_gross(value, IncludedTax::RoundTheTax, Rounding::HalfUp)?);
    }
    let exact = i128::from(value.minor()) * i128::from(part.tax.minor());
    Ok(Amount(Rounding::HalfUp.divide(exact, i128::from(payable.minor()))?))
}

fn sum_of(adjustments: &[Adjustment], terms: &PromotionTerms) -> Result<Amount, AfterSaleError> {
    let own = adjustments.iter().filter(|adjustment| is_of(adjustment, terms));
    Ok(Amount::sum(own.map(|adjustment| adjustment.amount))?)
}
