//! `inventory.import_stock` sets what is on hand, in bulk; `inventory.adjust` changes it, with reasons. Both book every
//! difference as a movement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{IdSource, LocationId, Quantity, TenantId, Timestamp};

use crate::contract::{
    AdjustInput, AdjustmentReason, AdjustmentRow, BelowZero, ImportStockInput, Imported, StockRow,
    UnknownLocation,
};
use crate::rules::StockError;
use crate::rules::stock::{Book, StockKey};
use crate::store::{self, NewMovement};

const LOCATION: Statement = Statement::pair(
    "inventory.location",
    "SELECT location FROM inventory_location WHERE tenant = ?1 AND location = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, location, n)
     CROSS JOIN LATERAL (
       SELECT location FROM inventory_location WHERE tenant = item.tenant AND location = item.location) AS found",
);
/// Runs before the row is set: what is booked is the difference to what stands there.
const BOOK_IMPORT: Statement = Statement::pair(
    "inventory.book_import",
    "INSERT INTO inventory_movement (tenant, sku, location, entry, n, delta, reason, reference, at)
     SELECT ?1, ?2, ?3, ?4, 0, moved.delta, 'import', NULL, ?6
     FROM (SELECT ?5 - coalesce(
         (SELECT on_hand FROM inventory_stock WHERE tenant = ?1 AND sku = ?2 AND location = ?3), 0) AS delta) AS moved
     WHERE moved.delta <> 0",
    "WITH item AS (
       SELECT item.*, item.on_hand - coalesce((SELECT s.on_hand FROM inventory_stock s
         WHERE s.tenant = item.tenant AND s.sku = item.sku AND s.location = item.location), 0) AS delta
       FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY AS item (tenant, sku, location, entry, on_hand, at, n)),
     added AS (
       INSERT INTO inventory_movement (tenant, sku, location, entry, n, delta, reason, reference, at)
       SELECT tenant, sku, location, entry, 0, delta, 'import', NULL, at FROM item WHERE delta <> 0
       ORDER BY tenant, sku, location)
     SELECT n FROM item WHERE delta <> 0",
);
const SET_STOCK: Statement = Statement::pair(
    "inventory.set_stock",
    "INSERT INTO inventory_stock (tenant, sku, location, on_hand, reserved, claimed, threshold)
     VALUES (?1, ?2, ?3, ?4, 0, 0, ?5)
     ON CONFLICT (tenant, sku, location) DO UPDATE SET on_hand = excluded.on_hand, threshold = excluded.threshold",
    "INSERT INTO inventory_stock (tenant, sku, location, on_hand, reserved, claimed, threshold)
     SELECT DISTINCT ON (tenant, sku, location) tenant, sku, location, on_hand, 0, 0, threshold
     FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, sku, location, on_hand, threshold, n)
     ORDER BY tenant, sku, location, n DESC
     ON CONFLICT (tenant, sku, location)
       DO UPDATE SET on_hand = excluded.on_hand, threshold = excluded.threshold",
);

pub(crate) struct ImportStock {
    pub(crate) ids: Arc<dyn IdSource>,
}

impl WriteOperation for ImportStock {
    type Input = ImportStockInput;
    type Output = Imported;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportStockInput>],
    ) -> Result<Vec<Reply<Imported>>, StoreError> {
        let known = known_locations(tx, calls, |input| input.rows.iter().map(|row| &row.location)).await?;
        let mut replies = Vec::with_capacity(calls.len());
        // By key, so that pages are met in order and the last row of a key holds.
        let mut rows: BTreeMap<(&TenantId, &str, &str), (&StockRow, Timestamp)> = BTreeMap::new();
        for call in calls {
            let tenant = &call.context.scope.tenant;
            let missing = call.input.rows.iter().find(|row| !known.contains(&(tenant, &row.location)));
            if let Some(row) = missing {
                let detail = UnknownLocation { location: row.location.clone() };
                replies.push(Reply::rejected("unknown_location", &detail)?);
                continue;
            }
            for row in &call.input.rows {
                rows.insert((tenant, row.sku.as_str(), row.location.as_str()), (row, call.context.now));
            }
            replies.push(Reply::done(Imported { rows: call.input.rows.len() as i64 }));
        }
        if rows.is_empty() {
            return Ok(replies);
        }
        let entry = self.ids.next().to_string();
        let booked = rows.iter().map(|((tenant, ..), (row, now))| {
            (*tenant, &row.sku, &row.location, entry.as_str(), row.on_hand, *now)
        });
        tx.execute(&BOOK_IMPORT, booked).await?;
        let set = rows
            .iter()
            .map(|((tenant, ..), (row, _))| (*tenant, &row.sku, &row.location, row.on_hand, row.threshold));
        tx.execute(&SET_STOCK, set).await?;
        Ok(replies)
    }
}

