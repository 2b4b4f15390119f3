//! A clock that may be moved, for development: the routes under `/dev/clock` exist only where a server is given one.

use mortise_types::{Clock, Timestamp};

/// A clock that can be set.
pub trait SettableClock: Clock {
    /// It shows `moment` from now on.
    fn set(&self, moment: Timestamp);
}
