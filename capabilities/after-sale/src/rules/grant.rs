//! What one return is owed: the difference that it makes to what is owed altogether, never below zero, never more than was
//! paid in. What that cuts off is made up for by later returns.

use std::collections::BTreeMap;

use mortise_types::allocate::first_shares;
use mortise_types::{Amount, LineId, ParcelId, Quantity};

use super::account::NeverShipped;
use super::worth::TaxKey;
use super::{Account, AfterSaleError, Sale, Worth};
use crate::contract::{
    Charge, ChargeKind, Deduction, EntitledLine, Entitlement, RefundCap, ReturnLine, TaxShare,
};

/// Units that come back of one line, with those among them that come back at the customer's cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coming {
    pub(crate) units: Quantity,
    pub(crate) at_customers_cost: Quantity,
}

/// What one return brings back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) lines: BTreeMap<LineId, Coming>,
    /// Parcels that were stopped.
    pub(crate) parcels: Vec<ParcelId>,
    /// What was never shipped bears no charges.
    pub(crate) never_shipped: NeverShipped,
    /// Lines for which less is owed: at most so much for the units that are taken back.
    pub(crate) caps: BTreeMap<LineId, RefundCap>,
}

impl Grant {
    /// Of what was asked, the units that are taken back of each line; all of it where `taken` says nothing. Units at the
    /// shop's fault count as taken first: in doubt for the customer.
    pub(crate) fn of(
        sale: &Sale,
        asked: &[ReturnLine],
        parcels: &[ParcelId],
        taken: impl Fn(&LineId) -> Option<Quantity>,
        never_shipped: NeverShipped,
    ) -> Result<Grant, AfterSaleError> {
        let mut all: BTreeMap<&LineId, Coming> = BTreeMap::new();
        for line in asked {
            let coming = all.entry(&line.line_id).or_default();
            coming.units = coming.units.checked_add(line.quantity)?;
            if sale.policy.at_customers_cost.contains(&line.reason) {
                coming.at_customers_cost = coming.at_customers_cost.checked_add(line.quantity)?;
            }
        }
        let mut lines = BTreeMap::new();
        for (line_id, coming) in all {
            let units = taken(line_id).unwrap_or(coming.units).min(coming.units);
            let at_fault = coming.units.checked_sub(coming.at_customers_cost)?;
            let at_customers_cost = units.checked_sub(at_fault)?.max(Quantity::ZERO);
            if units > Quantity::ZERO {
                lines.insert(line_id.clone(), Coming { units, at_customers_cost });
            }
        }
        Ok(Grant { lines, parcels: parcels.to_vec(), never_shipped, caps: BTreeMap::new() })
    }

    /// With caps of lines of `asked`; of some of a line's units, the first have their share of its cap.
    pub(crate) fn capped(
        mut self,
        sale: &Sale,
        asked: &[ReturnLine],
        caps: &[RefundCap],
    ) -> Result<Grant, AfterSaleError> {
        for cap in caps {
            let lines = asked.iter().filter(|line| line.line_id == cap.line_id);
            let all = Quantity::sum(lines.map(|line| line.quantity))?.units();
            let Some(coming) = self.lines.get(&cap.line_id) else { continue };
            let share = first_shares(cap.at_most, coming.units.units(), all, sale.policy.residual)?;
            let at_most = share.clamp(Amount::ZERO, cap.at_most.max(Amount::ZERO));
            self.caps.insert(cap.line_id.clone(), RefundCap { at_most, ..cap.clone() });
        }
        Ok(self)
    }

    /// Units over all lines.
    pub(crate) fn units(&self) -> Result<Quantity, AfterSaleError> {
        Ok(Quantity::sum(self.lines.values().map(|coming| coming.units))?)
    }

    fn comes_back(&self, account: &mut Account) -> Result<(), AfterSaleError> {
        for (line_id, coming) in &self.lines {
            account.bring_back(line_id, coming.units, self.never_shipped)?;
        }
        account.parcels.extend(self.parcels.iter().cloned());
        Ok(())
    }
}

