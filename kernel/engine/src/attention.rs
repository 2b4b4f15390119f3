//! What waits for a person: held trades and notes, with what he can do about each. It lists and settles notes; what is done
//! to a trade goes through the engine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use mortise_flow::State;
use mortise_store::{Statement, Store, StoreError};
use mortise_types::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::commit::{ENDED, HELD};
use crate::definitions::Catalogue;
use crate::engine::Engine;
use crate::load::load;
use crate::record::TradeId;
use crate::store as sql;

/// Notes that one look lists at most.
const MOST: i64 = 10_000;

const OPEN: Statement = Statement::pair(
    "engine.open_attention",
    "SELECT a.instance, a.number, a.path, a.text, a.at, i.flow, i.key, i.line, i.status
     FROM flow_attention a JOIN flow_instance i ON i.tenant = a.tenant AND i.id = a.instance
     WHERE a.tenant = ?1 AND a.settled_at IS NULL ORDER BY a.at, a.instance, a.number LIMIT ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, most, n)
     CROSS JOIN LATERAL (
       SELECT a.instance, a.number, a.path, a.text, a.at, i.flow, i.key, i.line, i.status
       FROM flow_attention a JOIN flow_instance i ON i.tenant = a.tenant AND i.id = a.instance
       WHERE a.tenant = item.tenant AND a.settled_at IS NULL
       ORDER BY a.at, a.instance, a.number LIMIT item.most) AS found",
);

/// A trade about which a person was told something that nobody has settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Its id.
    pub trade: String,
    /// The flow's name.
    pub flow: String,
    /// The flow's key, where it has one.
    pub key: Option<String>,
    /// The business line.
    pub line: String,
    /// Whether it stands still, goes on, or is over.
    pub standing: Standing,
    /// Oldest first.
    pub notes: Vec<Told>,
    /// What a person can do.
    pub choices: Vec<Choice>,
}

/// How a trade stands that a person was told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It stands still until a person has decided.
    Held,
    /// It goes on by itself.
    GoesOn,
    /// It has ended.
    Over,
}

/// What a person was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Where in the definition.
    pub step: String,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// Which, within the trade.
    #[serde(skip)]
    pub number: i64,
}

/// What a person decides about a trade that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The held step is tried again.
    Retry,
    /// The trade goes on behind the held step, as if it had not run.
    Skip,
    /// The trade goes backward; one that has passed its pivot does not.
    Compensate,
}

impl Decision {
    /// Its name, as in a request and in the trade's notes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Compensate => "compensate",
        }
    }
}

/// What a person has decided about a trade, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub(crate) decision: Decision,
    pub(crate) reason: String,
}

/// What a person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Let the held step try again.
    Retry,
    /// Go on behind the held step as if it had not run.
    Skip,
    /// Let the trade go backward, where it can.
    Compensate,
    /// Say that it has been seen to.
    Done,
}

impl Choice {
    /// Its name, as in a request and in the trade's notes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.decision() {
            Some(decision) => decision.name(),
            None => "done",
        }
    }

    /// What it means for the trade; that something has been seen to means nothing.
    const fn decision(self) -> Option<Decision> {
        match self {
            Self::Retry => Some(Decision::Retry),
            Self::Skip => Some(Decision::Skip),
            Self::Compensate => Some(Decision::Compensate),
            Self::Done => None,
        }
    }
}

/// Why a choice cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// Nobody was told anything about the trade that is not settled.
    #[error("trade {0} does not wait for a person")]
    NotWaiting(TradeId),
    /// It stands otherwise.
    #[error("trade {trade} {standing}: what can be done about it is {choices}")]
    NotSo {
        /// Which.
        trade: TradeId,
        /// How it stands.
        standing: Standing,
        /// What can be done, by name.
        choices: String,
    },
    /// It cannot go backward any more.
    #[error("trade {0} has passed its pivot: nothing takes it back")]
    PassedPivot(TradeId),
    /// It goes backward already.
    #[error("trade {0} goes backward already: that it is to be taken back has been decided")]
    GoesBackward(TradeId),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "is held",
            Self::GoesOn => "goes on",
            Self::Over => "is over",
        })
    }
}

impl Engine {
    /// What a person has chosen to do about a trade: it goes on as he says, soon after this returns, and its notes are settled
    /// with the reason when it does. Where there is nothing to decide they are settled at once.
    ///
    /// # Errors
    /// A trade about which nothing is to be chosen, or not this.
    pub async fn choose(&self, id: &TradeId, choice: Choice, reason: &str) -> Result<(), ChoiceError> {
        let store = self.store();
        let found = told(store, &id.tenant).await?.into_iter().find(|waiting| *waiting.trade == *id.id);
        let waiting = found.ok_or_else(|| ChoiceError::NotWaiting(id.clone()))?;
        let state = states(store, self.catalogue(), vec![id.clone()]).await?.pop().flatten();
        let choices = choices(waiting.standing, &waiting.notes, state.as_ref());
        if !choices.contains(&choice) {
            return Err(refusal(id, choice, waiting.standing, &choices, state.as_ref()));
        }
        match choice.decision() {
            Some(decision) => self.decide(id.clone(), decision, reason),
            None => settle(store, id, choice, reason, self.clock().now()).await?,
        }
        Ok(())
    }
}

