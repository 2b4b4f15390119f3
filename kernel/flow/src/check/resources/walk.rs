//! One acquisition followed along all ways of a flow: step by step, block by block. What a way ends with is judged in
//! `ends`, what calls do to a handle in `calls`, loops and branches are in `blocks`.

use std::rc::Rc;

use mortise_contract::{Contracts, Effect};

use super::ends::{Ending, How, Target};
use super::survey::{Origin, Site};
use super::track::{Handle, Track};
use super::value::{Value, acquired};
use crate::ast::{At, CancelOn, Flow, Handler, Place, Step, StepKind, Template};
use crate::check::Checker;
use crate::check::scope::Binding;
use crate::check::steps::title;
use crate::check::ways::{Points, Rest, Way, Ways};
use crate::typing::Ty;
use crate::walk;

/// The ways behind a step: on `done` it ran, on `missed` it did not.
pub(super) struct Outcome {
    pub(super) done: Ways,
    pub(super) missed: Ways,
}

impl Outcome {
    pub(super) fn done(done: Ways) -> Self {
        Self { done, missed: Ways::default() }
    }
}

/// What cancels, and what it fails.
pub(super) struct Cancel<'c> {
    pub(super) event: &'c str,
    pub(super) code: &'c str,
    pub(super) target: Target,
}

/// Whether anything finished can still be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pivot {
    Ahead,
    Passed,
}

/// Follows one acquisition.
pub(super) struct Walk<'k, 'c> {
    pub(super) checker: &'k mut Checker<'c>,
    pub(super) contracts: &'c Contracts,
    pub(super) site: &'k Site,
    /// What the step may acquire: the output, and the handles in it.
    pub(super) outputs: Vec<(Value, Vec<Handle>)>,
    /// The resource of each slot.
    pub(super) resources: Vec<String>,
    pub(super) pivot: Pivot,
    pub(super) cancels: Vec<Cancel<'c>>,
    /// How many attempts are around.
    pub(super) attempts: usize,
    /// Ways that have ended within the blocks that want to know, innermost last.
    pub(super) endings: Vec<Vec<Ending>>,
    /// Ways between the steps of the branches around, innermost last.
    pub(super) between: Vec<Ways>,
    /// How many loops are around.
    pub(super) loops: usize,
    /// Where the outermost loop or `parallel` around begins: what is read in it is not forgotten within it.
    pub(super) keep_from: Option<usize>,
    pub(super) verdict: super::ends::Verdict,
    /// Steps times ways that may still be looked at.
    pub(super) left: &'k mut usize,
}

impl<'k, 'c> Walk<'k, 'c> {
    pub(super) fn new(checker: &'k mut Checker<'c>, site: &'k Site, left: &'k mut usize) -> Self {
        let paths: Vec<_> = site.held.iter().map(|held| &*held.path).collect();
        let (both, numbers) = acquired(&paths);
        let resources = numbers.iter().map(|number| site.held[*number].resource.clone()).collect();
        let one = both.first();
        let mut outputs = vec![both];
        if outputs[0] != one {
            outputs.insert(0, one);
        }
        let outputs = outputs
            .into_iter()
            .map(|value| {
                let mut present = Vec::new();
                value.all(&mut present);
                let handle = |slot| match present.iter().any(|known| usize::from(*known) == slot) {
                    true => Handle::Held,
                    false => Handle::Absent,
                };
                let handles = (0..numbers.len()).map(handle).collect();
                (value, handles)
            })
            .collect();
        let contracts = checker.contracts;
        checker.points = Points::default();
        Self {
            checker,
            contracts,
            site,
            outputs,
            resources,
            pivot: Pivot::Ahead,
            cancels: Vec::new(),
            attempts: 0,
            endings: Vec::new(),
            between: Vec::new(),
            loops: 0,
            keep_from: None,
            verdict: super::ends::Verdict::default(),
            left,
        }
    }

    /// What there is to say of this acquisition.
    pub(super) fn run(mut self, flow: &'c Flow) -> super::ends::Verdict {
        let mark = self.checker.scope.mark();
        if let Some(cancel) = &flow.cancel_on {
            self.cancels.push(cancel_of(cancel, Target::Flow));
        }
        let ways = self.starts();
        let ways = self.list(&flow.steps, ways);
        let end = flow.steps.last().map_or(flow.name.place, |step| step.place);
        self.ends(ways, end, "the flow ends".to_owned(), How::End);
        self.checker.scope.close(mark);
        self.verdict
    }

