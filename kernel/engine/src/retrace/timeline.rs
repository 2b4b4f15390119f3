//! A trade's timeline: what happened, when, what it did to money and to what is held. For people; no program decides by it.

use std::collections::HashMap;

use mortise_capability::{ExtensionCall, Registry};
use mortise_contract::{Contracts, How, Value};
use mortise_flow::{Answer, CallKind, CallNo, CallOutcome, Command, EVALUATION_FAILED, Ended, Input, WaitNo};
use mortise_store::{Statement, Store, StoreError};
use mortise_types::{CustomerId, Scope, Timestamp};
use serde::Serialize;

use super::{RetraceError, Told, amounts, asked, stored, told};
use crate::definitions::Catalogue;
use crate::record::{Record, TradeId};

const NOTES: Statement = Statement::pair(
    "engine.trade_notes",
    "SELECT path, text, at, settled_at, settled_how, settled_reason FROM flow_attention
     WHERE tenant = ?1 AND instance = ?2 ORDER BY number",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, instance, n)
     CROSS JOIN LATERAL (
       SELECT path, text, at, settled_at, settled_how, settled_reason FROM flow_attention
       WHERE tenant = item.tenant AND instance = item.instance ORDER BY number) AS found",
);

/// A trade as a person reads it.
#[derive(Debug, Clone, Serialize)]
pub struct Timeline {
    /// Its id.
    pub trade: String,
    /// The flow's name and version.
    pub flow: String,
    /// `version:`
    pub version: u32,
    /// The definition's hash.
    pub definition: String,
    /// The flow's key, where it has one.
    pub key: Option<String>,
    /// Tenant, line, channel.
    pub scope: Scope,
    /// The customer who began it.
    pub caller: Option<CustomerId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Where it stands, in words.
    pub position: String,
    /// The currency of its amounts, where its flow says one.
    pub currency: Option<String>,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// What a person was told.
    pub attention: Vec<Note>,
}

/// Something that a person was told.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    /// Where in the definition.
    pub step: String,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// What was decided about it; none while it is open.
    pub settled: Option<Settled>,
}

/// What a person decided about what he was told.
#[derive(Debug, Clone, Serialize)]
pub struct Settled {
    /// When.
    pub at: Timestamp,
    /// `retry`, `skip`, `compensate`, `done`.
    pub how: String,
    /// Why.
    pub reason: String,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The journal record that has it.
    pub record: usize,
    /// When.
    pub at: Timestamp,
    /// Where in the definition, with rounds.
    pub step: String,
    /// What.
    #[serde(flatten)]
    pub happened: Happened,
    /// From when it was asked for until it happened, in milliseconds; 0 within one stretch.
    pub took_ms: i64,
    /// Fields that are money, in minor units: of the output, else of the input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub money: Vec<(String, i64)>,
    /// What was taken hold of and let go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Effect>,
    /// Extensions that were asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<ExtensionCall>,
}

