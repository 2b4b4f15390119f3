//! A statement: a named pair of texts, SQLite's and PostgreSQL's, with the same parameter and result columns, run on all
//! items of a batch by one call. This is where the pair's rules stand; it runs nothing.

/// A named pair of SQL texts. An item gives the parameters; a result row belongs to an item.
///
/// **SQLite** runs its text once an item, as a prepared statement: parameters are `?1, ?2, ...`.
///
/// **PostgreSQL** runs its text once a batch:
///
/// - `$1, $2, ...` are arrays, one a parameter column, with one element an item. Their types come from the items' Rust
///   types (`bigint[]`, `text[]`, `bytea[]`; a `bool` is a `bigint` of 0 or 1), so that the text casts nothing.
/// - The items are `unnest($1, $2) WITH ORDINALITY AS item (tenant, sku, n)`: the columns by the names of what they are
///   compared with or stored in, then `n`, the item's number.
/// - The first result column is `item.n`. SQLite's result columns follow, in its order. Sums are cast to `bigint`. The order
///   of the rows of one item is the text's to say; the items are put in order by the store.
/// - A `SELECT` with an order or a limit of its own an item stands in `CROSS JOIN LATERAL (...)`.
/// - An `UPDATE` or a `DELETE` returns `item.n` for each row that it changed: `execute` counts them.
/// - An `INSERT` that adds or replaces a row for every item returns nothing, and every item counts as one. An `INSERT`
///   that may do nothing stands in a `WITH ... RETURNING key` and gives the number of the first item of each key that was
///   inserted: `SELECT min(n) FROM item WHERE (key IN (TABLE added)) IS TRUE GROUP BY key`, the key's columns in the order of the
///   `RETURNING`. That is looked up in a hash table; a join of the two would compare each with each, since connections plan without
///   hash joins, and so would the `IN` without its `IS TRUE`, which is planned as one.
/// - Rows are written in the order of their key (`ORDER BY` in front of the `INSERT`; where rows are contended, a
///   `FOR UPDATE` in key order in front of the `UPDATE`, or where they are loaded), so that two batches wait for each other
///   instead of dying.
/// - Two items of one batch change two different rows. Where they may not, the text keeps the last
///   (`DISTINCT ON (key) ... ORDER BY key, n DESC`) or adds them up, as running one after the other does.
/// - A statement without parameters runs once: its text has no `unnest` and its rows no number.
///
/// ```text
/// Statement::pair(
///     "shelf.price",
///     "SELECT price FROM shelf WHERE tenant = ?1 AND sku = ?2",
///     "SELECT item.n, s.price FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, sku, n)
///      JOIN shelf s ON s.tenant = item.tenant AND s.sku = item.sku",
/// )
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Statement {
    /// A statement, by `capability.what`, in SQLite's words and in PostgreSQL's.
    pub const fn pair(name: &'static str, sqlite: &'static str, postgres: &'static str) -> Self {
        Self { name, sqlite, postgres }
    }

    /// A statement without parameters that both databases read alike.
    pub const fn both(name: &'static str, text: &'static str) -> Self {
        Self { name, sqlite: text, postgres: text }
    }

    /// What only SQLite can be asked: how it would run a statement.
    pub const fn sqlite(name: &'static str, sqlite: &'static str) -> Self {
        Self { name, sqlite, postgres: "" }
    }

    /// Its name, `capability.what`.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}
