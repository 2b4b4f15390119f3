//! The trade as a whole turns back or ends: what is out is waited for, then everything finished is taken back in reverse order,
//! or left as it is.

use std::sync::Arc;

use mortise_contract::Value;

use super::run::Run;
use super::state::{Backward, Course, Fiber, Outcome, Phase};
use super::{Answer, Ended};

/// The code of a trade that was taken back by the one that started it.
pub const TAKEN_BACK: &str = "taken_back";

impl Run<'_> {
    /// The trade goes backward with this code. The caller is told at once: what follows can no longer change it.
    pub(super) fn fail(&mut self, code: Arc<str>, detail: Value) {
        self.answer(Answer::Failed { code: code.as_ref().to_owned(), detail });
        self.drain(Outcome::Fail(code));
    }

    /// Nothing new begins, waits are withdrawn, calls that are out get their reply.
    pub(super) fn drain(&mut self, outcome: Outcome) {
        self.no_longer_cancellable();
        let course = match outcome {
            Outcome::End(_) => Course::Ending,
            Outcome::Fail(_) => Course::Failing,
        };
        self.state.phase = Phase::Draining(outcome);
        for index in 0..self.state.fibers.len() {
            self.drain_part(index, course);
        }
        if course == Course::Ending {
            self.cancel_tries();
        }
        self.drained();
    }

    /// Ends, or begins to go backward, once no call is out.
    pub(super) fn drained(&mut self) {
        if self.state.fibers.iter().any(Fiber::is_busy) {
            return;
        }
        let Phase::Draining(outcome) = &self.state.phase else {
            return;
        };
        let outcome = outcome.clone();
        for index in 0..self.state.fibers.len() {
            self.late_keys(index);
            self.late_outside(index);
        }
        self.state.fibers = Vec::new();
        match outcome {
            Outcome::End(ended) => self.end(ended),
            Outcome::Fail(code) => {
                self.state.phase = Phase::Backward(Box::new(Backward::new(code)));
                self.undo_next(None);
            }
        }
    }

    /// What a trade before its pivot has done is kept: the one that started it may want it back.
    pub(super) fn end(&mut self, ended: Ended) {
        self.answer(super::Answer::Ok(self.program.nothing.clone()));
        self.state.phase = Phase::Ended(ended.clone());
        self.out.push(super::Command::End(ended));
    }

    /// The trade that started this one wants it back.
    pub(super) fn take_back_trade(&mut self) {
        let code: Arc<str> = TAKEN_BACK.into();
        match &self.state.phase {
            _ if self.state.passed_pivot => {}
            Phase::Forward => self.fail(code, self.program.nothing.clone()),
            Phase::Ended(Ended::Completed | Ended::Early(_)) => {
                self.state.phase = Phase::Backward(Box::new(Backward::new(code)));
                self.undo_next(None);
            }
            _ => {}
        }
    }
}
