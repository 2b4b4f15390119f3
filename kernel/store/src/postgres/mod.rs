//! PostgreSQL: a few connections that write and a few that read, each on a thread of its own, so that a job's future stays
//! where it began as it does on SQLite. A statement runs once for all items of a batch.

mod answer;
mod batch;
mod ear;
mod hosts;
pub(crate) mod isolation;
mod owner;
mod replicas;
mod roles;
mod session;

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::runtime::Runtime;

pub(crate) use self::batch::Batch;
pub use self::ear::Ear;
pub(crate) use self::hosts::Hosts;
use self::owner::{Company, Owner};
use self::replicas::Replicas;
pub use self::replicas::{FellBack, Lag, ReplicaFigures};
pub(crate) use self::roles::Roles;
use self::session::Planning;
pub(crate) use self::session::{Begin, Session};
use crate::error::StoreError;
use crate::migrate::{self, Migrations};
use crate::pool::Pool;
use crate::position::{Committed, Position};
use crate::session::{Reader, Tx};
use crate::store::{Access, Counters, Options};
use crate::tenants::Tenants;

/// How often a job that was in another's way runs again before its caller hears of it. Of two that are in each other's way
/// one goes through, so that each round has a winner; but it may be another one each time: of four at the same rows, one job
/// in a hundred loses sixteen rounds.
const ATTEMPTS: u32 = 64;

/// Statements that a connection keeps prepared; more than the platform has.
const STATEMENTS: usize = 1024;

/// Statements find a few rows by their keys, whatever the planner believes a table to hold: in a shop that has just opened every
/// table is empty, and a plan that was made then is kept for as long as the connection. With these a plan is made for all
/// arguments and seeks in indexes, and it is made anew as tables grow ([`Planning::of`]): in an empty one every index is as
/// good as the right one. What looks at whole tables says so ([`Begin::Scan`]).
const BY_KEY: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// Has large values compressed by the method that takes a tenth of the time of the server's own, if the server knows it and nobody has
/// chosen one for the server, the database or the user.
const COMPRESSION: &str = "SELECT set_config('default_toast_compression', 'lz4', false) FROM pg_settings
                           WHERE name = 'default_toast_compression' AND source = 'default' AND 'lz4' = ANY (enumvals)";

/// An open database of a server.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// None where the store only reads.
    writers: Option<Pool<Worker>>,
    aside: Option<Pool<Worker>>,
    readers: Pool<Worker>,
    replicas: Option<Replicas>,
    committed: Arc<Committed>,
    server: Hosts,
    roles: Arc<Roles>,
    _owner: Option<Owner>,
}

/// What the platform's connections are like, whoever the server is.
fn configured(server: Hosts) -> Hosts {
    server.map(|host| {
        host.application_name("mortise")
            .statement_cache_capacity(STATEMENTS)
            .options([("client_min_messages", "warning")])
            .options(BY_KEY)
            .disable_statement_logging()
    })
}

impl Postgres {
    pub(crate) async fn connect(
        url: &str,
        migrations: &[Migrations],
        options: Options,
    ) -> Result<Self, StoreError> {
        let server = configured(Hosts::of(url)?);
        // In its company before the schema is touched: a process that is refused has changed nothing.
        let owner = match options.access {
            Access::Alone => Some(Owner::take(&server, Company::Alone).await?),
            Access::Together => Some(Owner::take(&server, Company::Together).await?),
            Access::Shared | Access::Reading => None,
        };
        let roles = match options.access {
            Access::Alone | Access::Together | Access::Shared => {
                migrate::postgres(&server, migrations).await?
            }
            Access::Reading => migrate::postgres_is_current(&server, migrations).await?,
        };
        // From here on nobody is the tables' owner. What RESET ROLE leads back to is the least of the roles.
        let server = server.map(|host| host.options([("role", &roles.capability)]));
        let (roles, committed) = (Arc::new(roles), Arc::new(Committed::default()));
        let epoch = owner.as_ref().map(Owner::epoch);
        let standstill = Access::STANDSTILL.as_millis().to_string();
        let writing = match options.access {
            Access::Together => {
                let limit = [("idle_in_transaction_session_timeout", &*standstill)];
                server.clone().map(|host| host.options(limit))
            }
            Access::Alone | Access::Shared | Access::Reading => server.clone(),
        };
        let workers = |server: &Hosts, count: usize, epoch| {
            let (server, roles, committed) = (server.clone(), Arc::clone(&roles), Arc::clone(&committed));
            (0..count.max(1)).map(move |_| {
                Worker::new(server.clone(), epoch, (Arc::clone(&roles), Arc::clone(&committed)))
            })
        };
        let (writers, aside) = match options.access {
            Access::Alone | Access::Together | Access::Shared => (
                Some(Pool::start("mortise-writer", workers(&writing, options.writers, epoch))?),
                Some(Pool::start("mortise-aside", workers(&writing, 1, epoch))?),
            ),
            Access::Reading => (None, None),
        };
        let readers = Pool::start("mortise-reader", workers(&server, options.readers, None))?;
        Ok(Self { writers, aside, readers, replicas: None, committed, server, roles, _owner: owner })
    }

