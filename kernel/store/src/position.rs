//! How far a PostgreSQL primary has come: a place in its write-ahead log. Whoever has been told one can ask a standby for no less.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A place in a primary's log, written as PostgreSQL does: `0/16B3748`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    /// The place behind so many bytes.
    pub const fn at(bytes: u64) -> Self {
        Self(bytes)
    }

    /// How many bytes are before it.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & u64::from(u32::MAX))
    }
}

/// A text that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position is two hexadecimal numbers of at most 8 digits with a slash between, as in 0/16B3748")]
pub struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let number = |digits: &str| {
            let are_digits = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
            are_digits.then(|| u64::from_str_radix(digits, 16).ok()).flatten().ok_or(NoPosition)
        };
        let (high, low) = text.split_once('/').ok_or(NoPosition)?;
        Ok(Self(number(high)? << 32 | number(low)?))
    }
}

/// Where the primary was behind the last commit of this process, if somebody wants to know.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    is_wanted: AtomicBool,
    bytes: AtomicU64,
}

impl Committed {
    pub(crate) fn want(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed)
    }

    pub(crate) fn raise(&self, position: Position) {
        self.bytes.fetch_max(position.bytes(), Ordering::Release);
    }

    /// None where nobody wants to know, or nothing was committed yet.
    pub(crate) fn position(&self) -> Option<Position> {
        Some(self.bytes.load(Ordering::Acquire)).filter(|bytes| *bytes > 0).map(Position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        for text in ["0/0", "0/16B3748", "FFFFFFFF/FFFFFFFF", "1A/2"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        assert!("1/0".parse::<Position>().unwrap() > "0/FFFFFFFF".parse::<Position>().unwrap());
        for off in ["", "/", "0", "0/", "0/+1", "0/123456789", "0/G", "0/1/2", " 0/1"] {
            assert_eq!(off.parse::<Position>(), Err(NoPosition), "{off:?}");
        }
    }
}
