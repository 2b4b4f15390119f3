//! Lengths of time, as flows and policies write them: `500ms`, `10s`, `30m`, `24h`, `30d`. Months, years and opening
//! hours are a shop's calendar and no span.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::newtype::deserialize_text;

/// Units by their letters, in milliseconds, largest first.
const UNITS: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A length of time in milliseconds; never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// A text that is no span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// It is not digits and a unit.
    #[error("not a length of time: {0:?}; write a whole number and ms, s, m, h or d, such as 30m")]
    Syntax(String),
    /// It does not fit.
    #[error("too long a time: {0:?}")]
    TooLong(String),
}

impl Span {
    /// No time.
    pub const ZERO: Span = Span(0);
    /// The longest span; longer than any two moments are apart.
    pub const MAX: Span = Span(i64::MAX);

    /// `millis` milliseconds, at most [`Span::MAX`].
    #[must_use]
    pub const fn from_millis(millis: u64) -> Span {
        Span(if millis > i64::MAX as u64 { i64::MAX } else { millis as i64 })
    }

    /// `n` seconds.
    #[must_use]
    pub const fn seconds(n: u32) -> Span {
        Span(n as i64 * 1_000)
    }

    /// `n` minutes.
    #[must_use]
    pub const fn minutes(n: u32) -> Span {
        Span(n as i64 * 60_000)
    }

    /// `n` hours.
    #[must_use]
    pub const fn hours(n: u32) -> Span {
        Span(n as i64 * 3_600_000)
    }

    /// `n` days of 24 hours.
    #[must_use]
    pub const fn days(n: u32) -> Span {
        Span(n as i64 * 86_400_000)
    }

    /// Milliseconds; zero or more.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The same for the standard library's timers.
    #[must_use]
    pub const fn to_duration(self) -> Duration {
        Duration::from_millis(self.0.unsigned_abs())
    }
}

/// In the largest unit that divides it: `90m`, `2h`, `0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, millis)| self.0 != 0 && self.0 % millis == 0);
        match whole {
            Some((unit, millis)) => write!(f, "{}{unit}", self.0 / millis),
            None => f.write_str("0s"),
        }
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Span, SpanError> {
        let shown = || text.chars().take(64).collect::<String>();
        let digits_end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(digits_end);
        let unit_millis = UNITS.iter().find(|(name, _)| *name == unit).map(|&(_, millis)| millis);
        let (Some(unit_millis), false) = (unit_millis, digits.is_empty()) else {
            return Err(SpanError::Syntax(shown()));
        };
        let millis = digits.parse::<i64>().ok().and_then(|n| n.checked_mul(unit_millis));
        millis.map(Span).ok_or_else(|| SpanError::TooLong(shown()))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        deserialize_text(deserializer, "a length of time such as 30m")
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_in_the_largest_whole_unit() {
        for (text, millis, shown) in [
            ("30m", 1_800_000, "30m"),
            ("24h", 86_400_000, "1d"),
            ("30d", 2_592_000_000, "30d"),
            ("90s", 90_000, "90s"),
            ("500ms", 500, "500ms"),
            ("1000ms", 1_000, "1s"),
            ("0m", 0, "0s"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.as_millis(), span.to_string().as_str()), (millis, shown), "{text}");
            assert_eq!(shown.parse(), Ok(span));
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "30", "m", "-30m", "1.5h", "30 m", "30M", "1h30m", "３0m", "9223372036854775808"] {
            assert!(matches!(text.parse::<Span>(), Err(SpanError::Syntax(_))), "{text}");
        }
        for text in ["9223372036854775808ms", "9223372036854775807s", "99999999999999999999999d"] {
            assert!(matches!(text.parse::<Span>(), Err(SpanError::TooLong(_))), "{text}");
        }
    }

    #[test]
    fn constructors_never_wrap() {
        assert_eq!(Span::days(u32::MAX).as_millis(), i64::from(u32::MAX) * 86_400_000);
        assert_eq!(Span::from_millis(u64::MAX), Span::MAX);
        assert_eq!(Span::MAX.to_string().parse(), Ok(Span::MAX));
        assert_eq!(Span::seconds(2).to_duration(), Duration::from_secs(2));
    }
}
