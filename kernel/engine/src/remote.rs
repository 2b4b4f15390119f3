//! Remote calls that are under way, as a pure machine: when an attempt is made, when the next one, when it is given up and
//! when a person is told. It sends nothing and has no clock.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use mortise_flow::Persistence;
use mortise_types::Timestamp;

use crate::schedule::delay_ms;

/// Attempts of a call that is asked without end before a person is told.
const TELL_AFTER: u32 = 8;

/// How a call is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Attempts before it is given up.
    pub attempts: u32,
    /// Whether it is given up at all.
    pub persistence: Persistence,
}

/// What is to be done about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<C> {
    /// Ask the peer; `attempt` counts from 1.
    Send {
        /// Which.
        call: C,
        /// The attempt.
        attempt: u32,
    },
    /// Its outcome is `unavailable`.
    GiveUp(C),
    /// It has been asked so often that a person should know.
    Tell {
        /// Which.
        call: C,
        /// How often.
        attempts: u32,
    },
}

#[derive(Debug)]
struct Asking {
    terms: Terms,
    attempt: u32,
    again_at: Option<Timestamp>,
}

/// The remote calls of one process.
#[derive(Debug)]
pub struct Remotes<C> {
    calls: HashMap<C, Asking>,
    clocks: BTreeSet<(Timestamp, C)>,
}

impl<C: Clone + Eq + Hash + Ord> Default for Remotes<C> {
    fn default() -> Self {
        Self { calls: HashMap::new(), clocks: BTreeSet::new() }
    }
}

impl<C: Clone + Eq + Hash + Ord> Remotes<C> {
    /// A call to be asked now. One that is under way already is left alone.
    pub fn begin(&mut self, call: C, terms: Terms) -> Option<Step<C>> {
        if self.calls.contains_key(&call) {
            return None;
        }
        self.calls.insert(call.clone(), Asking { terms, attempt: 1, again_at: None });
        Some(Step::Send { call, attempt: 1 })
    }

    /// The peer answered.
    pub fn answered(&mut self, call: &C) -> bool {
        self.calls.remove(call).is_some()
    }

    /// The peer did not answer this attempt.
    pub fn unanswered(&mut self, now: Timestamp, call: &C) -> Vec<Step<C>> {
        let Some(asking) = self.calls.get_mut(call) else {
            return Vec::new();
        };
        if asking.terms.persistence == Persistence::GiveUp && asking.attempt >= asking.terms.attempts {
            self.calls.remove(call);
            return vec![Step::GiveUp(call.clone())];
        }
        let moment = Timestamp::from_millis(now.as_millis().saturating_add(delay_ms(asking.attempt)));
        asking.again_at = Some(moment);
        self.clocks.insert((moment, call.clone()));
        if asking.attempt == TELL_AFTER {
            return vec![Step::Tell { call: call.clone(), attempts: asking.attempt }];
        }
        Vec::new()
    }

    /// Attempts whose moment has come.
    pub fn pass_clocks(&mut self, now: Timestamp) -> Vec<Step<C>> {
        let mut steps = Vec::new();
        while let Some((moment, call)) = self.clocks.first().cloned() {
            if moment > now {
                break;
            }
            self.clocks.pop_first();
            if let Some(asking) = self.calls.get_mut(&call)
                && asking.again_at == Some(moment)
            {
                asking.again_at = None;
                asking.attempt += 1;
                steps.push(Step::Send { call, attempt: asking.attempt });
            }
        }
        steps
    }

    /// The next moment at which something is to be asked again.
    pub fn next_clock(&self) -> Option<Timestamp> {
        self.clocks.first().map(|(moment, _)| *moment)
    }

    /// Calls that are under way.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn before_the_pivot_it_is_given_up_after_its_attempts() {
        let mut remotes = Remotes::default();
        let terms = Terms { attempts: 2, persistence: Persistence::GiveUp };
        assert_eq!(remotes.begin(7, terms), Some(Step::Send { call: 7, attempt: 1 }));
        assert_eq!(remotes.begin(7, terms), None);
        assert_eq!(remotes.unanswered(at(0), &7), []);
        assert_eq!(remotes.pass_clocks(at(199)), []);
        assert_eq!(remotes.pass_clocks(at(200)), [Step::Send { call: 7, attempt: 2 }]);
        assert_eq!(remotes.unanswered(at(201), &7), [Step::GiveUp(7)]);
        assert!(remotes.is_empty());
    }

    #[test]
    fn behind_the_pivot_it_is_asked_without_end_and_a_person_is_told_once() {
        let mut remotes = Remotes::default();
        remotes.begin(1, Terms { attempts: 1, persistence: Persistence::WithoutEnd });
        let mut told = 0;
        let mut now = 0;
        for attempt in 1..=50 {
            told += remotes.unanswered(at(now), &1).len();
            now = remotes.next_clock().unwrap().as_millis();
            assert_eq!(remotes.pass_clocks(at(now)), [Step::Send { call: 1, attempt: attempt + 1 }]);
        }
        assert_eq!(told, 1);
        assert!(remotes.answered(&1));
        assert!(!remotes.answered(&1), "an answer that comes twice is nothing new");
    }
}
