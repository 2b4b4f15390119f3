//! What a shop sets up: promotions, sheets, facts about items, coupon codes.

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{Amount, CouponCode, Currency, Price, Quantity, Scope, Sku, Timestamp};

use crate::contract;
use crate::rules::{CouponFacts, CouponLimits, Fact, Limits, Promotion, SheetEntry, compile};

const VERSION: Statement = Statement::pair(
    "discount.version",
    "SELECT version FROM discount_version WHERE tenant = ?1",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (tenant, n)
     CROSS JOIN LATERAL (
       SELECT version FROM discount_version WHERE tenant = item.tenant) AS found",
);
const PROMOTIONS: Statement = Statement::pair(
    "discount.promotions",
    "SELECT line, version, document FROM discount_promotion
      WHERE tenant = ?1 AND line IN (?2, '') ORDER BY promotion, line DESC",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, line, n)
     CROSS JOIN LATERAL (
       SELECT line, version, document FROM discount_promotion
       WHERE tenant = item.tenant AND line IN (item.line, '') ORDER BY promotion, line DESC) AS found",
);
const PUT_PROMOTION: Statement = Statement::pair(
    "discount.put_promotion",
    "INSERT INTO discount_promotion (tenant, line, promotion, version, document, budget_amount, budget_count,
                                     customer_budget_amount, customer_budget_count)
     VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8)
     ON CONFLICT DO UPDATE SET version = version + (document <> excluded.document), document = excluded.document,
            budget_amount = excluded.budget_amount, budget_count = excluded.budget_count,
            customer_budget_amount = excluded.customer_budget_amount,
            customer_budget_count = excluded.customer_budget_count",
    "INSERT INTO discount_promotion (tenant, line, promotion, version, document, budget_amount, budget_count,
                                     customer_budget_amount, customer_budget_count)
     SELECT DISTINCT ON (tenant, line, promotion) tenant, line, promotion, 1, document, budget_amount, budget_count,
            customer_budget_amount, customer_budget_count
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
       AS item (tenant, line, promotion, document, budget_amount, budget_count, customer_budget_amount,
                customer_budget_count, n)
     ORDER BY tenant, line, promotion, n DESC
     ON CONFLICT (tenant, line, promotion) DO UPDATE
     SET version = discount_promotion.version + (discount_promotion.document <> excluded.document)::int,
         document = excluded.document, budget_amount = excluded.budget_amount, budget_count = excluded.budget_count,
         customer_budget_amount = excluded.customer_budget_amount,
         customer_budget_count = excluded.customer_budget_count",
);
const BUMP_VERSION: Statement = Statement::pair(
    "discount.bump_version",
    "INSERT INTO discount_version (tenant, version) VALUES (?1, 1) ON CONFLICT DO UPDATE SET version = version + 1",
    "INSERT INTO discount_version (tenant, version)
     SELECT tenant, 1
     FROM unnest($1) AS item (tenant)
     ORDER BY 1
     ON CONFLICT (tenant) DO UPDATE SET version = discount_version.version + 1",
);
/// The entries of one line and location, or of what stands for any.
macro_rules! entries_of_sql {
    ($line:literal, $location:literal) => {
        concat!(
            "SELECT promotion, line, location, valid_from, amount_off, per FROM discount_entry
              WHERE tenant = ?1 AND line = ",
            $line,
            " AND location = ",
            $location,
            " AND sku = ?4 AND currency = ?5 AND valid_from <= ?6 AND valid_until > ?6"
        )
    };
}
/// Seeks the key once for each combination of the line or any, the location or any: each is a query of its own, as SQLite builds a
/// table at each run for each list of an IN.
macro_rules! sheet_entries_sql {
    () => {
        concat!(
            entries_of_sql!("?2", "?3 AND ?3 <> ''"),
            " UNION ALL ",
            entries_of_sql!("?2", "''"),
            " UNION ALL ",
            entries_of_sql!("''", "?3 AND ?3 <> ''"),
            " UNION ALL ",
            entries_of_sql!("''", "''")
        )
    };
}
const SHEET_ENTRIES: Statement = Statement::pair(
    "discount.sheet_entries",
    sheet_entries_sql!(),
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
       AS item (tenant, line, location, sku, currency, at, n)
     CROSS JOIN LATERAL (
       SELECT promotion, line, location, valid_from, amount_off, per FROM discount_entry
       WHERE tenant = item.tenant AND line IN (item.line, '') AND location IN (item.location, '')
         AND sku = item.sku AND currency = item.currency AND valid_from <= item.at AND valid_until > item.at) AS found",
);
const PUT_ENTRY: Statement = Statement::pair(
    "discount.put_entry",
    "INSERT INTO discount_entry (tenant, line, location, sku, currency, valid_from, promotion, valid_until,
                                 amount_off, per)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
     ON CONFLICT DO UPDATE SET valid_until = excluded.valid_until, amount_off = excluded.amount_off, per = excluded.per",
    "INSERT INTO discount_entry (tenant, line, location, sku, currency, valid_from, promotion, valid_until,
         amount_off, per)
     SELECT DISTINCT ON (tenant, line, location, sku, currency, valid_from, promotion) tenant, line,
       location, sku, currency, valid_from, promotion, valid_until, amount_off, per
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY
       AS item (tenant, line, location, sku, currency, valid_from, promotion, valid_until, amount_off,
               per, n)
     ORDER BY tenant, line, location, sku, currency, valid_from, promotion, n DESC
     ON CONFLICT (tenant, line, location, sku, currency, valid_from, promotion)
       DO UPDATE SET valid_until = excluded.valid_until, amount_off = excluded.amount_off, per = excluded.per",
);
const FACTS: Statement = Statement::pair(
    "discount.facts",
    "SELECT name, value FROM discount_item WHERE tenant = ?1 AND line = ?2 AND sku = ?3
     UNION ALL SELECT name, value FROM discount_item WHERE tenant = ?1 AND line = '' AND sku = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, line, sku, n)
     CROSS JOIN LATERAL (
       SELECT name, value FROM discount_item
       WHERE tenant = item.tenant AND line IN (item.line, '') AND sku = item.sku) AS found",
);
const PUT_ITEM: Statement = Statement::pair(
    "discount.put_item",
    "INSERT INTO discount_item (tenant, line, sku, name, value) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5)
       WITH ORDINALITY AS item (tenant, line, sku, name, value, n)),
     added AS (
       INSERT INTO discount_item (tenant, line, sku, name, value)
       SELECT tenant, line, sku, name, value FROM item ORDER BY tenant, line, sku, name, value, n
       ON CONFLICT DO NOTHING RETURNING tenant, line, sku, name, value)
     SELECT min(n) FROM item WHERE ((tenant, line, sku, name, value) IN (TABLE added)) IS TRUE
     GROUP BY tenant, line, sku, name, value",
);
/// A code for the line comes before one for all lines. The ledger is asked by customer only where there is one, and by
/// its index: left to itself SQLite reads the tenant's whole ledger.
macro_rules! coupon_sql {
    () => {
        "SELECT c.promotion, c.valid_from, c.valid_until, c.max_redemptions, c.max_per_customer,
                coalesce((SELECT u.count FROM discount_usage u WHERE u.tenant = c.tenant AND u.line = c.line
                             AND u.promotion = c.promotion AND u.coupon = c.coupon), 0),
                CASE WHEN ?4 = '' THEN NULL ELSE
                  (SELECT count(*) FROM discount_redemption r INDEXED BY discount_redemption_customer
                    WHERE r.tenant = c.tenant AND r.customer_id = ?4 AND r.promotion = c.promotion
                      AND r.coupon = c.coupon AND r.coupon_line = c.line AND r.restored_at IS NULL) END
           FROM discount_coupon c
          WHERE c.tenant = ?1 AND c.line IN (?2, '') AND c.coupon = ?3 ORDER BY c.line DESC LIMIT 1"
    };
}
const COUPON: Statement = Statement::pair(
    "discount.coupon",
    coupon_sql!(),
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, line, coupon, customer_id, n)
     CROSS JOIN LATERAL (
       SELECT c.promotion, c.valid_from, c.valid_until, c.max_redemptions, c.max_per_customer,
         coalesce((SELECT u.count FROM discount_usage u WHERE u.tenant = c.tenant AND u.line = c.line
                     AND u.promotion = c.promotion AND u.coupon = c.coupon), 0),
         CASE WHEN item.customer_id = '' THEN NULL ELSE
           (SELECT count(*) FROM discount_redemption r
            WHERE r.tenant = c.tenant AND r.customer_id = item.customer_id AND r.promotion = c.promotion
              AND r.coupon = c.coupon AND r.coupon_line = c.line AND r.restored_at IS NULL) END
       FROM discount_coupon c
       WHERE c.tenant = item.tenant AND c.line IN (item.line, '') AND c.coupon = item.coupon
       ORDER BY c.line DESC LIMIT 1) AS found",
);
const PUT_COUPON: Statement = Statement::pair(
    "discount.put_coupon",
    "INSERT INTO discount_coupon (tenant, line, coupon, promotion, valid_from, valid_until, max_redemptions,
                                  max_per_customer)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
     ON CONFLICT DO UPDATE SET promotion = excluded.promotion, valid_from = excluded.valid_from,
            valid_until = excluded.valid_until, max_redemptions = excluded.max_redemptions,
            max_per_customer = excluded.max_per_customer",
    "INSERT INTO discount_coupon (tenant, line, coupon, promotion, valid_from, valid_until, max_redemptions,
         max_per_customer)
     SELECT DISTINCT ON (tenant, line, coupon) tenant, line, coupon, promotion, valid_from, valid_until,
       max_redemptions, max_per_customer
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
       AS item (tenant, line, coupon, promotion, valid_from, valid_until, max_redemptions,
               max_per_customer, n)
     ORDER BY tenant, line, coupon, n DESC
     ON CONFLICT (tenant, line, coupon)
       DO UPDATE SET promotion = excluded.promotion, valid_from = excluded.valid_from,
       valid_until = excluded.valid_until, max_redemptions = excluded.max_redemptions,
       max_per_customer = excluded.max_per_customer",
);

