//! What becomes of a call's outcome: bound and logged, handled, or taken back.

use std::sync::Arc;

use mortise_contract::Value;

use super::run::Run;
use super::state::{Called, Course, Doing, Effect, Finished, Pending};
use super::{CallNo, CallOutcome, Command, Persistence};
use crate::compile::{CallSite, Op, Pc, Undo};

impl Run<'_> {
    pub(super) fn replied(&mut self, call: CallNo, outcome: CallOutcome) {
        if self.undo_replied(call, &outcome) {
            return;
        }
        let found = self.state.fibers.iter().position(|fiber| match &fiber.doing {
            Doing::Calling(pending) | Doing::TakingBack { pending, .. } => pending.call == call,
            _ => false,
        });
        let Some(index) = found else { return };
        if matches!(self.state.fibers[index].doing, Doing::TakingBack { .. }) {
            return self.take_back_replied(index, outcome);
        }
        let pc = self.state.fibers[index].pc;
        let site = match self.program.ops.get(pc) {
            Some(Op::Call(site)) => site,
            Some(Op::Confirm) => return self.confirm_replied(index, outcome),
            _ => return,
        };
        match outcome {
            CallOutcome::Done(output) => self.done(index, pc, site, output),
            CallOutcome::Rejected { code, detail } => self.rejected(index, site, &code, detail),
            CallOutcome::Unavailable { minted } => self.unavailable(index, pc, site, minted),
        }
    }

    /// The input and number of the call that a fiber waits for.
    fn called(&mut self, index: usize, output: Value) -> Option<Called> {
        match &self.state.fibers[index].doing {
            Doing::Calling(Pending {
                call,
                command: Command::Call { input, .. } | Command::Start { input, .. },
            }) => Some(Called { call: *call, input: input.clone(), output, own_undo: None }),
            _ => None,
        }
    }

    fn done(&mut self, index: usize, pc: Pc, site: &CallSite, output: Value) {
        let called = self.called(index, output.clone());
        self.bind(index, site.slot, output);
        if let Some(called) = called {
            self.log(index, pc, site, called);
        }
        self.reply_done(index, site.then);
    }

    /// Keeps what going backward has to know.
    fn log(&mut self, index: usize, pc: Pc, site: &CallSite, mut called: Called) {
        let scope = self.state.fibers[index].scope;
        let wanted = site.is_logged() && (scope != 0 || !self.state.passed_pivot);
        if !wanted && site.triple.is_none() {
            return;
        }
        if let Undo::Own(taking) = &site.undo {
            called.own_undo = Some(taking.with.evaluate(&self.env(index)));
        }
        let what = if site.triple.is_some() { Effect::Tried(called) } else { Effect::Call(called) };
        let path = self.path(index, pc);
        Arc::make_mut(&mut self.state.finished).push(Finished { scope, path, pc, what });
    }

    /// Goes on behind a reply, or, where this drains, looks whether that was the last one.
    fn reply_done(&mut self, index: usize, then: Pc) {
        if self.state.fibers[index].course == Course::Forward {
            self.wake(index, then);
        } else {
            self.state.fibers[index].doing = Doing::Over;
            self.part_rests(index);
        }
    }

    pub(super) fn rejected(&mut self, index: usize, site: &CallSite, code: &str, detail: Value) {
        if self.state.fibers[index].course != Course::Forward {
            return self.reply_done(index, 0);
        }
        match site.handlers.of(code) {
            Some(handler) => self.handle(index, handler, code, detail),
            None => self.raise(index, code.into(), detail, |code| {
                format!("{} is rejected with `{code}`, which nobody takes", site.operation)
            }),
        }
    }

    fn unavailable(&mut self, index: usize, pc: Pc, site: &CallSite, minted: Value) {
        let may_be = matches!(
            &self.state.fibers[index].doing,
            Doing::Calling(Pending { command: Command::Call { persistence: Persistence::GiveUp, .. }, .. })
        );
        if !may_be {
            return;
        }
        let Some(called) = self.called(index, minted.clone()) else {
            return;
        };
        if self.state.fibers[index].course == Course::Failing {
            self.bind(index, site.slot, minted);
            // Of what has no undo nobody knows whether it has settled anything: as if it had not, here as elsewhere.
            if site.triple.is_some() || !matches!(site.undo, Undo::Nothing) {
                self.log(index, pc, site, called);
            }
            return self.reply_done(index, site.then);
        }
        self.late_minted(index, site, &minted);
        self.take_back(index, called);
    }
}
