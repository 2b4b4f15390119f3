//! What each bound extension has done since the start: calls, failures by kind, fuel, time. Figures only.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mortise_points::{ExtensionId, FailureKind};
use serde::Serialize;

const KINDS: usize = FailureKind::ALL.len();
/// The bounds of the classes by which calls' times are counted, in microseconds; what took longer is a class of its own.
pub(crate) const TOOK_BOUNDS_US: [u64; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000];

/// Counts, shared by all calls of one extension at one point.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    calls: AtomicU64,
    fuel_used: AtomicU64,
    took_us: AtomicU64,
    took_within: [AtomicU64; TOOK_BOUNDS_US.len()],
    failures: [AtomicU64; KINDS],
    spoken: Spoken,
}

/// How many lines an extension had logged in the minute that runs.
#[derive(Debug, Default)]
struct Spoken {
    minute: AtomicU64,
    lines: AtomicU64,
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
    /// How many calls took no longer than so many microseconds: bound and count, each with those before it.
    pub took_within_us: Vec<(u64, u64)>,
    /// How often it failed, by kind; kinds that did not occur are left out.
    pub failures: Vec<(FailureKind, u64)>,
}

impl Counters {
    /// How often it gave a valid answer.
    #[must_use]
    pub fn answered(&self) -> u64 {
        let failed: u64 = self.failures.iter().map(|(_, count)| count).sum();
        self.calls.saturating_sub(failed)
    }
}

impl Counter {
    /// Adds a call. For a failure it gives how many of its kind there are now.
    pub(crate) fn record(&self, failure: Option<FailureKind>, fuel_used: u64, took_us: u64) -> Option<u64> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.fuel_used.fetch_add(fuel_used, Ordering::Relaxed);
        self.took_us.fetch_add(took_us, Ordering::Relaxed);
        let class = TOOK_BOUNDS_US.iter().position(|bound| took_us <= *bound);
        if let Some(class) = class {
            self.took_within[class].fetch_add(1, Ordering::Relaxed);
        }
        failure.map(|kind| self.failures[kind as usize].fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Takes room for `lines` in the log of this minute, as far as there is some; how many fit.
    pub(crate) fn speak(&self, minute: u64, lines: u64, most: u64) -> u64 {
        if self.spoken.minute.swap(minute, Ordering::Relaxed) != minute {
            self.spoken.lines.store(0, Ordering::Relaxed);
        }
        let before = self.spoken.lines.fetch_add(lines, Ordering::Relaxed);
        most.saturating_sub(before).min(lines)
    }

    pub(crate) fn read(&self) -> Counters {
        let failures = FailureKind::ALL.into_iter().zip(&self.failures);
        let classes = TOOK_BOUNDS_US.into_iter().zip(&self.took_within);
        let mut within = 0;
        Counters {
            calls: self.calls.load(Ordering::Relaxed),
            fuel_used: self.fuel_used.load(Ordering::Relaxed),
            took_us: self.took_us.load(Ordering::Relaxed),
            took_within_us: classes
                .map(|(bound, count)| {
                    within += count.load(Ordering::Relaxed);
                    (bound, within)
                })
                .collect(),
            failures: failures
                .map(|(kind, count)| (kind, count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}

/// The counters of all extensions: they outlive the bindings, so that a sum never goes back while the process runs.
#[derive(Debug, Default)]
pub(crate) struct Tallies(Mutex<BTreeMap<(&'static str, ExtensionId), Arc<Counter>>>);

impl Tallies {
    /// The counter of an extension at a point.
    pub(crate) fn of(&self, point: &'static str, extension: &ExtensionId) -> Arc<Counter> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry((point, extension.clone())).or_default())
    }

    pub(crate) fn read(&self) -> Vec<Counted> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |((point, extension), counter): (&(&'static str, ExtensionId), &Arc<Counter>)| Counted {
            point,
            extension: extension.clone(),
            counters: counter.read(),
        };
        all.iter().map(read).collect()
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
        assert_eq!(counters.answered(), 1);
    }

    #[test]
    fn a_class_of_times_counts_those_before_it() {
        let counter = Counter::default();
        for took_us in [50, 51, 250_000, 250_001] {
            counter.record(None, 0, took_us);
        }
        let within = counter.read().took_within_us;
        let counts: Vec<u64> = within.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3]);
    }

    #[test]
    fn room_in_the_log_comes_back_with_the_minute() {
        let counter = Counter::default();
        assert_eq!(counter.speak(1, 4, 6), 4);
        assert_eq!(counter.speak(1, 4, 6), 2);
        assert_eq!(counter.speak(1, 4, 6), 0);
        assert_eq!(counter.speak(2, 4, 6), 4);
    }

    #[test]
    fn one_extension_has_one_counter_at_a_point() {
        let tallies = Tallies::default();
        let id = ExtensionId::new("promo", "1.0.0");
        tallies.of("discount", &id).record(None, 1, 1);
        tallies.of("discount", &id).record(None, 1, 1);
        tallies.of("unit-price", &id).record(None, 1, 1);
        let counted: Vec<_> =
            tallies.read().into_iter().map(|counted| (counted.point, counted.counters.calls)).collect();
        assert_eq!(counted, [("discount", 2), ("unit-price", 1)]);
    }
}
