//! Laws over random flows in random worlds: whatever comes in whatever order, the machine keeps its promises.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_contract::value::json;
use mortise_contract::Value;
use mortise_flow::{
    Answer, Begin, CallKind, CallNo, CallOutcome, Command, Ended, Input, Persistence, Program, State, WaitNo, step,
};
use mortise_types::{Span, Timestamp};
use proptest::prelude::*;
use serde_json::{Value as Json, json as tree};

use crate::trade::{numbered, program};

/// A step of a random flow; ids come when it is written down.
#[derive(Debug, Clone)]
enum Random {
    Claim { handler: Option<Vec<Random>> },
    Pay { any: Option<Vec<Random>> },
    Reserve,
    Scrap,
    Captured { on_timeout: Vec<Random> },
    Packed { on_timeout: Vec<Random> },
    Sleep,
    Switch { cases: Vec<Vec<Random>>, otherwise: Option<Vec<Random>> },
    Foreach { at_once: Option<u32>, until: bool, steps: Vec<Random> },
    Fail,
    End,
    Divide,
    Emit,
    Attention,
    When(Box<Random>),
}

fn random_step() -> impl Strategy<Value = Random> {
    let leaf = prop_oneof![
        4 => Just(Random::Claim { handler: None }),
        3 => Just(Random::Pay { any: None }),
        4 => Just(Random::Reserve),
        1 => Just(Random::Scrap),
        2 => Just(Random::Captured { on_timeout: vec![] }),
        1 => Just(Random::Packed { on_timeout: vec![] }),
        1 => Just(Random::Sleep),
        1 => Just(Random::Fail),
        1 => Just(Random::End),
        1 => Just(Random::Divide),
        1 => Just(Random::Emit),
        1 => Just(Random::Attention),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let block = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            block.clone().prop_map(|steps| Random::Claim { handler: Some(steps) }),
            block.clone().prop_map(|steps| Random::Pay { any: Some(steps) }),
            block.clone().prop_map(|on_timeout| Random::Captured { on_timeout }),
            block.clone().prop_map(|on_timeout| Random::Packed { on_timeout }),
            (prop::collection::vec(block.clone(), 1..3), prop::option::of(block.clone()))
                .prop_map(|(cases, otherwise)| Random::Switch { cases, otherwise }),
            (prop::option::of(1_u32..4), any::<bool>(), block)
                .prop_map(|(at_once, until, steps)| Random::Foreach { at_once, until, steps }),
            inner.prop_map(|step| Random::When(Box::new(step))),
        ]
    })
}

#[derive(Debug, Clone)]
struct RandomFlow {
    before: Vec<Random>,
    pivot: bool,
    after: Vec<Random>,
    cancellable: bool,
}

fn random_flow() -> impl Strategy<Value = RandomFlow> {
    let block = || prop::collection::vec(random_step(), 0..6);
    (block(), any::<bool>(), block(), any::<bool>())
        .prop_map(|(before, pivot, after, cancellable)| RandomFlow { before, pivot, after, cancellable })
}

/// Writes a random flow down as JSON, which is YAML.
#[derive(Default)]
struct Writer {
    ids: u32,
    /// Reservations and payments that the place sees.
    reservations: Vec<String>,
    payments: Vec<String>,
}

