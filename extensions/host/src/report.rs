//! What is told of a call: counted, traced, and what the extension printed as lines of the log with the trade's id. Nothing
//! here changes what comes of a call, and no extension can fill the log.

use mortise_points::{CallIdentity, ExtensionId, Failure, OnFailure};

use crate::call::shortened;
use crate::counters::Counter;
use crate::runtime::Runtime;

/// Lines of one call that are logged.
const LINES_PER_CALL: usize = 16;
/// Lines of one extension at one point that are logged in a minute.
const LINES_PER_MINUTE: u64 = 600;

/// One call of one extension, as it is told of.
pub(crate) struct Report<'a> {
    pub(crate) point: &'static str,
    pub(crate) extension: &'a ExtensionId,
    pub(crate) call: CallIdentity<'a>,
    pub(crate) fuel_used: u64,
    pub(crate) took_us: u64,
    pub(crate) failure: Option<&'a Failure>,
    pub(crate) on_failure: OnFailure,
    /// What it printed.
    pub(crate) log: Option<&'a str>,
}

impl Report<'_> {
    /// Tells it.
    pub(crate) fn tell(&self, runtime: &Runtime, counter: &Counter) {
        let count = counter.record(self.failure.map(|why| why.kind), self.fuel_used, self.took_us);
        if let Some(log) = self.log {
            self.say(log, counter, runtime.minute());
        }
        self.trace();
        if let Some((why, count)) = self.failure.zip(count) {
            self.warn(why, count);
        }
    }

    fn say(&self, log: &str, counter: &Counter, minute: u64) {
        let Report { point, extension, call: CallIdentity { instance: trade, step, .. }, .. } = *self;
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let wanted = lines.len().min(LINES_PER_CALL) as u64;
        let fit = usize::try_from(counter.speak(minute, wanted, LINES_PER_MINUTE)).unwrap_or(0);
        for line in &lines[..fit] {
            let said = shortened(line);
            tracing::info!(point, %extension, trade, step, said, "an extension says");
        }
        let unsaid = lines.len() - fit;
        // Where even the minute's room is gone, what is left out is not told of either.
        if unsaid > 0 && fit > 0 {
            tracing::info!(point, %extension, trade, step, unsaid, "an extension says more than is logged");
        }
    }

    fn trace(&self) {
        let Report { point, call: CallIdentity { instance: trade, step, attempt, .. }, .. } = *self;
        let Report { fuel_used, took_us, .. } = *self;
        let (extension, version) = self.extension.as_str().split_once('@').unwrap_or_default();
        let outcome = self.failure.map_or("answered", |why| why.kind.code());
        tracing::debug!(
            point,
            extension,
            version,
            trade,
            step,
            attempt,
            fuel_used,
            took_us,
            outcome,
            "an extension was asked"
        );
    }

    /// The first failure of its kind, the second, the fourth, the eighth: one that fails at every call is not to fill the
    /// log. The counters have them all.
    fn warn(&self, why: &Failure, count: u64) {
        if !count.is_power_of_two() {
            return;
        }
        let Report { point, extension, call: CallIdentity { instance: trade, step, attempt, .. }, .. } =
            *self;
        tracing::warn!(point, %extension, trade, step, attempt, count, %why, on_failure = ?self.on_failure, "an extension failed");
    }
}
