//! The thread that moves an engine's epoch on: the deadline's clock. An epoch is a millisecond, but the thread moves by as many at once
//! as have passed: when the first of the calls under way is due, and seldom otherwise. It ends with the last handle to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

use crate::watch::Stopwatch;

const EPOCH_US: u64 = 1_000;
/// A thread that was woken late moves on by so much more. What is beyond that is given to the calls: the machine may have kept them
/// from their work too.
const MADE_UP_US: u64 = 2_000;
/// How long it sleeps at most where there is nothing to do: what has passed meanwhile is made up for in steps, which are to be few.
const NAP: Duration = Duration::from_secs(60);
/// No call is in this place.
const FREE: u64 = u64::MAX;

/// Runs the thread.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    watch: Stopwatch,
    deadline_us: u64,
    /// By how much the thread was woken late in all, without what it made up for.
    given_us: AtomicU64,
    /// By how many epochs the engine's has moved, or one less while it does.
    moved: AtomicU64,
    /// In which epoch the call in each place is to end.
    due: Box<[AtomicU64]>,
    /// A call has begun since the thread looked last.
    used: AtomicBool,
    asleep: AtomicBool,
    ended: AtomicBool,
}

/// A call that has a deadline while this lives.
#[derive(Debug)]
pub(crate) struct Timed<'a>(&'a AtomicU64);

impl Ticker {
    /// For so many calls at once, each of which may take so long.
    pub(crate) fn start(engine: Engine, places: usize, deadline: Duration) -> std::io::Result<Ticker> {
        let shared = Arc::new(Shared {
            watch: Stopwatch::start(),
            deadline_us: u64::try_from(deadline.as_micros()).unwrap_or(FREE).min(FREE / 4),
            given_us: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            due: (0..places).map(|_| AtomicU64::new(FREE)).collect(),
            used: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("extension-ticker".to_owned())
            .spawn(move || of_thread.run(&engine))?;
        Ok(Ticker { shared, thread: Some(thread) })
    }

    /// Begins the call in a place: `set` is told the deadline in epochs from now. It may be told twice; the last one holds.
    pub(crate) fn time(&self, place: usize, mut set: impl FnMut(u64)) -> Timed<'_> {
        let shared = &*self.shared;
        let due = shared.now_us().saturating_add(shared.deadline_us).div_ceil(EPOCH_US);
        let timed = Timed(&shared.due[place]);
        timed.0.store(due, Ordering::SeqCst);
        if !shared.used.load(Ordering::Relaxed) {
            shared.used.store(true, Ordering::SeqCst);
        }
        if shared.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
        loop {
            // What the engine's epoch has moved by meanwhile makes the deadline later, never earlier.
            let moved = shared.moved.load(Ordering::SeqCst);
            set(due.saturating_sub(moved));
            if shared.moved.load(Ordering::SeqCst) == moved {
                return timed;
            }
        }
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.0.store(FREE, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // A thread that only counts has nothing to say at its end.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self, engine: &Engine) {
        while !self.ended.load(Ordering::SeqCst) {
            if self.used.swap(false, Ordering::SeqCst) || self.first_due() != FREE {
                self.watch_over_calls();
            } else {
                self.sleep();
            }
            self.move_on(engine);
        }
    }

    fn watch_over_calls(&self) {
        let until_us = self.next_look_us();
        thread::park_timeout(Duration::from_micros(until_us.saturating_sub(self.now_us())));
        let late_us = self.now_us().saturating_sub(until_us);
        self.given_us.fetch_add(late_us.saturating_sub(MADE_UP_US), Ordering::SeqCst);
    }

    /// When the first call is due. One that begins behind this look is not due before half of its time is over.
    fn next_look_us(&self) -> u64 {
        // One that is due and not yet gone is looked at again in the next epoch.
        let next_epoch = self.moved.load(Ordering::SeqCst) + 1;
        let due_us = self.first_due().max(next_epoch).saturating_mul(EPOCH_US);
        due_us.min(self.now_us() + (self.deadline_us / 2).max(EPOCH_US))
    }

    fn move_on(&self, engine: &Engine) {
        let epoch = self.now_us() / EPOCH_US;
        for moved in self.moved.load(Ordering::SeqCst)..epoch {
            engine.increment_epoch();
            // Each by itself: a call that begins meanwhile knows to an epoch how far it is.
            self.moved.store(moved + 1, Ordering::SeqCst);
        }
    }

    fn first_due(&self) -> u64 {
        self.due.iter().map(|due| due.load(Ordering::SeqCst)).min().unwrap_or(FREE)
    }

    /// Since the start, without what was given.
    fn now_us(&self) -> u64 {
        self.watch.micros().saturating_sub(self.given_us.load(Ordering::SeqCst))
    }

    /// Until a call wakes it, or for a nap. Announced before the last look, so that a call that starts meanwhile either is seen or wakes the thread.
    fn sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        if self.first_due() == FREE && !self.ended.load(Ordering::SeqCst) {
            thread::park_timeout(NAP);
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_millis(20);

    fn ticker(deadline: Duration) -> Ticker {
        Ticker::start(Engine::default(), 2, deadline).unwrap()
    }

    fn until(what: &str, is_so: impl Fn() -> bool) {
        let began = Stopwatch::start();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}");
            thread::yield_now();
        }
    }

    #[test]
    fn it_sleeps_when_idle_and_a_call_wakes_it() {
        let ticker = ticker(DEADLINE);
        let asleep = || ticker.shared.asleep.load(Ordering::SeqCst);
        for _ in 0..2 {
            until("it sleeps", asleep);
            let timed = ticker.time(0, |_| {});
            until("it wakes", || !asleep());
            drop(timed);
        }
    }

    #[test]
    fn the_epoch_moves_until_the_last_call_is_over_and_no_call_is_due_early() {
        let ticker = ticker(DEADLINE);
        let began = Stopwatch::start();
        let moved = || ticker.shared.moved.load(Ordering::SeqCst);
        let due = |timed: &Timed<'_>| timed.0.load(Ordering::SeqCst);
        let first = ticker.time(0, |_| {});
        assert!(due(&first) >= 20, "{}", due(&first));
        thread::park_timeout(DEADLINE / 2);
        let second = ticker.time(1, |_| {});
        assert!(due(&second) >= due(&first), "{} and {}", due(&first), due(&second));
        for timed in [first, second] {
            until("the call is over", || moved() >= due(&timed));
        }
        assert!(began.elapsed() >= DEADLINE + DEADLINE / 2, "{:?}", began.elapsed());
    }

    #[test]
    fn a_call_that_has_time_left_costs_no_ticks() {
        let ticker = ticker(Duration::from_secs(600));
        let before = ticker.shared.moved.load(Ordering::SeqCst);
        let _timed = ticker.time(0, |_| {});
        until("it wakes", || !ticker.shared.asleep.load(Ordering::SeqCst));
        thread::park_timeout(5 * DEADLINE);
        let after = ticker.shared.moved.load(Ordering::SeqCst);
        // It may have looked once when it woke.
        assert!(after - before < 50, "{before} and {after}");
    }
}
