//! One trade, followed by its journal: what each record told the machine, and what the machine asked for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mortise_contract::{Contracts, Effect, Value};
use mortise_engine::{Record, TradeId, TradeRow};
use mortise_flow::{
    Answer, CallKind, CallNo, CallOutcome, Command, Ended, Input, Program, State, WaitNo, step,
};
use mortise_types::{Scope, Timestamp};

use super::{Look, SeenWait, Trigger};
use crate::books::Moves;
use crate::names::Known;
use crate::row::{Answered, CallRow, Outcome, Row, Way, What};
use crate::stage::Stage;
use crate::words;

/// A trade that is followed.
pub(crate) struct Followed {
    pub(crate) name: Arc<str>,
    pub(crate) flow: String,
    pub(crate) key: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) held: bool,
    /// The events and keys that cancel it, or an attempt in it, while they do.
    pub(crate) cancellable: BTreeMap<WaitNo, (Arc<str>, Value)>,
    pub(crate) state: State,
    pub(crate) currency: Option<String>,
    pub(crate) scope: Option<Scope>,
    program: Arc<Program>,
    definition: String,
    pub(super) seen: i64,
    calls: HashMap<CallNo, CallInfo>,
    waits: HashMap<WaitNo, WaitInfo>,
}

#[derive(Clone)]
struct CallInfo {
    path: Arc<str>,
    operation: Arc<str>,
    kind: CallKind,
    input: Value,
}

#[derive(Clone)]
struct WaitInfo {
    path: Arc<str>,
    event: Option<Arc<str>>,
}

fn scope(value: &Value) -> Option<Scope> {
    let part = |name: &str| value.get(name).and_then(Value::as_str);
    Scope::new(part("tenant")?, part("line")?, part("channel")?).ok()
}

/// What a record is read with.
pub(super) struct Place<'a> {
    pub(super) contracts: &'a Contracts,
    pub(super) stage: &'a Stage,
}

impl Followed {
    pub(super) fn new(name: Arc<str>, program: Arc<Program>, row: &TradeRow) -> Self {
        Self {
            name,
            flow: row.flow.clone(),
            key: row.key.clone(),
            outcome: None,
            held: false,
            cancellable: BTreeMap::new(),
            state: State::new(),
            currency: None,
            scope: None,
            program,
            definition: row.definition.clone(),
            seen: 0,
            calls: HashMap::new(),
            waits: HashMap::new(),
        }
    }

    /// The hash of its definition.
    pub(crate) fn definition(&self) -> &str {
        &self.definition
    }

    /// Takes a record: what happened, and its first call.
    pub(super) fn record(
        &mut self,
        trade: &TradeId,
        record: Record,
        place: &Place<'_>,
        known: &mut Known,
        look: &mut Look,
    ) -> (Vec<Row>, Option<String>) {
        self.seen += 1;
        let mut rows = Vec::new();
        let mut first = None;
        let mut open: BTreeMap<CallNo, ()> = record.intents.iter().map(|intent| (intent.call, ())).collect();
        for input in record.inputs {
            let now = record.now;
            if let Input::Replied { call, .. } = &input {
                open.remove(call);
                first = first.or_else(|| self.call_id(trade, *call));
            }
            if let Some((what, moves)) = self.told(trade, &input, now, place, known, look) {
                let mut row = self.row(now, what);
                row.moves = moves;
                if let (What::Call(told), Input::Replied { call, .. }) = (&mut row.what, &input) {
                    let asked = record.asked.iter().filter(|asked| asked.call == *call);
                    let words = asked.flat_map(|asked| &asked.extensions);
                    told.asked =
                        words.map(|asked| format!("{} {}", asked.extension, asked.outcome)).collect();
                }
                rows.push(row);
            }
            let state = std::mem::take(&mut self.state);
            let (state, commands) = step(&self.program, state, now, input);
            self.state = state;
            for command in commands {
                if let Some(what) = self.commanded(command, now, look) {
                    rows.push(self.row(now, what));
                }
            }
        }
        for (call, ()) in open {
            if let Some(CallInfo { path, operation, .. }) = self.calls.get(&call).cloned() {
                rows.push(self.row(record.now, What::Asked { step: path, operation }));
            }
        }
        (rows, first)
    }

    fn row(&self, at: Timestamp, what: What) -> Row {
        Row { at, trade: Some(Arc::clone(&self.name)), what, tells: Vec::new(), moves: Moves::default() }
    }

    fn call_id(&self, trade: &TradeId, call: CallNo) -> Option<String> {
        let info = self.calls.get(&call)?;
        Some(format!("{}/{}/{}", trade.id, info.path, call.0))
    }