    /// With standbys that reads which may lag go to.
    pub(crate) async fn with_replicas(mut self, urls: &[String], readers: usize) -> Result<Self, StoreError> {
        if !urls.is_empty() {
            let primary = (self.server.clone(), Arc::clone(&self.roles));
            self.replicas = Some(Replicas::start(urls, primary, readers).await?);
            self.committed.want();
        }
        Ok(self)
    }

    /// Runs `job` until nobody is in its way; each run begins with what was captured, as it was.
    pub(crate) async fn write<T, F>(&self, counters: &Arc<Counters>, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        let writers = self.writers.as_ref().ok_or(StoreError::ReadingOnly)?;
        writers.run_on(job, written(Begin::Write, counters), |_, job| drop(job)).await
    }

    pub(crate) async fn write_aside<T, F>(&self, counters: &Arc<Counters>, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        let aside = self.aside.as_ref().ok_or(StoreError::ReadingOnly)?;
        aside.run_on(job, written(Begin::Aside, counters), |_, job| drop(job)).await
    }

    pub(crate) async fn listen(&self, channel: &'static str, mark: (i32, i32)) -> Result<Ear, StoreError> {
        Ear::open(self.server.clone(), channel, mark).await
    }

    /// Runs `job` on a snapshot that begins as a reader's does.
    pub(crate) async fn read<T, F>(
        &self,
        counters: &Arc<Counters>,
        begin: Begin,
        job: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let counters = Arc::clone(counters);
        let run = move |worker: &mut Worker| {
            worker.in_transaction(begin, async |session| job(&Reader::postgres(session, &counters)).await)
        };
        self.readers.run(run).await
    }

    /// The same, on a standby where one has what `lag` asks for.
    pub(crate) async fn read_behind<T, F>(
        &self,
        counters: &Arc<Counters>,
        (tenants, lag): (Tenants, Lag),
        job: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        if let Some(replicas) = &self.replicas
            && let Ok(value) = replicas.read(counters, (tenants.clone(), lag), job.clone()).await
        {
            return Ok(value);
        }
        self.read(counters, Begin::Read(Some(tenants)), job).await
    }

    /// Where the primary was behind the last commit of this process; none without replicas.
    pub(crate) fn position(&self) -> Option<Position> {
        self.committed.position()
    }

    /// Has [`Postgres::position`] cover whatever was read before: asks the primary where it is, if there are replicas.
    pub(crate) async fn note_position(&self) -> Result<(), StoreError> {
        if !self.committed.is_wanted() {
            return Ok(());
        }
        let committed = Arc::clone(&self.committed);
        let run = move |worker: &mut Worker| {
            let told = worker.in_transaction(Begin::Read(None), async |session| session.place().await);
            told.map(|position| committed.raise(position))
        };
        self.readers.run(run).await
    }

    pub(crate) fn replica_figures(&self) -> Option<ReplicaFigures> {
        self.replicas.as_ref().map(Replicas::figures)
    }

    pub(crate) fn close(self) {
        for pool in [self.writers, self.aside].into_iter().flatten() {
            pool.close();
        }
        self.readers.close();
    }
}

