//! What calls and events do to a handle: they acquire it, settle it, or would settle it when they are undone; and what becomes
//! of the ways on which they are rejected.

use mortise_contract::{Acquires, CallTemplate, Effect, How as Settling, OperationContract, Settles};

use super::ends::{How, handler_of};
use super::survey::Origin;
use super::track::{Entry, Twice, Undo};
use super::value::{Slot, Value, of_contract, parts};
use super::walk::{Outcome, Pivot, Walk};
use crate::ast::{At, Call, Handler, Place, Start, Step, UndoCall, Wait};
use crate::check::handler::UNAVAILABLE;
use crate::check::ways::{Way, Ways};
use crate::parse::contract_template;
use crate::typing::Ty;

/// A call as it happens: what it is told, and what takes it back.
pub(super) struct Act<'a, 'c> {
    pub(super) place: Place,
    pub(super) id: Option<&'a At<String>>,
    pub(super) call: &'a Call,
    pub(super) contract: &'c OperationContract,
    pub(super) firmness: Firmness,
}

/// Whether a call that has happened is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Firmness {
    Done,
    /// It is to be confirmed or cancelled.
    Tried,
}

/// A handle on a way, as an act leaves it.
struct Done {
    way: Way,
    acquired: bool,
    settled: Vec<Slot>,
    output: Value,
}

