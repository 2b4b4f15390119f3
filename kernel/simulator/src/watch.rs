//! Follows every trade by its journal, with the same machine that the engine drives, and says row by row what happened since
//! it last looked. It drives nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mortise_contract::{Contracts, Effect, Value};
use mortise_engine::{Catalogue, Delivered, Noticed, Record, TradeId, TradeRow};
use mortise_flow::{
    Answer, CallKind, CallNo, CallOutcome, Command, Ended, Input, Program, State, WaitNo, step,
};
use mortise_types::{Scope, Timestamp};

use crate::Failure;
use crate::house::House;
use crate::names::Known;
use crate::row::{Answered, CallRow, Outcome, Row, Way, What};
use crate::stage::Stage;

/// What has been seen of all trades.
#[derive(Default)]
pub(crate) struct Watch {
    trades: BTreeMap<TradeId, Followed>,
    /// Names that the script gives.
    named: HashMap<TradeId, Arc<str>>,
    /// What was there before the world began.
    old: BTreeSet<TradeId>,
    position: i64,
    noticed: BTreeSet<(TradeId, i64)>,
    counts: HashMap<String, u32>,
}

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
    seen: i64,
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

/// A call that went through or an event that was written: habits answer to it.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) on: String,
    pub(crate) at: Timestamp,
    /// `input` and `output`, or `event`.
    pub(crate) local: Vec<(&'static str, Value)>,
    pub(crate) trade: TradeId,
    /// The call that it was.
    pub(crate) call: Option<String>,
}

/// What a look has found.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) rows: Vec<Row>,
    pub(crate) triggers: Vec<Trigger>,
    /// Events of trades that left no journal.
    pub(crate) loose: Vec<(TradeId, String)>,
    /// How a trade was waiting, each time it began to wait: for the explorer.
    pub(crate) waits: Vec<SeenWait>,
}

/// A wait as it began or ended.
#[derive(Debug, Clone)]
pub(crate) struct SeenWait {
    pub(crate) trade: Arc<str>,
    pub(crate) event: Option<Arc<str>>,
    pub(crate) at: Timestamp,
    /// Of its own clock; the event of a race has none.
    pub(crate) due: Option<Timestamp>,
    /// The events that would cancel the trade while it waits.
    pub(crate) cancel: Vec<Arc<str>>,
}

impl Watch {
    /// Everything that is there now is old.
    pub(crate) fn begin(house: &House) -> Result<Self, Failure> {
        let engine = house.engine();
        let (trades, events) = house
            .block_on(async { Ok::<_, Failure>((engine.trades().await?, engine.events_since(0).await?)) })?;
        Ok(Self {
            old: trades.into_iter().map(|row| row.trade).collect(),
            position: events.last().map_or(0, |event| event.position),
            ..Self::default()
        })
    }

    /// The script's name for a trade.
    pub(crate) fn name(&mut self, trade: &TradeId, name: &str) {
        self.named.insert(trade.clone(), name.into());
    }

    /// The trades of flows, with those that give back late events.
    pub(crate) fn trades(&self) -> impl Iterator<Item = (&TradeId, &Followed)> {
        self.trades.iter()
    }

    /// Whether a trade has left a journal to follow.
    pub(crate) fn follows(&self, trade: &TradeId) -> bool {
        self.trades.contains_key(trade)
    }

    /// Where a trade is.
    pub(crate) fn scope_of(&self, trade: &TradeId) -> Option<Scope> {
        self.trades.get(trade)?.scope.clone()
    }

    /// What has happened since the last look. Outputs and payloads go into `known`.
    pub(crate) fn look(&mut self, house: &House, known: &mut Known) -> Result<Look, Failure> {
        let engine = house.engine();
        let since = self.position;
        let (rows, events, noticed) = house.block_on(async {
            let rows = engine.trades().await?;
            Ok::<_, Failure>((rows, engine.events_since(since).await?, engine.noticed().await?))
        })?;
        let contracts = engine.registry().contracts();
        let mut look = Look::default();
        let mut told = Vec::new();
        for row in rows {
            if self.old.contains(&row.trade) {
                continue;
            }
            let seen = self.trades.get(&row.trade).map_or(0, |followed| followed.seen);
            let records = if row.records > seen && row.records > 0 {
                house.block_on(engine.records(&row.trade, seen))?
            } else {
                Vec::new()
            };
            if records.is_empty() && !self.trades.contains_key(&row.trade) {
                continue;
            }
            self.follow(&row, engine.catalogue())?;
            let order = |call: &str| house.stage.order(call);
            let place = Place { contracts, stage: &house.stage };
            let followed = self.trades.get_mut(&row.trade).expect("it is followed from here on");
            let mut last = 0;
            for record in records {
                let (rows, first) = followed.record(&row.trade, record, &place, known, &mut look);
                last = first.and_then(|call| order(&call)).unwrap_or(last);
                told.push((last, row.trade.clone(), rows));
            }
        }
        told.sort_by_key(|(order, ..)| *order);
        let mut rows: Vec<(TradeId, Row)> = Vec::new();
        for (_, trade, new) in told {
            rows.extend(new.into_iter().map(|row| (trade.clone(), row)));
        }
        self.attach(events, contracts, &mut rows, &mut look);
        self.notice(noticed, &mut rows);
        look.rows = answered_at_once(rows.into_iter().map(|(_, row)| row).collect());
        Ok(look)
    }

