//! The four kinds of operation as traits. A handler gets a batch and answers as many replies, in the batch's order.

use std::sync::Arc;

use mortise_contract::{Value, to_value};
use mortise_store::{Reader, StoreError, Tx};
use mortise_types::{Scope, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{Call, Reply};

/// A function of its input and of extensions. Runs on a reader's thread, in parallel with other trades.
pub trait PureOperation: Send + Sync + 'static {
    /// What it is given.
    type Input: DeserializeOwned + JsonSchema;
    /// What it answers.
    type Output: Serialize + JsonSchema;

    /// Answers every call of the batch.
    ///
    /// # Errors
    /// Only what is nobody's business: arithmetic beyond 64 bits, a value that does not fit its type.
    fn run(&self, calls: &[Call<Self::Input>]) -> Result<Vec<Reply<Self::Output>>, StoreError>;
}

/// Reads the database. Runs on a reader's thread before the stretch's transaction; few statements a batch.
pub trait ReadOperation: Send + Sync + 'static {
    /// What it is given.
    type Input: DeserializeOwned + JsonSchema;
    /// What it answers.
    type Output: Serialize + JsonSchema;

    /// Answers every call of the batch.
    fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<Self::Input>],
    ) -> impl Future<Output = Result<Vec<Reply<Self::Output>>, StoreError>>;
}

/// Writes in the stretch's transaction, which other trades of the batch share. A call that is rejected or stale must
/// have changed nothing; demand inside the batch is summed by what it contends for; it awaits nothing but the transaction.
pub trait WriteOperation: Send + Sync + 'static {
    /// What it is given.
    type Input: DeserializeOwned + JsonSchema;
    /// What it answers.
    type Output: Serialize + JsonSchema;

    /// Answers every call of the batch.
    fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<Self::Input>],
    ) -> impl Future<Output = Result<Vec<Reply<Self::Output>>, StoreError>>;
}

/// What an intent decides.
#[derive(Debug, Clone)]
pub enum Intended<I, O> {
    /// To be sent. `minted` is a record with those fields of the output that undo, confirm and cancel read: it stands
    /// for the output when the peer never answers.
    Send {
        /// Kept in the journal until it is settled.
        intent: I,
        /// The known part of the output.
        minted: Value,
    },
    /// Nothing has to be sent: a rejection, or an effect that is complete already.
    Decided(Reply<O>),
}

impl<I, O> Intended<I, O> {
    /// To be sent; `minted` is the known part of the output.
    ///
    /// # Errors
    /// A part that is no value of the language.
    pub fn send<M: Serialize>(intent: I, minted: &M) -> Result<Self, StoreError> {
        Ok(Self::Send { intent, minted: to_value(minted).map_err(|e| StoreError::Value(e.to_string()))? })
    }
}

/// What the intents of a batch decide, in its order.
pub type Intentions<I, O> = Result<Vec<Intended<I, O>>, StoreError>;

/// What a send may use: no transaction, no reader.
#[derive(Debug, Clone)]
pub struct SendContext {
    /// Whose trade it is.
    pub scope: Scope,
    /// The same for every attempt of this call, and never for another one.
    pub idempotency_key: Arc<str>,
    /// The attempt, from 1.
    pub attempt: u32,
    /// When this attempt began.
    pub now: Timestamp,
}

/// The peer has not said what became of the call. It is asked again with the same key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unanswered {
    /// For the log and the person whom a trade is put before; no secrets.
    pub reason: String,
}

impl Unanswered {
    /// Why there is no answer.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// One item that comes back from the peer.
#[derive(Debug, Clone)]
pub struct Settling<I, N, A> {
    /// The call as it was made.
    pub call: Call<I>,
    /// What the intent stored.
    pub intent: N,
    /// What the peer answered; a peer's "no" is an answer.
    pub answer: A,
}

/// Leaves the database: intent (in a transaction) stores what has to survive, send (outside, with a deadline) asks the
/// peer, settle (in a transaction) books the answer. Each may run again after a crash with the same identity.
pub trait RemoteOperation: Send + Sync + 'static {
    /// What it is given.
    type Input: Serialize + DeserializeOwned + JsonSchema;
    /// What it answers.
    type Output: Serialize + JsonSchema;
    /// What send and settle need; journalled.
    type Intent: Serialize + DeserializeOwned + Send + 'static;
    /// What the peer says; journalled.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Decides and stores, in the stretch's transaction.
    fn intent(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<Self::Input>],
    ) -> impl Future<Output = Intentions<Self::Intent, Self::Output>>;

    /// Asks the peer, outside of any transaction. May run several times for one call.
    fn send(
        &self,
        context: SendContext,
        intent: Self::Intent,
    ) -> impl Future<Output = Result<Self::Answer, Unanswered>> + Send;

    /// Books the answers, in the next stretch's transaction.
    fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<Self::Input, Self::Intent, Self::Answer>],
    ) -> impl Future<Output = Result<Vec<Reply<Self::Output>>, StoreError>>;
}
