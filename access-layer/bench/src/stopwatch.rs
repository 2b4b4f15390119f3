//! Measures time that passes. The only module here that reads the clock.

use std::time::{Duration, Instant};

/// A running stopwatch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the module that measures")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// What has passed since it was started.
    pub(crate) fn passed(self) -> Duration {
        self.0.elapsed()
    }
}