    fn told(
        &mut self,
        trade: &TradeId,
        input: &Input,
        now: Timestamp,
        place: &Place<'_>,
        known: &mut Known,
        look: &mut Look,
    ) -> Option<(What, Moves)> {
        let nothing = Moves::default;
        let brought = known.of(&self.name);
        match input {
            Input::Begin(begin) => {
                self.currency = self.program.currency(begin).ok().flatten();
                self.scope = scope(&begin.scope);
                brought.parts.insert("input".to_owned(), begin.input.clone());
                brought.parts.insert("trade".to_owned(), Value::from(&*trade.id));
                Some((What::Began { flow: self.flow.clone() }, nothing()))
            }
            Input::Replied { call, outcome } => {
                let info = self.calls.get(call)?.clone();
                if let CallOutcome::Done(output) = outcome {
                    brought.steps.insert(info.path.to_string(), output.clone());
                    look.triggers.push(Trigger {
                        on: info.operation.to_string(),
                        at: now,
                        local: vec![("input", info.input.clone()), ("output", output.clone())],
                        trade: trade.clone(),
                        call: self.call_id(trade, *call),
                    });
                }
                let moves = place.stage.moves_of(&self.call_id(trade, *call)?);
                Some((What::Call(self.call_row(&info, outcome, place.contracts)), moves))
            }
            Input::Event { wait, payload } => {
                let info = self.waits.get(wait)?;
                brought.steps.insert(info.path.to_string(), payload.clone());
                let event = info.event.clone()?;
                Some((What::Came { step: Arc::clone(&info.path), event }, nothing()))
            }
            Input::Due { wait } => {
                let info = self.waits.get(wait)?;
                Some((What::Due { step: Arc::clone(&info.path), event: info.event.clone() }, nothing()))
            }
            Input::Cancel | Input::CancelAttempt { .. } => Some((What::Cancelled, nothing())),
            Input::TakeBack => Some((What::TakenBack, nothing())),
            Input::Resume | Input::Skip | Input::Compensate => None,
        }
    }

    fn call_row(&self, info: &CallInfo, outcome: &CallOutcome, contracts: &Contracts) -> CallRow {
        let contract = contracts.operations.get(&*info.operation);
        let back = |of: Option<&Arc<str>>| Way::Back(of.cloned().unwrap_or_else(|| Arc::clone(&info.path)));
        CallRow {
            step: Arc::clone(&info.path),
            operation: Arc::clone(&info.operation),
            way: match info.kind {
                CallKind::Forward => Way::Forward,
                CallKind::Undo(of) => back(self.calls.get(&of).map(|of| &of.path)),
                CallKind::UndoEvent(of) => back(self.waits.get(&of).map(|of| &of.path)),
                CallKind::Confirm(of) => {
                    let of = self.calls.get(&of).map_or(&info.path, |of| &of.path);
                    Way::Confirm(Arc::clone(of))
                }
            },
            outcome: match outcome {
                CallOutcome::Done(_) => Outcome::Done,
                CallOutcome::Rejected { code, detail } => {
                    let schema = contract.and_then(|contract| contract.rejections.get(code));
                    let words = words::value(detail, schema, contracts, self.currency.as_deref());
                    Outcome::Rejected { code: code.clone(), detail: words }
                }
                CallOutcome::Unavailable { .. } => Outcome::Unavailable,
            },
            only_reads: contract.is_some_and(|c| matches!(c.effect, Effect::Pure | Effect::Read)),
            asked: Vec::new(),
        }
    }

    fn commanded(&mut self, command: Command, now: Timestamp, look: &mut Look) -> Option<What> {
        match command {
            Command::Call { call, kind, operation, path, input, .. } => {
                self.calls.insert(call, CallInfo { path, operation, kind, input });
                None
            }
            Command::Wait { wait, event, due, path } => {
                let event = event.map(|(event, _)| event);
                self.waits.insert(wait, WaitInfo { path: Arc::clone(&path), event: event.clone() });
                look.waits.push(SeenWait {
                    trade: Arc::clone(&self.name),
                    event: event.clone(),
                    at: now,
                    due,
                    cancel: self.cancellable.values().map(|(event, _)| Arc::clone(event)).collect(),
                });
                match (event, due) {
                    (Some(event), due) => Some(What::Waits { step: path, event, due }),
                    (None, Some(due)) => Some(What::Sleeps { step: path, due }),
                    (None, None) => None,
                }
            }
            Command::Start { call, flow, path, input } => {
                let (operation, kind) = (Arc::clone(&flow), CallKind::Forward);
                self.calls.insert(call, CallInfo { path: Arc::clone(&path), operation, kind, input });
                Some(What::Starts { step: path, flow })
            }
            Command::TakeBack { call, of, path } => {
                let of_flow =
                    self.calls.get(&of).map_or_else(|| Arc::clone(&path), |of| Arc::clone(&of.operation));
                let kind = CallKind::Undo(of);
                self.calls
                    .insert(call, CallInfo { path, operation: of_flow, kind, input: Value::empty_record() });
                None
            }
            Command::Cancellable { wait, event, key } => {
                self.cancellable.insert(wait, (event, key));
                None
            }
            Command::NotCancellable { wait } => {
                self.cancellable.remove(&wait);
                None
            }
            Command::Answer(Answer::Ok(value)) => Some(What::Answered(Answered::Ok(value))),
            Command::Answer(Answer::Failed { code, detail }) => {
                Some(What::Answered(Answered::Failed { code, detail }))
            }
            Command::Attention { text, path } => Some(What::Attention { step: path.to_string(), text }),
            Command::Stuck { path, problem } => {
                Some(What::Attention { step: path.to_string(), text: problem.to_string() })
            }
            Command::PivotPassed => Some(What::Pivot),
            Command::End(ended) => Some(What::Ended {
                outcome: match ended {
                    Ended::Completed => "completed".to_owned(),
                    Ended::Early(outcome) => format!("ended: {outcome}"),
                    Ended::Failed(code) => format!("failed: {code}"),
                },
            }),
            Command::Unwait { .. }
            | Command::LateKey { .. }
            | Command::Emit { .. }
            | Command::Withdraw { .. } => None,
        }
    }
}
