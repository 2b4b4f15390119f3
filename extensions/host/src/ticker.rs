//! The thread that moves an engine's epoch on while calls run, and sleeps when none does: the deadline's clock.
//! It ends with the last handle to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

use crate::watch::Beat;

/// How far apart two epochs are: how exact a deadline is.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// So many ticks without a call, and the thread sleeps until the next: a busy host never pays for waking it.
const IDLE_TICKS: u64 = 200;
/// A thread that was woken late moves on by so many at once. What it missed beyond that is given to the calls: more at
/// once would end those early that began meanwhile.
const MADE_UP_TICKS: u64 = 2;

/// Runs the thread.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
    ended: AtomicBool,
}

/// While it lives, the epoch moves.
#[derive(Debug)]
pub(crate) struct Ticking<'a>(&'a Shared);

impl Ticker {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Ticker> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("extension-ticker".to_owned())
            .spawn(move || of_thread.run(&engine))?;
        Ok(Ticker { shared, thread: Some(thread) })
    }

    /// Called by each call before it sets its deadline.
    pub(crate) fn tick(&self) -> Ticking<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
        Ticking(&self.shared)
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
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
        let (mut idle_ticks, mut beat) = (0, Beat::start(TICK));
        while !self.ended.load(Ordering::SeqCst) {
            if idle_ticks > IDLE_TICKS {
                self.sleep();
                (idle_ticks, beat) = (0, Beat::start(TICK));
            }
            thread::park_timeout(beat.left());
            let over = beat.over(MADE_UP_TICKS);
            (0..over).for_each(|_| engine.increment_epoch());
            idle_ticks = if self.running.load(Ordering::SeqCst) == 0 { idle_ticks + over } else { 0 };
        }
    }

    /// Announced before the last look, so that a call that starts meanwhile either is seen or wakes the thread.
    fn sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        if self.running.load(Ordering::SeqCst) == 0 && !self.ended.load(Ordering::SeqCst) {
            thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sleeps_when_idle_and_a_call_wakes_it() {
        let ticker = Ticker::start(Engine::default()).unwrap();
        let is_asleep = |wanted: bool| {
            while ticker.shared.asleep.load(Ordering::SeqCst) != wanted {
                thread::yield_now();
            }
        };
        for _ in 0..2 {
            is_asleep(true);
            let ticking = ticker.tick();
            is_asleep(false);
            drop(ticking);
        }
    }
}
