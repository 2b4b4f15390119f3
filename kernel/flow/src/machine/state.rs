//! What a running trade is between two inputs. Cheap to clone; equal journals give equal states. It decides nothing.

use std::sync::Arc;

use mortise_contract::Value;
use mortise_types::Timestamp;

use super::{CallKind, CallNo, Command, Ended, WaitNo};
use crate::compile::Pc;
use crate::eval::{EvalError, Frame};

/// A trade: the fold of its journal. Values are shared; a clone is a handful of reference counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    pub(super) phase: Phase,
    pub(super) started_at: Timestamp,
    pub(super) answered: bool,
    pub(super) passed_pivot: bool,
    /// The event and key of `cancel_on`, as long as it holds.
    pub(super) cancellable: Option<(Arc<str>, Value)>,
    pub(super) calls: u32,
    pub(super) waits: u32,
    pub(super) fibers_ever: u32,
    /// The flow itself and the rounds that run, by id.
    pub(super) fibers: Vec<Fiber>,
    /// What going backward has to know, in order of completion; empty past the pivot.
    pub(super) finished: Arc<Vec<Finished>>,
    /// The late keys that were commanded.
    pub(super) late: Arc<Vec<(Arc<str>, Value)>>,
}

/// What the trade as a whole is doing.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Phase {
    #[default]
    New,
    Forward,
    /// Calls that are out get their reply; nothing new begins.
    Draining(Outcome),
    Backward(Box<Backward>),
    Ended(Ended),
}

/// What draining leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    End(Ended),
    Fail(Arc<str>),
}

/// Going backward: the last of `finished` is next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Backward {
    pub(super) code: Arc<str>,
    /// Handles that steps with nothing to take back have settled, by resource.
    pub(super) settled: Vec<(Arc<str>, Value)>,
    /// The undo that is out, and what it takes back.
    pub(super) pending: Option<(Pending, Finished)>,
    pub(super) held: Option<Held>,
}

/// A step that is held for a person.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) path: Arc<str>,
    pub(super) problem: Arc<str>,
}

/// A call that is out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pending {
    pub(super) call: CallNo,
    /// As it was commanded.
    pub(super) command: Command,
}

/// A step that has to be known when the trade goes backward.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finished {
    pub(super) path: Arc<str>,
    pub(super) pc: Pc,
    pub(super) what: Effect,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    Call(Called),
    Event { wait: WaitNo, payload: Value },
}

/// A call that happened, or may have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Called {
    pub(super) call: CallNo,
    pub(super) input: Value,
    /// The output, or what the intent minted of it.
    pub(super) output: Value,
    /// The input of the step's own undo.
    pub(super) own_undo: Option<Result<Value, EvalError>>,
}

/// A thread of steps: the flow, or one round of a loop.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fiber {
    pub(super) id: u32,
    /// The fiber whose loop this is a round of.
    pub(super) parent: Option<u32>,
    /// Which round, from 0.
    pub(super) round: usize,
    pub(super) body: usize,
    pub(super) pc: Pc,
    pub(super) frame: Arc<Frame>,
    /// `shipping[2]`
    pub(super) prefix: Option<Arc<str>>,
    pub(super) doing: Doing,
}

/// What a fiber is at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Doing {
    Ready,
    Calling(Pending),
    /// A call was unavailable and is being taken back.
    TakingBack {
        pending: Pending,
        of: Called,
    },
    Waiting(OpenWait),
    Rounds(Rounds),
    Stuck {
        held: Held,
        again: Again,
    },
    /// Nothing any more: the trade is draining.
    Over,
}

/// What is done again when a held step is resumed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Again {
    Step,
    TakeBack(Called),
}

/// A loop that runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rounds {
    pub(super) list: Arc<Vec<Value>>,
    /// The first element that has no round yet.
    pub(super) next: usize,
    pub(super) running: usize,
    pub(super) results: Vec<Value>,
    /// `until` held.
    pub(super) stopped: bool,
}

/// A wait or sleep that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenWait {
    /// Its number.
    pub wait: WaitNo,
    /// The event's name and the key's value; `None` is a sleep.
    pub event: Option<(Arc<str>, Value)>,
    /// When it is due.
    pub due: Timestamp,
    /// For people.
    pub path: Arc<str>,
}

impl OpenWait {
    /// The command that asked for it.
    pub fn command(&self) -> Command {
        Command::Wait { wait: self.wait, event: self.event.clone(), due: self.due, path: self.path.clone() }
    }
}

impl Fiber {
    /// Whether it has to be waited for before the trade ends or goes backward.
    pub(super) fn is_busy(&self) -> bool {
        matches!(
            self.doing,
            Doing::Calling(_) | Doing::TakingBack { .. } | Doing::Stuck { again: Again::TakeBack(_), .. }
        )
    }

    fn pending(&self) -> Option<&Pending> {
        match &self.doing {
            Doing::Calling(pending) | Doing::TakingBack { pending, .. } => Some(pending),
            _ => None,
        }
    }
}

impl State {
    /// A trade that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// The calls, forward and backward, that have no outcome yet, oldest first.
    pub fn pending_calls(&self) -> Vec<CallNo> {
        let mut calls: Vec<CallNo> = self.pending().map(|pending| pending.call).collect();
        calls.sort_unstable();
        calls
    }

    /// The command of a call that has no outcome yet.
    pub fn pending_call(&self, call: CallNo) -> Option<&Command> {
        self.pending().find(|pending| pending.call == call).map(|pending| &pending.command)
    }

