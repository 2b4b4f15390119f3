//! Whether a return is taken on: whose it is, what is left, in time, with the gift.

use std::collections::BTreeMap;

use mortise_types::{CustomerId, LineId, ParcelId, Quantity, Timestamp};

use super::account::NeverShipped;
use super::grant::{Grant, estimate};
use super::worth::unearned_gifts;
use super::{Account, AfterSaleError, Sale};
use crate::contract::{
    AssessInput, Entitlement, RefundCap, ReturnLine, ReturnProblem, ReturnReason, ReturnRefused, RmaKind,
    RmaState, UnitsExceeded,
};
use crate::policy::{Approval, GiftKept};

/// What a return asks for, in the terms of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) lines: Vec<ReturnLine>,
    pub(crate) parcels: Vec<ParcelId>,
    pub(crate) never_shipped: NeverShipped,
    pub(crate) entitlement: Entitlement,
    pub(crate) state: RmaState,
}

/// A business "no".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Refused(ReturnRefused),
    Units(UnitsExceeded),
}

fn refused(problem: ReturnProblem, line_id: Option<LineId>) -> Refusal {
    Refusal::Refused(ReturnRefused { problem, line_id, extension: None, reason: None })
}

/// Judges what is asked for, of which extensions cap `caps`; nothing of the account is changed.
pub(crate) fn judge(
    sale: &Sale,
    account: &Account,
    asked: &AssessInput,
    caps: &[RefundCap],
    caller: Option<&CustomerId>,
    now: Timestamp,
) -> Result<Result<Request, Refusal>, AfterSaleError> {
    if caller.is_some_and(|caller| *caller != asked.customer_id) {
        return Ok(Err(refused(ReturnProblem::NotYours, None)));
    }
    let (lines, never_shipped) = match asked.kind {
        RmaKind::BeforeShipping => (stopped_lines(asked), NeverShipped::Yes),
        RmaKind::Return | RmaKind::Exchange => (asked.lines.clone(), NeverShipped::No),
    };
    if let Some(refusal) = off(sale, account, &lines)? {
        return Ok(Err(refusal));
    }
    if never_shipped == NeverShipped::No
        && let Some(line) = too_late(sale, asked, now)
    {
        return Ok(Err(refused(ReturnProblem::WindowClosed, Some(line.line_id.clone()))));
    }
    let parcels: Vec<ParcelId> = match never_shipped {
        NeverShipped::Yes => asked.stopped.iter().map(|parcel| parcel.parcel_id.clone()).collect(),
        NeverShipped::No => Vec::new(),
    };
    if let Some(gift) = gift_missing(sale, account, &lines)? {
        return Ok(Err(refused(ReturnProblem::GiftMissing, Some(gift))));
    }
    let grant = Grant::of(sale, &lines, &parcels, |_| None, never_shipped)?.capped(sale, &lines, caps)?;
    let entitlement = estimate(sale, account, &grant)?;
    let by_staff = sale.policy.approval == Approval::ByStaff && never_shipped == NeverShipped::No;
    let state = if by_staff { RmaState::Requested } else { RmaState::Approved };
    Ok(Ok(Request { lines, parcels, never_shipped, entitlement, state }))
}

/// The units of the parcels that were stopped. Nobody has to say why.
fn stopped_lines(asked: &AssessInput) -> Vec<ReturnLine> {
    let items = asked.stopped.iter().flat_map(|parcel| &parcel.items);
    items
        .map(|item| ReturnLine {
            line_id: item.line_id.clone(),
            quantity: item.quantity,
            reason: ReturnReason::ChangedMind,
        })
        .collect()
}

fn off(sale: &Sale, account: &Account, lines: &[ReturnLine]) -> Result<Option<Refusal>, AfterSaleError> {
    if lines.is_empty() {
        return Ok(Some(refused(ReturnProblem::NothingAsked, None)));
    }
    let mut sums: BTreeMap<&LineId, Quantity> = BTreeMap::new();
    for line in lines {
        if line.quantity < Quantity::ONE {
            return Ok(Some(refused(ReturnProblem::NothingAsked, Some(line.line_id.clone()))));
        }
        if sale.line(&line.line_id).is_err() {
            return Ok(Some(refused(ReturnProblem::NoSuchLine, Some(line.line_id.clone()))));
        }
        let sum = sums.entry(&line.line_id).or_default();
        *sum = sum.checked_add(line.quantity)?;
    }
    for (line_id, asked) in sums {
        let left = account.left(sale, line_id)?;
        if asked > left {
            return Ok(Some(Refusal::Units(UnitsExceeded { line_id: line_id.clone(), asked, left })));
        }
    }
    Ok(None)
}

/// A line that comes too late. What is the shop's fault never does.
fn too_late<'a>(sale: &Sale, asked: &'a AssessInput, now: Timestamp) -> Option<&'a ReturnLine> {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let days = i64::from(sale.policy.window_days?);
    let until = asked.returnable_from.as_millis().saturating_add(days.saturating_mul(DAY_MS));
    let late = now.as_millis() > until;
    let at_customers_cost = |line: &&ReturnLine| sale.policy.at_customers_cost.contains(&line.reason);
    asked.lines.iter().find(at_customers_cost).filter(|_| late)
}

/// A gift that has to come back with this, and does not.
fn gift_missing(
    sale: &Sale,
    account: &Account,
    lines: &[ReturnLine],
) -> Result<Option<LineId>, AfterSaleError> {
    if sale.policy.gift_kept != GiftKept::MustComeBack {
        return Ok(None);
    }
    let mut assumed = account.clone();
    for line in lines {
        assumed.bring_back(&line.line_id, line.quantity, NeverShipped::No)?;
    }
    for units in assumed.lines.values_mut() {
        units.back = units.back.checked_add(units.held)?;
    }
    Ok(unearned_gifts(sale, &assumed)?.into_iter().next())
}