    /// The ways that begin the flow: one, or one for each shape of an input's handles.
    fn starts(&self) -> Ways {
        let given = |value: &Value, handles: &[Handle]| {
            Track::given(crate::check::head::INPUT, value.clone(), handles.to_vec())
        };
        let tracks: Vec<Track> = match self.site.origin {
            Origin::Step(_) => vec![Track::default()],
            Origin::Input => self.outputs.iter().map(|(value, handles)| given(value, handles)).collect(),
        };
        let way = |track: Track| {
            let mut ways = Ways::start().all;
            ways.iter_mut().for_each(|way| way.track = Some(track.clone().into()));
            ways
        };
        Ways { all: tracks.into_iter().flat_map(way).collect() }
    }

    /// At most so many ways are kept apart.
    pub(super) fn limit(&self) -> usize {
        self.checker.limit
    }

    pub(super) fn both(&self, one: Ways, other: Ways) -> Ways {
        one.union(other, self.limit())
    }

    pub(super) fn list(&mut self, steps: &'c [Step], mut ways: Ways) -> Ways {
        for (index, step) in steps.iter().enumerate() {
            *self.left = self.left.saturating_sub(1 + ways.all.len());
            if ways.is_empty() || *self.left == 0 {
                self.unreached(step);
                step.id.iter().for_each(|id| self.bind(id));
                ways = Ways::default();
                continue;
            }
            if self.may_not_come_about(step) {
                self.collect(&ways, self.rest_before(step));
            }
            ways = self.step(step, ways);
            if self.site.behind.contains(&step.place.offset) {
                ways.all.retain(Way::follows);
            }
            if let Some(next) = steps.get(index + 1) {
                let from = self.keep_from.map_or(next.place.offset, |from| from.min(next.place.offset));
                ways = ways.forget(&self.checker.facts, from, self.checker.limit);
            }
            // Behind anything else the next step has begun by the time at which all may end.
            if matches!(step.kind, StepKind::Call(_) | StepKind::Start(_) | StepKind::Tcc(_)) {
                self.collect(&ways, self.rest_behind(step));
            }
            if ways.all.len() > 4 * self.limit() {
                *self.left = 0;
            }
        }
        ways
    }

    /// How often a step waits for something, so that what runs beside it goes on. What ends all does not wait for events and
    /// clocks, and cancels tries: more than once.
    pub(super) fn waits_for(&self, step: &Step) -> u8 {
        match &step.kind {
            StepKind::Call(_) | StepKind::Start(_) => 1,
            StepKind::Tcc(_) | StepKind::Wait(_) | StepKind::Race(_) | StepKind::Sleep(_) => 2,
            _ => 0,
        }
    }

    /// Whether a step that has begun may not have happened when what runs beside it ends all.
    fn may_not_come_about(&self, step: &Step) -> bool {
        match &step.kind {
            StepKind::Call(call) => {
                let contract = self.contracts.operations.get(&call.operation.value);
                contract.is_none_or(|known| !known.rejections.is_empty() || known.effect == Effect::Remote)
            }
            _ => self.waits_for(step) > 0,
        }
    }

    /// Where a branch is that has come to a step.
    fn rest_before(&self, step: &Step) -> Rest {
        let asks = match &step.kind {
            StepKind::Call(call) => self.is_remote(&call.operation.value),
            StepKind::Tcc(tcc) => self.asks_to_try(tcc),
            _ => true,
        };
        if asks { Rest::Between } else { Rest::Amid }
    }

    /// Where a branch is behind a call: the answer may have come when all was over already.
    fn rest_behind(&self, step: &Step) -> Rest {
        let asks = match &step.kind {
            StepKind::Call(call) => self.is_remote(&call.operation.value),
            StepKind::Tcc(tcc) => self.asks_to_confirm(tcc),
            _ => true,
        };
        if asks { Rest::Between } else { Rest::Amid }
    }

    pub(super) fn is_remote(&self, operation: &str) -> bool {
        self.contracts.operations.get(operation).is_some_and(|known| known.effect == Effect::Remote)
    }

