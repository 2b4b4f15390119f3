//! `after_sale.inspect` and `after_sale.accept`: how many units are taken back; that settles what is owed, once.

use std::collections::BTreeMap;

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{
    Applied, GoodsCondition, ItemUnits, LineId, LocationId, Quantity, ReturnedUnits, RmaId, Sku, Timestamp,
};

use super::batch::{Batch, key, news};
use crate::contract::{
    AcceptInput, Entitlement, InspectInput, InspectedLine, LimitsBack, Outcome, RMA_UNKNOWN, RmaKind,
    RmaState, RmaUnknown, UNITS_EXCEEDED, UnitsExceeded, WRONG_STATE, WrongState,
};
use crate::policy::GivenBack;
use crate::rules::{AfterSaleError, Grant, Rma, Sale, Step, Word, grant, step};
use crate::store::{RmaKey, Stored, no_return};

/// The code of `after_sale.inspect`.
pub(crate) struct Inspect;
/// The code of `after_sale.accept`.
pub(crate) struct Accept;

impl WriteOperation for Inspect {
    type Input = InspectInput;
    type Output = Outcome;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<InspectInput>],
    ) -> Result<Vec<Reply<Outcome>>, StoreError> {
        let mut batch =
            Batch::load(tx, calls.iter().map(|call| key(&call.context, &call.input.rma_id))).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            replies.push(inspect(&mut batch, call)?);
        }
        batch.save(tx).await?;
        Ok(replies)
    }
}

fn inspect(batch: &mut Batch, call: &Call<InspectInput>) -> Result<Reply<Outcome>, StoreError> {
    let InspectInput { rma_id, lines, note } = &call.input;
    let key = key(&call.context, rma_id);
    let Some((rma, stored)) = batch.find(&key)? else {
        return Reply::rejected(RMA_UNKNOWN, &RmaUnknown { rma_id: rma_id.clone() });
    };
    match step(rma.state, Word::Grant) {
        Step::Wrong => {
            let state = rma.state;
            return Reply::rejected(WRONG_STATE, &WrongState { rma_id: rma_id.clone(), state });
        }
        Step::Already => return Ok(Reply::done(outcome(&stored.sale, rma, Applied::Already)?)),
        Step::To(_) => {}
    }
    if let Some(exceeded) = too_many(rma, lines)? {
        return Reply::rejected(UNITS_EXCEEDED, &exceeded);
    }
    rma.document.note = note.clone().or(rma.document.note.take());
    take_back(batch, &key, lines.clone(), call.context.now)
}

impl WriteOperation for Accept {
    type Input = AcceptInput;
    type Output = Outcome;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<AcceptInput>],
    ) -> Result<Vec<Reply<Outcome>>, StoreError> {
        let mut batch =
            Batch::load(tx, calls.iter().map(|call| key(&call.context, &call.input.rma_id))).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            replies.push(accept(&mut batch, call)?);
        }
        batch.save(tx).await?;
        Ok(replies)
    }
}

fn accept(batch: &mut Batch, call: &Call<AcceptInput>) -> Result<Reply<Outcome>, StoreError> {
    let key = key(&call.context, &call.input.rma_id);
    let Some((rma, stored)) = batch.find(&key)? else {
        return Err(no_return(&call.input.rma_id));
    };
    match (step(rma.state, Word::Grant), rma.state) {
        (Step::To(_), _) => {}
        (Step::Wrong, RmaState::Requested) => {
            return Err(StoreError::Conflict(format!(
                "return {} was accepted before it was approved",
                rma.rma_id
            )));
        }
        // It went another way: nothing is owed.
        (Step::Already | Step::Wrong, _) => {
            return Ok(Reply::done(outcome(&stored.sale, rma, Applied::Already)?));
        }
    }
    let condition = call.input.condition;
    let all = rma.document.lines.iter().map(|line| InspectedLine {
        line_id: line.line_id.clone(),
        accepted: line.quantity,
        condition,
        location: None,
    });
    let all = all.collect();
    take_back(batch, &key, all, call.context.now)
}

fn by_line(lines: &[InspectedLine]) -> Result<BTreeMap<&LineId, Quantity>, AfterSaleError> {
    let mut sums: BTreeMap<&LineId, Quantity> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(&line.line_id).or_default();
        *sum = sum.checked_add(line.accepted)?;
    }
    Ok(sums)
}

/// A line of which more is taken back than was asked for, or less than none.
fn too_many(rma: &Rma, lines: &[InspectedLine]) -> Result<Option<UnitsExceeded>, AfterSaleError> {
    for (line_id, accepted) in by_line(lines)? {
        let left = rma.asked(line_id)?;
        if accepted > left || lines.iter().any(|line| line.accepted.is_negative()) {
            return Ok(Some(UnitsExceeded { line_id: line_id.clone(), asked: accepted, left }));
        }
    }
    Ok(None)
}