impl Writer {
    fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{}", self.ids)
    }

    fn block(&mut self, steps: &[Random]) -> Vec<Json> {
        let seen = (self.reservations.clone(), self.payments.len());
        let written = if steps.is_empty() {
            vec![tree!({"attention": "nothing"})]
        } else {
            steps.iter().map(|step| self.step(step)).collect()
        };
        let left = std::mem::replace(&mut self.reservations, seen.0);
        self.reservations.retain(|held| left.contains(held));
        self.payments.truncate(seen.1);
        written
    }

    fn step(&mut self, step: &Random) -> Json {
        match step {
            Random::Claim { handler } => {
                let id = self.id("claim");
                let mut call = tree!({"id": id, "call": "limit.claim", "with": {"order": "${ input.order }"}});
                if let Some(steps) = handler {
                    call["on"] = tree!({"limit_reached": self.block(steps)});
                }
                call
            }
            Random::Pay { any } => {
                let id = self.id("pay");
                let mut call = tree!({"id": id, "call": "pay.request", "with": {"order": "${ input.order }"}});
                if let Some(steps) = any {
                    call["on"] = tree!({"any": self.block(steps)});
                }
                self.payments.push(id);
                call
            }
            Random::Reserve => {
                let id = self.id("stock");
                self.reservations.push(id.clone());
                tree!({"id": id, "call": "stock.reserve", "with": {"sku": "milk"}})
            }
            Random::Scrap => match self.reservations.pop() {
                None => tree!({"sleep": "1m"}),
                Some(held) => tree!({"when": format!("${{ has({held}.reservation) }}"), "call": "stock.scrap",
                                     "with": {"reservation": format!("${{ {held}.reservation }}")}}),
            },
            Random::Captured { on_timeout } => {
                let id = self.id("captured");
                let key = self.payments.last().map_or("loose".to_owned(), |pay| {
                    format!("${{ has({pay}.payment_id) ? {pay}.payment_id : 'none' }}")
                });
                tree!({"id": id, "wait": "pay.captured", "match": key, "timeout": "30m",
                       "on_timeout": self.block(on_timeout)})
            }
            Random::Packed { on_timeout } => {
                tree!({"wait": "pick.packed", "match": "L", "timeout": "1d", "on_timeout": self.block(on_timeout)})
            }
            Random::Sleep => tree!({"sleep": "10m"}),
            Random::Switch { cases, otherwise } => {
                let mut written = Vec::new();
                for (index, case) in cases.iter().enumerate() {
                    let condition = format!("${{ input.n % 3 == {index} }}");
                    written.push(tree!({"if": condition, "do": self.block(case)}));
                }
                if let Some(steps) = otherwise {
                    written.push(tree!({"else": self.block(steps)}));
                }
                tree!({"switch": written})
            }
            Random::Foreach { at_once, until, steps } => {
                let (id, name) = (self.id("loop"), self.id("element"));
                let mut loops = tree!({"id": id, "foreach": "${ input.elements }", "as": name, "max": 9,
                                       "do": self.block(steps), "result": {"of": format!("${{ {name} }}")}});
                match at_once {
                    Some(most) => loops["at_once"] = tree!(most),
                    None if *until => loops["until"] = tree!(format!("${{ {name} == 'b' }}")),
                    None => {}
                }
                loops
            }
            Random::Fail => tree!({"fail": "no"}),
            Random::End => tree!({"end": "enough"}),
            Random::Divide => {
                let name = self.id("quotient");
                tree!({"let": {name: "${ 100 / input.n }"}})
            }
            Random::Emit => tree!({"emit": "order.placed", "with": {"order": "${ input.order }"}}),
            Random::Attention => tree!({"attention": "look"}),
            Random::When(step) => {
                let mut written = self.step(step);
                if written.get("when").is_none() {
                    written["when"] = tree!("${ input.n > 1 }");
                }
                written
            }
        }
    }
}

fn write(flow: &RandomFlow) -> Arc<Program> {
    let mut writer = Writer::default();
    let mut steps: Vec<Json> = flow.before.iter().map(|step| writer.step(step)).collect();
    if flow.pivot {
        steps.push(tree!({"pivot": "paid"}));
    }
    steps.extend(flow.after.iter().map(|step| writer.step(step)));
    steps.push(tree!({"emit": "order.placed", "with": {}}));
    let mut whole = tree!({"flow": "random", "version": 1, "internal": true, "steps": steps, "input": {"type": "object",
        "properties": {"order": {"type": "string"}, "n": {"type": "integer"},
                       "elements": {"type": "array", "maxItems": 9, "items": {"type": "string"}}}}});
    if flow.cancellable {
        whole["cancel_on"] = tree!({"event": "order.cancel_requested", "match": "${ input.order }", "fail": "cancelled"});
    }
    program(&whole.to_string())
}

/// A call as the world sees it.
#[derive(Debug, Clone)]
struct Out {
    kind: CallKind,
    operation: Arc<str>,
    input: Value,
    persistence: Persistence,
}

