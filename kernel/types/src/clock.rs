//! Moments, and the traits through which time and ids come in. Nothing here reads a clock: see `system`,
//! and `virtual_clock` for one that is moved by hand.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::Span;
use crate::newtype::deserialize_text;

/// Where the present moment comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// Where new ids come from.
pub trait IdSource: Send + Sync + fmt::Debug {
    /// A new id: version 7, greater than every id that this source gave before, so that keys arrive in order.
    fn next(&self) -> Uuid;
}

/// A moment in UTC, to the millisecond, in the years 0000 to 9999 (what RFC 3339 can write). In JSON it is a string,
/// `2026-11-21T07:05:00.000Z`; any offset is read, UTC is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date and time: {0:?}")]
pub struct TimestampError(String);

impl Timestamp {
    /// 0000-01-01T00:00:00.000Z.
    pub const MIN: Timestamp = Timestamp(-62_167_219_200_000);
    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// The moment `millis` milliseconds after the epoch; what lies outside of the years 0000 to 9999 becomes the
    /// nearer end of them.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Timestamp {
        if millis < Self::MIN.0 {
            Self::MIN
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Timestamp(millis)
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This moment and `span`, at most [`Timestamp::MAX`].
    #[must_use]
    pub const fn saturating_add(self, span: Span) -> Timestamp {
        Self::from_millis(self.0.saturating_add(span.as_millis()))
    }

    /// `span` before this moment, at least [`Timestamp::MIN`].
    #[must_use]
    pub const fn saturating_sub(self, span: Span) -> Timestamp {
        Self::from_millis(self.0.saturating_sub(span.as_millis()))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Timestamp) -> Span {
        let millis = self.0 - earlier.0;
        Span::from_millis(if millis < 0 { 0 } else { millis.unsigned_abs() })
    }
}

/// RFC 3339, UTC, milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = DateTime::<Utc>::from_timestamp_millis(self.0).ok_or(fmt::Error)?;
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339 with any offset. Digits below the millisecond are cut off.
    fn from_str(text: &str) -> Result<Timestamp, TimestampError> {
        let refused = || TimestampError(text.chars().take(64).collect());
        let millis = DateTime::parse_from_rfc3339(text).map_err(|_| refused())?.timestamp_millis();
        let moment = Timestamp::from_millis(millis);
        if moment.0 == millis { Ok(moment) } else { Err(refused()) }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        deserialize_text(deserializer, "an RFC 3339 date and time")
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_rfc_3339_in_utc() {
        let moment = Timestamp::from_millis(1_793_250_300_042);
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(text, r#""2026-10-29T05:05:00.042Z""#);
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), moment);
        assert_eq!("2026-10-29T06:05:00.0429+01:00".parse(), Ok(moment));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "2026-10-29", "2026-13-01T00:00:00Z", "2026-10-29T05:05:00", "1793257500042"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        assert!("0000-01-01T00:00:00+01:00".parse::<Timestamp>().is_err(), "before the year 0000 in UTC");
    }

    #[test]
    fn the_ends_of_time_can_be_written_and_read() {
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::MAX.to_string().parse(), Ok(Timestamp::MAX));
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.saturating_add(Span::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_sub(Span::MAX), Timestamp::MIN);
    }

    #[test]
    fn a_span_lies_between_two_moments() {
        let (start, end) = (Timestamp::from_millis(1_000), Timestamp::from_millis(61_000));
        assert_eq!(end.since(start), Span::minutes(1));
        assert_eq!(start.since(end), Span::ZERO);
        assert_eq!(start.saturating_add(Span::minutes(1)), end);
        assert_eq!(Timestamp::MAX.saturating_sub(Timestamp::MAX.since(Timestamp::MIN)), Timestamp::MIN);
    }
}
