//! The engine's driver in a simulated world: the same scheduler, the same remote calls, the same jobs, but every wait ends when
//! the dice say so, and now and then nothing is left of it but what was committed.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use mortise_capability::Staleness;
use mortise_contract::Value;
use mortise_flow::{Begin, CallNo, Program};
use mortise_types::{Scope, Span, TenantId, Timestamp};

use super::dice::Dice;
use super::tables::{Committed, Fate, Finished, Tables, fresh};
use super::world::{Catalogue, Happening, Provider};
use crate::engine::scope_value;
use crate::job::{Job, Sending, Work};
use crate::load::unborn;
use crate::record::{Trade, TradeId};
use crate::remote::{Remotes, Step, Terms};
use crate::schedule::{After, BATCH, BatchNo, Failure, Notice, Order, Scheduler};

/// As the driver has it.
const STALE_TRIES: u32 = 3;
/// As the driver has it.
const UNFLUSHED: usize = 4;
/// Steps of a world, far more than any has needed.
const STEPS: usize = 20_000;

type RemoteCall = (TradeId, CallNo);

/// A call on its way to the provider, and back.
#[derive(Clone)]
struct InFlight {
    call: RemoteCall,
    operation: Arc<str>,
    key: Arc<str>,
    intent: Value,
    /// The process that asked.
    life: i64,
}

/// A commit that is not on the disk yet, and what the world hears when it is.
struct Unflushed {
    tables: Tables,
    sends: Vec<(TradeId, Sending)>,
    answered: Vec<TradeId>,
    /// What was told by somebody who tells it again until it is kept.
    told: Option<Happening>,
    /// The process that committed it.
    life: i64,
}

/// What dies with the process.
struct Memory {
    scheduler: Scheduler<TradeId, Work>,
    remotes: Remotes<RemoteCall>,
    peers: HashMap<RemoteCall, InFlight>,
    trades: HashMap<TradeId, Trade>,
    beginnings: BTreeMap<TradeId, (Arc<Program>, Timestamp)>,
    stale: HashMap<TradeId, u32>,
    reading: BTreeMap<BatchNo, Vec<Job>>,
    read: BTreeMap<BatchNo, Vec<Job>>,
    writing: Option<(BatchNo, Vec<Job>)>,
    under_way: BTreeMap<BatchNo, Vec<(TradeId, Vec<Work>)>>,
    wake_at: Option<Timestamp>,
}

impl Memory {
    fn new() -> Self {
        Self {
            scheduler: Scheduler::new(|| Work::Due),
            remotes: Remotes::default(),
            peers: HashMap::new(),
            trades: HashMap::new(),
            beginnings: BTreeMap::new(),
            stale: HashMap::new(),
            reading: BTreeMap::new(),
            read: BTreeMap::new(),
            writing: None,
            under_way: BTreeMap::new(),
            wake_at: None,
        }
    }
}

/// One of the things that can happen.
type Deed<'c> = fn(&mut Shell<'c>) -> Result<(), String>;

/// A world, and how it has gone so far.
pub(super) struct Shell<'c> {
    catalogue: &'c Catalogue,
    dice: Dice,
    now: Timestamp,
    /// As readers and the next writer see them.
    pub(super) tables: Tables,
    /// As the loss of power leaves them.
    durable: Tables,
    /// Commits that are not on the disk yet, in the log's order.
    unflushed: VecDeque<Unflushed>,
    pub(super) provider: Provider,
    happenings: Vec<Happening>,
    starts: Vec<(Arc<Program>, String)>,
    in_flight: Vec<InFlight>,
    memory: Memory,
    life: i64,
    single_steps: bool,
    faults_left: usize,
    crashes_left: usize,
    /// A trade that the database refuses, and how often it still does.
    poison: Option<(TradeId, u32)>,
    born: usize,
    pub(super) crashes: usize,
    pub(super) faults: usize,
}

