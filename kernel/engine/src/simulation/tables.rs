//! The database of a simulated world: tables in memory, a transaction as a copy that takes their place. Its operations are
//! models, each of a line or two; how a batch is written is the engine's order of things, said once more without SQL. Who is
//! told of an event is decided by the engine's own rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mortise_capability::{Reply, Staleness};
use mortise_contract::{Value, json};
use mortise_flow::{Begin, CallOutcome, Ended, Input, Program};
use mortise_types::{CustomerId, Scope, Timestamp};

use super::dice::Dice;
use super::world::Catalogue;
use crate::commit::Matched;
use crate::job::{Fresh, Job, LATE, Pending, Sending, Work, key_text};
use crate::load::unborn;
use crate::record::{Record, Trade, TradeId};

/// A trade's row, with its journal.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) program: Arc<Program>,
    scope: Scope,
    caller: Option<CustomerId>,
    pub(super) started_at: Timestamp,
    pub(super) epoch: i64,
    pub(super) journal: Vec<Record>,
    /// Calls are outstanding.
    pub(super) driven: bool,
    pub(super) due: Option<Timestamp>,
    pub(super) ended: Option<Ended>,
    pub(super) answered: bool,
}

/// A listener; the order is that in which an event finds them.
type Listener = (Arc<str>, String, TradeId, i64, u32);

#[derive(Clone)]
struct Received {
    event: Arc<str>,
    key: String,
    position: i64,
    payload: Value,
    at: Timestamp,
}

/// What has become of a thing that was reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Reserved,
    Claimed,
    Released,
}

#[derive(Clone, Default)]
pub(super) struct Tables {
    pub(super) trades: BTreeMap<TradeId, Row>,
    keys: BTreeMap<String, TradeId>,
    listeners: BTreeSet<Listener>,
    inbox: Vec<Received>,
    taken: BTreeSet<(TradeId, i64)>,
    position: i64,
    /// Effects of write operations, by the call's identity.
    pub(super) effects: BTreeMap<Arc<str>, u32>,
    pub(super) reservations: BTreeMap<String, Held>,
    pub(super) claims: BTreeMap<String, Held>,
    pub(super) lists: BTreeMap<String, Held>,
    pub(super) stock: i64,
    /// Every law that was broken, as it was.
    pub(super) broken: Vec<String>,
}

/// What became of a job.
pub(super) enum Fate {
    Open(Option<Timestamp>),
    Cut,
    Ended,
    /// Another start has its key, or another driver has it.
    Refused,
}

pub(super) struct Finished {
    pub(super) trade: Trade,
    pub(super) fate: Fate,
    pub(super) sends: Vec<Sending>,
    pub(super) answered: bool,
}

#[derive(Default)]
pub(super) struct Committed {
    pub(super) finished: Vec<Finished>,
    pub(super) stale: Vec<TradeId>,
    pub(super) follow_ups: Vec<(TradeId, Work)>,
}

impl Tables {
    pub(super) fn new(stock: i64) -> Self {
        Self { stock, ..Self::default() }
    }

    /// Folds a trade from its journal.
    pub(super) fn load(&self, id: &TradeId) -> Option<Trade> {
        let row = self.trades.get(id)?;
        let (program, scope) = (Arc::clone(&row.program), row.scope.clone());
        let mut trade = unborn(id.clone(), program, scope, row.caller.clone(), row.epoch, row.started_at);
        for record in &row.journal {
            trade.fold(record.clone(), |_| None).ok()?;
        }
        Some(trade)
    }

    /// Open trades get a new owner; what they need to go on, and what came for them before.
    pub(super) fn take_over(&mut self, epoch: i64) -> Vec<(TradeId, Vec<Work>, Option<Timestamp>)> {
        let mut found = Vec::new();
        for (id, row) in self.trades.iter_mut().filter(|(_, row)| row.ended.is_none()) {
            row.epoch = epoch;
            found.push((id.clone(), if row.driven { vec![Work::Resume] } else { Vec::new() }, row.due));
        }
        let mut matched = Matched::default();
        for received in &self.inbox {
            for (_, _, trade, kind, wait) in self.heard_by(received).filter(|listener| listener.3 != LATE) {
                let row = &self.trades[trade];
                let is_new = !self.taken.contains(&(trade.clone(), received.position));
                if row.ended.is_none() && received.at >= row.started_at && is_new {
                    hears(&mut matched, trade, (*kind, *wait), received);
                }
            }
        }
        for (trade, work) in matched.works() {
            if let Some((_, works, _)) = found.iter_mut().find(|(id, ..)| *id == trade) {
                works.push(work);
            }
        }
        found
    }

