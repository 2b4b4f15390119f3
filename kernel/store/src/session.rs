//! Statements and the two sessions that run them: a reader's snapshot and the writer's transaction.
//! On SQLite a statement runs row by row as a prepared one; the signatures leave room for one round trip a batch.

use rusqlite::types::ValueRef;

use crate::error::StoreError;
use crate::row::{Datum, FromRow, Params};
use crate::store::Counters;

/// A named text of SQL. Parameters are `?1, ?2, ...`; result columns stand in the order in which they are read.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
}

impl Statement {
    /// A statement in SQLite's words.
    pub const fn sqlite(name: &'static str, sqlite: &'static str) -> Self {
        Self { name, sqlite }
    }

    /// Its name, `capability.what`.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// A consistent snapshot to read from. It cannot write.
#[derive(Debug)]
pub struct Reader<'c> {
    connection: &'c rusqlite::Connection,
    counters: &'c Counters,
}

/// The transaction of a batch: everything that ran in it commits together or not at all.
#[derive(Debug)]
pub struct Tx<'c> {
    reader: Reader<'c>,
}

impl<'c> std::ops::Deref for Tx<'c> {
    type Target = Reader<'c>;
    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}

impl<'c> Reader<'c> {
    pub(crate) const fn new(connection: &'c rusqlite::Connection, counters: &'c Counters) -> Self {
        Self { connection, counters }
    }

    /// Runs `statement` for every item; each result row comes with the number of its item.
    ///
    /// # Errors
    /// The statement's, with its name.
    pub async fn fetch<R: FromRow, P: Params>(
        &self,
        statement: &Statement,
        items: impl IntoIterator<Item = P>,
    ) -> Result<Vec<(usize, R)>, StoreError> {
        self.run(statement, items)
    }

    /// The rows of every item, one list an item.
    ///
    /// # Errors
    /// The statement's, with its name.
    pub async fn fetch_grouped<R: FromRow, P: Params>(
        &self,
        statement: &Statement,
        items: impl IntoIterator<Item = P>,
    ) -> Result<Vec<Vec<R>>, StoreError> {
        let mut groups = Vec::new();
        let items = items.into_iter().inspect(|_| groups.push(Vec::new()));
        let rows = self.run(statement, items)?;
        for (item, row) in rows {
            groups[item].push(row);
        }
        Ok(groups)
    }

    /// The first row of every item, if it has one.
    ///
    /// # Errors
    /// The statement's, with its name.
    pub async fn fetch_optional<R: FromRow, P: Params>(
        &self,
        statement: &Statement,
        items: impl IntoIterator<Item = P>,
    ) -> Result<Vec<Option<R>>, StoreError> {
        let mut found = Vec::new();
        let items = items.into_iter().inspect(|_| found.push(None));
        let rows = self.run(statement, items)?;
        for (item, row) in rows {
            found[item].get_or_insert(row);
        }
        Ok(found)
    }

    /// The rows of a statement that is run once.
    ///
    /// # Errors
    /// The statement's, with its name.
    pub async fn fetch_all<R: FromRow, P: Params>(
        &self,
        statement: &Statement,
        params: P,
    ) -> Result<Vec<R>, StoreError> {
        Ok(self.run(statement, [params])?.into_iter().map(|(_, row)| row).collect())
    }

    fn run<R: FromRow, P: Params>(
        &self,
        statement: &Statement,
        items: impl IntoIterator<Item = P>,
    ) -> Result<Vec<(usize, R)>, StoreError> {
        let refused = |source| StoreError::Sqlite { statement: statement.name, source };
        let mut prepared = self.connection.prepare_cached(statement.sqlite).map_err(refused)?;
        let mut out = Vec::new();
        let mut count = 0;
        for (item, params) in items.into_iter().enumerate() {
            count += 1;
            bind(&mut prepared, &params).map_err(refused)?;
            let mut rows = prepared.raw_query();
            while let Some(row) = rows.next().map_err(refused)? {
                let read = R::from_row(&mut |index, take| {
                    let value = row.get_ref(index).map_err(|error| error.to_string())?;
                    take(datum(value)?)
                });
                let read = read.map_err(|(column, problem)| StoreError::Column {
                    statement: statement.name,
                    column,
                    problem,
                })?;
                out.push((item, read));
            }
        }
        self.counters.statement(count);
        Ok(out)
    }
}

impl<'c> Tx<'c> {
    pub(crate) const fn new(connection: &'c rusqlite::Connection, counters: &'c Counters) -> Self {
        Self { reader: Reader::new(connection, counters) }
    }

    /// Runs `statement` for every item and says how many rows each changed.
    ///
    /// # Errors
    /// The statement's, with its name; the transaction is still open and may be started over.
    pub async fn execute<P: Params>(
        &mut self,
        statement: &Statement,
        items: impl IntoIterator<Item = P>,
    ) -> Result<Vec<u64>, StoreError> {
        let refused = |source| StoreError::Sqlite { statement: statement.name, source };
        let mut prepared = self.reader.connection.prepare_cached(statement.sqlite).map_err(refused)?;
        let mut changed = Vec::new();
        for params in items {
            bind(&mut prepared, &params).map_err(refused)?;
            changed.push(prepared.raw_execute().map_err(refused)? as u64);
        }
        self.reader.counters.statement(changed.len());
        Ok(changed)
    }

    /// Takes back all that was written so far and goes on, as if the transaction had only begun. Nobody else writes to a
    /// SQLite database meanwhile, so what was read before still holds.
    ///
    /// A savepoint would be the usual way. It costs a copy of every page that is changed behind it, in every batch; what it
    /// is for happens in few of them.
    ///
    /// # Errors
    /// The database's; the transaction is over then.
    pub async fn start_over(&mut self) -> Result<(), StoreError> {
        self.control("ROLLBACK")?;
        self.control("BEGIN IMMEDIATE")
    }

    fn control(&self, text: &'static str) -> Result<(), StoreError> {
        let refused = |source| StoreError::Sqlite { statement: text, source };
        self.reader
            .connection
            .prepare_cached(text)
            .and_then(|mut s| s.raw_execute())
            .map(drop)
            .map_err(refused)
    }
}

fn bind<P: Params>(statement: &mut rusqlite::CachedStatement<'_>, params: &P) -> rusqlite::Result<()> {
    for column in 0..P::COLUMNS {
        let at = column + 1;
        match params.column(column) {
            Datum::Null => statement.raw_bind_parameter(at, rusqlite::types::Null)?,
            Datum::Int(int) => statement.raw_bind_parameter(at, int)?,
            Datum::Text(text) => statement.raw_bind_parameter(at, text)?,
            Datum::Bytes(bytes) => statement.raw_bind_parameter(at, bytes)?,
        }
    }
    Ok(())
}

fn datum(value: ValueRef<'_>) -> Result<Datum<'_>, String> {
    match value {
        ValueRef::Null => Ok(Datum::Null),
        ValueRef::Integer(int) => Ok(Datum::Int(int)),
        ValueRef::Text(text) => std::str::from_utf8(text).map(Datum::Text).map_err(|error| error.to_string()),
        ValueRef::Blob(bytes) => Ok(Datum::Bytes(bytes)),
        ValueRef::Real(_) => Err("a floating point number; there are none in a Mortise database".to_owned()),
    }
}
