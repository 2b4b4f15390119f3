//! The async shell around the scheduler: one task that owns all trades in memory, hands batches to the database's threads
//! and remote calls to their peers, and tells those who wait for an answer. Every decision is `schedule`'s and `remote`'s.

mod answers;
mod cache;
mod copies;
mod peers;
mod shared;

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use mortise_capability::{Handler, RemoteHandler, SendContext, Staleness, StoreErrorKind, Unanswered};
use mortise_contract::Value;
use mortise_flow::{Answer, CallNo, Program};
use mortise_store::{Flush, Store, StoreError};
use mortise_types::{CustomerId, Scope, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use self::answers::Stands;
use self::cache::Cache;
use self::copies::Copies;
use self::peers::{Holding, Peer};
use crate::attention::Verdict;
use crate::commit::{Committed, Duplicate, ENDED, Fate, Finished, Pen, stored_answer};
use crate::job::{Fresh, Job, Pending, Sending, Work};
use crate::keeper::{Kept, Renewal};
use crate::lease::EVERYONE;
use crate::load::{load, unborn};
use crate::post::{self, Post};
use crate::record::{Trade, TradeId};
use crate::remote::{Remotes, Step, Terms};
use crate::schedule::{After, BatchNo, Failure, Notice, Order, Scheduler};
use crate::store as sql;

/// How often a stretch may find its reads stale before the operation has to decide.
const STALE_TRIES: u32 = 3;
/// Failures of a trade that stands alone before a person is told.
const TELL_AFTER: u32 = 5;
/// Remote calls in flight at most.
const SENDS: usize = 512;
/// Batches that are committed and not on the disk yet, at most.
const UNFLUSHED: usize = 4;
/// The deadline of a remote attempt whose contract has none, in milliseconds.
const DEADLINE_MS: u64 = 5_000;
/// Before an answer that could not be read is looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// The longest sleep between two looks at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// What became of a start.
#[derive(Debug, Clone, PartialEq)]
pub enum Started {
    /// The trade's answer; `replayed` if an earlier start began it.
    Answered {
        /// The trade.
        trade: TradeId,
        /// What it answered.
        answer: Answer,
        /// Whether this start began it.
        replay: Replay,
    },
    /// The key stands for a trade with another input.
    KeyConflict,
    /// The idempotency key stands for another request.
    IdempotencyMismatch,
    /// Something that is nobody's business failed; nothing was kept.
    Broken(Trouble),
}

/// Why a trade that is alone in its batch was not committed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trouble {
    /// For the log, and for who asked if the mistake is his.
    pub problem: String,
    /// Whose it is.
    pub mistake: Mistake,
}

/// Whose mistake it is that a trade was not committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mistake {
    /// A flow's, the platform's, or one in the data.
    #[default]
    Ours,
    /// The input does not fit what is there ([`StoreError::Conflict`]).
    Conflict,
    /// The input of a single call contradicts itself ([`StoreError::Contradiction`]); a flow's call has its input of the flow.
    Contradiction,
}

/// Whether a start began its trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// It did.
    First,
    /// An earlier one had.
    Repeated,
}

/// A start on its way to the driver.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) id: TradeId,
    pub(crate) program: Arc<Program>,
    pub(crate) scope: Scope,
    pub(crate) caller: Option<CustomerId>,
    pub(crate) fresh: Arc<Fresh>,
    pub(crate) reply: oneshot::Sender<Started>,
}

pub(crate) enum Message {
    Start(Start),
    /// Tell me the answer of a trade that is under way.
    Await {
        trade: TradeId,
        reply: oneshot::Sender<Started>,
    },
    /// What a person has decided about a held trade.
    Decided(TradeId, Verdict),
    Tick,
    /// Tell me when nothing is queued or in a batch and no answer is being looked for, with [`Quiet::Peers`] nothing at a peer
    /// either; and the next clock.
    Rest(Quiet, oneshot::Sender<Option<Timestamp>>),
    Sent {
        call: RemoteCall,
        result: Result<Value, Unanswered>,
    },
    /// It is time to look for the answers of those.
    LookElsewhere,
    /// Trades whose driver is gone, and that are driven here from now on.
    Adopted(Vec<Found>),
    /// What other processes have for trades that are driven here.
    Posted(Vec<Post>),
    /// Something was committed, here or elsewhere.
    Moved,
    /// The lease has ended, and this is the epoch of the new one.
    Renewed(i64),
}

