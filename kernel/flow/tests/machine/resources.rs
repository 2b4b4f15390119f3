//! What the checker says of resources, against the machine: of a flow that is accepted nothing leaks and nothing is settled
//! twice, whatever the world does; a flow that is refused does what the message says, on some way.

use std::sync::Arc;

use mortise_contract::value::json;
use mortise_contract::{Contracts, Effect, Value};
use mortise_flow::diagnostic::Diagnostic;
use mortise_flow::{
    Begin, CallKind, CallNo, CallOutcome, Command, Input, Persistence, Program, State, check_text, step,
};
use mortise_types::Timestamp;
use proptest::prelude::*;

use crate::held::{flow, write};

fn contracts() -> Contracts {
    serde_json::from_str(include_str!("../resources/contracts.json")).unwrap()
}

/// What contracts say of all that happened.
#[derive(Debug, Clone, Default)]
struct Book {
    /// Resource, handle, and what acquired it.
    held: Vec<(String, Value, String)>,
    settled: Vec<(String, Value)>,
    /// What each call settled.
    by_call: Vec<(CallNo, Vec<(String, Value)>)>,
    /// Tries that are confirmed: their undo takes back what was confirmed, too.
    confirmed: Vec<CallNo>,
    /// Resources of which a handle was settled twice.
    twice: Vec<String>,
}

impl Book {
    fn acquires(&mut self, acquires: &[mortise_contract::Acquires], output: &Value, by: &str) {
        for acquired in acquires {
            for handle in at(output, &acquired.handle) {
                self.held.push((acquired.resource.clone(), handle, by.to_owned()));
            }
        }
    }

    fn settles(&mut self, contracts: &Contracts, operation: &str, input: &Value) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        for settles in &contracts.operations[operation].settles {
            for handle in at(input, &settles.handle) {
                let resource = &settles.resource;
                match self.held.iter().position(|(of, held, _)| of == resource && *held == handle) {
                    Some(found) => drop(self.held.remove(found)),
                    None => self.twice.push(resource.clone()),
                }
                all.push((resource.clone(), handle));
            }
        }
        self.settled.extend(all.iter().cloned());
        all
    }

    /// A call is undone: what it settled is held again.
    fn undone(&mut self, call: CallNo) {
        let Some(found) = self.by_call.iter().position(|(known, _)| *known == call) else { return };
        for (resource, handle) in self.by_call.remove(found).1 {
            self.held.push((resource, handle, "an undone step".to_owned()));
        }
    }
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

/// What may happen next.
#[derive(Debug, Clone)]
enum Next {
    Reply(CallNo, CallOutcome),
    Event(mortise_flow::WaitNo, Value),
    Due(mortise_flow::WaitNo),
    Cancel(mortise_flow::WaitNo),
}

struct World {
    contracts: Contracts,
    program: Arc<Program>,
    /// Resources that leaked, and that were settled twice, on some way.
    leaked: Vec<String>,
    twice: Vec<String>,
    /// States that may still be looked at.
    left: usize,
}

impl World {
    fn begin(&mut self, input: &Value) {
        let begin = Begin { input: input.clone(), scope: Value::empty_record() };
        let (state, commands) = step(&self.program, State::new(), Timestamp::EPOCH, Input::Begin(begin));
        self.explore(state, &commands, Book::default());
    }

    fn explore(&mut self, state: State, commands: &[Command], book: Book) {
        if self.left == 0 || commands.iter().any(|command| matches!(command, Command::Stuck { .. })) {
            return;
        }
        self.left -= 1;
        self.twice.extend(book.twice.iter().cloned());
        if state.is_ended() {
            self.leaked.extend(book.held.into_iter().map(|(resource, ..)| resource));
            return;
        }
        for next in self.nexts(&state) {
            let mut book = book.clone();
            self.account(&mut book, &state, &next);
            let input = match next {
                Next::Reply(call, outcome) => Input::Replied { call, outcome },
                Next::Event(wait, payload) => Input::Event { wait, payload },
                Next::Due(wait) => Input::Due { wait },
                Next::Cancel(wait) if wait.0 == 0 => Input::Cancel,
                Next::Cancel(wait) => Input::CancelAttempt { wait },
            };
            let (state, commands) = step(&self.program, state.clone(), Timestamp::EPOCH, input);
            self.explore(state, &commands, book);
        }
    }