/// Keeps its own books of what the machine commands, and checks every promise as it goes.
struct World {
    program: Arc<Program>,
    state: State,
    now: Timestamp,
    journal: Vec<(Timestamp, Input, Vec<Command>)>,
    out: BTreeMap<CallNo, Out>,
    waits: BTreeMap<WaitNo, Option<Arc<str>>>,
    cancellable: bool,
    pivot: bool,
    held: bool,
    answers: Vec<Answer>,
    ended: Option<Ended>,
    /// What has to be taken back, in order of completion: number, and the reservation or payment that it holds.
    owed: Vec<(Owed, Option<Value>)>,
    settled: Vec<Value>,
    /// Unavailable calls, which are taken back at once or with the others.
    uncertain: Vec<CallNo>,
    undone: Vec<Owed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    Call(CallNo),
    Event(WaitNo),
}

impl World {
    fn new(program: Arc<Program>) -> Self {
        Self {
            program,
            state: State::new(),
            now: Timestamp::from_millis(1_767_225_600_000),
            journal: Vec::new(),
            out: BTreeMap::new(),
            waits: BTreeMap::new(),
            cancellable: false,
            pivot: false,
            held: false,
            answers: Vec::new(),
            ended: None,
            owed: Vec::new(),
            settled: Vec::new(),
            uncertain: Vec::new(),
            undone: Vec::new(),
        }
    }

    fn tell(&mut self, input: Input) {
        let (state, commands) = step(&self.program, self.state.clone(), self.now, input.clone());
        self.state = state;
        for command in &commands {
            self.command(command);
        }
        self.journal.push((self.now, input, commands));
        self.check_books();
    }

    fn command(&mut self, command: &Command) {
        assert!(self.ended.is_none(), "{command:?} behind the end");
        match command {
            Command::Call { call, kind, operation, input, persistence, .. } => {
                let out = Out { kind: *kind, operation: operation.clone(), input: input.clone(), persistence: *persistence };
                assert!(self.out.insert(*call, out).is_none(), "{call:?} stands twice");
                self.undo_begins(*kind);
            }
            Command::Wait { wait, event, .. } => {
                let event = event.as_ref().map(|(event, _)| event.clone());
                assert!(self.waits.insert(*wait, event).is_none(), "{wait:?} stands twice");
            }
            Command::Unwait { wait } => assert!(self.waits.remove(wait).is_some(), "{wait:?} was not open"),
            Command::Cancellable { .. } => self.cancellable = true,
            Command::NotCancellable => {
                assert!(self.cancellable, "was not cancellable");
                self.cancellable = false;
            }
            Command::PivotPassed => {
                assert!(!self.pivot, "two pivots");
                self.pivot = true;
            }
            Command::Answer(answer) => self.answers.push(answer.clone()),
            Command::Stuck { .. } => self.held = true,
            Command::End(ended) => self.ended = Some(ended.clone()),
            Command::LateKey { .. } | Command::Emit { .. } | Command::Attention { .. } => {}
        }
    }

    fn undo_begins(&mut self, kind: CallKind) {
        let what = match kind {
            CallKind::Forward => return assert!(!self.state_failed(), "a new step on the way back"),
            CallKind::Undo(call) => Owed::Call(call),
            CallKind::UndoEvent(wait) => Owed::Event(wait),
        };
        assert!(!self.pivot, "an undo behind the pivot");
        assert!(!self.undone.contains(&what), "{what:?} is undone twice");
        self.undone.push(what);
    }

    fn state_failed(&self) -> bool {
        matches!(self.answers.last(), Some(Answer::Failed { .. }))
    }

