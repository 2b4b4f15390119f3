//! Tax's tables: statements in plain sight, each for a whole batch. Which rates apply is not decided here.

use mortise_capability::{Finding, StoreError};
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{CountryCode, RateBp, Scope, Sku, Timestamp};

use crate::rules::Rate;

const RATES: Statement = Statement::pair(
    "tax.rates",
    "SELECT line, region, tax_class, code, valid_from, rate_bp FROM tax_rate
      WHERE tenant = ?1 AND line IN (?2, '') AND country = ?3 AND region IN (?4, '')
        AND valid_from <= ?5 AND valid_until > ?5",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4, $5)
       WITH ORDINALITY AS item (tenant, line, country, region, valid_from, n)
     CROSS JOIN LATERAL (
       SELECT line, region, tax_class, code, valid_from, rate_bp FROM tax_rate
       WHERE tenant = item.tenant AND line IN (item.line, '') AND country = item.country
         AND region IN (item.region, '')
       AND valid_from <= item.valid_from AND valid_until > item.valid_from) AS found",
);
/// A class for the line comes before one for all lines.
const CLASSES: Statement = Statement::pair(
    "tax.classes",
    "SELECT coalesce((SELECT tax_class FROM tax_item WHERE tenant = ?1 AND line = ?2 AND sku = ?3),
                     (SELECT tax_class FROM tax_item WHERE tenant = ?1 AND line = '' AND sku = ?3))",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, line, sku, n)
     CROSS JOIN LATERAL (
       SELECT tax_class FROM tax_item
       WHERE tenant = item.tenant AND line IN (item.line, '') AND sku = item.sku ORDER BY line DESC
         LIMIT 1) AS found",
);
const PUT_RATE: Statement = Statement::pair(
    "tax.put_rate",
    "INSERT INTO tax_rate (tenant, line, country, region, tax_class, code, valid_from, valid_until, rate_bp)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
     ON CONFLICT DO UPDATE SET valid_until = excluded.valid_until, rate_bp = excluded.rate_bp",
    "INSERT INTO tax_rate (tenant, line, country, region, tax_class, code, valid_from, valid_until, rate_bp)
     SELECT DISTINCT ON (tenant, line, country, region, tax_class, code, valid_from) tenant, line,
       country, region, tax_class, code, valid_from, valid_until, rate_bp
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY
       AS item (tenant, line, country, region, tax_class, code, valid_from, valid_until, rate_bp, n)
     ORDER BY tenant, line, country, region, tax_class, code, valid_from, n DESC
     ON CONFLICT (tenant, line, country, region, tax_class, code, valid_from)
       DO UPDATE SET valid_until = excluded.valid_until, rate_bp = excluded.rate_bp",
);
const PUT_ITEM: Statement = Statement::pair(
    "tax.put_item",
    "INSERT INTO tax_item (tenant, line, sku, tax_class) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT DO UPDATE SET tax_class = excluded.tax_class",
    "INSERT INTO tax_item (tenant, line, sku, tax_class)
     SELECT DISTINCT ON (tenant, line, sku) tenant, line, sku, tax_class
     FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, line, sku, tax_class, n)
     ORDER BY tenant, line, sku, n DESC
     ON CONFLICT (tenant, line, sku) DO UPDATE SET tax_class = excluded.tax_class",
);
/// Of one code, place and class two rates at the same time: which one holds is by its beginning only.
const OVERLAPPING: Statement = Statement::both(
    "tax.overlapping",
    "SELECT a.tenant, a.line, a.country, a.region, a.tax_class, a.code, a.rate_bp, b.rate_bp
       FROM tax_rate a JOIN tax_rate b
         ON b.tenant = a.tenant AND b.line = a.line AND b.country = a.country AND b.region = a.region
        AND b.tax_class = a.tax_class AND b.code = a.code AND b.valid_from > a.valid_from
        AND b.valid_from < a.valid_until AND b.rate_bp <> a.rate_bp LIMIT 100",
);

/// What rates are looked up by; an empty region stands for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PlaceKey {
    pub(crate) scope: Scope,
    pub(crate) country: CountryCode,
    pub(crate) region: String,
    pub(crate) now: Timestamp,
}

/// The rates that hold at each place.
pub(crate) async fn rates(reader: &Reader<'_>, keys: &[PlaceKey]) -> Result<Vec<Vec<Rate>>, StoreError> {
    let items = keys
        .iter()
        .map(|key| (&key.scope.tenant, &key.scope.line, key.country.code(), key.region.as_str(), key.now));
    let rate = |(line, region, tax_class, code, valid_from, rate_bp)| Rate {
        line,
        region,
        tax_class,
        code,
        valid_from,
        rate_bp,
    };
    let groups =
        reader.fetch_grouped::<(String, String, String, String, Timestamp, RateBp), _>(&RATES, items).await?;
    Ok(groups.into_iter().map(|rows| rows.into_iter().map(rate).collect()).collect())
}

/// The class of each item that has one of its own.
pub(crate) async fn classes(
    reader: &Reader<'_>,
    items: &[(Scope, Sku)],
) -> Result<Vec<Option<String>>, StoreError> {
    let keys = items.iter().map(|(scope, sku)| (&scope.tenant, &scope.line, sku));
    let found = reader.fetch_optional::<(Option<String>,), _>(&CLASSES, keys).await?;
    Ok(found.into_iter().map(|row| row.and_then(|(class,)| class)).collect())
}

/// A rate with all that its key needs.
#[derive(Debug, Clone)]
pub(crate) struct RateRecord {
    pub(crate) tenant: String,
    pub(crate) line: String,
    pub(crate) country: CountryCode,
    pub(crate) region: String,
    pub(crate) tax_class: String,
    pub(crate) code: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) rate_bp: RateBp,
}

/// Stores rates; what has the same key is replaced.
pub(crate) async fn put_rates(tx: &mut Tx<'_>, rows: &[RateRecord]) -> Result<(), StoreError> {
    let items = rows.iter().map(|r| {
        let (tenant, line, country, region) = (&r.tenant, &r.line, r.country.code(), &r.region);
        (tenant, line, country, region, &r.tax_class, &r.code, r.valid_from, r.valid_until, r.rate_bp)
    });
    tx.execute(&PUT_RATE, items).await.map(drop)
}

/// An item's class: tenant, line, item, class.
pub(crate) type ItemRecord = (String, String, Sku, String);

/// Stores classes.
pub(crate) async fn put_items(tx: &mut Tx<'_>, rows: &[ItemRecord]) -> Result<(), StoreError> {
    let items = rows.iter().map(|(tenant, line, sku, class)| (tenant, line, sku, class));
    tx.execute(&PUT_ITEM, items).await.map(drop)
}

/// Two different rates of one tax at one time.
pub(crate) async fn overlapping(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    type Row = (String, String, String, String, String, String, RateBp, RateBp);
    let rows = reader.fetch_all::<Row, _>(&OVERLAPPING, ()).await?;
    let finding = |(tenant, line, country, region, class, code, a, b): Row| Finding {
        subject: format!("{tenant}/{line} {country} {region} {class} {code}"),
        problem: format!("{a} and {b} hold at the same time"),
    };
    Ok(rows.into_iter().map(finding).collect())
}
