//! Pricing's tables: statements in plain sight, each for a whole batch. What wins among the rows is not decided here.

use mortise_capability::{Finding, StoreError};
use mortise_store::{FromDatum as _, Reader, Statement, Tx};
use mortise_types::{Amount, Currency, CustomerId, Price, Quantity, Scope, Sku, Timestamp};

use crate::contract::Role;
use crate::rules::Candidate;

/// The entries of one line, location and group, or of what stands for any.
macro_rules! entries_sql {
    ($line:literal, $location:literal, $group:literal) => {
        concat!(
            "SELECT role, price_list, line, location, customer_group, channel, min_quantity, valid_from, priority, amount,
                    per
               FROM pricing_entry
              WHERE tenant = ?1 AND line = ",
            $line,
            " AND location = ",
            $location,
            " AND sku = ?4 AND currency = ?5 AND customer_group = ",
            $group,
            " AND valid_from <= ?7 AND valid_until > ?7"
        )
    };
}
/// Those of one line, or of what stands for any, for each combination of the location or any, the group or any.
macro_rules! entries_of_line_sql {
    ($line:literal) => {
        concat!(
            entries_sql!($line, "?3 AND ?3 <> ''", "?6 AND ?6 <> ''"),
            " UNION ALL ",
            entries_sql!($line, "?3 AND ?3 <> ''", "''"),
            " UNION ALL ",
            entries_sql!($line, "''", "?6 AND ?6 <> ''"),
            " UNION ALL ",
            entries_sql!($line, "''", "''")
        )
    };
}
/// Seeks the key once for each combination of the line or any, the location or any, the group or any: each is a query of its own,
/// as SQLite builds a table at each run for each list of an IN.
macro_rules! candidates_sql {
    () => {
        concat!(entries_of_line_sql!("?2"), " UNION ALL ", entries_of_line_sql!("''"))
    };
}
const CANDIDATES: Statement = Statement::pair(
    "pricing.candidates",
    candidates_sql!(),
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY
       AS item (tenant, line, location, sku, currency, customer_group, at, n)
     CROSS JOIN LATERAL (
       SELECT role, price_list, line, location, customer_group, channel, min_quantity, valid_from, priority, amount, per
       FROM pricing_entry
       WHERE tenant = item.tenant AND line IN (item.line, '') AND location IN (item.location, '') AND sku = item.sku
         AND currency = item.currency AND customer_group IN (item.customer_group, '')
         AND valid_from <= item.at AND valid_until > item.at) AS found",
);
const GROUP_OF: Statement = Statement::pair(
    "pricing.group_of",
    "SELECT coalesce(
       (SELECT customer_group FROM pricing_member WHERE tenant = ?1 AND customer_id = ?2 AND line = ?3),
       (SELECT customer_group FROM pricing_member WHERE tenant = ?1 AND customer_id = ?2 AND line = ''))",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, customer_id, line, n)
     CROSS JOIN LATERAL (
       SELECT customer_group FROM pricing_member
       WHERE tenant = item.tenant AND customer_id = item.customer_id AND line IN (item.line, '')
       ORDER BY line DESC LIMIT 1) AS found",
);
const PUT_ENTRY: Statement = Statement::pair(
    "pricing.put_entry",
    "INSERT INTO pricing_entry (tenant, line, location, sku, currency, customer_group, valid_from, role, price_list,
                                channel, min_quantity, valid_until, priority, amount, per)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
     ON CONFLICT DO UPDATE SET valid_until = excluded.valid_until, priority = excluded.priority,
                               amount = excluded.amount, per = excluded.per",
    "INSERT INTO pricing_entry (tenant, line, location, sku, currency, customer_group, valid_from, role,
         price_list, channel, min_quantity, valid_until, priority, amount, per)
     SELECT DISTINCT ON (tenant, line, location, sku, currency, customer_group, valid_from, role, price_list,
       channel, min_quantity)
       tenant, line, location, sku, currency, customer_group, valid_from, role, price_list, channel,
       min_quantity, valid_until, priority, amount, per
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) WITH ORDINALITY
       AS item (tenant, line, location, sku, currency, customer_group, valid_from, role, price_list,
               channel, min_quantity, valid_until, priority, amount, per, n)
     ORDER BY tenant, line, location, sku, currency, customer_group, valid_from, role, price_list, channel,
       min_quantity, n DESC
     ON CONFLICT (tenant, line, location, sku, currency, customer_group, valid_from, role, price_list, channel,
       min_quantity) DO UPDATE SET valid_until = excluded.valid_until, priority = excluded.priority,
       amount = excluded.amount, per = excluded.per",
);
const REMOVE_ENTRY: Statement = Statement::pair(
    "pricing.remove_entry",
    "DELETE FROM pricing_entry
      WHERE tenant = ?1 AND line = ?2 AND location = ?3 AND sku = ?4 AND currency = ?5 AND customer_group = ?6
        AND valid_from = ?7 AND role = ?8 AND price_list = ?9 AND channel = ?10 AND min_quantity = ?11",
    "DELETE FROM pricing_entry t USING unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) WITH ORDINALITY
       AS item (tenant, line, location, sku, currency, customer_group, valid_from, role, price_list,
               channel, min_quantity, n)
     WHERE t.tenant = item.tenant AND t.line = item.line AND t.location = item.location
       AND t.sku = item.sku AND t.currency = item.currency AND t.customer_group = item.customer_group
         AND t.valid_from = item.valid_from AND t.role = item.role AND t.price_list = item.price_list
           AND t.channel = item.channel AND t.min_quantity = item.min_quantity RETURNING item.n",
);
const PUT_MEMBER: Statement = Statement::pair(
    "pricing.put_member",
    "INSERT INTO pricing_member (tenant, customer_id, line, customer_group) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT DO UPDATE SET customer_group = excluded.customer_group",
    "INSERT INTO pricing_member (tenant, customer_id, line, customer_group)
     SELECT DISTINCT ON (tenant, customer_id, line) tenant, customer_id, line, customer_group
     FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, customer_id, line, customer_group, n)
     ORDER BY tenant, customer_id, line, n DESC
     ON CONFLICT (tenant, customer_id, line) DO UPDATE SET customer_group = excluded.customer_group",
);
const REMOVE_MEMBER: Statement = Statement::pair(
    "pricing.remove_member",
    "DELETE FROM pricing_member WHERE tenant = ?1 AND customer_id = ?2 AND line = ?3",
    "DELETE FROM pricing_member t USING unnest($1, $2, $3)
       WITH ORDINALITY AS item (tenant, customer_id, line, n)
     WHERE t.tenant = item.tenant AND t.customer_id = item.customer_id AND t.line = item.line RETURNING item.n",
);
const ODD_ENTRIES: Statement = Statement::both(
    "pricing.odd_entries",
    "SELECT tenant, line, location, sku, price_list, amount, per, valid_from, valid_until
       FROM pricing_entry WHERE amount < 0 OR per < 1 OR min_quantity < 1 OR valid_until <= valid_from LIMIT 100",
);
/// A floor above a ceiling of the same reach, at the same time; both for the same units.
const CROSSED_BOUNDS: Statement = Statement::pair(
    "pricing.crossed_bounds",
    "SELECT f.tenant, f.line, f.location, f.sku, f.price_list, f.amount, f.per, c.amount, c.per
       FROM pricing_entry f
       JOIN pricing_entry c
         ON c.tenant = f.tenant AND c.line = f.line AND c.location = f.location AND c.sku = f.sku
        AND c.currency = f.currency AND c.customer_group = f.customer_group AND c.role = 'ceiling'
        AND c.channel = f.channel AND c.valid_from < f.valid_until AND f.valid_from < c.valid_until
      WHERE f.role = 'floor' AND f.amount * c.per > c.amount * f.per LIMIT 100",
    "SELECT f.tenant, f.line, f.location, f.sku, f.price_list, f.amount, f.per, c.amount, c.per
       FROM pricing_entry f
       JOIN pricing_entry c
         ON c.tenant = f.tenant AND c.line = f.line AND c.location = f.location AND c.sku = f.sku
        AND c.currency = f.currency AND c.customer_group = f.customer_group AND c.role = 'ceiling'
        AND c.channel = f.channel AND c.valid_from < f.valid_until AND f.valid_from < c.valid_until
      WHERE f.role = 'floor' AND f.amount::numeric * c.per > c.amount::numeric * f.per LIMIT 100",
);