    /// What the state says of itself is what was commanded.
    fn check_books(&self) {
        let calls: Vec<CallNo> = self.out.keys().copied().collect();
        assert_eq!(self.state.pending_calls(), calls);
        let waits: Vec<WaitNo> = self.waits.keys().copied().collect();
        assert_eq!(self.state.waits().iter().map(|open| open.wait).collect::<Vec<_>>(), waits);
        assert_eq!(self.state.passed_pivot(), self.pivot);
        assert_eq!(self.state.ended(), self.ended.as_ref());
        assert!(self.answers.len() <= 1);
        assert_eq!(self.state.is_answered(), self.answers.len() == 1);
        let open = self.state.outstanding();
        assert_eq!(open.iter().any(|command| matches!(command, Command::Cancellable { .. })), self.cancellable);
        let held = open.iter().filter(|command| matches!(command, Command::Call { .. } | Command::Wait { .. })).count();
        assert_eq!(held, calls.len() + waits.len());
        assert!(!self.state.position().is_empty());
    }

    /// One thing happens; `false` if nothing can.
    fn happen(&mut self, choice: u16) -> bool {
        let things = self.out.len() + self.waits.len() + usize::from(self.cancellable && choice.is_multiple_of(11));
        if things == 0 || self.ended.is_some() {
            return false;
        }
        self.now = self.now.saturating_add(Span::seconds(u32::from(choice % 97)));
        let which = usize::from(choice) % things;
        if let Some((call, out)) = self.out.iter().nth(which).map(|(call, out)| (*call, out.clone())) {
            self.reply(call, &out, choice / 7);
        } else if let Some((wait, event)) =
            self.waits.iter().nth(which - self.out.len()).map(|(wait, event)| (*wait, event.clone()))
        {
            self.end_wait(wait, event.as_deref(), choice / 7);
        } else {
            self.cancellable_event();
        }
        true
    }

    fn cancellable_event(&mut self) {
        self.tell(Input::Cancel);
        assert!(matches!(self.answers.last(), Some(Answer::Failed { .. })));
    }

    fn reply(&mut self, call: CallNo, out: &Out, choice: u16) {
        let outcome = outcome(call, out, choice);
        self.out.remove(&call);
        if out.kind == CallKind::Forward && !self.pivot {
            self.book(call, out, &outcome);
        }
        self.tell(Input::Replied { call, outcome });
    }

    fn book(&mut self, call: CallNo, out: &Out, outcome: &CallOutcome) {
        match outcome {
            CallOutcome::Rejected { .. } => {}
            CallOutcome::Unavailable { .. } => self.uncertain.push(call),
            CallOutcome::Done(output) => match &*out.operation {
                "stock.scrap" => self.settled.extend(out.input.get("reservation").cloned()),
                _ => {
                    let held = output.get("reservation").or(output.get("payment_id"));
                    self.owed.push((Owed::Call(call), held.cloned()));
                }
            },
        }
    }