impl<'c> Shell<'c> {
    pub(super) fn new(catalogue: &'c Catalogue, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let trades = 2 + dice.below(7);
        let mut starts = Vec::new();
        let mut happenings = Vec::new();
        let now: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
        for number in 0..trades {
            let flow = Arc::clone(&catalogue.flows[dice.below(catalogue.flows.len())]);
            let input = format!(
                r#"{{"order_id":"o{number}","sku":"s","parcels":[{}],"pay_by":"provider"}}"#,
                ["", r#""a""#, r#""a","b""#][dice.below(3)]
            );
            let input = if flow.name().as_ref() == "pay-first" {
                input
            } else {
                format!(r#"{{"order_id":"o{number}","sku":"s"}}"#)
            };
            for _ in 0..if dice.percent(15) { 2 } else { 1 } {
                starts.push((Arc::clone(&flow), input.clone()));
            }
            if dice.percent(20) {
                let at = now.saturating_add(Span::from_millis(dice.millis(5_400_000)));
                let (event, payload) = ("order.cancel_requested", Value::empty_record());
                happenings.push(Happening { at, event, key: format!("o{number}"), payload, over: false });
            }
        }
        let stock = i64::try_from(1 + dice.below(trades + 2)).unwrap_or(1);
        Self {
            catalogue,
            now,
            tables: Tables::new(stock),
            durable: Tables::new(stock),
            unflushed: VecDeque::new(),
            provider: Provider::default(),
            happenings,
            starts,
            in_flight: Vec::new(),
            memory: Memory::new(),
            life: 1,
            single_steps: dice.percent(30),
            faults_left: dice.below(30),
            crashes_left: dice.below(5),
            poison: None,
            born: 0,
            crashes: 0,
            faults: 0,
            dice,
        }
    }

    /// Lives until nothing can happen any more.
    ///
    /// # Errors
    /// The first thing that may not be.
    pub(super) fn run(&mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            if let Some(broken) = self.tables.broken.first().or(self.provider.broken.first()) {
                return Err(broken.clone());
            }
            self.now = self.now.saturating_add(Span::from_millis(self.dice.millis(20)));
            if !self.live()? {
                return Ok(());
            }
            let next = self.memory.scheduler.next_clock();
            if next.is_some_and(|next| self.memory.wake_at.is_none_or(|at| at > next)) {
                return Err(format!("nobody wakes for the clock at {next:?}"));
            }
        }
        Err(format!("it does not come to rest within {STEPS} steps"))
    }

    /// One of what can happen, as the dice say; false if nothing can.
    fn live(&mut self) -> Result<bool, String> {
        let writes = self.memory.writing.is_some() && self.unflushed.len() < UNFLUSHED;
        let works = !self.memory.reading.is_empty() || writes;
        let due = self.happenings.iter().any(|happening| happening.at <= self.now);
        let clock = [self.memory.wake_at, self.memory.remotes.next_clock()].into_iter().flatten().min();
        let ticks = clock.is_some_and(|at| at <= self.now);
        let mut can: Vec<Deed<'c>> = Vec::new();
        if works {
            can.extend([Self::database as Deed<'c>; 4]);
        }
        if !self.in_flight.is_empty() {
            can.extend([Self::provider_hears as Deed<'c>; 2]);
        }
        if !self.starts.is_empty() {
            can.push(Self::start);
        }
        if due {
            can.push(Self::happen);
        }
        if ticks {
            can.push(Self::tick);
        }
        if !self.unflushed.is_empty() {
            can.extend([Self::flush as Deed<'c>; 3]);
        }
        if self.crashes_left > 0 && self.dice.percent(10) {
            can.push(Self::crash);
        }
        if can.is_empty() {
            let next = self.happenings.iter().map(|happening| happening.at).chain(clock).min();
            let Some(next) = next else { return Ok(false) };
            self.now = self.now.max(next);
            return Ok(true);
        }
        let chosen = can[self.dice.below(can.len())];
        chosen(self)?;
        Ok(true)
    }

    fn start(&mut self) -> Result<(), String> {
        let (program, input) = self.starts.swap_remove(self.dice.below(self.starts.len()));
        let scope = Scope::new("acme", "books", "web").unwrap();
        let begin = Begin { input: mortise_contract::json(&input).unwrap(), scope: scope_value(&scope) };
        let fresh = Arc::new(fresh(&program, begin));
        self.born += 1;
        let id = TradeId { tenant: TenantId::new("acme").unwrap(), id: format!("t{:03}", self.born).into() };
        self.memory.beginnings.insert(id.clone(), (program, self.now));
        if self.faults_left > 0 && self.dice.percent(5) {
            self.poison = Some((id.clone(), 1 + u32::try_from(self.dice.below(4)).unwrap_or(0)));
        }
        self.notice(Notice::Work { trade: id, work: Work::Begin(fresh) })
    }

    fn happen(&mut self) -> Result<(), String> {
        let due: Vec<usize> =
            (0..self.happenings.len()).filter(|at| self.happenings[*at].at <= self.now).collect();
        let happening = self.happenings.swap_remove(due[self.dice.below(due.len())]);
        let Happening { event, key, payload, over, .. } = happening.clone();
        if event == "pay.captured" && !over && !self.provider.capture(&key) {
            return Ok(());
        }
        let works = self.tables.publish(self.catalogue, (event, &key, payload), self.now);
        let (tables, life, told) =
            (self.tables.clone(), self.life, Some(Happening { over: true, ..happening }));
        self.unflushed.push_back(Unflushed { tables, sends: Vec::new(), answered: Vec::new(), told, life });
        self.follow_up(works)
    }

    /// The log reaches the disk, up to some commit.
    fn flush(&mut self) -> Result<(), String> {
        for _ in 0..=self.dice.below(self.unflushed.len()) {
            let Some(Unflushed { tables, sends, answered, life, .. }) = self.unflushed.pop_front() else {
                break;
            };
            self.durable = tables;
            if life != self.life {
                continue;
            }
            for id in answered {
                if !self.durable.trades.get(&id).is_some_and(|row| row.answered) {
                    return Err(format!("{id} has answered, and nothing of it is on the disk"));
                }
            }
            for (trade, sending) in sends {
                self.send(trade, sending)?;
            }
        }
        Ok(())
    }

    fn follow_up(&mut self, told: Vec<(TradeId, Work)>) -> Result<(), String> {
        for (trade, work) in told {
            self.notice(Notice::Work { trade, work })?;
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), String> {
        if self.memory.wake_at.is_some_and(|at| at <= self.now) {
            self.memory.wake_at = None;
        }
        for step in self.memory.remotes.pass_clocks(self.now) {
            self.remote_step(step)?;
        }
        self.notice(Notice::Tick)
    }

    fn notice(&mut self, notice: Notice<TradeId, Work>) -> Result<(), String> {
        for order in self.memory.scheduler.handle(self.now, notice) {
            self.order(order)?;
        }
        Ok(())
    }

    fn order(&mut self, order: Order<TradeId, Work>) -> Result<(), String> {
        let memory = &mut self.memory;
        match order {
            Order::Prepare { batch, jobs } => self.read(batch, jobs)?,
            Order::Join { batch, into } => {
                let works = memory.under_way.remove(&batch).ok_or("a batch that is not there joins")?;
                memory.under_way.entry(into).or_default().extend(works);
                let jobs = memory.read.remove(&batch).ok_or("a batch joins that was not read")?;
                memory.read.get_mut(&into).ok_or("a batch joins one that was not read")?.extend(jobs);
            }
            Order::Commit(batch) => {
                let jobs = memory.read.remove(&batch).ok_or("a batch is committed that was not read")?;
                if memory.writing.replace((batch, jobs)).is_some() {
                    return Err("two batches are committed at a time".to_owned());
                }
            }
            // One that was being begun is refused, any other is tried again.
            Order::Culprit { trade, .. } => {
                if memory.beginnings.remove(&trade).is_some() {
                    memory.stale.remove(&trade);
                    self.notice(Notice::Forget(trade))?;
                }
            }
            Order::WakeAt(moment) => memory.wake_at = Some(moment),
        }
        Ok(())
    }

    fn read(&mut self, batch: BatchNo, works: Vec<(TradeId, Vec<Work>)>) -> Result<(), String> {
        if works.is_empty() || works.len() > BATCH {
            return Err(format!("a batch of {}", works.len()));
        }
        let busy: BTreeSet<&TradeId> =
            self.memory.under_way.values().flatten().map(|(trade, _)| trade).collect();
        if let Some((trade, _)) = works.iter().find(|(trade, _)| busy.contains(trade)) {
            return Err(format!("{trade} is in two batches"));
        }
        let mut jobs = Vec::new();
        for (id, works) in works.clone() {
            let tries = self.memory.stale.get(&id).copied().unwrap_or_default();
            let staleness = if tries < STALE_TRIES { Staleness::MayReply } else { Staleness::Decide };
            let trade = match (self.memory.trades.get(&id), self.memory.beginnings.get(&id)) {
                (Some(trade), _) => trade.clone(),
                (None, Some((program, at))) => {
                    let scope = Scope::new("acme", "books", "web").unwrap();
                    unborn(id, Arc::clone(program), scope, None, self.life, *at)
                }
                (None, None) => self.tables.load(&id).ok_or_else(|| format!("{id} cannot be loaded"))?,
            };
            jobs.push(Job::new(trade, works, staleness, self.now));
        }
        self.tables.prepare(&mut jobs);
        self.memory.under_way.insert(batch, works);
        self.memory.reading.insert(batch, jobs);
        Ok(())
    }

    /// The database is done with something, or fails.
    fn database(&mut self) -> Result<(), String> {
        let reads = self.memory.reading.len();
        let writes = self.memory.writing.is_some() && self.unflushed.len() < UNFLUSHED;
        let chosen = self.dice.below(reads + usize::from(writes));
        let fails = self.faults_left > 0 && self.dice.percent(8);
        if let Some(batch) = self.memory.reading.keys().nth(chosen).copied() {
            let jobs = self.memory.reading.remove(&batch).unwrap_or_default();
            if fails {
                return self.failed(batch, Failure::Unavailable);
            }
            self.memory.read.insert(batch, jobs);
            return self.notice(Notice::Prepared(batch));
        }
        let (batch, jobs) = self.memory.writing.take().ok_or("nothing is written")?;
        if fails {
            return self.failed(batch, Failure::Unavailable);
        }
        if let Some((poison, left)) = &mut self.poison
            && *left > 0
            && jobs.iter().any(|job| job.trade.id == *poison)
        {
            // It is found when it stands alone.
            *left -= u32::from(jobs.len() == 1);
            return self.failed(batch, Failure::Culprit);
        }
        let committed = self.commit(jobs);
        self.committed(batch, committed)
    }

    fn commit(&mut self, jobs: Vec<Job>) -> Committed {
        self.tables.commit(&mut self.dice, self.catalogue, jobs, self.now, self.single_steps)
    }

    fn failed(&mut self, batch: BatchNo, failure: Failure) -> Result<(), String> {
        self.faults_left = self.faults_left.saturating_sub(1);
        self.faults += 1;
        self.memory.under_way.remove(&batch);
        self.notice(Notice::Failed { batch, failure })
    }

    fn committed(&mut self, batch: BatchNo, committed: Committed) -> Result<(), String> {
        let works = self.memory.under_way.remove(&batch).ok_or("a batch that is not there was committed")?;
        let mut after: HashMap<TradeId, After> =
            works.iter().map(|(id, _)| (id.clone(), After::Open { due: None })).collect();
        let mut next = Vec::new();
        let (tables, life, told) = (self.tables.clone(), self.life, None);
        let mut outward = Unflushed { tables, sends: Vec::new(), answered: Vec::new(), told, life };
        for Finished { trade, fate, sends, answered } in committed.finished {
            let id = trade.id.clone();
            outward.answered.extend(answered.then(|| id.clone()));
            self.memory.beginnings.remove(&id);
            self.memory.stale.remove(&id);
            outward.sends.extend(sends.into_iter().map(|sending| (id.clone(), sending)));
            match fate {
                Fate::Open(due) => {
                    after.insert(id.clone(), After::Open { due });
                    self.keep(trade);
                }
                Fate::Cut => {
                    next.push((id, Work::Continue));
                    self.keep(trade);
                }
                Fate::Ended | Fate::Refused => {
                    self.memory.trades.remove(&id);
                    after.insert(id, After::Ended);
                }
            }
        }
        for (id, works) in works {
            if committed.stale.contains(&id) {
                *self.memory.stale.entry(id.clone()).or_default() += 1;
                next.extend(works.into_iter().map(|work| (id.clone(), work)));
            }
        }
        self.unflushed.push_back(outward);
        self.follow_up(next)?;
        self.follow_up(committed.follow_ups)?;
        self.notice(Notice::Committed { batch, after: after.into_iter().collect() })
    }

    /// Now and then a trade is not kept and has to be folded from its journal when something comes.
    fn keep(&mut self, trade: Trade) {
        if self.dice.percent(80) || !trade.intents.is_empty() {
            self.memory.trades.insert(trade.id.clone(), trade);
        } else {
            self.memory.trades.remove(&trade.id);
        }
    }

    fn send(&mut self, trade: TradeId, sending: Sending) -> Result<(), String> {
        let Sending { pending, intent, key } = sending;
        let contract = &self.catalogue.contracts.operations[&*pending.operation];
        let terms = Terms { attempts: contract.attempts.unwrap_or(1), persistence: pending.persistence };
        let call = (trade, pending.call);
        let operation = Arc::clone(&pending.operation);
        let asked = InFlight { call: call.clone(), operation, key, intent, life: self.life };
        self.memory.peers.entry(call.clone()).or_insert(asked);
        match self.memory.remotes.begin(call, terms) {
            Some(step) => self.remote_step(step),
            None => Ok(()),
        }
    }

    fn remote_step(&mut self, step: Step<RemoteCall>) -> Result<(), String> {
        match step {
            Step::Send { call, .. } => {
                self.in_flight.extend(self.memory.peers.get(&call).cloned());
                Ok(())
            }
            Step::GiveUp(call) => {
                self.memory.peers.remove(&call);
                let (trade, call) = call;
                self.notice(Notice::Work { trade, work: Work::GaveUp { call } })
            }
            Step::Tell { .. } => Ok(()),
        }
    }

    /// A call reaches the provider or does not, its answer reaches us or does not, or comes twice.
    fn provider_hears(&mut self) -> Result<(), String> {
        let asked = self.in_flight.swap_remove(self.dice.below(self.in_flight.len()));
        let bad = if self.faults_left > 0 { 15 } else { 0 };
        let lost = self.dice.percent(bad);
        let answer = (!lost).then(|| {
            let InFlight { operation, key, intent, .. } = &asked;
            let (answer, happenings) = self.provider.ask(&mut self.dice, self.now, (operation, key, intent));
            self.happenings.extend(happenings);
            answer
        });
        if answer.is_some() && self.dice.percent(5) {
            // The network brings it there again; nobody waits for what is said then.
            self.in_flight.push(InFlight { life: 0, ..asked.clone() });
        }
        if asked.life != self.life {
            return Ok(());
        }
        match answer.filter(|_| !self.dice.percent(bad)) {
            Some(answer) if self.memory.remotes.answered(&asked.call) => {
                self.memory.peers.remove(&asked.call);
                let (trade, call) = asked.call;
                self.notice(Notice::Work { trade, work: Work::Answered { call, answer } })
            }
            Some(_) => Ok(()),
            None => {
                self.faults_left = self.faults_left.saturating_sub(1);
                self.faults += 1;
                for step in self.memory.remotes.unanswered(self.now, &asked.call) {
                    self.remote_step(step)?;
                }
                Ok(())
            }
        }
    }

    /// The process is killed. What was being written is there or is not; nothing else is. Where the power is lost too, so is
    /// what had not reached the disk. Another process begins.
    fn crash(&mut self) -> Result<(), String> {
        self.crashes_left -= 1;
        self.crashes += 1;
        if let Some((_, jobs)) = self.memory.writing.take()
            && self.dice.percent(50)
        {
            drop(self.commit(jobs));
            let (tables, life, told) = (self.tables.clone(), self.life, None);
            self.unflushed.push_back(Unflushed {
                tables,
                sends: Vec::new(),
                answered: Vec::new(),
                told,
                life,
            });
        }
        if self.dice.percent(50) {
            self.tables = self.durable.clone();
            self.happenings.extend(self.unflushed.drain(..).filter_map(|lost| lost.told));
        }
        self.memory = Memory::new();
        self.life += 1;
        for (trade, works, due) in self.tables.take_over(self.life) {
            for work in works {
                self.notice(Notice::Work { trade: trade.clone(), work })?;
            }
            self.notice(Notice::Known { trade, due })?;
        }
        Ok(())
    }
}
