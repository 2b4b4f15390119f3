//! An order's header, documents and timeline: loaded and saved for a whole batch. It decides nothing.

pub(crate) mod after_sale;

use std::collections::BTreeSet;

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{CustomerId, OrderId, PaymentId, TenantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::contract::{PlaceInput, Statuses};
use crate::rules::{Entry, Order, OrderError, ParcelProgress};
use crate::status::{AfterSaleStatus, FulfilmentStatus, OrderStatus, PaymentStatus};

/// Changes nothing where the order exists: how many rows it changed says so, without a look before.
const NEW_HEADER: Statement = Statement::pair(
    "order.new_header",
    "INSERT INTO order_header
       (tenant, order_id, placement, customer_id, business_line, channel, currency, payable,
        order_status, payment_status, fulfilment_status, after_sale_status, parcels, position, placed_at, changed_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open', 'due', 'none', 'none', ?9, 1, ?10, ?10)
     ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY
          AS item (tenant, order_id, placement, customer_id, business_line, channel, currency, payable,
                  parcels, placed_at, n)),
     added AS (
       INSERT INTO order_header (tenant, order_id, placement, customer_id, business_line, channel, currency,
              payable, order_status, payment_status, fulfilment_status, after_sale_status, parcels,
              position, placed_at, changed_at)
       SELECT tenant, order_id, placement, customer_id, business_line, channel, currency, payable, 'open',
              'due', 'none', 'none', parcels, 1, placed_at, placed_at FROM item ORDER BY tenant, order_id, n
       ON CONFLICT DO NOTHING RETURNING tenant, order_id)
     SELECT min(n) FROM item WHERE ((tenant, order_id) IN (TABLE added)) IS TRUE GROUP BY tenant, order_id",
);
const REPLACE_HEADER: Statement = Statement::pair(
    "order.replace_header",
    "UPDATE order_header
     SET placement = ?3, customer_id = ?4, business_line = ?5, channel = ?6, currency = ?7, payable = ?8,
         order_status = 'open', payment_status = 'due', fulfilment_status = 'none', after_sale_status = 'none',
         parcels = ?9, payment_id = NULL, cancel_requested_at = NULL, position = ?11, placed_at = ?10, changed_at = ?10
     WHERE tenant = ?1 AND order_id = ?2",
    "UPDATE order_header t SET placement = item.placement, customer_id = item.customer_id,
         business_line = item.business_line, channel = item.channel, currency = item.currency,
         payable = item.payable, order_status = 'open', payment_status = 'due',
         fulfilment_status = 'none', after_sale_status = 'none', parcels = item.parcels,
         payment_id = NULL, cancel_requested_at = NULL, position = item.position,
         placed_at = item.placed_at, changed_at = item.placed_at
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) WITH ORDINALITY
       AS item (tenant, order_id, placement, customer_id, business_line, channel, currency, payable,
               parcels, placed_at, position, n)
     WHERE t.tenant = item.tenant AND t.order_id = item.order_id
     RETURNING item.n",
);
const NEW_DOCUMENT: Statement = Statement::pair(
    "order.new_document",
    "INSERT INTO order_document (tenant, placement, order_id, proof, parcels, ship_to, reservation)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    "INSERT INTO order_document (tenant, placement, order_id, proof, parcels, ship_to, reservation)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) ORDER BY 1, 2",
);
const NEW_ENTRY: Statement = Statement::pair(
    "order.new_entry",
    "INSERT INTO order_timeline (tenant, order_id, position, axis, from_status, to_status, subject, note, at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    "INSERT INTO order_timeline (tenant, order_id, position, axis, from_status, to_status, subject, note, at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY 1, 2, 3",
);
const STANDING: Statement = Statement::pair(
    "order.standing",
    "SELECT customer_id, order_status, payment_status, fulfilment_status, after_sale_status, parcels, payment_id,
            cancel_requested_at, position
     FROM order_header WHERE tenant = ?1 AND order_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT customer_id, order_status, payment_status, fulfilment_status, after_sale_status, parcels,
         payment_id,
       cancel_requested_at, position
       FROM order_header WHERE tenant = item.tenant AND order_id = item.order_id) AS found",
);
const CHANGE_HEADER: Statement = Statement::pair(
    "order.change_header",
    "UPDATE order_header
     SET order_status = ?3, payment_status = ?4, fulfilment_status = ?5, after_sale_status = ?6, parcels = ?7,
         payment_id = ?8, cancel_requested_at = ?9, position = ?10, changed_at = ?11
     WHERE tenant = ?1 AND order_id = ?2",
    "UPDATE order_header t SET order_status = item.order_status, payment_status = item.payment_status,
         fulfilment_status = item.fulfilment_status, after_sale_status = item.after_sale_status,
         parcels = item.parcels, payment_id = item.payment_id,
         cancel_requested_at = item.cancel_requested_at, position = item.position,
         changed_at = item.changed_at
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) WITH ORDINALITY
       AS item (tenant, order_id, order_status, payment_status, fulfilment_status, after_sale_status,
               parcels, payment_id, cancel_requested_at, position, changed_at, n)
     WHERE t.tenant = item.tenant AND t.order_id = item.order_id
     RETURNING item.n",
);

