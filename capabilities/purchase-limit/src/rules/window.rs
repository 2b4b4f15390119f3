//! The periods over which limits count, as calendar windows of a shop at a fixed distance from UTC.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use mortise_types::Timestamp;

use crate::contract::Period;

const DAY_MILLIS: i64 = 86_400_000;
const MINUTE_MILLIS: i64 = 60_000;
/// The farthest that a place on earth is from UTC.
const MOST_MINUTES: i64 = 14 * 60;

/// How far a shop's midnight is ahead of UTC's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UtcOffset {
    millis: i64,
}

impl UtcOffset {
    /// `minutes` ahead of UTC, at most 14 hours either way.
    pub(crate) fn minutes(minutes: i64) -> UtcOffset {
        UtcOffset { millis: minutes.clamp(-MOST_MINUTES, MOST_MINUTES) * MINUTE_MILLIS }
    }

    fn local_date(self, moment: Timestamp) -> NaiveDate {
        let local = DateTime::<Utc>::from_timestamp_millis(moment.as_millis().saturating_add(self.millis));
        local.map_or(NaiveDate::MIN, |local| local.date_naive())
    }

    fn midnight(self, date: NaiveDate) -> Timestamp {
        let days = i64::from(date.num_days_from_ce()) - i64::from(NaiveDate::default().num_days_from_ce());
        Timestamp::from_millis(days.saturating_mul(DAY_MILLIS).saturating_sub(self.millis))
    }
}

/// When the period of `now` began. What counts for one order, and for ever, began with the rule.
pub(crate) fn window_start(
    period: Period,
    valid_from: Option<Timestamp>,
    now: Timestamp,
    offset: UtcOffset,
) -> Timestamp {
    let date = offset.local_date(now);
    let first = match period {
        Period::Order | Period::Always => return valid_from.unwrap_or(Timestamp::EPOCH),
        Period::Day => Some(date),
        Period::Week => {
            date.checked_sub_days(chrono::Days::new(u64::from(date.weekday().num_days_from_monday())))
        }
        Period::Month => date.with_day(1),
    };
    offset.midnight(first.unwrap_or(date))
}

/// When the period after the one that began at `window_start` begins, if one does.
pub(crate) fn resets_at(period: Period, window_start: Timestamp, offset: UtcOffset) -> Option<Timestamp> {
    let first = offset.local_date(window_start);
    let next = match period {
        Period::Order | Period::Always => None,
        Period::Day => first.checked_add_days(chrono::Days::new(1)),
        Period::Week => first.checked_add_days(chrono::Days::new(7)),
        Period::Month => first.checked_add_months(Months::new(1)),
    };
    next.map(|date| offset.midnight(date))
}
