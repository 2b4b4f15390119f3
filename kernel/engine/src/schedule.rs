//! What is run next, as a pure machine: notices in, orders out. One piece of work of a trade is under way at a time; ready
//! trades are gathered into batches; a failing batch is halved until its culprit stands alone; what has to be asked again
//! waits for its moment. It knows no database, no clock and no task; the shell has those.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

use mortise_types::Timestamp;

/// Trades in one batch at most.
pub const BATCH: usize = 256;
/// How long what is ready waits for its batch's other trades while the writer is busy anyway, in milliseconds.
const GATHERS_FOR_MS: i64 = 2;
/// The first wait before something is tried again, in milliseconds; it doubles.
const FIRST_DELAY_MS: i64 = 200;
/// The longest wait before something is tried again, in milliseconds.
const LONGEST_DELAY_MS: i64 = 60_000;

/// How long to wait after so many failures, in milliseconds.
pub fn delay_ms(failures: u32) -> i64 {
    let doubled = FIRST_DELAY_MS.saturating_mul(1_i64 << failures.saturating_sub(1).min(20));
    doubled.min(LONGEST_DELAY_MS)
}

/// A batch's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchNo(pub u64);

/// Why a batch came back without a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The database cannot be reached or written: nobody's fault, all of it is tried again.
    Unavailable,
    /// Something in the batch is at fault.
    Culprit,
}

/// What a trade looks like after a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It goes on when something comes, or when it is due.
    Open {
        /// The next clock.
        due: Option<Timestamp>,
    },
    /// It is over.
    Ended,
}

/// What the shell tells the scheduler.
#[derive(Debug, Clone)]
pub enum Notice<T, W> {
    /// Work for a trade.
    Work {
        /// The trade.
        trade: T,
        /// The work.
        work: W,
    },
    /// A trade that waits, found at start-up.
    Known {
        /// The trade.
        trade: T,
        /// Its next clock.
        due: Option<Timestamp>,
    },
    /// A batch has read what it needs.
    Prepared(BatchNo),
    /// A batch was committed.
    Committed {
        /// Which.
        batch: BatchNo,
        /// What became of each trade.
        after: Vec<(T, After)>,
    },
    /// A batch was not committed; nothing of it has happened.
    Failed {
        /// Which.
        batch: BatchNo,
        /// Why.
        failure: Failure,
    },
    /// A trade that is no longer this process's business; what is queued for it is dropped.
    Forget(T),
    /// A clock has passed, or time itself was moved.
    Tick,
}

/// What the scheduler asks of the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order<T, W> {
    /// Run the leading pure and read steps of these trades.
    Prepare {
        /// The batch's number.
        batch: BatchNo,
        /// The trades with their work.
        jobs: Vec<(T, Vec<W>)>,
    },
    /// What was prepared in two batches is one batch from now on.
    Join {
        /// This one is gone.
        batch: BatchNo,
        /// This one has its trades too, behind its own.
        into: BatchNo,
    },
    /// Run the rest in a transaction and commit it.
    Commit(BatchNo),
    /// This trade failed alone, so often by now; it is tried again after its delay.
    Culprit {
        /// The trade.
        trade: T,
        /// How often.
        failures: u32,
    },
    /// Tick at this moment, at the latest.
    WakeAt(Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Ready,
    Delayed(Timestamp),
    Batch,
}

#[derive(Debug)]
struct Slot<W> {
    phase: Phase,
    mailbox: VecDeque<W>,
    due: Option<Timestamp>,
    /// Since the last commit, for whatever reason.
    failures: u32,
    /// Those of them that were the trade's own.
    faults: u32,
}

impl<W> Default for Slot<W> {
    fn default() -> Self {
        Self { phase: Phase::Idle, mailbox: VecDeque::new(), due: None, failures: 0, faults: 0 }
    }
}

#[derive(Debug)]
struct Batch<T, W> {
    jobs: Vec<(T, Vec<W>)>,
    prepared: bool,
    kind: Kind,
}

