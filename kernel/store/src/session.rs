//! The two sessions that run statements: a reader's snapshot and the writer's transaction. Which database answers is
//! decided once a statement; nothing above this file can see it.

use std::cell::Cell;

use crate::error::StoreError;
use crate::postgres;
use crate::row::{FromRow, Params};
use crate::sqlite;
use crate::statement::Statement;
use crate::store::Counters;
use crate::tenants::Tenants;

/// A consistent snapshot to read from. It cannot write.
#[derive(Debug)]
pub struct Reader<'c> {
    database: Database<'c>,
    counters: &'c Counters,
    failed: Cell<bool>,
}

#[derive(Debug, Clone, Copy)]
enum Database<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c postgres::Session<'c>),
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
    pub(crate) const fn sqlite(connection: &'c rusqlite::Connection, counters: &'c Counters) -> Self {
        Self { database: Database::Sqlite(connection), counters, failed: Cell::new(false) }
    }

    pub(crate) const fn postgres(session: &'c postgres::Session<'c>, counters: &'c Counters) -> Self {
        Self { database: Database::Postgres(session), counters, failed: Cell::new(false) }
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
        self.run(statement, items).await.map(|(rows, _)| rows)
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
        let (rows, items) = self.run(statement, items).await?;
        let mut groups = Vec::new();
        groups.resize_with(items, Vec::new);
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
        let (rows, items) = self.run(statement, items).await?;
        let mut found = Vec::new();
        found.resize_with(items, || None);
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
        Ok(self.run(statement, [params]).await?.0.into_iter().map(|(_, row)| row).collect())
    }

    /// From here on statements are a capability's, for calls of these tenants: on PostgreSQL they run under its role, which
    /// sees no other tenant's rows and none of the engine's tables. Costs nothing where it is so already.
    ///
    /// # Errors
    /// The database's.
    pub async fn confine(&self, tenants: &Tenants) -> Result<(), StoreError> {
        match self.database {
            Database::Sqlite(_) => Ok(()),
            Database::Postgres(session) => {
                let confined = Box::pin(session.confine(tenants)).await;
                confined.inspect_err(|_| self.failed.set(true))
            }
        }
    }

    /// From here on statements are the engine's again, as they are when a transaction begins.
    ///
    /// # Errors
    /// The database's.
    pub async fn unconfine(&self) -> Result<(), StoreError> {
        match self.database {
            Database::Sqlite(_) => Ok(()),
            Database::Postgres(session) => {
                let unconfined = Box::pin(session.unconfine()).await;
                unconfined.inspect_err(|_| self.failed.set(true))
            }
        }
    }

    async fn run<R: FromRow, P: Params>(
        &self,
        statement: &Statement,
        items: impl IntoIterator<Item = P>,
    ) -> Result<(Vec<(usize, R)>, usize), StoreError> {
        let ran = match self.database {
            Database::Sqlite(connection) => sqlite::fetch(connection, statement, items),
            Database::Postgres(session) => match postgres::Batch::of(statement, items) {
                Ok(batch) => Box::pin(session.run(statement, batch)).await.and_then(|a| a.rows(statement)),
                Err(error) => Err(error),
            },
        };
        match &ran {
            Ok((_, items)) => self.counters.statement(*items),
            Err(_) => self.failed.set(true),
        }
        ran
    }
}

impl<'c> Tx<'c> {
    pub(crate) const fn new(reader: Reader<'c>) -> Self {
        Self { reader }
    }

    /// What the job said, unless it went on behind a statement that had failed: PostgreSQL would not let it.
    pub(crate) fn close<T>(&self, said: Result<T, StoreError>) -> Result<T, StoreError> {
        if self.reader.failed.get() { said.and(Err(StoreError::WentOn)) } else { said }
    }

    /// Runs `statement` for every item and says how many rows each changed.
    ///
    /// # Errors
    /// The statement's, with its name; the transaction can only be started over then.
    pub async fn execute<P: Params>(
        &mut self,
        statement: &Statement,
        items: impl IntoIterator<Item = P>,
    ) -> Result<Vec<u64>, StoreError> {
        let ran = match self.reader.database {
            Database::Sqlite(connection) => sqlite::execute(connection, statement, items),
            Database::Postgres(session) => match postgres::Batch::of(statement, items) {
                Ok(batch) => Box::pin(session.run(statement, batch)).await.and_then(|a| a.changed(statement)),
                Err(error) => Err(error),
            },
        };
        match &ran {
            Ok(changed) => self.reader.counters.statement(changed.len()),
            Err(_) => self.reader.failed.set(true),
        }
        ran
    }

    /// Takes back all that was written so far and goes on, as if the transaction had only begun; what was read before still
    /// holds.
    ///
    /// # Errors
    /// The database's; the transaction is over then.
    pub async fn start_over(&mut self) -> Result<(), StoreError> {
        self.reader.failed.set(false);
        match self.reader.database {
            Database::Sqlite(connection) => sqlite::start_over(connection),
            Database::Postgres(session) => Box::pin(session.start_over()).await,
        }
    }
}
