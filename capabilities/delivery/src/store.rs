//! The SQL: fee tables, weights, origins, shipments and their way. A batch's rows are loaded once, decided on in memory,
//! and written once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use mortise_capability::Call;
use mortise_store::{Datum, FromDatum, Reader, Statement, StoreError, Tx};
use mortise_types::{
    Address, Amount, CountryCode, Currency, LocationId, OrderId, ParcelId, ShipmentId, Sku, TenantId,
    Timestamp,
};

use crate::contract::Remittance;
use crate::rules::{Bracket, Shipment, Status};

const FEES: Statement = Statement::pair(
    "delivery.fees",
    "SELECT line, country, up_to_grams, amount FROM delivery_fee \
     WHERE tenant = ?1 AND currency = ?2 AND line IN (?3, '') AND country IN (?4, '')",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, currency, line, country, n)
     CROSS JOIN LATERAL (
       SELECT line, country, up_to_grams, amount FROM delivery_fee
       WHERE tenant = item.tenant AND currency = item.currency AND line IN (item.line, '')
         AND country IN (item.country, '')) AS found",
);

const PUT_FEE: Statement = Statement::pair(
    "delivery.put_fee",
    "INSERT INTO delivery_fee (tenant, currency, line, country, up_to_grams, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
     ON CONFLICT (tenant, currency, line, country, up_to_grams) DO UPDATE SET amount = excluded.amount",
    "INSERT INTO delivery_fee (tenant, currency, line, country, up_to_grams, amount)
     SELECT DISTINCT ON (tenant, currency, line, country, up_to_grams) tenant, currency, line, country,
       up_to_grams, amount
     FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
       AS item (tenant, currency, line, country, up_to_grams, amount, n)
     ORDER BY tenant, currency, line, country, up_to_grams, n DESC
     ON CONFLICT (tenant, currency, line, country, up_to_grams) DO UPDATE SET amount = excluded.amount",
);

const WEIGHT: Statement = Statement::pair(
    "delivery.weight",
    "SELECT grams FROM delivery_weight WHERE tenant = ?1 AND sku = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, sku, n)
     CROSS JOIN LATERAL (
       SELECT grams FROM delivery_weight WHERE tenant = item.tenant AND sku = item.sku) AS found",
);

const PUT_WEIGHT: Statement = Statement::pair(
    "delivery.put_weight",
    "INSERT INTO delivery_weight (tenant, sku, grams) VALUES (?1, ?2, ?3) \
     ON CONFLICT (tenant, sku) DO UPDATE SET grams = excluded.grams",
    "INSERT INTO delivery_weight (tenant, sku, grams)
     SELECT DISTINCT ON (tenant, sku) tenant, sku, grams
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, sku, grams, n)
     ORDER BY tenant, sku, n DESC
     ON CONFLICT (tenant, sku) DO UPDATE SET grams = excluded.grams",
);

const ORIGIN: Statement = Statement::pair(
    "delivery.origin",
    "SELECT address FROM delivery_origin WHERE tenant = ?1 AND location = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, location, n)
     CROSS JOIN LATERAL (
       SELECT address FROM delivery_origin WHERE tenant = item.tenant AND location = item.location) AS found",
);

const PUT_ORIGIN: Statement = Statement::pair(
    "delivery.put_origin",
    "INSERT INTO delivery_origin (tenant, location, address) VALUES (?1, ?2, ?3) \
     ON CONFLICT (tenant, location) DO UPDATE SET address = excluded.address",
    "INSERT INTO delivery_origin (tenant, location, address)
     SELECT DISTINCT ON (tenant, location) tenant, location, address
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, location, address, n)
     ORDER BY tenant, location, n DESC
     ON CONFLICT (tenant, location) DO UPDATE SET address = excluded.address",
);

const SHIPMENT: Statement = Statement::pair(
    "delivery.shipment",
    "SELECT shipment_id, order_id, parcel_id, status, sequence, delivered, carrier_ref, tracking_number, label_url, refusal, \
     request, created_at, collect, collect_currency, collected, remitted, refused FROM delivery_shipment \
     WHERE tenant = ?1 AND shipment_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, shipment_id, n)
     CROSS JOIN LATERAL (
       SELECT shipment_id, order_id, parcel_id, status, sequence, delivered, carrier_ref, tracking_number,
         label_url, refusal, request, created_at, collect, collect_currency, collected, remitted, refused
       FROM delivery_shipment
       WHERE tenant = item.tenant AND shipment_id = item.shipment_id) AS found",
);

