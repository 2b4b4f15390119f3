//! Baseline 2: the rows that real orders left, written by hand. They are found by comparing a database before and after real
//! orders, table by table, and written into a fresh copy of the one before, with the same tables, indexes and settings, so many
//! orders a transaction. No flow, no price, no check of stock: what is left is SQLite and the disk.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::failure::Failure;
use crate::order;
use crate::stopwatch::Stopwatch;

/// Orders a transaction.
pub(crate) const BATCH: usize = 16;
/// Orders that are kept in memory at most.
pub(crate) const ORDERS_MAX: usize = 20_000;
/// More generous than those of the platform's own writer: four times its cache, and reads without copies.
const SETTINGS: &str =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536;
                        PRAGMA mmap_size=268435456;";

/// A table, as its statements need it.
#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<String>,
    /// Positions of the key's columns, in the key's order.
    key: Vec<usize>,
}

/// The rows of orders.
#[derive(Debug)]
pub(crate) struct Rows {
    tables: Vec<Table>,
    /// For each order: table and row.
    inserts: Vec<Vec<(usize, Vec<Value>)>>,
    /// By table: rows that were there before and have other content now.
    updates: Vec<Vec<Vec<Value>>>,
}

/// Rows an order, by table.
pub(crate) type Counts = BTreeMap<String, f64>;

impl Rows {
    /// What `orders` orders from number `first` on have left in `after`, which began as a copy of `before`.
    pub(crate) fn compare(before: &Path, after: &Path, first: u64, orders: usize) -> Result<Self, Failure> {
        let connection = Connection::open(after)?;
        connection.execute("ATTACH DATABASE ?1 AS earlier", [before.to_string_lossy()])?;
        let tables = tables(&connection)?;
        let (mut added, mut updates) = (Vec::new(), Vec::new());
        for table in &tables {
            added.push(table.added(&connection)?);
            updates.push(table.changed(&connection)?);
        }
        let inserts = by_order(&tables, added, first, orders);
        Ok(Self { tables, inserts, updates })
    }

    pub(crate) fn orders(&self) -> usize {
        self.inserts.len()
    }

    /// Rows that are inserted and updated for an order.
    pub(crate) fn counts(&self) -> (Counts, Counts) {
        let orders = self.inserts.len().max(1) as f64;
        let mut inserted = Counts::new();
        for (table, _) in self.inserts.iter().flatten() {
            *inserted.entry(self.tables[*table].name.clone()).or_default() += 1.0 / orders;
        }
        let updated = self.tables.iter().zip(&self.updates).filter(|(_, rows)| !rows.is_empty());
        (
            inserted,
            updated.map(|(table, rows)| (table.name.clone(), updates_an_order(rows.len()) as f64)).collect(),
        )
    }

    /// Writes all orders into the database `into`, a copy of the one before; how long that took.
    pub(crate) fn write(&self, into: &Path) -> Result<Duration, Failure> {
        let connection = Connection::open(into)?;
        connection.set_prepared_statement_cache_capacity(256);
        connection.execute_batch(SETTINGS)?;
        let inserts: Vec<String> = self.tables.iter().map(Table::insert).collect();
        let updates: Vec<String> = self.tables.iter().map(Table::update).collect();
        let mut turns = vec![0; self.tables.len()];
        let began = Stopwatch::start();
        for batch in self.inserts.chunks(BATCH) {
            connection.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
            // Statement by statement, as one would by hand: all rows of a table together.
            for (number, text) in inserts.iter().enumerate() {
                let mut statement = connection.prepare_cached(text)?;
                for (_, row) in batch.iter().flatten().filter(|(table, _)| *table == number) {
                    statement.execute(params_from_iter(row))?;
                }
            }
            for (number, rows) in self.updates.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
                let mut statement = connection.prepare_cached(&updates[number])?;
                for _ in 0..batch.len() * updates_an_order(rows.len()) {
                    turns[number] = (turns[number] + 1) % rows.len();
                    statement.execute(params_from_iter(&rows[turns[number]]))?;
                }
            }
            connection.prepare_cached("COMMIT")?.raw_execute()?;
        }
        Ok(began.passed())
    }
}

/// A table that changes is changed once a line; one that has fewer rows, once a row.
fn updates_an_order(rows: usize) -> usize {
    rows.min(usize::try_from(order::UNITS).unwrap_or(rows))
}

