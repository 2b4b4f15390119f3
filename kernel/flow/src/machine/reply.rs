//! What becomes of a call's outcome: bound and logged, handled, or taken back.

use std::sync::Arc;

use mortise_contract::value::Text;
use mortise_contract::{Record, Value};

use super::run::Run;
use super::state::{Again, Called, Doing, Effect, Finished, Outcome, Pending, Phase};
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
        let Some(Op::Call(site)) = self.program.ops.get(pc) else {
            return;
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
            Doing::Calling(Pending { call, command: Command::Call { input, .. } }) => {
                Some(Called { call: *call, input: input.clone(), output, own_undo: None })
            }
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
        if self.state.passed_pivot || !site.is_logged() {
            return;
        }
        if let Undo::Own(taking) = &site.undo {
            called.own_undo = Some(taking.with.evaluate(&self.env(index)));
        }
        let path = self.path(index, pc);
        Arc::make_mut(&mut self.state.finished).push(Finished { path, pc, what: Effect::Call(called) });
    }

    /// Goes on behind a reply, or, where the trade drains, looks whether that was the last one.
    fn reply_done(&mut self, index: usize, then: Pc) {
        if self.state.phase == Phase::Forward {
            self.wake(index, then);
        } else {
            self.state.fibers[index].doing = Doing::Over;
            self.drained();
        }
    }

    pub(super) fn rejected(&mut self, index: usize, site: &CallSite, code: &str, detail: Value) {
        if self.state.phase != Phase::Forward {
            return self.reply_done(index, 0);
        }
        let by_code = site.handlers.iter().find(|(known, _)| **known == *code).map(|(_, handler)| *handler);
        match by_code.or(site.any) {
            Some(handler) => {
                let mut rejection = Record::with_capacity(2);
                rejection.insert(Text::Static("code"), Value::text(code));
                rejection.insert(Text::Static("detail"), detail);
                self.bind(index, Some(handler.rejection), Value::Record(rejection.into()));
                self.wake(index, handler.start);
            }
            None if self.state.passed_pivot => {
                self.hold(
                    index,
                    &format!("{} is rejected with `{code}`, which nobody takes", site.operation),
                    Again::Step,
                );
            }
            None => {
                self.state.fibers[index].doing = Doing::Over;
                self.fail(code.into(), detail);
            }
        }
    }

    fn unavailable(&mut self, index: usize, pc: Pc, site: &CallSite, minted: Value) {
        let without_end = matches!(
            &self.state.fibers[index].doing,
            Doing::Calling(Pending {
                command: Command::Call { persistence: Persistence::WithoutEnd, .. },
                ..
            })
        );
        if without_end {
            return;
        }
        let Some(called) = self.called(index, minted.clone()) else {
            return;
        };
        if matches!(self.state.phase, Phase::Draining(Outcome::Fail(_))) {
            self.bind(index, site.slot, minted);
            self.log(index, pc, site, called);
            return self.reply_done(index, site.then);
        }
        self.late_minted(index, site, &minted);
        self.take_back(index, called);
    }
}
