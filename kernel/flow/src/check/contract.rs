//! The calls that contracts themselves make: undo over `input` and `output`, `late` over `event`. They are checked when
//! contracts load, and again where a flow uses them, so that a contract of unknown origin cannot break a trade.

use mortise_contract::{CallTemplate, Contracts, OperationContract, Schema, Undo};

use super::Checker;
use super::ways::Ways;
use crate::ast::{At, Flow, Place, Visibility};
use crate::diagnostic::Diagnostic;
use crate::report::nearest_or;
use crate::typing::Ty;

/// What is wrong with contracts by themselves: types that nothing declares, undo and late calls that do not fit, keys of
/// events that their payloads do not have. Each finding is a sentence.
#[must_use]
pub fn check_contracts(contracts: &Contracts) -> Vec<String> {
    let flow = nothing();
    let mut checker = Checker::new(&flow, contracts);
    for (name, operation) in &contracts.operations {
        checker.operation_contract(name, operation, Place::default());
        checker.tcc_contract(name, operation, Place::default());
        checker.acquiring_contract(name, operation);
        let schemas = [&operation.input, &operation.output].into_iter().chain(operation.rejections.values());
        checker.references(name, schemas);
    }
    for (name, event) in &contracts.events {
        checker.event_contract(name, Place::default());
        if let Some(late) = &event.late
            && !checker.takes_all_back(&event.acquires, &event.payload, "event", late)
        {
            checker.unsettled(&format!("the late call of `{name}`"), &late.call);
        }
        checker.references(name, [&event.key, &event.payload]);
    }
    for (name, flow) in &contracts.flows {
        checker.references(name, [&flow.input, &flow.answer]);
    }
    for (name, schema) in &contracts.types {
        checker.references(name, [schema]);
    }
    checker.found.into_iter().map(|finding| finding.message).collect()
}

fn nothing() -> Flow {
    let place = Place::default();
    Flow {
        name: At { value: String::new(), place },
        version: 1,
        summary: String::new(),
        input: At { value: Schema::empty_object(), place },
        type_names: Vec::new(),
        key: None,
        currency: None,
        cancel_on: None,
        internal: Visibility::Internal,
        steps: Vec::new(),
    }
}

