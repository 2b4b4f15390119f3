//! `order.get`, `order.list`, `order.timeline`: what an order is and what happened to it, to those whose it is.

use mortise_capability::{Call, CallContext, ReadOperation, Reply, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::{Amount, BusinessLine, Channel, CustomerId, OrderId, Parcel, PaymentId, Timestamp};

use crate::contract::{
    GetInput, ListInput, ListOutput, OrderSummary, OrderUnknown, OrderView, ParcelState, Statuses,
    TimelineEntry, TimelineInput, TimelineOutput,
};
use crate::rules::{ParcelProgress, state_of};
use crate::status::{AfterSaleStatus, Axis, FulfilmentStatus, OrderStatus, PaymentStatus};
use crate::store::{off, read};

const GET: Statement = Statement::pair(
    "order.get",
    "SELECT order_id, customer_id, business_line, channel, currency, payable,
            order_status, payment_status, fulfilment_status, after_sale_status,
            placed_at, changed_at, position, placement, payment_id, parcels
     FROM order_header WHERE tenant = ?1 AND order_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT order_id, customer_id, business_line, channel, currency, payable,
       order_status, payment_status, fulfilment_status, after_sale_status,
       placed_at, changed_at, position, placement, payment_id, parcels
       FROM order_header WHERE tenant = item.tenant AND order_id = item.order_id) AS found",
);
const DOCUMENTS: Statement = Statement::pair(
    "order.documents",
    "SELECT proof, parcels, ship_to FROM order_document WHERE tenant = ?1 AND placement = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, placement, n)
     CROSS JOIN LATERAL (
       SELECT proof, parcels, ship_to FROM order_document
       WHERE tenant = item.tenant AND placement = item.placement) AS found",
);
const LIST_OF_CUSTOMER: Statement = Statement::pair(
    "order.list_of_customer",
    "SELECT order_id, customer_id, business_line, channel, currency, payable,
            order_status, payment_status, fulfilment_status, after_sale_status,
            placed_at, changed_at, position, placement, payment_id, parcels
     FROM order_header WHERE tenant = ?1 AND customer_id = ?2 AND placement < ?3
     ORDER BY placement DESC LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, customer_id, placement, most, n)
     CROSS JOIN LATERAL (
       SELECT order_id, customer_id, business_line, channel, currency, payable,
       order_status, payment_status, fulfilment_status, after_sale_status,
       placed_at, changed_at, position, placement, payment_id, parcels
       FROM order_header
       WHERE tenant = item.tenant AND customer_id = item.customer_id AND placement < item.placement
       ORDER BY placement DESC LIMIT item.most) AS found",
);
/// The documents' key is by time; a cancelled placement's document belongs to no header any more.
const LIST: Statement = Statement::pair(
    "order.list",
    "SELECT h.order_id, h.customer_id, h.business_line, h.channel, h.currency, h.payable,
            h.order_status, h.payment_status, h.fulfilment_status, h.after_sale_status,
            h.placed_at, h.changed_at, h.position, h.placement, h.payment_id, h.parcels
     FROM order_document d CROSS JOIN order_header h
     WHERE d.tenant = ?1 AND d.placement < ?2
       AND h.tenant = d.tenant AND h.order_id = d.order_id AND h.placement = d.placement
     ORDER BY d.placement DESC LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, placement, most, n)
     CROSS JOIN LATERAL (
       SELECT h.order_id, h.customer_id, h.business_line, h.channel, h.currency, h.payable,
       h.order_status, h.payment_status, h.fulfilment_status, h.after_sale_status,
       h.placed_at, h.changed_at, h.position, h.placement, h.payment_id, h.parcels
       FROM order_document d CROSS JOIN order_header h
       WHERE d.tenant = item.tenant AND d.placement < item.placement
       AND h.tenant = d.tenant AND h.order_id = d.order_id AND h.placement = d.placement
       ORDER BY d.placement DESC LIMIT item.most) AS found",
);
const TIMELINE: Statement = Statement::pair(
    "order.timeline",
    "SELECT position, axis, from_status, to_status, subject, note, at FROM order_timeline
     WHERE tenant = ?1 AND order_id = ?2 AND position > ?3 ORDER BY position LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, order_id, position, most, n)
     CROSS JOIN LATERAL (
       SELECT position, axis, from_status, to_status, subject, note, at FROM order_timeline
       WHERE tenant = item.tenant AND order_id = item.order_id AND position > item.position
       ORDER BY position LIMIT item.most) AS found",
);

