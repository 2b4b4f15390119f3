//! A clock that a developer can move: the machine's, shifted. It runs on by itself, so that timers and retries do.

use std::sync::atomic::{AtomicI64, Ordering};

use mortise_http::SettableClock;
use mortise_types::{Clock, Timestamp};

/// Another clock, shifted by what was set.
#[derive(Debug)]
pub(crate) struct ShiftedClock<C> {
    clock: C,
    shift_ms: AtomicI64,
}

impl<C: Clock> ShiftedClock<C> {
    /// Shows what `clock` shows.
    pub(crate) const fn new(clock: C) -> Self {
        Self { clock, shift_ms: AtomicI64::new(0) }
    }
}

impl<C: Clock> SettableClock for ShiftedClock<C> {
    /// Shows `moment` now, and goes on from there.
    fn set(&self, moment: Timestamp) {
        let shift = moment.as_millis().saturating_sub(self.clock.now().as_millis());
        self.shift_ms.store(shift, Ordering::Relaxed);
    }
}

impl<C: Clock> Clock for ShiftedClock<C> {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(
            self.clock.now().as_millis().saturating_add(self.shift_ms.load(Ordering::Relaxed)),
        )
    }
}
