//! One transaction on one connection. Its job may wait for its statements and for nothing else.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use futures::{FutureExt as _, TryStreamExt as _};
use sqlx::postgres::PgConnection;
use sqlx::{Either, Executor as _};
use tokio::sync::Mutex;

use super::answer::Answer;
use super::batch::Batch;
use super::refused;
use crate::error::StoreError;
use crate::pool::panicked;
use crate::statement::Statement;

/// A connection with an open transaction.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Mutex<PgConnection>,
    /// Statements that are being waited for.
    asked: Cell<u32>,
    state: Cell<State>,
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

impl Session {
    pub(super) async fn begin(connection: PgConnection, begin: &'static str) -> Result<Self, StoreError> {
        let session = Self {
            connection: Mutex::new(connection),
            asked: Cell::new(0),
            state: Cell::new(State::Doubtful),
        };
        session.control(begin, State::Open).await?;
        Ok(session)
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

    /// Takes back what was written, within the snapshot that the transaction has.
    pub(crate) async fn start_over(&self) -> Result<(), StoreError> {
        let _asked = Asked::new(&self.asked);
        self.control("ROLLBACK TO SAVEPOINT start", State::Open).await
    }

    pub(super) async fn commit(&self) -> Result<(), StoreError> {
        self.control("COMMIT", State::Over).await
    }

    pub(super) async fn roll_back(&self) -> Result<(), StoreError> {
        self.control("ROLLBACK", State::Over).await
    }

    /// The connection, if it can be used again.
    pub(super) fn into_connection(self) -> Option<PgConnection> {
        (self.state.get() == State::Over).then(|| self.connection.into_inner())
    }

    async fn control(&self, text: &'static str, then: State) -> Result<(), StoreError> {
        self.state.set(State::Doubtful);
        let ran = (&mut *self.connection.lock().await).execute(sqlx::raw_sql(text)).await;
        ran.map_err(|source| refused(text, source))?;
        self.state.set(then);
        Ok(())
    }
}
