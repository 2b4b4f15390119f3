//! The sandbox's clock: the one that it was given, moved forward by what `/_control/clock` asked for, so that a demo
//! need not wait half an hour for a payment to expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mortise_types::{Clock, Timestamp};

/// A clock that can be moved forward. The shift is not kept over a restart.
#[derive(Debug)]
pub(crate) struct ShiftedClock {
    base: Arc<dyn Clock>,
    shift_ms: AtomicI64,
}

impl ShiftedClock {
    pub(crate) fn new(base: Arc<dyn Clock>) -> ShiftedClock {
        ShiftedClock { base, shift_ms: AtomicI64::new(0) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let shift = self.shift_ms.load(Ordering::Relaxed);
        Timestamp::from_millis(self.base.now().as_millis().saturating_add(shift))
    }

    /// Moves the clock forward and says what it shows then.
    pub(crate) fn advance(&self, by_ms: u32) -> Timestamp {
        self.shift_ms.fetch_add(i64::from(by_ms), Ordering::Relaxed);
        self.now()
    }
}
