//! SQLite: a locked data directory with one database, one thread that writes and a few that read, each with a connection of
//! its own. A job's future runs on that thread and never waits; a statement runs row by row as a prepared one. The writer does
//! not wait for the disk: a commit is flushed, and the log merged, beside the next transactions.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::error::StoreError;
use crate::flush::{Flush, Flusher};
use crate::log_file;
use crate::merge::{self, Bell, Merger};
use crate::migrate::{self, Migrations};
use crate::pace;
use crate::pool::{Pool, caught};
use crate::row::{Datum, FromRow, Params};
use crate::session::{Reader, Tx};
use crate::statement::Statement;
use crate::store::{Counters, Durability, Options};

/// An open data directory.
#[derive(Debug)]
pub(crate) struct Sqlite {
    writer: Pool<Writer>,
    readers: Pool<Connection>,
    /// None where nothing is ever flushed.
    flusher: Option<Flusher>,
    /// None where the writer does it.
    merger: Option<Merger>,
    _lock: File,
}

/// The one connection that writes.
#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// None where it merges the log as SQLite does by itself.
    bell: Option<Bell>,
}

impl Sqlite {
    pub(crate) async fn open(
        directory: &Path,
        migrations: &[Migrations],
        options: Options,
    ) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Directory { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(StoreError::Locked(format!("the data directory `{}`", directory.display())));
            }
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        let database = directory.join("mortise.db");
        migrate::sqlite(&database, migrations, options.durability).await?;
        let writer = connect(&database, Role::Writer, options.durability)?;
        let (flusher, merger, bell) = match options.durability {
            Durability::Power => {
                let log = directory.join("mortise.db-wal");
                let flusher = Flusher::start(directory, &log)?;
                let (merger, bell) = Merger::start(
                    connect(&database, Role::Merger, options.durability)?,
                    directory,
                    &database,
                    &log,
                )?;
                merge::watch(&writer);
                (Some(flusher), Some(merger), Some(bell))
            }
            Durability::Process => (None, None, None),
        };
        let writer = Pool::start("mortise-writer", [Ok(Writer { connection: writer, bell })])?;
        let readers =
            (0..options.readers.max(1)).map(|_| connect(&database, Role::Reader, options.durability));
        Ok(Self { writer, readers: Pool::start("mortise-reader", readers)?, flusher, merger, _lock: lock })
    }

    pub(crate) async fn write<T, F>(&self, counters: &Arc<Counters>, job: F) -> Result<(T, Flush), StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let counters = Arc::clone(counters);
        let flusher = self.flusher.as_ref().map(Flusher::queue);
        let run = move |Writer { connection, bell }: &mut Writer, (): &()| {
            if let Some(bell) = bell {
                bell.make_room(connection)?;
            }
            let result = in_transaction(connection, "BEGIN IMMEDIATE", || {
                let mut tx = Tx::new(Reader::sqlite(connection, &counters));
                let said = now(job(&mut tx));
                tx.close(said)
            });
            match (&result, bell) {
                (Ok(_), _) => counters.committed(),
                (Err(error), Some(bell)) if error.is_no_room() => bell.had_no_room(),
                _ => {}
            }
            let flush = || flusher.as_ref().map_or_else(Flush::done, Flusher::flush);
            result.map(|value| (value, flush()))
        };
        let then = |Writer { connection, bell }: &mut Writer, ()| {
            if let Some(bell) = bell {
                bell.after_commit(connection);
            }
        };
        self.writer.run_on((), run, then).await
    }

    pub(crate) async fn read<T, F>(&self, counters: &Arc<Counters>, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let counters = Arc::clone(counters);
        let run = move |connection: &mut Connection| {
            in_transaction(connection, "BEGIN", || now(job(&Reader::sqlite(connection, &counters))))
        };
        self.readers.run(run).await
    }

    pub(crate) fn close(self) {
        self.writer.close();
        self.readers.close();
        if let Some(flusher) = self.flusher {
            flusher.close();
        }
        if let Some(merger) = self.merger {
            merger.close();
        }
    }
}

