//! How far a binding counts: for everybody, for nobody yet, for some customers. What a trial is judged by is said here;
//! judging it is not.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a binding counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollout {
    /// For everybody.
    #[default]
    Live,
    /// For nobody: it is asked beside those that are live, and its difference in money is recorded.
    Shadow,
    /// For some customers, instead of the version that is live.
    Canary(Canary),
}

/// For how many customers, and what ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// Of a hundred customers, 1 to 99.
    pub percent: u32,
    /// What ends it by itself.
    #[serde(default)]
    pub guard: Guard,
}

/// Thresholds of a canary. Past one of them the former version is back for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// From how many calls on it is judged. Failures are judged from the first, as if so many calls had been made.
    pub calls_min: u32,
    /// Failures among its calls, in basis points.
    pub failures_max_bp: u32,
    /// The mean time of its calls, in microseconds.
    pub latency_max_us: u32,
    /// The mean difference in money an order, either way, in minor units; not judged if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_max_minor: Option<i64>,
}

impl Default for Guard {
    fn default() -> Self {
        Guard { calls_min: 50, failures_max_bp: 500, latency_max_us: 50_000, difference_max_minor: None }
    }
}

impl Canary {
    /// For so many of a hundred customers, with the usual thresholds.
    #[must_use]
    pub fn of(percent: u32) -> Self {
        Canary { percent, guard: Guard::default() }
    }
}

impl Rollout {
    /// Whether it counts for everybody.
    #[must_use]
    pub fn is_live(&self) -> bool {
        *self == Rollout::Live
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Rollout::Canary(canary) if !(1..=99).contains(&canary.percent) => {
                Err(format!("a canary of {}%; write 1 to 99, or deploy it live", canary.percent))
            }
            Rollout::Canary(canary) if canary.guard.calls_min == 0 => {
                Err("a canary is judged from at least 1 call on".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// `live`, `shadow`, `canary 5%`.
impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rollout::Live => f.write_str("live"),
            Rollout::Shadow => f.write_str("shadow"),
            Rollout::Canary(canary) => write!(f, "canary {}%", canary.percent),
        }
    }
}