/// The version of each tenant's promotions; 0 where none was ever defined.
pub(crate) async fn versions(reader: &Reader<'_>, tenants: &[&str]) -> Result<Vec<i64>, StoreError> {
    let found = reader.fetch_optional::<(i64,), _>(&VERSION, tenants.iter().map(|tenant| (*tenant,))).await?;
    Ok(found.into_iter().map(|row| row.map_or(0, |(version,)| version)).collect())
}

/// The promotions of each scope's line, by id; one for the line hides one of its id for all lines.
pub(crate) async fn promotions(
    reader: &Reader<'_>,
    scopes: &[&Scope],
) -> Result<Vec<Vec<Promotion>>, StoreError> {
    let keys = scopes.iter().map(|scope| (&scope.tenant, &scope.line));
    let groups = reader.fetch_grouped::<(String, i64, String), _>(&PROMOTIONS, keys).await?;
    groups.into_iter().map(compiled).collect()
}

fn compiled(rows: Vec<(String, i64, String)>) -> Result<Vec<Promotion>, StoreError> {
    let mut promotions: Vec<Promotion> = Vec::with_capacity(rows.len());
    for (line, version, document) in rows {
        let promotion = read(&line, version, &document).map_err(StoreError::Value)?;
        if promotions.last().is_none_or(|before| before.id != promotion.id) {
            promotions.push(promotion);
        }
    }
    Ok(promotions)
}