    fn follow(&mut self, row: &TradeRow, catalogue: &Catalogue) -> Result<(), Failure> {
        if !self.trades.contains_key(&row.trade) {
            let program = catalogue.by_hash(&row.definition, &row.flow);
            let program = program
                .ok_or_else(|| Failure::Platform(format!("the definition of `{}` is gone", row.flow)))?;
            let name = match self.named.get(&row.trade) {
                Some(name) => Arc::clone(name),
                None => {
                    let count = self.counts.entry(row.flow.clone()).or_default();
                    *count += 1;
                    if *count == 1 {
                        row.flow.as_str().into()
                    } else {
                        format!("{} {count}", row.flow).into()
                    }
                }
            };
            let followed = Followed::new(name, program, row);
            self.trades.insert(row.trade.clone(), followed);
        }
        if let Some(followed) = self.trades.get_mut(&row.trade) {
            followed.outcome.clone_from(&row.outcome);
            followed.held = row.held;
        }
        Ok(())
    }

    /// Puts events beside the calls that wrote them.
    fn attach(
        &mut self,
        events: Vec<Delivered>,
        contracts: &Contracts,
        rows: &mut Vec<(TradeId, Row)>,
        look: &mut Look,
    ) {
        for event in events {
            self.position = event.position;
            let trade = TradeId { tenant: event.tenant.clone(), id: event.trade.as_str().into() };
            look.triggers.push(Trigger {
                on: event.event.clone(),
                at: event.at,
                local: vec![("event", event.payload.clone())],
                trade: trade.clone(),
                call: None,
            });
            let wrote = |row: &Row| match &row.what {
                What::Call(CallRow { operation, outcome: Outcome::Done, .. }) => {
                    contracts.operations.get(&**operation).is_some_and(|c| c.events.contains(&event.event))
                        && !row.tells.contains(&event.event)
                }
                _ => false,
            };
            let beside = rows.iter_mut().find(|(of, row)| *of == trade && wrote(row));
            if let Some((_, row)) = beside {
                row.tells.push(event.event);
                continue;
            }
            let Some(followed) = self.trades.get(&trade) else {
                look.loose.push((trade, event.event));
                continue;
            };
            let row = Row {
                at: event.at,
                trade: Some(Arc::clone(&followed.name)),
                what: What::Told,
                tells: vec![event.event],
                moves: Default::default(),
            };
            let ended =
                rows.iter().rposition(|(of, row)| *of == trade && matches!(row.what, What::Ended { .. }));
            rows.insert(ended.unwrap_or(rows.len()), (trade, row));
        }
    }

    /// What the engine itself puts before a person; what a flow's step says is known from its journal.
    fn notice(&mut self, noticed: Vec<Noticed>, rows: &mut Vec<(TradeId, Row)>) {
        for Noticed { trade, number, path, text, at } in noticed {
            if self.old.contains(&trade) || !self.noticed.insert((trade.clone(), number)) {
                continue;
            }
            let said = rows.iter().any(|(of, row)| {
                *of == trade && matches!(&row.what, What::Attention { step, text: said } if *step == path && *said == text)
            });
            if !said {
                let name = self.trades.get(&trade).map(|followed| Arc::clone(&followed.name));
                let what = What::Attention { step: path, text };
                rows.push((
                    trade,
                    Row { at, trade: name, what, tells: Vec::new(), moves: Default::default() },
                ));
            }
        }
    }
}

/// Leaves out that a peer was asked where it has answered by now.
fn answered_at_once(rows: Vec<Row>) -> Vec<Row> {
    let answered = |at: usize| match &rows[at].what {
        What::Asked { step, operation } => rows[at..].iter().any(|row| {
            row.trade == rows[at].trade
                && matches!(&row.what, What::Call(call) if call.step == *step && call.operation == *operation)
        }),
        _ => false,
    };
    let kept: Vec<bool> = (0..rows.len()).map(|at| !answered(at)).collect();
    rows.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(row, _)| row).collect()
}

fn scope(value: &Value) -> Option<Scope> {
    let part = |name: &str| value.get(name).and_then(Value::as_str);
    Scope::new(part("tenant")?, part("line")?, part("channel")?).ok()
}

/// What a record is read with.
struct Place<'a> {
    contracts: &'a Contracts,
    stage: &'a Stage,
}

impl Followed {
    fn new(name: Arc<str>, program: Arc<Program>, row: &TradeRow) -> Self {
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
    fn record(
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
        Row { at, trade: Some(Arc::clone(&self.name)), what, tells: Vec::new(), moves: Default::default() }
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
    ) -> Option<(What, crate::books::Moves)> {
        let nothing = crate::books::Moves::default;
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
                    let words = crate::words::value(detail, schema, contracts, self.currency.as_deref());
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
                let of_flow = self.calls.get(&of).map_or_else(|| Arc::clone(&path), |of| Arc::clone(&of.operation));
                let kind = CallKind::Undo(of);
                self.calls.insert(call, CallInfo { path, operation: of_flow, kind, input: Value::empty_record() });
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
            Command::Unwait { .. } | Command::LateKey { .. } | Command::Emit { .. } | Command::Withdraw { .. } => None,
        }
    }
}
