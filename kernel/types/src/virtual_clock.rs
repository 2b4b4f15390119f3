//! A clock that stands still until it is moved: what tests and the simulator run on.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::{Clock, Span, Timestamp};

/// A settable clock. Shared by reference or `Arc`; all who hold it see the same moment.
#[derive(Debug)]
pub struct VirtualClock {
    now_millis: AtomicI64,
}

impl VirtualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> VirtualClock {
        VirtualClock { now_millis: AtomicI64::new(start.as_millis()) }
    }

    /// Sets the moment, forward or back.
    pub fn set(&self, moment: Timestamp) {
        self.now_millis.store(moment.as_millis(), Ordering::SeqCst);
    }

    /// Moves the clock forward and returns the new moment.
    pub fn advance(&self, span: Span) -> Timestamp {
        let later = |millis| Timestamp::from_millis(millis).saturating_add(span).as_millis();
        let before = self.now_millis.update(Ordering::SeqCst, Ordering::SeqCst, later);
        Timestamp::from_millis(later(before))
    }
}

/// 2026-01-01T00:00:00.000Z, a Thursday.
impl Default for VirtualClock {
    fn default() -> VirtualClock {
        VirtualClock::at(Timestamp::from_millis(1_767_225_600_000))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_millis.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_only_when_told() {
        let clock = VirtualClock::default();
        assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00.000Z");
        assert_eq!(clock.now(), clock.now());
        assert_eq!(clock.advance(Span::minutes(30)).to_string(), "2026-01-01T00:30:00.000Z");
        assert_eq!(clock.now().to_string(), "2026-01-01T00:30:00.000Z");
        clock.set(Timestamp::EPOCH);
        assert_eq!(clock.now(), Timestamp::EPOCH);
        clock.set(Timestamp::MAX);
        assert_eq!(clock.advance(Span::MAX), Timestamp::MAX);
    }

    #[test]
    fn concurrent_advances_all_count() {
        let clock = VirtualClock::at(Timestamp::EPOCH);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        clock.advance(Span::from_millis(1));
                    }
                });
            }
        });
        assert_eq!(clock.now(), Timestamp::from_millis(800));
    }
}