impl Entry {
    fn plain(record: usize, at: Timestamp, step: &str, happened: Happened) -> Self {
        let (step, took_ms) = (step.to_owned(), 0);
        let (money, held, extensions) = (Vec::new(), Vec::new(), Vec::new());
        Self { record, at, step, happened, took_ms, money, held, extensions }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happened {
    /// The trade began.
    Began,
    /// A call was answered.
    Called {
        /// `capability.operation`
        operation: String,
        /// `done`, `rejected: code`, `unavailable`.
        outcome: String,
    },
    /// The same for a call that takes back.
    TakenBack {
        /// `capability.operation`
        operation: String,
        /// `done`, `rejected: code`, `unavailable`.
        outcome: String,
    },
    /// An event came for which the trade waited.
    Came {
        /// The event.
        event: String,
    },
    /// A clock ran out.
    TimedOut,
    /// An event cancelled the trade, or a part of it.
    Cancelled,
    /// A person decided about what was held.
    Decided {
        /// `retry`, `skip`, `compensate`.
        decision: &'static str,
    },
    /// The caller was answered.
    Answered {
        /// `ok`, or `failed: code`.
        answer: String,
        /// Of an expression without a value: its step, and why it has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// An event was told.
    Told {
        /// The event.
        event: String,
    },
    /// It can no longer be taken back.
    PassedPivot,
    /// Another version of its flow drives it from now on.
    Moved {
        /// The hash of that definition.
        to: String,
    },
    /// It is held for a person.
    Held {
        /// Why.
        problem: String,
    },
    /// A person was told.
    Noted {
        /// What.
        text: String,
    },
    /// It is over.
    Ended {
        /// `completed`, an outcome, `failed: code`.
        outcome: String,
    },
}

/// What became of something that can be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// `stock`, `money`, ...
    pub resource: String,
    /// `holds`, `released`, `consumed`.
    pub change: &'static str,
    /// Its name.
    pub handle: String,
}

/// What happened in a trade, from its journal.
///
/// # Errors
/// A trade that is not there or cannot be read; the database's.
pub async fn timeline(
    store: &Store,
    registry: &Registry,
    catalogue: &Catalogue,
    id: &TradeId,
) -> Result<Timeline, RetraceError> {
    let trade = stored(store, catalogue, id).await?;
    let (all, state) = told(&trade)?;
    let position = match (&trade.row.outcome, trade.records.is_empty()) {
        (Some(outcome), true) if trade.leaves_no_journal() => {
            format!("ended: {outcome}; a trade of one call leaves no journal")
        }
        (Some(outcome), true) => format!("ended: {outcome}; its journal is no longer kept"),
        _ => state.position(),
    };
    let currency = trade.records.first().and_then(|record| match record.inputs.first() {
        Some(Input::Begin(begin)) => trade.program.currency(begin).ok().flatten(),
        _ => None,
    });
    let mut entries = Teller::new(registry.contracts(), asked(&trade.records)).tell(all);
    entries.extend(moves(&trade.records));
    entries.sort_by_key(|entry| entry.record);
    Ok(Timeline {
        trade: id.id.to_string(),
        flow: trade.row.flow,
        version: trade.program.version(),
        definition: trade.row.hash,
        key: trade.row.key,
        scope: trade.row.scope,
        caller: trade.row.caller,
        started_at: trade.row.started_at,
        ended_at: trade.row.ended_at,
        position,
        currency,
        entries,
        attention: notes(store, id).await?,
    })
}

fn moves(records: &[Record]) -> impl Iterator<Item = Entry> {
    records.iter().enumerate().filter_map(|(record, at)| {
        let happened = Happened::Moved { to: at.moved.as_ref()?.to.clone() };
        Some(Entry::plain(record, at.now, "", happened))
    })
}

async fn notes(store: &Store, id: &TradeId) -> Result<Vec<Note>, StoreError> {
    type Row = (String, String, Timestamp, Option<Timestamp>, Option<String>, Option<String>);
    let id = id.clone();
    let rows = store.read(async move |reader| {
        let key = (id.tenant.as_str(), &*id.id);
        reader.fetch_all::<Row, _>(&NOTES, key).await
    });
    let note = |(step, text, at, settled_at, how, reason): Row| {
        let settled = settled_at.zip(how).map(|(at, how)| {
            let reason = reason.unwrap_or_default();
            Settled { at, how, reason }
        });
        Note { step, text, at, settled }
    };
    Ok(rows.await?.into_iter().map(note).collect())
}

/// A call that has been asked for.
struct Call {
    kind: CallKind,
    operation: String,
    path: String,
    input: Value,
    since: Timestamp,
}

struct Wait {
    event: Option<String>,
    path: String,
    since: Timestamp,
}

struct Teller<'c> {
    contracts: &'c Contracts,
    extensions: HashMap<CallNo, Vec<ExtensionCall>>,
    calls: HashMap<CallNo, Call>,
    waits: HashMap<WaitNo, Wait>,
    /// The flows of trades that were started.
    started: HashMap<CallNo, String>,
    entries: Vec<Entry>,
}

impl<'c> Teller<'c> {
    fn new(contracts: &'c Contracts, extensions: HashMap<CallNo, Vec<ExtensionCall>>) -> Self {
        let (calls, waits, started) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { contracts, extensions, calls, waits, started, entries: Vec::new() }
    }

