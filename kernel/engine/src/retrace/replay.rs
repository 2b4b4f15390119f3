//! A trade run again from its journal and held against what is stored: the machine with the recorded inputs, and every pure
//! call with its recorded input. Reads and writes are not run again; the world that they saw is gone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mortise_capability::{Call, CallContext, Handler, Outcome, Registry, Staleness};
use mortise_contract::Value;
use mortise_flow::{Answer, CallNo, CallOutcome, Command, Ended, Input, State};
use mortise_store::{Statement, Store, StoreError};
use serde::Serialize;

use super::{RetraceError, Stored, Told, asked, stored, told};
use crate::commit::{DRIVEN, ENDED, HELD, WAITING, stored_answer};
use crate::definitions::Catalogue;
use crate::job::key_text;
use crate::record::TradeId;

const LISTENERS: Statement = Statement::pair(
    "engine.trade_listeners",
    "SELECT event, key, wait FROM flow_wait WHERE tenant = ?1 AND instance = ?2 AND kind = 0 ORDER BY wait",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, instance, n)
     CROSS JOIN LATERAL (
       SELECT event, key, wait FROM flow_wait
       WHERE tenant = item.tenant AND instance = item.instance AND kind = 0 ORDER BY wait) AS found",
);

/// What a replay found.
#[derive(Debug, Clone, Serialize)]
pub struct Replayed {
    /// The trade.
    pub trade: String,
    /// Whether there is something to run again.
    pub journal: Journal,
    /// Records of its journal.
    pub records: usize,
    /// Inputs that the machine was told.
    pub inputs: usize,
    /// Pure calls that were run again.
    pub calls: usize,
    /// What is otherwise now.
    pub differences: Vec<Difference>,
}

/// What is there of a trade's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Journal {
    /// It is there.
    Kept,
    /// It was, and is not kept any more.
    Gone,
    /// A trade of one call that ended where it began leaves none.
    NeverKept,
}

/// Something that the replay says otherwise than what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: a step, a record, or a part of the trade's row.
    pub place: String,
    /// What is stored.
    pub stored: String,
    /// What the replay gives.
    pub replayed: String,
}

/// Runs a trade again and says what is otherwise.
///
/// # Errors
/// A trade that is not there or cannot be read; the database's.
pub async fn replay(
    store: &Store,
    registry: &Registry,
    catalogue: &Catalogue,
    id: &TradeId,
) -> Result<Replayed, RetraceError> {
    let trade = stored(store, catalogue, id).await?;
    let (all, state) = told(&trade)?;
    let mut differences = Vec::new();
    if trade.records.is_empty() {
        let (journal, differences) = if trade.leaves_no_journal() {
            (Journal::NeverKept, Vec::new())
        } else {
            (Journal::Gone, vec![difference("journal", "not kept any more", "nothing to run again")])
        };
        let trade = id.id.to_string();
        return Ok(Replayed { trade, journal, records: 0, inputs: 0, calls: 0, differences });
    }
    for told in all.iter().filter(|told| !told.wanted) {
        let place = format!("record {}", told.seq);
        differences.push(difference(place, format!("{:?}", told.input), "nothing waits for it"));
    }
    differences.extend(of_row(&trade, &all, &state)?);
    differences.extend(of_listeners(store, id, &state).await?);
    let calls = pure_calls(registry, &trade, &all, &mut differences)?;
    let (records, inputs) = (trade.records.len(), all.len());
    let (trade, journal) = (id.id.to_string(), Journal::Kept);
    Ok(Replayed { trade, journal, records, inputs, calls, differences })
}

fn difference(
    place: impl Into<String>,
    stored: impl Into<String>,
    replayed: impl Into<String>,
) -> Difference {
    Difference { place: place.into(), stored: stored.into(), replayed: replayed.into() }
}

/// What the trade's row says beside what its journal leads to.
fn of_row(trade: &Stored, all: &[Told], state: &State) -> Result<Vec<Difference>, StoreError> {
    let row = &trade.row;
    let mut found = Vec::new();
    let mut compare = |place: &str, stored: String, replayed: String| {
        if stored != replayed {
            found.push(difference(place, stored, replayed));
        }
    };
    compare("records", row.next_seq.to_string(), trade.records.len().to_string());
    let outcome = state.ended().map(|ended| match ended {
        Ended::Completed => "completed".to_owned(),
        Ended::Early(outcome) => format!("ended:{outcome}"),
        Ended::Failed(code) => format!("failed:{code}"),
    });
    compare("outcome", written(row.outcome.as_ref()), written(outcome.as_ref()));
    let status = match state {
        state if state.is_ended() => ENDED,
        state if state.stuck().is_some() => HELD,
        state if !state.pending_calls().is_empty() => DRIVEN,
        _ => WAITING,
    };
    compare("status", status_word(row.status).to_owned(), status_word(status).to_owned());
    let due = state.next_due();
    if status == WAITING {
        compare("due", format!("{:?}", row.wake_at), format!("{due:?}"));
    }
    let mut answers = all.iter().flat_map(|told| &told.commands).filter_map(|command| match command {
        Command::Answer(answer) => Some(answer),
        _ => None,
    });
    let stored = row.answer.as_deref().map(stored_answer).transpose()?;
    compare("answer", answered(stored.as_ref()), answered(answers.next_back()));
    Ok(found)
}