/// How quiet a driver has to be to be at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quiet {
    /// Nothing is queued or in a batch.
    Trades,
    /// Nor is a peer being asked.
    Peers,
}

/// Figures that the driver keeps.
#[derive(Debug, Default)]
pub struct Figures {
    /// Trades that are queued or in a batch.
    pub load: AtomicUsize,
    /// Remote calls whose peer has been asked and has not answered yet.
    pub sending: AtomicUsize,
    /// Batches that were committed.
    pub batches: AtomicU64,
    /// Trades in those batches.
    pub stretches: AtomicU64,
    /// Bytes of journal records.
    pub journal_bytes: AtomicU64,
    /// Stretches that ran again because what they had read no longer held.
    pub stale: AtomicU64,
    /// Batches that were halved.
    pub halved: AtomicU64,
    /// Batches in a row that could not be written, since the database was not there, full or read-only.
    pub unwritten: AtomicU64,
}

/// A batch that has read what it needs; trades that cannot be loaded are named with the reason.
struct Prepared {
    jobs: Copies<Job>,
    lost: Vec<(TradeId, String)>,
}

enum Done {
    Prepared(BatchNo, Result<Prepared, StoreError>),
    Committed(BatchNo, Result<(Committed, Behind), StoreError>),
    /// A commit is on the disk.
    Flushed(Outward),
    /// The database was asked for answers.
    LookedUp(Vec<(TradeId, Stands)>),
}

/// What a commit still has before it: the disk, and its place among those that wait for it.
struct Behind {
    flush: Flush,
    place: Option<OwnedSemaphorePermit>,
}

/// What the world is to hear of a batch.
#[derive(Default)]
struct Outward {
    sends: Vec<(TradeId, Scope, Sending)>,
    answers: Vec<(TradeId, Answer)>,
    duplicates: Vec<(TradeId, Duplicate)>,
}

/// A trade that is being begun.
struct Beginning {
    program: Arc<Program>,
    scope: Scope,
    caller: Option<CustomerId>,
    fresh: Arc<Fresh>,
}

type RemoteCall = (TradeId, CallNo);

/// The points at which a process can be stopped: of a batch before its effects, behind them and before their commit, and behind
/// that and before anybody is answered; of a remote call before its peer is asked, and when it has answered.
pub const CRASH_POINTS: [&str; 5] = ["prepared", "written", "committed", "intent-committed", "sent"];

/// Called at each of [`CRASH_POINTS`], so that tests can stop the process there.
pub type CrashPoint = Arc<dyn Fn(&str) + Send + Sync>;

pub(crate) struct Driver {
    store: Arc<Store>,
    pen: Pen,
    messages: mpsc::UnboundedReceiver<Message>,
    to_self: mpsc::UnboundedSender<Message>,
    figures: Arc<Figures>,
    /// Moves with every commit.
    committed: watch::Sender<u64>,
    crash_point: Option<CrashPoint>,
    /// Where other processes may drive trades of the same database.
    kept: Option<Kept>,
    /// The lease has ended: nothing is begun until there is another.
    lost_lease: bool,
    /// There will be none: what is left is others'.
    retired: bool,
    /// Trades whose answer is waited for here and that another process drives.
    elsewhere: HashSet<TradeId>,
    /// Trades that stood elsewhere than in memory, and are read anew.
    behind: HashSet<TradeId>,
    scheduler: Scheduler<TradeId, Work>,
    remotes: Remotes<RemoteCall>,
    peers: HashMap<RemoteCall, Arc<Peer>>,
    trades: Cache,
    beginnings: HashMap<TradeId, Beginning>,
    /// How often the stretch that a trade is at has found its reads stale.
    stale: HashMap<TradeId, u32>,
    /// Trades of a batch that may have been committed, though nobody heard of it.
    unheard: HashSet<TradeId>,
    waiters: HashMap<TradeId, Vec<(oneshot::Sender<Started>, Replay)>>,
    prepared: HashMap<BatchNo, Prepared>,
    under_way: HashMap<BatchNo, Vec<(TradeId, Vec<Work>)>>,
    running: FuturesUnordered<BoxFuture<'static, Done>>,
    wake_at: Option<Timestamp>,
    resting: Vec<(Quiet, oneshot::Sender<Option<Timestamp>>)>,
    senders: Arc<Semaphore>,
    /// Places for batches that are committed and not on the disk yet.
    unflushed: Arc<Semaphore>,
    /// Why a trade failed alone, until the scheduler says what to do about it.
    problems: HashMap<TradeId, Trouble>,
    sending: usize,
}