/// How a batch came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of what was ready. It may grow until it is committed: a commit costs nearly as much for few trades as for many.
    Gathered,
    /// Of a batch that failed. It stays as it is, until the culprit is found.
    Half,
}

/// The scheduler of one process. `T` names a trade, `W` is a piece of work.
#[derive(Debug)]
pub struct Scheduler<T, W> {
    slots: HashMap<T, Slot<W>>,
    ready: VecDeque<T>,
    /// Halves of failed batches, run before anything else.
    halves: VecDeque<Vec<(T, Vec<W>)>>,
    batches: BTreeMap<BatchNo, Batch<T, W>>,
    preparing: Option<BatchNo>,
    committing: Option<BatchNo>,
    clocks: BTreeSet<(Timestamp, T)>,
    /// Until when what is ready waits for more.
    gathers_until: Option<Timestamp>,
    next_batch: u64,
    woken_at: Option<Timestamp>,
    due: fn() -> W,
    limit: usize,
}

impl<T: Clone + Eq + Hash + Ord, W: Clone> Scheduler<T, W> {
    /// A scheduler that knows no trade; `due` makes the work of a clock that has passed.
    pub fn new(due: fn() -> W) -> Self {
        Self {
            slots: HashMap::new(),
            ready: VecDeque::new(),
            halves: VecDeque::new(),
            batches: BTreeMap::new(),
            preparing: None,
            committing: None,
            clocks: BTreeSet::new(),
            gathers_until: None,
            next_batch: 0,
            woken_at: None,
            due,
            limit: BATCH,
        }
    }

    /// Work that is queued or under way.
    pub fn load(&self) -> usize {
        self.ready.len() + self.batches.values().map(|b| b.jobs.len()).sum::<usize>()
    }

    /// Whether it has the trade: one that is not over, or for which there is work.
    pub fn knows(&self, trade: &T) -> bool {
        self.slots.contains_key(trade)
    }

    /// The next moment at which something is due or tried again.
    pub fn next_clock(&self) -> Option<Timestamp> {
        self.clocks.first().map(|(moment, _)| *moment)
    }

    /// Takes a notice and says what follows.
    pub fn handle(&mut self, now: Timestamp, notice: Notice<T, W>) -> Vec<Order<T, W>> {
        let mut orders = Vec::new();
        match notice {
            Notice::Work { trade, work } => {
                self.slots.entry(trade.clone()).or_default().mailbox.push_back(work);
                self.offer(&trade);
            }
            Notice::Known { trade, due } => {
                self.slots.entry(trade.clone()).or_default();
                self.set_due(&trade, due);
            }
            Notice::Prepared(batch) => {
                if self.preparing == Some(batch) {
                    self.preparing = None;
                }
                match self.waiting().filter(|into| self.may_join(batch, *into)) {
                    Some(into) => self.join(batch, into, &mut orders),
                    None => {
                        if let Some(found) = self.batches.get_mut(&batch) {
                            found.prepared = true;
                        }
                    }
                }
            }
            Notice::Committed { batch, after } => {
                self.forget(batch);
                for (trade, after) in after {
                    self.committed(trade, after);
                }
            }
            Notice::Failed { batch, failure } => self.failed(now, batch, failure, &mut orders),
            Notice::Forget(trade) => {
                self.set_due(&trade, None);
                self.ready.retain(|ready| *ready != trade);
                self.slots.remove(&trade);
            }
            Notice::Tick => {}
        }
        self.pass_clocks(now);
        self.fill(now, &mut orders);
        self.wake(now, &mut orders);
        orders
    }

    fn offer(&mut self, trade: &T) {
        if let Some(slot) = self.slots.get_mut(trade)
            && slot.phase == Phase::Idle
            && !slot.mailbox.is_empty()
        {
            slot.phase = Phase::Ready;
            self.ready.push_back(trade.clone());
        }
    }

