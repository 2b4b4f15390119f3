//! What is known of the handles of one acquisition on one way: who holds them under which name, what settled them, and what
//! going backward would do. It decides; it walks nothing.

use super::value::{Slot, Value};
use crate::ast::Place;

/// The state of the acquisition that is followed, on one way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(in crate::check) struct Track {
    pub(super) begun: Begun,
    /// Names that hold a handle, by the key of their binding, in order.
    names: Vec<(usize, Value)>,
    pub(super) slots: Vec<Handle>,
    /// What going backward has to know, in order of completion.
    log: Vec<Entry>,
    /// Where in `log` the attempts around began, outermost first.
    attempts: Vec<usize>,
}

/// Whether the step that is followed has acquired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Begun {
    #[default]
    NotYet,
    Yes,
}

/// What became of a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Handle {
    /// The list has no such element on this way.
    Absent,
    Held,
    /// Here, by a try that is neither confirmed nor cancelled.
    Tried(Place),
    /// Here.
    Settled(Place),
}

/// A finished step that acquired, settled, or would settle when it is undone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// Of the step.
    pub(super) place: Place,
    /// Operation or event.
    pub(super) name: String,
    pub(super) acquired: bool,
    pub(super) settled: Vec<Slot>,
    pub(super) undo: Undo,
}

/// How a step is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Undo {
    /// There is nothing to take back: what it settled stays settled, what it acquired stays held.
    Nothing,
    /// By a call, which settles these.
    Call { operation: String, settles: Vec<Slot> },
}

/// What going backward did.
#[derive(Debug, Default)]
pub(super) struct Undone {
    /// Steps that were undone: where they stand, their names, and by what.
    pub(super) steps: Vec<(Place, String, String)>,
    /// A handle that was settled a second time.
    pub(super) twice: Option<Twice>,
    /// Whether the acquiring step itself was among them.
    pub(super) acquiring: bool,
}

/// A second use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Twice {
    pub(super) slot: Slot,
    /// The operation.
    pub(super) by: String,
    /// Of the step that it undoes, or that it is.
    pub(super) place: Place,
    /// Of the first use.
    pub(super) first: Place,
}

impl Track {
    /// The state in front of a flow whose input holds handles.
    pub(super) fn given(name: usize, value: Value, slots: Vec<Handle>) -> Self {
        let mut track = Self { begun: Begun::Yes, slots, ..Self::default() };
        track.name(name, value);
        track
    }

    pub(super) fn is_begun(&self) -> bool {
        self.begun == Begun::Yes
    }

    pub(super) fn begin(&mut self, slots: Vec<Handle>) {
        self.begun = Begun::Yes;
        self.slots = slots;
    }

    pub(super) fn named(&self, key: usize) -> Value {
        match self.names.binary_search_by_key(&key, |(known, _)| *known) {
            Ok(at) => self.names[at].1.clone(),
            Err(_) => Value::Nothing,
        }
    }

    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    pub(super) fn is_named(&self, key: usize) -> bool {
        self.names.binary_search_by_key(&key, |(known, _)| *known).is_ok()
    }

    pub(super) fn name(&mut self, key: usize, value: Value) {
        match (self.names.binary_search_by_key(&key, |(known, _)| *known), value) {
            (Ok(at), Value::Nothing) => drop(self.names.remove(at)),
            (Ok(at), value) => self.names[at].1 = value,
            (Err(_), Value::Nothing) => {}
            (Err(at), value) => self.names.insert(at, (key, value)),
        }
    }

    /// Names that are bound from this offset of the file on hold nothing any more.
    pub(super) fn forget_names(&mut self, from: usize) {
        self.names.retain(|(key, _)| !(from..usize::MAX / 2).contains(key));
    }

    /// Settles a handle; the place of the first time if it was settled already.
    pub(super) fn settle(&mut self, slot: Slot, place: Place) -> Result<(), Place> {
        match self.slots.get_mut(usize::from(slot)) {
            Some(handle @ Handle::Held) => {
                *handle = Handle::Settled(place);
                Ok(())
            }
            Some(Handle::Settled(first) | Handle::Tried(first)) => Err(*first),
            Some(Handle::Absent) | None => Ok(()),
        }
    }

