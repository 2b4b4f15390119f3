//! The steps of a flow, walked on all ways at once. Each step takes the ways that lead to it and gives those that lead on,
//! told apart by whether it ran.

use std::collections::HashSet;

use super::failure::Source;
use super::presence::Null;
use super::scope::Binding;
use super::ways::{Answered, Fact, Ways};
use super::{Checker, Next, Phase, Readable};
use crate::ast::{At, Clock, Place, Step, StepKind, Switch, Template, Visibility, Wait};
use crate::diagnostic::Diagnostic;
use crate::typing::{Kind, Ty};
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
    pub(super) fn done(done: Ways) -> Self {
        Self { done, missed: Ways::default(), ty: Ty::record(Vec::new()) }
    }

    fn ended() -> Self {
        Self::done(Ways::default())
    }
}

/// Whether no way leads on behind a step, whatever holds.
fn ends(step: &Step) -> bool {
    let end = |steps: &[Step]| steps.iter().any(ends);
    let inner = walk::inner(step);
    step.when.is_none()
        && match &step.kind {
            StepKind::Fail(_) | StepKind::End(_) => true,
            StepKind::Switch(Switch { otherwise: None, .. }) => false,
            StepKind::Switch(_) | StepKind::Race(_) | StepKind::Attempt(_) => inner.into_iter().all(end),
            StepKind::Parallel(_) | StepKind::Repeat(_) => inner.into_iter().any(end),
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
            let next = steps.get(index + 1);
            let pivot =
                level == Level::Top && next.is_some_and(|next| matches!(next.kind, StepKind::Pivot(_)));
            self.next = if pivot { Next::Pivot } else { Next::Other };
            ways = self.step(step, ways, level);
            if ends(step) {
                ended = Some(step);
            }
            if let Some(next) = next {
                ways = ways.forget(&self.facts, next.place.offset, self.limit);
            }
        }
        ways
    }

    /// A list in a block of its own: what is bound in it ends with it.
    pub(super) fn block(&mut self, steps: &[Step], ways: Ways) -> Ways {
        let mark = self.scope.mark();
        let ways = self.list(steps, ways, Level::Inside);
        self.close(mark, ways).0
    }

    pub(super) fn close(&mut self, mark: usize, ways: Ways) -> (Ways, Vec<Binding<'c>>) {
        let bound = self.scope.close(mark);
        let owners: HashSet<usize> = bound.iter().map(|binding| binding.key).collect();
        (ways.forget_owned(&self.facts, &owners, self.limit), bound)
    }

    pub(super) fn ran(&mut self, name: &At<String>) -> Fact {
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
    pub(super) fn introduce(&mut self, name: &At<String>, what: &str) {
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
                self.between_stretches(&ways);
                Outcome::done(ways)
            }
            StepKind::Switch(switch) => self.switch(step, switch, ways),
            StepKind::Foreach(foreach) => self.foreach(step, foreach, ways),
            StepKind::Tcc(tcc) => self.tcc(step, tcc, ways),
            StepKind::Parallel(branches) => self.parallel(step, branches, ways),
            StepKind::Race(racers) => self.race(step, racers, ways),
            StepKind::Repeat(repeat) => self.repeat(step, repeat, ways),
            StepKind::Attempt(attempt) => self.attempt(step, attempt, ways),
            StepKind::Start(start) => self.start(step, start, ways),
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
                let detail = self.detail_of_fail(&code.value);
                self.fails(Source::Fail(code.clone()), &[(&code.value, detail)], &ways);
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

    pub(super) fn must_have_answered(&mut self, mut ways: Ways, place: Place, what: &str) -> Ways {
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
            if let Some(around) = self.around.last() {
                self.refuse(
                    "no-answer",
                    step.place,
                    format!("an answer stands inside of a {around}, which may answer never or twice"),
                    format!("move it in front of the {around}"),
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

    pub(super) fn clock(&mut self, clock: &Clock, ways: &Ways) {
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

    /// The type of an event that is waited for; its key has to be of the type that it is matched by.
    pub(super) fn awaited(&mut self, event: &At<String>, key: &Template, ways: &Ways) -> Ty<'c> {
        let contract = self.event(event);
        let wanted = contract.map_or_else(Ty::unknown, |contract| Ty::of(&contract.key, self.contracts));
        self.fits(key, &wanted, &format!("the key of `{}`", event.value), ways);
        contract.map_or_else(Ty::unknown, |contract| Ty::of(&contract.payload, self.contracts))
    }

    fn wait(&mut self, step: &Step, wait: &Wait, ways: Ways) -> Outcome<'c> {
        let mut ways =
            self.must_have_answered(ways, step.place, &format!("it waits for `{}`", wait.event.value));
        let ty = self.awaited(&wait.event, &wait.key, &ways);
        self.clock(&wait.clock, &ways);
        self.between_stretches(&ways);
        let mut late = ways.clone();
        self.points.mark(&mut ways, step.place, format!("`{}` comes", wait.event.value));
        self.points.mark(&mut late, step.place, format!("`{}` does not come in time", wait.event.value));
        let missed = self.block(&wait.on_timeout, late);
        Outcome { done: ways, missed, ty }
    }
}