/// What a driver is made of.
pub(crate) struct Parts {
    pub(crate) store: Arc<Store>,
    pub(crate) pen: Pen,
    pub(crate) kept: Option<Kept>,
    pub(crate) messages: mpsc::UnboundedReceiver<Message>,
    pub(crate) to_self: mpsc::UnboundedSender<Message>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) committed: watch::Sender<u64>,
    pub(crate) crash_point: Option<CrashPoint>,
}

/// A trade that was open when the process started.
pub(crate) struct Found {
    pub(crate) id: TradeId,
    pub(crate) works: Vec<Work>,
    pub(crate) due: Option<Timestamp>,
}

impl Driver {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { store, pen, kept, messages, to_self, figures, committed, crash_point } = parts;
        Self {
            store,
            pen,
            messages,
            to_self,
            figures,
            committed,
            crash_point,
            kept,
            lost_lease: false,
            retired: false,
            elsewhere: HashSet::new(),
            behind: HashSet::new(),
            scheduler: Scheduler::new(|| Work::Due),
            remotes: Remotes::default(),
            peers: HashMap::new(),
            trades: Cache::default(),
            beginnings: HashMap::new(),
            stale: HashMap::new(),
            unheard: HashSet::new(),
            waiters: HashMap::new(),
            prepared: HashMap::new(),
            under_way: HashMap::new(),
            running: FuturesUnordered::new(),
            wake_at: None,
            resting: Vec::new(),
            senders: Arc::new(Semaphore::new(SENDS)),
            unflushed: Arc::new(Semaphore::new(UNFLUSHED)),
            problems: HashMap::new(),
            sending: 0,
        }
    }

    /// Runs until nobody can send it anything any more.
    pub(crate) async fn run(mut self, found: Vec<Found>) {
        self.adopt(found);
        loop {
            self.tell_rest();
            let sleep = self.sleep();
            tokio::select! {
                Some(done) = self.running.next(), if !self.running.is_empty() => self.done(done),
                message = self.messages.recv() => match message {
                    Some(Message::Renewed(epoch)) => self.renewed(epoch).await,
                    Some(message) => self.message(message),
                    None => return,
                },
                () = tokio::time::sleep(sleep) => self.tick(),
            }
            let load = self.scheduler.load().max(self.beginnings.len());
            self.figures.load.store(load, Ordering::SeqCst);
            self.figures.sending.store(self.sending, Ordering::SeqCst);
        }
    }

    /// What has come goes before what is due: an event that came while no process was there is not late.
    fn adopt(&mut self, found: Vec<Found>) {
        for Found { id, works, due } in found {
            for work in works {
                self.notice(Notice::Work { trade: id.clone(), work });
            }
            self.notice(Notice::Known { trade: id, due });
        }
    }

    fn now(&self) -> Timestamp {
        self.pen.clock.now()
    }

    fn sleep(&self) -> Duration {
        let next = [self.wake_at, self.remotes.next_clock()].into_iter().flatten().min();
        let until = next.map(|at| at.as_millis().saturating_sub(self.now().as_millis()).max(0));
        until.map_or(LONGEST_SLEEP, |ms| Duration::from_millis(ms.unsigned_abs()).min(LONGEST_SLEEP))
    }

    fn tick(&mut self) {
        let now = self.now();
        if self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
        }
        for step in self.remotes.pass_clocks(now) {
            self.remote_step(step);
        }
        self.notice_at(now, Notice::Tick);
    }

    fn tell_rest(&mut self) {
        let busy = self.scheduler.load() > 0 && !self.retired;
        if self.resting.is_empty() || busy || !self.running.is_empty() {
            return;
        }
        let peers = self.sending > 0;
        let next = [self.scheduler.next_clock(), self.remotes.next_clock()].into_iter().flatten().min();
        for (quiet, waiting) in std::mem::take(&mut self.resting) {
            if quiet == Quiet::Peers && peers {
                self.resting.push((quiet, waiting));
            } else {
                let _ = waiting.send(next);
            }
        }
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Start(start) => self.start(start),
            Message::Await { trade, reply } => self.await_answer(trade, reply),
            Message::Decided(trade, verdict) => self.decided(trade, verdict),
            Message::LookElsewhere => {
                let trades = std::mem::take(&mut self.elsewhere);
                self.look_up(trades.into_iter().collect());
            }
            Message::Adopted(found) => self.adopt(found),
            Message::Posted(posts) => {
                for (number, trade, work) in posts {
                    self.notice(Notice::Work { trade, work: Work::Posted(number, Box::new(work)) });
                }
            }
            Message::Moved => self.committed.send_modify(|count| *count += 1),
            // It comes to `run`, which can wait.
            Message::Renewed(_) => {}
            Message::Tick => self.tick(),
            Message::Rest(quiet, waiting) => self.resting.push((quiet, waiting)),
            Message::Sent { call, result } => self.sent(call, result),
        }
    }

    fn notice(&mut self, notice: Notice<TradeId, Work>) {
        self.notice_at(self.now(), notice);
    }

    fn notice_at(&mut self, now: Timestamp, notice: Notice<TradeId, Work>) {
        for order in self.scheduler.handle(now, notice) {
            self.order(order);
        }
    }

    fn order(&mut self, order: Order<TradeId, Work>) {
        match order {
            Order::Prepare { .. } | Order::Commit(_) if self.lost_lease => {}
            Order::Prepare { batch, jobs } => self.prepare(batch, jobs),
            Order::Join { batch, into } => self.join(batch, into),
            Order::Commit(batch) => self.commit(batch),
            Order::Culprit { trade, failures } => self.culprit(trade, failures),
            // The scheduler orders anew only what is earlier than, or behind, what it has ordered before.
            Order::WakeAt(moment) => self.wake_at = Some(moment),
        }
    }

    fn prepare(&mut self, batch: BatchNo, works: Vec<(TradeId, Vec<Work>)>) {
        let now = self.now();
        self.under_way.insert(batch, works.clone());
        let mut jobs = Vec::with_capacity(works.len());
        let mut missing = Vec::new();
        for (id, works) in works {
            let stale = self.stale.get(&id).copied().unwrap_or_default();
            let staleness = if stale < STALE_TRIES { Staleness::MayReply } else { Staleness::Decide };
            let trade = if let Some(trade) = self.trades.get(&id) {
                trade.clone()
            } else if let Some(beginning) = self.beginnings.get(&id) {
                let Beginning { program, scope, caller, .. } = beginning;
                unborn(id, Arc::clone(program), scope.clone(), caller.clone(), self.pen.epoch, now)
            } else {
                missing.push((id.clone(), self.resumed(&id, works), staleness));
                continue;
            };
            jobs.push(Job::new(trade, works, staleness, now));
        }
        let (store, pen) = (Arc::clone(&self.store), self.pen.clone());
        let is_shared = store.is_shared();
        self.running.push(Box::pin(async move {
            let read = store.read(async move |reader| {
                let ids: Vec<TradeId> = missing.iter().map(|(id, ..)| id.clone()).collect();
                let loaded = load(reader, &pen.catalogue, &ids).await?;
                let mut lost = Vec::new();
                for ((id, works, staleness), loaded) in missing.into_iter().zip(loaded) {
                    match loaded {
                        // Whose it is is asked where it is written.
                        Ok(trade) => {
                            let trade = Trade { epoch: pen.epoch, ..trade };
                            jobs.push(Job::new(trade, works, staleness, now));
                        }
                        Err(reason) => lost.push((id, reason)),
                    }
                }
                pen.tools.prepare(reader, &mut jobs).await?;
                Ok(Prepared { jobs: Copies::new(jobs, is_shared), lost })
            });
            Done::Prepared(batch, read.await)
        }));
    }

    fn join(&mut self, batch: BatchNo, into: BatchNo) {
        let works = self.under_way.remove(&batch).unwrap_or_default();
        self.under_way.entry(into).or_default().extend(works);
        if let Some(Prepared { jobs, lost }) = self.prepared.remove(&batch)
            && let Some(found) = self.prepared.get_mut(&into)
        {
            found.jobs.join(jobs);
            found.lost.extend(lost);
        }
    }

    fn commit(&mut self, batch: BatchNo) {
        let Some(Prepared { jobs, lost }) = self.prepared.remove(&batch) else {
            return;
        };
        let runs = jobs.into_runs();
        for (trade, reason) in &lost {
            tracing::error!(%trade, %reason, "a trade cannot be driven");
            self.write_attention(trade.clone(), "".into(), reason.clone(), Holding::Hold);
        }
        let (store, pen, places) = (Arc::clone(&self.store), self.pen.clone(), Arc::clone(&self.unflushed));
        let crash_point = self.crash_point.clone();
        self.pass_crash_point("prepared");
        self.running.push(Box::pin(async move {
            // A disk that is slower than the writer holds it up, before more is unflushed than a few batches.
            let place = places.acquire_owned().await.ok();
            let written = store.write_behind(async move |tx| {
                let committed = pen.commit(tx, runs.take()?).await?;
                if let Some(crash) = crash_point {
                    crash("written");
                }
                Ok(committed)
            });
            let written = written.await;
            Done::Committed(batch, written.map(|(committed, flush)| (committed, Behind { flush, place })))
        }));
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Prepared(batch, Ok(prepared)) => {
                self.prepared.insert(batch, prepared);
                self.notice(Notice::Prepared(batch));
            }
            Done::Committed(batch, Ok((committed, behind))) => self.committed(batch, committed, behind),
            Done::Flushed(outward) => self.flushed(outward),
            Done::LookedUp(found) => self.looked_up(found),
            Done::Prepared(batch, Err(error)) | Done::Committed(batch, Err(error)) => {
                self.failed(batch, &error)
            }
        }
    }

    fn failed(&mut self, batch: BatchNo, error: &StoreError) {
        if let (StoreError::Fenced, Some(kept)) = (error, &self.kept) {
            self.lost_lease = true;
            self.retired |= kept.renew(self.pen.epoch) == Renewal::Never;
        }
        let failure = match error.kind() {
            StoreErrorKind::Unavailable => Failure::Unavailable,
            StoreErrorKind::Statement | StoreErrorKind::Corrupt | StoreErrorKind::Program => Failure::Culprit,
        };
        let works = self.under_way.remove(&batch).unwrap_or_default();
        if failure == Failure::Unavailable {
            self.figures.unwritten.fetch_add(1, Ordering::Relaxed);
            self.unheard.extend(works.iter().map(|(trade, _)| trade.clone()));
        }
        if works.len() > 1 && failure == Failure::Culprit {
            self.figures.halved.fetch_add(1, Ordering::Relaxed);
        }
        tracing::warn!(trades = works.len(), %error, "a batch was not committed");
        if let ([(trade, _)], Failure::Culprit) = (works.as_slice(), failure) {
            let mistake = self.mistake(trade, error);
            self.problems.insert(trade.clone(), Trouble { problem: error.to_string(), mistake });
        }
        self.notice(Notice::Failed { batch, failure });
    }

    fn mistake(&self, trade: &TradeId, error: &StoreError) -> Mistake {
        let is_call = || self.beginnings.get(trade).is_some_and(|beginning| beginning.program.is_call());
        match error {
            StoreError::Conflict(_) => Mistake::Conflict,
            StoreError::Contradiction(_) if is_call() => Mistake::Contradiction,
            _ => Mistake::Ours,
        }
    }

    /// A trade that fails alone: one that is being begun is refused, any other is tried again and shown to a person.
    fn culprit(&mut self, trade: TradeId, failures: u32) {
        let trouble = self.problems.remove(&trade).unwrap_or_default();
        let problem = &trouble.problem;
        if self.beginnings.remove(&trade).is_some() {
            self.stale.remove(&trade);
            self.unheard.remove(&trade);
            match trouble.mistake {
                Mistake::Ours => tracing::error!(%trade, %problem, "a trade could not be begun"),
                Mistake::Conflict => {
                    tracing::warn!(%trade, %problem, "a trade was asked for what does not fit what is there");
                }
                Mistake::Contradiction => {
                    tracing::warn!(%trade, %problem, "a call was given what contradicts itself");
                }
            }
            for (waiter, _) in self.waiters.remove(&trade).unwrap_or_default() {
                let _ = waiter.send(Started::Broken(trouble.clone()));
            }
            self.notice(Notice::Forget(trade));
        } else if failures == TELL_AFTER {
            self.write_attention(trade, "".into(), trouble.problem, Holding::GoOn);
        }
    }

    /// The next batch goes on from here at once; who is outside hears of this one when it is on the disk.
    fn committed(&mut self, batch: BatchNo, committed: Committed, behind: Behind) {
        let works = self.under_way.remove(&batch).unwrap_or_default();
        self.figures.batches.fetch_add(1, Ordering::Relaxed);
        self.figures.unwritten.store(0, Ordering::Relaxed);
        self.figures.stretches.fetch_add(committed.finished.len() as u64, Ordering::Relaxed);
        self.figures.journal_bytes.fetch_add(committed.journal_bytes as u64, Ordering::Relaxed);
        self.figures.stale.fetch_add(committed.stale.len() as u64, Ordering::Relaxed);
        let mut after: HashMap<TradeId, After> =
            works.iter().map(|(id, _)| (id.clone(), After::Open { due: None })).collect();
        let mut next = Vec::new();
        let mut born = Vec::new();
        let mut outward = Outward::default();
        for finished in committed.finished {
            let id = finished.id.clone();
            let known = after.contains_key(&id);
            if matches!(finished.fate, Fate::Behind) {
                let works = works.iter().filter(|(of, _)| *of == id).flat_map(|(_, works)| works.clone());
                next.extend(self.read_anew(&id, works.collect()));
                continue;
            }
            self.finished(finished, &mut after, &mut next, &mut outward);
            if let (false, Some(After::Open { due })) = (known, after.get(&id)) {
                born.push((id, *due));
            }
        }
        for (id, works) in works {
            if committed.stale.contains(&id) {
                *self.stale.entry(id.clone()).or_default() += 1;
                next.extend(works.into_iter().map(|work| (id.clone(), work)));
            }
        }
        // Before the trades' clocks are looked at: an event that is there goes before a clock that is due.
        for (trade, work) in next.into_iter().chain(committed.follow_ups) {
            self.notice(Notice::Work { trade, work });
        }
        for (trade, due) in born {
            self.notice(Notice::Known { trade, due });
        }
        self.notice(Notice::Committed { batch, after: after.into_iter().collect() });
        // Behind the next batch's commit, which is to be on its way before those who hear of this one are told.
        self.running.push(Box::pin(async move {
            // A store that is closed flushes no more; nobody hears of it then.
            let Behind { flush, place } = behind;
            let flushed = flush.wait().await.is_ok();
            drop(place);
            Done::Flushed(if flushed { outward } else { Outward::default() })
        }));
    }

    fn finished(
        &mut self,
        finished: Finished,
        after: &mut HashMap<TradeId, After>,
        next: &mut Vec<(TradeId, Work)>,
        outward: &mut Outward,
    ) {
        let Finished { id, scope, kept, fate, answer, sends, attention } = finished;
        self.beginnings.remove(&id);
        self.stale.remove(&id);
        self.unheard.remove(&id);
        self.behind.remove(&id);
        for (path, text) in attention {
            tracing::warn!(trade = %id, %path, %text, "a trade wants a person");
        }
        outward.sends.extend(sends.into_iter().map(|sending| (id.clone(), scope.clone(), sending)));
        let ended = matches!(fate, Fate::Ended);
        match kept {
            Some(trade) => self.trades.keep(trade),
            None => self.trades.remove(&id),
        }
        match fate {
            Fate::Open { due } => {
                after.insert(id.clone(), After::Open { due });
            }
            Fate::Cut => next.push((id.clone(), Work::Continue)),
            Fate::Ended | Fate::Lost | Fate::Behind => {
                after.insert(id.clone(), After::Ended);
            }
            Fate::Duplicate(duplicate) => {
                after.insert(id.clone(), After::Ended);
                if matches!(&duplicate, Duplicate::Same { trade, .. } if *trade == id) {
                    // It was begun by a commit of which nothing was heard.
                    after.insert(id.clone(), After::Open { due: None });
                    next.push((id.clone(), Work::Resume));
                }
                outward.duplicates.push((id.clone(), duplicate));
            }
        }
        let answer = answer.or_else(|| ended.then(|| Answer::Ok(Value::empty_record())));
        outward.answers.extend(answer.map(|answer| (id, answer)));
    }

    fn flushed(&mut self, outward: Outward) {
        let Outward { sends, answers, duplicates } = outward;
        self.pass_crash_point("committed");
        for (trade, scope, sending) in sends {
            self.send(trade, scope, sending);
        }
        self.committed.send_modify(|count| *count += 1);
        for (trade, answer) in answers {
            self.tell(&trade, &answer);
        }
        for (trade, duplicate) in duplicates {
            self.duplicate(&trade, duplicate);
        }
    }
}
