//! What fails, and what takes it: rejections, `fail:` and cancelling go to the innermost attempt, and from there outward to
//! the trade. A failure takes back what has finished in its scope; behind the pivot that has to be possible.

use std::collections::BTreeMap;

use super::block::Pace;
use super::ways::{Way, Ways};
use super::{Checker, Phase};
use crate::ast::{At, Place};
use crate::diagnostic::Diagnostic;
use crate::report::listed;
use crate::typing::{Kind, Ty};

/// Where something fails.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// `fail:` with this code.
    Fail(At<String>),
    /// A call of this operation, or a start of this flow.
    Rejected(At<String>),
    /// A `cancel_on` with this code.
    Cancelled(At<String>),
}

impl Source {
    fn place(&self) -> Place {
        let (Self::Fail(at) | Self::Rejected(at) | Self::Cancelled(at)) = self;
        at.place
    }

    /// What happens there, on a way.
    fn point(&self) -> String {
        match self {
            Self::Fail(code) => format!("it fails with `{}`", code.value),
            Self::Rejected(name) => format!("`{}` is rejected", name.value),
            Self::Cancelled(code) => format!("it is cancelled (`{}`)", code.value),
        }
    }
}

/// A code that an attempt fails with: on which ways, what its rejection says, from where it comes.
#[derive(Debug)]
pub(super) struct Failure<'c> {
    pub(super) ways: Ways,
    pub(super) detail: Ty<'c>,
    pub(super) sources: Vec<Source>,
}

/// An attempt whose steps are being walked.
#[derive(Debug)]
pub(super) struct Frame<'c> {
    /// What is bound from this offset on is bound inside.
    from: usize,
    /// The code of its own `cancel_on`.
    cancel: Option<At<String>>,
    cancelled: bool,
    pub(super) failures: BTreeMap<String, Failure<'c>>,
    /// How often something failed in it, and what last.
    count: usize,
    last: Option<Source>,
}

impl Frame<'_> {
    pub(super) fn new(from: usize, cancel: Option<At<String>>) -> Self {
        Self { from, cancel, cancelled: false, failures: BTreeMap::new(), count: 0, last: None }
    }
}

/// An effect in an attempt behind the pivot that has no undo.
#[derive(Debug)]
pub(super) struct Final {
    name: At<String>,
}

/// Where a part of an attempt began, to see later what happened in it.
pub(super) struct Part {
    finals: usize,
    failures: usize,
}