/// The units have come back, for good: what is owed for them. The account is moved on.
pub(crate) fn grant(
    sale: &Sale,
    account: &mut Account,
    coming: &Grant,
) -> Result<Entitlement, AfterSaleError> {
    let before = Worth::of(sale, account)?;
    coming.comes_back(account)?;
    let after = Worth::of(sale, account)?;
    let entitlement = difference(sale, account, &before, &after, coming)?;
    account.granted = account.granted.checked_add(entitlement.gross)?;
    for granted in &entitlement.taxes {
        add_tax(&mut account.taxes, granted)?;
    }
    Ok(entitlement)
}

/// What would be owed if all that others have asked for came back before it. Changes nothing.
pub(crate) fn estimate(
    sale: &Sale,
    account: &Account,
    coming: &Grant,
) -> Result<Entitlement, AfterSaleError> {
    let mut assumed = account.clone();
    for units in assumed.lines.values_mut() {
        units.back = units.back.checked_add(units.held)?;
        units.held = Quantity::ZERO;
    }
    let before = Worth::of(sale, &assumed)?;
    let owed = before.owed()?.min(assumed.captured);
    if owed > assumed.granted {
        assumed.granted = owed;
        assumed.taxes = before.taxes.iter().map(|(key, sums)| share(key, *sums)).collect();
    }
    grant(sale, &mut assumed, coming)
}

fn difference(
    sale: &Sale,
    account: &Account,
    before: &Worth,
    after: &Worth,
    coming: &Grant,
) -> Result<Entitlement, AfterSaleError> {
    let lines = lines(sale, before, after, coming)?;
    let goods = Amount::sum(lines.iter().map(|line| line.goods))?;
    let fees = after.fees.checked_sub(before.fees)?;
    let deductions = deductions(before, after)?;
    let deducted = Amount::sum(deductions.iter().map(|deduction| deduction.amount))?;
    let ceiling = after.owed()?.min(account.captured);
    let gross = ceiling.checked_sub(account.granted)?.max(Amount::ZERO);
    let carried = gross.checked_sub(goods)?.checked_sub(fees)?.checked_add(deducted)?;
    let charges = charges(sale, &lines, coming, gross)?;
    let charged = Amount::sum(charges.iter().map(|charge| charge.amount))?;
    Ok(Entitlement {
        taxes: taxes(account, after, gross)?,
        refund: gross.checked_sub(charged)?,
        whole: after.whole,
        lines,
        goods,
        fees,
        deductions,
        carried,
        gross,
        charges,
    })
}

fn lines(
    sale: &Sale,
    before: &Worth,
    after: &Worth,
    coming: &Grant,
) -> Result<Vec<EntitledLine>, AfterSaleError> {
    let of = |worth: &Worth, line_id: &LineId| worth.goods.get(line_id).copied().unwrap_or_default();
    let mut lines = Vec::with_capacity(coming.lines.len());
    for line in &sale.proof.lines {
        if let Some(coming) = coming.lines.get(&line.line_id) {
            lines.push(EntitledLine {
                line_id: line.line_id.clone(),
                sku: line.sku.clone(),
                quantity: coming.units,
                goods: of(after, &line.line_id).checked_sub(of(before, &line.line_id))?,
            });
        }
    }
    Ok(lines)
}

fn deductions(before: &Worth, after: &Worth) -> Result<Vec<Deduction>, AfterSaleError> {
    let mut changes: BTreeMap<&(crate::contract::DeductionKind, String), Amount> = BTreeMap::new();
    for (key, amount) in &after.deductions {
        changes.insert(key, *amount);
    }
    for (key, amount) in &before.deductions {
        let change = changes.entry(key).or_default();
        *change = change.checked_sub(*amount)?;
    }
    let changed = changes.into_iter().filter(|(_, amount)| !amount.is_zero());
    Ok(changed
        .map(|((kind, source), amount)| Deduction { kind: *kind, source: source.clone(), amount })
        .collect())
}

