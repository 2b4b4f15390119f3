//! The operations that change an order: each decides in memory, in the order of the batch, and writes an order once.

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::{Call, CallContext, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Applied, CustomerId, OrderId, Timestamp};

use super::look::Whose;
use crate::contract::{
    CancelRequested, Changed, ConfirmPaymentInput, DeliveryProgress, Ended, FulfilmentProgress,
    NotCancellable, OrderRef, OrderUnknown, Paid, PaymentProgress, PaymentRefused, RecordDeliveryInput,
    RecordFulfilmentInput, RecordPaymentInput, RequestCancelInput,
};
use crate::rules::{self, Entry, Order};
use crate::status::{FulfilmentStatus, PaymentStatus};
use crate::store::{self, Change, NewEntry, OrderKey};

type Replied = Result<Reply<Changed>, StoreError>;

/// The orders that a batch is about.
struct Orders {
    orders: BTreeMap<OrderKey, Option<Order>>,
    changed: BTreeMap<OrderKey, Timestamp>,
    entries: Vec<NewEntry>,
}

impl Orders {
    async fn load<I>(
        tx: &Tx<'_>,
        calls: &[Call<I>],
        order_id: impl Fn(&I) -> &OrderId,
    ) -> Result<Orders, StoreError> {
        let keys: BTreeSet<OrderKey> =
            calls.iter().map(|call| key(&call.context, order_id(&call.input))).collect();
        let found = store::load_orders(tx, &keys).await?;
        let orders = keys.into_iter().zip(found).collect();
        Ok(Orders { orders, changed: BTreeMap::new(), entries: Vec::new() })
    }

    fn find(&mut self, context: &CallContext, order_id: &OrderId) -> Option<&mut Order> {
        self.orders.get_mut(&key(context, order_id)).and_then(Option::as_mut)
    }

    /// An order that the trade has placed. That it is missing is no business "no".
    fn placed(&mut self, context: &CallContext, order_id: &OrderId) -> Result<&mut Order, StoreError> {
        self.find(context, order_id).ok_or_else(|| store::no_order(order_id))
    }

    fn book(&mut self, context: &CallContext, order_id: &OrderId, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            let key = key(context, order_id);
            self.changed.insert(key.clone(), context.now);
            self.entries.push(NewEntry { key, entry, now: context.now });
        }
    }

    async fn save(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let orders = &self.orders;
        let changes: Vec<Change<'_>> = self
            .changed
            .iter()
            .filter_map(|(key, now)| {
                let order = orders.get(key).and_then(Option::as_ref)?;
                Some(Change { key, order, now: *now })
            })
            .collect();
        store::save_orders(tx, &changes).await?;
        store::insert_entries(tx, &self.entries).await
    }
}

fn key(context: &CallContext, order_id: &OrderId) -> OrderKey {
    (context.scope.tenant.clone(), order_id.clone())
}

/// One change of an order: what it is given, and what it does to the orders of a batch.
pub(crate) trait Command: Send + Sync + 'static {
    type Input: serde::de::DeserializeOwned + schemars::JsonSchema;

    fn order_id(input: &Self::Input) -> &OrderId;
    fn decide(orders: &mut OrdersOf<'_>, input: &Self::Input) -> Replied;
}

/// The orders of a batch, to one call.
pub(crate) struct OrdersOf<'a> {
    orders: &'a mut Orders,
    context: &'a CallContext,
}

/// Runs a command on a batch.
pub(crate) struct Run<C>(pub(crate) C);

impl<C: Command> WriteOperation for Run<C> {
    type Input = C::Input;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<C::Input>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let mut orders = Orders::load(tx, calls, C::order_id).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let mut of = OrdersOf { orders: &mut orders, context: &call.context };
            replies.push(C::decide(&mut of, &call.input)?);
        }
        orders.save(tx).await?;
        Ok(replies)
    }
}

fn changed(applied: Applied) -> Reply<Changed> {
    Reply::done(Changed { applied })
}

/// `order.confirm_payment`.
pub(crate) struct ConfirmPayment;

impl Command for ConfirmPayment {
    type Input = ConfirmPaymentInput;

    fn order_id(input: &ConfirmPaymentInput) -> &OrderId {
        &input.order_id
    }

    fn decide(of: &mut OrdersOf<'_>, input: &ConfirmPaymentInput) -> Replied {
        let order = of.orders.placed(of.context, &input.order_id)?;
        let entry = order
            .confirm_payment(&input.payment_id, input.terms)
            .map_err(|error| store::wrong(&input.order_id, error))?;
        let applied = rules::applied(entry.as_ref());
        let settled = entry.as_ref().is_some_and(|entry| entry.from != entry.to);
        of.orders.book(of.context, &input.order_id, entry);
        if !settled {
            return Ok(changed(applied));
        }
        let (order_id, payment_id) = (input.order_id.clone(), input.payment_id.clone());
        emit_once(applied, "order.paid", || Paid { order_id, payment_id, terms: input.terms })
    }
}

fn emit_once<P: serde::Serialize>(applied: Applied, event: &str, payload: impl FnOnce() -> P) -> Replied {
    match applied {
        Applied::Now => changed(applied).emit(event, &payload()),
        Applied::Already => Ok(changed(applied)),
    }
}

/// `order.record_payment`.
pub(crate) struct RecordPayment;

impl Command for RecordPayment {
    type Input = RecordPaymentInput;

    fn order_id(input: &RecordPaymentInput) -> &OrderId {
        &input.order_id
    }