impl<'c> Walk<'_, 'c> {
    pub(super) fn resource(&self, slot: Slot) -> &str {
        self.resources.get(usize::from(slot)).map_or("", String::as_str)
    }

    /// Whether the trade owes what it holds; what comes in by `input` is somebody else's.
    pub(super) fn is_owed(&self) -> bool {
        self.site.origin != Origin::Input
    }

    /// Whether going backward, or an attempt around, will want to know what has finished.
    pub(super) fn is_logged(&self) -> bool {
        self.pivot == Pivot::Ahead || self.attempts > 0
    }

    pub(super) fn call(&mut self, step: &'c Step, call: &'c Call, ways: Ways) -> Outcome {
        let Some(contract) = self.contracts.operations.get(&call.operation.value) else {
            return Outcome::done(ways);
        };
        let codes = self.codes(contract);
        let missed = self.rejected(step, &call.operation.value, &call.on, &codes, &ways);
        // While a peer is asked, which may say no.
        if contract.effect == Effect::Remote && !codes.is_empty() {
            self.cancelled(&ways, step.place);
        }
        let (id, firmness) = (step.id.as_ref(), Firmness::Done);
        let done = self.called(&Act { place: step.place, id, call, contract, firmness }, ways);
        if contract.effect == Effect::Remote {
            self.cancelled(&done, step.place);
        }
        Outcome { done, missed }
    }

    /// The codes that a call may be rejected with here.
    pub(super) fn codes(&self, contract: &'c OperationContract) -> Vec<&'c str> {
        let mut codes: Vec<&str> = contract.rejections.keys().map(String::as_str).collect();
        if contract.effect == Effect::Remote && self.pivot == Pivot::Ahead {
            codes.push(UNAVAILABLE);
        }
        codes
    }

    /// The ways on which a step is rejected and a handler goes on; where nobody takes a code, they end.
    pub(super) fn rejected(
        &mut self,
        step: &'c Step,
        name: &str,
        handlers: &'c [Handler],
        codes: &[&str],
        ways: &Ways,
    ) -> Ways {
        let mut missed = Ways::default();
        for (number, handler) in handlers.iter().enumerate() {
            let comes = codes.iter().any(|code| handler_of(handlers, code) == Some(number));
            let mut ways = if comes { ways.clone() } else { Ways::default() };
            self.mark(&mut ways, step.place, step, || {
                format!("`{name}` is rejected (`{}`)", handler.code.value)
            });
            let mark = self.checker.scope.mark();
            self.bind_rejection(handler);
            let ways = self.list(&handler.steps, ways);
            let (ways, _) = self.close(mark, ways);
            missed = self.both(missed, ways);
        }
        let untaken = codes.iter().filter(|code| handler_of(handlers, code).is_none());
        // Only an attempt asks which code it was.
        let most = if self.endings.is_empty() { 1 } else { codes.len() };
        for code in untaken.take(most) {
            let how = How::failed(code);
            self.ends(ways.clone(), step.place, format!("`{name}` is rejected (`{code}`)"), how);
        }
        missed
    }

    /// A call that has happened.
    pub(super) fn called(&mut self, act: &Act<'_, 'c>, ways: Ways) -> Ways {
        let origin = act.call.operation.place.offset;
        let acquires = self.site.origin == Origin::Step(origin);
        let named = ways.all.iter().any(|way| way.track().has_names());
        if !acquires && !named {
            return ways;
        }
        let mut done = Ways::default();
        for (input, ways) in self.values(&act.call.with, ways) {
            for way in ways.all {
                let Some((way, settled)) = self.settled(act, &input, way) else { continue };
                for (way, output) in
                    self.begun(acquires, &act.contract.acquires, act.place, &act.call.operation.value, way)
                {
                    let acquired = output != Value::Nothing;
                    let is = Done { way, acquired, settled: settled.clone(), output };
                    done.all.extend(self.logged(act, &input, is).all);
                }
            }
        }
        done.at_most(self.checker.limit)
    }

    /// Settles what the call settles; none if it has been settled already, which is reported.
    fn settled(&mut self, act: &Act<'_, 'c>, input: &Value, way: Way) -> Option<(Way, Vec<Slot>)> {
        let name = &act.call.operation.value;
        let (mut way, settled) = self.settle_all(name, &act.contract.settles, act.place, input, way)?;
        if act.firmness == Firmness::Tried && !settled.is_empty() {
            way.track_mut().is_tried(&settled);
        }
        Some((way, settled))
    }

    fn settle_all(
        &mut self,
        name: &str,
        settles: &[Settles],
        place: Place,
        input: &Value,
        way: Way,
    ) -> Option<(Way, Vec<Slot>)> {
        let mut one = Ways { all: vec![way] };
        let mut settled = Vec::new();
        for of in settles {
            let slots = self.slots(of, input);
            let Some(way) = one.all.first_mut() else { continue };
            let mut twice = None;
            for slot in &slots {
                if let Err(first) = way.track_mut().settle(*slot, place) {
                    twice.get_or_insert(Twice { slot: *slot, by: name.to_owned(), place, first });
                }
            }
            if !slots.is_empty() {
                let word = if of.how == Settling::Release { "releases" } else { "consumes" };
                self.checker.points.mark(&mut one, place, format!("`{name}` {word} {}", of.resource));
            }
            if let Some(twice) = twice {
                let points = one.all.first().map(|way| self.checker.points.of(way)).unwrap_or_default();
                self.used_twice(&twice, points);
                return None;
            }
            settled.extend(slots);
        }
        Some((one.all.pop()?, settled))
    }

    /// The handles that an input settles.
    fn slots(&self, settles: &Settles, input: &Value) -> Vec<Slot> {
        let mut slots = Vec::new();
        if *input != Value::Nothing {
            input.handles(&parts(&settles.handle, Ty::unknown(), self.contracts), &mut slots);
            slots.retain(|slot| self.resource(*slot) == settles.resource);
        }
        slots
    }

    /// The ways on which the step acquires what is followed, and on which, in another round, something else.
    fn begun(
        &mut self,
        acquires: bool,
        acquired: &[Acquires],
        place: Place,
        name: &str,
        way: Way,
    ) -> Vec<(Way, Value)> {
        if !acquires || way.follows() {
            return vec![(way, Value::Nothing)];
        }
        let mut resources: Vec<&str> = acquired.iter().map(|acquires| &*acquires.resource).collect();
        resources.dedup();
        let mut ways = Vec::new();
        for (output, handles) in self.outputs.clone() {
            let mut one = Ways { all: vec![way.clone()] };
            one.all.iter_mut().for_each(|way| way.track_mut().begin(handles.clone()));
            self.checker.points.mark(
                &mut one,
                place,
                format!("`{name}` acquires {}", resources.join(" and ")),
            );
            ways.extend(one.all.into_iter().map(|way| (way, output.clone())));
        }
        if self.loops > 0 {
            ways.push((way, Value::Nothing));
        }
        ways
    }

    /// Names the output, and notes what going backward has to know.
    fn logged(&mut self, act: &Act<'_, 'c>, input: &Value, mut done: Done) -> Ways {
        if let Some(id) = act.id {
            done.way.track_mut().name(id.place.offset, done.output.clone());
        }
        if act.firmness == Firmness::Tried || !self.is_logged() {
            return Ways { all: vec![done.way] };
        }
        let Some(undo) = &act.call.undo else {
            let undo = self.contract_undo(act.contract, input, &done);
            return Ways { all: vec![self.finished(act, done, undo)] };
        };
        let operation = &undo.operation.value;
        let mut out = Ways::default();
        for (slots, ways) in self.own_undo(undo, act.id, Ways { all: vec![done.way] }) {
            let mut acquired = Vec::new();
            done.output.all(&mut acquired);
            self.verdict.undo_falls_short |= acquired.iter().any(|slot| !slots.contains(slot));
            let undo = Undo::Call { operation: operation.clone(), settles: slots };
            for way in ways.all {
                let done = Done {
                    way,
                    acquired: done.acquired,
                    settled: done.settled.clone(),
                    output: Value::Nothing,
                };
                out.all.push(self.finished(act, done, undo.clone()));
            }
        }
        out
    }

    /// What a step's own undo settles, on each of the ways.
    pub(super) fn own_undo(
        &mut self,
        undo: &UndoCall,
        id: Option<&At<String>>,
        ways: Ways,
    ) -> Vec<(Vec<Slot>, Ways)> {
        let contract = self.contracts.operations.get(&undo.operation.value);
        let mark = self.checker.scope.mark();
        id.into_iter().for_each(|id| self.bind(id));
        let groups = self.values(&undo.with, ways);
        self.checker.scope.close(mark);
        let slots = |given: Value| {
            contract
                .iter()
                .flat_map(|contract| &contract.settles)
                .flat_map(|of| self.slots(of, &given))
                .collect()
        };
        groups.into_iter().map(|(given, ways)| (slots(given), ways)).collect()
    }

    /// How the contract takes a call back. What a step acquires, its contract's own undo takes back.
    fn contract_undo(&self, contract: &OperationContract, input: &Value, done: &Done) -> Undo {
        let Some(mortise_contract::Undo::Call(template)) = &contract.undo else { return Undo::Nothing };
        let mut settles = self.template_slots(template, &[("input", input), ("output", &done.output)]);
        if done.acquired {
            settles.clear();
            done.output.all(&mut settles);
        }
        Undo::Call { operation: template.call.clone(), settles }
    }

    /// The handles that a contract's own call settles.
    pub(super) fn template_slots(&self, template: &CallTemplate, names: &[(&str, &Value)]) -> Vec<Slot> {
        let Some(contract) = self.contracts.operations.get(&template.call) else { return Vec::new() };
        if contract.settles.is_empty() || names.iter().all(|(_, value)| **value == Value::Nothing) {
            return Vec::new();
        }
        let Ok(with) = contract_template(&template.with, Place::default()) else { return Vec::new() };
        let given = of_contract(&with, names);
        contract.settles.iter().flat_map(|of| self.slots(of, &given)).collect()
    }

    fn finished(&self, act: &Act<'_, 'c>, done: Done, undo: Undo) -> Way {
        let Done { mut way, acquired, settled, .. } = done;
        if way.follows() {
            let name = act.call.operation.value.clone();
            way.track_mut().finished(Entry { place: act.place, name, acquired, settled, undo });
        }
        way
    }

    pub(super) fn wait(&mut self, step: &'c Step, wait: &'c Wait, ways: Ways) -> Outcome {
        let event = &wait.event;
        self.cancelled(&ways, step.place);
        let (mut done, mut late) = (ways.clone(), ways);
        self.mark(&mut late, step.place, step, || format!("`{}` does not come in time", event.value));
        let missed = self.block(&wait.on_timeout, late);
        if !self.acquires(event) {
            self.mark(&mut done, step.place, step, || format!("`{}` comes", event.value));
        }
        Outcome { done: self.comes(event, step.id.as_ref(), step.place, done), missed }
    }

    pub(super) fn acquires(&self, event: &At<String>) -> bool {
        self.site.origin == Origin::Step(event.place.offset)
    }

    /// An event that has come; what undoes it is its contract's `late` call.
    pub(super) fn comes(
        &mut self,
        event: &'c At<String>,
        id: Option<&'c At<String>>,
        place: Place,
        ways: Ways,
    ) -> Ways {
        let Some(contract) = self.contracts.events.get(&event.value) else { return ways };
        let acquires = self.acquires(event);
        let mut done = Ways::default();
        for way in ways.all {
            for (mut way, output) in self.begun(acquires, &contract.acquires, place, &event.value, way) {
                if let Some(id) = id {
                    way.track_mut().name(id.place.offset, output.clone());
                }
                if output != Value::Nothing && self.is_logged() {
                    let undo = contract.late.as_ref().map_or(Undo::Nothing, |late| {
                        let mut settles = Vec::new();
                        output.all(&mut settles);
                        Undo::Call { operation: late.call.clone(), settles }
                    });
                    let name = event.value.clone();
                    way.track_mut().finished(Entry {
                        place,
                        name,
                        acquired: true,
                        settled: Vec::new(),
                        undo,
                    });
                }
                done.all.push(way);
            }
        }
        done
    }

    pub(super) fn start(&mut self, step: &'c Step, start: &'c Start, ways: Ways) -> Outcome {
        let name = &start.flow.value;
        let Some(contract) = self.contracts.flows.get(name) else { return Outcome::done(ways) };
        self.cancelled(&ways, step.place);
        let codes: Vec<&str> = contract.fails.iter().map(String::as_str).collect();
        let missed = self.rejected(step, name, &start.on, &codes, &ways);
        Outcome { done: ways, missed }
    }
}