/// Greater than every placement: those are hexadecimal digits and dashes.
const FROM_THE_LATEST: &str = "~";

type Columns = (
    OrderId,
    CustomerId,
    BusinessLine,
    Channel,
    String,
    Amount,
    OrderStatus,
    PaymentStatus,
    FulfilmentStatus,
    AfterSaleStatus,
    Timestamp,
    Timestamp,
    i64,
    String,
    Option<PaymentId>,
    String,
);

/// Whose orders a call may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose<'a> {
    /// Of the whole shop: no customer asks.
    Anybodys,
    /// Of one customer.
    Only(&'a CustomerId),
    /// A signed-in customer asks for another's.
    Nobodys,
}

impl<'a> Whose<'a> {
    /// What a call asks for, narrowed to what its caller may see.
    pub(crate) fn of(context: &'a CallContext, asked: Option<&'a CustomerId>) -> Whose<'a> {
        match (context.caller.as_ref(), asked) {
            (None, None) => Whose::Anybodys,
            (Some(caller), Some(asked)) if caller != asked => Whose::Nobodys,
            (Some(customer), _) | (None, Some(customer)) => Whose::Only(customer),
        }
    }

    pub(crate) fn includes(self, customer: &CustomerId) -> bool {
        match self {
            Whose::Anybodys => true,
            Whose::Only(only) => only == customer,
            Whose::Nobodys => false,
        }
    }
}

fn summary(columns: &Columns) -> Result<OrderSummary, StoreError> {
    let (order_id, customer_id, business_line, channel, currency, payable, ..) = columns;
    let (.., placed_at, changed_at, position, _, _, _) = columns;
    let statuses =
        Statuses { order: columns.6, payment: columns.7, fulfilment: columns.8, after_sale: columns.9 };
    Ok(OrderSummary {
        order_id: order_id.clone(),
        customer_id: customer_id.clone(),
        business_line: business_line.clone(),
        channel: channel.clone(),
        currency: currency.parse().map_err(off)?,
        payable: *payable,
        state: state_of(&statuses),
        statuses,
        placed_at: *placed_at,
        changed_at: *changed_at,
        position: *position,
    })
}

fn unknown<O>(order_id: &OrderId) -> Result<Reply<O>, StoreError> {
    Reply::rejected("order_unknown", &OrderUnknown { order_id: order_id.clone() })
}

async fn headers<'a>(
    reader: &Reader<'_>,
    keys: impl Iterator<Item = (&'a CallContext, &'a OrderId)>,
) -> Result<Vec<Option<Columns>>, StoreError> {
    reader.fetch_optional(&GET, keys.map(|(context, order_id)| (&context.scope.tenant, order_id))).await
}

/// `order.get`.
pub(crate) struct Get;

impl ReadOperation for Get {
    type Input = GetInput;
    type Output = OrderView;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<GetInput>],
    ) -> Result<Vec<Reply<OrderView>>, StoreError> {
        let keys = calls.iter().map(|call| (&*call.context, &call.input.order_id));
        let found = headers(reader, keys).await?;
        let placements = calls.iter().zip(&found).map(|(call, columns)| {
            let placement = columns.as_ref().map_or("", |columns| columns.13.as_str());
            (&call.context.scope.tenant, placement)
        });
        let documents: Vec<Option<(String, String, String)>> =
            reader.fetch_optional(&DOCUMENTS, placements).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for ((call, columns), documents) in calls.iter().zip(&found).zip(documents) {
            let whose = Whose::of(&call.context, call.input.customer_id.as_ref());
            let Some(columns) = columns.as_ref().filter(|columns| whose.includes(&columns.1)) else {
                replies.push(unknown(&call.input.order_id)?);
                continue;
            };
            let documents =
                documents.ok_or_else(|| off(format!("{} has no documents", call.input.order_id)))?;
            replies.push(Reply::done(view(columns, &documents)?));
        }
        Ok(replies)
    }
}