/// What the shop keeps: what extensions have it withhold, then of the goods that come back at the customer's cost, and for
/// bringing them, unless something at the shop's fault came along. Never more than is owed.
fn charges(
    sale: &Sale,
    lines: &[EntitledLine],
    coming: &Grant,
    gross: Amount,
) -> Result<Vec<Charge>, AfterSaleError> {
    if coming.never_shipped == NeverShipped::Yes || lines.is_empty() {
        return Ok(Vec::new());
    }
    let mut at_customers_cost = Amount::ZERO;
    for (line, coming) in lines.iter().filter_map(|line| Some((line, coming.lines.get(&line.line_id)?))) {
        let (part, all) = (coming.at_customers_cost.units(), coming.units.units());
        let share = first_shares(line.goods, part, all, sale.policy.residual)?;
        at_customers_cost = at_customers_cost.checked_add(share)?;
    }
    let policy = &sale.policy;
    let restocking = policy.restocking_fee_bp.of(at_customers_cost, policy.rounding)?;
    let all_at_customers_cost = coming.lines.values().all(|line| line.at_customers_cost == line.units);
    let shipping = if all_at_customers_cost { policy.return_shipping } else { Amount::ZERO };
    let (mut charges, mut left) = (Vec::new(), gross);
    for (line, cap) in lines.iter().filter_map(|line| Some((line, coming.caps.get(&line.line_id)?))) {
        let amount = line.goods.checked_sub(cap.at_most)?.min(left).max(Amount::ZERO);
        if amount > Amount::ZERO {
            left = left.checked_sub(amount)?;
            charges.push(withheld(amount, cap));
        }
    }
    for (kind, amount) in [(ChargeKind::Restocking, restocking), (ChargeKind::ReturnShipping, shipping)] {
        let amount = amount.min(left).max(Amount::ZERO);
        if amount > Amount::ZERO {
            left = left.checked_sub(amount)?;
            charges.push(Charge { kind, amount, line_id: None, extension: None, reason: None });
        }
    }
    Ok(charges)
}

fn withheld(amount: Amount, cap: &RefundCap) -> Charge {
    Charge {
        kind: ChargeKind::Withheld,
        amount,
        line_id: Some(cap.line_id.clone()),
        extension: Some(cap.extension.clone()),
        reason: Some(cap.reason.clone()),
    }
}

/// The taxes in `gross`, which brings what was granted up to what is owed; nothing where nothing is granted, so that the
/// next grant makes up for it.
fn taxes(account: &Account, after: &Worth, gross: Amount) -> Result<Vec<TaxShare>, AfterSaleError> {
    if gross.is_zero() {
        return Ok(Vec::new());
    }
    let mut shares = Vec::new();
    for (key, (base, tax)) in &after.taxes {
        let (base_before, tax_before) = account
            .taxes
            .iter()
            .find(|granted| is_same_tax(granted, key))
            .map_or((Amount::ZERO, Amount::ZERO), |granted| (granted.base, granted.tax));
        let sums = (base.checked_sub(base_before)?, tax.checked_sub(tax_before)?);
        if sums != (Amount::ZERO, Amount::ZERO) {
            shares.push(share(key, sums));
        }
    }
    Ok(shares)
}

fn is_same_tax(share: &TaxShare, (code, rate, treatment): &TaxKey) -> bool {
    share.code == *code && share.rate_bp == *rate && share.treatment == *treatment
}

fn share((code, rate_bp, treatment): &TaxKey, (base, tax): (Amount, Amount)) -> TaxShare {
    TaxShare { code: code.clone(), rate_bp: *rate_bp, treatment: *treatment, base, tax }
}

fn add_tax(taxes: &mut Vec<TaxShare>, granted: &TaxShare) -> Result<(), AfterSaleError> {
    let key = (granted.code.clone(), granted.rate_bp, granted.treatment);
    match taxes.iter_mut().find(|tax| is_same_tax(tax, &key)) {
        Some(sum) => {
            sum.base = sum.base.checked_add(granted.base)?;
            sum.tax = sum.tax.checked_add(granted.tax)?;
        }
        None => taxes.push(granted.clone()),
    }
    Ok(())
}