    /// The waits and sleeps that are open, oldest first.
    pub fn waits(&self) -> Vec<OpenWait> {
        let open = self.fibers.iter().filter_map(|fiber| match &fiber.doing {
            Doing::Waiting(open) => Some(open.clone()),
            _ => None,
        });
        let mut waits: Vec<OpenWait> = open.collect();
        waits.sort_unstable_by_key(|open| open.wait);
        waits
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.phase {
            Phase::Ended(ended) => Some(ended),
            _ => None,
        }
    }

    /// Whether it has begun.
    pub fn is_begun(&self) -> bool {
        self.phase != Phase::New
    }

    /// Whether it has ended.
    pub fn is_ended(&self) -> bool {
        self.ended().is_some()
    }

    /// Whether it has passed its pivot: it can no longer be taken back.
    pub fn passed_pivot(&self) -> bool {
        self.passed_pivot
    }

    /// Whether it has failed and is being taken back, or waits for calls that are out before it is.
    pub fn is_going_backward(&self) -> bool {
        matches!(self.phase, Phase::Backward(_) | Phase::Draining(Outcome::Fail(_)))
    }

    /// Whether the caller has been answered.
    pub fn is_answered(&self) -> bool {
        self.answered
    }

    /// When it began.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The first step that is held for a person, and why ([`Command::Stuck`]).
    pub fn stuck(&self) -> Option<(Arc<str>, Arc<str>)> {
        self.held().next().map(|held| (held.path.clone(), held.problem.clone()))
    }

    /// Where it stands, in words: `waits for fulfilment.packed at shipping[1]`.
    pub fn position(&self) -> String {
        match &self.phase {
            Phase::New => return "has not begun".to_owned(),
            Phase::Ended(Ended::Completed) => return "ended: completed".to_owned(),
            Phase::Ended(Ended::Early(outcome)) => return format!("ended: {outcome}"),
            Phase::Ended(Ended::Failed(code)) => return format!("ended: failed with {code}"),
            Phase::Forward | Phase::Draining(_) | Phase::Backward(_) => {}
        }
        let mut stands = self.held().map(|held| format!("is held at {}: {}", held.path, held.problem));
        let mut calls = self.pending().map(|pending| pending.command.describe());
        let mut waits = self.fibers.iter().filter_map(|fiber| match &fiber.doing {
            Doing::Waiting(open) => Some(open.describe()),
            _ => None,
        });
        let first = stands.next().or_else(|| calls.next()).or_else(|| waits.next());
        let more = stands.count() + calls.count() + waits.count();
        let first = first.unwrap_or_else(|| "is running".to_owned());
        let place = if more == 0 { first } else { format!("{first}, and {more} more") };
        match &self.phase {
            Phase::Draining(Outcome::Fail(code)) => format!("goes backward with {code}: {place}"),
            Phase::Backward(backward) => format!("goes backward with {}: {place}", backward.code),
            _ => place,
        }
    }

    /// The commands that are still open after a fold of the journal: calls without an outcome, open waits, the
    /// cancelling event, late keys, and what is held for a person. Calls and waits in the order of their numbers.
    pub fn outstanding(&self) -> Vec<Command> {
        let mut open = Vec::new();
        if let Some((event, key)) = &self.cancellable {
            open.push(Command::Cancellable { event: event.clone(), key: key.clone() });
        }
        let mut calls: Vec<&Pending> = self.pending().collect();
        calls.sort_unstable_by_key(|pending| pending.call);
        open.extend(calls.into_iter().map(|pending| pending.command.clone()));
        open.extend(self.waits().iter().map(OpenWait::command));
        open.extend(
            self.held().map(|held| Command::Stuck { path: held.path.clone(), problem: held.problem.clone() }),
        );
        open.extend(
            self.late.iter().map(|(event, key)| Command::LateKey { event: event.clone(), key: key.clone() }),
        );
        open
    }

    fn pending(&self) -> impl Iterator<Item = &Pending> {
        let backward = match &self.phase {
            Phase::Backward(backward) => backward.pending.as_ref().map(|(pending, _)| pending),
            _ => None,
        };
        self.fibers.iter().filter_map(Fiber::pending).chain(backward)
    }

    fn held(&self) -> impl Iterator<Item = &Held> {
        let backward = match &self.phase {
            Phase::Backward(backward) => backward.held.as_ref(),
            _ => None,
        };
        let steps = self.fibers.iter().filter_map(|fiber| match &fiber.doing {
            Doing::Stuck { held, .. } => Some(held),
            _ => None,
        });
        steps.chain(backward)
    }
}

/// ` at shipping[1]`; nothing where the path only repeats what is waited for or called.
fn at(path: &str, what: &str) -> String {
    let numbered =
        path.rsplit_once('#').filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    let unnumbered = numbered.map_or(path, |(unnumbered, _)| unnumbered);
    let place = match unnumbered.strip_suffix(what) {
        Some("") => return String::new(),
        Some(rest) => rest.strip_suffix('.').unwrap_or(path),
        None => path,
    };
    format!(" at {place}")
}

impl OpenWait {
    fn describe(&self) -> String {
        match &self.event {
            Some((event, _)) => format!("waits for {event}{}", at(&self.path, event)),
            None => format!("sleeps{} until {}", at(&self.path, "sleep"), self.due),
        }
    }
}

impl Command {
    fn describe(&self) -> String {
        match self {
            Self::Call { kind: CallKind::Forward, operation, path, .. } => {
                format!("calls {operation}{}", at(path, operation))
            }
            Self::Call { operation, path, .. } => {
                format!("calls {operation} to take back {}", path.strip_suffix(".undo").unwrap_or(path))
            }
            _ => String::new(),
        }
    }
}