    fn tell(mut self, all: Vec<Told>) -> Vec<Entry> {
        for told in all.into_iter().filter(|told| told.wanted) {
            let (record, at) = (told.seq, told.now);
            self.input(record, at, told.input);
            for command in told.commands {
                self.command(record, at, command);
            }
        }
        self.entries
    }

    fn push(&mut self, record: usize, at: Timestamp, step: &str, happened: Happened) -> &mut Entry {
        self.entries.push(Entry::plain(record, at, step, happened));
        let last = self.entries.len() - 1;
        &mut self.entries[last]
    }

    /// Something that took no time and moved nothing.
    fn plain(&mut self, record: usize, at: Timestamp, step: &str, happened: Happened) {
        self.push(record, at, step, happened);
    }

    fn input(&mut self, record: usize, at: Timestamp, input: Input) {
        match input {
            Input::Begin(_) => self.plain(record, at, "", Happened::Began),
            Input::Replied { call, outcome } => self.replied(record, at, call, &outcome),
            Input::Event { wait, payload } => self.came(record, at, wait, &payload),
            Input::Due { wait } => {
                let Some(Wait { path, since, .. }) = self.waits.remove(&wait) else { return };
                self.push(record, at, &path, Happened::TimedOut).took_ms = took(since, at);
            }
            Input::Resume => self.plain(record, at, "", Happened::Decided { decision: "retry" }),
            Input::Skip => self.plain(record, at, "", Happened::Decided { decision: "skip" }),
            Input::Compensate => self.plain(record, at, "", Happened::Decided { decision: "compensate" }),
            _ => self.plain(record, at, "", Happened::Cancelled),
        }
    }

    fn replied(&mut self, record: usize, at: Timestamp, number: CallNo, outcome: &CallOutcome) {
        let Some(call) = self.calls.remove(&number) else { return };
        let extensions = self.extensions.remove(&number).unwrap_or_default();
        let (word, output) = match outcome {
            CallOutcome::Done(output) => ("done".to_owned(), Some(output)),
            CallOutcome::Rejected { code, .. } => (format!("rejected: {code}"), None),
            CallOutcome::Unavailable { .. } => ("unavailable".to_owned(), None),
        };
        let (money, held) = self.effects(&call, output);
        let operation = call.operation;
        let happened = match call.kind {
            CallKind::Forward | CallKind::Confirm(_) => Happened::Called { operation, outcome: word },
            CallKind::Undo(_) | CallKind::UndoEvent(_) => Happened::TakenBack { operation, outcome: word },
        };
        let entry = self.push(record, at, &call.path, happened);
        entry.took_ms = took(call.since, at);
        (entry.money, entry.held, entry.extensions) = (money, held, extensions);
    }

    /// What a call's contract says of its money and of what it holds or lets go.
    fn effects(&self, call: &Call, output: Option<&Value>) -> (Vec<(String, i64)>, Vec<Effect>) {
        let (Some(contract), Some(output)) = (self.contracts.operations.get(&call.operation), output) else {
            return (Vec::new(), Vec::new());
        };
        let mut money = amounts::money(self.contracts, &contract.output, output);
        if money.is_empty() {
            money = amounts::money(self.contracts, &contract.input, &call.input);
        }
        let acquired = contract
            .acquires
            .iter()
            .flat_map(|acquires| effects_of(output, &acquires.resource, &acquires.handle, "holds"));
        let settled = contract.settles.iter().flat_map(|settles| {
            let change = match settles.how {
                How::Release => "released",
                How::Consume => "consumed",
            };
            effects_of(&call.input, &settles.resource, &settles.handle, change)
        });
        (money, acquired.chain(settled).collect())
    }

