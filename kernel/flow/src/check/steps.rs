//! The steps of a flow, walked on all ways at once. Each step takes the ways that lead to it and gives those that lead on,
//! told apart by whether it ran.

use std::collections::HashSet;

use super::presence::Null;
use super::scope::Binding;
use super::ways::{Answered, Fact, Ways};
use super::{Checker, Phase, Readable};
use crate::ast::{At, Clock, Foreach, Place, Rounds, Step, StepKind, Switch, Template, Visibility, Wait};
use crate::diagnostic::Diagnostic;
use crate::typing::{Element, Kind, ListOf, Ty};
use crate::walk;

/// Where a list of steps stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Top,
    /// In a block.
    Inside,
    /// In a block whose `result` is worked out on ways on which other parts of it ran.
    Apart,
}

/// The ways behind a step: on `done` it ran, on `missed` it did not.
pub(super) struct Outcome<'c> {
    pub(super) done: Ways,
    pub(super) missed: Ways,
    pub(super) ty: Ty<'c>,
}

impl<'c> Outcome<'c> {
    fn done(done: Ways) -> Self {
        Self { done, missed: Ways::default(), ty: Ty::record(Vec::new()) }
    }

    fn ended() -> Self {
        Self::done(Ways::default())
    }
}

fn ends(step: &Step) -> bool {
    step.when.is_none()
        && match &step.kind {
            StepKind::Fail(_) | StepKind::End(_) => true,
            StepKind::Switch(Switch { cases, otherwise: Some(otherwise) }) => {
                let lists = cases.iter().map(|case| &case.steps).chain(std::iter::once(&otherwise.value));
                lists.into_iter().all(|steps| steps.iter().any(ends))
            }
            _ => false,
        }
}

/// How a step is called in messages.
pub(super) fn title(step: &Step) -> String {
    let word = match &step.kind {
        StepKind::Call(call) => &call.operation.value,
        StepKind::Tcc(_) => "tcc",
        StepKind::Wait(wait) => &wait.event.value,
        StepKind::Sleep(_) => "sleep",
        StepKind::Switch(_) => "switch",
        StepKind::Parallel(_) => "parallel",
        StepKind::Race(_) => "race",
        StepKind::Foreach(_) => "foreach",
        StepKind::Repeat(_) => "repeat",
        StepKind::Attempt(_) => "attempt",
        StepKind::Start(start) => &start.flow.value,
        StepKind::Emit { event, .. } => &event.value,
        StepKind::Answer(_) => "answer",
        StepKind::Let(_) => "let",
        StepKind::Pivot(_) => "pivot",
        StepKind::Fail(_) => "fail",
        StepKind::End(_) => "end",
        StepKind::Attention(_) => "attention",
    };
    step.id.as_ref().map_or_else(|| format!("`{word}`"), |id| format!("`{}` ({word})", id.value))
}

impl<'c> Checker<'c> {
    pub(super) fn top(&mut self, steps: &[Step], ways: Ways) -> Ways {
        self.list(steps, ways, Level::Top)
    }

    pub(super) fn list(&mut self, steps: &[Step], mut ways: Ways, level: Level) -> Ways {
        let mut ended: Option<&Step> = None;
        for (index, step) in steps.iter().enumerate() {
            if let Some(end) = ended.take() {
                let message = format!(
                    "this is never reached: {} on line {} ends every way",
                    title(end),
                    end.place.line
                );
                self.refuse("unreachable", step.place, message, "take it away, or move it in front");
                ways = Ways::default();
            }
            ways = self.step(step, ways, level);
            if ends(step) {
                ended = Some(step);
            }
            if let Some(next) = steps.get(index + 1) {
                ways = ways.forget(&self.facts, next.place.offset, self.limit);
            }
        }
        ways
    }

    /// A list in a block of its own: what is bound in it ends with it.
    fn block(&mut self, steps: &[Step], ways: Ways) -> Ways {
        let mark = self.scope.mark();
        let ways = self.list(steps, ways, Level::Inside);
        self.close(mark, ways).0
    }