/// What an item's entries are looked up by. Empty texts stand for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) scope: Scope,
    pub(crate) location: String,
    pub(crate) sku: Sku,
    pub(crate) currency: Currency,
    pub(crate) customer_group: String,
    pub(crate) now: Timestamp,
}

fn role_text(role: Role) -> &'static str {
    match role {
        Role::Price => "price",
        Role::Floor => "floor",
        Role::Ceiling => "ceiling",
    }
}

fn role_of(text: &str) -> Result<Role, StoreError> {
    [Role::Price, Role::Floor, Role::Ceiling]
        .into_iter()
        .find(|role| role_text(*role) == text)
        .ok_or_else(|| StoreError::Value(format!("a price entry of role `{text}`")))
}

type CandidateRow =
    (String, String, String, String, String, String, Quantity, Timestamp, i64, Amount, Quantity);

fn candidate(row: CandidateRow) -> Result<Candidate, StoreError> {
    let (
        role,
        price_list,
        line,
        location,
        customer_group,
        channel,
        min_quantity,
        valid_from,
        priority,
        amount,
        per,
    ) = row;
    Ok(Candidate {
        role: role_of(&role)?,
        price_list,
        line,
        location,
        customer_group,
        channel,
        min_quantity,
        valid_from,
        priority,
        price: Price::new(amount, per).map_err(|error| StoreError::Value(error.to_string()))?,
    })
}

/// The entries that hold for each of `wanted`, in its order.
pub(crate) async fn candidates(
    reader: &Reader<'_>,
    wanted: &[Wanted],
) -> Result<Vec<Vec<Candidate>>, StoreError> {
    let keys = wanted.iter().map(|w| {
        let Scope { tenant, line, .. } = &w.scope;
        (tenant, line, w.location.as_str(), &w.sku, w.currency.code(), w.customer_group.as_str(), w.now)
    });
    let groups = reader.fetch_grouped::<CandidateRow, _>(&CANDIDATES, keys).await?;
    groups.into_iter().map(|rows| rows.into_iter().map(candidate).collect()).collect()
}

