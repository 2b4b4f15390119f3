//! A revision of what is deployed: the whole set of bindings, who made it and why, and from when trades have it.

use std::collections::BTreeSet;

use mortise_bindings::Binding;
use mortise_types::Timestamp;
use serde::{Deserialize, Serialize};

/// What made a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The bindings of a folder, with which a shop was started.
    Import,
    /// A person deployed.
    Deploy,
    /// A person took something back.
    Rollback,
    /// A canary passed one of its thresholds, and the former version is back.
    Returned,
}

impl Kind {
    /// As it is stored and printed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Import => "import",
            Kind::Deploy => "deploy",
            Kind::Rollback => "rollback",
            Kind::Returned => "returned",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Kind> {
        [Kind::Import, Kind::Deploy, Kind::Rollback, Kind::Returned]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// A revision. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Revision {
    /// Counted from 1.
    pub number: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Trades that begin then or later have it; those under way keep theirs.
    pub effective_from: Timestamp,
    /// Who made it.
    pub made_by: String,
    /// What it is.
    #[serde(flatten)]
    pub change: Change,
}

/// A revision that is to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What makes it.
    pub kind: Kind,
    /// Why.
    pub reason: String,
    /// The revision whose bindings are back; 0 is what was there before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restores: Option<i64>,
    /// `name@version` that running trades leave too.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub withdrawn: BTreeSet<String>,
    /// All of them.
    pub bindings: Vec<Binding>,
}

/// When a trade began, by its id: ids are time-ordered (UUID version 7, in hexadecimal), and the parts of a trade begin
/// with its id. None for an id of another kind.
#[must_use]
pub fn began_at(instance: &str) -> Option<Timestamp> {
    let (id, _) = instance.split_once('-').unwrap_or((instance, ""));
    let is_time_ordered = id.len() == 32 && id.as_bytes()[12] == b'7';
    let millis = is_time_ordered.then(|| i64::from_str_radix(id.get(..12)?, 16).ok()).flatten()?;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use mortise_types::{Clock as _, IdSource as _, SystemClock, SystemIds};

    use super::*;

    #[test]
    fn a_trades_id_says_when_it_began_and_so_do_the_ids_of_its_parts() {
        let before = SystemClock.now();
        let id = SystemIds.next().simple().to_string();
        let began = began_at(&id).unwrap();
        assert!((before..=SystemClock.now()).contains(&began), "{began}");
        assert_eq!(began_at(&format!("{id}-3-1")), Some(began));
        for other in ["", "trade-1", "trial", "0192c", &"0".repeat(32), &"ä".repeat(16)] {
            assert_eq!(began_at(other), None, "{other}");
        }
    }
}