/// On SQLite a session never waits; a future that does awaits something that is not its transaction.
fn now<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    caught(|| future.now_or_never())?.unwrap_or(Err(StoreError::Awaited))
}

fn in_transaction<T>(
    connection: &Connection,
    begin: &'static str,
    job: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    control(connection, begin)?;
    let result = job().and_then(|value| control(connection, "COMMIT").map(|()| value));
    if result.is_err() && !connection.is_autocommit() {
        control(connection, "ROLLBACK")?;
    }
    result
}

fn control(connection: &Connection, text: &'static str) -> Result<(), StoreError> {
    let run = connection.prepare_cached(text).and_then(|mut statement| statement.raw_execute());
    run.map(drop).map_err(|source| StoreError::Sqlite { statement: text, source })
}

enum Role {
    Writer,
    Reader,
    Merger,
}

fn connect(database: &Path, role: Role, durability: Durability) -> Result<Connection, StoreError> {
    let refused = |source| StoreError::Sqlite { statement: "open", source };
    let connection = match role {
        Role::Writer => log_file::LAYER.connect(database),
        Role::Merger => pace::LAYER.connect(database),
        Role::Reader => Connection::open(database),
    };
    let connection = connection.map_err(refused)?;
    connection.set_prepared_statement_cache_capacity(1024);
    // Writer and merger both merge the log. Where a flush need not reach the medium (macOS), the log's has to before a page is copied.
    connection
        .execute_batch(match role {
            Role::Writer => {
                // `NORMAL` keeps the database whole whatever happens; that a commit survives is the flusher's business. The
                // first look makes the log that it flushes.
                // A small cache: SQLite walks all of it at each commit that has divided a page.
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4096;
                 PRAGMA cache_spill=OFF; PRAGMA checkpoint_fullfsync=ON;
                 PRAGMA busy_timeout=5000; SELECT count(*) FROM sqlite_schema;"
            }
            Role::Merger => "PRAGMA synchronous=NORMAL; PRAGMA checkpoint_fullfsync=ON; PRAGMA cache_size=-64;",
            Role::Reader => {
                "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA busy_timeout=5000;"
            }
        })
        .map_err(refused)?;
    if durability == Durability::Process {
        connection.execute_batch("PRAGMA synchronous=OFF;").map_err(refused)?;
    }
    Ok(connection)
}

/// The result rows of every item, each with the item's number; and how many items there were.
pub(crate) fn fetch<R: FromRow, P: Params>(
    connection: &Connection,
    statement: &Statement,
    items: impl IntoIterator<Item = P>,
) -> Result<(Vec<(usize, R)>, usize), StoreError> {
    let refused = |source| StoreError::Sqlite { statement: statement.name, source };
    let mut prepared = connection.prepare_cached(statement.sqlite).map_err(refused)?;
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
            out.push((item, read.map_err(|off| StoreError::column(statement, off))?));
        }
    }
    Ok((out, count))
}

/// How many rows each item changed.
pub(crate) fn execute<P: Params>(
    connection: &Connection,
    statement: &Statement,
    items: impl IntoIterator<Item = P>,
) -> Result<Vec<u64>, StoreError> {
    let refused = |source| StoreError::Sqlite { statement: statement.name, source };
    let mut prepared = connection.prepare_cached(statement.sqlite).map_err(refused)?;
    let mut changed = Vec::new();
    for params in items {
        bind(&mut prepared, &params).map_err(refused)?;
        changed.push(prepared.raw_execute().map_err(refused)? as u64);
    }
    Ok(changed)
}

/// Takes back what the transaction has written, and goes on in a new one.
///
/// A savepoint would be the usual way. It costs a copy of every page that is changed behind it, in every batch; what it
/// is for happens in few of them.
pub(crate) fn start_over(connection: &Connection) -> Result<(), StoreError> {
    control(connection, "ROLLBACK")?;
    control(connection, "BEGIN IMMEDIATE")
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