const PAGE: Statement = Statement::pair(
    "delivery.page",
    "SELECT shipment_id, order_id, parcel_id, status, sequence, delivered, carrier_ref, tracking_number, label_url, refusal, \
     request, created_at, collect, collect_currency, collected, remitted, refused FROM delivery_shipment \
     WHERE tenant = ?1 AND shipment_id > ?2 ORDER BY shipment_id LIMIT 1000",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, shipment_id, n)
     CROSS JOIN LATERAL (
       SELECT shipment_id, order_id, parcel_id, status, sequence, delivered, carrier_ref, tracking_number,
         label_url, refusal, request, created_at, collect, collect_currency, collected, remitted, refused
       FROM delivery_shipment
       WHERE tenant = item.tenant AND shipment_id > item.shipment_id ORDER BY shipment_id LIMIT 1000) AS found",
);

const SAVE: Statement = Statement::pair(
    "delivery.save",
    "INSERT INTO delivery_shipment (tenant, shipment_id, order_id, parcel_id, status, sequence, delivered, carrier_ref, \
     tracking_number, label_url, refusal, request, created_at, collect, collect_currency, collected, remitted, refused) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
     ON CONFLICT (tenant, shipment_id) DO UPDATE SET status = excluded.status, sequence = excluded.sequence, \
     delivered = excluded.delivered, carrier_ref = excluded.carrier_ref, tracking_number = excluded.tracking_number, \
     label_url = excluded.label_url, refusal = excluded.refusal, collected = excluded.collected, \
     remitted = excluded.remitted, refused = excluded.refused",
    "INSERT INTO delivery_shipment (tenant, shipment_id, order_id, parcel_id, status, sequence, delivered,
         carrier_ref, tracking_number, label_url, refusal, request, created_at, collect, collect_currency,
         collected, remitted, refused)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
       $18) ORDER BY 1, 2
     ON CONFLICT (tenant, shipment_id)
       DO UPDATE SET status = excluded.status, sequence = excluded.sequence, delivered = excluded.delivered,
         carrier_ref = excluded.carrier_ref, tracking_number = excluded.tracking_number,
           label_url = excluded.label_url, refusal = excluded.refusal, collected = excluded.collected,
           remitted = excluded.remitted, refused = excluded.refused",
);

const STEP: Statement = Statement::pair(
    "delivery.step",
    "INSERT INTO delivery_tracking (tenant, shipment_id, sequence, status, at) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5)
       WITH ORDINALITY AS item (tenant, shipment_id, sequence, status, at, n)),
     added AS (
       INSERT INTO delivery_tracking (tenant, shipment_id, sequence, status, at)
       SELECT tenant, shipment_id, sequence, status, at FROM item ORDER BY tenant, shipment_id, sequence, n
       ON CONFLICT DO NOTHING RETURNING tenant, shipment_id, sequence)
     SELECT min(n) FROM item WHERE ((tenant, shipment_id, sequence) IN (TABLE added)) IS TRUE
     GROUP BY tenant, shipment_id, sequence",
);

const STEPS: Statement = Statement::pair(
    "delivery.steps",
    "SELECT sequence, status, at FROM delivery_tracking WHERE tenant = ?1 AND shipment_id = ?2 ORDER BY sequence",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, shipment_id, n)
     CROSS JOIN LATERAL (
       SELECT sequence, status, at FROM delivery_tracking
       WHERE tenant = item.tenant AND shipment_id = item.shipment_id ORDER BY sequence) AS found",
);

const TAKE_EVENT: Statement = Statement::pair(
    "delivery.take_event",
    "INSERT INTO delivery_carrier_event (tenant, event_id, recorded_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, event_id, recorded_at, n)),
     added AS (
       INSERT INTO delivery_carrier_event (tenant, event_id, recorded_at)
       SELECT tenant, event_id, recorded_at FROM item ORDER BY tenant, event_id, n
       ON CONFLICT DO NOTHING RETURNING tenant, event_id)
     SELECT min(n) FROM item WHERE ((tenant, event_id) IN (TABLE added)) IS TRUE GROUP BY tenant, event_id",
);

