//! Ways through a flow, as far as expressions can tell them apart: which steps ran, which conditions over the input
//! hold, which optional fields are there. Facts that nothing reads any more are forgotten, so that independent
//! conditions do not multiply; where they still do, ways are joined and the facts in which they differ are given up.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use super::resources::Track;
use crate::ast::Place;
use crate::diagnostic::WayPoint;

/// A fact: a number for its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Fact(u32);

/// The facts that are known of a flow.
#[derive(Debug, Default)]
pub(super) struct Facts {
    ids: BTreeMap<String, Fact>,
    last_use: Vec<usize>,
    owner: Vec<usize>,
}

impl Facts {
    /// The fact of this text; `last_use` is the last place that reads it, `owner` the binding that it is about.
    pub(super) fn fact(&mut self, text: String, last_use: usize, owner: usize) -> Fact {
        let next = Fact(u32::try_from(self.last_use.len()).unwrap_or(u32::MAX));
        let fact = *self.ids.entry(text).or_insert(next);
        if fact == next {
            self.last_use.push(last_use);
            self.owner.push(owner);
        }
        fact
    }

    fn read_behind(&self, fact: Fact, offset: usize) -> bool {
        self.last_use.get(fact.0 as usize).is_some_and(|last| *last >= offset)
    }

    fn owner(&self, fact: Fact) -> usize {
        self.owner.get(fact.0 as usize).copied().unwrap_or(0)
    }
}

/// Whether the caller has been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Answered {
    No,
    Yes,
}

/// How often a part that runs beside others has had to wait for something, and how often those before it at most: not at all,
/// once, or more often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Pace {
    pub(super) own: u8,
    pub(super) others: u8,
    /// Where it is while another part goes on.
    rest: Rest,
    others_rest: Rest,
}

/// Whether a part is where others of the world may be heard, or has more to do in the same stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) enum Rest {
    #[default]
    Between,
    Amid,
}

/// Points of a way that are told.
const TRAIL: usize = 60;

/// One way up to a place.
#[derive(Debug, Clone)]
pub(super) struct Way {
    known: Vec<(Fact, bool)>,
    pub(super) answered: Answered,
    /// Where one acquisition is followed: what is known of it.
    pub(super) track: Option<Rc<Track>>,
    /// Effects that cannot be taken back, by number; only within an attempt behind the pivot.
    final_effects: Vec<usize>,
    /// Of the parts that run beside others and are around, innermost last; only where an acquisition is followed.
    paces: Vec<Pace>,
    trail: Vec<u32>,
    /// What ends it, where parts beside it go on until then; of the innermost parts last.
    held_back: Vec<u32>,
}

impl Way {
    /// Of the innermost part that runs beside others.
    pub(super) fn pace(&self) -> Pace {
        self.paces.last().copied().unwrap_or_default()
    }

    /// Where the innermost parts are together: amid a stretch if one of them is.
    pub(super) fn rest(&self) -> Rest {
        let pace = self.pace();
        pace.rest.max(pace.others_rest)
    }

    /// Where all parts are that stand before the ones that are around.
    pub(super) fn others_rest(&self) -> Rest {
        self.paces.iter().map(|pace| pace.others_rest).max().unwrap_or_default()
    }

    pub(super) fn get(&self, fact: Fact) -> Option<bool> {
        let at = self.known.binary_search_by_key(&fact, |(known, _)| *known).ok()?;
        Some(self.known[at].1)
    }

    pub(super) fn set(&mut self, fact: Fact, holds: bool) {
        match self.known.binary_search_by_key(&fact, |(known, _)| *known) {
            Ok(at) => self.known[at].1 = holds,
            Err(at) => self.known.insert(at, (fact, holds)),
        }
    }

    pub(super) fn final_effects(&self) -> &[usize] {
        &self.final_effects
    }

    fn add_final(&mut self, effects: &[usize]) {
        for effect in effects {
            if let Err(at) = self.final_effects.binary_search(effect) {
                self.final_effects.insert(at, *effect);
            }
        }
    }