    /// Calls are answered in any order, and before they are, events may come and times may run out.
    fn nexts(&self, state: &State) -> Vec<Next> {
        let open = state.outstanding();
        let mut nexts = Vec::new();
        for command in &open {
            if let Command::Call { call, kind, operation, persistence, .. } = command {
                let outcomes = self.outcomes(*call, *kind, operation, *persistence);
                nexts.extend(outcomes.into_iter().map(|outcome| Next::Reply(*call, outcome)));
            }
        }
        for command in &open {
            match command {
                Command::Wait { wait, event: Some((event, _)), .. } => {
                    let payload = Value::record([("payment_id", Value::text(format!("e{}", wait.0)))]);
                    let payload = if &**event == "pay.captured" { payload } else { Value::empty_record() };
                    nexts.extend([Next::Event(*wait, payload), Next::Due(*wait)]);
                }
                Command::Wait { wait, event: None, .. } => nexts.push(Next::Due(*wait)),
                Command::Cancellable { wait, .. } => nexts.push(Next::Cancel(*wait)),
                _ => {}
            }
        }
        nexts
    }

    fn outcomes(
        &self,
        call: CallNo,
        kind: CallKind,
        operation: &str,
        persistence: Persistence,
    ) -> Vec<CallOutcome> {
        let contract = &self.contracts.operations[operation];
        let number = call.0;
        let of = |text: String| json(&text).unwrap();
        let share = |at: u32| format!(r#"{{"share":"s{number}.{at}","sku":"milk"}}"#);
        let outputs = match operation {
            "stock.reserve" => vec![of(format!(r#"{{"reservation":"r{number}"}}"#))],
            "stock.split" => vec![
                of(format!(r#"{{"shares":[{}]}}"#, share(0))),
                of(format!(r#"{{"shares":[{},{}]}}"#, share(0), share(1))),
            ],
            "credit.hold" => vec![of(format!(r#"{{"hold":"h{number}"}}"#))],
            "pay.take" => vec![of(format!(r#"{{"payment_id":"p{number}"}}"#))],
            "mail.check" => {
                ["true", "false"].map(|wanted| of(format!(r#"{{"wanted":{wanted},"to":[]}}"#))).to_vec()
            }
            _ => vec![of(r#"{"at":"now","mail_id":"m"}"#.to_owned())],
        };
        let minted = outputs[0].clone();
        let mut all: Vec<CallOutcome> = outputs.into_iter().map(CallOutcome::Done).collect();
        if kind == CallKind::Forward {
            all.extend(
                contract
                    .rejections
                    .keys()
                    .take(1)
                    .map(|code| CallOutcome::Rejected { code: code.clone(), detail: Value::empty_record() }),
            );
            if contract.effect == Effect::Remote && persistence == Persistence::GiveUp {
                all.push(CallOutcome::Unavailable { minted });
            }
        }
        all
    }

    fn account(&self, book: &mut Book, state: &State, next: &Next) {
        match next {
            Next::Reply(call, outcome) => {
                let Some(Command::Call { kind, operation, input, .. }) = state.pending_call(*call) else {
                    return;
                };
                let contract = &self.contracts.operations[&**operation];
                let output = match outcome {
                    CallOutcome::Done(output) => output,
                    // It is undone as if it had happened.
                    CallOutcome::Unavailable { minted } => {
                        return book.acquires(&contract.acquires, minted, operation);
                    }
                    CallOutcome::Rejected { .. } => return,
                };
                if let CallKind::Undo(undone) = kind {
                    if book.confirmed.contains(undone) {
                        return;
                    }
                    book.undone(*undone);
                }
                if let CallKind::Confirm(tried) = kind {
                    book.confirmed.push(*tried);
                }
                let settled = book.settles(&self.contracts, operation, input);
                if *kind == CallKind::Forward {
                    book.by_call.push((*call, settled));
                    book.acquires(&contract.acquires, output, operation);
                }
            }
            Next::Event(wait, payload) => {
                let open = state.waits().into_iter().find(|open| open.wait == *wait);
                if let Some((event, _)) = open.and_then(|open| open.event) {
                    book.acquires(&self.contracts.events[&*event].acquires, payload, &event);
                }
            }
            Next::Due(_) | Next::Cancel(_) => {}
        }
    }
}

/// Every input that the flow tells apart.
fn inputs(text: &str) -> Vec<Value> {
    let of = |name: &str, all: &'static [&'static str]| if text.contains(name) { all } else { &all[..1] };
    let mut inputs = Vec::new();
    for gift in of("input.gift", &["true", "false"]) {
        for n in of("input.n >", &["1", "2"]) {
            for names in of("input.names", &[r#"["a"]"#, r#"["a","b"]"#]) {
                for some in of("input.some", &["[]", r#"["a"]"#, r#"["a","b"]"#]) {
                    let text =
                        format!(r#"{{"order":"o","gift":{gift},"n":{n},"names":{names},"some":{some}}}"#);
                    inputs.push(json(&text).unwrap());
                }
            }
        }
    }
    inputs
}

/// What happens on all ways, or on as many as there is time for; whether those were all.
fn played(text: &str) -> (World, bool) {
    let contracts = contracts();
    let parsed = mortise_flow::parse(text).unwrap();
    let program = Arc::new(Program::compile(&parsed, &contracts, text).unwrap());
    let mut world = World { contracts, program, leaked: Vec::new(), twice: Vec::new(), left: 0 };
    let mut all = true;
    for input in inputs(text) {
        world.left = 4_000;
        world.begin(&input);
        all &= world.left > 0;
    }
    (world, all)
}

/// The resource that a finding is about.
fn resource(finding: &Diagnostic) -> &str {
    let words = ["stock", "money", "credit"];
    words.into_iter().find(|word| finding.message.contains(&format!(" {word}"))).unwrap_or("")
}

/// `None` if the flow is wrong for another reason.
fn judged(text: &str) -> Option<Vec<Diagnostic>> {
    let (_, found) = check_text(text.as_bytes(), &contracts());
    let errors: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).collect();
    let ours = |finding: &Diagnostic| matches!(finding.code.as_str(), "leaks-resource" | "used-twice");
    errors.iter().all(ours).then_some(errors)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_checker_and_the_machine_agree_on_resources(flow in flow()) {
        let text = write(&flow);
        let Some(found) = judged(&text) else { return Ok(()) };
        let (world, all) = played(&text);
        let says = |code: &str| found.iter().filter(|finding| finding.code == code).collect::<Vec<_>>();
        if found.is_empty() {
            prop_assert!(world.leaked.is_empty(), "accepted, and leaks {:?}:\n{text}", world.leaked);
            prop_assert!(world.twice.is_empty(), "accepted, and settles twice {:?}:\n{text}", world.twice);
        }
        // Tries of a `tcc` are followed more coarsely than the machine runs them: such a refusal may be one too many.
        if all && !text.contains("\"tcc\"") {
            for leak in says("leaks-resource") {
                prop_assert!(world.leaked.iter().any(|of| of == resource(leak)), "no leak:\n{text}\n{leak:#?}");
            }
            for twice in says("used-twice") {
                prop_assert!(world.twice.iter().any(|of| of == resource(twice)), "not twice:\n{text}\n{twice:#?}");
            }
        }
    }
}

/// The generator makes both kinds, and enough of each.
#[test]
fn random_flows_are_accepted_and_refused_in_turn() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut leaks, mut twice) = (0, 0, 0);
    for _ in 0..400 {
        let text = write(&flow().new_tree(&mut runner).unwrap().current());
        let Some(found) = judged(&text) else { continue };
        accepted += usize::from(found.is_empty() && text.contains("\"call\":\"stock."));
        leaks += usize::from(found.iter().any(|finding| finding.code == "leaks-resource"));
        twice += usize::from(found.iter().any(|finding| finding.code == "used-twice"));
    }
    assert!(accepted > 30 && leaks > 40 && twice > 10, "{accepted} accepted, {leaks} leak, {twice} twice");
}
