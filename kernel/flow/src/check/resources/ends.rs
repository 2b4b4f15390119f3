//! How ways end: forward, where nothing may be held any more, or backward, where everything finished is undone. Attempts take
//! failures of what is within them; what is left is judged.

use std::collections::{BTreeMap, HashSet};

use super::track::{Twice, Undone};
use super::value::{Slot, Value};
use super::walk::{Pivot, Walk, cancel_of};
use crate::ast::{Attempt, Handler, Place, Step};
use crate::check::scope::Binding;
use crate::check::ways::{Rest, Way, Ways};
use crate::diagnostic::WayPoint;
use crate::walk;

/// Ways that end here.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) ways: Ways,
    pub(super) how: How,
}

/// How a way ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// The trade is over and has gone forward.
    End,
    /// It goes backward, or the scope does.
    Fail { code: String, target: Target, heard: Heard },
}

impl How {
    /// A step failed, whoever takes it.
    pub(super) fn failed(code: &str) -> Self {
        Self::Fail { code: code.to_owned(), target: Target::Innermost, heard: Heard::Anywhere }
    }

    pub(super) fn is_heard_amid(&self) -> bool {
        !matches!(self, Self::Fail { heard: Heard::BetweenStretches, .. })
    }
}

/// When a failure comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Anywhere,
    /// From the world, never in the middle of a stretch.
    BetweenStretches,
}

/// What a failure takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The innermost attempt that takes the code.
    Innermost,
    /// The attempt at this depth.
    Attempt(usize),
    Flow,
}

/// What is wrong with an acquisition.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// By resource: the shortest way on which it leaks.
    pub(super) leaks: BTreeMap<String, Leak>,
    /// By the place of the second use.
    pub(super) twice: BTreeMap<(usize, String), Second>,
    /// Whether the step's own undo leaves something of it.
    pub(super) undo_falls_short: bool,
}

/// A way on which something is neither released nor consumed.
#[derive(Debug)]
pub(super) struct Leak {
    pub(super) way: Vec<WayPoint>,
    /// Whether going backward leaves it.
    pub(super) backward: bool,
}

/// A way on which something is settled twice.
#[derive(Debug)]
pub(super) struct Second {
    pub(super) place: Place,
    pub(super) by: String,
    pub(super) first: Place,
    pub(super) way: Vec<WayPoint>,
}