    fn heard_by(&self, received: &Received) -> impl Iterator<Item = &Listener> {
        let Received { event, key, .. } = received;
        self.listeners.iter().filter(move |(name, of, ..)| name == event && of == key)
    }

    /// Reads that need no transaction: prices.
    pub(super) fn prepare(&self, jobs: &mut [Job]) {
        for job in jobs {
            let id = job.trade.id.clone();
            let had = |work: &Work| matches!(work, Work::Event { position, .. } if self.taken.contains(&(id.clone(), *position)));
            let before = job.works.len();
            job.works.retain(|work| !had(work));
            job.look_again |= job.works.len() < before;
            if job.settles() {
                continue;
            }
            job.tell();
            while let Some(at) = job.pending.iter().position(|pending| &*pending.operation == "price.quote") {
                let pending = job.pending.remove(at);
                job.reply(pending.call, Reply::done(Value::empty_record()), done(r#"{"amount":500}"#));
            }
        }
    }

    /// Runs a batch to its end and writes it, or says which of its jobs have read what no longer holds.
    pub(super) fn commit(
        &mut self,
        dice: &mut Dice,
        catalogue: &Catalogue,
        jobs: Vec<Job>,
        now: Timestamp,
        single_steps: bool,
    ) -> Committed {
        let mut out = Committed::default();
        let mut jobs = self.turn_away(jobs, &mut out);
        loop {
            let mut tables = self.clone();
            let mut attempt = jobs.clone();
            let stale = tables.run(dice, &mut attempt, single_steps);
            if stale.is_empty() {
                *self = tables;
                self.write(catalogue, attempt, now, &mut out);
                return out;
            }
            for index in stale.into_iter().rev() {
                out.stale.push(jobs.remove(index).trade.id);
            }
        }
    }

    fn turn_away(&self, jobs: Vec<Job>, out: &mut Committed) -> Vec<Job> {
        let mut keys: BTreeSet<String> = self.keys.keys().cloned().collect();
        let (kept, refused): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| match &job.fresh {
            Some(fresh) => fresh.key.clone().is_none_or(|key| keys.insert(key)),
            None => self.trades.get(&job.trade.id).is_some_and(|row| {
                let next = i64::try_from(row.journal.len()).unwrap_or(i64::MAX);
                row.ended.is_none() && row.epoch == job.trade.epoch && next == job.trade.next_seq
            }),
        });
        let refuse =
            |job: Job| Finished { trade: job.trade, fate: Fate::Refused, sends: Vec::new(), answered: false };
        out.finished.extend(refused.into_iter().map(refuse));
        kept
    }

    fn run(&mut self, dice: &mut Dice, jobs: &mut [Job], single_steps: bool) -> Vec<usize> {
        for job in jobs.iter_mut() {
            for work in job.works.clone() {
                let Work::Answered { call, answer } = work else { continue };
                let Some(_) = job.trade.intents.remove(&call) else { continue };
                let Some(pending) = job.outstanding(call) else { continue };
                self.effect(job, &pending);
                let outcome = settled(&answer);
                job.reply(call, Reply::done(Value::empty_record()), outcome);
            }
            job.tell();
        }
        let mut stale = Vec::new();
        for (index, job) in jobs.iter_mut().enumerate() {
            while let Some(pending) =
                job.pending.first().cloned().filter(|_| !(single_steps && job.steps > 0))
            {
                job.pending.remove(0);
                if is_remote(&pending.operation) {
                    let minted = text("payment_id", &job.call_id(&pending));
                    let input = pending.input.clone();
                    job.send(pending, input, minted);
                } else if &*pending.operation == "stock.reserve"
                    && job.staleness == Staleness::MayReply
                    && dice.percent(10)
                {
                    stale.push(index);
                    break;
                } else {
                    let outcome = self.operate(job, &pending);
                    job.reply(pending.call, Reply::done(Value::empty_record()), outcome);
                }
            }
        }
        stale
    }

    fn effect(&mut self, job: &Job, pending: &Pending) {
        let times = self.effects.entry(job.call_id(pending)).or_default();
        *times += 1;
        if *times > 1 {
            self.broken.push(format!("{} had its effect twice", job.call_id(pending)));
        }
    }

    /// A local operation.
    fn operate(&mut self, job: &Job, pending: &Pending) -> CallOutcome {
        let id = job.call_id(pending);
        let of = |name: &str| pending.input.get(name).map(key_text).unwrap_or_default();
        if &*pending.operation != "price.quote" {
            self.effect(job, pending);
        }
        match &*pending.operation {
            "price.quote" => return done(r#"{"amount":500}"#),
            "stock.reserve" if self.stock == 0 => {
                return CallOutcome::Rejected { code: "out_of_stock".into(), detail: Value::empty_record() };
            }
            "stock.reserve" => {
                self.stock -= 1;
                self.reservations.insert(id.to_string(), Held::Reserved);
                return CallOutcome::Done(text("reservation", &id));
            }
            "limit.claim" => {
                self.claims.insert(id.to_string(), Held::Claimed);
                return CallOutcome::Done(text("claim", &id));
            }
            "pick.request" => {
                self.lists.insert(id.to_string(), Held::Reserved);
                return CallOutcome::Done(text("list", &id));
            }
            "stock.release" => {
                self.stock += 1;
                self.turn(Kind::Reservation, &of("reservation"), Held::Reserved, Held::Released);
            }
            "stock.claim" => self.turn(Kind::Reservation, &of("reservation"), Held::Reserved, Held::Claimed),
            "stock.unclaim" => {
                self.turn(Kind::Reservation, &of("reservation"), Held::Claimed, Held::Reserved)
            }
            "limit.give_back" => self.turn(Kind::Claim, &of("claim"), Held::Claimed, Held::Released),
            "pick.cancel" => self.turn(Kind::List, &of("list"), Held::Reserved, Held::Released),
            "pay.settle" => {}
            other => self.broken.push(format!("nobody knows {other}")),
        }
        CallOutcome::Done(Value::empty_record())
    }

    fn turn(&mut self, kind: Kind, name: &str, from: Held, to: Held) {
        let table = match kind {
            Kind::Reservation => &mut self.reservations,
            Kind::Claim => &mut self.claims,
            Kind::List => &mut self.lists,
        };
        match table.get_mut(name) {
            Some(held) if *held == from => *held = to,
            found => {
                self.broken.push(format!("{name} was to turn from {from:?} to {to:?}, but it is {found:?}"))
            }
        }
    }

    fn write(&mut self, catalogue: &Catalogue, jobs: Vec<Job>, now: Timestamp, out: &mut Committed) {
        let mut matched = Matched::default();
        for job in &jobs {
            self.write_row(job);
        }
        for job in &jobs {
            let id = &job.trade.id;
            for (wait, kind) in &job.unlisten {
                self.listeners.retain(|(_, _, of, is, number)| (of, is, *number) != (id, kind, wait.0));
            }
            for listen in &job.listen {
                let key = listen.key.clone();
                self.listeners.insert((
                    Arc::clone(&listen.event),
                    key,
                    id.clone(),
                    listen.kind,
                    listen.wait.0,
                ));
            }
            self.taken.extend(job.taken.iter().map(|position| (id.clone(), *position)));
        }
        for job in &jobs {
            for event in &job.emitted {
                let key = event.payload.get("order").map(key_text).unwrap_or_default();
                self.receive(&event.name, key, event.payload.clone(), now, &mut matched);
            }
        }
        for job in &jobs {
            self.look_back(job, &mut matched);
        }
        self.deliver(catalogue, matched, now, out);
        for mut job in jobs {
            job.trade.next_seq += 1;
            let fate = if job.ended.is_some() {
                Fate::Ended
            } else if job.is_cut() {
                Fate::Cut
            } else {
                Fate::Open(job.due())
            };
            out.finished.push(Finished {
                trade: job.trade,
                fate,
                sends: job.sends,
                answered: job.answer.is_some(),
            });
        }
    }

    fn write_row(&mut self, job: &Job) {
        let trade = &job.trade;
        if let Some((path, problem)) = trade.state.stuck() {
            self.broken.push(format!("{} is stuck at {path}: {problem}", trade.id));
        }
        if let Some(key) = job.fresh.as_ref().and_then(|fresh| fresh.key.clone()) {
            self.keys.insert(key, trade.id.clone());
        }
        let row = self.trades.entry(trade.id.clone()).or_insert_with(|| Row {
            program: Arc::clone(&trade.program),
            scope: trade.scope.clone(),
            caller: trade.caller.clone(),
            started_at: trade.started_at,
            epoch: trade.epoch,
            journal: Vec::new(),
            driven: true,
            due: None,
            ended: None,
            answered: false,
        });
        row.journal.push(job.record.clone());
        row.driven = !trade.state.pending_calls().is_empty();
        row.due = job.due();
        row.ended = job.ended.clone();
        row.answered |= job.answer.is_some();
    }

    /// An event from the world: what it is for those who wait.
    pub(super) fn publish(
        &mut self,
        catalogue: &Catalogue,
        (event, key, payload): (&str, &str, Value),
        now: Timestamp,
    ) -> Vec<(TradeId, Work)> {
        let (mut matched, mut out) = (Matched::default(), Committed::default());
        self.receive(event, key.to_owned(), payload, now, &mut matched);
        self.deliver(catalogue, matched, now, &mut out);
        out.follow_ups
    }

    fn receive(&mut self, event: &str, key: String, payload: Value, at: Timestamp, matched: &mut Matched) {
        self.position += 1;
        let received = Received { event: event.into(), key, position: self.position, payload, at };
        for (_, _, trade, kind, wait) in self.heard_by(&received) {
            hears(matched, trade, (*kind, *wait), &received);
        }
        self.inbox.push(received);
    }

    /// Events that came before their listener, and such as have found their wait over for another one.
    fn look_back(&self, job: &Job, matched: &mut Matched) {
        let again = if job.look_again { job.open_listeners() } else { Vec::new() };
        let mut listeners: Vec<_> = job.listen.iter().chain(&again).collect();
        listeners.sort_by_key(|listen| listen.kind == LATE);
        for listen in listeners {
            let early = self.inbox.iter().filter(|received| {
                received.event == listen.event
                    && received.key == listen.key
                    && received.at >= job.trade.started_at
                    && !self.taken.contains(&(job.trade.id.clone(), received.position))
            });
            for received in early {
                hears(matched, &job.trade.id, (listen.kind, listen.wait.0), received);
            }
        }
    }

    fn deliver(&mut self, catalogue: &Catalogue, matched: Matched, now: Timestamp, out: &mut Committed) {
        let (told, late) = matched.divided();
        out.follow_ups.extend(told.into_iter().filter_map(|found| found.work()));
        for found in late {
            if self.taken.insert((found.trade.clone(), found.position)) {
                let event = (&*found.event, found.position, found.payload);
                self.begin_late(catalogue, &found.trade, event, now, out);
            }
        }
    }

    fn begin_late(
        &mut self,
        catalogue: &Catalogue,
        of: &TradeId,
        (event, position, payload): (&str, i64, Value),
        now: Timestamp,
        out: &mut Committed,
    ) {
        let Some(program) = catalogue.late.get(event) else { return };
        let id = TradeId { tenant: of.tenant.clone(), id: format!("late{position}").into() };
        let key = format!("late:{position}");
        if self.keys.contains_key(&key) {
            return;
        }
        self.keys.insert(key, id.clone());
        let scope = self.trades[of].scope.clone();
        let begin = Begin { input: payload, scope: crate::engine::scope_value(&scope) };
        let mut record = Record::new(now);
        record.inputs.push(Input::Begin(begin));
        let row = Row {
            program: Arc::clone(program),
            scope,
            caller: None,
            started_at: now,
            epoch: 0,
            journal: vec![record],
            driven: true,
            due: None,
            ended: None,
            answered: false,
        };
        self.trades.insert(id.clone(), row);
        out.follow_ups.push((id, Work::Resume));
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Reservation,
    Claim,
    List,
}

fn hears(matched: &mut Matched, trade: &TradeId, (kind, wait): (i64, u32), received: &Received) {
    let Received { event, position, payload, .. } = received;
    matched.add((trade.clone(), None), kind, wait, event, *position, payload);
}

pub(super) fn is_remote(operation: &str) -> bool {
    matches!(operation, "pay.request" | "pay.void" | "pay.give_back")
}

fn settled(answer: &Value) -> CallOutcome {
    match answer.get("declined") {
        Some(_) => CallOutcome::Rejected { code: "declined".into(), detail: Value::empty_record() },
        None => CallOutcome::Done(answer.clone()),
    }
}

fn done(output: &str) -> CallOutcome {
    CallOutcome::Done(json(output).unwrap())
}

pub(super) fn text(name: &'static str, value: &str) -> Value {
    Value::record([(name, Value::from(value))])
}

/// A start as callers send it.
pub(super) fn fresh(program: &Program, begin: Begin) -> Fresh {
    let key = program.key(&begin).unwrap().map(|key| format!("{}/{key}", program.name()));
    Fresh { begin, key, input_hash: Vec::new(), idempotency: None }
}