    fn set_due(&mut self, trade: &T, due: Option<Timestamp>) {
        let Some(slot) = self.slots.get_mut(trade) else {
            return;
        };
        if let Some(old) = slot.due.take() {
            self.clocks.remove(&(old, trade.clone()));
        }
        slot.due = due;
        if let Some(due) = due {
            self.clocks.insert((due, trade.clone()));
        }
    }

    fn forget(&mut self, batch: BatchNo) -> Option<Batch<T, W>> {
        if self.committing == Some(batch) {
            self.committing = None;
        }
        if self.preparing == Some(batch) {
            self.preparing = None;
        }
        self.batches.remove(&batch)
    }

    fn committed(&mut self, trade: T, after: After) {
        if let Some(slot) = self.slots.get_mut(&trade) {
            slot.phase = Phase::Idle;
            slot.failures = 0;
            slot.faults = 0;
        }
        match after {
            After::Ended => {
                self.set_due(&trade, None);
                // Work that came meanwhile finds the trade ended and does nothing; it is answered by a batch of its own.
                if self.slots.get(&trade).is_some_and(|slot| slot.mailbox.is_empty()) {
                    self.slots.remove(&trade);
                }
            }
            After::Open { due } => self.set_due(&trade, due),
        }
        self.offer(&trade);
    }

    fn failed(&mut self, now: Timestamp, batch: BatchNo, failure: Failure, orders: &mut Vec<Order<T, W>>) {
        let Some(Batch { mut jobs, .. }) = self.forget(batch) else {
            return;
        };
        if failure == Failure::Culprit && jobs.len() > 1 {
            let second = jobs.split_off(jobs.len() / 2);
            self.halves.push_back(jobs);
            self.halves.push_back(second);
            return;
        }
        for (trade, works) in jobs {
            let Some(slot) = self.slots.get_mut(&trade) else {
                continue;
            };
            for work in works.into_iter().rev() {
                slot.mailbox.push_front(work);
            }
            slot.failures += 1;
            let moment = Timestamp::from_millis(now.as_millis().saturating_add(delay_ms(slot.failures)));
            slot.phase = Phase::Delayed(moment);
            if failure == Failure::Culprit {
                slot.faults += 1;
                orders.push(Order::Culprit { trade: trade.clone(), failures: slot.faults });
            }
            self.clocks.insert((moment, trade));
        }
    }

    fn pass_clocks(&mut self, now: Timestamp) {
        while let Some((moment, trade)) = self.clocks.first().cloned() {
            if moment > now {
                break;
            }
            self.clocks.pop_first();
            let Some(slot) = self.slots.get_mut(&trade) else {
                continue;
            };
            if slot.phase == Phase::Delayed(moment) {
                slot.phase = Phase::Idle;
            }
            if slot.due == Some(moment) {
                slot.due = None;
                slot.mailbox.push_back((self.due)());
            }
            self.offer(&trade);
        }
    }

    /// Gives the reader and the writer something to do, if they are free.
    fn fill(&mut self, now: Timestamp, orders: &mut Vec<Order<T, W>>) {
        if self.committing.is_none()
            && let Some((number, _)) = self.batches.iter().find(|(_, batch)| batch.prepared)
        {
            self.committing = Some(*number);
            orders.push(Order::Commit(*number));
        }
        let gathers_until = self.gathers_until.take();
        if self.preparing.is_some() {
            return;
        }
        let waiting = self.waiting();
        let (jobs, kind) = match self.halves.pop_front_if(|_| waiting.is_none()) {
            Some(half) => (half, Kind::Half),
            None if !self.halves.is_empty() => return,
            None => match waiting.map(|number| self.batches[&number].kind) {
                Some(Kind::Half) => return,
                None | Some(Kind::Gathered) => {
                    let room = self.room(waiting);
                    self.gathers_until = self.waits_until(now, gathers_until, room);
                    if self.gathers_until.is_some() {
                        return;
                    }
                    (self.gather(room), Kind::Gathered)
                }
            },
        };
        if jobs.is_empty() {
            return;
        }
        self.next_batch += 1;
        let batch = BatchNo(self.next_batch);
        self.preparing = Some(batch);
        self.batches.insert(batch, Batch { jobs: jobs.clone(), prepared: false, kind });
        orders.push(Order::Prepare { batch, jobs });
    }

