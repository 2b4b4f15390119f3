//! What contracts say of all that has happened to a trade: who holds what, what was settled twice, and each thing that
//! happened, in the words of the checker's ways.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_contract::{Acquires, Contracts, How, Value};
use mortise_flow::{CallKind, CallNo, CallOutcome, Command, State, WaitNo};

use super::world::Next;

/// What is held of an acquisition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) resource: String,
    value: Value,
    /// The id of the step that acquired it.
    pub(crate) site: String,
}

/// A second use.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Twice {
    pub(crate) resource: String,
    /// The operation.
    pub(crate) by: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    pub(crate) held: Vec<Held>,
    pub(crate) twice: Vec<Twice>,
    /// In words, in order.
    pub(crate) told: Vec<String>,
    /// What each call settled.
    by_call: BTreeMap<u32, Vec<Held>>,
    /// What each confirm settled, by the number of its try.
    confirmed: BTreeMap<u32, Vec<Held>>,
    /// Calls and events that may be undone.
    names: BTreeMap<u32, Arc<str>>,
    events: BTreeMap<u32, Arc<str>>,
    /// What was settled, with who had acquired it.
    settled: Vec<Held>,
}

impl Book {
    pub(crate) fn account(&mut self, contracts: &Contracts, state: &State, next: &Next) {
        match next {
            Next::Reply(call, outcome) => self.replied(contracts, state, *call, outcome),
            Next::Event(wait, payload) => self.came(contracts, state, *wait, payload),
            Next::Due(wait) => self.due(state, *wait),
            Next::Cancel(..) => self.told.push("`order.cancel_requested` comes and cancels".to_owned()),
        }
    }

    fn replied(&mut self, contracts: &Contracts, state: &State, call: CallNo, outcome: &CallOutcome) {
        let Some(Command::Call { kind, operation, input, path, .. }) = state.pending_call(call) else {
            return;
        };
        let contract = &contracts.operations[&**operation];
        let site = last(path);
        let output = match outcome {
            CallOutcome::Done(output) => output,
            CallOutcome::Rejected { .. } => return self.told.push(format!("`{operation}` is rejected")),
            // It is undone as if it had happened.
            CallOutcome::Unavailable { minted } => {
                self.told.push(format!("`{operation}` is rejected"));
                self.names.insert(call.0, operation.clone());
                return self.acquires(&contract.acquires, minted, site);
            }
        };
        let mut before = Vec::new();
        match kind {
            CallKind::Forward => drop(self.names.insert(call.0, operation.clone())),
            CallKind::Confirm(_) => self.told.push(format!("`{operation}` confirms it")),
            CallKind::Undo(of) => {
                let name = self.names.get(&of.0).cloned().unwrap_or_default();
                self.told.push(format!("`{name}` is undone by `{operation}`"));
                self.held.extend(self.by_call.remove(&of.0).unwrap_or_default());
                before = self.confirmed.remove(&of.0).unwrap_or_default();
            }
            CallKind::UndoEvent(wait) => {
                let name = self.events.get(&wait.0).cloned().unwrap_or_default();
                self.told.push(format!("`{name}` is undone by `{operation}`"));
            }
        }
        let settled = self.settles(contracts, operation, input, &before);
        match kind {
            CallKind::Forward => {
                self.by_call.insert(call.0, settled);
                if !contract.acquires.is_empty() {
                    self.told.push(format!("`{operation}` acquires"));
                }
                self.acquires(&contract.acquires, output, site);
            }
            CallKind::Confirm(tried) => drop(self.confirmed.insert(tried.0, settled)),
            CallKind::Undo(_) | CallKind::UndoEvent(_) => {}
        }
    }

    fn came(&mut self, contracts: &Contracts, state: &State, wait: WaitNo, payload: &Value) {
        let open = state.waits().into_iter().find(|open| open.wait == wait);
        let Some((open, (event, _))) = open.and_then(|open| open.event.clone().map(|event| (open, event)))
        else {
            return;
        };
        self.told.push(format!("`{event}` comes"));
        self.events.insert(wait.0, event.clone());
        self.acquires(&contracts.events[&*event].acquires, payload, last(&open.path));
    }

    fn due(&mut self, state: &State, wait: WaitNo) {
        let open = state.waits().into_iter().find(|open| open.wait == wait);
        match open.as_ref().map(|open| (&open.event, last(&open.path))) {
            Some((Some((event, _)), _)) => self.told.push(format!("`{event}` does not come in time")),
            Some((None, racer)) => self.told.push(format!("the time is over (`{racer}`)")),
            None => {}
        }
    }

    fn acquires(&mut self, acquires: &[Acquires], output: &Value, site: &str) {
        for acquired in acquires {
            for value in at(output, &acquired.handle) {
                let (resource, site) = (acquired.resource.clone(), site.to_owned());
                self.held.push(Held { resource, value, site });
            }
        }
    }

    /// Settles what the operation settles; what is undone of a confirmed try takes back what `before` was settled by that.
    fn settles(
        &mut self,
        contracts: &Contracts,
        operation: &str,
        input: &Value,
        before: &[Held],
    ) -> Vec<Held> {
        let mut all = Vec::new();
        for settles in &contracts.operations[operation].settles {
            let word = if settles.how == How::Release { "releases" } else { "consumes" };
            let resource = &settles.resource;
            for value in at(input, &settles.handle) {
                let is = |held: &Held| held.resource == *resource && held.value == value;
                if before.iter().any(is) {
                    continue;
                }
                self.told.push(format!("`{operation}` {word} {resource}"));
                if let Some(found) = self.held.iter().position(is) {
                    all.push(self.held.remove(found));
                } else {
                    self.twice.push(Twice { resource: resource.clone(), by: operation.to_owned() });
                    all.extend(self.settled.iter().find(|held| is(held)).cloned());
                }
            }
        }
        self.settled.extend(all.iter().cloned());
        all
    }
}

/// `credit2` of `one.each3[1].credit2`.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn at(value: &Value, path: &str) -> Vec<Value> {
    let mut values = vec![value.clone()];
    for part in path.split('.') {
        let field = part.trim_end_matches("[]");
        values = values.iter().filter_map(|value| value.get(field).cloned()).collect();
        values = values
            .into_iter()
            .flat_map(|value| value.as_list().map_or_else(|| vec![value.clone()], <[Value]>::to_vec))
            .collect();
    }
    values
}