pub(crate) fn off(problem: impl std::fmt::Display) -> StoreError {
    StoreError::Value(format!("order: {problem}"))
}

/// What is wrong with one order, for who asks and the person whom its trade is put before.
pub(crate) fn wrong(order_id: &OrderId, error: OrderError) -> StoreError {
    let problem = format!("order {order_id}: {error}");
    match error {
        OrderError::Transition { .. } | OrderError::NoParcel(_) => StoreError::Conflict(problem),
        OrderError::Proof(_) | OrderError::Parcels { .. } => StoreError::Contradiction(problem),
        OrderError::Arithmetic(_) => StoreError::Value(problem),
    }
}

pub(crate) fn no_order(order_id: &OrderId) -> StoreError {
    StoreError::Conflict(format!("there is no order `{order_id}`"))
}

pub(crate) fn written<T: Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(off)
}

pub(crate) fn read<T: DeserializeOwned>(document: &str) -> Result<T, StoreError> {
    serde_json::from_str(document).map_err(off)
}

/// An order's place.
pub(crate) type OrderKey = (TenantId, OrderId);

type StandingColumns = (
    CustomerId,
    OrderStatus,
    PaymentStatus,
    FulfilmentStatus,
    AfterSaleStatus,
    String,
    Option<PaymentId>,
    Option<Timestamp>,
    i64,
);

/// The orders at `keys`, in their order; none where there is none.
pub(crate) async fn load_orders(
    reader: &Reader<'_>,
    keys: &BTreeSet<OrderKey>,
) -> Result<Vec<Option<Order>>, StoreError> {
    let found: Vec<Option<StandingColumns>> =
        reader.fetch_optional(&STANDING, keys.iter().map(|key| (&key.0, &key.1))).await?;
    found.into_iter().map(|row| row.map(order).transpose()).collect()
}

fn order(columns: StandingColumns) -> Result<Order, StoreError> {
    let (
        customer_id,
        order,
        payment,
        fulfilment,
        after_sale,
        parcels,
        payment_id,
        cancel_requested_at,
        position,
    ) = columns;
    Ok(Order {
        customer_id,
        statuses: Statuses { order, payment, fulfilment, after_sale },
        parcels: read(&parcels)?,
        payment_id,
        cancel_requested_at,
        position,
    })
}

/// What changed of an order.
pub(crate) struct Change<'a> {
    pub(crate) key: &'a OrderKey,
    pub(crate) order: &'a Order,
    pub(crate) now: Timestamp,
}