/// Settles what is owed. Whoever waits for the goods to arrive is told as well, if nobody has said so yet.
fn take_back(
    batch: &mut Batch,
    key: &RmaKey,
    lines: Vec<InspectedLine>,
    now: Timestamp,
) -> Result<Reply<Outcome>, StoreError> {
    let Some((rma, Stored { sale, account, .. })) = batch.find(key)? else {
        return Err(no_return(&key.1));
    };
    let arrived = rma.state == RmaState::Approved && rma.kind != RmaKind::BeforeShipping;
    let accepted = by_line(&lines)?;
    let taken = |line_id: &LineId| Some(accepted.get(line_id).copied().unwrap_or_default());
    let document = &rma.document;
    let coming = Grant::of(sale, &document.lines, &document.parcels, taken, rma.never_shipped())?.capped(
        sale,
        &document.lines,
        &document.caps,
    )?;
    rma.let_go(account)?;
    if coming.units()?.is_zero() {
        rma.document.entitlement = Entitlement::default();
        rma.state = RmaState::Refused;
    } else {
        rma.document.entitlement = grant(sale, account, &coming)?;
        rma.state = RmaState::Inspected;
    }
    rma.document.inspected = lines;
    rma.changed_at = now;
    let outcome = outcome(sale, rma, Applied::Now)?;
    let mut reply = Reply::done(outcome.clone());
    if arrived {
        reply = reply.emit("after_sale.received", &news(rma))?;
    }
    let reply = reply.emit("after_sale.inspected", &outcome)?;
    batch.touch(key);
    Ok(reply)
}

/// What has been settled, as often as it is asked.
fn outcome(sale: &Sale, rma: &Rma, applied: Applied) -> Result<Outcome, StoreError> {
    let entitlement = rma.document.entitlement.clone();
    let granted = matches!(rma.state, RmaState::Inspected | RmaState::Settled);
    let lines: &[InspectedLine] = if granted { &rma.document.inspected } else { &[] };
    let accepted = Quantity::sum(lines.iter().map(|line| line.accepted)).map_err(AfterSaleError::from)?;
    let asked = rma.asked_units()?;
    let whole = granted && entitlement.whole;
    let restore_limits = match sale.policy.purchase_limits {
        GivenBack::EachUnit if granted => LimitsBack::Units,
        GivenBack::WholeOrder if whole => LimitsBack::Order,
        GivenBack::EachUnit | GivenBack::WholeOrder | GivenBack::Never => LimitsBack::Nothing,
    };
    Ok(Outcome {
        rma_id: RmaId::clone(&rma.rma_id),
        order_id: rma.order_id.clone(),
        applied,
        accepted,
        rejected: asked.checked_sub(accepted).map_err(AfterSaleError::from)?,
        units: units(sale, lines)?,
        restock: restock(sale, rma, lines)?,
        restore_coupons: whole && sale.policy.coupons != GivenBack::Never,
        restore_limits,
        entitlement,
    })
}

fn units(sale: &Sale, lines: &[InspectedLine]) -> Result<Vec<ItemUnits>, AfterSaleError> {
    let mut sums: BTreeMap<&Sku, Quantity> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(&sale.line(&line.line_id)?.sku).or_default();
        *sum = sum.checked_add(line.accepted)?;
    }
    let some = sums.into_iter().filter(|(_, quantity)| !quantity.is_zero());
    Ok(some.map(|(sku, quantity)| ItemUnits { sku: sku.clone(), quantity }).collect())
}

/// What never left its shelf has not to go back to one.
fn restock(sale: &Sale, rma: &Rma, lines: &[InspectedLine]) -> Result<Vec<ReturnedUnits>, AfterSaleError> {
    if rma.kind == RmaKind::BeforeShipping {
        return Ok(Vec::new());
    }
    let mut sums: BTreeMap<(&Sku, &LocationId, GoodsCondition), Quantity> = BTreeMap::new();
    for line in lines {
        if let Some(location) = line.location.as_ref().or(rma.document.return_to.as_ref()) {
            let sum = sums.entry((&sale.line(&line.line_id)?.sku, location, line.condition)).or_default();
            *sum = sum.checked_add(line.accepted)?;
        }
    }
    let some = sums.into_iter().filter(|(_, quantity)| !quantity.is_zero());
    Ok(some
        .map(|((sku, location, condition), quantity)| ReturnedUnits {
            sku: sku.clone(),
            location: location.clone(),
            quantity,
            condition,
        })
        .collect())
}