    fn end_wait(&mut self, wait: WaitNo, event: Option<&str>, choice: u16) {
        self.waits.remove(&wait);
        let input = match event {
            Some("pay.captured") if !choice.is_multiple_of(3) => {
                let payload = json(&format!(r#"{{"payment_id":"p{}","amount":5}}"#, wait.0)).unwrap();
                if !self.pivot {
                    self.owed.push((Owed::Event(wait), payload.get("payment_id").cloned()));
                }
                Input::Event { wait, payload }
            }
            Some(_) if !choice.is_multiple_of(3) => Input::Event { wait, payload: Value::empty_record() },
            _ => Input::Due { wait },
        };
        self.tell(input);
    }

    /// What has to be undone with the way back, in order.
    fn expected(&self) -> Vec<Owed> {
        let settled = |held: &Option<Value>| held.as_ref().is_some_and(|held| self.settled.contains(held));
        self.owed.iter().rev().filter(|(_, held)| !settled(held)).map(|(owed, _)| *owed).collect()
    }

    fn check_end(&self) {
        match self.ended.as_ref().expect("nothing is out, so it has ended or is held") {
            Ended::Failed(_) => {
                assert!(!self.pivot, "failed behind the pivot");
                let uncertain = |owed: &Owed| matches!(owed, Owed::Call(call) if self.uncertain.contains(call));
                let backward: Vec<Owed> = self.undone.iter().copied().filter(|owed| !uncertain(owed)).collect();
                assert_eq!(backward, self.expected(), "what was done is undone, in reverse order of completion");
            }
            Ended::Completed | Ended::Early(_) => {
                assert!(self.undone.iter().all(|owed| matches!(owed, Owed::Call(call) if self.uncertain.contains(call))));
            }
        }
        for call in &self.uncertain {
            assert!(self.undone.contains(&Owed::Call(*call)), "{call:?} was unavailable and is not taken back");
        }
        assert_eq!(self.answers.len(), 1, "answered exactly once");
        assert!(self.out.is_empty() && self.waits.is_empty() && !self.cancellable);
    }
}

fn outcome(call: CallNo, out: &Out, choice: u16) -> CallOutcome {
    let output = match &*out.operation {
        "limit.claim" => numbered("claim", "c", call.0),
        "stock.reserve" => numbered("reservation", "r", call.0),
        "pay.request" => numbered("payment_id", "q", call.0),
        _ => Value::empty_record(),
    };
    let code = match &*out.operation {
        "limit.claim" => Some("limit_reached"),
        "stock.reserve" => Some("out_of_stock"),
        "pay.request" => Some("declined"),
        _ => None,
    };
    match (choice % 6, code) {
        (0, Some(code)) if out.kind == CallKind::Forward => {
            CallOutcome::Rejected { code: code.into(), detail: Value::empty_record() }
        }
        (1, _) if &*out.operation == "pay.request" && out.persistence == Persistence::GiveUp => {
            CallOutcome::Unavailable { minted: output }
        }
        _ => CallOutcome::Done(output),
    }
}

fn play(flow: &RandomFlow, n: i64, choices: &[u16]) -> World {
    let mut world = World::new(write(flow));
    let input = json(&format!(r#"{{"order":"o","n":{n},"elements":["a","b","c"]}}"#)).unwrap();
    world.tell(Input::Begin(Begin { input, scope: Value::empty_record() }));
    let mut left = 5_000;
    for choice in choices.iter().copied().cycle() {
        if !world.happen(choice.wrapping_mul(31).wrapping_add(left)) {
            break;
        }
        left -= 1;
        assert!(left > 0, "it never ends");
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_way_ends_and_going_backward_takes_everything_back_once(
        flow in random_flow(), n in 0_i64..4, choices in prop::collection::vec(any::<u16>(), 1..40),
    ) {
        let world = play(&flow, n, &choices);
        if world.held && world.ended.is_none() {
            prop_assert!(world.pivot, "only behind the pivot is a step held");
            prop_assert!(world.state.stuck().is_some());
        } else {
            world.check_end();
        }
    }

    #[test]
    fn the_fold_of_the_journal_is_the_state(
        flow in random_flow(), n in 0_i64..4, choices in prop::collection::vec(any::<u16>(), 1..40),
    ) {
        let world = play(&flow, n, &choices);
        let mut state = State::new();
        for (now, input, commands) in &world.journal {
            let (next, again) = step(&world.program, state, *now, input.clone());
            prop_assert_eq!(&again, commands);
            state = next;
        }
        prop_assert_eq!(state, world.state);
    }

    #[test]
    fn what_nobody_waits_for_changes_nothing(
        flow in random_flow(), n in 0_i64..4, choices in prop::collection::vec(any::<u16>(), 1..20),
    ) {
        let world = play(&flow, n, &choices);
        let mut state = State::new();
        let unknown = [
            Input::Replied { call: CallNo(9_999), outcome: CallOutcome::Done(Value::Null) },
            Input::Event { wait: WaitNo(9_999), payload: Value::Null },
            Input::Due { wait: WaitNo(9_999) },
        ];
        for (at, (now, input, _)) in world.journal.iter().enumerate() {
            let known = world.journal[..at].iter().map(|(_, input, _)| input);
            let settled = known.filter(|input| !matches!(input, Input::Cancel));
            for repeated in settled.chain(&unknown) {
                let (same, said) = step(&world.program, state.clone(), *now, repeated.clone());
                prop_assert!(said.is_empty(), "{repeated:?} says {said:?}");
                prop_assert_eq!(&same, &state);
            }
            state = step(&world.program, state, *now, input.clone()).0;
        }
    }
}