pub(crate) struct Adjust {
    pub(crate) ids: Arc<dyn IdSource>,
}

impl WriteOperation for Adjust {
    type Input = AdjustInput;
    type Output = Imported;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<AdjustInput>],
    ) -> Result<Vec<Reply<Imported>>, StoreError> {
        let known = known_locations(tx, calls, |input| input.rows.iter().map(|row| &row.location)).await?;
        let keys = calls
            .iter()
            .flat_map(|call| call.input.rows.iter().map(|row| row_key(&call.context.scope.tenant, row)));
        let mut book = store::load_book(tx, keys).await?;
        let (mut movements, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for call in calls {
            let tenant = &call.context.scope.tenant;
            if let Some(row) = call.input.rows.iter().find(|row| !known.contains(&(tenant, &row.location))) {
                let detail = UnknownLocation { location: row.location.clone() };
                replies.push(Reply::rejected("unknown_location", &detail)?);
                continue;
            }
            replies.push(match adjust(&mut book, tenant, &call.input.rows)? {
                Err(below) => Reply::rejected("stock_below_zero", &below)?,
                Ok(()) => {
                    movements.extend(call.input.rows.iter().map(|row| NewMovement {
                        key: row_key(tenant, row),
                        delta: row.delta,
                        reason: reason_word(row.reason),
                        reference: row.reference.clone(),
                        now: call.context.now,
                    }));
                    Reply::done(Imported { rows: call.input.rows.len() as i64 })
                }
            });
        }
        store::save_book(tx, &book).await?;
        store::insert_movements(tx, &self.ids.next().to_string(), &movements).await?;
        Ok(replies)
    }
}

/// Applies the rows in order, or none of them.
fn adjust(
    book: &mut Book,
    tenant: &TenantId,
    rows: &[AdjustmentRow],
) -> Result<Result<(), BelowZero>, StockError> {
    let mut done: Vec<(StockKey, Quantity)> = Vec::with_capacity(rows.len());
    let mut below = None;
    for row in rows {
        let key = row_key(tenant, row);
        let on_hand = book.shelf(&key).levels.on_hand;
        let after = on_hand.checked_add(row.delta)?;
        if after.is_negative() {
            below = Some(BelowZero {
                sku: row.sku.clone(),
                location: row.location.clone(),
                on_hand,
                delta: row.delta,
            });
            break;
        }
        book.shelf_mut(&key).levels.on_hand = after;
        done.push((key, on_hand));
    }
    let Some(below) = below else { return Ok(Ok(())) };
    for (key, before) in done.into_iter().rev() {
        book.shelf_mut(&key).levels.on_hand = before;
    }
    Ok(Err(below))
}

fn row_key(tenant: &TenantId, row: &AdjustmentRow) -> StockKey {
    StockKey { tenant: tenant.clone(), sku: row.sku.clone(), location: row.location.clone() }
}

const fn reason_word(reason: AdjustmentReason) -> &'static str {
    match reason {
        AdjustmentReason::Received => "received",
        AdjustmentReason::Counted => "counted",
        AdjustmentReason::Damaged => "damaged",
        AdjustmentReason::Lost => "lost",
        AdjustmentReason::Returned => "returned",
        AdjustmentReason::Other => "other",
    }
}

pub(super) async fn known_locations<'a, I: 'a, L: Iterator<Item = &'a LocationId>>(
    reader: &Reader<'_>,
    calls: &'a [Call<I>],
    locations: impl Fn(&'a I) -> L,
) -> Result<BTreeSet<(&'a TenantId, &'a LocationId)>, StoreError> {
    let named: BTreeSet<(&TenantId, &LocationId)> = calls
        .iter()
        .flat_map(|call| locations(&call.input).map(|location| (&call.context.scope.tenant, location)))
        .collect();
    let found: Vec<Option<(String,)>> = reader.fetch_optional(&LOCATION, named.iter().copied()).await?;
    Ok(named.into_iter().zip(found).filter(|(_, found)| found.is_some()).map(|(key, _)| key).collect())
}
