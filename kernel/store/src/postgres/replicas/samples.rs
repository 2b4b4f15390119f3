//! Where the primary was, and when: what a standby must have replayed so that nothing older than a bound is missing there. A pure
//! book of samples; taking them is `watch`'s.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::position::Position;

/// For how long a sample is kept: as long as a contract may let a read lag.
const KEPT: Duration = Duration::from_secs(60);

/// A history of a primary, as long as no standby is promoted: its log's timeline, and the mark that the database holds for it. A
/// standby that shows the mark follows this history, and none that parted from it before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) timeline: i32,
    pub(super) mark: String,
}

/// What a standby must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) line: Arc<Line>,
    pub(super) position: Position,
}

/// The samples of one line, in the order of their beginnings.
#[derive(Debug, Default)]
pub(super) struct Samples {
    line: Option<Arc<Line>>,
    all: VecDeque<(Instant, Position)>,
}

impl Samples {
    /// A sample that was begun at a moment: whatever was visible before that moment lies before `position`.
    pub(super) fn add(&mut self, line: &Arc<Line>, begun: Instant, position: Position) {
        if self.line.as_ref() != Some(line) {
            self.all.clear();
            self.line = Some(Arc::clone(line));
        }
        self.all.push_back((begun, position));
        while self.all.front().is_some_and(|(first, _)| *first + KEPT < begun) {
            self.all.pop_front();
        }
    }

    /// The line of the last sample.
    pub(super) fn line(&self) -> Option<Arc<Line>> {
        self.line.clone()
    }

    /// What a standby must have so that all is there that was committed `staleness` before `now`: the oldest sample that was not
    /// begun before then. None where no sample is young enough.
    pub(super) fn bound(&self, now: Instant, staleness: Duration) -> Option<Bound> {
        let index = match now.checked_sub(staleness) {
            Some(then) => self.all.partition_point(|(begun, _)| *begun < then),
            None => 0,
        };
        let (_, position) = self.all.get(index)?;
        Some(Bound { line: self.line.clone()?, position: *position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_sample_that_is_young_enough_is_the_bound() {
        let start = Instant::now();
        let after = |ms: u64| start + Duration::from_millis(ms);
        let line = |mark: &str| Arc::new(Line { timeline: 1, mark: mark.to_owned() });
        let mut samples = Samples::default();
        assert_eq!(samples.bound(start, Duration::from_secs(1)), None);
        for (begun, position) in [(0, 10), (100, 20), (200, 20), (300, 40)] {
            samples.add(&line("a"), after(begun), Position::at(position));
        }
        let bound = |samples: &Samples, now: u64, staleness: u64| {
            let bound = samples.bound(after(now), Duration::from_millis(staleness));
            bound.map(|bound| (bound.line.mark.clone(), bound.position.bytes()))
        };
        let of = |mark: &str, position| Some((mark.to_owned(), position));
        assert_eq!(bound(&samples, 1_000, 1_000), of("a", 10), "begun at the moment itself");
        assert_eq!(bound(&samples, 1_001, 1_000), of("a", 20));
        assert_eq!(bound(&samples, 1_201, 1_000), of("a", 40));
        assert_eq!(bound(&samples, 1_301, 1_000), None, "nobody has looked at the primary since");
        // What was sampled on another history says nothing of this one.
        samples.add(&line("b"), after(400), Position::at(35));
        assert_eq!(bound(&samples, 1_000, 1_000), of("b", 35));
        // A sample that nobody may ask for any more is dropped.
        samples.add(&line("b"), after(60_401), Position::at(99));
        assert_eq!(samples.all.len(), 1);
    }
}
