//! The inventory's rows of stock and its holds: loaded and saved for a whole batch. It decides nothing.

mod returns;

use std::collections::{BTreeSet, HashMap};

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{LocationId, Quantity, ReservationId, Sku, TenantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rules::StockError;
use crate::rules::reservation::{Reservation, Standing};
use crate::rules::stock::{Book, Levels, Shelf, ShelfChange, StockKey};

pub(crate) use returns::{NewRestock, insert_restocks, restocked};

const SHELF: Statement = Statement::pair(
    "inventory.shelf",
    "SELECT on_hand, reserved, claimed, threshold FROM inventory_stock WHERE tenant = ?1 AND sku = ?2 AND location = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, sku, location, n)
     CROSS JOIN LATERAL (
       SELECT on_hand, reserved, claimed, threshold FROM inventory_stock
       WHERE tenant = item.tenant AND sku = item.sku AND location = item.location FOR UPDATE) AS found",
);
const CHANGE_SHELF: Statement = Statement::pair(
    "inventory.change_shelf",
    "UPDATE inventory_stock SET on_hand = on_hand + ?4, reserved = reserved + ?5, claimed = claimed + ?6
     WHERE tenant = ?1 AND sku = ?2 AND location = ?3",
    "UPDATE inventory_stock t
     SET on_hand = t.on_hand + item.on_hand, reserved = t.reserved + item.reserved, claimed = t.claimed + item.claimed
     FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
       AS item (tenant, sku, location, on_hand, reserved, claimed, n)
     WHERE t.tenant = item.tenant AND t.sku = item.sku AND t.location = item.location
     RETURNING item.n",
);
const NEW_SHELF: Statement = Statement::pair(
    "inventory.new_shelf",
    "INSERT INTO inventory_stock (tenant, sku, location, on_hand, reserved, claimed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    "INSERT INTO inventory_stock (tenant, sku, location, on_hand, reserved, claimed)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ORDER BY 1, 2, 3",
);
const ELSEWHERE: Statement = Statement::pair(
    "inventory.elsewhere",
    "SELECT coalesce(sum(max(0, s.on_hand - s.reserved - s.claimed - coalesce(s.threshold, ?4))), 0)
     FROM inventory_stock s CROSS JOIN inventory_location l
     WHERE s.tenant = ?1 AND s.sku = ?2 AND s.location <> ?3
       AND l.tenant = s.tenant AND l.location = s.location AND l.state = 'open'",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, sku, location, threshold, n)
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(greatest(0, s.on_hand - s.reserved - s.claimed - coalesce(s.threshold, item.threshold))), 0)::bigint
       FROM inventory_stock s CROSS JOIN inventory_location l
       WHERE s.tenant = item.tenant AND s.sku = item.sku AND s.location <> item.location
         AND l.tenant = s.tenant AND l.location = s.location AND l.state = 'open') AS found",
);
const RESERVATION: Statement = Statement::pair(
    "inventory.reservation",
    "SELECT state, lines, parcels FROM inventory_reservation WHERE tenant = ?1 AND reservation = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, reservation, n)
     CROSS JOIN LATERAL (
       SELECT state, lines, parcels FROM inventory_reservation
       WHERE tenant = item.tenant AND reservation = item.reservation) AS found",
);
const NEW_RESERVATION: Statement = Statement::pair(
    "inventory.new_reservation",
    "INSERT INTO inventory_reservation
       (tenant, reservation, holder, state, lines, parcels, policy_version, held_at, changed_at)
     VALUES (?1, ?2, ?3, 'held', ?4, '[]', ?5, ?6, ?6)",
    "INSERT INTO inventory_reservation (tenant, reservation, holder, state, lines, parcels, policy_version,
         held_at, changed_at)
     SELECT tenant, reservation, holder, 'held', lines, '[]', policy_version, held_at, held_at
     FROM unnest($1, $2, $3, $4, $5, $6)
       AS item (tenant, reservation, holder, lines, policy_version, held_at)
     ORDER BY 1, 2",
);
const SETTLE_RESERVATION: Statement = Statement::pair(
    "inventory.settle_reservation",
    "UPDATE inventory_reservation SET state = ?3, changed_at = ?4 WHERE tenant = ?1 AND reservation = ?2",
    "UPDATE inventory_reservation t SET state = item.state, changed_at = item.changed_at
     FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, reservation, state, changed_at, n)
     WHERE t.tenant = item.tenant AND t.reservation = item.reservation
     RETURNING item.n",
);
const SHIP_RESERVATION: Statement = Statement::pair(
    "inventory.ship_reservation",
    "UPDATE inventory_reservation SET state = ?3, lines = ?5, parcels = ?6, changed_at = ?4
     WHERE tenant = ?1 AND reservation = ?2",
    "UPDATE inventory_reservation t SET state = item.state, lines = item.lines, parcels = item.parcels,
         changed_at = item.changed_at
     FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
       AS item (tenant, reservation, state, changed_at, lines, parcels, n)
     WHERE t.tenant = item.tenant AND t.reservation = item.reservation
     RETURNING item.n",
);
const MOVED: Statement = Statement::pair(
    "inventory.moved",
    "INSERT INTO inventory_movement (tenant, sku, location, entry, n, delta, reason, reference, at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    "INSERT INTO inventory_movement (tenant, sku, location, entry, n, delta, reason, reference, at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY 1, 2, 3, 4, 5",
);

impl From<StockError> for StoreError {
    fn from(error: StockError) -> StoreError {
        StoreError::Value(format!("inventory: {error}"))
    }
}

fn arithmetic(error: mortise_types::ArithmeticError) -> StoreError {
    StockError::from(error).into()
}

/// On hand, reserved, claimed, threshold.
type ShelfRow = (Quantity, Quantity, Quantity, Option<Quantity>);

/// The rows of stock at `keys`, for who changes them: where others write too they are locked, in the order of their keys.
pub(crate) async fn load_book(
    tx: &Tx<'_>,
    keys: impl IntoIterator<Item = StockKey>,
) -> Result<Book, StoreError> {
    let keys: BTreeSet<StockKey> = keys.into_iter().collect();
    let params = keys.iter().map(|key| (&key.tenant, &key.sku, &key.location));
    let found: Vec<Option<ShelfRow>> = tx.fetch_optional(&SHELF, params).await?;
    let mut book = Book::default();
    for (key, row) in keys.into_iter().zip(found) {
        if let Some((on_hand, reserved, claimed, threshold)) = row {
            book.put(key, Shelf::stored(Levels { on_hand, reserved, claimed }, threshold));
        }
    }
    Ok(book)
}

/// Writes what a batch changed of a book that it loaded: one statement a row of stock, however many calls met there.
pub(crate) async fn save_book(tx: &mut Tx<'_>, book: &Book) -> Result<(), StoreError> {
    let (mut changed, mut new) = (Vec::new(), Vec::new());
    for (key, change) in book.changes().map_err(arithmetic)? {
        let (rows, levels) = match change {
            ShelfChange::By(levels) => (&mut changed, levels),
            ShelfChange::New(levels) => (&mut new, levels),
        };
        rows.push((&key.tenant, &key.sku, &key.location, levels.on_hand, levels.reserved, levels.claimed));
    }
    if !changed.is_empty() {
        tx.execute(&CHANGE_SHELF, changed).await?;
    }
    if !new.is_empty() {
        tx.execute(&NEW_SHELF, new).await?;
    }
    Ok(())
}

/// An item that a location has too little of, under the shop's threshold.
pub(crate) struct Lacking<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) sku: &'a Sku,
    pub(crate) location: &'a LocationId,
    pub(crate) threshold: Quantity,
}

