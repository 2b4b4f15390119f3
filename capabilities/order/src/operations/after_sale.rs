//! `order.record_after_sale`, `order.record_refund`, `order.effects`: what happens to an order after the sale, and what the
//! sale has left behind for it.

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::{Call, CallContext, ReadOperation, Reply, StoreError, WriteOperation};
use mortise_store::{Reader, Tx};
use mortise_types::{Amount, OrderId, RmaId, Timestamp};

use super::look::Whose;
use crate::contract::{
    AfterSaleEntry, AfterSaleStage, Changed, Effects, GetInput, OrderUnknown, RecordAfterSaleInput,
    RecordRefundInput,
};
use crate::rules::{self, AfterSales, Entry, Order};
use crate::store::{self, Change, NewEntry, OrderKey, after_sale};

/// The code of `order.record_after_sale`.
pub(crate) struct RecordAfterSale;
/// The code of `order.record_refund`.
pub(crate) struct RecordRefund;
/// The code of `order.effects`.
pub(crate) struct ReadEffects;

fn key(context: &CallContext, order_id: &OrderId) -> OrderKey {
    (context.scope.tenant.clone(), order_id.clone())
}

/// The orders of a batch with their returns.
struct Batch {
    orders: BTreeMap<OrderKey, (Order, AfterSales)>,
    changed: BTreeMap<OrderKey, Timestamp>,
    entries: Vec<NewEntry>,
    returns: BTreeSet<(OrderKey, RmaId)>,
}

impl Batch {
    async fn load(tx: &Tx<'_>, keys: &BTreeSet<OrderKey>) -> Result<Batch, StoreError> {
        let found = store::load_orders(tx, keys).await?;
        let mut returns = after_sale::load_returns(tx, keys).await?;
        let orders = keys.iter().zip(found).filter_map(|(key, order)| {
            let returns = returns.remove(key).unwrap_or_default();
            Some((key.clone(), (order?, returns)))
        });
        let orders = orders.collect();
        Ok(Batch { orders, changed: BTreeMap::new(), entries: Vec::new(), returns: BTreeSet::new() })
    }

    /// An order that a return is of. That it is missing is no business "no".
    fn find(&mut self, key: &OrderKey) -> Result<&mut (Order, AfterSales), StoreError> {
        self.orders.get_mut(key).ok_or_else(|| store::no_order(&key.1))
    }

    fn book(
        &mut self,
        key: &OrderKey,
        rma_id: &RmaId,
        entry: Option<Entry>,
        now: Timestamp,
    ) -> Reply<Changed> {
        let applied = rules::applied(entry.as_ref());
        if let Some(entry) = entry {
            self.changed.insert(key.clone(), now);
            self.returns.insert((key.clone(), rma_id.clone()));
            self.entries.push(NewEntry { key: key.clone(), entry, now });
        }
        Reply::done(Changed { applied })
    }

    async fn save(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let orders = &self.orders;
        let changes: Vec<Change<'_>> = self
            .changed
            .iter()
            .filter_map(|(key, now)| Some(Change { key, order: &orders.get(key)?.0, now: *now }))
            .collect();
        store::save_orders(tx, &changes).await?;
        store::insert_entries(tx, &self.entries).await?;
        let rows: Vec<(OrderKey, RmaId, AfterSaleStage, Amount)> = self
            .returns
            .into_iter()
            .filter_map(|(key, rma_id)| {
                let (stage, refunded) = orders.get(&key)?.1.of(&rma_id)?;
                Some((key, rma_id, stage, refunded))
            })
            .collect();
        after_sale::put_returns(tx, &rows).await
    }
}

impl WriteOperation for RecordAfterSale {
    type Input = RecordAfterSaleInput;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RecordAfterSaleInput>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let keys = calls.iter().map(|call| key(&call.context, &call.input.order_id)).collect();
        let mut batch = Batch::load(tx, &keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for Call { context, input } in calls {
            let key = key(context, &input.order_id);
            let (order, returns) = batch.find(&key)?;
            let entry = order.record_after_sale(returns, &input.rma_id, input.stage);
            replies.push(batch.book(&key, &input.rma_id, entry, context.now));
        }
        batch.save(tx).await?;
        Ok(replies)
    }
}

impl WriteOperation for RecordRefund {
    type Input = RecordRefundInput;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RecordRefundInput>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let keys = calls.iter().map(|call| key(&call.context, &call.input.order_id)).collect();
        let mut batch = Batch::load(tx, &keys).await?;
        let payables = after_sale::payables(tx, &keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for Call { context, input } in calls {
            let key = key(context, &input.order_id);
            let payable = payables.get(&key).copied().unwrap_or_default();
            let (order, returns) = batch.find(&key)?;
            let entry = order
                .record_refund(returns, &input.rma_id, input.amount, payable)
                .map_err(|error| store::wrong(&input.order_id, error.into()))?;
            replies.push(batch.book(&key, &input.rma_id, entry, context.now));
        }
        batch.save(tx).await?;
        Ok(replies)
    }
}

impl ReadOperation for ReadEffects {
    type Input = GetInput;
    type Output = Effects;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<GetInput>],
    ) -> Result<Vec<Reply<Effects>>, StoreError> {
        let keys: Vec<OrderKey> = calls.iter().map(|call| key(&call.context, &call.input.order_id)).collect();
        let found = after_sale::left_behind(reader, &keys).await?;
        let payments = after_sale::payments(reader, &keys).await?;
        let mut returns = after_sale::load_returns(reader, &keys.iter().cloned().collect()).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for (((Call { context, input }, key), found), payments) in
            calls.iter().zip(&keys).zip(found).zip(payments)
        {
            let whose = Whose::of(context, input.customer_id.as_ref());
            let own = found.filter(|(customer, ..)| whose.includes(customer));
            let Some((_, reservation, delivered_at, placed_at)) = own else {
                let order_id = input.order_id.clone();
                replies.push(Reply::rejected("order_unknown", &OrderUnknown { order_id })?);
                continue;
            };
            let returns = returns.get_mut(key).map(std::mem::take).unwrap_or_default();
            let refunded = returns.refunded().map_err(|error| store::wrong(&key.1, error.into()))?;
            let entry = |(rma_id, stage, refunded): (&RmaId, AfterSaleStage, Amount)| AfterSaleEntry {
                rma_id: rma_id.clone(),
                stage,
                refunded,
            };
            let returns = returns.all().map(entry).collect();
            replies.push(Reply::done(Effects {
                payments,
                reservation,
                delivered_at,
                returnable_from: delivered_at.unwrap_or(placed_at),
                returns,
                refunded,
            }));
        }
        Ok(replies)
    }
}