impl<'c> Checker<'c> {
    /// Something fails with each of these codes on these ways.
    pub(super) fn fails(&mut self, source: Source, codes: &[(&str, Ty<'c>)], ways: &Ways) {
        match self.frames.len().checked_sub(1) {
            Some(innermost) if !codes.is_empty() => self.fails_in(innermost, source, codes, ways),
            Some(_) => {}
            None => self.trade_fails(&source, codes.iter().map(|(code, _)| *code)),
        }
    }

    fn fails_in(&mut self, number: usize, source: Source, codes: &[(&str, Ty<'c>)], ways: &Ways) {
        let from = self.frames[number].from;
        self.worked(ways);
        let mut ways = ways.clone().forget_from(&self.facts, from, self.limit);
        self.points.mark(&mut ways, source.place(), source.point());
        self.takes_back(&ways, from, &source);
        let finals = &self.finals;
        ways.retain_final(|effect| finals[effect].name.place.offset < from);
        let frame = &mut self.frames[number];
        frame.count += 1;
        frame.last = Some(source.clone());
        for (code, detail) in codes {
            match frame.failures.get_mut(*code) {
                Some(failure) => {
                    failure.ways = std::mem::take(&mut failure.ways).union(ways.clone(), self.limit);
                    failure.detail = joined(&failure.detail, detail, self.contracts);
                    if !failure.sources.contains(&source) {
                        failure.sources.push(source.clone());
                    }
                }
                None => {
                    let failure =
                        Failure { ways: ways.clone(), detail: detail.clone(), sources: vec![source.clone()] };
                    frame.failures.insert((*code).to_owned(), failure);
                }
            }
        }
    }

    /// What no attempt takes goes to the trade, which goes backward; behind the pivot it must not.
    fn trade_fails<'s>(&mut self, source: &Source, codes: impl Iterator<Item = &'s str> + Clone) {
        self.fails.extend(codes.clone().map(str::to_owned));
        if self.phase == Phase::Before || codes.clone().next().is_none() {
            return;
        }
        let (message, help) = match source {
            Source::Fail(code) => (
                format!("`fail: {}` stands behind the pivot, where nothing is taken back", code.value),
                "drive it forward: `attention` and another try, or `end`",
            ),
            Source::Rejected(name) => (
                format!(
                    "`{}` may be rejected with {} behind the pivot, and nobody takes it",
                    name.value,
                    listed(codes)
                ),
                "add `on: { any: [...] }`, such as `- attention: ...`",
            ),
            Source::Cancelled(code) => (
                format!("cancelling fails with `{}` behind the pivot, and nobody takes it", code.value),
                "add the code to the `else` of the attempt",
            ),
        };
        self.refuse("rejects-after-pivot", source.place(), message, help);
    }

    /// What an attempt leaves to those around it.
    pub(super) fn fails_outward(&mut self, failures: BTreeMap<String, Failure<'c>>) {
        if self.frames.is_empty() {
            let mut by_source: Vec<(Source, Vec<String>)> = Vec::new();
            for (code, failure) in failures {
                for source in failure.sources {
                    match by_source.iter_mut().find(|(known, _)| *known == source) {
                        Some((_, codes)) => codes.push(code.clone()),
                        None => by_source.push((source, vec![code.clone()])),
                    }
                }
            }
            for (source, codes) in by_source {
                self.trade_fails(&source, codes.iter().map(String::as_str));
            }
            return;
        }
        for (code, failure) in failures {
            for source in failure.sources {
                self.fails(source, &[(&code, failure.detail.clone())], &failure.ways);
            }
        }
    }

    /// Between two stretches an attempt around may be cancelled.
    pub(super) fn between_stretches(&mut self, ways: &Ways) {
        for number in 0..self.frames.len() {
            self.cancels(number, ways);
        }
    }

    fn cancels(&mut self, number: usize, ways: &Ways) {
        if let Some(code) = self.frames[number].cancel.clone() {
            self.frames[number].cancelled = true;
            let detail = Ty::record(Vec::new());
            self.fails_in(number, Source::Cancelled(code.clone()), &[(&code.value, detail)], ways);
        }
    }

    /// The innermost attempt is over. One that meets no end of a stretch of its own may be cancelled where it begins.
    pub(super) fn pop_frame(&mut self, entry: &Ways) -> BTreeMap<String, Failure<'c>> {
        if let Some(innermost) = self.frames.len().checked_sub(1)
            && !self.frames[innermost].cancelled
        {
            self.cancels(innermost, entry);
        }
        self.frames.pop().map(|frame| frame.failures).unwrap_or_default()
    }

    /// What `fail:` with this code says: inside of a handler of that code what the rejection says.
    pub(super) fn detail_of_fail(&self, code: &str) -> Ty<'c> {
        let rejection = self.scope.get("rejection").map(|binding| binding.ty.clone());
        let Some(rejection) = rejection else { return Ty::record(Vec::new()) };
        let own = rejection.field("code", self.contracts).is_some_and(|field| {
            matches!(&field.ty.kind, Kind::Text { allowed: Some(codes), .. }
                if !codes.iter().any(|known| known.as_str() == Some(code)))
        });
        if own { Ty::record(Vec::new()) } else { Kind::Anything.into() }
    }

    /// On these ways this has happened and cannot be taken back.
    pub(super) fn is_final(&mut self, name: &At<String>, done: &mut Ways) {
        if !self.frames.is_empty() {
            self.finals.push(Final { name: name.clone() });
            done.add_final(&[self.finals.len() - 1]);
        }
    }

    fn takes_back(&mut self, ways: &Ways, from: usize, source: &Source) {
        for way in &ways.all {
            for effect in way.final_effects().to_vec() {
                if self.finals[effect].name.place.offset >= from {
                    self.cannot_take_back(effect, source, Some(way));
                }
            }
        }
    }

    fn cannot_take_back(&mut self, effect: usize, source: &Source, way: Option<&Way>) {
        let name = self.finals[effect].name.clone();
        let line = source.place().line;
        let why = match source {
            Source::Fail(code) => format!("`fail: {}` on line {line}", code.value),
            Source::Rejected(operation) => format!("a rejection of `{}` on line {line}", operation.value),
            Source::Cancelled(code) => format!("cancelling with `{}` on line {line}", code.value),
        };
        let message = format!("`{}` cannot be taken back, and {why} would have to take it back", name.value);
        let help = "give it `undo: { call: ..., with: ... }`, or move it behind all that may fail";
        let points = way.map(|way| self.points.of(way)).unwrap_or_default();
        self.push(Diagnostic::error("cannot-undo", name.place, message, help).along(points));
    }

    pub(super) fn part(&self) -> Part {
        Part { finals: self.finals.len(), failures: self.frames.iter().map(|frame| frame.count).sum() }
    }

    /// The last thing that failed since `part` began.
    fn failed_since(&self, part: &Part) -> Option<Source> {
        let count: usize = self.frames.iter().map(|frame| frame.count).sum();
        let last = self.frames.iter().rev().find_map(|frame| frame.last.clone());
        last.filter(|_| count > part.failures)
    }

    /// A later round, or one beside it, takes a round back when it fails.
    pub(super) fn later_rounds_fail(&mut self, part: &Part, round: &Ways, pace: Pace) {
        let Some(source) = self.failed_since(part) else { return };
        let effects: Vec<usize> = match pace {
            Pace::AtOnce => (part.finals..self.finals.len()).collect(),
            Pace::InOrder => round.all.iter().flat_map(|way| way.final_effects()).copied().collect(),
        };
        for effect in effects.into_iter().filter(|effect| *effect >= part.finals) {
            self.cannot_take_back(effect, &source, None);
        }
    }

    /// Of parts that run side by side, each takes the others back when it fails.
    pub(super) fn other_parts_fail(&mut self, parts: &[(std::ops::Range<usize>, Option<Source>)]) {
        for (number, (effects, _)) in parts.iter().enumerate() {
            let others = parts.iter().enumerate().filter(|(other, _)| *other != number);
            let Some(source) = others.filter_map(|(_, (_, failed))| failed.clone()).next() else { continue };
            for effect in effects.clone() {
                self.cannot_take_back(effect, &source, None);
            }
        }
    }

    /// What happened in a part: its effects without undo, and what failed in it.
    pub(super) fn part_ends(&self, part: &Part) -> (std::ops::Range<usize>, Option<Source>) {
        (part.finals..self.finals.len(), self.failed_since(part))
    }
}

/// What rejections of one code from two places say.
fn joined<'c>(one: &Ty<'c>, other: &Ty<'c>, contracts: &'c mortise_contract::Contracts) -> Ty<'c> {
    one.join(other, contracts).unwrap_or_else(|_| Kind::Anything.into())
}
