//! Calls of operations: input and output, rejections and who takes them, and what takes the effect back.

use mortise_contract::{Effect, OperationContract, Undo};

use super::scope::Binding;
use super::steps::{Level, Outcome};
use super::ways::Ways;
use super::{Checker, Phase, Readable};
use crate::ast::{Call, Handler, Place, Step};
use crate::diagnostic::Diagnostic;
use crate::report::{listed, nearest_or};
use crate::typing::{Field, Kind, Presence, Ty};

/// What a remote operation that does not answer is rejected with, before the pivot.
pub(super) const UNAVAILABLE: &str = "unavailable";
/// The key of `rejection`.
pub(super) const REJECTION: usize = usize::MAX - 4;

impl<'c> Checker<'c> {
    pub(super) fn call(&mut self, step: &Step, call: &Call, ways: Ways) -> Outcome<'c> {
        let name = &call.operation.value;
        let Some(operation) = self.operation(&call.operation) else {
            self.built(&call.with, &ways);
            let mut missed = Ways::default();
            for handler in &call.on {
                let ways = self.handler(handler, Kind::Anything.into(), name, ways.clone(), step.place);
                missed = missed.union(ways, self.limit);
            }
            return Outcome { done: ways, missed, ty: Ty::unknown() };
        };
        self.operation_contract(name, operation, call.operation.place);
        self.fits(&call.with, &Ty::of(&operation.input, self.contracts), &format!("`{name}`"), &ways);
        if let Some(timeout) = &call.timeout
            && operation.effect != Effect::Remote
        {
            let message = format!("`timeout` stands at `{name}`, which is not remote and has no deadline");
            self.refuse("syntax", timeout.place, message, "take it away");
        }
        let missed = self.handlers(step, call, operation, &ways);
        let ty = Ty::of(&operation.output, self.contracts);
        let mut done = ways;
        if !call.on.is_empty() {
            self.points.mark(&mut done, step.place, format!("`{name}` succeeds"));
        }
        self.undo(step, call, operation, &ty, &done);
        self.result_used(step, call, operation);
        Outcome { done, missed, ty }
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

    /// The handlers of a call, and what nobody handles.
    fn handlers(&mut self, step: &Step, call: &Call, operation: &'c OperationContract, ways: &Ways) -> Ways {
        let name = &call.operation.value;
        let mut open: Vec<&'c str> = operation.rejections.keys().map(String::as_str).collect();
        if operation.effect == Effect::Remote && self.phase == Phase::Before {
            open.push(UNAVAILABLE);
        }
        let all = open.clone();
        let mut missed = Ways::default();
        for handler in &call.on {
            let code = handler.code.value.as_str();
            let detail =
                if code == "any" { self.detail(operation, &open) } else { self.detail(operation, &[code]) };
            let comes = if code == "any" { !open.is_empty() } else { open.contains(&code) };
            if !comes {
                let message = match code {
                    "any" if all.is_empty() => format!("`{name}` is never rejected"),
                    "any" => format!(
                        "nothing is left for `any`: `{name}` is rejected with {} only",
                        listed(all.iter().copied())
                    ),
                    UNAVAILABLE if operation.effect == Effect::Remote => {
                        "behind the pivot a remote operation is asked without end and never `unavailable`"
                            .to_owned()
                    }
                    _ => format!("`{name}` is never rejected with `{code}`"),
                };
                let help = nearest_or(code, all.iter().copied(), || {
                    format!("it is rejected with {}", listed(all.iter().copied()))
                });
                let help = if code == "any" { "take it away".to_owned() } else { help };
                self.refuse("unreachable", handler.code.place, message, help);
            }
            let from = if comes { ways.clone() } else { Ways::default() };
            let out = self.handler(handler, detail, name, from, step.place);
            missed = missed.union(out, self.limit);
            if code == "any" { open.clear() } else { open.retain(|known| *known != code) }
        }
        if self.phase == Phase::Behind && !open.is_empty() {
            let codes = listed(open.iter().copied());
            let message =
                format!("`{name}` may be rejected with {codes} behind the pivot, and nobody takes it");
            let help = "add `on: { any: [...] }`, such as `- attention: ...`";
            self.refuse("rejects-after-pivot", call.operation.place, message, help);
        }
        self.fails.extend(open.into_iter().map(str::to_owned));
        missed
    }

    /// What a rejection with one of these codes says.
    fn detail(&self, operation: &'c OperationContract, codes: &[&str]) -> Ty<'c> {
        match codes {
            [code] => match operation.rejections.get(*code) {
                Some(schema) => Ty::of(schema, self.contracts),
                None => Ty::record(Vec::new()),
            },
            _ => Kind::Anything.into(),
        }
    }

    fn handler(
        &mut self,
        handler: &Handler,
        detail: Ty<'c>,
        operation: &str,
        mut ways: Ways,
        place: Place,
    ) -> Ways {
        self.points.mark(&mut ways, place, format!("`{operation}` is rejected ({})", handler.code.value));
        let mark = self.scope.mark();
        let field = |name: &'static str, ty| Field { name: name.into(), ty, presence: Presence::Always };
        let rejection = Ty::record(vec![field("code", Ty::text()), field("detail", detail)]);
        self.scope.bind_word("rejection", rejection, REJECTION);
        let ways = self.list(&handler.steps, ways, Level::Inside);
        self.close(mark, ways).0
    }

    /// Before the pivot every effect has to have something that takes it back.
    fn undo(
        &mut self,
        step: &Step,
        call: &Call,
        operation: &OperationContract,
        output: &Ty<'c>,
        done: &Ways,
    ) {
        let name = &call.operation.value;
        if let Some(undo) = &call.undo {
            let Some(contract) = self.operation(&undo.operation) else { return };
            if !contract.rejections.is_empty() {
                let codes = listed(contract.rejections.keys().map(String::as_str));
                let message = format!(
                    "`{}` may be rejected with {codes}: it cannot take anything back",
                    undo.operation.value
                );
                self.refuse(
                    "cannot-undo",
                    undo.operation.place,
                    message,
                    "choose an operation without rejections",
                );
            }
            let mark = self.scope.mark();
            if let Some(id) = &step.id {
                let (key, line) = (id.place.offset, id.place.line);
                self.scope.bind(Binding { name: id.value.clone(), ty: output.clone(), ran: None, key, line });
            }
            let wanted = Ty::of(&contract.input, self.contracts);
            self.fits(&undo.with, &wanted, &format!("`{}`", undo.operation.value), done);
            self.scope.close(mark);
            return;
        }
        let effect = matches!(operation.effect, Effect::Write | Effect::Remote);
        if effect && self.phase == Phase::Before && operation.undo.is_none() {
            let message =
                format!("`{name}` changes something that cannot be taken back, and stands before the pivot");
            let help = "move it behind the pivot, or give it `undo: { call: ..., with: ... }`";
            self.refuse("cannot-undo", call.operation.place, message, help);
        }
        if let Some(Undo::Call(template)) = &operation.undo {
            self.operations.insert(template.call.clone());
        }
    }
}
