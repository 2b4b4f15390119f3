//! Which standby answers a read, or why the primary does: a pure decision over what is known of each.

use super::samples::Bound;
use crate::position::Position;

/// Why a read that a standby might have answered went to the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FellBack {
    /// No standby was near enough to the primary, or nobody knew how far the primary was.
    Late,
    /// One was, but it had not what the caller had written.
    OwnWrite,
    /// None could be reached.
    Down,
    /// The read failed there: it was in the way of what was replayed, as a rule.
    Failed,
}

/// The standby that answers: the first from `first` on, and then from the beginning, that is known to have what is asked for. `known`
/// says how far each has replayed, and nothing of one that is down.
pub(super) fn choose(
    known: &[Option<Position>],
    first: usize,
    bound: Option<&Bound>,
    own: Option<Position>,
) -> Result<usize, FellBack> {
    if known.iter().all(Option::is_none) {
        return Err(FellBack::Down);
    }
    let bound = bound.ok_or(FellBack::Late)?.position;
    let has = |index: usize, needed: Position| known[index].is_some_and(|replayed| replayed >= needed);
    let needed = own.map_or(bound, |own| own.max(bound));
    let in_turn = (0..known.len()).map(|step| (first + step) % known.len());
    match in_turn.into_iter().find(|index| has(*index, needed)) {
        Some(index) => Ok(index),
        None if (0..known.len()).any(|index| has(index, bound)) => Err(FellBack::OwnWrite),
        None => Err(FellBack::Late),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::samples::Line;
    use super::*;

    #[test]
    fn the_next_standby_that_has_what_is_asked_for_answers() {
        use FellBack::{Down, Late, OwnWrite};
        let line = Arc::new(Line { timeline: 1, mark: String::new() });
        let bound = |bytes: u64| Bound { line: Arc::clone(&line), position: Position::at(bytes) };
        for (known, first, bound, own, chosen) in [
            (vec![], 0, Some(bound(5)), None, Err(Down)),
            (vec![None, None], 0, Some(bound(5)), None, Err(Down)),
            (vec![Some(9)], 0, None, None, Err(Late)),
            (vec![Some(5)], 7, Some(bound(5)), None, Ok(0)),
            (vec![Some(4)], 0, Some(bound(5)), None, Err(Late)),
            (vec![Some(9), Some(9)], 1, Some(bound(5)), None, Ok(1)),
            (vec![Some(9), Some(4)], 1, Some(bound(5)), None, Ok(0)),
            (vec![None, Some(9)], 0, Some(bound(5)), Some(9), Ok(1)),
            (vec![None, Some(9)], 0, Some(bound(5)), Some(10), Err(OwnWrite)),
            (vec![Some(4), None], 0, Some(bound(5)), Some(10), Err(Late)),
            (vec![Some(7), Some(3)], 1, Some(bound(5)), Some(2), Ok(0)),
        ] {
            let known: Vec<_> = known.into_iter().map(|bytes| bytes.map(Position::at)).collect();
            let own = own.map(Position::at);
            assert_eq!(
                choose(&known, first, bound.as_ref(), own),
                chosen,
                "{known:?} {first} {bound:?} {own:?}"
            );
        }
    }
}
