//! Blocks of which one part runs, or one part several times: `switch`, `foreach`, `repeat`; and what all blocks have in
//! common, their `result`.

use super::Checker;
use super::presence::Null;
use super::scope::Binding;
use super::steps::{Level, Outcome, title};
use super::ways::Ways;
use crate::ast::{At, Expr, Foreach, Repeat, Rounds, Step, Switch};
use crate::typing::{Element, Kind, ListOf, Ty};
use crate::walk;

/// What two kinds of loops have in common.
struct Round<'s, 'c> {
    step: &'s Step,
    /// Of the element or of the round's number, and its type.
    name: &'s At<String>,
    ty: Ty<'c>,
    steps: &'s [Step],
    until: Option<&'s Expr>,
    pace: Pace,
}

/// How rounds follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    InOrder,
    AtOnce,
}

impl<'c> Checker<'c> {
    pub(super) fn switch(&mut self, step: &Step, switch: &Switch, mut ways: Ways) -> Outcome<'c> {
        let level = if step.result.is_some() { Level::Apart } else { Level::Inside };
        if level == Level::Apart {
            self.none_ran(step, &mut ways);
        }
        let mut done = Ways::default();
        let mut inner = Vec::new();
        let mut rest = ways;
        for (number, case) in switch.cases.iter().enumerate() {
            self.condition(&case.condition, &rest);
            let mut hold = self.assume(&case.condition.node, true, rest.clone());
            rest = self.assume(&case.condition.node, false, rest);
            self.points.mark(
                &mut hold,
                case.condition.place,
                format!("case {} of the switch holds", number + 1),
            );
            done = self.case(&case.steps, hold, level, &mut inner).union(done, self.limit);
        }
        let place = switch.otherwise.as_ref().map_or(step.place, |otherwise| otherwise.place);
        self.points.mark(&mut rest, place, "no case of the switch holds");
        if let Some(otherwise) = &switch.otherwise {
            rest = self.case(&otherwise.value, rest, level, &mut inner);
        }
        done = done.union(rest, self.limit);
        self.closing(step, inner, done)
    }

    /// A list of steps whose names the block's `result` sees: they are kept in `inner`.
    pub(super) fn case(
        &mut self,
        steps: &[Step],
        ways: Ways,
        level: Level,
        inner: &mut Vec<Binding<'c>>,
    ) -> Ways {
        let mark = self.scope.mark();
        let ways = self.list(steps, ways, level);
        inner.extend(self.scope.close(mark));
        ways
    }

    /// Before a block none of the steps directly inside of it ran.
    pub(super) fn none_ran(&mut self, step: &Step, ways: &mut Ways) {
        for inner in walk::inner(step).into_iter().flatten() {
            for name in walk::names(inner) {
                let ran = self.ran(name);
                ways.set(ran, false);
            }
        }
    }

    /// A block's result, worked out where it ends, with the names directly inside.
    pub(super) fn closing(&mut self, step: &Step, inner: Vec<Binding<'c>>, done: Ways) -> Outcome<'c> {
        let mark = self.scope.mark();
        inner.into_iter().for_each(|binding| self.scope.bind(binding));
        let ty = self.result(step, &done);
        let (done, _) = self.close(mark, done);
        Outcome { ty, ..Outcome::done(done) }
    }

    fn result(&mut self, step: &Step, ways: &Ways) -> Ty<'c> {
        step.result.as_ref().map_or_else(|| Ty::record(Vec::new()), |result| self.built(result, ways))
    }

    pub(super) fn foreach(&mut self, step: &Step, foreach: &Foreach, ways: Ways) -> Outcome<'c> {
        let (element, min) = self.foreach_list(step, foreach, &ways);
        self.introduce(&foreach.name, "the element's name");
        let (mut round, mut none) = (ways.clone(), ways);
        self.points.mark(&mut round, step.place, format!("{} has a round", title(step)));
        self.points.mark(&mut none, step.place, format!("{} has no round", title(step)));
        let (pace, until) = match &foreach.mode {
            Rounds::AtOnce(count) if count.value > 1 => (Pace::AtOnce, None),
            Rounds::AtOnce(_) => (Pace::InOrder, None),
            Rounds::InOrder { until } => (Pace::InOrder, until.as_ref()),
        };
        let round_of = Round { step, name: &foreach.name, ty: element, steps: &foreach.steps, until, pace };
        let (round, item) = self.round(round_of, round);
        let done = if min == 0 { none.union(round, self.limit) } else { round };
        let max = foreach.max.as_ref().map(|max| u64::from(max.value));
        let min = if until.is_some() { min.min(1) } else { min };
        let list = ListOf { items: Element::Built(item.into()), min, max };
        Outcome { ty: Kind::List(list).into(), ..Outcome::done(done) }
    }

    pub(super) fn repeat(&mut self, step: &Step, repeat: &Repeat, ways: Ways) -> Outcome<'c> {
        if repeat.max.is_none() {
            let help = "write `max: 100`, or how many rounds there may be";
            self.refuse("unbounded", step.place, "a loop without `max`", help);
        }
        self.introduce(&repeat.name, "the round's name");
        let number = Kind::Int(None).into();
        let round_of = Round {
            step,
            name: &repeat.name,
            ty: number,
            steps: &repeat.steps,
            until: repeat.until.as_ref(),
            pace: Pace::InOrder,
        };
        let (done, ty) = self.round(round_of, ways);
        Outcome { ty, ..Outcome::done(done) }
    }

    /// A round of a loop, and what it results in. Names of one round are not seen in the next, so that all rounds are
    /// alike but for what cannot be taken back any more when a later one fails.
    fn round(&mut self, of: Round<'_, 'c>, ways: Ways) -> (Ways, Ty<'c>) {
        let mark = self.scope.mark();
        let (key, line) = (of.name.place.offset, of.name.place.line);
        self.scope.bind(Binding { name: of.name.value.clone(), ty: of.ty, ran: None, key, line });
        self.around.push("loop");
        let part = self.part();
        let round = self.list(of.steps, ways, Level::Inside);
        if let Some(until) = of.until {
            self.condition(until, &round);
        }
        let item = self.result(of.step, &round);
        self.later_rounds_fail(&part, &round, of.pace);
        self.around.pop();
        let (round, _) = self.close(mark, round);
        (round, item)
    }

    /// The type of an element and the least number of them; the loop has to have room for all.
    fn foreach_list(&mut self, step: &Step, foreach: &Foreach, ways: &Ways) -> (Ty<'c>, u64) {
        let ty = self.expr(&foreach.list, ways, Null::Refused);
        let source = &foreach.list.source;
        let list = match &ty.non_null().kind {
            Kind::List(list) => list.clone(),
            Kind::Unknown => return (Ty::unknown(), 0),
            _ => {
                let shown = ty.shown(self.contracts);
                self.refuse(
                    "type-mismatch",
                    foreach.list.place,
                    format!("`{source}` is {shown}, not a list"),
                    "go through a list",
                );
                return (Ty::unknown(), 0);
            }
        };
        let help = match list.max {
            Some(most) => format!("write `max: {most}`"),
            None => "limit the list where it comes from (`maxItems`)".to_owned(),
        };
        match (&foreach.max, list.max) {
            (None, _) => self.refuse("unbounded", step.place, "a loop without `max`", help),
            (Some(max), Some(most)) if u64::from(max.value) < most => {
                let message =
                    format!("`{source}` may have {most} elements, the loop has room for {}", max.value);
                self.refuse("unbounded", max.place, message, help);
            }
            (Some(max), None) => {
                let message = format!(
                    "`{source}` may have any number of elements, the loop has room for {}",
                    max.value
                );
                self.refuse("unbounded", max.place, message, help);
            }
            _ => {}
        }
        (list.items.ty(self.contracts), list.min)
    }
}
