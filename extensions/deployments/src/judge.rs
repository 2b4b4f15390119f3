//! Which customers a canary is for, and when it has shown enough to end it: pure decisions on figures.

use mortise_bindings::{Guard, Rollout};
use serde::Serialize;

/// What a trial has shown at one point, in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The currency of the differences; empty where the point is not about money.
    pub currency: String,
    /// How often it was asked.
    pub calls: i64,
    /// For how many orders.
    pub orders: i64,
    /// How often it failed.
    pub failures: i64,
    /// Time taken by all calls, in microseconds.
    pub took_us: i64,
    /// What customers would have paid more, all together; less is negative. Minor units.
    pub difference_minor: i64,
    /// The differences, each either way, all together. Minor units.
    pub off_minor: i64,
}

/// Why a canary has to end; none if it may go on.
#[must_use]
pub fn judge(guard: &Guard, seen: &[Seen]) -> Option<String> {
    let calls: i64 = seen.iter().map(|seen| seen.calls).sum();
    let failures: i64 = seen.iter().map(|seen| seen.failures).sum();
    let took_us: i64 = seen.iter().map(|seen| seen.took_us).sum();
    let counted = i128::from(calls.max(i64::from(guard.calls_min)));
    if i128::from(failures) * 10_000 > i128::from(guard.failures_max_bp) * counted {
        return Some(format!(
            "{failures} of {calls} calls failed, at most {} basis points may (of {counted} calls)",
            guard.failures_max_bp
        ));
    }
    if calls < i64::from(guard.calls_min) {
        return None;
    }
    let mean_us = took_us / calls.max(1);
    if mean_us > i64::from(guard.latency_max_us) {
        return Some(format!(
            "a call took {mean_us} us in the mean, at most {} may pass",
            guard.latency_max_us
        ));
    }
    let most = guard.difference_max_minor?;
    seen.iter().find_map(|seen| {
        let mean = seen.off_minor / seen.orders.max(1);
        (mean > most).then(|| {
            format!(
                "an order differed by {mean} {} in the mean, at most {most} may (minor units, over {} orders)",
                seen.currency, seen.orders
            )
        })
    })
}

/// The customers of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Customers {
    /// It counts for none.
    None,
    /// It counts for so many of a hundred, always the same ones.
    Percent(u32),
}

impl Customers {
    /// As a rollout says.
    #[must_use]
    pub fn of(rollout: &Rollout) -> Self {
        match rollout {
            Rollout::Canary(canary) => Customers::Percent(canary.percent),
            Rollout::Live | Rollout::Shadow => Customers::None,
        }
    }

    /// Whether this customer is one of them. `who` is the customer, or the trade of somebody unknown; another rollout has
    /// other customers.
    #[must_use]
    pub fn include(self, rollout: i64, who: &str) -> bool {
        let Customers::Percent(percent) = self else { return false };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&rollout.to_le_bytes()).update(who.as_bytes());
        let hash = hasher.finalize();
        let drawn = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        drawn % 100 < u64::from(percent)
    }
}
