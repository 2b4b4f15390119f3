//! The one module that takes time and ids from the machine. Everything else gets them through `Clock` and `IdSource`.
#![allow(clippy::disallowed_methods, reason = "this is the module in which the clock and the ids are real")]

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::{Clock, IdSource, Timestamp};

/// The machine's wall clock. It may jump when the machine's time is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        Timestamp::from_millis(millis)
    }
}

/// Version 7 ids from the machine's clock and randomness; increasing within the process, also when the clock steps back.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_increase_and_carry_the_version() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| SystemIds.next()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn the_clock_agrees_with_the_ids() {
        let before = SystemClock.now();
        let (seconds, nanos) = SystemIds.next().get_timestamp().unwrap().to_unix();
        let made =
            Timestamp::from_millis(i64::try_from(seconds * 1_000 + u64::from(nanos / 1_000_000)).unwrap());
        assert!(before > Timestamp::EPOCH && made.since(before) < crate::Span::minutes(1));
    }
}
