//! Calls that are tried together: what a try acquires, its confirm or its cancel settles.

use mortise_contract::OperationContract;

use super::calls::Act;
use super::track::{Entry, Undo};
use super::value::Value;
use super::walk::{Outcome, Walk};
use crate::ast::{At, Place, Step, Tcc, Try};
use crate::check::ways::Ways;

impl<'c> Walk<'_, 'c> {
    pub(super) fn tcc(&mut self, step: &'c Step, tcc: &'c Tcc, mut ways: Ways) -> Outcome {
        let mut missed = Ways::default();
        let mut tried: Vec<(&'c Try, &'c OperationContract)> = Vec::new();
        for of in &tcc.calls {
            let name = &of.call.operation;
            let Some(contract) = self.contracts.operations.get(&name.value) else { continue };
            self.worked_out(step, &of.call.with, &ways);
            let codes = self.codes(contract);
            if !codes.is_empty() {
                let back = self.tries_cancelled(&tried, ways.clone());
                let out = self.rejected(step, &name.value, &tcc.on, &codes, &back);
                missed = self.both(missed, out);
            }
            let place = of.id.as_ref().map_or(name.place, |id| id.place);
            let act = Act { place, id: of.id.as_ref(), call: &of.call, contract };
            ways = self.called(&act, ways, false);
            tried.push((of, contract));
        }
        let mut done = self.confirmed(&tried, ways);
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
        self.cancelled(&done, step.place);
        Outcome { done, missed }
    }

    /// What was tried is cancelled: what it acquired is settled, what it settled is held again.
    fn tries_cancelled(&mut self, tried: &[(&'c Try, &'c OperationContract)], ways: Ways) -> Ways {
        let mut out = Ways::default();
        for mut way in ways.all {
            let mut over = false;
            for (of, _) in tried.iter().rev() {
                over |= self.acquires(&of.call.operation) && way.follows();
                for slot in way.track().settled_at(place_of(of)) {
                    way.track_mut().hold(slot);
                }
            }
            if !over {
                out.all.push(way);
            }
        }
        out
    }

    /// What was tried is confirmed: what it acquired is settled by that.
    fn confirmed(&mut self, tried: &[(&'c Try, &'c OperationContract)], ways: Ways) -> Ways {
        let mut out = Ways::default();
        for way in ways.all {
            let mut one = Ways { all: vec![way] };
            for (of, contract) in tried {
                let Some(way) = one.all.first_mut() else { continue };
                let (place, name) = (place_of(of), &of.call.operation);
                let settled = way.track().settled_at(place);
                if !settled.is_empty() && self.is_logged() {
                    let undo = match (&of.call.undo, &contract.undo) {
                        (Some(undo), _) => {
                            Undo::Call { operation: undo.operation.value.clone(), settles: Vec::new() }
                        }
                        (None, Some(mortise_contract::Undo::Call(template))) => {
                            Undo::Call { operation: template.call.clone(), settles: Vec::new() }
                        }
                        _ => Undo::Nothing,
                    };
                    let entry = Entry { place, name: name.value.clone(), acquired: false, settled, undo };
                    way.track_mut().finished(entry);
                }
                if self.acquires(name) && way.follows() && way.track().held().is_some() {
                    while let Some(slot) = way.track().held() {
                        let _ = way.track_mut().settle(slot, place);
                    }
                    let by =
                        contract.tcc.as_ref().map_or(name.value.as_str(), |tcc| tcc.confirm.call.as_str());
                    self.checker.points.mark(&mut one, place, format!("`{by}` confirms it"));
                }
            }
            out.all.extend(one.all);
        }
        out
    }
}

fn place_of(of: &Try) -> Place {
    of.id.as_ref().map_or(of.call.operation.place, |id| id.place)
}