/// A stored promotion as the rules know it.
pub(super) fn read(line: &str, version: i64, document: &str) -> Result<Promotion, String> {
    let record: contract::Promotion = serde_json::from_str(document).map_err(|error| error.to_string())?;
    compile(&record, line, version)
}

/// Stores promotions with their documents, and has what was compiled of their tenants worked out again.
pub(crate) async fn put_promotions(
    tx: &mut Tx<'_>,
    rows: &[(String, Promotion, String)],
) -> Result<(), StoreError> {
    let items = rows.iter().map(|(tenant, promotion, document)| {
        let Limits { amount, count, customer_amount, customer_count } = promotion.limits;
        (tenant, &promotion.line, &promotion.id, document, amount, count, customer_amount, customer_count)
    });
    tx.execute(&PUT_PROMOTION, items).await?;
    let tenants: std::collections::BTreeSet<&str> = rows.iter().map(|(tenant, ..)| tenant.as_str()).collect();
    tx.execute(&BUMP_VERSION, tenants.into_iter().map(|tenant| (tenant,))).await.map(drop)
}

/// What a line's sheet entries are looked up by; an empty location stands for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SheetKey {
    pub(crate) scope: Scope,
    pub(crate) location: String,
    pub(crate) sku: Sku,
    pub(crate) currency: Currency,
    pub(crate) now: Timestamp,
}

type SheetRow = (String, String, String, Timestamp, Amount, Quantity);

/// The entries of all sheets that hold for each key.
pub(crate) async fn sheet_entries(
    reader: &Reader<'_>,
    keys: &[SheetKey],
) -> Result<Vec<Vec<SheetEntry>>, StoreError> {
    let items = keys.iter().map(|key| {
        let Scope { tenant, line, .. } = &key.scope;
        (tenant, line, key.location.as_str(), &key.sku, key.currency.code(), key.now)
    });
    let entry = |(promotion, line, location, valid_from, amount, per): SheetRow| {
        let off = Price::new(amount, per).map_err(|error| StoreError::Value(error.to_string()))?;
        Ok(SheetEntry { promotion, line, location, valid_from, off })
    };
    let groups = reader.fetch_grouped::<SheetRow, _>(&SHEET_ENTRIES, items).await?;
    groups.into_iter().map(|rows| rows.into_iter().map(entry).collect()).collect()
}