const TAKE_REMITTANCE: Statement = Statement::pair(
    "delivery.take_remittance",
    "INSERT INTO delivery_remittance (tenant, remittance_id, currency, amount, recorded_at) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5)
       WITH ORDINALITY AS item (tenant, remittance_id, currency, amount, recorded_at, n)),
     added AS (
       INSERT INTO delivery_remittance (tenant, remittance_id, currency, amount, recorded_at)
       SELECT tenant, remittance_id, currency, amount, recorded_at FROM item ORDER BY tenant, remittance_id, n
       ON CONFLICT DO NOTHING RETURNING tenant, remittance_id)
     SELECT min(n) FROM item WHERE ((tenant, remittance_id) IN (TABLE added)) IS TRUE GROUP BY tenant, remittance_id",
);

/// A parcel may stand in a payout twice: its parts are added up.
const ADD_REMITTED: Statement = Statement::pair(
    "delivery.add_remitted",
    "INSERT INTO delivery_remitted (tenant, shipment_id, remittance_id, amount) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (tenant, shipment_id, remittance_id) DO UPDATE SET amount = delivery_remitted.amount + excluded.amount",
    "INSERT INTO delivery_remitted (tenant, shipment_id, remittance_id, amount)
     SELECT tenant, shipment_id, remittance_id, sum(amount)::bigint
     FROM unnest($1, $2, $3, $4) AS item (tenant, shipment_id, remittance_id, amount)
     GROUP BY tenant, shipment_id, remittance_id ORDER BY 1, 2, 3
     ON CONFLICT (tenant, shipment_id, remittance_id)
       DO UPDATE SET amount = delivery_remitted.amount + excluded.amount",
);

/// Shipments of which another sum was paid out than their payouts say, or that cash was collected for which nobody asked;
/// and parcels in payouts that nobody here has.
pub(crate) const CHECK_REMITTED: Statement = Statement::pair(
    "delivery.check_remitted",
    "SELECT tenant, shipment_id, remitted, added_up, known FROM ( \
       SELECT s.tenant, s.shipment_id, s.remitted AS remitted, 1 AS known, \
         (SELECT coalesce(sum(r.amount), 0) FROM delivery_remitted r WHERE r.tenant = s.tenant \
            AND r.shipment_id = s.shipment_id) AS added_up \
       FROM delivery_shipment s WHERE ?1 = 0) sums WHERE remitted <> added_up \
     UNION ALL SELECT r.tenant, r.shipment_id, 0, r.amount, 0 FROM delivery_remitted r \
       LEFT JOIN delivery_shipment s ON s.tenant = r.tenant AND s.shipment_id = r.shipment_id \
       WHERE s.shipment_id IS NULL LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT tenant, shipment_id, remitted, added_up, known FROM (
         SELECT s.tenant, s.shipment_id, s.remitted, 1::bigint AS known,
           (SELECT coalesce(sum(r.amount), 0)::bigint FROM delivery_remitted r WHERE r.tenant = s.tenant
              AND r.shipment_id = s.shipment_id) AS added_up
         FROM delivery_shipment s WHERE item.zero = 0) AS sums WHERE remitted <> added_up
       UNION ALL SELECT r.tenant, r.shipment_id, 0::bigint, r.amount, 0::bigint FROM delivery_remitted r
         LEFT JOIN delivery_shipment s ON s.tenant = r.tenant AND s.shipment_id = r.shipment_id
         WHERE s.shipment_id IS NULL LIMIT 100) AS found",
);

