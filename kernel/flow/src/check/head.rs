//! The head of a flow: its input, key, currency and what cancels it; then its steps, and how it ends.

use mortise_contract::{Schema, Type, Types};

use super::Checker;
use super::ways::{Answered, Ways};
use crate::ast::{CancelOn, Flow, Place, Visibility};
use crate::diagnostic::Diagnostic;
use crate::report::{listed, nearest_or};
use crate::typing::{Field, Kind, Presence, Ty};

/// Keys of what the language binds; names of the file have offsets.
pub(super) const INPUT: usize = usize::MAX;
const SCOPE: usize = usize::MAX - 1;
const NOW: usize = usize::MAX - 2;
const STARTED_AT: usize = usize::MAX - 3;

impl<'c> Checker<'c> {
    pub(super) fn flow(&mut self, flow: &'c Flow) {
        for finding in std::mem::take(&mut self.uses.twice) {
            self.push(finding);
        }
        self.input(flow);
        self.scope.bind_word("input", Ty::of(&flow.input.value, self.contracts), INPUT);
        let text =
            |name: &'static str| Field { name: name.into(), ty: Ty::text(), presence: Presence::Always };
        self.scope.bind_word("scope", Ty::record(vec![text("tenant"), text("line"), text("channel")]), SCOPE);
        self.key_and_currency(flow);
        self.scope.bind_word("now", Kind::Moment.into(), NOW);
        self.scope.bind_word("started_at", Kind::Moment.into(), STARTED_AT);
        let mark = self.scope.mark();
        let ways = self.top(&flow.steps, Ways::start());
        let end = flow.steps.last().map_or(flow.name.place, |step| step.place);
        self.unanswered(&ways, end, "the flow ends");
        self.budget(flow);
        self.scope.close(mark);
        self.resources(flow);
    }

    fn input(&mut self, flow: &'c Flow) {
        for name in &flow.type_names {
            if !self.contracts.types.contains_key(&name.value) {
                let known = self.contracts.types.keys().map(String::as_str);
                let help = nearest_or(&name.value, known, || {
                    "describe it here: `type: string` and the like".to_owned()
                });
                self.refuse(
                    "unknown-type",
                    name.place,
                    format!("no contract declares the type `{}`", name.value),
                    help,
                );
            }
        }
        let schema = self.contracts.resolve(&flow.input.value);
        let object = |schema: &Schema| schema.types.as_ref().and_then(Types::main) == Some(Type::Object);
        if schema.is_some_and(|schema| !object(schema)) {
            let help = "write `type: object` and `properties`";
            self.refuse("type-mismatch", flow.input.place, "the input of a flow is an object", help);
        }
        self.defaults(&flow.input.value, "input", flow.input.place);
    }

    /// A default has to be a value of its type.
    fn defaults(&mut self, schema: &Schema, path: &str, place: Place) {
        if let Some(default) = &schema.default
            && let Err(violations) = self.contracts.validate(schema, default)
        {
            let why = violations.first().map(|violation| violation.message.clone()).unwrap_or_default();
            let message = format!("the default of `{path}` {why}");
            self.refuse("type-mismatch", place, message, "give a default of the field's own type");
        }
        for (name, inner) in &schema.properties {
            self.defaults(inner, &format!("{path}.{name}"), place);
        }
        if let Some(items) = &schema.items {
            self.defaults(items, &format!("{path}[]"), place);
        }
    }

    fn key_and_currency(&mut self, flow: &Flow) {
        let start = Ways::start();
        if let Some(key) = &flow.key {
            self.fits(key, &Ty::text(), "the flow's `key`", &start);
        }
        if let Some(currency) = &flow.currency {
            self.fits(currency, &Ty::text(), "the flow's `currency`", &start);
        }
        if let Some(cancel) = &flow.cancel_on {
            self.cancel_on(cancel, &start);
        }
    }

    fn cancel_on(&mut self, cancel: &CancelOn, start: &Ways) {
        self.fails.insert(cancel.code.value.clone());
        self.cancel_key(cancel, start);
    }

    pub(super) fn cancel_key(&mut self, cancel: &CancelOn, ways: &Ways) {
        let wanted =
            self.event(&cancel.event).map_or_else(Ty::unknown, |event| Ty::of(&event.key, self.contracts));
        let what = format!("the key of `{}`", cancel.event.value);
        self.fits(&cancel.key, &wanted, &what, ways);
    }

    /// An event's contract, noted as used; one that nothing declares is reported.
    pub(super) fn event(
        &mut self,
        name: &crate::ast::At<String>,
    ) -> Option<&'c mortise_contract::EventContract> {
        let contracts = self.contracts;
        let found = contracts.events.get(&name.value);
        if found.is_some() {
            self.events.insert(name.value.clone());
            self.event_contract(&name.value, name.place);
        } else {
            let known = contracts.events.keys().map(String::as_str);
            let help = nearest_or(&name.value, known, || self.same_capability(&name.value, "event"));
            self.refuse(
                "unknown-event",
                name.place,
                format!("no contract declares the event `{}`", name.value),
                help,
            );
        }
        found
    }

    /// An operation's contract, noted as used; one that nothing declares is reported.
    pub(super) fn operation(
        &mut self,
        name: &crate::ast::At<String>,
    ) -> Option<&'c mortise_contract::OperationContract> {
        let contracts = self.contracts;
        let found = contracts.operations.get(&name.value);
        if found.is_some() {
            self.operations.insert(name.value.clone());
        } else {
            let known = contracts.operations.keys().map(String::as_str);
            let help = nearest_or(&name.value, known, || self.same_capability(&name.value, "operation"));
            let message = format!("no contract declares the operation `{}`", name.value);
            self.refuse("unknown-operation", name.place, message, help);
        }
        found
    }

    fn same_capability(&self, name: &str, what: &str) -> String {
        let capability = name.split(['.', '/']).next().unwrap_or(name);
        let of = |known: &&String| known.split(['.', '/']).next() == Some(capability);
        let keys: Vec<&str> = match what {
            "event" => self.contracts.events.keys().filter(of).map(String::as_str).collect(),
            _ => self.contracts.operations.keys().filter(of).map(String::as_str).collect(),
        };
        match keys.is_empty() {
            true => format!("no capability `{capability}` with an {what} is registered"),
            false => format!("`{capability}` has {}", listed(keys)),
        }
    }

    /// Every way has to have answered before `what`.
    pub(super) fn unanswered(&mut self, ways: &Ways, place: Place, what: &str) {
        if self.visibility == Visibility::Internal {
            return;
        }
        if let Some(way) = ways.all.iter().find(|way| way.answered == Answered::No) {
            let message = format!("the caller has no answer yet where {what}");
            let help = "put an `answer:` in front of it on every way, or `internal: true` into the head";
            let points = self.points.of(way);
            self.push(Diagnostic::error("no-answer", place, message, help).along(points));
        }
    }
}