/// The group of each customer in a scope's business line, if there is one.
pub(crate) async fn groups(
    reader: &Reader<'_>,
    customers: &[(Scope, CustomerId)],
) -> Result<Vec<Option<String>>, StoreError> {
    let keys = customers.iter().map(|(scope, customer)| (&scope.tenant, customer, &scope.line));
    let found = reader.fetch_optional::<(Option<String>,), _>(&GROUP_OF, keys).await?;
    Ok(found.into_iter().map(|row| row.and_then(|(group,)| group)).collect())
}

/// An entry with all that its key needs.
#[derive(Debug, Clone)]
pub(crate) struct EntryRow {
    pub(crate) tenant: String,
    pub(crate) line: String,
    pub(crate) location: String,
    pub(crate) sku: Sku,
    pub(crate) currency: Currency,
    pub(crate) customer_group: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) role: Role,
    pub(crate) price_list: String,
    pub(crate) channel: String,
    pub(crate) min_quantity: Quantity,
    pub(crate) valid_until: Timestamp,
    pub(crate) priority: i64,
    pub(crate) amount: Amount,
    pub(crate) per: Quantity,
}

/// Stores entries; what has the same key is replaced.
pub(crate) async fn put_entries(tx: &mut Tx<'_>, rows: &[EntryRow]) -> Result<(), StoreError> {
    let items = rows.iter().map(|r| {
        (
            &r.tenant,
            &r.line,
            &r.location,
            &r.sku,
            r.currency.code(),
            &r.customer_group,
            r.valid_from,
            role_text(r.role),
            &r.price_list,
            &r.channel,
            r.min_quantity,
            r.valid_until,
            r.priority,
            r.amount,
            r.per,
        )
    });
    tx.execute(&PUT_ENTRY, items).await.map(drop)
}

/// Removes entries by their key; says how many rows each took away.
pub(crate) async fn remove_entries(tx: &mut Tx<'_>, rows: &[EntryRow]) -> Result<Vec<u64>, StoreError> {
    let items = rows.iter().map(|r| {
        let currency = r.currency.code();
        let role = role_text(r.role);
        let key = (&r.tenant, &r.line, &r.location, &r.sku, currency, &r.customer_group);
        let (tenant, line, location, sku, currency, group) = key;
        (
            tenant,
            line,
            location,
            sku,
            currency,
            group,
            r.valid_from,
            role,
            &r.price_list,
            &r.channel,
            r.min_quantity,
        )
    });
    tx.execute(&REMOVE_ENTRY, items).await
}

/// A customer's group in a line, or (empty) in all; an empty group takes the customer out.
#[derive(Debug, Clone)]
pub(crate) struct MemberRow {
    pub(crate) tenant: String,
    pub(crate) customer_id: CustomerId,
    pub(crate) line: String,
    pub(crate) customer_group: String,
}

/// Stores memberships.
pub(crate) async fn put_members(tx: &mut Tx<'_>, rows: &[MemberRow]) -> Result<(), StoreError> {
    let put = rows.iter().filter(|row| !row.customer_group.is_empty());
    tx.execute(&PUT_MEMBER, put.map(|r| (&r.tenant, &r.customer_id, &r.line, &r.customer_group))).await?;
    let removed = rows.iter().filter(|row| row.customer_group.is_empty());
    tx.execute(&REMOVE_MEMBER, removed.map(|r| (&r.tenant, &r.customer_id, &r.line))).await.map(drop)
}

type OddRow = (String, String, String, String, String, i64, i64, i64, i64);

/// Entries that no import would have stored.
pub(crate) async fn odd_entries(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    let rows = reader.fetch_all::<OddRow, _>(&ODD_ENTRIES, ()).await?;
    let finding = |(tenant, line, location, sku, list, amount, per, from, until): OddRow| Finding {
        subject: format!("{tenant}/{line} {list} {location} {sku}"),
        problem: format!("{amount} per {per} from {} until {}", moment(from), moment(until)),
    };
    Ok(rows.into_iter().map(finding).collect())
}

fn moment(millis: i64) -> String {
    Timestamp::from_datum(mortise_store::Datum::Int(millis))
        .map_or_else(|_| millis.to_string(), |at| at.to_string())
}

/// Floors that lie above the ceiling beside them.
pub(crate) async fn crossed_bounds(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    let rows = reader.fetch_all::<OddRow, _>(&CROSSED_BOUNDS, ()).await?;
    let finding =
        |(tenant, line, location, sku, list, floor, floor_per, ceiling, ceiling_per): OddRow| Finding {
            subject: format!("{tenant}/{line} {list} {location} {sku}"),
            problem: format!(
                "the floor {floor} per {floor_per} is above the ceiling {ceiling} per {ceiling_per}"
            ),
        };
    Ok(rows.into_iter().map(finding).collect())
}

#[cfg(test)]
mod tests;