    fn came(&mut self, record: usize, at: Timestamp, wait: WaitNo, payload: &Value) {
        let Some(Wait { event, path, since }) = self.waits.remove(&wait) else { return };
        let event = event.unwrap_or_default();
        let contract = self.contracts.events.get(&event);
        let money = contract.map(|c| amounts::money(self.contracts, &c.payload, payload)).unwrap_or_default();
        let acquires = contract.map(|contract| contract.acquires.as_slice()).unwrap_or_default();
        let held: Vec<Effect> = acquires
            .iter()
            .flat_map(|acquires| effects_of(payload, &acquires.resource, &acquires.handle, "holds"))
            .collect();
        let entry = self.push(record, at, &path, Happened::Came { event });
        entry.took_ms = took(since, at);
        (entry.money, entry.held) = (money, held);
    }

    fn command(&mut self, record: usize, at: Timestamp, command: Command) {
        match command {
            Command::Call { call, kind, operation, path, input, .. } => {
                let (operation, path) = (operation.to_string(), path.to_string());
                self.calls.insert(call, Call { kind, operation, path, input, since: at });
            }
            Command::Start { call, flow, path, input } => {
                let (operation, path) = (flow.to_string(), path.to_string());
                self.started.insert(call, operation.clone());
                self.calls.insert(call, Call { kind: CallKind::Forward, operation, path, input, since: at });
            }
            Command::TakeBack { call, of, path } => {
                let operation = self.started.get(&of).cloned().unwrap_or_default();
                let (kind, path, input) = (CallKind::Undo(of), path.to_string(), Value::empty_record());
                self.calls.insert(call, Call { kind, operation, path, input, since: at });
            }
            Command::Wait { wait, event, path, .. } => {
                let event = event.map(|(event, _)| event.to_string());
                self.waits.insert(wait, Wait { event, path: path.to_string(), since: at });
            }
            Command::Unwait { wait } => drop(self.waits.remove(&wait)),
            Command::Emit { event, .. } => {
                self.plain(record, at, "", Happened::Told { event: event.to_string() });
            }
            Command::Answer(answer) => {
                let (answer, problem) = match answer {
                    Answer::Ok(_) => ("ok".to_owned(), None),
                    Answer::Failed { code, detail } => {
                        (format!("failed: {code}"), problem_of(&code, &detail))
                    }
                };
                self.plain(record, at, "", Happened::Answered { answer, problem });
            }
            Command::Attention { text, path } => self.plain(record, at, &path, Happened::Noted { text }),
            Command::Stuck { path, problem } => {
                self.plain(record, at, &path, Happened::Held { problem: problem.to_string() });
            }
            Command::PivotPassed => self.plain(record, at, "", Happened::PassedPivot),
            Command::End(ended) => {
                let outcome = match ended {
                    Ended::Completed => "completed".to_owned(),
                    Ended::Early(outcome) => outcome,
                    Ended::Failed(code) => format!("failed: {code}"),
                };
                self.plain(record, at, "", Happened::Ended { outcome });
            }
            _ => {}
        }
    }
}

fn effects_of<'v>(
    value: &'v Value,
    resource: &'v str,
    path: &str,
    change: &'static str,
) -> impl Iterator<Item = Effect> + use<'v> {
    let handles = amounts::handles(value, path).into_iter();
    handles.map(move |handle| Effect { resource: resource.to_owned(), change, handle })
}

/// What the caller of a trade that failed over an expression was told of it.
fn problem_of(code: &str, detail: &Value) -> Option<String> {
    let said = |name| detail.get(name).and_then(Value::as_str).filter(|_| code == EVALUATION_FAILED);
    Some(format!("{}: {}", said("step")?, said("problem")?))
}

fn took(since: Timestamp, at: Timestamp) -> i64 {
    at.as_millis() - since.as_millis()
}