/// Writes the changed orders: one statement an order, however many calls of the batch were about it.
pub(crate) async fn save_orders(tx: &mut Tx<'_>, changes: &[Change<'_>]) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(changes.len());
    for Change { key, order, now } in changes {
        let Statuses { order: standing, payment, fulfilment, after_sale } = order.statuses;
        let parcels = written(&order.parcels)?;
        let (payment_id, wish) = (&order.payment_id, order.cancel_requested_at);
        let (tenant, order_id) = (&key.0, &key.1);
        let statuses = (standing, payment, fulfilment, after_sale);
        rows.push((
            tenant,
            order_id,
            statuses.0,
            statuses.1,
            statuses.2,
            statuses.3,
            parcels,
            payment_id,
            wish,
            order.position,
            *now,
        ));
    }
    tx.execute(&CHANGE_HEADER, rows).await.map(drop)
}

/// An entry of an order's timeline, to be written.
pub(crate) struct NewEntry {
    pub(crate) key: OrderKey,
    pub(crate) entry: Entry,
    pub(crate) now: Timestamp,
}

pub(crate) async fn insert_entries(tx: &mut Tx<'_>, entries: &[NewEntry]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows = entries.iter().map(|NewEntry { key, entry, now }| {
        let Entry { position, axis, from, to, subject, note } = entry;
        (&key.0, &key.1, *position, *axis, *from, *to, subject, note, *now)
    });
    tx.execute(&NEW_ENTRY, rows).await.map(drop)
}

/// An order to store.
pub(crate) struct NewOrder<'a> {
    pub(crate) context: &'a mortise_capability::CallContext,
    pub(crate) input: &'a PlaceInput,
    /// Time-ordered: orders are listed by it.
    pub(crate) placement: String,
    pub(crate) parcels: Vec<ParcelProgress>,
}

/// Inserts headers where there are none, and says for each whether it was.
pub(crate) async fn insert_headers(
    tx: &mut Tx<'_>,
    orders: &[NewOrder<'_>],
) -> Result<Vec<bool>, StoreError> {
    let mut rows = Vec::with_capacity(orders.len());
    for NewOrder { context, input, placement, parcels } in orders {
        let scope = &context.scope;
        let parcels = written(parcels)?;
        rows.push((
            &scope.tenant,
            &input.order_id,
            placement,
            &input.customer_id,
            &scope.line,
            &scope.channel,
            input.currency.code(),
            input.proof.payable,
            parcels,
            context.now,
        ));
    }
    let changed = tx.execute(&NEW_HEADER, rows).await?;
    Ok(changed.into_iter().map(|rows| rows > 0).collect())
}

/// Replaces the header of a cancelled order by that of its new placement.
pub(crate) async fn replace_header(
    tx: &mut Tx<'_>,
    new: &NewOrder<'_>,
    position: i64,
) -> Result<(), StoreError> {
    let NewOrder { context, input, placement, parcels } = new;
    let (scope, parcels) = (&context.scope, written(parcels)?);
    let row = (
        &scope.tenant,
        &input.order_id,
        placement,
        &input.customer_id,
        &scope.line,
        &scope.channel,
        input.currency.code(),
        input.proof.payable,
        parcels,
        context.now,
        position,
    );
    tx.execute(&REPLACE_HEADER, [row]).await.map(drop)
}

pub(crate) async fn insert_documents(tx: &mut Tx<'_>, orders: &[&NewOrder<'_>]) -> Result<(), StoreError> {
    if orders.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(orders.len());
    for NewOrder { context, input, placement, .. } in orders {
        let documents = (written(&input.proof)?, written(&input.parcels)?, written(&input.ship_to)?);
        let (proof, parcels, ship_to) = documents;
        let hold = &input.reservation;
        rows.push((&context.scope.tenant, placement, &input.order_id, proof, parcels, ship_to, hold));
    }
    tx.execute(&NEW_DOCUMENT, rows).await.map(drop)
}