    /// What holds when both parts, which run side by side, are over; `None` if they cannot both have come about.
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        for (fact, holds) in &other.known {
            match both.get(*fact) {
                Some(known) if known != *holds => return None,
                Some(_) => {}
                None => both.set(*fact, *holds),
            }
        }
        both.answered = self.answered.max(other.answered);
        both.add_final(&other.final_effects);
        let shared = self.trail.iter().zip(&other.trail).take_while(|(a, b)| a == b).count();
        both.trail.extend(&other.trail[shared..]);
        both.trail.truncate(TRAIL);
        Some(both)
    }
}

/// All ways up to a place. None: the place is not reached.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways {
    pub(super) all: Vec<Way>,
}

impl Ways {
    /// The one way that begins a flow.
    pub(super) fn start() -> Self {
        let way = Way {
            known: Vec::new(),
            answered: Answered::No,
            track: None,
            final_effects: Vec::new(),
            paces: Vec::new(),
            trail: Vec::new(),
            held_back: Vec::new(),
        };
        Self { all: vec![way] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn set(&mut self, fact: Fact, holds: bool) {
        for way in &mut self.all {
            way.set(fact, holds);
        }
    }

    /// The ways on which a fact is as wanted; where it is not known, it is from now on.
    pub(super) fn decide(mut self, fact: Fact, wanted: bool) -> Self {
        self.all.retain_mut(|way| match way.get(fact) {
            Some(holds) => holds == wanted,
            None => {
                way.set(fact, wanted);
                true
            }
        });
        self
    }

    /// On all ways this happens, and cannot be taken back.
    pub(super) fn add_final(&mut self, effects: &[usize]) {
        for way in &mut self.all {
            way.add_final(effects);
        }
    }

    pub(super) fn retain_final(&mut self, keep: impl Fn(usize) -> bool) {
        for way in &mut self.all {
            way.final_effects.retain(|effect| keep(*effect));
        }
    }

    /// No scope is around any more that would take anything back.
    pub(super) fn forget_final(&mut self) {
        for way in &mut self.all {
            way.final_effects.clear();
        }
    }

    /// The ways on which both parts, which run side by side, are over; about `limit` of them.
    pub(super) fn both(self, other: Self, limit: usize) -> Self {
        let (mut one, mut other) = (self, other);
        let mut most = limit;
        while one.all.len() * other.all.len() > limit.saturating_mul(2) && most > 1 {
            most /= 2;
            (one, other) = (one.at_most(most), other.at_most(most));
        }
        let pairs = one.all.iter().flat_map(|a| other.all.iter().filter_map(|b| a.and(b)));
        Self { all: pairs.collect() }.once(limit)
    }

    /// Takes more ways in, of which there may be many parts; it is made sure now and then that each stands once.
    pub(super) fn add(&mut self, other: Self, limit: usize) {
        self.all.extend(other.all);
        if self.all.len() > limit.saturating_mul(2) {
            *self = std::mem::take(self).once(limit);
        }
    }

    /// The ways of both, each once; at most `limit` of them.
    pub(super) fn union(mut self, other: Self, limit: usize) -> Self {
        self.all.extend(other.all);
        self.once(limit)
    }

    /// At most `limit` ways.
    pub(super) fn at_most(self, limit: usize) -> Self {
        if self.all.len() <= limit { self } else { self.once(limit) }
    }

    /// Each way once; at most `limit` of them.
    fn once(mut self, limit: usize) -> Self {
        let mut seen = HashSet::new();
        let all = |way: &Way| {
            let (known, track, paces) = (way.known.clone(), way.track.clone(), way.paces.clone());
            (known, way.answered, track, way.final_effects.clone(), paces)
        };
        self.all.retain(|way| seen.insert(all(way)));
        if self.all.len() <= limit {
            return self;
        }
        let mut joined: Vec<Way> = Vec::new();
        for way in self.all {
            let same = |known: &&mut Way| {
                known.answered == way.answered && known.track == way.track && known.paces == way.paces
            };
            match joined.iter_mut().find(same) {
                Some(known) => {
                    known.known.retain(|(fact, holds)| way.get(*fact) == Some(*holds));
                    known.add_final(&way.final_effects);
                }
                None => joined.push(way),
            }
        }
        Self { all: joined }
    }

    /// Parts that run side by side begin here.
    pub(super) fn parts_begin(&mut self) {
        self.all.iter_mut().for_each(|way| way.paces.push(Pace::default()));
    }

    /// The next part begins.
    pub(super) fn part_begins(&mut self) {
        for pace in self.all.iter_mut().filter_map(|way| way.paces.last_mut()) {
            *pace = Pace {
                own: 0,
                others: pace.others.max(pace.own),
                rest: Rest::Between,
                others_rest: pace.others_rest.max(pace.rest),
            };
        }
    }

    /// Where the innermost part is, while another one goes on.
    pub(super) fn rests(&mut self, rest: Rest) {
        for pace in self.all.iter_mut().filter_map(|way| way.paces.last_mut()) {
            pace.rest = rest;
        }
    }

    /// What runs here has to wait, so often.
    pub(super) fn waits(&mut self, times: u8) {
        for pace in self.all.iter_mut().filter_map(|way| way.paces.last_mut()) {
            pace.own = (pace.own + times).min(2);
        }
    }

    /// Parts that ran side by side are over, or one of them has ended them all; what is around has waited as long.
    pub(super) fn parts_end(&mut self, waited: impl Fn(Pace) -> u8) {
        for way in &mut self.all {
            let times = way.paces.pop().map_or(0, &waited);
            if let Some(pace) = way.paces.last_mut() {
                pace.own = (pace.own + times).min(2);
            }
        }
    }

    /// The last point is told behind what is told from here on.
    pub(super) fn hold_back(&mut self) {
        for way in &mut self.all {
            let last = way.trail.pop();
            way.held_back.extend(last);
        }
    }

    pub(super) fn tell_held_back(&mut self) {
        for way in &mut self.all {
            let last = way.held_back.pop();
            way.trail.extend(last);
        }
    }

    /// Forgets what nothing behind `offset` reads.
    pub(super) fn forget(mut self, facts: &Facts, offset: usize, limit: usize) -> Self {
        for way in &mut self.all {
            way.known.retain(|(fact, _)| facts.read_behind(*fact, offset));
        }
        self.once(limit)
    }

    /// Forgets what is about bindings of the file from `offset` on.
    pub(super) fn forget_from(mut self, facts: &Facts, offset: usize, limit: usize) -> Self {
        for way in &mut self.all {
            way.known.retain(|(fact, _)| !(offset..usize::MAX / 2).contains(&facts.owner(*fact)));
        }
        self.once(limit)
    }

    /// Forgets what is about bindings that end here.
    pub(super) fn forget_owned(mut self, facts: &Facts, owners: &HashSet<usize>, limit: usize) -> Self {
        for way in &mut self.all {
            way.known.retain(|(fact, _)| !owners.contains(&facts.owner(*fact)));
        }
        self.once(limit)
    }
}

/// What happens on ways, in words; ways hold numbers of them.
#[derive(Debug, Default)]
pub(super) struct Points {
    all: Vec<WayPoint>,
}

impl Points {
    /// Writes on all ways what happens here.
    pub(super) fn mark(&mut self, ways: &mut Ways, place: Place, what: impl Into<String>) {
        if ways.is_empty() {
            return;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(WayPoint { line: place.line, what: what.into() });
        for way in &mut ways.all {
            if way.trail.len() < TRAIL {
                way.trail.push(number);
            }
        }
    }

    pub(super) fn of(&self, way: &Way) -> Vec<WayPoint> {
        way.trail.iter().filter_map(|number| self.all.get(*number as usize).cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_that_are_too_many_keep_what_they_agree_on() {
        let mut facts = Facts::default();
        let shared = facts.fact("shared".into(), 9, 0);
        let mut ways = Ways::start();
        ways.set(shared, true);
        for number in 0..12 {
            let fact = facts.fact(format!("c{number}"), 9, 0);
            let (yes, no) = (ways.clone().decide(fact, true), ways.decide(fact, false));
            ways = yes.union(no, 100);
        }
        assert!(ways.all.len() <= 100);
        assert!(ways.all.iter().all(|way| way.get(shared) == Some(true)));
    }

    #[test]
    fn independent_conditions_do_not_multiply_once_nothing_reads_them() {
        let mut facts = Facts::default();
        let mut ways = Ways::start();
        for number in 0..100 {
            let fact = facts.fact(format!("c{number}"), number, 0);
            let (yes, no) = (ways.clone().decide(fact, true), ways.decide(fact, false));
            ways = yes.union(no, 1000).forget(&facts, number + 1, 1000);
        }
        assert_eq!(ways.all.len(), 1);
    }
}
