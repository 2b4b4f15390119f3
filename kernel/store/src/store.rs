//! Opens a data directory and runs jobs on it: writes on one thread with its own connection, reads on a few.
//! A job's future runs on that thread, so no statement leaves it. What a job does is its owner's business.

use std::any::Any;
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use futures::FutureExt as _;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::migrate::{self, Migrations};
use crate::session::{Reader, Tx};

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Threads that read.
    pub readers: usize,
    /// What a commit survives.
    pub durability: Durability,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 2, durability: Durability::Power }
    }
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
    /// Statements as SQLite ran them: one for each item.
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
}

type Job = Box<dyn FnOnce(&Connection, &Counters) + Send>;

/// An open data directory.
#[derive(Debug)]
pub struct Store {
    writer: mpsc::Sender<Job>,
    readers: mpsc::Sender<Job>,
    counters: Arc<Counters>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    directory: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens `directory` (made if missing), locks it, applies `migrations`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it; what the file system or a migration says otherwise.
    pub async fn open(
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
            Err(std::fs::TryLockError::WouldBlock) => return Err(StoreError::Locked(directory.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        let database = directory.join("mortise.db");
        migrate::apply(&database, migrations, options.durability).await?;
        let counters = Arc::new(Counters::default());
        let (writer, writes) = mpsc::channel::<Job>();
        let (readers, reads) = mpsc::channel::<Job>();
        let mut threads = vec![spawn(
            "mortise-writer",
            connect(&database, Role::Writer, options.durability)?,
            Jobs::Own(writes),
            &counters,
        )];
        let reads = Arc::new(Mutex::new(reads));
        for _ in 0..options.readers.max(1) {
            let connection = connect(&database, Role::Reader, options.durability)?;
            threads.push(spawn("mortise-reader", connection, Jobs::Shared(Arc::clone(&reads)), &counters));
        }
        Ok(Self {
            writer,
            readers,
            counters,
            threads: Mutex::new(threads),
            directory: directory.to_owned(),
            _lock: lock,
        })
    }

    /// Where the data is.
    pub fn directory(&self) -> &Path {
        &self.directory
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
    /// # Errors
    /// The job's own, or the commit's.
    pub async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection, counters| {
            let result = in_transaction(connection, "BEGIN IMMEDIATE", || {
                let mut tx = Tx::new(connection, counters);
                now(job(&mut tx))
            });
            if result.is_ok() {
                counters.commits.fetch_add(1, Ordering::Relaxed);
            }
            // Nobody may be waiting any more; what was committed stays committed.
            let _ = done.send(result);
        });
        self.writer.send(job).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
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
        let (done, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection, counters| {
            let result = in_transaction(connection, "BEGIN", || now(job(&Reader::new(connection, counters))));
            let _ = done.send(result);
        });
        self.readers.send(job).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits for the jobs that are queued and closes the connections.
    pub fn close(self) {
        let Self { writer, readers, threads, .. } = self;
        drop((writer, readers));
        for thread in threads.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let _ = thread.join();
        }
    }
}

/// On SQLite a session never waits; a future that does awaits something that is not its transaction.
fn now<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| future.now_or_never()));
    match polled {
        Ok(Some(result)) => result,
        Ok(None) => Err(StoreError::Awaited),
        Err(panic) => Err(StoreError::Panic(words(&*panic))),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

fn in_transaction<T>(
    connection: &Connection,
    begin: &'static str,
    job: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let control = |text: &'static str| {
        let run = connection.prepare_cached(text).and_then(|mut statement| statement.raw_execute());
        run.map(drop).map_err(|source| StoreError::Sqlite { statement: text, source })
    };
    control(begin)?;
    let result = job().and_then(|value| control("COMMIT").map(|()| value));
    if result.is_err() && !connection.is_autocommit() {
        control("ROLLBACK")?;
    }
    result
}

enum Role {
    Writer,
    Reader,
}

fn connect(database: &Path, role: Role, durability: Durability) -> Result<Connection, StoreError> {
    let refused = |source| StoreError::Sqlite { statement: "open", source };
    let connection = Connection::open(database).map_err(refused)?;
    connection.set_prepared_statement_cache_capacity(1024);
    connection
        .execute_batch(match role {
            Role::Writer => {
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;
                 PRAGMA busy_timeout=5000;"
            }
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

enum Jobs {
    Own(mpsc::Receiver<Job>),
    Shared(Arc<Mutex<mpsc::Receiver<Job>>>),
}

impl Jobs {
    fn next(&self) -> Option<Job> {
        match self {
            Self::Own(jobs) => jobs.recv().ok(),
            Self::Shared(jobs) => jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok(),
        }
    }
}

fn spawn(
    name: &str,
    connection: Connection,
    jobs: Jobs,
    counters: &Arc<Counters>,
) -> std::thread::JoinHandle<()> {
    let counters = Arc::clone(counters);
    let run = move || {
        while let Some(job) = jobs.next() {
            job(&connection, &counters);
        }
    };
    match std::thread::Builder::new().name(name.to_owned()).spawn(run) {
        Ok(handle) => handle,
        Err(error) => {
            tracing::error!(%error, "no thread for the database");
            std::thread::spawn(|| {})
        }
    }
}
