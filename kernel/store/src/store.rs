//! A store: jobs that write and jobs that read, on the database that it was opened on. What a job does is its owner's business.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::StoreError;
use crate::flush::Flush;
use crate::migrate::Migrations;
use crate::position::Position;
use crate::postgres::{Begin, Ear, Lag, Postgres, ReplicaFigures};
use crate::session::{Reader, Tx};
use crate::sqlite::Sqlite;
use crate::tenants::Tenants;

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Threads that read.
    pub readers: usize,
    /// What a commit to a SQLite database survives.
    pub durability: Durability,
    /// Threads that write to PostgreSQL; a SQLite database has one.
    pub writers: usize,
    /// Who else may have a PostgreSQL database open; a SQLite database has one process at a time.
    pub access: Access,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 2, durability: Durability::Power, writers: 2, access: Access::Alone }
    }
}

/// Who else may have a PostgreSQL database open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Nobody else writes while this store is open; opening fails while another that is alone has the database. A store whose
    /// connections broke and whose place another has taken since writes nothing more.
    #[default]
    Alone,
    /// Others that opened it so write too; who wants to be alone is refused, and refuses this store. A transaction whose
    /// process stands still in the middle of it is ended by the server after [`Access::STANDSTILL`].
    Together,
    /// Others write too; they know what they do.
    Shared,
    /// This store only reads, beside whoever has the database. It changes no schema.
    Reading,
}

impl Access {
    /// How long a transaction of [`Access::Together`] may wait for its process.
    pub const STANDSTILL: Duration = Duration::from_secs(3);
}

/// What an acknowledged commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The loss of power: it is flushed to the disk.
    #[default]
    Power,
    /// The end of the process only: nothing is ever flushed. For data that is thrown away, as a simulation's is.
    Process,
}

/// What was asked of the database since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Statements as a batch sees them: one for all its items.
    pub statements: u64,
    /// Statements as SQLite runs them: one for each item. PostgreSQL is given them together.
    pub executions: u64,
    /// Write transactions that were committed.
    pub commits: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    statements: AtomicU64,
    executions: AtomicU64,
    commits: AtomicU64,
}

impl Counters {
    pub(crate) fn statement(&self, items: usize) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.executions.fetch_add(items as u64, Ordering::Relaxed);
    }

    pub(crate) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }
}

/// An open database.
#[derive(Debug)]
pub struct Store {
    database: Database,
    counters: Arc<Counters>,
}