    pub(super) fn close(&mut self, mark: usize, ways: Ways) -> (Ways, Vec<Binding<'c>>) {
        let bound = self.scope.close(mark);
        let owners: HashSet<usize> = bound.iter().map(|binding| binding.key).collect();
        (ways.forget_owned(&self.facts, &owners, self.limit), bound)
    }

    fn ran(&mut self, name: &At<String>) -> Fact {
        let key = name.place.offset;
        let last = self.uses.last(&name.value);
        self.facts.fact(format!("ran@{key}"), last, key)
    }

    fn step(&mut self, step: &Step, ways: Ways, level: Level) -> Ways {
        let (run, skipped) = match &step.when {
            None => (ways, Ways::default()),
            Some(when) => {
                self.condition(when, &ways);
                let mut hold = self.assume(&when.node, true, ways.clone());
                let mut fail = self.assume(&when.node, false, ways);
                self.points.mark(&mut hold, when.place, format!("the condition of {} holds", title(step)));
                self.points.mark(
                    &mut fail,
                    when.place,
                    format!("the condition of {} does not hold", title(step)),
                );
                (hold, fail)
            }
        };
        let mark = self.scope.mark();
        let outcome = self.kind(step, run, level);
        let mut done = outcome.done;
        let mut missed = skipped.union(outcome.missed, self.limit);
        for binding in self.scope.close(mark) {
            let name =
                At { value: binding.name.clone(), place: Place { offset: binding.key, ..Place::default() } };
            let ran = self.told_apart(&name, &mut done, &mut missed, level);
            self.scope.bind(Binding { ran, ..binding });
        }
        if let Some(id) = &step.id {
            self.introduce(id, "the id");
            let ran = self.told_apart(id, &mut done, &mut missed, level);
            let (key, line) = (id.place.offset, id.place.line);
            self.scope.bind(Binding { name: id.value.clone(), ty: outcome.ty, ran, key, line });
        }
        done.union(missed, self.limit)
    }

    /// The fact that says on which ways a name is bound; none if it is on all.
    fn told_apart(
        &mut self,
        name: &At<String>,
        done: &mut Ways,
        missed: &mut Ways,
        level: Level,
    ) -> Option<Fact> {
        if missed.is_empty() && level != Level::Apart {
            return None;
        }
        let ran = self.ran(name);
        done.set(ran, true);
        missed.set(ran, false);
        Some(ran)
    }

    /// A name may not repeat one that is bound here.
    fn introduce(&mut self, name: &At<String>, what: &str) {
        if self.uses.is_repeated(name) {
            return;
        }
        let line = self.scope.get(&name.value).map(|known| known.line);
        let message = match line {
            _ if name.value == "rejection" => {
                format!("{what} `rejection` is a word of the language: in a handler it is what was rejected")
            }
            None => return,
            Some(0) => format!("{what} `{}` is a word of the language", name.value),
            Some(line) => format!("{what} `{}` is bound here already, on line {line}", name.value),
        };
        self.refuse("shadowed-name", name.place, message, "choose another name");
    }