    /// What was settled just now may be given back: a try has settled it.
    pub(super) fn is_tried(&mut self, slots: &[Slot]) {
        for slot in slots {
            if let Some(handle) = self.slots.get_mut(usize::from(*slot))
                && let Handle::Settled(place) = *handle
            {
                *handle = Handle::Tried(place);
            }
        }
    }

    /// The try here is confirmed: what it has settled.
    pub(super) fn confirmed_at(&mut self, place: Place) -> Vec<Slot> {
        self.no_longer_tried(place, Handle::Settled(place))
    }

    /// The try here is cancelled: what it has settled is held again.
    pub(super) fn cancelled_at(&mut self, place: Place) {
        self.no_longer_tried(place, Handle::Held);
    }

    fn no_longer_tried(&mut self, place: Place, then: Handle) -> Vec<Slot> {
        let slots = self.slots.iter_mut().zip(0..);
        let tried = slots.filter(|(handle, _)| **handle == Handle::Tried(place));
        let become_so = |(handle, slot): (&mut Handle, Slot)| {
            *handle = then;
            slot
        };
        tried.map(become_so).collect()
    }

    pub(super) fn hold(&mut self, slot: Slot) {
        if let Some(handle @ Handle::Settled(_)) = self.slots.get_mut(usize::from(slot)) {
            *handle = Handle::Held;
        }
    }

    /// The first handle that is held.
    pub(super) fn held(&self) -> Option<Slot> {
        let at = self.slots.iter().position(|handle| *handle == Handle::Held)?;
        Slot::try_from(at).ok()
    }

    /// Notes a finished step, if going backward has to know it. Undos beyond the second that settle the same tell nothing new.
    pub(super) fn finished(&mut self, entry: Entry) {
        let undoes = |entry: &Entry| match &entry.undo {
            Undo::Call { settles, .. } => !settles.is_empty(),
            Undo::Nothing => false,
        };
        if !entry.acquired && entry.settled.is_empty() {
            let same = self.log.iter().filter(|known| !known.acquired && undoes(known)).count();
            if !undoes(&entry) || same >= 2 {
                return;
            }
        }
        self.log.push(entry);
    }

    /// Nothing before this is ever undone.
    pub(super) fn forget(&mut self) {
        self.log.clear();
    }

    pub(super) fn attempt_begins(&mut self) {
        self.attempts.push(self.log.len());
    }

    pub(super) fn attempt_ends(&mut self) {
        self.attempts.pop();
    }

    /// Undoes what the attempt at this depth has finished.
    pub(super) fn attempt_fails(&mut self, depth: usize) -> Undone {
        let from = self.attempts.get(depth).copied().unwrap_or(0);
        self.attempts.truncate(depth);
        self.back(from)
    }

    /// Undoes everything.
    pub(super) fn all_back(&mut self) -> Undone {
        self.attempts.clear();
        self.back(0)
    }

    fn all_are(&self, settled: &[Slot]) -> bool {
        let is = |slot: usize| settled.iter().any(|known| usize::from(*known) == slot);
        self.slots.iter().enumerate().all(|(slot, handle)| *handle == Handle::Absent || is(slot))
    }

    /// Undoes what finished behind `from`, in reverse order. What is settled for good stays in the log.
    fn back(&mut self, from: usize) -> Undone {
        let mut undone = Undone::default();
        let mut kept = Vec::new();
        let mut for_good: Vec<Slot> = Vec::new();
        for entry in self.log.split_off(from.min(self.log.len())).into_iter().rev() {
            match &entry.undo {
                Undo::Nothing => {
                    for_good.extend(&entry.settled);
                    undone.acquiring |= entry.acquired;
                    if !entry.settled.is_empty() {
                        kept.push(Entry { acquired: false, ..entry });
                    }
                }
                Undo::Call { operation, settles } => {
                    undone.acquiring |= entry.acquired;
                    if entry.acquired && self.all_are(&for_good) {
                        continue;
                    }
                    undone.steps.push((entry.place, entry.name.clone(), operation.clone()));
                    entry.settled.iter().for_each(|slot| self.hold(*slot));
                    for slot in settles {
                        if let Err(first) = self.settle(*slot, entry.place) {
                            undone.twice.get_or_insert_with(|| Twice {
                                slot: *slot,
                                by: operation.clone(),
                                place: entry.place,
                                first,
                            });
                        }
                    }
                }
            }
        }
        kept.reverse();
        self.log.extend(kept);
        undone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32) -> Place {
        Place { line, ..Place::default() }
    }

