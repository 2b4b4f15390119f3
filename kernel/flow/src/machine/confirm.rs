//! The second half of a `tcc`: when all is tried, all is confirmed, one call after another. From the first confirm on there is
//! no way back but through all of them: a scope that fails meanwhile waits, and takes back what was confirmed.

use std::sync::Arc;

use mortise_contract::Value;

use super::run::{Run, Then};
use super::state::{Again, Called, Course, Doing, Effect, Finished, Pending};
use super::{CallKind, CallNo, CallOutcome, Command, Persistence};
use crate::compile::{Op, Pc};
use crate::eval::EvalError;

impl Run<'_> {
    pub(super) fn confirm(&mut self, index: usize, _: Pc) -> Then {
        self.confirm_next(index);
        Then::Park
    }

    /// Confirms the first try that is not confirmed yet, or goes on behind the last.
    pub(super) fn confirm_next(&mut self, index: usize) {
        let fiber = &self.state.fibers[index];
        let tried = self.state.finished.iter().find_map(|finished| match &finished.what {
            Effect::Tried(called) if finished.scope == fiber.scope => Some((finished, called)),
            _ => None,
        });
        let Some((finished, called)) = tried else {
            if fiber.course == Course::Forward {
                self.wake(index, fiber.pc + 1);
            } else {
                self.state.fibers[index].doing = Doing::Over;
                self.part_rests(index);
            }
            return;
        };
        match self.confirms(finished, called) {
            Ok((operation, input)) => {
                let (of, path) = (called.call, format!("{}.confirm", finished.path).into());
                let call = self.next_call();
                let command = Command::Call {
                    call,
                    kind: CallKind::Confirm(of),
                    operation,
                    path,
                    input,
                    timeout_ms: None,
                    persistence: Persistence::WithoutEnd,
                };
                self.out.push(command.clone());
                self.state.fibers[index].doing = Doing::Calling(Pending { call, command });
            }
            Err(error) => self.hold(index, &error.to_string(), Again::Confirm),
        }
    }

    fn confirms(&self, finished: &Finished, called: &Called) -> Result<(Arc<str>, Value), EvalError> {
        match self.program.ops.get(finished.pc) {
            Some(Op::Call(site)) if let Some(triple) = &site.triple => {
                Ok((triple.confirm.operation.clone(), self.over_call(&triple.confirm, called)?))
            }
            _ => Err(EvalError::NoField("confirm".into())),
        }
    }

    pub(super) fn confirm_replied(&mut self, index: usize, outcome: CallOutcome) {
        match outcome {
            CallOutcome::Unavailable { .. } => {}
            CallOutcome::Rejected { code, .. } => {
                let problem = format!("the confirm is rejected with `{code}`, which no confirm may be");
                self.hold(index, &problem, Again::Confirm);
            }
            CallOutcome::Done(_) => {
                if let Doing::Calling(Pending {
                    command: Command::Call { kind: CallKind::Confirm(of), .. },
                    ..
                }) = &self.state.fibers[index].doing
                {
                    self.confirmed(*of);
                }
                self.confirm_next(index);
            }
        }
    }

    /// What was tried is done, as of now: it is undone as any call is.
    fn confirmed(&mut self, of: CallNo) {
        let tried =
            |finished: &Finished| matches!(&finished.what, Effect::Tried(called) if called.call == of);
        let Some(at) = self.state.finished.iter().position(tried) else {
            return;
        };
        let finished = Arc::make_mut(&mut self.state.finished);
        let Finished { scope, path, pc, what } = finished.remove(at);
        if let Some(Op::Call(site)) = self.program.ops.get(pc)
            && site.is_logged()
            && let Effect::Tried(called) = what
        {
            finished.push(Finished { scope, path, pc, what: Effect::Call(called) });
        }
    }
}