    /// Remembers where a branch may be when another one ends.
    pub(super) fn collect(&mut self, ways: &Ways, rest: Rest) {
        let limit = self.limit();
        // Where nothing cancels, it makes no difference.
        let rest = if self.cancels.is_empty() { Rest::Between } else { rest };
        if let Some(between) = self.between.last_mut() {
            let mut begun = Ways { all: ways.all.iter().filter(|way| way.follows()).cloned().collect() };
            begun.rests(rest);
            *between = std::mem::take(between).union(begun, limit);
        }
    }

    /// A list in a block of its own.
    pub(super) fn block(&mut self, steps: &'c [Step], ways: Ways) -> Ways {
        let mark = self.checker.scope.mark();
        let ways = self.list(steps, ways);
        self.close(mark, ways).0
    }

    /// Ends a block: its names hold nothing any more.
    pub(super) fn close(&mut self, mark: usize, ways: Ways) -> (Ways, Vec<Binding<'c>>) {
        let (mut ways, bound) = self.checker.close(mark, ways);
        for way in &mut ways.all {
            for binding in &bound {
                if way.track().is_named(binding.key) {
                    way.track_mut().name(binding.key, Value::Nothing);
                }
            }
        }
        (ways, bound)
    }

    fn step(&mut self, step: &'c Step, ways: Ways) -> Ways {
        let (run, skipped) = match &step.when {
            None => (ways, Ways::default()),
            Some(when) => {
                let mut hold = self.checker.assume(&when.node, true, ways.clone());
                let mut fail = self.checker.assume(&when.node, false, ways);
                self.mark(&mut hold, when.place, step, || format!("the condition of {} holds", title(step)));
                self.mark(&mut fail, when.place, step, || {
                    format!("the condition of {} does not hold", title(step))
                });
                (hold, fail)
            }
        };
        let mark = self.checker.scope.mark();
        let outcome = self.kind(step, run);
        let mut done = outcome.done;
        let mut missed = self.both(skipped, outcome.missed);
        for binding in self.checker.scope.close(mark) {
            self.told_apart(binding.key, &mut done, &mut missed);
            self.checker.scope.bind(binding);
        }
        if let Some(id) = &step.id {
            self.told_apart(id.place.offset, &mut done, &mut missed);
            self.bind(id);
        }
        self.both(done, missed)
    }

    /// Notes whether the step of a name ran.
    fn told_apart(&mut self, key: usize, done: &mut Ways, missed: &mut Ways) {
        if let Some(ran) = self.checker.scope.known(key).and_then(|binding| binding.ran) {
            done.set(ran, true);
            missed.set(ran, false);
        }
    }