/// A job in transactions that `begin`, until nobody is in its way.
fn written<T, F>(
    begin: Begin,
    counters: &Arc<Counters>,
) -> impl FnOnce(&mut Worker, &F) -> Result<T, StoreError> + Send + 'static
where
    T: Send + 'static,
    F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
{
    let counters = Arc::clone(counters);
    move |worker, job| {
        let mut attempt = 1;
        loop {
            let job = job.clone();
            let result = worker.in_transaction(begin.clone(), async |session| {
                let mut tx = Tx::new(Reader::postgres(session, &counters));
                let said = job(&mut tx).await;
                tx.close(said)
            });
            match result {
                Err(error) if error.is_collision() && attempt < ATTEMPTS => {
                    tracing::debug!(%error, attempt, "another transaction was in the way; once more");
                    attempt += 1;
                }
                Ok(value) => {
                    counters.committed();
                    return Ok(value);
                }
                // Made a standby, or told to refuse writes, while this was connected: another one may be the primary now.
                Err(error) if error.is_read_only() => {
                    worker.connection = None;
                    return Err(StoreError::NoPrimary(worker.server.name()));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A thread's connection, and the runtime that waits for it.
#[derive(Debug)]
struct Worker {
    runtime: Runtime,
    server: Hosts,
    /// Under which owner its process has the database, if it counts among its owners.
    epoch: Option<i64>,
    roles: Arc<Roles>,
    committed: Arc<Committed>,
    connection: Option<PgConnection>,
    /// Transactions so far.
    number: u64,
}

impl Worker {
    fn new(
        server: Hosts,
        epoch: Option<i64>,
        (roles, committed): (Arc<Roles>, Arc<Committed>),
    ) -> Result<Self, StoreError> {
        let runtime = runtime()?;
        Ok(Self { runtime, server, epoch, roles, committed, connection: None, number: 0 })
    }

    /// Runs `job` between `begin` and a commit; a connection about whose state there is doubt is not used again.
    fn in_transaction<T>(
        &mut self,
        begin: Begin,
        job: impl AsyncFnOnce(&Session<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Self { runtime, server, epoch, roles, committed, connection, number } = self;
        *number += 1;
        let planning = Planning::of(*number);
        runtime.block_on(async {
            let tells = committed.is_wanted() && begin.writes();
            let session = begun((server, *epoch, roles), connection.take(), (begin, planning)).await?;
            let result = session.alone(job).await;
            let result = match result {
                Ok(value) if tells => session.commit_and_tell().await.map(|position| {
                    committed.raise(position);
                    value
                }),
                Ok(value) => session.commit().await.map(|()| value),
                Err(error) => session.roll_back().await.and(Err(error)),
            };
            *connection = session.into_connection();
            result
        })
    }
}

/// A session with an open transaction. A connection that lay idle may have been closed by the server: then a new one is made.
async fn begun<'r>(
    (server, epoch, roles): (&Hosts, Option<i64>, &'r Roles),
    idle: Option<PgConnection>,
    (begin, planning): (Begin, Planning),
) -> Result<Session<'r>, StoreError> {
    if let Some(connection) = idle {
        match Session::begin(connection, (begin.clone(), planning), roles).await {
            Err(error) if error.is_disconnect() => tracing::info!(%error, "connecting anew"),
            other => return other,
        }
    }
    let mut connection = server.connect().await?;
    if let Some(epoch) = epoch {
        owner::belong(&mut connection, epoch, roles).await?;
    }
    if begin.writes() {
        let told = connection.execute(COMPRESSION).await;
        told.map_err(|source| refused("compression", source))?;
    }
    Session::begin(connection, (begin, planning), roles).await
}

/// A thread's own runtime, which waits for the server and for nothing else.
fn runtime() -> Result<Runtime, StoreError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StoreError::Thread)
}

fn refused(statement: &'static str, source: sqlx::Error) -> StoreError {
    StoreError::Postgres { statement, source }
}

/// The error of a server that does not answer in time.
fn late(statement: &'static str) -> StoreError {
    refused(statement, sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // The server would notice by itself; said in words it needs not wonder.
            let _ = self.runtime.block_on(connection.close());
        }
    }
}
