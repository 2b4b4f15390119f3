//! All that can happen to a trade: calls are answered in any order, and before they are, events come, times run out, and it
//! is cancelled. What is claimed of the flow is looked for on each way.

use std::sync::Arc;

use mortise_contract::value::json;
use mortise_contract::{Contracts, Effect, Value};
use mortise_flow::{
    Begin, CallKind, CallNo, CallOutcome, Command, Input, Persistence, Program, State, WaitNo, step,
};
use mortise_types::Timestamp;

use super::book::Book;
use super::claim::Claim;

/// States that are looked at for one input.
const STATES: usize = 4_000;

/// What may happen next.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    Reply(CallNo, CallOutcome),
    Event(WaitNo, Value),
    Due(WaitNo),
    Cancel(WaitNo),
}

pub(crate) struct World<'c> {
    contracts: &'c Contracts,
    program: Arc<Program>,
    /// What is claimed and was not seen yet.
    pub(crate) claims: Vec<Claim>,
    /// What leaked, was settled twice, or was held for a person, on some way, and how that went.
    pub(crate) off: Vec<String>,
    /// Whether all was looked at.
    pub(crate) all: bool,
    left: usize,
}

impl<'c> World<'c> {
    pub(crate) fn new(text: &str, contracts: &'c Contracts, claims: Vec<Claim>) -> Self {
        let parsed = mortise_flow::parse(text).unwrap();
        let program = Arc::new(Program::compile(&parsed, contracts, text).unwrap());
        Self { contracts, program, claims, off: Vec::new(), all: true, left: 0 }
    }

    /// All ways, or as many as there is time for; where something is claimed, until it was seen.
    pub(crate) fn play(mut self, inputs: &[Value]) -> Self {
        let claimed = !self.claims.is_empty();
        for input in inputs {
            self.left = STATES;
            let begin = Begin { input: input.clone(), scope: Value::empty_record() };
            let (state, commands) = step(&self.program, State::new(), Timestamp::EPOCH, Input::Begin(begin));
            self.explore(state, &commands, Book::default());
            self.all &= self.left > 0;
            if claimed && self.claims.is_empty() {
                break;
            }
        }
        self
    }

    fn explore(&mut self, state: State, commands: &[Command], book: Book) {
        let stuck = commands.iter().find_map(|command| match command {
            Command::Stuck { path, problem } => Some(format!("held at {path}: {problem}")),
            _ => None,
        });
        if stuck.is_some() || state.is_ended() {
            return self.over(&state, book, stuck);
        }
        let after = |next: Next| {
            let mut book = book.clone();
            book.account(self.contracts, &state, &next);
            (next, book)
        };
        let mut nexts: Vec<(Next, Book)> = self.nexts(&state).into_iter().map(after).collect();
        // What is claimed first, so that it is seen before the time is over.
        let progress = |book: &Book| self.claims.iter().map(|claim| claim.progress(&book.told)).max();
        nexts.sort_by_cached_key(|(_, book)| std::cmp::Reverse(progress(book)));
        for (next, book) in nexts {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
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

    fn over(&mut self, state: &State, book: Book, stuck: Option<String>) {
        let leaks: Vec<String> = match state.is_ended() {
            true => book.held.iter().map(|held| format!("{} of {}", held.resource, held.site)).collect(),
            false => Vec::new(),
        };
        self.claims.retain(|claim| !claim.is_shown(&book, state.is_ended()));
        if stuck.is_some() || !leaks.is_empty() || !book.twice.is_empty() {
            self.off.push(format!("{stuck:?} leaks {leaks:?} twice {:?}: {:?}", book.twice, book.told));
        }
    }

    fn nexts(&self, state: &State) -> Vec<Next> {
        let open = state.outstanding();
        // Never in the middle of a stretch: its calls are over before anything else is heard.
        let in_a_stretch = open.iter().any(|command| match command {
            Command::Call { operation, .. } => {
                self.contracts.operations[&**operation].effect != Effect::Remote
            }
            _ => false,
        });
        let mut nexts = Vec::new();
        for command in &open {
            if let Command::Call { call, kind, operation, persistence, .. } = command {
                let outcomes = self.outcomes(*call, *kind, operation, *persistence);
                nexts.extend(outcomes.into_iter().map(|outcome| Next::Reply(*call, outcome)));
            }
        }
        for command in &open {
            match command {
                Command::Wait { wait, event: Some((event, _)), due, .. } => {
                    let payload = Value::record([("payment_id", Value::text(format!("e{}", wait.0)))]);
                    let payload = if &**event == "pay.captured" { payload } else { Value::empty_record() };
                    nexts.push(Next::Event(*wait, payload));
                    // The event of a race has no clock of its own.
                    nexts.extend(due.map(|_| Next::Due(*wait)));
                }
                Command::Wait { wait, event: None, .. } => nexts.push(Next::Due(*wait)),
                Command::Cancellable { wait, .. } if !in_a_stretch => nexts.push(Next::Cancel(*wait)),
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
            "stock.split" => {
                let none = contract.output.properties["shares"].min_items.is_none();
                let none = none.then(|| of(r#"{"shares":[]}"#.to_owned()));
                let some = [
                    of(format!(r#"{{"shares":[{}]}}"#, share(0))),
                    of(format!(r#"{{"shares":[{},{}]}}"#, share(0), share(1))),
                ];
                some.into_iter().chain(none).collect()
            }
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
            let rejected =
                |code: &String| CallOutcome::Rejected { code: code.clone(), detail: Value::empty_record() };
            all.extend(contract.rejections.keys().take(1).map(rejected));
            if contract.effect == Effect::Remote && persistence == Persistence::GiveUp {
                all.push(CallOutcome::Unavailable { minted });
            }
        }
        all
    }
}

/// Every input that the flow tells apart.
pub(crate) fn inputs(text: &str) -> Vec<Value> {
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
