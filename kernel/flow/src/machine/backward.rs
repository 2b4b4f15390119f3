//! Going backward: what is out is waited for, then everything finished is taken back in reverse order, one after another.

use std::sync::Arc;

use mortise_contract::Value;

use super::run::{Run, UNAVAILABLE};
use super::state::{Again, Backward, Called, Doing, Effect, Finished, Held, Outcome, Pending, Phase};
use super::{Answer, CallKind, CallNo, CallOutcome, Command, Ended, Persistence};
use crate::compile::{CallSite, Handle, Op, Undo};
use crate::eval::{Env, EvalError, Frame};

/// A call that takes back, worked out.
struct Takes {
    operation: Arc<str>,
    kind: CallKind,
    input: Value,
}

impl Run<'_> {
    /// The trade goes backward with this code. The caller is told at once: what follows can no longer change it.
    pub(super) fn fail(&mut self, code: Arc<str>, detail: Value) {
        self.answer(Answer::Failed { code: code.as_ref().to_owned(), detail });
        self.drain(Outcome::Fail(code));
    }

    /// Nothing new begins, waits are withdrawn, calls that are out get their reply.
    pub(super) fn drain(&mut self, outcome: Outcome) {
        self.no_longer_cancellable();
        for fiber in &mut self.state.fibers {
            if let Doing::Waiting(open) = &fiber.doing {
                self.out.push(Command::Unwait { wait: open.wait });
                fiber.doing = Doing::Over;
            }
        }
        self.state.phase = Phase::Draining(outcome);
        self.drained();
    }

    /// Ends, or begins to go backward, once no call is out.
    pub(super) fn drained(&mut self) {
        if self.state.fibers.iter().any(super::state::Fiber::is_busy) {
            return;
        }
        let Phase::Draining(outcome) = &self.state.phase else {
            return;
        };
        let outcome = outcome.clone();
        for index in 0..self.state.fibers.len() {
            self.late_keys(index);
        }
        self.state.fibers = Vec::new();
        match outcome {
            Outcome::End(ended) => self.end(ended),
            Outcome::Fail(code) => {
                let backward = Backward { code, settled: Vec::new(), pending: None, held: None };
                self.state.phase = Phase::Backward(Box::new(backward));
                self.undo_next();
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        self.answer(Answer::Ok(self.program.nothing.clone()));
        self.state.finished = Arc::default();
        self.state.phase = Phase::Ended(ended.clone());
        self.out.push(Command::End(ended));
    }

    /// Takes back the last finished step that has something to take back.
    fn undo_next(&mut self) {
        while let Some(finished) = Arc::make_mut(&mut self.state.finished).pop() {
            match self.takes(&finished) {
                Ok(None) => {}
                Ok(Some(takes)) => {
                    let pending = self.command_undo(&finished.path, takes);
                    if let Phase::Backward(backward) = &mut self.state.phase {
                        backward.pending = Some((pending, finished));
                    }
                    return;
                }
                Err(error) => return self.hold_undo(finished, &error.to_string()),
            }
        }
        if let Phase::Backward(backward) = &self.state.phase {
            let code = backward.code.as_ref().to_owned();
            self.end(Ended::Failed(code));
        }
    }

    fn command_undo(&mut self, path: &str, takes: Takes) -> Pending {
        let call = self.next_call();
        let command = Command::Call {
            call,
            kind: takes.kind,
            operation: takes.operation,
            path: format!("{path}.undo").into(),
            input: takes.input,
            timeout_ms: None,
            persistence: Persistence::WithoutEnd,
        };
        self.out.push(command.clone());
        Pending { call, command }
    }

    fn hold_undo(&mut self, finished: Finished, problem: &str) {
        let held = Held { path: finished.path.clone(), problem: problem.into() };
        self.out.push(Command::Stuck { path: held.path.clone(), problem: held.problem.clone() });
        Arc::make_mut(&mut self.state.finished).push(finished);
        if let Phase::Backward(backward) = &mut self.state.phase {
            backward.held = Some(held);
        }
    }

    /// The call that takes a finished step back; `None` if there is nothing to take back or a later step has settled
    /// for good what this one acquired.
    fn takes(&mut self, finished: &Finished) -> Result<Option<Takes>, EvalError> {
        match (&finished.what, self.program.ops.get(finished.pc)) {
            (Effect::Call(called), Some(Op::Call(site))) => {
                self.note_settled(&site.settles, &called.input);
                if self.is_settled(&site.acquires, &called.output) {
                    return Ok(None);
                }
                self.takes_call(site, called)
            }
            (Effect::Event { wait, payload }, Some(Op::Wait(site))) => {
                let Some(acquiring) = &site.acquiring else {
                    return Ok(None);
                };
                if self.is_settled(&acquiring.acquires, payload) {
                    return Ok(None);
                }
                let frame = Frame::root(vec![payload.clone()]);
                let input = acquiring.late.with.evaluate(&self.env_of(&frame))?;
                let operation = acquiring.late.operation.clone();
                Ok(Some(Takes { operation, kind: CallKind::UndoEvent(*wait), input }))
            }
            _ => Ok(None),
        }
    }

    fn takes_call(&self, site: &CallSite, called: &Called) -> Result<Option<Takes>, EvalError> {
        let (operation, input) = match &site.undo {
            Undo::Nothing | Undo::Impossible => return Ok(None),
            Undo::Contract(taking) => {
                let frame = Frame::root(vec![called.input.clone(), called.output.clone()]);
                (&taking.operation, taking.with.evaluate(&self.env_of(&frame))?)
            }
            Undo::Own(taking) => match &called.own_undo {
                Some(input) => (&taking.operation, input.clone()?),
                None => return Ok(None),
            },
        };
        Ok(Some(Takes { operation: operation.clone(), kind: CallKind::Undo(called.call), input }))
    }

    fn env_of<'f>(&self, frame: &'f Frame) -> Env<'f> {
        Env { frame, now: self.now, started_at: self.state.started_at }
    }

    fn note_settled(&mut self, handles: &[Handle], input: &Value) {
        let Phase::Backward(backward) = &mut self.state.phase else {
            return;
        };
        for handle in handles {
            let mut values = Vec::new();
            collect(input, &handle.path, &mut values);
            backward.settled.extend(values.into_iter().map(|value| (handle.resource.clone(), value.clone())));
        }
    }

    fn is_settled(&self, handles: &[Handle], output: &Value) -> bool {
        let Phase::Backward(backward) = &self.state.phase else {
            return false;
        };
        if backward.settled.is_empty() {
            return false;
        }
        let mut any = false;
        for handle in handles {
            let mut values = Vec::new();
            collect(output, &handle.path, &mut values);
            for value in values {
                any = true;
                let settled =
                    backward.settled.iter().any(|(resource, of)| *resource == handle.resource && of == value);
                if !settled {
                    return false;
                }
            }
        }
        any
    }

    /// Whether the reply was that of the undo that is out.
    pub(super) fn undo_replied(&mut self, call: CallNo, outcome: &CallOutcome) -> bool {
        let Phase::Backward(backward) = &mut self.state.phase else {
            return false;
        };
        if backward.pending.as_ref().is_none_or(|(pending, _)| pending.call != call) {
            return false;
        }
        match outcome {
            CallOutcome::Unavailable { .. } => {}
            CallOutcome::Done(_) => {
                backward.pending = None;
                self.undo_next();
            }
            CallOutcome::Rejected { code, .. } => {
                if let Some((_, finished)) = backward.pending.take() {
                    self.hold_undo(
                        finished,
                        &format!("the undo is rejected with `{code}`, which no undo may be"),
                    );
                }
            }
        }
        true
    }

    /// Whether an undo was held and is tried again.
    pub(super) fn undo_again(&mut self) -> bool {
        let Phase::Backward(backward) = &mut self.state.phase else {
            return false;
        };
        if backward.held.take().is_some() {
            self.undo_next();
        }
        true
    }

    /// An unavailable call is undone as if it had happened, from what its intent minted, before anything else.
    pub(super) fn take_back(&mut self, index: usize, mut called: Called) {
        let pc = self.state.fibers[index].pc;
        let Some(Op::Call(site)) = self.program.ops.get(pc) else {
            return;
        };
        if let (Undo::Own(taking), None) = (&site.undo, &called.own_undo) {
            let mut frame = (*self.state.fibers[index].frame).clone();
            if let Some(place) = site.slot.and_then(|slot| frame.slots.get_mut(usize::from(slot))) {
                *place = called.output.clone();
            }
            called.own_undo = Some(taking.with.evaluate(&self.env_of(&frame)));
        }
        match self.takes_call(site, &called) {
            Ok(None) => self.taken_back(index),
            Ok(Some(takes)) => {
                let path = self.path(index, pc);
                let pending = self.command_undo(&path, takes);
                self.state.fibers[index].doing = Doing::TakingBack { pending, of: called };
            }
            Err(error) => {
                called.own_undo = None;
                self.hold(index, &error.to_string(), Again::TakeBack(called));
            }
        }
    }

    pub(super) fn take_back_replied(&mut self, index: usize, outcome: CallOutcome) {
        let code = match outcome {
            CallOutcome::Unavailable { .. } => return,
            CallOutcome::Done(_) => return self.taken_back(index),
            CallOutcome::Rejected { code, .. } => code,
        };
        if let Doing::TakingBack { of, .. } = &self.state.fibers[index].doing {
            let again = Again::TakeBack(of.clone());
            self.hold(index, &format!("the undo is rejected with `{code}`, which no undo may be"), again);
        }
    }

    /// The call is rejected with `unavailable`.
    fn taken_back(&mut self, index: usize) {
        if let Some(Op::Call(site)) = self.program.ops.get(self.state.fibers[index].pc) {
            self.rejected(index, site, UNAVAILABLE, self.program.nothing.clone());
        }
    }
}

/// The values under a path, through lists.
fn collect<'v>(value: &'v Value, path: &[Box<str>], into: &mut Vec<&'v Value>) {
    match (value, path) {
        (Value::List(items), _) => items.iter().for_each(|item| collect(item, path, into)),
        (_, []) => into.push(value),
        (_, [field, rest @ ..]) => {
            if let Some(value) = value.get(field) {
                collect(value, rest, into);
            }
        }
    }
}