    fn kind(&mut self, step: &Step, ways: Ways, level: Level) -> Outcome<'c> {
        match &step.kind {
            StepKind::Call(call) => self.call(step, call, ways),
            StepKind::Wait(wait) => self.wait(step, wait, ways),
            StepKind::Sleep(clock) => {
                let ways = self.must_have_answered(ways, step.place, "a `sleep` begins");
                self.clock(clock, &ways);
                Outcome::done(ways)
            }
            StepKind::Switch(switch) => self.switch(step, switch, ways),
            StepKind::Foreach(foreach) => self.foreach(step, foreach, ways),
            StepKind::Tcc(_)
            | StepKind::Parallel(_)
            | StepKind::Race(_)
            | StepKind::Repeat(_)
            | StepKind::Attempt(_)
            | StepKind::Start(_) => {
                let mut done = ways.clone();
                for steps in walk::inner(step) {
                    done = self.block(steps, ways.clone()).union(done, self.limit);
                }
                Outcome::done(done)
            }
            StepKind::Emit { event, with } => {
                self.emit(event, with, &ways);
                Outcome::done(ways)
            }
            StepKind::Answer(template) => self.answer(step, template, ways),
            StepKind::Let(names) => {
                for (name, template) in names {
                    let ty = self.built(template, &ways);
                    self.introduce(name, "the name");
                    let (key, line) = (name.place.offset, name.place.line);
                    self.scope.bind(Binding { name: name.value.clone(), ty, ran: None, key, line });
                    let what = format!("nobody uses the name `{}`", name.value);
                    self.readable.push(Readable { key, place: name.place, what });
                }
                Outcome::done(ways)
            }
            StepKind::Pivot(_) => {
                self.pivot(step, level);
                Outcome::done(ways)
            }
            StepKind::Fail(code) => {
                if self.phase == Phase::Behind {
                    let message = format!(
                        "`fail: {}` stands behind the pivot, where nothing is taken back",
                        code.value
                    );
                    let help = "drive it forward: `attention` and another try, or `end`";
                    self.refuse("rejects-after-pivot", code.place, message, help);
                }
                self.fails.insert(code.value.clone());
                Outcome::ended()
            }
            StepKind::End(_) => {
                self.unanswered(&ways, step.place, "the trade ends");
                Outcome::ended()
            }
            StepKind::Attention(template) => {
                self.readable(template, &ways);
                Outcome::done(ways)
            }
        }
    }

    fn pivot(&mut self, step: &Step, level: Level) {
        let help = "a flow has one pivot, in its top list, without `when`";
        if level != Level::Top {
            self.refuse("syntax", step.place, "a pivot stands inside of a block", help);
        } else if step.when.is_some() {
            self.refuse("syntax", step.place, "a pivot has a condition", help);
        } else if self.phase == Phase::Behind {
            self.refuse("syntax", step.place, "a second pivot", help);
        }
        if level == Level::Top {
            self.phase = Phase::Behind;
        }
    }

    fn must_have_answered(&mut self, mut ways: Ways, place: Place, what: &str) -> Ways {
        self.unanswered(&ways, place, what);
        for way in &mut ways.all {
            way.answered = Answered::Yes;
        }
        ways
    }

    fn answer(&mut self, step: &Step, template: &Template, mut ways: Ways) -> Outcome<'c> {
        let ty = self.built(template, &ways);
        self.answers.push((template.place, ty));
        if self.visibility == Visibility::Public {
            let help = "every way answers exactly once";
            if self.loops > 0 {
                self.refuse(
                    "no-answer",
                    step.place,
                    "an answer stands inside of a loop, which may answer never or twice",
                    "move it in front of the loop or behind it",
                );
            } else if let Some(way) = ways.all.iter().find(|way| way.answered == Answered::Yes) {
                let points = self.points.of(way);
                self.push(
                    Diagnostic::error("no-answer", step.place, "the caller is answered twice", help)
                        .along(points),
                );
            }
        }
        for way in &mut ways.all {
            way.answered = Answered::Yes;
        }
        Outcome::done(ways)
    }

    fn clock(&mut self, clock: &Clock, ways: &Ways) {
        let Clock::Expr(expr) = clock else { return };
        let ty = self.expr(expr, ways, Null::Refused);
        if !matches!(ty.non_null().kind, Kind::Moment | Kind::Duration | Kind::Unknown) {
            let shown = ty.shown(self.contracts);
            let message = format!("`{}` is {shown}, not a moment", expr.source);
            self.refuse(
                "type-mismatch",
                expr.place,
                message,
                "give a moment, such as `now + duration('30m')`",
            );
        }
    }

    fn emit(&mut self, event: &At<String>, with: &Template, ways: &Ways) {
        let contract = self.event(event);
        if contract.is_some_and(|contract| contract.key_from.is_none()) {
            let message = format!(
                "`{}` cannot be emitted: its contract does not say which field is its key",
                event.value
            );
            self.refuse("type-mismatch", event.place, message, "declare `key_from` in the event's contract");
        }
        let wanted = contract.map_or_else(Ty::unknown, |contract| Ty::of(&contract.payload, self.contracts));
        self.fits(with, &wanted, &format!("`{}`", event.value), ways);
    }

    fn wait(&mut self, step: &Step, wait: &Wait, ways: Ways) -> Outcome<'c> {
        let mut ways =
            self.must_have_answered(ways, step.place, &format!("it waits for `{}`", wait.event.value));
        let contract = self.event(&wait.event);
        let key = contract.map_or_else(Ty::unknown, |contract| Ty::of(&contract.key, self.contracts));
        let ty = contract.map_or_else(Ty::unknown, |contract| Ty::of(&contract.payload, self.contracts));
        self.fits(&wait.key, &key, &format!("the key of `{}`", wait.event.value), &ways);
        self.clock(&wait.clock, &ways);
        let mut late = ways.clone();
        self.points.mark(&mut ways, step.place, format!("`{}` comes", wait.event.value));
        self.points.mark(&mut late, step.place, format!("`{}` does not come in time", wait.event.value));
        let missed = self.block(&wait.on_timeout, late);
        Outcome { done: ways, missed, ty }
    }

    fn switch(&mut self, step: &Step, switch: &Switch, mut ways: Ways) -> Outcome<'c> {
        let level = if step.result.is_some() { Level::Apart } else { Level::Inside };
        if level == Level::Apart {
            self.none_ran(switch, &mut ways);
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
        let mark = self.scope.mark();
        inner.into_iter().for_each(|binding| self.scope.bind(binding));
        let ty = self.result(step, &done);
        let (done, _) = self.close(mark, done);
        Outcome { ty, ..Outcome::done(done) }
    }

    fn case(&mut self, steps: &[Step], ways: Ways, level: Level, inner: &mut Vec<Binding<'c>>) -> Ways {
        let mark = self.scope.mark();
        let ways = self.list(steps, ways, level);
        inner.extend(self.scope.close(mark));
        ways
    }

    /// Before a switch none of the steps directly inside of it ran.
    fn none_ran(&mut self, switch: &Switch, ways: &mut Ways) {
        let lists = switch
            .cases
            .iter()
            .map(|case| &case.steps)
            .chain(switch.otherwise.iter().map(|steps| &steps.value));
        for step in lists.flatten() {
            let lets = match &step.kind {
                StepKind::Let(names) => names.iter().map(|(name, _)| name).collect(),
                _ => Vec::new(),
            };
            for name in step.id.iter().chain(lets) {
                let ran = self.ran(name);
                ways.set(ran, false);
            }
        }
    }

    fn result(&mut self, step: &Step, ways: &Ways) -> Ty<'c> {
        step.result.as_ref().map_or_else(|| Ty::record(Vec::new()), |result| self.built(result, ways))
    }

    fn foreach(&mut self, step: &Step, foreach: &Foreach, ways: Ways) -> Outcome<'c> {
        let (element, min) = self.foreach_list(step, foreach, &ways);
        self.introduce(&foreach.name, "the element's name");
        let mark = self.scope.mark();
        let (key, line) = (foreach.name.place.offset, foreach.name.place.line);
        self.scope.bind(Binding { name: foreach.name.value.clone(), ty: element, ran: None, key, line });
        let (mut round, mut none) = (ways.clone(), ways);
        self.points.mark(&mut round, step.place, format!("{} has a round", title(step)));
        self.points.mark(&mut none, step.place, format!("{} has no round", title(step)));
        self.loops += 1;
        let round = self.list(&foreach.steps, round, Level::Inside);
        let until = match &foreach.mode {
            Rounds::InOrder { until: Some(until) } => {
                self.condition(until, &round);
                true
            }
            _ => false,
        };
        let item = self.result(step, &round);
        self.loops -= 1;
        let (round, _) = self.close(mark, round);
        let done = if min == 0 { none.union(round, self.limit) } else { round };
        let max = foreach.max.as_ref().map(|max| u64::from(max.value));
        let min = if until { min.min(1) } else { min };
        let list = ListOf { items: Element::Built(item.into()), min, max };
        Outcome { ty: Kind::List(list).into(), ..Outcome::done(done) }
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
