//! What waits for a person: held trades and notes, with what he can do about each. It lists and settles notes; what is done
//! to a trade goes through the engine.

use std::collections::BTreeMap;
use std::fmt;

use mortise_store::{Statement, Store, StoreError};
use mortise_types::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::commit::{ENDED, HELD};
use crate::engine::Engine;
use crate::record::TradeId;
use crate::retrace::{Happened, RetraceError, timeline};

/// Notes that one look lists at most.
const MOST: i64 = 10_000;

const OPEN: Statement = Statement::pair(
    "engine.open_attention",
    "SELECT a.instance, a.path, a.text, a.at, i.flow, i.key, i.line, i.status
     FROM flow_attention a JOIN flow_instance i ON i.tenant = a.tenant AND i.id = a.instance
     WHERE a.tenant = ?1 AND a.settled_at IS NULL ORDER BY a.at, a.instance, a.number LIMIT ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, most, n)
     CROSS JOIN LATERAL (
       SELECT a.instance, a.path, a.text, a.at, i.flow, i.key, i.line, i.status
       FROM flow_attention a JOIN flow_instance i ON i.tenant = a.tenant AND i.id = a.instance
       WHERE a.tenant = item.tenant AND a.settled_at IS NULL
       ORDER BY a.at, a.instance, a.number LIMIT item.most) AS found",
);

const SETTLE: Statement = Statement::pair(
    "engine.settle_attention",
    "UPDATE flow_attention SET settled_at = ?3, settled_how = ?4, settled_reason = ?5
     WHERE tenant = ?1 AND instance = ?2 AND settled_at IS NULL",
    "UPDATE flow_attention t SET settled_at = item.at, settled_how = item.how, settled_reason = item.reason
     FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, instance, at, how, reason, n)
     WHERE t.tenant = item.tenant AND t.instance = item.instance AND t.settled_at IS NULL RETURNING item.n",
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
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Compensate => "compensate",
            Self::Done => "done",
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
    /// It cannot be read.
    #[error(transparent)]
    Trade(#[from] RetraceError),
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
    /// What a person has chosen to do about a trade: its notes are settled with the reason, and the trade goes on as he
    /// says, soon after this returns.
    ///
    /// # Errors
    /// A trade about which nothing is to be chosen, or not this.
    pub async fn choose(&self, id: &TradeId, choice: Choice, reason: &str) -> Result<(), ChoiceError> {
        let store = self.store();
        let waiting = waiting(store, &id.tenant).await?;
        let Some(waiting) = waiting.into_iter().find(|waiting| *waiting.trade == *id.id) else {
            return Err(ChoiceError::NotWaiting(id.clone()));
        };
        if !waiting.choices.contains(&choice) {
            let choices = waiting.choices.iter().map(|choice| choice.name());
            let choices = choices.collect::<Vec<_>>().join(", ");
            return Err(ChoiceError::NotSo { trade: id.clone(), standing: waiting.standing, choices });
        }
        if choice == Choice::Compensate {
            let timeline = timeline(store, self.registry(), self.catalogue(), id).await?;
            if timeline.entries.iter().any(|entry| entry.happened == Happened::PassedPivot) {
                return Err(ChoiceError::PassedPivot(id.clone()));
            }
        }
        settle(store, id, choice.name(), reason, self.clock().now()).await?;
        if let Some(decision) = choice.decision() {
            self.decide(id.clone(), decision);
        }
        Ok(())
    }
}

/// What waits for a person in a tenant, held trades first.
///
/// # Errors
/// The database's.
pub async fn waiting(store: &Store, tenant: &TenantId) -> Result<Vec<Waiting>, StoreError> {
    type Row = (String, String, String, Timestamp, String, Option<String>, String, i64);
    let of = tenant.clone();
    let rows = store.read(async move |reader| reader.fetch_all::<Row, _>(&OPEN, (&of, MOST)).await).await?;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: Vec<Waiting> = Vec::new();
    for (trade, step, text, at, flow, key, line, status) in rows {
        let place = *places.entry(trade.clone()).or_insert_with(|| {
            let (standing, choices) = standing(status);
            found.push(Waiting { trade, flow, key, line, standing, notes: Vec::new(), choices });
            found.len() - 1
        });
        found[place].notes.push(Told { step, text, at });
    }
    found.sort_by_key(|waiting| waiting.standing != Standing::Held);
    Ok(found)
}

fn standing(status: i64) -> (Standing, Vec<Choice>) {
    match status {
        HELD => (Standing::Held, vec![Choice::Retry, Choice::Skip, Choice::Compensate]),
        ENDED => (Standing::Over, vec![Choice::Done]),
        _ => (Standing::GoesOn, vec![Choice::Done, Choice::Compensate]),
    }
}

/// Settles all open notes of a trade; says how many there were.
///
/// # Errors
/// The database's.
pub async fn settle(
    store: &Store,
    id: &TradeId,
    how: &'static str,
    reason: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let (id, reason) = (id.clone(), reason.to_owned());
    let settled = store.write(async move |tx| {
        let row = (id.tenant.as_str(), &*id.id, now, how, reason.as_str());
        tx.execute(&SETTLE, [row]).await
    });
    Ok(settled.await?.into_iter().sum())
}