/// What waits for a person in a tenant, held trades first.
///
/// # Errors
/// The database's.
pub async fn waiting(
    store: &Store,
    catalogue: &Arc<Catalogue>,
    tenant: &TenantId,
) -> Result<Vec<Waiting>, StoreError> {
    let mut found = told(store, tenant).await?;
    let open = found.iter().filter(|waiting| waiting.standing != Standing::Over);
    let ids = open.map(|waiting| TradeId { tenant: tenant.clone(), id: waiting.trade.as_str().into() });
    let mut states = states(store, catalogue, ids.collect()).await?.into_iter();
    for waiting in &mut found {
        let state = if waiting.standing == Standing::Over { None } else { states.next().flatten() };
        waiting.choices = choices(waiting.standing, &waiting.notes, state.as_ref());
    }
    Ok(found)
}

/// What people were told, without what they can do about it.
async fn told(store: &Store, tenant: &TenantId) -> Result<Vec<Waiting>, StoreError> {
    type Row = (String, i64, String, String, Timestamp, String, Option<String>, String, i64);
    let of = tenant.clone();
    let rows = store.read(async move |reader| reader.fetch_all::<Row, _>(&OPEN, (&of, MOST)).await).await?;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: Vec<Waiting> = Vec::new();
    for (trade, number, step, text, at, flow, key, line, status) in rows {
        let place = *places.entry(trade.clone()).or_insert_with(|| {
            let (standing, notes, choices) = (standing(status), Vec::new(), Vec::new());
            found.push(Waiting { trade, flow, key, line, standing, notes, choices });
            found.len() - 1
        });
        found[place].notes.push(Told { step, text, at, number });
    }
    found.sort_by_key(|waiting| waiting.standing != Standing::Held);
    Ok(found)
}

const fn standing(status: i64) -> Standing {
    match status {
        HELD => Standing::Held,
        ENDED => Standing::Over,
        _ => Standing::GoesOn,
    }
}

/// Where trades stand by their journals; none of one that cannot be driven.
async fn states(
    store: &Store,
    catalogue: &Arc<Catalogue>,
    ids: Vec<TradeId>,
) -> Result<Vec<Option<State>>, StoreError> {
    let catalogue = Arc::clone(catalogue);
    let loaded = store.read(async move |reader| load(reader, &catalogue, &ids).await).await?;
    Ok(loaded.into_iter().map(|trade| trade.ok().map(|trade| trade.state)).collect())
}

/// What a person can do that changes something.
fn choices(standing: Standing, notes: &[Told], state: Option<&State>) -> Vec<Choice> {
    let mut choices = match standing {
        Standing::Over => return vec![Choice::Done],
        Standing::Held if state.is_some_and(|state| state.stuck().is_some()) => {
            vec![Choice::Retry, Choice::Skip]
        }
        Standing::Held => vec![Choice::Retry],
        // A note of no step says that the trade's stretches fail: nothing has been seen to before one of them is committed.
        Standing::GoesOn if notes.iter().any(|note| note.step.is_empty()) => vec![Choice::Retry],
        Standing::GoesOn => vec![Choice::Done],
    };
    if state.is_some_and(State::can_turn_back) {
        choices.push(Choice::Compensate);
    }
    choices
}

/// Why a choice is none.
fn refusal(
    id: &TradeId,
    choice: Choice,
    standing: Standing,
    choices: &[Choice],
    state: Option<&State>,
) -> ChoiceError {
    match state.filter(|state| choice == Choice::Compensate && !state.is_ended()) {
        Some(state) if state.passed_pivot() => ChoiceError::PassedPivot(id.clone()),
        Some(state) if state.is_going_backward() => ChoiceError::GoesBackward(id.clone()),
        _ => {
            let names: Vec<&str> = choices.iter().map(|choice| choice.name()).collect();
            ChoiceError::NotSo { trade: id.clone(), standing, choices: names.join(", ") }
        }
    }
}

/// Settles all open notes of a trade.
async fn settle(
    store: &Store,
    id: &TradeId,
    choice: Choice,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (id, reason) = (id.clone(), reason.to_owned());
    let settled = store.write(async move |tx| {
        let row = (id.tenant.as_str(), &*id.id, now, choice.name(), reason.as_str());
        tx.execute(&sql::SETTLE_ATTENTION, [row]).await
    });
    settled.await.map(drop)
}