impl Table {
    fn read(connection: &Connection, name: String) -> Result<Self, Failure> {
        let mut statement = connection.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let columns =
            statement.query_map([&name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut key: Vec<(u32, usize)> = columns
            .iter()
            .enumerate()
            .filter(|(_, (_, pk))| *pk > 0)
            .map(|(at, (_, pk))| (*pk, at))
            .collect();
        key.sort_unstable();
        let key = key.into_iter().map(|(_, at)| at).collect();
        Ok(Self { name, columns: columns.into_iter().map(|(name, _)| name).collect(), key })
    }

    fn insert(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|at| format!("?{at}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.columns.join(", "), places.join(", "))
    }

    fn update(&self) -> String {
        let equal = |at: usize| format!("{} = ?{}", self.columns[at], at + 1);
        let set: Vec<String> =
            (0..self.columns.len()).filter(|at| !self.key.contains(at)).map(equal).collect();
        let found: Vec<String> = self.key.iter().map(|at| equal(*at)).collect();
        format!("UPDATE {} SET {} WHERE {}", self.name, set.join(", "), found.join(" AND "))
    }

    /// Rows whose key was not there, in the order of their key.
    fn added(&self, connection: &Connection) -> Result<Vec<Vec<Value>>, Failure> {
        self.rows(connection, &format!("e.{} IS NULL", self.columns[self.key[0]]))
    }

    /// Rows whose key was there with other content.
    fn changed(&self, connection: &Connection) -> Result<Vec<Vec<Value>>, Failure> {
        let others = self.columns.iter().enumerate().filter(|(at, _)| !self.key.contains(at));
        let differs: Vec<String> =
            others.map(|(_, column)| format!("n.{column} IS NOT e.{column}")).collect();
        if differs.is_empty() {
            return Ok(Vec::new());
        }
        self.rows(
            connection,
            &format!("e.{} IS NOT NULL AND ({})", self.columns[self.key[0]], differs.join(" OR ")),
        )
    }

    fn rows(&self, connection: &Connection, which: &str) -> Result<Vec<Vec<Value>>, Failure> {
        let key: Vec<&str> = self.key.iter().map(|at| &*self.columns[*at]).collect();
        let text = format!(
            "SELECT n.* FROM main.{0} n LEFT JOIN earlier.{0} e USING ({1}) WHERE {which} ORDER BY n.{2}",
            self.name,
            key.join(", "),
            key.join(", n."),
        );
        let mut statement = connection.prepare(&text)?;
        let rows = statement.query_map([], |row| (0..self.columns.len()).map(|at| row.get(at)).collect())?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn tables(connection: &Connection) -> Result<Vec<Table>, Failure> {
    let mut statement = connection.prepare(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    )?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let tables =
        names.into_iter().map(|name| Table::read(connection, name)).collect::<Result<Vec<_>, _>>()?;
    Ok(tables.into_iter().filter(|table| !table.key.is_empty()).collect())
}

/// Deals rows out to the orders that they are of. A row that names an order is its own, and so is what its key names: a trade,
/// a reservation, a payment. A second look finds the rows that name those.
fn by_order(
    tables: &[Table],
    added: Vec<Vec<Vec<Value>>>,
    first: u64,
    orders: usize,
) -> Vec<Vec<(usize, Vec<Value>)>> {
    let ids: HashMap<String, usize> = (0..orders).map(|at| (order::id(first + at as u64), at)).collect();
    let mut names: HashMap<String, Owner> = HashMap::new();
    for (table, rows) in tables.iter().zip(&added) {
        for row in rows {
            if let Some(at) = row.iter().find_map(|value| ids.get(text(value)?)) {
                // Every key begins with the tenant.
                for name in table.key.iter().skip(1).filter_map(|column| text(&row[*column])) {
                    let owner = names.entry(name.to_owned()).or_insert(Owner::One(*at));
                    if *owner != Owner::One(*at) {
                        *owner = Owner::Several;
                    }
                }
            }
        }
    }
    let mut dealt: Vec<Vec<(usize, Vec<Value>)>> = (0..orders).map(|_| Vec::new()).collect();
    for (number, rows) in added.into_iter().enumerate() {
        for row in rows {
            let own = row.iter().filter_map(text).find_map(|text| match (ids.get(text), names.get(text)) {
                (Some(at), _) | (None, Some(Owner::One(at))) => Some(*at),
                (None, Some(Owner::Several) | None) => None,
            });
            if let Some(at) = own {
                dealt[at].push((number, row));
            }
        }
    }
    dealt
}

/// Whose a name is. A word that stands in the keys of several orders, such as an event's name, is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    One(usize),
    Several,
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "
        CREATE TABLE header (tenant TEXT, order_id TEXT, trade TEXT, PRIMARY KEY (tenant, order_id)) WITHOUT ROWID;
        CREATE TABLE trade (tenant TEXT, id TEXT, key TEXT, PRIMARY KEY (tenant, id)) WITHOUT ROWID;
        CREATE TABLE journal (tenant TEXT, trade TEXT, seq INTEGER, record TEXT, PRIMARY KEY (tenant, trade, seq)) WITHOUT ROWID;
        CREATE TABLE stock (tenant TEXT, sku TEXT, reserved INTEGER, PRIMARY KEY (tenant, sku)) WITHOUT ROWID;
        INSERT INTO stock VALUES ('t', 'a', 0), ('t', 'b', 0), ('t', 'c', 0);";

    #[test]
    fn rows_of_orders_are_found_and_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        Connection::open(path("before")).unwrap().execute_batch(SCHEMA).unwrap();
        std::fs::copy(path("before"), path("after")).unwrap();
        std::fs::copy(path("before"), path("again")).unwrap();
        let (one, two) = (order::id(5), order::id(6));
        let after = Connection::open(path("after")).unwrap();
        after
            .execute_batch(&format!(
                "INSERT INTO header VALUES ('t', '{one}', 'x'), ('t', '{two}', 'y');
                 INSERT INTO trade VALUES ('t', 'x', '{one}'), ('t', 'y', '{two}');
                 INSERT INTO journal VALUES ('t', 'x', 0, 'r'), ('t', 'y', 0, 'r'), ('t', 'y', 1, 'r'), ('t', 'z', 0, 'of nobody');
                 UPDATE stock SET reserved = 1 WHERE sku <> 'c';"
            ))
            .unwrap();
        drop(after);

        let rows = Rows::compare(&path("before"), &path("after"), 5, 2).unwrap();
        let (inserted, updated) = rows.counts();
        assert_eq!(
            inserted,
            Counts::from([("header".into(), 1.0), ("trade".into(), 1.0), ("journal".into(), 1.5)])
        );
        assert_eq!(updated, Counts::from([("stock".into(), 2.0)]));

        rows.write(&path("again")).unwrap();
        let again = Connection::open(path("again")).unwrap();
        let count = |text: &str| again.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM journal"), 3);
        assert_eq!(count("SELECT sum(reserved) FROM stock"), 2);
    }
}