    fn decide(of: &mut OrdersOf<'_>, input: &RecordPaymentInput) -> Replied {
        let to = match input.status {
            PaymentProgress::Paid => PaymentStatus::Paid,
            PaymentProgress::Collected => PaymentStatus::Collected,
            PaymentProgress::Remitted => PaymentStatus::Remitted,
            PaymentProgress::Refunded => PaymentStatus::Refunded,
            PaymentProgress::DepositPaid => PaymentStatus::DepositPaid,
            PaymentProgress::DepositForfeited => PaymentStatus::DepositForfeited,
        };
        let order_id = input.order_id.clone();
        let Some(order) = of.orders.find(of.context, &order_id) else {
            return Reply::rejected("order_unknown", &OrderUnknown { order_id });
        };
        match order.record_payment(to, input.payment_id.as_ref()) {
            Err(from) => Reply::rejected("payment_status_refused", &PaymentRefused { order_id, from, to }),
            Ok(entry) => {
                let applied = rules::applied(entry.as_ref());
                of.orders.book(of.context, &order_id, entry);
                Ok(changed(applied))
            }
        }
    }
}

/// `order.record_fulfilment`.
pub(crate) struct RecordFulfilment;

impl Command for RecordFulfilment {
    type Input = RecordFulfilmentInput;

    fn order_id(input: &RecordFulfilmentInput) -> &OrderId {
        &input.order_id
    }

    fn decide(of: &mut OrdersOf<'_>, input: &RecordFulfilmentInput) -> Replied {
        let status = match input.status {
            FulfilmentProgress::Requested => FulfilmentStatus::Requested,
            FulfilmentProgress::Packed => FulfilmentStatus::Packed,
            FulfilmentProgress::HandedOver => FulfilmentStatus::HandedOver,
        };
        record_parcel(of, &input.order_id, &input.parcel_id, status)
    }
}

/// `order.record_delivery`.
pub(crate) struct RecordDelivery;

impl Command for RecordDelivery {
    type Input = RecordDeliveryInput;

    fn order_id(input: &RecordDeliveryInput) -> &OrderId {
        &input.order_id
    }

    fn decide(of: &mut OrdersOf<'_>, input: &RecordDeliveryInput) -> Replied {
        let status = match input.status {
            DeliveryProgress::InTransit => FulfilmentStatus::InTransit,
            DeliveryProgress::Delivered => FulfilmentStatus::Delivered,
            DeliveryProgress::Undeliverable => FulfilmentStatus::Undeliverable,
            DeliveryProgress::Returned => FulfilmentStatus::Returned,
        };
        record_parcel(of, &input.order_id, &input.parcel_id, status)
    }
}

fn record_parcel(
    of: &mut OrdersOf<'_>,
    order_id: &OrderId,
    parcel_id: &mortise_types::ParcelId,
    status: FulfilmentStatus,
) -> Replied {
    let order = of.orders.placed(of.context, order_id)?;
    let entry = order.record_parcel(parcel_id, status).map_err(|error| store::wrong(order_id, error))?;
    let applied = rules::applied(entry.as_ref());
    of.orders.book(of.context, order_id, entry);
    Ok(changed(applied))
}

/// `order.complete`.
pub(crate) struct Complete;

impl Command for Complete {
    type Input = OrderRef;

    fn order_id(input: &OrderRef) -> &OrderId {
        &input.order_id
    }

    fn decide(of: &mut OrdersOf<'_>, input: &OrderRef) -> Replied {
        let order = of.orders.placed(of.context, &input.order_id)?;
        let customer_id = order.customer_id.clone();
        let entry = order.complete().map_err(|error| store::wrong(&input.order_id, error))?;
        let applied = rules::applied(entry.as_ref());
        of.orders.book(of.context, &input.order_id, entry);
        emit_once(applied, "order.completed", || ended(&input.order_id, customer_id))
    }
}

fn ended(order_id: &OrderId, customer_id: CustomerId) -> Ended {
    Ended { order_id: order_id.clone(), customer_id }
}

/// `order.cancel`: the undo of placing. It tolerates an order that was never placed, or has ended.
pub(crate) struct Cancel;

impl Command for Cancel {
    type Input = OrderRef;

    fn order_id(input: &OrderRef) -> &OrderId {
        &input.order_id
    }

    fn decide(of: &mut OrdersOf<'_>, input: &OrderRef) -> Replied {
        let Some(order) = of.orders.find(of.context, &input.order_id) else {
            return Ok(changed(Applied::Already));
        };
        let customer_id = order.customer_id.clone();
        let entries = order.cancel();
        let applied = rules::applied(entries.first());
        of.orders.book(of.context, &input.order_id, entries);
        emit_once(applied, "order.cancelled", || ended(&input.order_id, customer_id))
    }
}

/// `order.request_cancel`.
pub(crate) struct RequestCancel;

impl Command for RequestCancel {
    type Input = RequestCancelInput;

    fn order_id(input: &RequestCancelInput) -> &OrderId {
        &input.order_id
    }

    fn decide(of: &mut OrdersOf<'_>, input: &RequestCancelInput) -> Replied {
        let order_id = input.order_id.clone();
        let whose = Whose::of(of.context, input.customer_id.as_ref());
        let found = of.orders.find(of.context, &order_id);
        let Some(order) = found.filter(|order| whose.includes(&order.customer_id)) else {
            return Reply::rejected("order_unknown", &OrderUnknown { order_id });
        };
        match order.request_cancel(input.reason.as_deref(), input.until, of.context.now) {
            Err(state) => Reply::rejected("not_cancellable", &NotCancellable { order_id, state }),
            Ok(entry) => {
                let applied = rules::applied(entry.as_ref());
                of.orders.book(of.context, &order_id, entry);
                let reason = input.reason.clone();
                emit_once(applied, "order.cancel_requested", || CancelRequested { order_id, reason })
            }
        }
    }
}
