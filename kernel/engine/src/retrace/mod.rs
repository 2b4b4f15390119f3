//! What a trade did, from its journal: the same inputs go through the machine again, and what it asks for is kept this time.
//! It drives nothing and writes nothing. `timeline` tells it to people, `replay` holds it against what is stored.

mod amounts;
mod past;
mod replay;
mod timeline;

use std::collections::HashMap;
use std::sync::Arc;

use mortise_capability::ExtensionCall;
use mortise_flow::{CallNo, Command, Input, Program, State, step};
use mortise_store::{Reader, Statement, Store, StoreError};
use mortise_types::{CustomerId, Scope, TenantId, Timestamp};

pub use past::{PastCall, newest_trades, past_calls};
pub use replay::{Difference, Journal, Replayed, replay};
pub use timeline::{Effect, Entry, Happened, Note, Settled, Timeline, timeline};

use crate::definitions::{Catalogue, is_one_call};
use crate::record::{Moved, Record, TradeId, first_hash};
use crate::store as sql;

const BY_KEY: Statement = Statement::pair(
    "engine.trades_by_key",
    "SELECT id FROM flow_instance WHERE tenant = ?1 AND key = ?2 ORDER BY id",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, key, n)
     CROSS JOIN LATERAL (
       SELECT id FROM flow_instance WHERE tenant = item.tenant AND key = item.key ORDER BY id) AS found",
);

const ROW: Statement = Statement::pair(
    "engine.trade_row",
    "SELECT flow, hash, key, line, channel, caller, status, next_seq, wake_at, started_at, ended_at, outcome, answer
     FROM flow_instance WHERE tenant = ?1 AND id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, id, n)
     CROSS JOIN LATERAL (
       SELECT flow, hash, key, line, channel, caller, status, next_seq, wake_at, started_at, ended_at, outcome,
         answer
       FROM flow_instance WHERE tenant = item.tenant AND id = item.id) AS found",
);

/// A trade as its row has it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) flow: String,
    pub(crate) hash: String,
    pub(crate) key: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) caller: Option<CustomerId>,
    pub(crate) status: i64,
    pub(crate) next_seq: i64,
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) outcome: Option<String>,
    pub(crate) answer: Option<String>,
}

/// A stored trade with its journal; the journal is empty where it was pruned or never kept.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: TradeId,
    pub(crate) row: Row,
    /// The definition that it has now.
    pub(crate) program: Arc<Program>,
    /// The one that it began with, and those that it was moved to, by hash.
    programs: HashMap<String, Arc<Program>>,
    pub(crate) records: Vec<Record>,
}

impl Stored {
    /// Whether it was one call that ended where it began, of which no journal is written.
    pub(crate) fn leaves_no_journal(&self) -> bool {
        is_one_call(&self.program) && self.row.outcome.is_some() && self.row.next_seq == 1
    }
}

/// Why a trade cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum RetraceError {
    /// Nothing has this id or key.
    #[error("the tenant has no trade `{0}`, by id or by key")]
    Unknown(String),
    /// Its definition or a record of its journal cannot be read.
    #[error("trade {trade}: {problem}")]
    Unreadable {
        /// Which.
        trade: TradeId,
        /// Why.
        problem: String,
    },
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The trades that `name` means: the one with that id, or all with that key.
///
/// # Errors
/// [`RetraceError::Unknown`]; the database's.
pub async fn find(store: &Store, tenant: &TenantId, name: &str) -> Result<Vec<TradeId>, RetraceError> {
    let (of, asked) = (tenant.clone(), name.to_owned());
    let ids = store
        .read(async move |reader| {
            let by_id = reader.fetch_all::<Loaded, _>(&ROW, (&of, asked.as_str())).await?;
            if !by_id.is_empty() {
                return Ok(vec![asked]);
            }
            let by_key = reader.fetch_all::<(String,), _>(&BY_KEY, (&of, asked.as_str())).await?;
            Ok(by_key.into_iter().map(|(id,)| id).collect())
        })
        .await?;
    if ids.is_empty() {
        return Err(RetraceError::Unknown(name.to_owned()));
    }
    Ok(ids.into_iter().map(|id| TradeId { tenant: tenant.clone(), id: id.into() }).collect())
}

