//! The one module of the host that reads the machine's clock: how long a call took, and how often the deadline's clock
//! has to beat. Figures go into counters and the journal; no answer depends on them.

use std::time::{Duration, Instant};

/// Runs from its start.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[allow(clippy::disallowed_methods, reason = "measuring code has its one module")]
    pub(crate) fn start() -> Self {
        Stopwatch(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    pub(crate) fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Counts equal spans of time.
#[derive(Debug)]
pub(crate) struct Beat {
    watch: Stopwatch,
    span_us: u64,
    counted: u64,
}

impl Beat {
    /// Of at least a microsecond each, from now on.
    pub(crate) fn start(span: Duration) -> Self {
        let span_us = u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1);
        Beat { watch: Stopwatch::start(), span_us, counted: 0 }
    }

    /// How long until the next one is over.
    pub(crate) fn left(&self) -> Duration {
        let due_us = self.counted.saturating_add(1).saturating_mul(self.span_us);
        Duration::from_micros(due_us.saturating_sub(self.watch.micros()))
    }

    /// How many are over that were not counted yet, at most `most`: what is beyond that is lost, not made up for.
    pub(crate) fn over(&mut self, most: u64) -> u64 {
        let all = self.watch.micros() / self.span_us;
        let over = (all - self.counted.min(all)).min(most);
        self.counted = all;
        over
    }
}