/// An entry of a sheet with all that its key needs.
#[derive(Debug, Clone)]
pub(crate) struct EntryRecord {
    pub(crate) tenant: String,
    pub(crate) line: String,
    pub(crate) location: String,
    pub(crate) sku: Sku,
    pub(crate) currency: Currency,
    pub(crate) valid_from: Timestamp,
    pub(crate) promotion: String,
    pub(crate) valid_until: Timestamp,
    pub(crate) amount_off: Amount,
    pub(crate) per: Quantity,
}

/// Stores entries; what has the same key is replaced.
pub(crate) async fn put_entries(tx: &mut Tx<'_>, rows: &[EntryRecord]) -> Result<(), StoreError> {
    let items = rows.iter().map(|r| {
        let key = (&r.tenant, &r.line, &r.location, &r.sku, r.currency.code(), r.valid_from, &r.promotion);
        let (tenant, line, location, sku, currency, valid_from, promotion) = key;
        (tenant, line, location, sku, currency, valid_from, promotion, r.valid_until, r.amount_off, r.per)
    });
    tx.execute(&PUT_ENTRY, items).await.map(drop)
}

/// What is known of each item.
pub(crate) async fn facts(reader: &Reader<'_>, items: &[(Scope, Sku)]) -> Result<Vec<Vec<Fact>>, StoreError> {
    let keys = items.iter().map(|(scope, sku)| (&scope.tenant, &scope.line, sku));
    let groups = reader.fetch_grouped::<(String, String), _>(&FACTS, keys).await?;
    let fact = |(name, value): (String, String)| {
        let text = format!("{name}={value}");
        Fact { name, value, text }
    };
    let sorted = |mut rows: Vec<(String, String)>| {
        rows.sort_unstable();
        rows.into_iter().map(fact).collect()
    };
    Ok(groups.into_iter().map(sorted).collect())
}

/// A fact about an item: tenant, line, item, name, value.
pub(crate) type ItemRecord = (String, String, Sku, String, String);

/// Stores facts; what is known already stays.
pub(crate) async fn put_items(tx: &mut Tx<'_>, rows: &[ItemRecord]) -> Result<(), StoreError> {
    let items = rows.iter().map(|(tenant, line, sku, name, value)| (tenant, line, sku, name, value));
    tx.execute(&PUT_ITEM, items).await.map(drop)
}

type CouponRow = (String, Timestamp, Timestamp, Option<i64>, Option<i64>, i64, Option<i64>);

/// The codes, with what is redeemed of them by all and by the customer (empty for nobody).
pub(crate) async fn coupons(
    reader: &Reader<'_>,
    keys: &[(&Scope, &CouponCode, &str)],
) -> Result<Vec<Option<CouponFacts>>, StoreError> {
    let items = keys.iter().map(|(scope, coupon, customer)| (&scope.tenant, &scope.line, *coupon, *customer));
    let found = reader.fetch_optional::<CouponRow, _>(&COUPON, items).await?;
    let facts = |row: CouponRow| {
        let (promotion, valid_from, valid_until, redemptions, per_customer, redeemed, redeemed_by_customer) =
            row;
        let limits = CouponLimits { redemptions, per_customer };
        CouponFacts { promotion, valid_from, valid_until, limits, redeemed, redeemed_by_customer }
    };
    Ok(found.into_iter().map(|row| row.map(facts)).collect())
}

/// A code with all that its key needs.
#[derive(Debug, Clone)]
pub(crate) struct CouponRecord {
    pub(crate) tenant: String,
    pub(crate) line: String,
    pub(crate) coupon: CouponCode,
    pub(crate) promotion: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) limits: CouponLimits,
}

/// Stores codes; a code that exists gets the new period and limits.
pub(crate) async fn put_coupons(tx: &mut Tx<'_>, rows: &[CouponRecord]) -> Result<(), StoreError> {
    let items = rows.iter().map(|r| {
        let CouponLimits { redemptions, per_customer } = r.limits;
        (&r.tenant, &r.line, &r.coupon, &r.promotion, r.valid_from, r.valid_until, redemptions, per_customer)
    });
    tx.execute(&PUT_COUPON, items).await.map(drop)
}

#[cfg(test)]
pub(super) const SHEET_ENTRIES_PLAN: Statement =
    Statement::sqlite("discount.sheet_entries_plan", concat!("EXPLAIN QUERY PLAN ", sheet_entries_sql!()));
#[cfg(test)]
pub(super) const COUPON_PLAN: Statement =
    Statement::sqlite("discount.coupon_plan", concat!("EXPLAIN QUERY PLAN ", coupon_sql!()));
