//! What each bound extension has done since the start: calls, failures by kind, fuel, time. Figures only.

use std::sync::atomic::{AtomicU64, Ordering};

use mortise_points::{ExtensionId, FailureKind};
use serde::Serialize;

const KINDS: usize = FailureKind::ALL.len();

/// Counts, shared by all calls of one extension at one point.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    calls: AtomicU64,
    fuel_used: AtomicU64,
    took_us: AtomicU64,
    failures: [AtomicU64; KINDS],
}

/// The figures of one extension at one point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The point's name.
    pub point: &'static str,
    /// Which extension.
    pub extension: ExtensionId,
    /// Its figures.
    pub counters: Counters,
}

/// Figures since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// How often it was asked.
    pub calls: u64,
    /// Fuel used by all calls.
    pub fuel_used: u64,
    /// Time taken by all calls, in microseconds.
    pub took_us: u64,
    /// How often it failed, by kind; kinds that did not occur are left out.
    pub failures: Vec<(FailureKind, u64)>,
}

impl Counter {
    /// Adds a call. For a failure it gives how many of its kind there are now.
    pub(crate) fn record(&self, failure: Option<FailureKind>, fuel_used: u64, took_us: u64) -> Option<u64> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.fuel_used.fetch_add(fuel_used, Ordering::Relaxed);
        self.took_us.fetch_add(took_us, Ordering::Relaxed);
        failure.map(|kind| self.failures[kind as usize].fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) fn read(&self) -> Counters {
        let failures = FailureKind::ALL.into_iter().zip(&self.failures);
        Counters {
            calls: self.calls.load(Ordering::Relaxed),
            fuel_used: self.fuel_used.load(Ordering::Relaxed),
            took_us: self.took_us.load(Ordering::Relaxed),
            failures: failures
                .map(|(kind, count)| (kind, count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_counter() {
        let counter = Counter::default();
        for (times, kind) in FailureKind::ALL.into_iter().enumerate() {
            for nth in 0..times {
                assert_eq!(counter.record(Some(kind), 1, 1), Some(nth as u64 + 1));
            }
        }
        assert_eq!(counter.record(None, 5, 7), None);
        let counters = counter.read();
        let expected: Vec<_> = FailureKind::ALL.into_iter().zip(0..).skip(1).collect();
        assert_eq!(counters.failures, expected);
        assert_eq!((counters.calls, counters.fuel_used, counters.took_us), (29, 33, 35));
    }
}
