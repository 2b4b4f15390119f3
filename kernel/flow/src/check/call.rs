//! Calls of operations: input and output, what they may be rejected with, and what takes the effect back.

use mortise_contract::{Effect, OperationContract, Undo};

use super::handler::{Rejecter, UNAVAILABLE};
use super::scope::Binding;
use super::steps::Outcome;
use super::ways::Ways;
use super::{Checker, Phase, Readable};
use crate::ast::{At, Call, Step, UndoCall};
use crate::diagnostic::Diagnostic;
use crate::report::listed;
use crate::typing::Ty;

impl<'c> Checker<'c> {
    pub(super) fn call(&mut self, step: &Step, call: &Call, ways: Ways) -> Outcome<'c> {
        let name = &call.operation.value;
        let Some(operation) = self.operation(&call.operation) else {
            self.built(&call.with, &ways);
            let missed = self.handlers_of_unknown(&call.on, &ways);
            return Outcome { done: ways, missed, ty: Ty::unknown() };
        };
        self.called(call, operation, &ways);
        if operation.effect == Effect::Remote {
            self.between_stretches(&ways);
        }
        let rejecter = self.rejecter(&call.operation, operation);
        let missed = self.handlers(&call.on, &[rejecter], &ways, step.place);
        let ty = Ty::of(&operation.output, self.contracts);
        let mut done = ways;
        if !call.on.is_empty() {
            self.points.mark(&mut done, step.place, format!("`{name}` succeeds"));
        }
        self.undo(step, call, operation, &ty, &mut done);
        self.result_used(step, call, operation);
        Outcome { done, missed, ty }
    }

    /// What any call is held to: its contract, its input, its deadline.
    pub(super) fn called(&mut self, call: &Call, operation: &'c OperationContract, ways: &Ways) {
        let name = &call.operation.value;
        self.operation_contract(name, operation, call.operation.place);
        self.fits(&call.with, &Ty::of(&operation.input, self.contracts), &format!("`{name}`"), ways);
        if let Some(timeout) = &call.timeout
            && operation.effect != Effect::Remote
        {
            let message = format!("`timeout` stands at `{name}`, which is not remote and has no deadline");
            self.refuse("syntax", timeout.place, message, "take it away");
        }
    }

    /// What an operation may be rejected with here.
    pub(super) fn rejecter<'s>(
        &self,
        name: &'s At<String>,
        operation: &'c OperationContract,
    ) -> Rejecter<'s, 'c> {
        let contracts = self.contracts;
        let of = |(code, schema): (&'c String, &'c _)| (code.as_str(), Ty::of(schema, contracts));
        let mut codes: Vec<(&'c str, Ty<'c>)> = operation.rejections.iter().map(of).collect();
        let remote = operation.effect == Effect::Remote;
        if remote && self.phase == Phase::Before && !operation.rejections.contains_key(UNAVAILABLE) {
            codes.push((UNAVAILABLE, Ty::record(Vec::new())));
        }
        Rejecter { name, codes, without_end: remote && self.phase == Phase::Behind }
    }

    fn result_used(&mut self, step: &Step, call: &Call, operation: &OperationContract) {
        if !matches!(operation.effect, Effect::Pure | Effect::Read) {
            return;
        }
        let name = &call.operation.value;
        let what = format!("nobody uses what `{name}` says");
        match &step.id {
            Some(id) => self.readable.push(Readable { key: id.place.offset, place: step.place, what }),
            // One that may say no is a guard.
            None if operation.rejections.is_empty() => {
                self.push(Diagnostic::warning(
                    "unused-result",
                    step.place,
                    what,
                    "give it an `id` and use it, or take it away",
                ));
            }
            None => {}
        }
    }

    /// Before the pivot every effect has to have something that takes it back; behind it, every one that a failing
    /// attempt would take back.
    fn undo(
        &mut self,
        step: &Step,
        call: &Call,
        operation: &'c OperationContract,
        output: &Ty<'c>,
        done: &mut Ways,
    ) {
        if let Some(undo) = &call.undo {
            return self.own_undo(step.id.as_ref(), undo, output, done);
        }
        if let Some(undo) = &operation.undo {
            return self.contract_undo(undo);
        }
        if !matches!(operation.effect, Effect::Write | Effect::Remote) {
            return;
        }
        if self.phase == Phase::Behind {
            return self.is_final(&call.operation, done);
        }
        let name = &call.operation.value;
        let message =
            format!("`{name}` changes something that cannot be taken back, and stands before the pivot");
        let help = match operation.tcc {
            Some(_) => "put it into a `tcc`, which confirms or cancels it, or move it behind the pivot",
            None => "move it behind the pivot, or give it `undo: { call: ..., with: ... }`",
        };
        self.refuse("cannot-undo", call.operation.place, message, help);
    }

    pub(super) fn contract_undo(&mut self, undo: &Undo) {
        if let Undo::Call(template) = undo {
            self.operations.insert(template.call.clone());
        }
    }

    /// A step's own `undo` sees the flow's names, its own `id` being its result.
    pub(super) fn own_undo(
        &mut self,
        id: Option<&At<String>>,
        undo: &UndoCall,
        output: &Ty<'c>,
        done: &Ways,
    ) {
        let Some(contract) = self.operation(&undo.operation) else { return };
        if !contract.rejections.is_empty() {
            let codes = listed(contract.rejections.keys().map(String::as_str));
            let message = format!(
                "`{}` may be rejected with {codes}: it cannot take anything back",
                undo.operation.value
            );
            let help = "choose an operation without rejections";
            self.refuse("cannot-undo", undo.operation.place, message, help);
        }
        let mark = self.scope.mark();
        if let Some(id) = id {
            let (key, line) = (id.place.offset, id.place.line);
            self.scope.bind(Binding { name: id.value.clone(), ty: output.clone(), ran: None, key, line });
        }
        let wanted = Ty::of(&contract.input, self.contracts);
        self.fits(&undo.with, &wanted, &format!("`{}`", undo.operation.value), done);
        self.scope.close(mark);
    }
}
