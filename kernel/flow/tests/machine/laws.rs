//! Laws over random flows in random worlds: whatever comes in whatever order, the machine keeps its promises.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mortise_contract::Value;
use mortise_contract::value::json;
use mortise_flow::{
    Answer, Begin, CallKind, CallNo, CallOutcome, Command, Ended, Input, Persistence, Program, State,
    TAKEN_BACK, WaitNo, step,
};
use mortise_types::{Span, Timestamp};
use proptest::prelude::*;

use crate::random::{RandomFlow, random_flow, write};
use crate::trade::numbered;

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
    waits: BTreeMap<WaitNo, Open>,
    cancellable: BTreeSet<WaitNo>,
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
    /// How many of them were undone when the trade itself began to go backward.
    undone_before: Option<usize>,
    /// What was done behind the pivot: only attempts take it back.
    behind: Vec<Owed>,
    confirmed: Vec<CallNo>,
    withdrawn: BTreeSet<CallNo>,
    /// Keys for which money was waited, came, or would come late.
    asked: Vec<Value>,
    came: Vec<Value>,
    late: Vec<Value>,
}

/// A wait as the world sees it.
#[derive(Debug, Clone)]
struct Open {
    event: Option<(Arc<str>, Value)>,
    has_clock: bool,
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
            cancellable: BTreeSet::new(),
            pivot: false,
            held: false,
            answers: Vec::new(),
            ended: None,
            owed: Vec::new(),
            settled: Vec::new(),
            uncertain: Vec::new(),
            undone: Vec::new(),
            undone_before: None,
            behind: Vec::new(),
            confirmed: Vec::new(),
            withdrawn: BTreeSet::new(),
            asked: Vec::new(),
            came: Vec::new(),
            late: Vec::new(),
        }
    }

    fn tell(&mut self, input: Input) {
        let (state, commands) = step(&self.program, self.state.clone(), self.now, input.clone());
        self.state = state;
        if self.state.is_going_backward() || matches!(self.state.ended(), Some(Ended::Failed(_))) {
            self.undone_before.get_or_insert(self.undone.len());
        }
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
                let (kind, input, persistence) = (*kind, input.clone(), *persistence);
                self.call(*call, Out { kind, operation: operation.clone(), input, persistence });
            }
            Command::Start { call, flow, input, .. } => {
                let (operation, input) = (flow.clone(), input.clone());
                let (kind, persistence) = (CallKind::Forward, Persistence::WithoutEnd);
                self.call(*call, Out { kind, operation, input, persistence });
            }
            Command::TakeBack { call, of, .. } => {
                let (operation, input) = ("insure.back".into(), Value::Null);
                let (kind, persistence) = (CallKind::Undo(*of), Persistence::WithoutEnd);
                self.call(*call, Out { kind, operation, input, persistence });
            }
            Command::Withdraw { call } => {
                assert!(
                    self.out.get(call).is_some_and(|out| &*out.operation == "insure"),
                    "{call:?} is no trade"
                );
                assert!(self.withdrawn.insert(*call), "{call:?} is withdrawn twice");
            }
            Command::Wait { wait, event, due, .. } => {
                assert!(event.is_some() || due.is_some(), "a sleep without a clock");
                if let Some((event, key)) = event
                    && &**event == "pay.captured"
                {
                    self.asked.push(key.clone());
                }
                let open = Open { event: event.clone(), has_clock: due.is_some() };
                assert!(self.waits.insert(*wait, open).is_none(), "{wait:?} stands twice");
            }
            Command::Unwait { wait } => assert!(self.waits.remove(wait).is_some(), "{wait:?} was not open"),
            Command::Cancellable { wait, .. } => {
                assert!(self.cancellable.insert(*wait), "{wait:?} stands twice");
            }
            Command::NotCancellable { wait } => {
                assert!(self.cancellable.remove(wait), "{wait:?} was not cancellable");
            }
            Command::PivotPassed => {
                assert!(!self.pivot, "two pivots");
                self.pivot = true;
            }
            Command::Answer(answer) => self.answers.push(answer.clone()),
            Command::Stuck { .. } => self.held = true,
            Command::End(ended) => self.ended = Some(ended.clone()),
            Command::LateKey { key, .. } => {
                assert!(!self.late.contains(key), "{key:?} is late twice");
                self.late.push(key.clone());
            }
            Command::Emit { .. } | Command::Attention { .. } => {}
        }
    }

    fn call(&mut self, call: CallNo, out: Out) {
        self.undo_begins(out.kind, &out.operation);
        assert!(self.out.insert(call, out).is_none(), "{call:?} stands twice");
    }

    fn undo_begins(&mut self, kind: CallKind, operation: &str) {
        let what = match kind {
            CallKind::Forward => return assert!(!self.state_failed(), "a new step on the way back"),
            CallKind::Confirm(call) => {
                assert!(!self.undone.contains(&Owed::Call(call)), "{call:?} is cancelled and confirmed");
                return;
            }
            CallKind::Undo(call) => Owed::Call(call),
            CallKind::UndoEvent(wait) => Owed::Event(wait),
        };
        if let Owed::Call(call) = what {
            let confirmed = self.confirmed.contains(&call);
            assert!(!confirmed || operation != "credit.cancel", "{call:?} is confirmed and cancelled");
            assert!(confirmed || operation != "credit.refund", "{call:?} was never confirmed");
        }
        assert!(
            !self.pivot || self.behind.contains(&what),
            "what stands before the pivot is undone behind it"
        );
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
        let cancellable = open.iter().filter_map(|command| match command {
            Command::Cancellable { wait, .. } => Some(*wait),
            _ => None,
        });
        assert_eq!(cancellable.collect::<BTreeSet<_>>(), self.cancellable);
        let asked = |command: &&Command| {
            matches!(
                command,
                Command::Call { .. }
                    | Command::Start { .. }
                    | Command::TakeBack { .. }
                    | Command::Wait { .. }
            )
        };
        assert_eq!(open.iter().filter(asked).count(), calls.len() + waits.len());
        let withdrawn = open.iter().filter_map(|command| match command {
            Command::Withdraw { call } => Some(*call),
            _ => None,
        });
        let expected: BTreeSet<CallNo> =
            self.withdrawn.iter().filter(|call| self.out.contains_key(call)).copied().collect();
        assert_eq!(withdrawn.collect::<BTreeSet<_>>(), expected);
        assert!(!self.state.position().is_empty());
    }

    /// One thing happens; `false` if nothing can.
    fn happen(&mut self, choice: u16) -> bool {
        let cancellable = if choice.is_multiple_of(11) { self.cancellable.len() } else { 0 };
        let things = self.out.len() + self.waits.len() + cancellable;
        if things == 0 || self.ended.is_some() {
            return false;
        }
        self.now = self.now.saturating_add(Span::seconds(u32::from(choice % 97)));
        let which = usize::from(choice) % things;
        if let Some((call, out)) = self.out.iter().nth(which).map(|(call, out)| (*call, out.clone())) {
            self.reply(call, &out, choice / 7);
        } else if let Some((wait, open)) =
            self.waits.iter().nth(which - self.out.len()).map(|(wait, open)| (*wait, open.clone()))
        {
            self.end_wait(wait, &open, choice / 7);
        } else if let Some(wait) = self.cancellable.iter().nth(which - self.out.len() - self.waits.len()) {
            self.cancellable_event(*wait);
        }
        true
    }

    fn cancellable_event(&mut self, wait: WaitNo) {
        if wait == WaitNo(0) {
            self.tell(Input::Cancel);
            assert!(matches!(self.answers.last(), Some(Answer::Failed { .. })));
        } else {
            self.tell(Input::CancelAttempt { wait });
            assert!(!self.cancellable.contains(&wait));
        }
    }

    fn reply(&mut self, call: CallNo, out: &Out, choice: u16) {
        let withdrawn = self.withdrawn.contains(&call) && choice.is_multiple_of(2);
        let outcome = if withdrawn {
            CallOutcome::Rejected { code: TAKEN_BACK.into(), detail: Value::empty_record() }
        } else {
            outcome(call, out, choice)
        };
        self.out.remove(&call);
        match out.kind {
            CallKind::Forward => self.book(call, out, &outcome),
            CallKind::Confirm(of) => self.book_confirmed(of, out),
            CallKind::Undo(_) | CallKind::UndoEvent(_) => {}
        }
        self.tell(Input::Replied { call, outcome });
    }

    /// What was tried is done when it is confirmed.
    fn book_confirmed(&mut self, of: CallNo, out: &Out) {
        assert!(!self.confirmed.contains(&of), "{of:?} is confirmed twice");
        self.confirmed.push(of);
        self.owed.retain(|(owed, _)| *owed != Owed::Call(of));
        if &*out.operation == "credit.confirm" {
            self.owe(Owed::Call(of), None);
        }
    }

    fn owe(&mut self, what: Owed, held: Option<Value>) {
        if self.pivot {
            self.behind.push(what);
        } else {
            self.owed.push((what, held));
        }
    }

    fn book(&mut self, call: CallNo, out: &Out, outcome: &CallOutcome) {
        match outcome {
            CallOutcome::Rejected { .. } => {}
            CallOutcome::Unavailable { .. } => {
                self.uncertain.push(call);
                if self.pivot {
                    self.behind.push(Owed::Call(call));
                }
            }
            CallOutcome::Done(output) => match &*out.operation {
                "stock.scrap" => self.settled.extend(out.input.get("reservation").cloned()),
                _ => {
                    let held = output.get("reservation").or(output.get("payment_id"));
                    self.owe(Owed::Call(call), held.cloned());
                }
            },
        }
    }

    fn end_wait(&mut self, wait: WaitNo, open: &Open, choice: u16) {
        self.waits.remove(&wait);
        let comes = !open.has_clock || !choice.is_multiple_of(3);
        let input = match &open.event {
            Some((event, key)) if comes && &**event == "pay.captured" => {
                let payload = json(&format!(r#"{{"payment_id":"p{}","amount":5}}"#, wait.0)).unwrap();
                self.came.push(key.clone());
                self.owe(Owed::Event(wait), payload.get("payment_id").cloned());
                Input::Event { wait, payload }
            }
            Some(_) if comes => Input::Event { wait, payload: Value::empty_record() },
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
                let uncertain =
                    |owed: &Owed| matches!(owed, Owed::Call(call) if self.uncertain.contains(call));
                let (before, behind) = self.undone.split_at(self.undone_before.unwrap_or_default());
                let backward: Vec<Owed> = behind.iter().copied().filter(|owed| !uncertain(owed)).collect();
                let expected: Vec<Owed> =
                    self.expected().into_iter().filter(|owed| !before.contains(owed)).collect();
                assert_eq!(backward, expected, "what was done is undone, in reverse order of completion");
            }
            Ended::Completed | Ended::Early(_) => {
                let known = |owed: &Owed| {
                    self.behind.contains(owed)
                        || self.owed.iter().any(|(of, _)| of == owed)
                        || matches!(owed, Owed::Call(call) if self.uncertain.contains(call))
                };
                assert!(self.undone.iter().all(known), "what did not happen is undone");
                assert!(self.tried_is_settled());
            }
        }
        for key in &self.asked {
            assert!(
                self.came.contains(key) || self.late.contains(key),
                "money for {key:?} would be nobody's"
            );
        }
        for call in &self.uncertain {
            assert!(
                self.undone.contains(&Owed::Call(*call)),
                "{call:?} was unavailable and is not taken back"
            );
        }
        assert_eq!(self.answers.len(), 1, "answered exactly once");
        assert!(self.out.is_empty() && self.waits.is_empty() && self.cancellable.is_empty());
    }

    /// Every try that went through is confirmed or cancelled.
    fn tried_is_settled(&self) -> bool {
        let tried =
            self.journal.iter().flat_map(|(_, _, commands)| commands).filter_map(|command| match command {
                Command::Call { call, kind: CallKind::Forward, operation, .. }
                    if operation.ends_with(".hold") =>
                {
                    Some(*call)
                }
                _ => None,
            });
        let done = |call: &CallNo| {
            self.journal.iter().any(|(_, input, _)| {
                matches!(input, Input::Replied { call: of, outcome: CallOutcome::Done(_) } if of == call)
            })
        };
        tried
            .filter(done)
            .all(|call| self.confirmed.contains(&call) || self.undone.contains(&Owed::Call(call)))
    }
}

