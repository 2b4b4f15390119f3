//! A random world for a flow: it answers what contracts allow, in any order, and holds the machine to what the checker said.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_contract::{Contracts, Record, Schema, Type, Types, Value};
use mortise_flow::{
    Answer, Begin, CallKind, CallNo, CallOutcome, Checked, Command, Ended, Input, Persistence, Program,
    State, WaitNo, ast, step,
};
use mortise_types::{Span, Timestamp};

use crate::choices::Choices;

/// A call, a start or a taking back that waits for its reply.
#[derive(Debug, Clone)]
enum Out {
    Call { kind: CallKind, operation: Arc<str>, persistence: Persistence },
    Start { flow: Arc<str> },
    TakeBack,
}

pub(crate) struct World<'a> {
    program: &'a Program,
    contracts: &'a Contracts,
    checked: &'a Checked,
    /// For messages.
    text: &'a str,
    state: State,
    now: Timestamp,
    out: BTreeMap<CallNo, Out>,
    waits: BTreeMap<WaitNo, (Option<Arc<str>>, bool)>,
    cancellable: Vec<WaitNo>,
    ended: bool,
    told: Vec<String>,
    /// The first thing that the checker had promised not to happen.
    wrong: Option<String>,
}

impl<'a> World<'a> {
    pub(crate) fn new(
        program: &'a Program,
        contracts: &'a Contracts,
        checked: &'a Checked,
        text: &'a str,
    ) -> Self {
        Self {
            program,
            contracts,
            checked,
            text,
            state: State::new(),
            now: Timestamp::from_millis(1_767_225_600_000),
            out: BTreeMap::new(),
            waits: BTreeMap::new(),
            cancellable: Vec::new(),
            ended: false,
            told: Vec::new(),
            wrong: None,
        }
    }

    /// Lets a trade run from its beginning to its end.
    ///
    /// # Errors
    /// What the checker had promised not to happen, and how it came about.
    pub(crate) fn run(mut self, flow: &ast::Flow, choices: &mut Choices<'_>) -> Result<(), String> {
        let input = self.value(&flow.input.value, choices);
        let text = |text: &'static str| Value::text(text);
        let scope = Value::record([("tenant", text("t")), ("line", text("l")), ("channel", text("c"))]);
        self.tell(Input::Begin(Begin { input, scope }));
        for _ in 0..4_000 {
            if let Some(wrong) = &self.wrong {
                return Err(format!("{wrong}\n{}\nin {}", self.told.join("\n"), self.text));
            }
            if self.ended {
                return Ok(());
            }
            match self.happens(choices) {
                Some(input) => self.tell(input),
                None => self.wrong("nothing is out and it has not ended"),
            }
        }
        Err(format!("it never ends\n{}\nin {}", self.told.join("\n"), self.text))
    }

    fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.get_or_insert(what.into());
    }

    fn happens(&mut self, choices: &mut Choices<'_>) -> Option<Input> {
        self.now = self.now.saturating_add(Span::seconds(1));
        if !self.cancellable.is_empty() && choices.around(23) == 0 {
            let wait = self.cancellable[choices.around(self.cancellable.len())];
            return Some(if wait.0 == 0 { Input::Cancel } else { Input::CancelAttempt { wait } });
        }
        let things = self.out.len() + self.waits.len();
        let which = choices.around(things);
        if let Some((call, out)) = self.out.iter().nth(which).map(|(call, out)| (*call, out.clone())) {
            self.out.remove(&call);
            return Some(Input::Replied { call, outcome: self.outcome(&out, choices) });
        }
        let nth = which - self.out.len();
        let (wait, (event, due)) = self.waits.iter().nth(nth).map(|(wait, of)| (*wait, of.clone()))?;
        Some(match event {
            Some(event) if !due || choices.around(3) > 0 => {
                let payload = self.value(&self.contracts.events[&*event].payload, choices);
                Input::Event { wait, payload }
            }
            _ => Input::Due { wait },
        })
    }

    fn outcome(&self, out: &Out, choices: &mut Choices<'_>) -> CallOutcome {
        match out {
            Out::TakeBack => CallOutcome::Done(Value::empty_record()),
            Out::Start { flow } => {
                let contract = &self.contracts.flows[&**flow];
                match contract.fails.is_empty() || choices.around(3) > 0 {
                    true => CallOutcome::Done(self.value(&contract.answer, choices)),
                    false => CallOutcome::Rejected {
                        code: contract.fails[choices.around(contract.fails.len())].clone(),
                        detail: Value::empty_record(),
                    },
                }
            }
            Out::Call { kind, operation, persistence } => {
                let contract = &self.contracts.operations[&**operation];
                let output = self.value(&contract.output, choices);
                if *kind != CallKind::Forward {
                    return CallOutcome::Done(output);
                }
                let remote = contract.effect == mortise_contract::Effect::Remote;
                match choices.around(5) {
                    0 if !contract.rejections.is_empty() => {
                        let nth = choices.around(contract.rejections.len());
                        let (code, detail) = contract.rejections.iter().nth(nth).expect("there are so many");
                        CallOutcome::Rejected { code: code.clone(), detail: self.value(detail, choices) }
                    }
                    1 if remote && *persistence == Persistence::GiveUp => {
                        CallOutcome::Unavailable { minted: output }
                    }
                    _ => CallOutcome::Done(output),
                }
            }
        }
    }

    fn tell(&mut self, input: Input) {
        self.told.push(format!("  told {input:?}"));
        if let Input::Event { wait, .. } | Input::Due { wait } = &input {
            self.waits.remove(wait);
        }
        let (state, commands) = step(self.program, std::mem::take(&mut self.state), self.now, input);
        self.state = state;
        for command in commands {
            self.told.push(format!("{command:?}"));
            self.commanded(command);
        }
    }

    fn commanded(&mut self, command: Command) {
        match command {
            Command::Call { call, kind, operation, input, persistence, .. } => {
                self.fits(&self.contracts.operations[&*operation].input, &input, &operation);
                if !self.checked.operations.contains(&*operation) {
                    self.wrong(format!("the checker did not know that it calls {operation}"));
                }
                self.out.insert(call, Out::Call { kind, operation, persistence });
            }
            Command::Start { call, flow, input, .. } => {
                self.fits(&self.contracts.flows[&*flow].input, &input, &flow);
                if !self.checked.flows.contains(&*flow) {
                    self.wrong(format!("the checker did not know that it starts {flow}"));
                }
                self.out.insert(call, Out::Start { flow });
            }
            Command::TakeBack { call, .. } => {
                self.out.insert(call, Out::TakeBack);
            }
            Command::Wait { wait, event, due, .. } => {
                if let Some((event, key)) = &event {
                    self.fits(&self.contracts.events[&**event].key, key, event);
                }
                self.waits.insert(wait, (event.map(|(event, _)| event), due.is_some()));
            }
            Command::Unwait { wait } => {
                self.waits.remove(&wait);
            }
            Command::Cancellable { wait, .. } => self.cancellable.push(wait),
            Command::NotCancellable { wait } => self.cancellable.retain(|known| *known != wait),
            Command::Emit { event, payload } => {
                self.fits(&self.contracts.events[&*event].payload, &payload, &event)
            }
            Command::Answer(Answer::Ok(answer)) => self.fits(&self.checked.answer, &answer, "the answer"),
            Command::Answer(Answer::Failed { code, .. }) => self.knows(&code),
            Command::Stuck { path, problem } => self.wrong(format!("{path} is held: {problem}")),
            Command::End(ended) => {
                self.ended = true;
                if let Ended::Failed(code) = &ended {
                    self.knows(code);
                    if self.state.passed_pivot() {
                        self.wrong("it went backward behind the pivot");
                    }
                }
            }
            Command::Withdraw { .. }
            | Command::LateKey { .. }
            | Command::Attention { .. }
            | Command::PivotPassed => {}
        }
    }

    fn knows(&mut self, code: &str) {
        if !self.checked.fails.iter().any(|known| known == code) {
            self.wrong(format!("it fails with `{code}`, and the checker knew {:?}", self.checked.fails));
        }
    }

    fn fits(&mut self, schema: &Schema, value: &Value, what: &str) {
        if let Err(violations) = self.contracts.validate(schema, value) {
            self.wrong(format!("{what}: {} is not what is asked for: {violations:?}", value.to_json()));
        }
    }

    /// Any value of a schema.
    fn value(&self, schema: &Schema, choices: &mut Choices<'_>) -> Value {
        match schema.types.as_ref().and_then(Types::main) {
            Some(Type::Integer) => {
                let (least, most) = (schema.minimum.unwrap_or(-1), schema.maximum.unwrap_or(4));
                let range = usize::try_from(most - least + 1).unwrap_or(1);
                Value::Int(least + i64::try_from(choices.around(range)).unwrap_or(0))
            }
            Some(Type::Boolean) => Value::Bool(choices.around(2) == 0),
            Some(Type::String) => Value::text(["x", "y", ""][choices.around(3)]),
            Some(Type::Array) => {
                let least = usize::try_from(schema.min_items.unwrap_or(0)).unwrap_or(0);
                let most = usize::try_from(schema.max_items.unwrap_or(3)).unwrap_or(3);
                let count = least + choices.around(most - least + 1);
                let items = schema.items.as_deref();
                Value::list(
                    (0..count).filter_map(|_| items.map(|of| self.value(of, choices))).collect::<Vec<_>>(),
                )
            }
            _ => {
                let mut record = Record::with_capacity(schema.properties.len());
                for (name, field) in &schema.properties {
                    if schema.required.contains(name) || choices.around(2) == 0 {
                        record.insert(name.as_str(), self.value(field, choices));
                    }
                }
                Value::Record(record.into())
            }
        }
    }
}