    /// None of the steps directly in these lists has run.
    pub(super) fn none_ran(&mut self, lists: &[&'c [Step]], ways: &mut Ways) {
        for step in lists.iter().flat_map(|steps| steps.iter()) {
            for name in walk::names(step) {
                if let Some(ran) = self.checker.scope.known(name.place.offset).and_then(|binding| binding.ran)
                {
                    ways.set(ran, false);
                }
            }
        }
    }

    /// Binds a name as the first walk has found it to be.
    pub(super) fn bind(&mut self, name: &At<String>) {
        let key = name.place.offset;
        let binding = self.checker.scope.known(key).cloned().unwrap_or_else(|| Binding {
            name: name.value.clone(),
            ty: Ty::unknown(),
            ran: None,
            key,
            line: name.place.line,
        });
        self.checker.scope.bind(binding);
    }

    /// Binds what a handler is told.
    pub(super) fn bind_rejection(&mut self, handler: &Handler) {
        self.bind(&At { value: "rejection".to_owned(), place: handler.code.place });
    }

    /// Writes a decision on the ways: behind the acquisition, and where it leads to it.
    pub(super) fn mark(
        &mut self,
        ways: &mut Ways,
        place: Place,
        around: &Step,
        what: impl FnOnce() -> String,
    ) {
        let leads = self.site.behind.contains(&around.place.offset);
        if leads || ways.all.iter().any(Way::follows) {
            self.checker.points.mark(ways, place, what());
        }
    }

    fn kind(&mut self, step: &'c Step, mut ways: Ways) -> Outcome {
        if ways.is_empty() {
            self.unreached(step);
            return Outcome::done(ways);
        }
        // What a step is given is worked out before it waits for anything.
        match &step.kind {
            StepKind::Call(call) => self.worked_out(step, &call.with, &ways),
            StepKind::Start(start) => self.worked_out(step, &start.with, &ways),
            StepKind::Wait(wait) => self.worked_out(step, &wait.key, &ways),
            _ => {}
        }
        if !matches!(step.kind, StepKind::Tcc(_)) {
            ways.waits(self.waits_for(step));
        }
        match &step.kind {
            StepKind::Call(call) => self.call(step, call, ways),
            StepKind::Tcc(tcc) => self.tcc(step, tcc, ways),
            StepKind::Start(start) => self.start(step, start, ways),
            StepKind::Wait(wait) => self.wait(step, wait, ways),
            StepKind::Race(racers) => Outcome::done(self.race(step, racers, ways)),
            StepKind::Sleep(_) => {
                self.cancelled(&ways, step.place);
                Outcome::done(ways)
            }
            StepKind::Switch(switch) => Outcome::done(self.switch(step, switch, ways)),
            StepKind::Parallel(branches) => Outcome::done(self.parallel(step, branches, ways)),
            StepKind::Foreach(foreach) => Outcome::done(self.foreach(step, foreach, ways)),
            StepKind::Repeat(repeat) => Outcome::done(self.repeat(step, repeat, ways)),
            StepKind::Attempt(attempt) => Outcome::done(self.attempt(step, attempt, ways)),
            StepKind::Let(names) => {
                for (name, template) in names {
                    let groups = self.values(template, ways);
                    ways = self.named(name.place.offset, groups);
                    self.bind(name);
                }
                Outcome::done(ways)
            }
            StepKind::Pivot(_) => {
                self.pivot = Pivot::Passed;
                self.cancels.retain(|cancel| cancel.target != Target::Flow);
                for way in &mut ways.all {
                    way.track_mut().forget();
                }
                Outcome::done(ways)
            }
            StepKind::Fail(code) => {
                let how = How::failed(&code.value);
                self.ends(ways, step.place, format!("fail: {}", code.value), how);
                Outcome::done(Ways::default())
            }
            StepKind::End(outcome) => {
                self.ends(ways, step.place, format!("end: {}", outcome.value), How::End);
                Outcome::done(Ways::default())
            }
            StepKind::Emit { .. } | StepKind::Answer(_) | StepKind::Attention(_) => Outcome::done(ways),
        }
    }

    /// A step that no way reaches binds its names all the same.
    fn unreached(&mut self, step: &'c Step) {
        match &step.kind {
            StepKind::Let(names) => names.iter().for_each(|(name, _)| self.bind(name)),
            StepKind::Tcc(tcc) => {
                tcc.calls.iter().filter_map(|tried| tried.id.as_ref()).for_each(|id| self.bind(id))
            }
            StepKind::Pivot(_) => {
                self.pivot = Pivot::Passed;
                self.cancels.retain(|cancel| cancel.target != Target::Flow);
            }
            _ => {}
        }
    }

    /// The ways on which an expression that may have no value (a division by zero, an overflow) has one.
    pub(super) fn worked_out(&mut self, step: &'c Step, template: &'c Template, ways: &Ways) {
        if let Some(expr) = super::values::may_fail(template) {
            let how = How::failed(crate::machine::EVALUATION_FAILED);
            self.ends(ways.clone(), step.place, format!("`{}` has no value", expr.source), how);
        }
    }
}

impl Way {
    pub(super) fn track(&self) -> &Track {
        static NONE: std::sync::LazyLock<Track> = std::sync::LazyLock::new(Track::default);
        self.track.as_deref().unwrap_or(&NONE)
    }

    pub(super) fn track_mut(&mut self) -> &mut Track {
        Rc::make_mut(self.track.get_or_insert_default())
    }

    /// Whether what is followed has begun on this way.
    pub(super) fn follows(&self) -> bool {
        self.track().is_begun()
    }
}

pub(super) fn cancel_of(cancel: &CancelOn, target: Target) -> Cancel<'_> {
    Cancel { event: &cancel.event.value, code: &cancel.code.value, target }
}