/// Payouts that do not add up.
pub(crate) const CHECK_REMITTANCES: Statement = Statement::pair(
    "delivery.check_remittances",
    "SELECT * FROM (SELECT m.tenant, m.remittance_id, m.amount AS amount, \
       (SELECT coalesce(sum(r.amount), 0) FROM delivery_remitted r WHERE r.tenant = m.tenant \
          AND r.remittance_id = m.remittance_id) AS added_up \
     FROM delivery_remittance m WHERE ?1 = 0) sums WHERE amount <> added_up LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT * FROM (
         SELECT m.tenant, m.remittance_id, m.amount,
           (SELECT coalesce(sum(r.amount), 0)::bigint FROM delivery_remitted r WHERE r.tenant = m.tenant
              AND r.remittance_id = m.remittance_id) AS added_up
         FROM delivery_remittance m WHERE item.zero = 0) AS sums
       WHERE amount <> added_up LIMIT 100) AS found",
);

/// Shipments that do not stand where their way ends.
pub(crate) const CHECK_TRACKING: Statement = Statement::pair(
    "delivery.check_tracking",
    "SELECT s.tenant, s.shipment_id, s.status, s.sequence, s.delivered, coalesce(max(t.sequence), 0), \
       coalesce(max(t.status = 'delivered'), 0) \
     FROM delivery_shipment s LEFT JOIN delivery_tracking t ON t.tenant = s.tenant AND t.shipment_id = s.shipment_id \
     WHERE ?1 = 0 GROUP BY s.tenant, s.shipment_id \
     HAVING s.sequence <> coalesce(max(t.sequence), 0) OR s.delivered <> coalesce(max(t.status = 'delivered'), 0) \
       OR (s.sequence > 0 AND s.carrier_ref IS NULL) LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT s.tenant, s.shipment_id, s.status, s.sequence, s.delivered, coalesce(max(t.sequence), 0),
         coalesce(bool_or(t.status = 'delivered'), false)
       FROM delivery_shipment s LEFT JOIN delivery_tracking t ON t.tenant = s.tenant AND t.shipment_id = s.shipment_id
       WHERE item.zero = 0 GROUP BY s.tenant, s.shipment_id
       HAVING s.sequence <> coalesce(max(t.sequence), 0)
         OR (s.delivered <> 0) <> coalesce(bool_or(t.status = 'delivered'), false)
         OR (s.sequence > 0 AND s.carrier_ref IS NULL) LIMIT 100) AS found",
);

/// A shipment within its tenant.
pub(crate) type Key = (TenantId, ShipmentId);

/// A column with a word of a closed set.
struct Word<T>(T);

impl<T: FromStr<Err: Display>> FromDatum for Word<T> {
    fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
        match datum {
            Datum::Text(text) => text.parse().map(Word).map_err(|error| format!("{error}")),
            other => Err(format!("{other:?} where a word is expected")),
        }
    }
}

/// What a table is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FeeKey {
    pub(crate) tenant: TenantId,
    pub(crate) currency: Currency,
    pub(crate) line: String,
    pub(crate) country: CountryCode,
}

/// The brackets that fit each key.
pub(crate) async fn fees(reader: &Reader<'_>, keys: &[FeeKey]) -> Result<Vec<Vec<Bracket>>, StoreError> {
    let items =
        keys.iter().map(|key| (&key.tenant, key.currency.code(), key.line.as_str(), key.country.code()));
    let groups: Vec<Vec<(String, String, i64, Amount)>> = reader.fetch_grouped(&FEES, items).await?;
    let bracket = |(line, country, up_to_grams, amount)| Bracket { line, country, up_to_grams, amount };
    Ok(groups.into_iter().map(|rows| rows.into_iter().map(bracket).collect()).collect())
}

/// A bracket to be stored.
#[derive(Debug)]
pub(crate) struct FeeToPut {
    pub(crate) tenant: TenantId,
    pub(crate) currency: Currency,
    pub(crate) bracket: Bracket,
}

pub(crate) async fn put_fees(tx: &mut Tx<'_>, rows: &[FeeToPut]) -> Result<(), StoreError> {
    let items = rows.iter().map(|FeeToPut { tenant, currency, bracket }| {
        (
            tenant,
            currency.code(),
            bracket.line.as_str(),
            bracket.country.as_str(),
            bracket.up_to_grams,
            bracket.amount,
        )
    });
    tx.execute(&PUT_FEE, items).await.map(drop)
}

