//! What a pick list may become. A step that was made is no error: the second word about it changes nothing.

use crate::contract::PickListState;

/// A word about a pick list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Pack,
    HandOver,
    Cancel,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It becomes this.
    To(PickListState),
    /// It is so already, or it is past that.
    Already,
    /// It was cancelled.
    Cancelled,
    /// It has to be packed first.
    NotPacked,
}

/// Decides a step. Nothing that the carrier has is cancelled, and a cancelled list is not worked on.
pub(crate) const fn step(state: PickListState, word: Word) -> Step {
    match (word, state) {
        (Word::Pack, PickListState::Requested) => Step::To(PickListState::Packed),
        (Word::HandOver, PickListState::Packed) => Step::To(PickListState::HandedOver),
        (Word::Cancel, PickListState::Requested | PickListState::Packed) => {
            Step::To(PickListState::Cancelled)
        }
        (Word::Pack, PickListState::Packed | PickListState::HandedOver)
        | (Word::HandOver, PickListState::HandedOver)
        | (Word::Cancel, PickListState::HandedOver | PickListState::Cancelled) => Step::Already,
        (Word::HandOver, PickListState::Requested) => Step::NotPacked,
        (Word::Pack | Word::HandOver, PickListState::Cancelled) => Step::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `STATE WORD`; the whole table stands in `tests/cases/steps.txt`.
    fn answer(input: &str) -> String {
        let (state, word) = input.split_once(' ').unwrap();
        let state: PickListState = serde_json::from_value(state.into()).unwrap();
        let word = match word {
            "pack" => Word::Pack,
            "hand_over" => Word::HandOver,
            "cancel" => Word::Cancel,
            other => panic!("`{other}` is no word"),
        };
        match step(state, word) {
            Step::To(state) => serde_json::to_value(state).unwrap().as_str().unwrap().to_owned(),
            Step::Already => "already".to_owned(),
            Step::Cancelled => "rejected: it was cancelled".to_owned(),
            Step::NotPacked => "rejected: it is not packed".to_owned(),
        }
    }

    #[test]
    fn tables() {
        mortise_testkit::table::run("tests/cases", answer);
    }
}