fn outcome(call: CallNo, out: &Out, choice: u16) -> CallOutcome {
    let output = match &*out.operation {
        "limit.claim" => numbered("claim", "c", call.0),
        "stock.reserve" => numbered("reservation", "r", call.0),
        "pay.request" => numbered("payment_id", "q", call.0),
        "credit.hold" => numbered("hold", "h", call.0),
        "seat.hold" => numbered("seat", "s", call.0),
        "insure" => numbered("policy", "P", call.0),
        _ => Value::empty_record(),
    };
    let code = match &*out.operation {
        "limit.claim" => Some("limit_reached"),
        "stock.reserve" => Some("out_of_stock"),
        "pay.request" => Some("declined"),
        "credit.hold" => Some("no_credit"),
        "seat.hold" => Some("sold_out"),
        "insure" => Some("refused"),
        _ => None,
    };
    match (choice % 6, code) {
        (0, Some(code)) if out.kind == CallKind::Forward => {
            CallOutcome::Rejected { code: code.into(), detail: Value::empty_record() }
        }
        (1, _)
            if matches!(&*out.operation, "pay.request" | "credit.hold")
                && out.persistence == Persistence::GiveUp =>
        {
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

/// What no contract says: the machine takes anything.
fn junk(choice: u16) -> Value {
    match choice % 7 {
        0 => Value::Null,
        1 => Value::Int(i64::MAX),
        2 => Value::list([Value::Bool(true)]),
        3 => numbered("payment_id", "p", u32::from(choice)),
        4 => Value::record([("reservation", Value::Null), ("claim", Value::list([]))]),
        5 => Value::text("text"),
        _ => Value::empty_record(),
    }
}

fn junk_input(open: &[Command], choice: u16) -> Input {
    let which = if open.is_empty() { None } else { open.get(usize::from(choice) % open.len()) };
    match (which, choice % 13) {
        (_, 0) => Input::Cancel,
        (_, 1) => Input::Resume,
        (_, 2) => Input::Begin(Begin { input: junk(choice), scope: junk(choice / 3) }),
        (_, 3) => Input::Due { wait: WaitNo(u32::from(choice % 5)) },
        (Some(Command::Cancellable { wait, .. }), _) => Input::CancelAttempt { wait: *wait },
        (_, 7) if choice.is_multiple_of(4) => Input::TakeBack,
        (Some(Command::Call { call, .. }), 4 | 5) => Input::Replied {
            call: *call,
            outcome: CallOutcome::Rejected { code: "odd".into(), detail: junk(choice / 5) },
        },
        (Some(Command::Call { call, .. }), 6) => {
            Input::Replied { call: *call, outcome: CallOutcome::Unavailable { minted: junk(choice / 5) } }
        }
        (Some(Command::Call { call, .. }), _) => {
            Input::Replied { call: *call, outcome: CallOutcome::Done(junk(choice / 5)) }
        }
        (Some(Command::Wait { wait, .. }), _) => Input::Event { wait: *wait, payload: junk(choice / 5) },
        _ => Input::Replied { call: CallNo(u32::from(choice % 9)), outcome: CallOutcome::Done(junk(choice)) },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_makes_it_panic_or_say_more_behind_its_end(
        flow in random_flow(), choices in prop::collection::vec(any::<u16>(), 1..120),
    ) {
        let program = write(&flow);
        let mut state = State::new();
        let input = json(r#"{"order":"o","n":1,"elements":["a",null,{"b":[]}]}"#).unwrap();
        let mut next = Input::Begin(Begin { input, scope: Value::Null });
        for choice in choices {
            let over = state.is_ended();
            let next_is_take_back = next == Input::TakeBack;
            let (after, commands) = step(&program, state, Timestamp::EPOCH, next);
            prop_assert!(!over || commands.is_empty() || next_is_take_back);
            let _ = after.position();
            state = after;
            next = junk_input(&state.outstanding(), choice);
        }
    }
}