/// The units that other open locations have together.
pub(crate) async fn saleable_elsewhere(
    reader: &Reader<'_>,
    items: &[Lacking<'_>],
) -> Result<Vec<Quantity>, StoreError> {
    let params = items.iter().map(|item| (item.tenant, item.sku, item.location, item.threshold));
    let sums: Vec<Option<(Quantity,)>> = reader.fetch_optional(&ELSEWHERE, params).await?;
    Ok(sums.into_iter().map(|sum| sum.map_or(Quantity::ZERO, |(units,)| units)).collect())
}

/// A hold's place.
pub(crate) type ReservationKey = (TenantId, ReservationId);

/// The holds at `keys`; unknown ones are left out.
pub(crate) async fn load_reservations(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = ReservationKey>,
) -> Result<HashMap<ReservationKey, Reservation>, StoreError> {
    let keys: BTreeSet<ReservationKey> = keys.into_iter().collect();
    let found: Vec<Option<(String, String, String)>> =
        reader.fetch_optional(&RESERVATION, keys.iter().map(|key| (&key.0, &key.1))).await?;
    let mut reservations = HashMap::with_capacity(keys.len());
    for (key, row) in keys.into_iter().zip(found) {
        if let Some((state, lines, parcels)) = row {
            let standing = standing(&state)?;
            let reservation = Reservation { standing, lines: read(&lines)?, parcels: read(&parcels)? };
            reservations.insert(key, reservation);
        }
    }
    Ok(reservations)
}

/// A hold to store.
pub(crate) struct NewReservation<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) reservation: ReservationId,
    pub(crate) holder: &'a str,
    pub(crate) held: Reservation,
    pub(crate) policy_version: std::sync::Arc<str>,
    pub(crate) now: Timestamp,
}