/// What each item weighs, in grams.
pub(crate) async fn weights(
    reader: &Reader<'_>,
    keys: &[(TenantId, Sku)],
) -> Result<Vec<Option<i64>>, StoreError> {
    let rows: Vec<Option<(i64,)>> = reader.fetch_optional(&WEIGHT, keys.iter().map(|(t, s)| (t, s))).await?;
    Ok(rows.into_iter().map(|row| row.map(|(grams,)| grams)).collect())
}

pub(crate) async fn put_weights(tx: &mut Tx<'_>, rows: &[(TenantId, Sku, i64)]) -> Result<(), StoreError> {
    tx.execute(&PUT_WEIGHT, rows.iter().map(|(tenant, sku, grams)| (tenant, sku, *grams))).await.map(drop)
}

/// Where each location sends from.
pub(crate) async fn origins(
    reader: &Reader<'_>,
    keys: &[(TenantId, LocationId)],
) -> Result<Vec<Option<Address>>, StoreError> {
    let rows: Vec<Option<(String,)>> =
        reader.fetch_optional(&ORIGIN, keys.iter().map(|(t, l)| (t, l))).await?;
    let read = |(text,): (String,)| {
        serde_json::from_str(&text)
            .map_err(|error| StoreError::Value(format!("a location's address: {error}")))
    };
    rows.into_iter().map(|row| row.map(read).transpose()).collect()
}

pub(crate) async fn put_origins(
    tx: &mut Tx<'_>,
    rows: &[(TenantId, LocationId, String)],
) -> Result<(), StoreError> {
    tx.execute(&PUT_ORIGIN, rows.iter().map(|(tenant, location, address)| (tenant, location, address)))
        .await
        .map(drop)
}

type ShipmentRow = (
    ShipmentId,
    OrderId,
    ParcelId,
    Word<Status>,
    i64,
    bool,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
    Timestamp,
    Amount,
    Option<Word<Currency>>,
    Amount,
    Amount,
    bool,
);

fn shipment(row: ShipmentRow) -> Shipment {
    Shipment {
        shipment_id: row.0,
        order_id: row.1,
        parcel_id: row.2,
        status: row.3.0,
        sequence: row.4,
        delivered: row.5,
        carrier_ref: row.6,
        tracking_number: row.7,
        label_url: row.8,
        refusal: row.9,
        request: row.10,
        created_at: row.11,
        collect: row.12,
        collect_currency: row.13.map(|word| word.0),
        collected: row.14,
        remitted: row.15,
        refused_at_door: row.16,
    }
}

/// A place that a parcel passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) sequence: i64,
    pub(crate) status: Status,
    pub(crate) at: Timestamp,
}

/// The shipments that a batch decides on.
#[derive(Debug, Default)]
pub(crate) struct Shipments {
    loaded: BTreeMap<Key, Option<(Shipment, Before)>>,
    steps: Vec<(Key, Step)>,
}

#[derive(Debug)]
enum Before {
    Absent,
    As(Box<Shipment>),
}