#[derive(Debug)]
enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens `directory` (made if missing) with a SQLite database in it, locks it, applies `migrations`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it; what the file system or a migration says otherwise.
    pub async fn open(
        directory: &Path,
        migrations: &[Migrations],
        options: Options,
    ) -> Result<Self, StoreError> {
        let database = Database::Sqlite(Sqlite::open(directory, migrations, options).await?);
        Ok(Self { database, counters: Arc::default() })
    }

    /// Connects to a PostgreSQL database, `postgres://user@host/database`, and applies `migrations`. Connections are the server's
    /// own: a pooler that gives a session's locks to somebody else must not stand between.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process is alone with it; what the server, the network or a migration says otherwise.
    pub async fn connect(url: &str, migrations: &[Migrations], options: Options) -> Result<Self, StoreError> {
        let database = Database::Postgres(Postgres::connect(url, migrations, options).await?);
        Ok(Self { database, counters: Arc::default() })
    }

    /// With standbys of the PostgreSQL primary that [`Store::read_behind`] may ask, each by an address of its own. One that cannot be
    /// reached is tried again later. Must be called inside a tokio runtime, which has to live as long as the store.
    ///
    /// # Errors
    /// [`StoreError::Replica`] for an address that names no standby of this database, and on SQLite, which has none.
    pub async fn with_replicas(self, urls: &[String], readers: usize) -> Result<Self, StoreError> {
        let Self { database, counters } = self;
        let database = match database {
            Database::Sqlite(_) if !urls.is_empty() => {
                return Err(StoreError::Replica("a SQLite database has no replicas".to_owned()));
            }
            Database::Sqlite(sqlite) => Database::Sqlite(sqlite),
            Database::Postgres(postgres) => Database::Postgres(postgres.with_replicas(urls, readers).await?),
        };
        Ok(Self { database, counters })
    }

    /// Where the primary was behind the last commit of this process; none without replicas, and before the first commit.
    pub fn position(&self) -> Option<Position> {
        match &self.database {
            Database::Sqlite(_) => None,
            Database::Postgres(postgres) => postgres.position(),
        }
    }

    /// Has [`Store::position`] cover whatever this process has read before, who ever wrote it. Nothing is asked without replicas.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_position(&self) -> Result<(), StoreError> {
        match &self.database {
            Database::Sqlite(_) => Ok(()),
            Database::Postgres(postgres) => postgres.note_position().await,
        }
    }

    /// What became of reads that could lag; none without replicas.
    pub fn replica_figures(&self) -> Option<ReplicaFigures> {
        match &self.database {
            Database::Sqlite(_) => None,
            Database::Postgres(postgres) => postgres.replica_figures(),
        }
    }

    /// What was asked of the database so far.
    pub fn cost(&self) -> Cost {
        Cost {
            statements: self.counters.statements.load(Ordering::Relaxed),
            executions: self.counters.executions.load(Ordering::Relaxed),
            commits: self.counters.commits.load(Ordering::Relaxed),
        }
    }

    /// Runs `job` in a transaction and commits it, durably, if the job says `Ok`; else nothing has happened.
    ///
    /// On PostgreSQL another transaction may be in the way; a clone of the job is run then, with what it had captured; what
    /// clones share, the first may have changed.
    ///
    /// # Errors
    /// The job's own, or the commit's.
    pub async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        let (value, flush) = self.write_behind(job).await?;
        flush.wait().await?;
        Ok(value)
    }

    /// As [`Store::write`], but it returns as soon as the commit is what readers and the next writer see; it survives the loss of
    /// power when its flush is done. Nobody outside may hear of it before.
    ///
    /// # Errors
    /// The job's own, or the commit's.
    pub async fn write_behind<T, F>(&self, job: F) -> Result<(T, Flush), StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.write(&self.counters, job).await,
            Database::Postgres(postgres) => Ok((postgres.write(&self.counters, job).await?, Flush::done())),
        }
    }

    /// Whether other processes may write to the database at the same time.
    pub fn is_shared(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    /// As [`Store::write`], on a connection of its own that no batch holds up. On PostgreSQL each statement sees what was
    /// committed when it began, no transaction is run again for what others read, and the loss of power may take the last of
    /// these commits back: for what is true only while it is repeated.
    ///
    /// # Errors
    /// The job's own, or the commit's.
    pub async fn write_aside<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        match &self.database {
            Database::Sqlite(_) => self.write(job).await,
            Database::Postgres(postgres) => postgres.write_aside(&self.counters, job).await,
        }
    }

    /// Hears what other processes tell a channel, and holds a mark of two numbers in share, an advisory lock, for as long
    /// as this process is connected; nothing on SQLite. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// What the server or the network says.
    pub async fn listen(&self, channel: &'static str, mark: (i32, i32)) -> Result<Option<Ear>, StoreError> {
        match &self.database {
            Database::Sqlite(_) => Ok(None),
            Database::Postgres(postgres) => postgres.listen(channel, mark).await.map(Some),
        }
    }

    /// Runs `job` on a snapshot.
    ///
    /// # Errors
    /// The job's own.
    pub async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.read(&self.counters, job).await,
            Database::Postgres(postgres) => postgres.read(&self.counters, Begin::Read(None), job).await,
        }
    }

    /// As [`Store::read`], for a job that is a capability's from its beginning: see [`Reader::confine`].
    ///
    /// # Errors
    /// The job's own.
    pub async fn read_for<T, F>(&self, tenants: Tenants, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.read(&self.counters, job).await,
            Database::Postgres(postgres) => {
                postgres.read(&self.counters, Begin::Read(Some(tenants)), job).await
            }
        }
    }

    /// As [`Store::read_for`], from a standby where one has what `lag` asks for: the role and the tenants are the same there. Whatever
    /// stands in the way, the primary is asked, so that the job may run twice.
    ///
    /// # Errors
    /// The job's own, on the primary.
    pub async fn read_behind<T, F>(&self, tenants: Tenants, lag: Lag, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.read(&self.counters, job).await,
            Database::Postgres(postgres) => postgres.read_behind(&self.counters, (tenants, lag), job).await,
        }
    }

    /// As [`Store::read`], for a job that looks at whole tables: PostgreSQL plans its statements for what the tables hold now, where
    /// others seek by key whatever they hold.
    ///
    /// # Errors
    /// The job's own.
    pub async fn scan<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.read(&self.counters, job).await,
            Database::Postgres(postgres) => postgres.read(&self.counters, Begin::Scan, job).await,
        }
    }

    /// Waits for the jobs that are queued and closes the connections.
    pub fn close(self) {
        match self.database {
            Database::Sqlite(sqlite) => sqlite.close(),
            Database::Postgres(postgres) => postgres.close(),
        }
    }
}