impl<'c> Walk<'_, 'c> {
    /// Ways end here; who is around is asked first.
    pub(super) fn ends(&mut self, mut ways: Ways, place: Place, what: String, how: How) {
        if self.endings.is_empty() {
            ways.all.retain(Way::follows);
        }
        let dropped = self.attempts == 0 && self.pivot == Pivot::Passed && how != How::End;
        if ways.is_empty() || dropped {
            return;
        }
        self.checker.points.mark(&mut ways, place, what);
        self.raise(Ending { ways, how });
    }

    pub(super) fn raise(&mut self, ending: Ending) {
        match self.endings.last_mut() {
            Some(around) => around.push(ending),
            None => self.judge(ending),
        }
    }

    /// Something cancels, here as at any wait.
    pub(super) fn cancelled(&mut self, ways: &Ways, place: Place) {
        for at in 0..self.cancels.len() {
            let cancel = &self.cancels[at];
            let what = format!("`{}` comes and cancels (`{}`)", cancel.event, cancel.code);
            let heard = Heard::BetweenStretches;
            let how = How::Fail { code: cancel.code.to_owned(), target: cancel.target, heard };
            let mut ways = ways.clone();
            ways.all.retain(|way| way.others_rest() == Rest::Between);
            self.ends(ways, place, what, how);
        }
    }

    fn judge(&mut self, ending: Ending) {
        let backward = ending.how != How::End;
        if backward && self.pivot == Pivot::Passed {
            return;
        }
        for mut way in ending.ways.all {
            if !way.follows() {
                continue;
            }
            let undone = if backward { way.track_mut().all_back() } else { Undone::default() };
            self.report(&way, &undone);
            if let Some(slot) = way.track().held() {
                self.leaks(&way, slot, &undone, backward);
            }
        }
    }

    /// A second use on the way back.
    fn report(&mut self, way: &Way, undone: &Undone) {
        if let Some(twice) = &undone.twice {
            let steps = self.points_of(way, undone);
            self.used_twice(twice, steps);
        }
    }

    fn points_of(&self, way: &Way, undone: &Undone) -> Vec<WayPoint> {
        let mut points = self.checker.points.of(way);
        points.extend(undone.steps.iter().map(|(place, name, by)| WayPoint {
            line: place.line,
            what: format!("`{name}` is undone by `{by}`"),
        }));
        points
    }

    fn leaks(&mut self, way: &Way, slot: Slot, undone: &Undone, backward: bool) {
        if !self.is_owed() {
            return;
        }
        let resource = self.resource(slot).to_owned();
        let way = self.points_of(way, undone);
        let shorter = |known: &Leak| (known.backward, known.way.len()) <= (backward, way.len());
        if !self.verdict.leaks.get(&resource).is_some_and(shorter) {
            self.verdict.leaks.insert(resource, Leak { way, backward });
        }
    }

    pub(super) fn used_twice(&mut self, twice: &Twice, way: Vec<WayPoint>) {
        let key = (twice.place.offset, self.resource(twice.slot).to_owned());
        if self.verdict.twice.get(&key).is_none_or(|known| known.way.len() > way.len()) {
            let second = Second { place: twice.place, by: twice.by.clone(), first: twice.first, way };
            self.verdict.twice.insert(key, second);
        }
    }

    pub(super) fn attempt(&mut self, step: &'c Step, attempt: &'c Attempt, mut ways: Ways) -> Ways {
        self.none_ran(&walk::inner(step), &mut ways);
        ways.all.iter_mut().for_each(|way| way.track_mut().attempt_begins());
        let depth = self.attempts;
        self.attempts += 1;
        let cancels = self.cancels.len();
        self.cancels.extend(attempt.cancel_on.iter().map(|cancel| cancel_of(cancel, Target::Attempt(depth))));
        self.endings.push(Vec::new());
        let mark = self.checker.scope.mark();
        let mut done = self.list(&attempt.steps, ways);
        let mut inside = self.checker.scope.close(mark);
        let endings = self.endings.pop().unwrap_or_default();
        self.cancels.truncate(cancels);
        self.attempts = depth;
        done.all.iter_mut().for_each(|way| way.track_mut().attempt_ends());

        let mut taken: Vec<(usize, Ways)> = Vec::new();
        for ending in endings {
            let handler = match &ending.how {
                How::Fail { code, target, .. }
                    if matches!(target, Target::Innermost) || *target == Target::Attempt(depth) =>
                {
                    handler_of(&attempt.otherwise, code)
                }
                _ => {
                    self.raise(ending);
                    continue;
                }
            };
            match handler {
                Some(handler) => {
                    let ways = self.taken_back(depth, ending.ways, &inside);
                    match taken.iter_mut().find(|(known, _)| *known == handler) {
                        Some((_, known)) => {
                            *known = std::mem::take(known).union(ways, self.checker.limit);
                        }
                        None => taken.push((handler, ways)),
                    }
                }
                None => {
                    let How::Fail { code, heard, .. } = ending.how else { continue };
                    let how = How::Fail { code, target: Target::Innermost, heard };
                    self.raise(Ending { ways: ending.ways, how });
                }
            }
        }
        for (number, handler) in attempt.otherwise.iter().enumerate() {
            let from = taken.iter_mut().find(|(known, _)| *known == number);
            let mut ways = from.map_or_else(Ways::default, |(_, ways)| std::mem::take(ways));
            self.mark(&mut ways, handler.code.place, step, || {
                format!("the attempt has failed (`{}`)", handler.code.value)
            });
            let mark = self.checker.scope.mark();
            self.bind_rejection(handler);
            let word = self.checker.scope.mark();
            let after = self.list(&handler.steps, ways);
            inside.extend(self.checker.scope.close(word));
            let (after, _) = self.close(mark, after);
            done = self.both(done, after);
        }
        self.result(step, inside, done)
    }

    /// What an attempt has finished is undone: its names are those of steps that did not run.
    fn taken_back(&mut self, depth: usize, ways: Ways, inside: &[Binding<'c>]) -> Ways {
        let owners: HashSet<usize> = inside.iter().map(|binding| binding.key).collect();
        let mut ways = ways.forget_owned(&self.checker.facts, &owners, self.checker.limit);
        for ran in inside.iter().filter_map(|binding| binding.ran) {
            ways.set(ran, false);
        }
        let mut out = Ways::default();
        for mut way in ways.all {
            let undone = way.track_mut().attempt_fails(depth);
            self.report(&way, &undone);
            if undone.acquiring {
                if let Some(slot) = way.track().held() {
                    self.leaks(&way, slot, &undone, true);
                }
                continue;
            }
            for key in &owners {
                if way.track().is_named(*key) {
                    way.track_mut().name(*key, Value::Nothing);
                }
            }
            let mut one = Ways { all: vec![way] };
            for (place, name, by) in &undone.steps {
                self.checker.points.mark(&mut one, *place, format!("`{name}` is undone by `{by}`"));
            }
            if undone.twice.is_none() {
                out.all.extend(one.all);
            }
        }
        out.at_most(self.checker.limit)
    }
}

/// Which handler takes a code.
pub(super) fn handler_of(handlers: &[Handler], code: &str) -> Option<usize> {
    let is = |wanted: &str| handlers.iter().position(|handler| handler.code.value == wanted);
    is(code).or_else(|| is("any"))
}
