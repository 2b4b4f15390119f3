//! What holds in every committed state of the inventory: the stock identity, and a ledger that adds up.

use futures::future::LocalBoxFuture;
use mortise_capability::{Check, Finding, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::Quantity;

/// Both directions: rows of stock whose figures no holds explain, and holds on rows that are not there.
/// The casts give the texts of JSON an affinity: without one SQLite matches by tenant alone, for every row of stock again.
const OWED: Statement = Statement::pair(
    "inventory.check_owed",
    "WITH owed AS (
        SELECT r.tenant AS tenant, CAST(held.value ->> 0 AS TEXT) AS sku, CAST(held.value ->> 1 AS TEXT) AS location,
               sum(CASE r.state WHEN 'held' THEN held.value ->> 2 ELSE 0 END) AS reserved,
               sum(CASE r.state WHEN 'claimed' THEN held.value ->> 2 ELSE 0 END) AS claimed
        FROM inventory_reservation r, json_each(r.lines) held
        WHERE r.state IN ('held', 'claimed')
        GROUP BY 1, 2, 3)
     SELECT s.tenant, s.sku, s.location, s.reserved, coalesce(o.reserved, 0), s.claimed, coalesce(o.claimed, 0)
     FROM inventory_stock s LEFT JOIN owed o ON o.tenant = s.tenant AND o.sku = s.sku AND o.location = s.location
     WHERE s.reserved <> coalesce(o.reserved, 0) OR s.claimed <> coalesce(o.claimed, 0)
     UNION ALL
     SELECT o.tenant, o.sku, o.location, 0, o.reserved, 0, o.claimed
     FROM owed o
     WHERE NOT EXISTS (SELECT 1 FROM inventory_stock s
                       WHERE s.tenant = o.tenant AND s.sku = o.sku AND s.location = o.location)
     ORDER BY 1, 2, 3 LIMIT 100",
    "WITH owed AS (
        SELECT r.tenant, held.value ->> 0 AS sku, held.value ->> 1 AS location,
               coalesce(sum((held.value ->> 2)::bigint) FILTER (WHERE r.state = 'held'), 0)::bigint AS reserved,
               coalesce(sum((held.value ->> 2)::bigint) FILTER (WHERE r.state = 'claimed'), 0)::bigint AS claimed
        FROM inventory_reservation r CROSS JOIN json_array_elements(r.lines::json) AS held (value)
        WHERE r.state IN ('held', 'claimed')
        GROUP BY 1, 2, 3)
     SELECT s.tenant, s.sku, s.location, s.reserved, coalesce(o.reserved, 0), s.claimed, coalesce(o.claimed, 0)
     FROM inventory_stock s LEFT JOIN owed o ON o.tenant = s.tenant AND o.sku = s.sku AND o.location = s.location
     WHERE s.reserved <> coalesce(o.reserved, 0) OR s.claimed <> coalesce(o.claimed, 0)
     UNION ALL
     SELECT o.tenant, o.sku, o.location, 0, o.reserved, 0, o.claimed
     FROM owed o
     WHERE NOT EXISTS (SELECT 1 FROM inventory_stock s
                       WHERE s.tenant = o.tenant AND s.sku = o.sku AND s.location = o.location)
     ORDER BY 1, 2, 3 LIMIT 100",
);
const MOVED: Statement = Statement::pair(
    "inventory.check_moved",
    "WITH moved AS (
        SELECT tenant, sku, location, sum(delta) AS units FROM inventory_movement GROUP BY tenant, sku, location)
     SELECT s.tenant, s.sku, s.location, s.on_hand, coalesce(m.units, 0)
     FROM inventory_stock s LEFT JOIN moved m ON m.tenant = s.tenant AND m.sku = s.sku AND m.location = s.location
     WHERE s.on_hand <> coalesce(m.units, 0)
     UNION ALL
     SELECT m.tenant, m.sku, m.location, 0, m.units
     FROM moved m
     WHERE m.units <> 0 AND NOT EXISTS (SELECT 1 FROM inventory_stock s
                       WHERE s.tenant = m.tenant AND s.sku = m.sku AND s.location = m.location)
     ORDER BY 1, 2, 3 LIMIT 100",
    "WITH moved AS (
        SELECT tenant, sku, location, sum(delta)::bigint AS units FROM inventory_movement GROUP BY tenant, sku, location)
     SELECT s.tenant, s.sku, s.location, s.on_hand, coalesce(m.units, 0)
     FROM inventory_stock s LEFT JOIN moved m ON m.tenant = s.tenant AND m.sku = s.sku AND m.location = s.location
     WHERE s.on_hand <> coalesce(m.units, 0)
     UNION ALL
     SELECT m.tenant, m.sku, m.location, 0, m.units
     FROM moved m
     WHERE m.units <> 0 AND NOT EXISTS (SELECT 1 FROM inventory_stock s
                       WHERE s.tenant = m.tenant AND s.sku = m.sku AND s.location = m.location)
     ORDER BY 1, 2, 3 LIMIT 100",
);
const SETTLED: Statement = Statement::pair(
    "inventory.check_settled",
    "SELECT tenant, reservation, state, json_array_length(lines), json_array_length(parcels) FROM inventory_reservation
     WHERE (state = 'shipped' AND json_array_length(lines) <> 0)
        OR (state IN ('held', 'released') AND json_array_length(parcels) <> 0)
     LIMIT 100",
    "SELECT tenant, reservation, state, json_array_length(lines::json), json_array_length(parcels::json)
     FROM inventory_reservation
     WHERE (state = 'shipped' AND json_array_length(lines::json) <> 0)
        OR (state IN ('held', 'released') AND json_array_length(parcels::json) <> 0)
     LIMIT 100",
);

/// Reserved and claimed of every row of stock are the sums of what holds have there.
pub(crate) const STOCK_IDENTITY: Check = Check { name: "stock identity", run: stock_identity };
/// On hand is the sum of the movements.
pub(crate) const MOVEMENTS: Check = Check { name: "stock movements", run: movements };
/// A hold that shipped has nothing left; from one that was not claimed nothing left.
pub(crate) const HOLDS: Check = Check { name: "holds", run: holds };

type Found<'a> = LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>>;

fn stock_identity<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        type Row = (String, String, String, Quantity, Quantity, Quantity, Quantity);
        let rows: Vec<Row> = reader.fetch_all(&OWED, ()).await?;
        let finding = |(tenant, sku, location, reserved, held, claimed, sold): Row| Finding {
            subject: format!("{tenant}: {sku} at {location}"),
            problem: format!(
                "reserved is {reserved}, holds have {held}; claimed is {claimed}, holds have {sold}"
            ),
        };
        Ok(rows.into_iter().map(finding).collect())
    })
}

fn movements<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        let rows: Vec<(String, String, String, Quantity, Quantity)> = reader.fetch_all(&MOVED, ()).await?;
        let finding = |(tenant, sku, location, on_hand, moved)| Finding {
            subject: format!("{tenant}: {sku} at {location}"),
            problem: format!("on hand is {on_hand}, its movements add up to {moved}"),
        };
        Ok(rows.into_iter().map(finding).collect())
    })
}

fn holds<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        let rows: Vec<(String, String, String, i64, i64)> = reader.fetch_all(&SETTLED, ()).await?;
        let finding = |(tenant, reservation, state, lines, parcels)| Finding {
            subject: format!("{tenant}: reservation {reservation}"),
            problem: format!("it is {state}, with {lines} lines left and {parcels} parcels gone"),
        };
        Ok(rows.into_iter().map(finding).collect())
    })
}
