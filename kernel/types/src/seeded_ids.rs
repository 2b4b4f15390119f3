//! Ids that come out the same every time: increasing, of version 7, from a seed.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::IdSource;

/// 2026-01-01T00:00:00.000Z in milliseconds: where the time part of the ids begins.
const START_MILLIS: u64 = 1_767_225_600_000;

/// A source of ids for tests and the simulator: the n-th id of a seed is always the same, each is greater than the one before, and two
/// seeds never give the same id.
#[derive(Debug)]
pub struct SeededIds {
    seed: u32,
    next: AtomicU64,
}

impl SeededIds {
    /// The source of a seed.
    #[must_use]
    pub fn new(seed: u32) -> SeededIds {
        SeededIds { seed, next: AtomicU64::new(0) }
    }
}

impl Default for SeededIds {
    fn default() -> SeededIds {
        SeededIds::new(0)
    }
}

impl IdSource for SeededIds {
    /// Time part: one millisecond a thousand ids; then the number within the millisecond; last the seed and the number.
    fn next(&self) -> Uuid {
        let n = self.next.fetch_add(1, Ordering::SeqCst);
        let millis = u128::from(START_MILLIS + n / 1_000);
        let tail = (u128::from(self.seed) << 30) | u128::from(n & 0x3fff_ffff);
        let bits = (millis << 80) | (0x7 << 76) | (u128::from(n % 1_000) << 64) | (0b10 << 62) | tail;
        Uuid::from_u128(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_increasing_ids() {
        let take = |seed: u32| {
            let source = SeededIds::new(seed);
            (0..3_000).map(|_| source.next()).collect::<Vec<_>>()
        };
        let ids = take(7);
        assert_eq!(ids, take(7));
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id.get_version_num() == 7 && id.as_bytes()[8] >> 6 == 0b10));
        assert!(take(8).iter().all(|id| !ids.contains(id)));
    }

    #[test]
    fn the_first_ids_are_these() {
        let source = SeededIds::new(1);
        assert_eq!(source.next().to_string(), "019b76da-a800-7000-8000-000040000000");
        assert_eq!(source.next().to_string(), "019b76da-a800-7001-8000-000040000001");
    }
}