pub(crate) async fn insert_reservations(
    tx: &mut Tx<'_>,
    new: &[NewReservation<'_>],
) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(new.len());
    for row in new {
        let lines = written(&row.held.lines)?;
        rows.push((row.tenant, &row.reservation, row.holder, lines, &row.policy_version, row.now));
    }
    tx.execute(&NEW_RESERVATION, rows).await.map(drop)
}

/// Whether only the state of a hold changed, or also what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    State,
    Lines,
}

pub(crate) async fn update_reservations(
    tx: &mut Tx<'_>,
    changed: &[(&ReservationKey, &Reservation, Timestamp)],
    extent: Extent,
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let state = |reservation: &Reservation| state_word(reservation.standing);
    match extent {
        Extent::State => {
            let rows = changed.iter().map(|(key, row, now)| (&key.0, &key.1, state(row), *now));
            tx.execute(&SETTLE_RESERVATION, rows).await.map(drop)
        }
        Extent::Lines => {
            let mut rows = Vec::with_capacity(changed.len());
            for (key, row, now) in changed {
                rows.push((&key.0, &key.1, state(row), *now, written(&row.lines)?, written(&row.parcels)?));
            }
            tx.execute(&SHIP_RESERVATION, rows).await.map(drop)
        }
    }
}

/// A movement to book.
pub(crate) struct NewMovement {
    pub(crate) key: StockKey,
    pub(crate) delta: Quantity,
    pub(crate) reason: &'static str,
    pub(crate) reference: Option<String>,
    pub(crate) now: Timestamp,
}

/// Books movements under one entry of the ledger.
pub(crate) async fn insert_movements(
    tx: &mut Tx<'_>,
    entry: &str,
    movements: &[NewMovement],
) -> Result<(), StoreError> {
    if movements.is_empty() {
        return Ok(());
    }
    let rows = movements.iter().zip(0_i64..).map(|(moved, n)| {
        let StockKey { tenant, sku, location } = &moved.key;
        (tenant, sku, location, entry, n, moved.delta, moved.reason, &moved.reference, moved.now)
    });
    tx.execute(&MOVED, rows).await.map(drop)
}

const fn state_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Held => "held",
        Standing::Claimed => "claimed",
        Standing::Shipped => "shipped",
        Standing::Released => "released",
    }
}

fn standing(word: &str) -> Result<Standing, StoreError> {
    let all = [Standing::Held, Standing::Claimed, Standing::Shipped, Standing::Released];
    let found = all.into_iter().find(|standing| state_word(*standing) == word);
    found.ok_or_else(|| StoreError::Value(format!("inventory: `{word}` is no state of a reservation")))
}

fn written<T: Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(|error| StoreError::Value(format!("inventory: {error}")))
}

fn read<T: DeserializeOwned>(document: &str) -> Result<T, StoreError> {
    serde_json::from_str(document)
        .map_err(|error| StoreError::Value(format!("inventory: {error} in {document}")))
}
