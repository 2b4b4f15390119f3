//! Calls that are tried together: what a try acquires, its confirm or its cancel settles; what it settles is held again when
//! it is cancelled.

use mortise_contract::OperationContract;

use super::calls::{Act, Firmness};
use super::track::{Entry, Undo};
use super::value::Value;
use super::values::may_fail;
use super::walk::{Outcome, Walk};
use crate::ast::{At, Place, Step, Tcc, Try};
use crate::check::ways::Ways;
use crate::machine::EVALUATION_FAILED;

impl<'c> Walk<'_, 'c> {
    pub(super) fn tcc(&mut self, step: &'c Step, tcc: &'c Tcc, mut ways: Ways) -> Outcome {
        let mut missed = Ways::default();
        // What the first try is given is worked out before it waits for anything.
        if let Some(first) = tcc.calls.first().filter(|first| may_fail(&first.call.with).is_some()) {
            missed = self.rejected(step, &first.call.operation.value, &tcc.on, &[EVALUATION_FAILED], &ways);
        }
        ways.waits(self.waits_for(step));
        if self.asks_to_try(tcc) {
            self.cancelled(&ways, step.place);
        }
        let mut tried: Vec<(&'c Try, &'c OperationContract)> = Vec::new();
        for of in &tcc.calls {
            let name = &of.call.operation;
            let Some(contract) = self.contracts.operations.get(&name.value) else { continue };
            let mut codes = self.codes(contract);
            // The scope of the tries is around what they are given, so its handlers take that, too.
            if !tried.is_empty() && may_fail(&of.call.with).is_some() {
                codes.push(EVALUATION_FAILED);
            }
            if !codes.is_empty() {
                let back = self.tries_cancelled(&tried, ways.clone());
                let out = self.rejected(step, &name.value, &tcc.on, &codes, &back);
                missed = self.both(missed, out);
            }
            let (place, id, firmness) = (place_of(of), of.id.as_ref(), Firmness::Tried);
            ways = self.called(&Act { place, id, call: &of.call, contract, firmness }, ways);
            tried.push((of, contract));
        }
        let mut done = ways;
        for (of, contract) in &tried {
            done = self.confirmed(of, contract, done);
        }
        for (of, _) in &tried {
            of.id.iter().for_each(|id| self.bind(id));
        }
        if let Some(id) = &step.id {
            for way in &mut done.all {
                let field = |of: &At<String>| (of.value.clone(), way.track().named(of.place.offset));
                let fields = tried.iter().filter_map(|(of, _)| of.id.as_ref()).map(field).collect();
                way.track_mut().name(id.place.offset, Value::record(fields));
            }
        }
        if self.asks_to_confirm(tcc) {
            self.cancelled(&done, step.place);
        }
        Outcome { done, missed }
    }

    /// Whether a try, or what cancels it, asks a peer, so that others may come between.
    pub(super) fn asks_to_try(&self, tcc: &Tcc) -> bool {
        self.any_asks(tcc, |tcc| &tcc.cancel.call)
            || tcc.calls.iter().any(|of| self.is_remote(&of.call.operation.value))
    }

    /// Whether what confirms a try asks a peer: all is confirmed then, whatever comes between.
    pub(super) fn asks_to_confirm(&self, tcc: &Tcc) -> bool {
        self.any_asks(tcc, |tcc| &tcc.confirm.call)
    }

    fn any_asks(&self, tcc: &Tcc, whom: impl Fn(&mortise_contract::Tcc) -> &String) -> bool {
        let contract = |of: &Try| self.contracts.operations.get(&of.call.operation.value);
        let triples = tcc.calls.iter().filter_map(|of| contract(of)?.tcc.as_ref());
        triples.into_iter().any(|triple| self.is_remote(whom(triple)))
    }

    /// What was tried is cancelled: what it settled is held again, and what it acquired is settled, so that nothing is left
    /// to follow.
    fn tries_cancelled(&self, tried: &[(&'c Try, &'c OperationContract)], mut ways: Ways) -> Ways {
        for (of, _) in tried {
            if self.acquires(&of.call.operation) {
                ways.all.retain(|way| way.track().held().is_none());
            }
            for way in &mut ways.all {
                way.track_mut().cancelled_at(place_of(of));
            }
        }
        ways
    }

    /// A call is confirmed: what it acquired is settled by that, and it is undone as any call is from now on.
    fn confirmed(&mut self, of: &'c Try, contract: &'c OperationContract, ways: Ways) -> Ways {
        let (place, name) = (place_of(of), &of.call.operation);
        let mut out = Ways::default();
        for (undo, mut ways) in self.undos(of, contract, ways) {
            for way in ways.all.iter_mut().filter(|way| way.follows()) {
                let settled = way.track_mut().confirmed_at(place);
                if self.is_logged() {
                    let (name, undo) = (name.value.clone(), undo.clone());
                    way.track_mut().finished(Entry { place, name, acquired: false, settled, undo });
                }
            }
            if self.acquires(name) {
                ways = self.confirms_what_it_acquired(of, contract, ways);
            }
            out.all.extend(ways.all);
        }
        out.at_most(self.limit())
    }

    fn confirms_what_it_acquired(&mut self, of: &Try, contract: &OperationContract, ways: Ways) -> Ways {
        let place = place_of(of);
        let (mut held, others): (Vec<_>, Vec<_>) =
            ways.all.into_iter().partition(|way| way.track().held().is_some());
        for way in &mut held {
            while let Some(slot) = way.track().held() {
                let _ = way.track_mut().settle(slot, place);
            }
        }
        let name = &of.call.operation.value;
        let by = contract.tcc.as_ref().map_or(name.as_str(), |tcc| tcc.confirm.call.as_str());
        let mut ways = Ways { all: held };
        self.checker.points.mark(&mut ways, place, format!("`{by}` confirms it"));
        ways.all.extend(others);
        ways
    }

    /// How a confirmed call is taken back, on each of the ways. What it acquired is settled by its confirm, and whatever
    /// undoes that settles nothing more of it.
    fn undos(&mut self, of: &'c Try, contract: &'c OperationContract, ways: Ways) -> Vec<(Undo, Ways)> {
        let own = self.acquires(&of.call.operation);
        let call = |operation: &str, settles| {
            let settles = if own { Vec::new() } else { settles };
            Undo::Call { operation: operation.to_owned(), settles }
        };
        match (&of.call.undo, &contract.undo) {
            (Some(undo), _) => {
                let groups = self.own_undo(undo, of.id.as_ref(), ways);
                groups.into_iter().map(|(slots, ways)| (call(&undo.operation.value, slots), ways)).collect()
            }
            (None, Some(mortise_contract::Undo::Call(template))) => {
                let groups = self.values(&of.call.with, ways);
                let slots = |input: &Value| self.template_slots(template, &[("input", input)]);
                groups.into_iter().map(|(input, ways)| (call(&template.call, slots(&input)), ways)).collect()
            }
            _ => vec![(Undo::Nothing, ways)],
        }
    }
}

fn place_of(of: &Try) -> Place {
    of.id.as_ref().map_or(of.call.operation.place, |id| id.place)
}
