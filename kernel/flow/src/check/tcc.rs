//! `tcc`: calls that are tried together, and confirmed or cancelled together.

use mortise_contract::{Effect, OperationContract};

use super::scope::Binding;
use super::steps::Outcome;
use super::ways::Ways;
use super::{Checker, Next, Phase};
use crate::ast::{At, Step, Tcc, Try};
use crate::report::listed;
use crate::typing::{Field, Presence, Ty};

impl<'c> Checker<'c> {
    pub(super) fn tcc(&mut self, step: &Step, tcc: &Tcc, ways: Ways) -> Outcome<'c> {
        let next = self.next;
        let tries: Vec<(&Try, Option<&'c OperationContract>)> =
            tcc.calls.iter().map(|tried| (tried, self.tried(tried, &ways))).collect();
        if tries.iter().any(|(_, operation)| operation.is_some_and(|known| known.effect == Effect::Remote)) {
            self.between_stretches(&ways);
        }
        let mut rejecters = Vec::new();
        for (tried, operation) in &tries {
            if let Some(operation) = operation {
                rejecters.push(self.rejecter(&tried.call.operation, operation));
            }
        }
        let missed = match rejecters.len() == tries.len() {
            true => self.handlers(&tcc.on, &rejecters, &ways, step.place),
            false => self.handlers_of_unknown(&tcc.on, &ways),
        };
        let mut done = ways;
        self.points.mark(&mut done, step.place, "all calls of the `tcc` are confirmed");
        let mut fields = Vec::new();
        for (tried, operation) in tries {
            let ty = operation.map_or_else(Ty::unknown, |known| Ty::of(&known.output, self.contracts));
            if let Some(operation) = operation {
                self.undo_of_try(tried, operation, &ty, &mut done, next);
            }
            fields.extend(tried.id.as_ref().map(|id| (id, ty)));
        }
        let field = |(id, ty): &(&At<String>, Ty<'c>)| Field {
            name: id.value.clone().into(),
            ty: ty.clone(),
            presence: Presence::Always,
        };
        let ty = Ty::record(fields.iter().map(field).collect());
        for (id, ty) in fields {
            self.introduce(id, "the id");
            let (key, line) = (id.place.offset, id.place.line);
            self.scope.bind(Binding { name: id.value.clone(), ty, ran: None, key, line });
        }
        Outcome { done, missed, ty }
    }

    /// What is tried has a confirm and a cancel.
    fn tried(&mut self, tried: &Try, ways: &Ways) -> Option<&'c OperationContract> {
        let name = &tried.call.operation;
        let Some(operation) = self.operation(name) else {
            self.built(&tried.call.with, ways);
            return None;
        };
        self.called(&tried.call, operation, ways);
        self.tcc_contract(&name.value, operation, name.place);
        if operation.tcc.is_none() {
            let can = self.contracts.operations.iter().filter(|(_, known)| known.tcc.is_some());
            let can: Vec<&str> = can.map(|(name, _)| name.as_str()).collect();
            let help = match can.is_empty() {
                true => "make a `call` of it".to_owned(),
                false => format!("make a `call` of it; {} can be tried", listed(can)),
            };
            let message = format!("`{}` has no confirm and no cancel: it cannot be tried", name.value);
            self.refuse("cannot-undo", name.place, message, help);
        }
        Some(operation)
    }

    /// A confirmed call is undone by its `undo`; one without may be followed by the pivot only.
    fn undo_of_try(
        &mut self,
        tried: &Try,
        operation: &'c OperationContract,
        output: &Ty<'c>,
        done: &mut Ways,
        next: Next,
    ) {
        let name = &tried.call.operation;
        if let Some(undo) = &tried.call.undo {
            return self.own_undo(tried.id.as_ref(), undo, output, done);
        }
        match (&operation.undo, self.phase) {
            (Some(undo), _) => self.contract_undo(undo),
            (None, Phase::Behind) => self.is_final(name, done),
            (None, Phase::Before) if next == Next::Pivot || operation.tcc.is_none() => {}
            (None, Phase::Before) => {
                let message = format!(
                    "`{}` cannot be taken back once it is confirmed: only the pivot may follow this `tcc`",
                    name.value
                );
                let help =
                    "put the `pivot` directly behind it, or give the call `undo: { call: ..., with: ... }`";
                self.refuse("cannot-undo", name.place, message, help);
            }
        }
    }
}