    /// Until when what is ready waits for more, if it does. A batch costs nearly as much to read for few trades as for many, and
    /// callers who were answered together come back one after the other: as long as the writer is busy with others, the first of
    /// them has time. One more or less is no matter.
    fn waits_until(&self, now: Timestamp, until: Option<Timestamp>, room: usize) -> Option<Timestamp> {
        if self.ready.is_empty() || self.committing.is_none() || self.ready.len() + 1 >= room {
            return None;
        }
        let latest = Timestamp::from_millis(now.as_millis().saturating_add(GATHERS_FOR_MS));
        // A clock that was turned back makes nobody wait for longer.
        Some(until.unwrap_or(latest).min(latest)).filter(|until| *until > now)
    }

    /// How many trades are read next at most: as many as what waits for the writer lacks of its share, so that batches come to be of
    /// one size; else a whole share.
    fn room(&self, waiting: Option<BatchNo>) -> usize {
        let share = self.share();
        let there = waiting.map_or(0, |number| self.batches[&number].jobs.len());
        if there < share { share - there } else { share }
    }

    /// How many trades a batch may have for now: at most half of those there are, so that one half is read while the other is
    /// written. Callers who are answered together come back together, and would all be in one batch from then on.
    fn share(&self) -> usize {
        self.load().div_ceil(2).min(self.limit)
    }

    /// The latest batch that is prepared and that the writer has not got yet.
    fn waiting(&self) -> Option<BatchNo> {
        let found = self
            .batches
            .iter()
            .rev()
            .find(|(number, batch)| batch.prepared && self.committing != Some(**number));
        found.map(|(number, _)| *number)
    }

    /// Whether both were gathered, and are not more than a batch's share together.
    fn may_join(&self, batch: BatchNo, into: BatchNo) -> bool {
        let both: Vec<_> = [batch, into].iter().filter_map(|number| self.batches.get(number)).collect();
        both.len() == 2
            && both.iter().all(|batch| batch.kind == Kind::Gathered)
            && both.iter().map(|batch| batch.jobs.len()).sum::<usize>() <= self.share()
    }

    /// Adds what was just prepared to what waits for the writer already.
    fn join(&mut self, batch: BatchNo, into: BatchNo, orders: &mut Vec<Order<T, W>>) {
        if let Some(Batch { jobs, .. }) = self.batches.remove(&batch)
            && let Some(found) = self.batches.get_mut(&into)
        {
            found.jobs.extend(jobs);
            orders.push(Order::Join { batch, into });
        }
    }

    fn gather(&mut self, most: usize) -> Vec<(T, Vec<W>)> {
        let mut jobs = Vec::new();
        while jobs.len() < most
            && let Some(trade) = self.ready.pop_front()
        {
            if let Some(slot) = self.slots.get_mut(&trade) {
                slot.phase = Phase::Batch;
                jobs.push((trade, slot.mailbox.drain(..).collect()));
            }
        }
        jobs
    }

    fn wake(&mut self, now: Timestamp, orders: &mut Vec<Order<T, W>>) {
        let next = [self.next_clock(), self.gathers_until].into_iter().flatten().min();
        if self.woken_at.is_some_and(|at| at <= now) {
            self.woken_at = None;
        }
        if let Some(moment) = next
            && self.woken_at.is_none_or(|at| moment < at)
        {
            self.woken_at = Some(moment);
            orders.push(Order::WakeAt(moment));
        }
    }
}

#[cfg(test)]
mod tests;
