//! Reads that are asked for outside of any trade: what they answer, and how current that has to be. They write nothing.

use std::sync::Arc;
use std::time::Duration;

use mortise_capability::{Call, CallContext, Handler, Outcome, Rejection, Staleness};
use mortise_contract::Value;
use mortise_store::{Lag, Position, Reader, StoreError, Tenants};
use mortise_types::{CustomerId, Scope};

use crate::engine::{Engine, EngineError};

/// How current the answer of a read has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It is what is committed: the primary answers.
    Current,
    /// It may be as old as the operation's contract says, but not from before this position: what the caller has written.
    AsDeclared(Option<Position>),
}

impl Freshness {
    /// How far a read of an operation may lag that declares this staleness, in milliseconds.
    fn lag(self, staleness_ms: Option<u32>) -> Option<Lag> {
        match self {
            Self::Current => None,
            Self::AsDeclared(at_least) => {
                let staleness = Duration::from_millis(staleness_ms?.into());
                Some(Lag { staleness, at_least })
            }
        }
    }
}

/// What a read or pure operation answered.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadOutcome {
    /// Its output.
    Done(Value),
    /// A business "no".
    Rejected(Rejection),
}

impl Engine {
    /// Runs a read or pure operation now, outside of any trade. A standby may answer a read whose contract says how old its answer
    /// may be, if `freshness` lets it.
    ///
    /// # Errors
    /// An operation that writes or does not exist, an input that does not fit, the database.
    pub async fn read(
        &self,
        scope: Scope,
        operation: &str,
        input: Value,
        caller: Option<CustomerId>,
        freshness: Freshness,
    ) -> Result<ReadOutcome, EngineError> {
        let unknown = || EngineError::UnknownOperation(operation.to_owned());
        let contract = self.registry().contracts().operations.get(operation).ok_or_else(unknown)?;
        let input =
            self.registry().contracts().validate(&contract.input, &input).map_err(EngineError::Invalid)?;
        let id = self.new_name();
        let context = CallContext {
            scope,
            now: self.clock().now(),
            trade: Arc::clone(&id),
            call: id,
            caller,
            staleness: Staleness::Decide,
        };
        let calls: Arc<[_]> = Arc::new([Call { context: Arc::new(context), input }]);
        let replies = match self.registry().handler(operation).cloned().ok_or_else(unknown)? {
            Handler::Pure(run) => run(&calls)?,
            Handler::Read(run) => {
                let tenants = Tenants::of(calls.iter().map(|call| &call.context.scope.tenant));
                let job = async move |reader: &Reader<'_>| run(reader, &calls).await;
                match freshness.lag(contract.staleness_ms) {
                    Some(lag) => self.store().read_behind(tenants, lag, job).await?,
                    None => self.store().read_for(tenants, job).await?,
                }
            }
            Handler::Write(_) | Handler::Remote(_) => return Err(unknown()),
        };
        match replies.into_iter().next().map(|reply| reply.outcome) {
            Some(Outcome::Done(output)) => Ok(ReadOutcome::Done(output)),
            Some(Outcome::Rejected(rejection)) => Ok(ReadOutcome::Rejected(rejection)),
            Some(Outcome::Stale) | None => {
                Err(StoreError::Value(format!("`{operation}` gave no reply")).into())
            }
        }
    }

    /// From which position on a standby shows all that this process has told anybody to be done; none without replicas.
    pub fn position(&self) -> Option<Position> {
        self.store().position()
    }
}
