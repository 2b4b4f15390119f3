//! Taking back: the finished steps of a trade or a scope in reverse order of completion, one after another, and a call that was
//! unavailable as if it had happened.

use std::sync::Arc;

use mortise_contract::Value;

use super::run::{Run, UNAVAILABLE};
use super::state::{Again, Backward, Called, Course, Doing, Effect, Finished, Held, Pending, Phase};
use super::{CallKind, CallNo, CallOutcome, Command, Persistence};
use crate::compile::{CallSite, Handle, Op, Taking, Undo};
use crate::eval::{Env, EvalError, Frame};

/// What takes something back, worked out.
enum Takes {
    Call {
        operation: Arc<str>,
        kind: CallKind,
        input: Value,
        word: &'static str,
    },
    /// The trade that this call started does it itself.
    Child(CallNo),
}

/// Who goes backward: the trade, or the scope that this fiber holds.
type Of = Option<u32>;

impl Run<'_> {
    fn backward(&self, of: Of) -> Option<&Backward> {
        match of {
            None => match &self.state.phase {
                Phase::Backward(backward) => Some(backward),
                _ => None,
            },
            Some(id) => match &self.state.fibers[self.index(id)?].doing {
                Doing::Scope(scope) => scope.failing.as_ref()?.backward.as_ref(),
                _ => None,
            },
        }
    }

    fn backward_mut(&mut self, of: Of) -> Option<&mut Backward> {
        match of {
            None => match &mut self.state.phase {
                Phase::Backward(backward) => Some(backward),
                _ => None,
            },
            Some(id) => {
                let index = self.index(id)?;
                match &mut self.state.fibers[index].doing {
                    Doing::Scope(scope) => scope.failing.as_mut()?.backward.as_mut(),
                    _ => None,
                }
            }
        }
    }

    /// Where the last finished step stands that is to be taken back.
    fn last_finished(&self, of: Of) -> Option<usize> {
        let Some(id) = of else {
            return self.state.finished.len().checked_sub(1);
        };
        let Doing::Scope(scope) = &self.state.fibers[self.index(id)?].doing else {
            return None;
        };
        self.state.finished.iter().rposition(|finished| finished.scope == scope.fiber)
    }

    /// Takes back the last finished step that has something to take back.
    pub(super) fn undo_next(&mut self, of: Of) {
        while let Some(at) = self.last_finished(of) {
            let finished = Arc::make_mut(&mut self.state.finished).remove(at);
            match self.takes(of, &finished) {
                Ok(None) => self.keep_settled(of, at, finished),
                Ok(Some(takes)) => {
                    let pending = self.command_undo(&finished.path, takes);
                    if let Some(backward) = self.backward_mut(of) {
                        backward.pending = Some((pending, finished));
                    }
                    return;
                }
                Err(error) => return self.hold_undo(of, finished, &error.to_string()),
            }
        }
        match (of, self.backward(of)) {
            (Some(id), _) => self.scope_undone(id),
            (None, Some(backward)) => {
                let code = backward.code.as_ref().to_owned();
                self.end(super::Ended::Failed(code));
            }
            (None, None) => {}
        }
    }

    /// A step with nothing to take back that has settled something for good: what acquired that may stand in a scope around.
    fn keep_settled(&mut self, of: Of, at: usize, finished: Finished) {
        let settles =
            matches!(self.program.ops.get(finished.pc), Some(Op::Call(site)) if !site.settles.is_empty());
        let Some(holder) = of.filter(|_| settles).and_then(|id| self.index(id)) else {
            return;
        };
        let scope = self.state.fibers[holder].scope;
        if scope != 0 || !self.state.passed_pivot {
            Arc::make_mut(&mut self.state.finished).insert(at, Finished { scope, ..finished });
        }
    }

    fn command_undo(&mut self, path: &str, takes: Takes) -> Pending {
        let call = self.next_call();
        let command = match takes {
            Takes::Child(of) => Command::TakeBack { call, of, path: format!("{path}.undo").into() },
            Takes::Call { operation, kind, input, word } => Command::Call {
                call,
                kind,
                operation,
                path: format!("{path}.{word}").into(),
                input,
                timeout_ms: None,
                persistence: Persistence::WithoutEnd,
            },
        };
        self.out.push(command.clone());
        Pending { call, command }
    }

    fn hold_undo(&mut self, of: Of, finished: Finished, problem: &str) {
        let held = Held { path: finished.path.clone(), problem: problem.into() };
        self.out.push(Command::Stuck { path: held.path.clone(), problem: held.problem.clone() });
        Arc::make_mut(&mut self.state.finished).push(finished);
        if let Some(backward) = self.backward_mut(of) {
            backward.held = Some(held);
        }
    }

    /// What takes a finished step back; `None` if there is nothing to take back or a later step has settled for good what
    /// this one acquired.
    fn takes(&mut self, of: Of, finished: &Finished) -> Result<Option<Takes>, EvalError> {
        match (&finished.what, self.program.ops.get(finished.pc)) {
            (Effect::Call(called), Some(Op::Call(site))) => {
                self.note_settled(of, &site.settles, &called.input);
                if self.is_settled(of, &site.acquires, &called.output) {
                    return Ok(None);
                }
                self.takes_call(site, called)
            }
            (Effect::Tried(called), Some(Op::Call(site))) => self.cancels(site, called),
            (Effect::Event { wait, payload }, Some(Op::Wait(site))) => {
                let Some(acquiring) = &site.acquiring else {
                    return Ok(None);
                };
                if self.is_settled(of, &acquiring.acquires, payload) {
                    return Ok(None);
                }
                let frame = Frame::root(vec![payload.clone()]);
                let input = acquiring.late.with.evaluate(&self.env_of(&frame))?;
                let (operation, kind) = (acquiring.late.operation.clone(), CallKind::UndoEvent(*wait));
                Ok(Some(Takes::Call { operation, kind, input, word: "undo" }))
            }
            _ => Ok(None),
        }
    }

    fn takes_call(&self, site: &CallSite, called: &Called) -> Result<Option<Takes>, EvalError> {
        let (operation, input) = match &site.undo {
            Undo::Nothing | Undo::Impossible => return Ok(None),
            Undo::Child => return Ok(Some(Takes::Child(called.call))),
            Undo::Contract(taking) => (&taking.operation, self.over_call(taking, called)?),
            Undo::Own(taking) => match &called.own_undo {
                Some(input) => (&taking.operation, input.clone()?),
                None => return Ok(None),
            },
        };
        let (operation, kind) = (operation.clone(), CallKind::Undo(called.call));
        Ok(Some(Takes::Call { operation, kind, input, word: "undo" }))
    }

    /// What was tried is cancelled.
    fn cancels(&self, site: &CallSite, called: &Called) -> Result<Option<Takes>, EvalError> {
        let Some(triple) = &site.triple else {
            return Ok(None);
        };
        let input = self.over_call(&triple.cancel, called)?;
        let (operation, kind) = (triple.cancel.operation.clone(), CallKind::Undo(called.call));
        Ok(Some(Takes::Call { operation, kind, input, word: "cancel" }))
    }

    /// The input of a call that a contract says, over the input and the output of a call that was made.
    pub(super) fn over_call(&self, taking: &Taking, called: &Called) -> Result<Value, EvalError> {
        let frame = Frame::root(vec![called.input.clone(), called.output.clone()]);
        taking.with.evaluate(&self.env_of(&frame))
    }

    fn env_of<'f>(&self, frame: &'f Frame) -> Env<'f> {
        Env { frame, now: self.now, started_at: self.state.started_at }
    }

    fn note_settled(&mut self, of: Of, handles: &[Handle], input: &Value) {
        let Some(backward) = self.backward_mut(of) else {
            return;
        };
        for handle in handles {
            let mut values = Vec::new();
            collect(input, &handle.path, &mut values);
            backward.settled.extend(values.into_iter().map(|value| (handle.resource.clone(), value.clone())));
        }
    }

    fn is_settled(&self, of: Of, handles: &[Handle], output: &Value) -> bool {
        let Some(backward) = self.backward(of) else {
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

    /// Whether the reply was that of an undo that is out.
    pub(super) fn undo_replied(&mut self, call: CallNo, outcome: &CallOutcome) -> bool {
        let mine = |backward: Option<&Backward>| {
            backward
                .and_then(|backward| backward.pending.as_ref())
                .is_some_and(|(pending, _)| pending.call == call)
        };
        let holds = |id: u32| mine(self.backward(Some(id)));
        let of = if mine(self.backward(None)) {
            None
        } else {
            match self.state.fibers.iter().map(|fiber| fiber.id).find(|id| holds(*id)) {
                Some(id) => Some(id),
                None => return false,
            }
        };
        match outcome {
            CallOutcome::Unavailable { .. } => {}
            CallOutcome::Done(_) => {
                self.pending_undo(of);
                match self.taken_over(of) {
                    Some(holder) => self.leave_to_outer(holder),
                    None => self.undo_next(of),
                }
            }
            CallOutcome::Rejected { code, .. } => {
                let Some(finished) = self.pending_undo(of) else { return true };
                match self.taken_over(of) {
                    Some(holder) => {
                        Arc::make_mut(&mut self.state.finished).push(finished);
                        self.leave_to_outer(holder);
                    }
                    None => {
                        let problem = format!("the undo is rejected with `{code}`, which no undo may be");
                        self.hold_undo(of, finished, &problem);
                    }
                }
            }
        }
        true
    }

    /// The fiber that holds a scope which goes backward and is a part of something that fails meanwhile.
    fn taken_over(&self, of: Of) -> Option<usize> {
        self.index(of?).filter(|holder| self.state.fibers[*holder].course == Course::Failing)
    }

    /// The rest of a scope is taken back with all that is around it.
    fn leave_to_outer(&mut self, holder: usize) {
        if let Doing::Scope(scope) = &mut self.state.fibers[holder].doing {
            scope.failing = None;
        }
        self.part_rests(holder);
    }

    fn pending_undo(&mut self, of: Of) -> Option<Finished> {
        self.backward_mut(of)?.pending.take().map(|(_, finished)| finished)
    }
}

impl Run<'_> {
    /// Whether the trade goes backward; if an undo of it was held, it is tried again.
    pub(super) fn undo_again(&mut self) -> bool {
        let Some(backward) = self.backward_mut(None) else {
            return false;
        };
        if backward.held.take().is_some() {
            self.undo_next(None);
        }
        true
    }

    /// The same for a scope.
    pub(super) fn undo_scope_again(&mut self, holder: usize) {
        let of = Some(self.state.fibers[holder].id);
        if self.backward_mut(of).is_some_and(|backward| backward.held.take().is_some()) {
            self.undo_next(of);
        }
    }

    /// Passes over an undo that is held, of the trade or of a scope; whether it goes backward at all.
    pub(super) fn skip_undo(&mut self, of: Of) -> bool {
        let Some(backward) = self.backward_mut(of) else { return false };
        if backward.held.take().is_some() {
            if let Some(at) = self.last_finished(of) {
                Arc::make_mut(&mut self.state.finished).remove(at);
            }
            self.undo_next(of);
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
        let takes = match &site.triple {
            Some(_) => self.cancels(site, &called),
            None => self.takes_call(site, &called),
        };
        match takes {
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
    pub(super) fn taken_back(&mut self, index: usize) {
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
