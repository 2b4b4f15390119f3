//! One transaction on one connection. Its job may wait for its statements and for nothing else.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use futures::{FutureExt as _, TryStreamExt as _};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Either, Executor as _, Row as _};
use tokio::sync::Mutex;

use super::answer::Answer;
use super::batch::Batch;
use super::refused;
use super::roles::{Roles, quoted};
use crate::error::StoreError;
use crate::pool::panicked;
use crate::position::Position;
use crate::statement::Statement;
use crate::tenants::{SETTING, Tenants};

/// A connection with an open transaction.
#[derive(Debug)]
pub(crate) struct Session<'r> {
    connection: Mutex<PgConnection>,
    /// Statements that are being waited for.
    asked: Cell<u32>,
    state: Cell<State>,
    roles: &'r Roles,
    /// Whose calls the statements are; none are the engine's own.
    confined: RefCell<Option<Tenants>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A transaction is open.
    Open,
    /// None is.
    Over,
    /// Nobody knows; the connection is not used again.
    Doubtful,
}

/// Counts a statement while it is waited for.
struct Asked<'s>(&'s Cell<u32>);

impl<'s> Asked<'s> {
    fn new(asked: &'s Cell<u32>) -> Self {
        asked.set(asked.get() + 1);
        Self(asked)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl<'r> Session<'r> {
    /// Nothing was said on the connection yet.
    fn on(connection: PgConnection, roles: &'r Roles) -> Self {
        Self {
            connection: Mutex::new(connection),
            asked: Cell::new(0),
            state: Cell::new(State::Doubtful),
            roles,
            confined: RefCell::new(None),
        }
    }

    pub(super) async fn begin(
        connection: PgConnection,
        (begin, planning): (Begin, Planning),
        roles: &'r Roles,
    ) -> Result<Self, StoreError> {
        let session = Self::on(connection, roles);
        let text = begin.text(roles) + planning.text();
        session.control(text, "begin", State::Open).await?;
        if let Begin::Read(tenants) = begin {
            session.confined.replace(tenants);
        }
        Ok(session)
    }

    /// A capability's reader on a standby, and how far that had replayed before its snapshot; none if it is no standby.
    pub(super) async fn begin_behind(
        connection: PgConnection,
        (tenants, planning): (&Tenants, Planning),
        roles: &'r Roles,
    ) -> Result<(Self, Option<i64>), StoreError> {
        let session = Self::on(connection, roles);
        // In a transaction before: a snapshot that was taken with the question could be older than its answer.
        let text =
            format!("BEGIN READ ONLY; {REPLAYED}; COMMIT; {READ}; {}{}", told(tenants), planning.text());
        let rows = session.controlled(text, "begin", State::Open).await?;
        session.confined.replace(Some(tenants.clone()));
        let replayed = rows.first().map_or(Ok(None), |row| row.try_get(0));
        Ok((session, replayed.map_err(|source| refused("begin", source))?))
    }

    /// Runs `job`, which is over as soon as it waits for something that is not one of its statements.
    pub(super) async fn alone<T>(
        &self,
        job: impl AsyncFnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut job = pin!(AssertUnwindSafe(job(self)).catch_unwind());
        poll_fn(|context| match job.as_mut().poll(context) {
            Poll::Ready(Ok(result)) => Poll::Ready(result),
            Poll::Ready(Err(panic)) => Poll::Ready(Err(panicked(&*panic))),
            Poll::Pending if self.asked.get() > 0 => Poll::Pending,
            Poll::Pending => Poll::Ready(Err(StoreError::Awaited)),
        })
        .await
    }

    /// Runs `statement` once for all items, or as often as there are items where it has no parameters.
    pub(crate) async fn run(&self, statement: &Statement, batch: Batch) -> Result<Answer, StoreError> {
        if statement.postgres.is_empty() {
            return Err(StoreError::Value(format!("statement `{}` is for SQLite only", statement.name)));
        }
        if self.confined.borrow().is_some() {
            harmless(statement)?;
        }
        let mut answer = Answer::new(&batch);
        for arguments in batch.into_arguments(statement)? {
            let _asked = Asked::new(&self.asked);
            let mut connection = self.connection.lock().await;
            let query = sqlx::query_with(statement.postgres, arguments);
            let mut results = (&mut *connection).fetch_many(query);
            let ran = async {
                while let Some(step) = results.try_next().await? {
                    match step {
                        Either::Left(done) => answer.done(done.rows_affected()),
                        Either::Right(row) => answer.row(row),
                    }
                }
                Ok(())
            };
            ran.await.map_err(|source| refused(statement.name, source))?;
        }
        Ok(answer)
    }

    /// Takes back what was written, within the snapshot that the transaction has. The role is the engine's again.
    pub(crate) async fn start_over(&self) -> Result<(), StoreError> {
        let _asked = Asked::new(&self.asked);
        self.control("ROLLBACK TO SAVEPOINT start", "start over", State::Open).await?;
        self.confined.replace(None);
        Ok(())
    }

    /// Makes what follows a capability's, for these tenants.
    pub(crate) async fn confine(&self, tenants: &Tenants) -> Result<(), StoreError> {
        let is_capability = match &*self.confined.borrow() {
            Some(confined) if confined == tenants => return Ok(()),
            confined => confined.is_some(),
        };
        let _asked = Asked::new(&self.asked);
        let told = told(tenants);
        let text = if is_capability { told } else { format!("{}; {told}", role(&self.roles.capability)) };
        self.control(text, "confine", State::Open).await?;
        self.confined.replace(Some(tenants.clone()));
        Ok(())
    }

    /// Makes what follows the engine's.
    pub(crate) async fn unconfine(&self) -> Result<(), StoreError> {
        if self.confined.borrow().is_none() {
            return Ok(());
        }
        let _asked = Asked::new(&self.asked);
        self.control(role(&self.roles.engine), "unconfine", State::Open).await?;
        self.confined.replace(None);
        Ok(())
    }

    pub(super) async fn commit(&self) -> Result<(), StoreError> {
        self.control("COMMIT", "COMMIT", State::Over).await
    }

    /// Commits, and says where the primary is behind that.
    pub(super) async fn commit_and_tell(&self) -> Result<Position, StoreError> {
        let rows = self.controlled(format!("COMMIT; SELECT {PLACE}"), "COMMIT", State::Over).await?;
        rows.first()
            .ok_or(sqlx::Error::RowNotFound)
            .and_then(position)
            .map_err(|source| refused("COMMIT", source))
    }

    /// Where the primary is.
    pub(super) async fn place(&self) -> Result<Position, StoreError> {
        let _asked = Asked::new(&self.asked);
        let text = sqlx::raw_sql(AssertSqlSafe(format!("SELECT {PLACE}")));
        let row = (&mut *self.connection.lock().await).fetch_one(text).await;
        row.and_then(|row| position(&row)).map_err(|source| refused("position", source))
    }

    pub(super) async fn roll_back(&self) -> Result<(), StoreError> {
        self.control("ROLLBACK", "ROLLBACK", State::Over).await
    }

    /// The connection, if it can be used again.
    pub(super) fn into_connection(self) -> Option<PgConnection> {
        (self.state.get() == State::Over).then(|| self.connection.into_inner())
    }

    async fn control(
        &self,
        text: impl Into<String>,
        name: &'static str,
        then: State,
    ) -> Result<(), StoreError> {
        self.controlled(text, name, then).await.map(drop)
    }

    /// The rows that came of it too.
    async fn controlled(
        &self,
        text: impl Into<String>,
        name: &'static str,
        then: State,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.state.set(State::Doubtful);
        let text = sqlx::raw_sql(AssertSqlSafe(text.into()));
        let ran = (&mut *self.connection.lock().await).fetch_all(text).await;
        let rows = ran.map_err(|source| refused(name, source))?;
        self.state.set(then);
        Ok(rows)
    }
}

/// Whether a connection's plans are made anew from a transaction on, in the round trip of its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planning {
    Anew,
    AsBefore,
}

impl Planning {
    /// Of a connection's transaction of this number, from 1: the first ones plan often, since a table that is twice as large is
    /// another one, and later ones now and then.
    pub(super) const fn of(number: u64) -> Self {
        if number.is_power_of_two() || number.is_multiple_of(4_096) { Self::Anew } else { Self::AsBefore }
    }