impl<'c> Checker<'c> {
    fn references<'s>(&mut self, owner: &str, schemas: impl IntoIterator<Item = &'s Schema>) {
        for schema in schemas {
            for name in schema.references() {
                if !self.contracts.types.contains_key(name) {
                    let message =
                        format!("the contract of `{owner}` names the type `{name}`, which nothing declares");
                    self.refuse("unknown-type", Place::default(), message, "declare the type");
                }
            }
        }
    }

    /// What an operation acquires its own undo settles, and the confirm and the cancel of a try; the events to which it leads
    /// are declared.
    fn acquiring_contract(&mut self, name: &str, operation: &'c OperationContract) {
        for event in &operation.leads_to {
            if !self.contracts.events.contains_key(event) {
                let message = format!("`{name}` leads to the event `{event}`, which nothing declares");
                self.refuse("unknown-event", Place::default(), message, "declare the event");
            }
        }
        if operation.acquires.is_empty() {
            return;
        }
        let calls: Vec<(&str, &CallTemplate)> = match (&operation.tcc, &operation.undo) {
            (Some(tcc), _) => vec![("confirm", &tcc.confirm), ("cancel", &tcc.cancel)],
            (None, Some(Undo::Call(undo))) => vec![("undo", undo)],
            (None, Some(Undo::Nothing)) => {
                let message = format!("`{name}` acquires something, and there is nothing that takes it back");
                self.refuse("cannot-undo", Place::default(), message, "declare its undo");
                return;
            }
            (None, None) => return,
        };
        for (word, call) in calls {
            if !self.takes_all_back(&operation.acquires, &operation.output, "output", call) {
                self.unsettled(&format!("the {word} of `{name}`"), &call.call);
            }
        }
    }

    fn unsettled(&mut self, what: &str, call: &str) {
        let message = format!("{what} calls `{call}`, which does not settle all that was acquired");
        self.refuse("cannot-undo", Place::default(), message, "declare what it settles");
    }

    /// The undo of an operation that a flow uses at `place`.
    pub(super) fn operation_contract(&mut self, name: &str, operation: &'c OperationContract, place: Place) {
        if !self.contracts_seen.insert(name.to_owned()) {
            return;
        }
        if let Some(Undo::Call(template)) = &operation.undo {
            let names = [("input", &operation.input), ("output", &operation.output)];
            self.template_call(&format!("the undo of `{name}`"), template, &names, place);
        }
    }

    /// The confirm and the cancel of an operation that a flow tries at `place`.
    pub(super) fn tcc_contract(&mut self, name: &str, operation: &'c OperationContract, place: Place) {
        if let Some(tcc) = &operation.tcc
            && self.contracts_seen.insert(format!("tcc {name}"))
        {
            let names = [("input", &operation.input), ("output", &operation.output)];
            self.template_call(&format!("the confirm of `{name}`"), &tcc.confirm, &names, place);
            self.template_call(&format!("the cancel of `{name}`"), &tcc.cancel, &names, place);
        }
    }

    /// The `late` call of an event that a flow uses at `place`, and its key.
    pub(super) fn event_contract(&mut self, name: &str, place: Place) {
        let contracts = self.contracts;
        let Some(event) = contracts.events.get(name) else { return };
        if !self.contracts_seen.insert(format!("event {name}")) {
            return;
        }
        match &event.late {
            Some(late) => self.template_call(
                &format!("the late call of `{name}`"),
                late,
                &[("event", &event.payload)],
                place,
            ),
            None if !event.acquires.is_empty() => {
                let message =
                    format!("the event `{name}` acquires something and its contract has no `late` call");
                self.refuse(
                    "cannot-undo",
                    place,
                    message,
                    "declare in the contract what is called when it comes late",
                );
            }
            None => {}
        }
        if let Some(key_from) = &event.key_from {
            let payload = Ty::of(&event.payload, contracts);
            let key = Ty::of(&event.key, contracts);
            let fits = payload.field(key_from, contracts).map(|field| field.ty.fits(&key, contracts));
            if !matches!(fits, Some(Ok(()))) && !payload.is_unknown() {
                let message = format!(
                    "the event `{name}` takes its key from `{key_from}`, which its payload does not have as such"
                );
                self.refuse("type-mismatch", place, message, "correct `key_from` in the contract");
            }
        }
    }

    /// A call of a contract's template, whose findings are told at `place`.
    fn template_call(
        &mut self,
        what: &str,
        template: &CallTemplate,
        names: &[(&str, &'c Schema)],
        place: Place,
    ) {
        let contracts = self.contracts;
        let Some(operation) = contracts.operations.get(&template.call) else {
            let known = contracts.operations.keys().map(String::as_str);
            let help = nearest_or(&template.call, known, || "correct the contract".to_owned());
            let message = format!("{what} calls `{}`, which nothing declares", template.call);
            self.refuse("unknown-operation", place, message, help);
            return;
        };
        self.operations.insert(template.call.clone());
        if !operation.rejections.is_empty() {
            let message = format!("{what} calls `{}`, which may be rejected", template.call);
            self.refuse(
                "cannot-undo",
                place,
                message,
                "what takes back must not be refused: correct the contract",
            );
        }
        let with = match crate::parse::contract_template(&template.with, place) {
            Ok(with) => with,
            Err(problem) => {
                self.refuse("syntax", place, format!("{what}: {problem}"), "correct the contract");
                return;
            }
        };
        let mut inner = Checker::new(&nothing(), contracts);
        for (key, (name, schema)) in names.iter().enumerate() {
            inner.scope.bind_word(name, Ty::of(schema, contracts), key + 1);
        }
        let wanted = Ty::of(&operation.input, contracts);
        inner.fits(&with, &wanted, &format!("the input of `{}`", template.call), &Ways::start());
        for finding in inner.found {
            let message = format!("{what}: {}", finding.message);
            self.push(Diagnostic::error(&finding.code, place, message, "correct the contract"));
        }
    }
}