impl Shipments {
    /// Loads the distinct keys.
    pub(crate) async fn load(
        reader: &Reader<'_>,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<Shipments, StoreError> {
        let mut shipments = Shipments::default();
        shipments.loaded.extend(keys.into_iter().map(|key| (key, None)));
        let distinct: Vec<Key> = shipments.loaded.keys().cloned().collect();
        let items = distinct.iter().map(|(tenant, id)| (tenant, id));
        let rows: Vec<Option<ShipmentRow>> = reader.fetch_optional(&SHIPMENT, items).await?;
        for (key, row) in distinct.into_iter().zip(rows) {
            let found = row.map(shipment).map(|found| (found.clone(), Before::As(Box::new(found))));
            shipments.loaded.insert(key, found);
        }
        Ok(shipments)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut Shipment> {
        self.loaded.get_mut(key)?.as_mut().map(|(shipment, _)| shipment)
    }

    /// A shipment that was not there before.
    pub(crate) fn add(&mut self, tenant: TenantId, shipment: Shipment) {
        let key = (tenant, shipment.shipment_id.clone());
        self.loaded.insert(key, Some((shipment, Before::Absent)));
    }

    /// A step of a parcel, to be written with its shipment.
    pub(crate) fn add_step(&mut self, key: Key, step: Step) {
        self.steps.push((key, step));
    }

    /// Writes what changed.
    pub(crate) async fn save(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let changed: Vec<(&TenantId, &Shipment)> = self
            .loaded
            .iter()
            .filter_map(|((tenant, _), slot)| {
                slot.as_ref().map(|(shipment, before)| (tenant, shipment, before))
            })
            .filter(|(_, shipment, before)| !matches!(before, Before::As(before) if **before == **shipment))
            .map(|(tenant, shipment, _)| (tenant, shipment))
            .collect();
        let rows = changed.iter().map(|(tenant, shipment)| {
            (
                *tenant,
                &shipment.shipment_id,
                &shipment.order_id,
                &shipment.parcel_id,
                shipment.status.word(),
                shipment.sequence,
                shipment.delivered,
                shipment.carrier_ref.as_deref(),
                shipment.tracking_number.as_deref(),
                shipment.label_url.as_deref(),
                shipment.refusal.as_deref(),
                shipment.request.as_str(),
                shipment.created_at,
                shipment.collect,
                shipment.collect_currency.as_ref().map(Currency::code),
                shipment.collected,
                shipment.remitted,
                shipment.refused_at_door,
            )
        });
        tx.execute(&SAVE, rows).await?;
        let steps = self
            .steps
            .iter()
            .map(|((tenant, id), step)| (tenant, id, step.sequence, step.status.word(), step.at));
        tx.execute(&STEP, steps).await.map(drop)
    }
}

/// The way of each shipment.
pub(crate) async fn steps(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = Key>,
) -> Result<Vec<Vec<Step>>, StoreError> {
    let groups: Vec<Vec<(i64, Word<Status>, Timestamp)>> = reader.fetch_grouped(&STEPS, keys).await?;
    let step =
        |(sequence, status, at): (i64, Word<Status>, Timestamp)| Step { sequence, status: status.0, at };
    Ok(groups.into_iter().map(|rows| rows.into_iter().map(step).collect()).collect())
}

/// A page of a tenant's shipments behind `after`.
pub(crate) async fn page(
    reader: &Reader<'_>,
    tenant: &TenantId,
    after: Option<&ShipmentId>,
) -> Result<Vec<Shipment>, StoreError> {
    let rows: Vec<ShipmentRow> =
        reader.fetch_all(&PAGE, (tenant, after.map_or("", ShipmentId::as_str))).await?;
    Ok(rows.into_iter().map(shipment).collect())
}

/// Marks events as taken; says of each whether it is new.
pub(crate) async fn take_events<'e>(
    tx: &mut Tx<'_>,
    events: impl IntoIterator<Item = (&'e TenantId, &'e str, Timestamp)>,
) -> Result<Vec<bool>, StoreError> {
    let changed = tx.execute(&TAKE_EVENT, events).await?;
    Ok(changed.into_iter().map(|rows| rows > 0).collect())
}

/// Marks payouts as taken; says of each whether it is new.
pub(crate) async fn take_remittances<'c>(
    tx: &mut Tx<'_>,
    calls: impl IntoIterator<Item = &'c Call<Remittance>>,
) -> Result<Vec<bool>, StoreError> {
    let rows = calls.into_iter().map(|call| {
        let Remittance { remittance_id, currency, amount, .. } = &call.input;
        let tenant = &call.context.scope.tenant;
        (tenant, remittance_id.as_str(), currency.code(), *amount, call.context.now)
    });
    let changed = tx.execute(&TAKE_REMITTANCE, rows).await?;
    Ok(changed.into_iter().map(|rows| rows > 0).collect())
}

/// The parcels of payouts that were taken.
pub(crate) async fn add_remitted(tx: &mut Tx<'_>, calls: &[&Call<Remittance>]) -> Result<(), StoreError> {
    let rows = calls.iter().flat_map(|call| {
        let (tenant, remittance_id) = (&call.context.scope.tenant, call.input.remittance_id.as_str());
        call.input.items.iter().map(move |item| (tenant, &item.shipment_id, remittance_id, item.amount))
    });
    tx.execute(&ADD_REMITTED, rows).await.map(drop)
}
