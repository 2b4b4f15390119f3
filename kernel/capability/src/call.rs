//! A call of an operation and its reply. One item of a batch is one call; items succeed or are rejected one by one.

use std::sync::Arc;

use mortise_contract::{Value, to_value};
use mortise_store::StoreError;
use mortise_types::{CustomerId, Scope, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether a write may say that what the flow read before no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// [`Outcome::Stale`] runs the stretch again.
    MayReply,
    /// It ran often enough: decide on what is there now.
    Decide,
}

/// Who calls, when, and in which trade.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// Tenant, business line, channel. Every key of every table starts with the tenant.
    pub scope: Scope,
    /// The stretch's one moment.
    pub now: Timestamp,
    /// The running trade.
    pub trade: Arc<str>,
    /// The call's identity: trade, step with rounds, attempt. The same after a crash.
    pub call: Arc<str>,
    /// The signed-in customer, where there is one.
    pub caller: Option<CustomerId>,
    /// Whether a stale read may be answered.
    pub staleness: Staleness,
}

impl CallContext {
    /// The call's identity without its trade: the step with its rounds, and the attempt, from 1.
    pub fn step_and_attempt(&self) -> (&str, u32) {
        let rest =
            self.call.strip_prefix(&*self.trade).map_or(&*self.call, |rest| rest.trim_start_matches('/'));
        match rest.rsplit_once('/') {
            Some((step, attempt)) => attempt.parse().map_or((rest, 1), |attempt| (step, attempt)),
            None => (rest, 1),
        }
    }
}

/// One item of a batch.
#[derive(Debug, Clone)]
pub struct Call<I> {
    /// Who calls.
    pub context: Arc<CallContext>,
    /// With what.
    pub input: I,
}

/// A business "no".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejection {
    /// One of the codes that the operation declares.
    pub code: String,
    /// The detail, by the code's schema.
    pub detail: Value,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<O> {
    /// It happened.
    Done(O),
    /// It did not, and nothing has changed.
    Rejected(Rejection),
    /// What was read before no longer holds; nothing has changed. Only where the contract says so.
    Stale,
}

/// An event for the outbox, written with the call's effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmittedEvent {
    /// `capability.event`, as declared.
    pub name: String,
    /// By the event's schema.
    pub payload: Value,
}

/// An extension that was asked on the way to a reply: what the journal keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionCall {
    /// The point.
    pub point: String,
    /// `name@version`.
    pub extension: String,
    /// `answered`, `skipped`, or why it failed.
    pub outcome: String,
    /// Fuel that it burnt.
    pub fuel: u64,
}

/// An operation's answer to one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<O> {
    /// What became of it.
    pub outcome: Outcome<O>,
    /// Events that go with the effect.
    pub events: Vec<EmittedEvent>,
    /// Extensions that were asked.
    pub extensions: Vec<ExtensionCall>,
}

impl<O> Reply<O> {
    fn new(outcome: Outcome<O>) -> Self {
        Self { outcome, events: Vec::new(), extensions: Vec::new() }
    }

    /// It happened.
    pub fn done(output: O) -> Self {
        Self::new(Outcome::Done(output))
    }

    /// A business "no" with its detail.
    ///
    /// # Errors
    /// A detail that is no value of the language (an integer above 64 bits).
    pub fn rejected<D: Serialize>(code: &str, detail: &D) -> Result<Self, StoreError> {
        let detail = to_value(detail).map_err(|e| StoreError::Value(format!("detail of `{code}`: {e}")))?;
        Ok(Self::new(Outcome::Rejected(Rejection { code: code.to_owned(), detail })))
    }

    /// What the flow read before no longer holds.
    pub fn stale() -> Self {
        Self::new(Outcome::Stale)
    }

    /// With an event.
    ///
    /// # Errors
    /// A payload that is no value of the language.
    pub fn emit<P: Serialize>(mut self, name: &str, payload: &P) -> Result<Self, StoreError> {
        let payload = to_value(payload).map_err(|e| StoreError::Value(format!("event `{name}`: {e}")))?;
        self.events.push(EmittedEvent { name: name.to_owned(), payload });
        Ok(self)
    }

    /// With the extensions that were asked.
    #[must_use]
    pub fn asked(mut self, extensions: Vec<ExtensionCall>) -> Self {
        self.extensions = extensions;
        self
    }

    /// The same reply with another output.
    ///
    /// # Errors
    /// The function's.
    pub fn try_map<T, E>(self, map: impl FnOnce(O) -> Result<T, E>) -> Result<Reply<T>, E> {
        let outcome = match self.outcome {
            Outcome::Done(output) => Outcome::Done(map(output)?),
            Outcome::Rejected(rejection) => Outcome::Rejected(rejection),
            Outcome::Stale => Outcome::Stale,
        };
        Ok(Reply { outcome, events: self.events, extensions: self.extensions })
    }
}
