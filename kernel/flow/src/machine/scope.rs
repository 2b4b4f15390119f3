//! Scopes: parts of a trade that go backward on their own. What fails inside of one is drained and taken back, then its handler
//! runs; what no handler takes goes on to the scope around, and in the end to the trade.

use std::sync::Arc;

use mortise_contract::value::Text;
use mortise_contract::{Record, Value};

use super::run::{Run, Then, UNAVAILABLE};
use super::state::{Again, Backward, Course, Doing, Failing, Fiber, Scope};
use super::{Command, WaitNo};
use crate::compile::{Handler, Op, ScopeKind, ScopeSite};
use crate::eval::EvalError;

impl Run<'_> {
    pub(super) fn scope(&mut self, index: usize, site: &ScopeSite) -> Result<Then, EvalError> {
        let cancel = match &site.cancel_on {
            None => None,
            Some(cancel) => Some((cancel.event.clone(), cancel.key.evaluate(&self.env(index))?)),
        };
        let prefix = self.state.fibers[index].prefix.clone();
        let fiber = self.begin_part(index, 0, site.body, None, prefix);
        if let Some(part) = self.index(fiber) {
            self.state.fibers[part].scope = fiber;
        }
        let cancellable = cancel.map(|(event, key)| {
            self.state.waits += 1;
            let wait = WaitNo(self.state.waits);
            self.out.push(Command::Cancellable { wait, event: event.clone(), key: key.clone() });
            (wait, event, key)
        });
        self.state.fibers[index].doing = Doing::Scope(Box::new(Scope { fiber, cancellable, failing: None }));
        Ok(Then::Park)
    }

    /// Nothing failed: what was done inside is from now on a part of the scope around.
    pub(super) fn scope_end(&mut self, index: usize, parent: usize, site: &ScopeSite) {
        self.export(index, parent, &site.exports);
        self.end_part(index);
        self.block_over(parent, site.over);
        self.no_longer_cancelled(parent);
        if let Doing::Scope(scope) = &self.state.fibers[parent].doing {
            let (inner, outer) = (scope.fiber, self.state.fibers[parent].scope);
            self.hand_over(&[inner], outer);
        }
        self.wake(parent, site.then);
    }

    fn no_longer_cancelled(&mut self, holder: usize) {
        if let Doing::Scope(scope) = &mut self.state.fibers[holder].doing
            && let Some((wait, ..)) = scope.cancellable.take()
        {
            self.out.push(Command::NotCancellable { wait });
        }
    }

    /// What was done in these scopes is a part of another one. Of what no scope will take back behind the pivot nothing has
    /// to be known.
    fn hand_over(&mut self, from: &[u32], to: u32) {
        if !self.state.finished.iter().any(|finished| from.contains(&finished.scope)) {
            return;
        }
        let forget = to == 0 && self.state.passed_pivot;
        let finished = Arc::make_mut(&mut self.state.finished);
        if forget {
            finished.retain(|finished| !from.contains(&finished.scope));
        }
        for finished in finished.iter_mut().filter(|finished| from.contains(&finished.scope)) {
            finished.scope = to;
        }
    }

    /// Something failed in a fiber. The innermost scope that takes the code fails; if none does, the trade; past the pivot
    /// the step is held instead.
    pub(super) fn raise(
        &mut self,
        index: usize,
        code: Arc<str>,
        detail: Value,
        held: impl FnOnce(&str) -> String,
    ) {
        let taker = self.taker(self.state.fibers[index].parent, &code);
        if taker.is_none() && self.state.passed_pivot {
            return self.hold(index, &held(&code), Again::Step);
        }
        self.state.fibers[index].doing = Doing::Over;
        match taker {
            Some(holder) => self.fail_scope(holder, code, detail),
            None => self.fail(code, detail),
        }
    }

    /// The innermost fiber, from this one outward, that holds a scope with a handler for the code.
    fn taker(&self, from: Option<u32>, code: &str) -> Option<usize> {
        let mut at = from;
        while let Some(index) = at.and_then(|id| self.index(id)) {
            let fiber = &self.state.fibers[index];
            if matches!(fiber.doing, Doing::Scope(_)) && self.handler(fiber, code).is_some() {
                return Some(index);
            }
            at = fiber.parent;
        }
        None
    }

    fn handler(&self, holder: &Fiber, code: &str) -> Option<Handler> {
        match self.program.ops.get(holder.pc) {
            Some(Op::Scope(site)) => site.handlers.of(code),
            _ => None,
        }
    }

    fn fail_scope(&mut self, holder: usize, code: Arc<str>, detail: Value) {
        self.no_longer_cancelled(holder);
        if let Doing::Scope(scope) = &mut self.state.fibers[holder].doing {
            scope.failing = Some(Failing { code, detail, backward: None });
        }
        let id = self.state.fibers[holder].id;
        for part in self.parts(id) {
            if let Some(index) = self.index(part) {
                self.drain_part(index, Course::Failing);
            }
        }
        self.scope_drained(id);
    }

    /// The fibers that are a part of what this one does, by id.
    fn parts(&self, of: u32) -> Vec<u32> {
        let mut parts: Vec<u32> = Vec::new();
        for fiber in &self.state.fibers {
            let inside = |parent: u32| parent == of || parts.binary_search(&parent).is_ok();
            if fiber.parent.is_some_and(inside) {
                parts.push(fiber.id);
            }
        }
        parts
    }

    /// A fiber begins nothing new any more, and its waits are withdrawn.
    pub(super) fn drain_part(&mut self, index: usize, course: Course) {
        let fiber = &mut self.state.fibers[index];
        if fiber.course != Course::Forward {
            return;
        }
        fiber.course = course;
        for open in fiber.waits() {
            self.out.push(Command::Unwait { wait: open.wait });
        }
        if course == Course::Failing
            && let Some(call) = fiber.started()
        {
            self.out.push(Command::Withdraw { call });
        }
        match &mut fiber.doing {
            Doing::Ready | Doing::Waiting(_) | Doing::Racing(_) | Doing::Stuck { again: Again::Step, .. } => {
                fiber.doing = Doing::Over;
            }
            // What is taken back with all the rest need not be taken back before; but an undo that is out is waited for.
            Doing::Scope(scope) if course == Course::Failing => {
                scope.failing.take_if(|failing| !failing.is_undoing());
            }
            _ => {}
        }
        self.no_longer_cancelled(index);
    }

    /// The trade ends forward: what is tried and not being confirmed yet is cancelled first.
    pub(super) fn cancel_tries(&mut self) {
        let mut trying = Vec::new();
        for fiber in &self.state.fibers {
            let Some(parent) = fiber.parent.and_then(|id| self.index(id)) else { continue };
            let holder = &self.state.fibers[parent];
            let is_tcc = match self.program.ops.get(holder.pc) {
                Some(Op::Scope(site)) => site.kind == ScopeKind::Tcc,
                _ => false,
            };
            // Behind its confirms there is nothing to cancel, and what is being confirmed is waited for.
            let is_trying = match self.program.ops.get(fiber.pc) {
                Some(Op::Call(_)) => true,
                Some(Op::Confirm) => !fiber.is_busy(),
                _ => false,
            };
            if is_tcc && is_trying {
                trying.push(holder.id);
            }
        }
        // All are marked before the first goes on: the last one that is done with it ends the trade.
        for id in &trying {
            let Some(holder) = self.index(*id) else { continue };
            if let Doing::Scope(scope) = &mut self.state.fibers[holder].doing
                && scope.failing.is_none()
            {
                let (code, detail) = (UNAVAILABLE.into(), self.program.nothing.clone());
                scope.failing = Some(Failing { code, detail, backward: None });
            }
        }
        for id in trying {
            self.scope_drained(id);
        }
    }

    /// A fiber that was draining has nothing out any more: what it is a part of may have none either.
    pub(super) fn part_rests(&mut self, index: usize) {
        let mut at = self.state.fibers[index].parent;
        while let Some(holder) = at.and_then(|id| self.index(id)) {
            let fiber = &self.state.fibers[holder];
            if self.is_draining(holder) {
                return self.scope_drained(fiber.id);
            }
            at = fiber.parent;
        }
        self.drained();
    }

    /// Whether a fiber holds a scope that fails and does not go backward yet.
    fn is_draining(&self, holder: usize) -> bool {
        match &self.state.fibers[holder].doing {
            Doing::Scope(scope) => scope.failing.as_ref().is_some_and(|failing| failing.backward.is_none()),
            _ => false,
        }
    }

    /// Begins to take a failing scope back, once nothing in it is out.
    fn scope_drained(&mut self, id: u32) {
        let parts = self.parts(id);
        let Some(holder) = self.index(id) else { return };
        if !self.is_draining(holder) {
            return;
        }
        let indexes: Vec<usize> = parts.iter().filter_map(|part| self.index(*part)).collect();
        if indexes.iter().any(|index| self.state.fibers[*index].is_busy()) {
            return;
        }
        for index in &indexes {
            self.late_keys(*index);
            self.late_outside(*index);
        }
        let Doing::Scope(scope) = &self.state.fibers[holder].doing else { return };
        let own = scope.fiber;
        let inner = |fiber: &Fiber| match &fiber.doing {
            Doing::Scope(scope) => [fiber.scope, scope.fiber],
            _ => [fiber.scope; 2],
        };
        let scopes: Vec<u32> = indexes
            .iter()
            .flat_map(|index| inner(&self.state.fibers[*index]))
            .filter(|of| *of != own)
            .collect();
        self.hand_over(&scopes, own);
        self.state.fibers.retain(|fiber| parts.binary_search(&fiber.id).is_err());
        let over = match self.program.ops.get(self.state.fibers[holder].pc) {
            Some(Op::Scope(site)) => site.over,
            _ => None,
        };
        self.block_over(holder, over);
        if let Doing::Scope(scope) = &mut self.state.fibers[holder].doing
            && let Some(failing) = &mut scope.failing
        {
            failing.backward = Some(Backward::new(failing.code.clone()));
        }
        self.undo_next(Some(id));
    }

    /// All of a failing scope is taken back: its handler runs, or nothing, where the trade ends meanwhile.
    pub(super) fn scope_undone(&mut self, id: u32) {
        let Some(index) = self.index(id) else { return };
        let failing = match &mut self.state.fibers[index].doing {
            Doing::Scope(scope) => scope.failing.take(),
            _ => None,
        };
        if self.state.fibers[index].course != Course::Forward {
            return self.part_rests(index);
        }
        let Some(Failing { code, detail, .. }) = failing else { return };
        if let Some(handler) = self.handler(&self.state.fibers[index], &code) {
            self.handle(index, handler, &code, detail);
        }
    }

    /// Goes on at a handler, which sees the rejection.
    pub(super) fn handle(&mut self, index: usize, handler: Handler, code: &str, detail: Value) {
        let mut rejection = Record::with_capacity(2);
        rejection.insert(Text::Static("code"), Value::text(code));
        rejection.insert(Text::Static("detail"), detail);
        self.bind(index, Some(handler.rejection), Value::Record(rejection.into()));
        self.wake(index, handler.start);
    }

    /// The event of an attempt's `cancel_on`.
    pub(super) fn cancel_attempt(&mut self, wait: WaitNo) {
        let found = self.state.fibers.iter().position(|fiber| match &fiber.doing {
            Doing::Scope(scope) => scope.cancellable.as_ref().is_some_and(|(of, ..)| *of == wait),
            _ => false,
        });
        let Some(index) = found else { return };
        let fiber = &self.state.fibers[index];
        let Some(Op::Scope(site)) = self.program.ops.get(fiber.pc) else { return };
        let Some(cancel) = &site.cancel_on else { return };
        let (code, detail) = (cancel.code.clone(), self.program.nothing.clone());
        match self.taker(Some(fiber.id), &code) {
            Some(holder) => self.fail_scope(holder, code, detail),
            None if self.state.passed_pivot => self.no_longer_cancelled(index),
            None => self.fail(code, detail),
        }
    }
}