type Loaded = (
    String,
    String,
    Option<String>,
    String,
    String,
    Option<CustomerId>,
    i64,
    i64,
    Option<Timestamp>,
    Timestamp,
    Option<Timestamp>,
    Option<String>,
    Option<String>,
);

pub(crate) async fn stored(
    store: &Store,
    catalogue: &Catalogue,
    id: &TradeId,
) -> Result<Stored, RetraceError> {
    let asked = id.clone();
    let (row, journal) = store.read(async move |reader| rows(reader, &asked).await).await?;
    let row = row.ok_or_else(|| RetraceError::Unknown(id.id.to_string()))?;
    let unreadable = |problem: String| RetraceError::Unreadable { trade: id.clone(), problem };
    let (
        flow,
        hash,
        key,
        line,
        channel,
        caller,
        status,
        next_seq,
        wake_at,
        started_at,
        ended_at,
        outcome,
        answer,
    ) = row;
    let scope = Scope::new(id.tenant.as_str(), line.as_str(), channel.as_str())
        .map_err(|error| unreadable(error.to_string()))?;
    let mut records = Vec::with_capacity(journal.len());
    for (seq, (text,)) in journal.into_iter().enumerate() {
        let record = serde_json::from_str(&text)
            .map_err(|error| unreadable(format!("record {seq} of its journal cannot be read: {error}")))?;
        records.push(record);
    }
    let program_of = |hash: &str| {
        catalogue.by_hash(hash, &flow).ok_or_else(|| {
            unreadable(format!("its definition {hash} of `{flow}` is gone, or its contracts have changed"))
        })
    };
    let program = program_of(&hash)?;
    let mut programs = HashMap::from([(hash.clone(), Arc::clone(&program))]);
    for Moved { from, to } in records.iter().filter_map(|record: &Record| record.moved.as_ref()) {
        for hash in [from, to] {
            programs.insert(hash.clone(), program_of(hash)?);
        }
    }
    let row = Row {
        flow,
        hash,
        key,
        scope,
        caller,
        status,
        next_seq,
        wake_at,
        started_at,
        ended_at,
        outcome,
        answer,
    };
    Ok(Stored { id: id.clone(), row, program, programs, records })
}

async fn rows(reader: &Reader<'_>, id: &TradeId) -> Result<(Option<Loaded>, Vec<(String,)>), StoreError> {
    let key = (id.tenant.as_str(), &*id.id);
    let row = reader.fetch_all::<Loaded, _>(&ROW, key).await?.into_iter().next();
    Ok((row, reader.fetch_all::<(String,), _>(&sql::LOAD_JOURNAL, key).await?))
}

/// One input of the journal and what it led to.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The record's place in the journal.
    pub(crate) seq: usize,
    pub(crate) now: Timestamp,
    pub(crate) input: Input,
    /// What the machine asked for then.
    pub(crate) commands: Vec<Command>,
    /// Whether anything waited for the input.
    pub(crate) wanted: bool,
}

/// The whole journal, told again.
///
/// # Errors
/// A move to a definition that does not have what the trade needs.
pub(crate) fn told(trade: &Stored) -> Result<(Vec<Told>, State), RetraceError> {
    let unreadable = |problem: String| RetraceError::Unreadable { trade: trade.id.clone(), problem };
    let known = |hash: &str| trade.programs.get(hash).unwrap_or(&trade.program);
    let mut program = known(first_hash(&trade.records, &trade.row.hash));
    let mut state = State::default();
    let mut all = Vec::new();
    for (seq, record) in trade.records.iter().enumerate() {
        for input in &record.inputs {
            let before = state.clone();
            let (after, commands) = step(program, state, record.now, input.clone());
            let wanted = after != before || !commands.is_empty();
            state = after;
            all.push(Told { seq, now: record.now, input: input.clone(), commands, wanted });
        }
        if let Some(Moved { to, .. }) = &record.moved {
            state = state.moved(program, known(to)).map_err(unreadable)?;
            program = known(to);
        }
    }
    Ok((all, state))
}

/// The extensions that were asked on the way to each call's reply.
pub(crate) fn asked(records: &[Record]) -> HashMap<CallNo, Vec<ExtensionCall>> {
    let all = records.iter().flat_map(|record| &record.asked);
    all.map(|asked| (asked.call, asked.extensions.clone())).collect()
}