fn view(
    columns: &Columns,
    (proof, parcels, ship_to): &(String, String, String),
) -> Result<OrderView, StoreError> {
    let progress: Vec<ParcelProgress> = read(&columns.15)?;
    let parcels: Vec<Parcel> = read(parcels)?;
    let parcels = parcels.into_iter().map(|parcel| {
        let found = progress.iter().find(|ParcelProgress(id, _)| *id == parcel.parcel_id);
        ParcelState {
            status: found.map_or(FulfilmentStatus::None, |ParcelProgress(_, status)| *status),
            parcel_id: parcel.parcel_id,
            location: parcel.location,
            items: parcel.items,
        }
    });
    Ok(OrderView {
        summary: summary(columns)?,
        payment_id: columns.14.clone(),
        proof: read(proof)?,
        parcels: parcels.collect(),
        ship_to: read(ship_to)?,
    })
}

/// `order.list`.
pub(crate) struct List;

impl ReadOperation for List {
    type Input = ListInput;
    type Output = ListOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ListInput>],
    ) -> Result<Vec<Reply<ListOutput>>, StoreError> {
        let whose = |call| whose_list(call);
        let all = calls.iter().filter(|call| whose(call) == Whose::Anybodys).map(|call| {
            (&call.context.scope.tenant, begin(&call.input), page_size(&call.input).saturating_add(1))
        });
        let mut all = reader.fetch_grouped(&LIST, all).await?.into_iter();
        let one = calls.iter().filter_map(|call| match whose_list(call) {
            Whose::Only(customer) => {
                let more = page_size(&call.input).saturating_add(1);
                Some((&call.context.scope.tenant, customer, begin(&call.input), more))
            }
            Whose::Anybodys | Whose::Nobodys => None,
        });
        let mut one = reader.fetch_grouped(&LIST_OF_CUSTOMER, one).await?.into_iter();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let rows: Vec<Columns> = match whose_list(call) {
                Whose::Anybodys => all.next(),
                Whose::Only(_) => one.next(),
                Whose::Nobodys => None,
            }
            .unwrap_or_default();
            replies.push(Reply::done(page(&call.input, rows)?));
        }
        Ok(replies)
    }
}

fn whose_list(call: &Call<ListInput>) -> Whose<'_> {
    Whose::of(&call.context, call.input.customer_id.as_ref())
}

fn begin(input: &ListInput) -> &str {
    input.cursor.as_deref().unwrap_or(FROM_THE_LATEST)
}

fn page_size(input: &ListInput) -> i64 {
    input.limit.clamp(1, 200)
}

fn page(input: &ListInput, mut rows: Vec<Columns>) -> Result<ListOutput, StoreError> {
    let size = usize::try_from(page_size(input)).unwrap_or_default();
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|columns| columns.13.clone());
    Ok(ListOutput { orders: rows.iter().map(summary).collect::<Result<_, _>>()?, next })
}

/// `order.timeline`.
pub(crate) struct Timeline;

impl ReadOperation for Timeline {
    type Input = TimelineInput;
    type Output = TimelineOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<TimelineInput>],
    ) -> Result<Vec<Reply<TimelineOutput>>, StoreError> {
        let keys = calls.iter().map(|call| (&*call.context, &call.input.order_id));
        let found = headers(reader, keys).await?;
        let params = calls.iter().map(|call| {
            let TimelineInput { order_id, after, limit, .. } = &call.input;
            (&call.context.scope.tenant, order_id, *after, (*limit).clamp(1, 500))
        });
        type Row = (i64, Axis, String, String, Option<String>, Option<String>, Timestamp);
        let groups: Vec<Vec<Row>> = reader.fetch_grouped(&TIMELINE, params).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for ((call, columns), rows) in calls.iter().zip(&found).zip(groups) {
            let whose = Whose::of(&call.context, call.input.customer_id.as_ref());
            let Some(columns) = columns.as_ref().filter(|columns| whose.includes(&columns.1)) else {
                replies.push(unknown(&call.input.order_id)?);
                continue;
            };
            let entries = rows.into_iter().map(|(position, axis, from, to, subject, note, at)| {
                TimelineEntry { position, axis, from, to, subject, note, at }
            });
            let summary = summary(columns)?;
            replies.push(Reply::done(TimelineOutput {
                entries: entries.collect(),
                position: summary.position,
                state: summary.state,
            }));
        }
        Ok(replies)
    }
}