    /// What is said behind the beginning.
    const fn text(self) -> &'static str {
        match self {
            Self::Anew => "; DISCARD PLANS",
            Self::AsBefore => "",
        }
    }
}

/// How a transaction begins. Connections are the capabilities' and see no tenant until they are told one.
#[derive(Debug, Clone)]
pub(crate) enum Begin {
    /// Writers see what a serial order of all of them would show, and the place to start over from is the beginning.
    Write,
    /// What is written aside waits for its turn and needs no place to start over from but the beginning.
    Aside,
    /// Readers have one snapshot and cannot write; the engine, or a capability for calls of these tenants.
    Read(Option<Tenants>),
    /// The engine reads whole tables.
    Scan,
}

impl Begin {
    /// Whether what is done then is written.
    pub(super) const fn writes(&self) -> bool {
        matches!(self, Self::Write | Self::Aside)
    }

    fn text(&self, roles: &Roles) -> String {
        let engine = role(&roles.engine);
        match self {
            Self::Write => format!("BEGIN ISOLATION LEVEL SERIALIZABLE; {engine}; SAVEPOINT start"),
            Self::Aside => format!("BEGIN; {engine}; SET LOCAL synchronous_commit = off; SAVEPOINT start"),
            Self::Read(None) => format!("{READ}; {engine}"),
            Self::Scan => format!("{READ}; {engine}; {AT_WILL}"),
            Self::Read(Some(tenants)) => format!("{READ}; {}", told(tenants)),
        }
    }
}

/// The planner decides, for what it knows of the tables now.
const AT_WILL: &str = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = on; \
                       SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on";
/// How far a standby has replayed, in bytes of the log; none if it is no standby.
pub(super) const REPLAYED: &str =
    "SELECT CASE WHEN pg_is_in_recovery() THEN COALESCE((pg_last_wal_replay_lsn() - '0/0')::bigint, 0) END";
/// Of insertion, not of writing: no commit that anybody saw lies behind it, whatever `synchronous_commit` says.
pub(super) const PLACE: &str = "(pg_current_wal_insert_lsn() - '0/0')::bigint";
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The position in a row that begins with [`PLACE`].
pub(super) fn position(row: &PgRow) -> Result<Position, sqlx::Error> {
    row.try_get::<i64, _>(0).map(|bytes| Position::at(bytes.cast_unsigned()))
}

fn role(name: &str) -> String {
    format!("SET LOCAL ROLE {}", quoted(name))
}

fn told(tenants: &Tenants) -> String {
    format!("SET LOCAL {SETTING} = '{}'", tenants.text())
}

/// A capability reads and writes rows: a text of its that would make another role of itself is the program's fault.
fn harmless(statement: &Statement) -> Result<(), StoreError> {
    let text = statement.postgres.trim_start();
    let is_rows = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "EXPLAIN"]
        .iter()
        .any(|word| text.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word)));
    match is_rows && !text.to_ascii_lowercase().contains("set_config") {
        true => Ok(()),
        false => Err(StoreError::Value(format!(
            "statement `{}` of a capability does more than read and write rows",
            statement.name
        ))),
    }
}