    fn entry(line: u32, acquired: bool, settled: &[Slot], undo: Option<&[Slot]>) -> Entry {
        let undo = undo.map_or(Undo::Nothing, |settles| Undo::Call {
            operation: "undo".into(),
            settles: settles.to_vec(),
        });
        Entry { place: at(line), name: "step".into(), acquired, settled: settled.to_vec(), undo }
    }

    /// A step that settles and is undone by a call, if `undone`.
    fn settle(track: &mut Track, line: u32, slot: Slot, undone: bool) {
        track.settle(slot, at(line)).unwrap();
        track.finished(entry(line, false, &[slot], undone.then_some(&[])));
    }

    fn acquired(slots: usize) -> Track {
        let mut track = Track::default();
        track.begin(vec![Handle::Held; slots]);
        let all: Vec<Slot> = (0..slots).map(|slot| Slot::try_from(slot).unwrap()).collect();
        track.finished(entry(1, true, &[], Some(&all)));
        track
    }

    #[test]
    fn going_backward_releases_what_is_held() {
        let mut track = acquired(1);
        let undone = track.all_back();
        assert_eq!((undone.steps.len(), undone.twice, track.held()), (1, None, None));
    }

    #[test]
    fn what_is_settled_for_good_is_not_undone_and_what_is_not_is_held_again() {
        let mut track = acquired(1);
        settle(&mut track, 2, 0, false);
        let undone = track.all_back();
        assert_eq!((undone.steps.len(), undone.twice, track.held()), (0, None, None));

        let mut track = acquired(1);
        settle(&mut track, 2, 0, true);
        let undone = track.all_back();
        assert_eq!((undone.steps.len(), undone.twice, track.held()), (2, None, None));
    }

    #[test]
    fn of_two_handles_one_of_which_is_settled_for_good_that_one_is_released_again() {
        let mut track = acquired(2);
        settle(&mut track, 2, 0, false);
        let twice = track.all_back().twice.unwrap();
        assert_eq!((twice.slot, twice.place.line, twice.first.line), (0, 1, 2));
    }

    #[test]
    fn an_attempt_takes_back_what_it_finished_and_nothing_else() {
        let mut track = acquired(1);
        track.attempt_begins();
        settle(&mut track, 2, 0, true);
        assert_eq!(track.attempt_fails(0).steps.len(), 1);
        assert_eq!(track.held(), Some(0));
        track.attempt_begins();
        settle(&mut track, 3, 0, false);
        assert_eq!(track.attempt_fails(0).steps.len(), 0);
        assert_eq!(track.held(), None);
        let undone = track.all_back();
        assert_eq!((undone.steps.len(), undone.twice), (0, None), "it is known behind the attempt too");
    }

    #[test]
    fn a_try_that_is_cancelled_gives_back_what_it_has_settled_and_nothing_that_was_confirmed_before() {
        let mut track = acquired(2);
        for (slot, confirmed) in [(0, true), (1, false)] {
            track.settle(slot, at(2)).unwrap();
            track.is_tried(&[slot]);
            assert_eq!(track.settle(slot, at(3)), Err(at(2)), "it is not held while it is tried");
            if confirmed {
                assert_eq!(track.confirmed_at(at(2)), [slot]);
            } else {
                track.cancelled_at(at(2));
            }
        }
        assert_eq!(track.slots, [Handle::Settled(at(2)), Handle::Held]);
    }

    #[test]
    fn undos_that_release_the_same_are_a_second_use() {
        let mut track = acquired(1);
        track.finished(entry(2, false, &[], Some(&[0])));
        let twice = track.all_back().twice.unwrap();
        assert_eq!((twice.place.line, twice.first.line), (1, 2));
    }
}