fn written(text: Option<&String>) -> String {
    text.map_or_else(|| "none".to_owned(), Clone::clone)
}

fn answered(answer: Option<&Answer>) -> String {
    match answer {
        None => "none".to_owned(),
        Some(Answer::Ok(value)) => value.to_json(),
        Some(Answer::Failed { code, detail }) => format!("failed: {code} {}", detail.to_json()),
    }
}

const fn status_word(status: i64) -> &'static str {
    match status {
        DRIVEN => "driven",
        WAITING => "waiting",
        ENDED => "ended",
        HELD => "held for a person",
        _ => "unknown",
    }
}

async fn of_listeners(store: &Store, id: &TradeId, state: &State) -> Result<Vec<Difference>, StoreError> {
    let id = id.clone();
    let rows = store.read(async move |reader| {
        let key = (id.tenant.as_str(), &*id.id);
        reader.fetch_all::<(String, String, u32), _>(&LISTENERS, key).await
    });
    let stored: BTreeSet<(u32, String, String)> =
        rows.await?.into_iter().map(|(event, key, wait)| (wait, event, key)).collect();
    let waits = state.waits().into_iter().filter_map(|open| {
        let (event, key) = open.event?;
        Some((open.wait.0, event.to_string(), key_text(&key)))
    });
    let replayed: BTreeSet<(u32, String, String)> = waits.collect();
    let said = |(wait, event, key): &(u32, String, String)| format!("wait {wait} for {event} of {key}");
    let lacking = stored.difference(&replayed).map(|row| difference("listeners", said(row), "none"));
    let more = replayed.difference(&stored).map(|row| difference("listeners", "none", said(row)));
    Ok(lacking.chain(more).collect())
}

/// Runs the pure calls again, each with the input that the replay gave it; says how many.
fn pure_calls(
    registry: &Registry,
    trade: &Stored,
    all: &[Told],
    differences: &mut Vec<Difference>,
) -> Result<usize, StoreError> {
    let replies: HashMap<CallNo, (&CallOutcome, &Told)> = all
        .iter()
        .filter_map(|told| match &told.input {
            Input::Replied { call, outcome } => Some((*call, (outcome, told))),
            _ => None,
        })
        .collect();
    let asked = asked(&trade.records);
    let mut count = 0;
    for command in all.iter().flat_map(|told| &told.commands) {
        let Command::Call { call, operation, path, input, .. } = command else { continue };
        let (Some(Handler::Pure(run)), Some((outcome, told))) =
            (registry.handler(operation), replies.get(call))
        else {
            continue;
        };
        let context = CallContext {
            scope: trade.row.scope.clone(),
            now: told.now,
            trade: Arc::clone(&trade.id.id),
            call: format!("{}/{path}/{}", trade.id.id, call.0).into(),
            caller: trade.row.caller.clone(),
            staleness: Staleness::Decide,
        };
        let again = run(&[Call { context: Arc::new(context), input: input.clone() }])?.into_iter().next();
        count += 1;
        if !again.as_ref().is_some_and(|reply| is_same(outcome, &reply.outcome)) {
            let replayed = again.map_or_else(String::new, |reply| said(&reply.outcome));
            let stored = said_of(outcome);
            let by = asked.get(call).map(|extensions| {
                let names: Vec<&str> = extensions.iter().map(|e| e.extension.as_str()).collect();
                format!(" (extensions were asked: {})", names.join(", "))
            });
            let place = format!("{path}: {operation}{}", by.unwrap_or_default());
            differences.push(difference(place, stored, replayed));
        }
    }
    Ok(count)
}

fn is_same(stored: &CallOutcome, again: &Outcome<Value>) -> bool {
    match (stored, again) {
        (CallOutcome::Done(stored), Outcome::Done(again)) => stored == again,
        (CallOutcome::Rejected { code, detail }, Outcome::Rejected(again)) => {
            *code == again.code && *detail == again.detail
        }
        _ => false,
    }
}

fn said(outcome: &Outcome<Value>) -> String {
    match outcome {
        Outcome::Done(output) => output.to_json(),
        Outcome::Rejected(rejection) => format!("rejected: {}", rejection.code),
        Outcome::Stale => "stale".to_owned(),
    }
}

fn said_of(outcome: &CallOutcome) -> String {
    match outcome {
        CallOutcome::Done(output) => output.to_json(),
        CallOutcome::Rejected { code, .. } => format!("rejected: {code}"),
        CallOutcome::Unavailable { .. } => "unavailable".to_owned(),
    }
}
