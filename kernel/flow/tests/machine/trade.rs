//! A trade that a test drives: what it commands is text, what it is told is a word and JSON.

use std::sync::Arc;

use mortise_contract::value::json;
use mortise_contract::{Contracts, Value};
use mortise_flow::{
    Answer, Begin, CallKind, CallNo, CallOutcome, Command, Ended, Input, Program, State, WaitNo, parse, step,
};
use mortise_types::{Span, Timestamp};

pub(crate) fn contracts() -> Contracts {
    serde_json::from_str(include_str!("contracts.json")).unwrap()
}

pub(crate) fn program(text: &str) -> Arc<Program> {
    let flow = parse(text).unwrap_or_else(|found| panic!("{found:#?}"));
    Arc::new(Program::compile(&flow, &contracts(), text).unwrap())
}

/// A flow with an order, a list of parcels and a switch as its input.
pub(crate) fn flow(steps: &str) -> Arc<Program> {
    let head = "flow: f\nversion: 1\nsummary: s\ninternal: true\ninput: {type: object, properties: {order: {type: string}, \
                parcels: {type: array, maxItems: 9, items: {type: string}}, fast: {type: boolean}, \
                until: {type: string, format: date-time}}}\n";
    program(&format!("{head}steps:\n{steps}"))
}

pub(crate) struct Trade {
    pub(crate) program: Arc<Program>,
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) commands: Vec<Command>,
}

impl Trade {
    /// Begins with an order `o1` and parcels `a`, `b`, `c`.
    pub(crate) fn begin(program: Arc<Program>) -> (Self, String) {
        Self::begin_with(
            program,
            r#"{"order":"o1","parcels":["a","b","c"],"fast":true,"until":"2026-01-01T10:00:00+01:00"}"#,
        )
    }

    pub(crate) fn begin_with(program: Arc<Program>, input: &str) -> (Self, String) {
        let now = "2026-01-01T08:00:00Z".parse().unwrap();
        let mut trade = Self { program, state: State::new(), now, commands: Vec::new() };
        let scope = json(r#"{"tenant":"t","line":"l","channel":"web"}"#).unwrap();
        let said = trade.tell(Input::Begin(Begin { input: json(input).unwrap(), scope }));
        (trade, said)
    }

    pub(crate) fn tell(&mut self, input: Input) -> String {
        let (state, commands) = step(&self.program, self.state.clone(), self.now, input);
        self.state = state;
        let said: Vec<String> = commands.iter().map(|command| say(command, self.now)).collect();
        self.commands.extend(commands);
        said.join("\n")
    }

    /// The number of the call of this path that is out.
    pub(crate) fn call(&self, path: &str) -> CallNo {
        let open = self.state.outstanding();
        let found = open.iter().find_map(|command| match command {
            Command::Call { call, path: of, .. }
            | Command::Start { call, path: of, .. }
            | Command::TakeBack { call, path: of, .. }
                if &**of == path =>
            {
                Some(*call)
            }
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no call {path} is out, but {open:?}"))
    }

    pub(crate) fn wait(&self, path: &str) -> WaitNo {
        let waits = self.state.waits();
        waits
            .iter()
            .find(|open| &*open.path == path)
            .unwrap_or_else(|| panic!("no wait {path}: {waits:?}"))
            .wait
    }

    pub(crate) fn done(&mut self, path: &str, output: &str) -> String {
        let call = self.call(path);
        self.tell(Input::Replied { call, outcome: CallOutcome::Done(json(output).unwrap()) })
    }

    pub(crate) fn rejected(&mut self, path: &str, code: &str, detail: &str) -> String {
        let (call, detail) = (self.call(path), json(detail).unwrap());
        self.tell(Input::Replied { call, outcome: CallOutcome::Rejected { code: code.into(), detail } })
    }

    pub(crate) fn unavailable(&mut self, path: &str, minted: &str) -> String {
        let call = self.call(path);
        self.tell(Input::Replied {
            call,
            outcome: CallOutcome::Unavailable { minted: json(minted).unwrap() },
        })
    }

    pub(crate) fn event(&mut self, path: &str, payload: &str) -> String {
        let wait = self.wait(path);
        self.tell(Input::Event { wait, payload: json(payload).unwrap() })
    }

    pub(crate) fn due(&mut self, path: &str) -> String {
        let wait = self.wait(path);
        self.tell(Input::Due { wait })
    }

    /// The event of an attempt's `cancel_on`.
    pub(crate) fn cancelled(&mut self) -> String {
        let open = self.state.outstanding();
        let found = open.iter().find_map(|command| match command {
            Command::Cancellable { wait, .. } if wait.0 > 0 => Some(*wait),
            _ => None,
        });
        let wait = found.unwrap_or_else(|| panic!("no attempt can be cancelled, but {open:?}"));
        self.tell(Input::CancelAttempt { wait })
    }

    pub(crate) fn later(&mut self, span: &str) {
        self.now = self.now.saturating_add(span.parse::<Span>().unwrap());
    }
}

/// A command as a line.
pub(crate) fn say(command: &Command, now: Timestamp) -> String {
    match command {
        Command::Call { kind, operation, path, input, .. } => {
            let word = match kind {
                CallKind::Forward => "call",
                CallKind::Confirm(_) => "confirm",
                CallKind::Undo(_) | CallKind::UndoEvent(_) => "undo",
            };
            format!("{word} {path}: {operation} {}", input.to_json())
        }
        Command::Start { flow, path, input, .. } => format!("start {path}: {flow} {}", input.to_json()),
        Command::Withdraw { call } => format!("withdraw {}", call.0),
        Command::TakeBack { of, path, .. } => format!("take back {path}: {}", of.0),
        Command::Wait { event, due, path, .. } => {
            let what = match event {
                Some((event, key)) => format!("wait {path}: {event} {}", key.to_json()),
                None => format!("sleep {path}:"),
            };
            what + &due.map(|due| format!(" for {}", due.since(now))).unwrap_or_default()
        }
        Command::Unwait { wait } => format!("unwait {}", wait.0),
        Command::Cancellable { wait: WaitNo(0), event, key } => {
            format!("cancellable {event} {}", key.to_json())
        }
        Command::Cancellable { wait, event, key } => {
            format!("cancellable {}: {event} {}", wait.0, key.to_json())
        }
        Command::NotCancellable { wait: WaitNo(0) } => "not cancellable".to_owned(),
        Command::NotCancellable { wait } => format!("not cancellable {}", wait.0),
        Command::LateKey { event, key } => format!("late {event} {}", key.to_json()),
        Command::Emit { event, payload } => format!("emit {event} {}", payload.to_json()),
        Command::Answer(Answer::Ok(value)) => format!("answer {}", value.to_json()),
        Command::Answer(Answer::Failed { code, detail }) => {
            format!("answer failed {code} {}", detail.to_json())
        }
        Command::Attention { text, path } => format!("attention {path}: {text}"),
        Command::Stuck { path, problem } => format!("stuck {path}: {problem}"),
        Command::PivotPassed => "pivot".to_owned(),
        Command::End(Ended::Completed) => "end".to_owned(),
        Command::End(Ended::Early(outcome)) => format!("end {outcome}"),
        Command::End(Ended::Failed(code)) => format!("end failed {code}"),
    }
}

/// A list of lines as one text.
pub(crate) fn lines<const N: usize>(lines: [&str; N]) -> String {
    lines.join("\n")
}

/// A record with one number that says which call it came from.
pub(crate) fn numbered(name: &'static str, prefix: &str, number: u32) -> Value {
    Value::record([(name, Value::text(format!("{prefix}{number}")))])
}
