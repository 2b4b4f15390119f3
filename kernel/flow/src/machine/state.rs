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
    /// The flow itself, and the rounds, branches and scopes that run, by id.
    pub(super) fibers: Vec<Fiber>,
    /// What going backward has to know, in order of completion; past the pivot that of attempts only. Kept behind the end, for
    /// the trade that started this one may want it back.
    pub(super) finished: Arc<Vec<Finished>>,
    /// The late keys that were commanded.
    pub(super) late: Arc<Vec<(Arc<str>, Value)>>,
    /// The keys of acquiring events that came; only of a flow that repeats.
    pub(super) came: Vec<(Arc<str>, Value)>,
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

/// Going backward, the whole trade or a scope: the last of its part of `finished` is next.
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
    /// The innermost scope that it is a part of: see [`Fiber::scope`].
    pub(super) scope: u32,
    pub(super) path: Arc<str>,
    pub(super) pc: Pc,
    pub(super) what: Effect,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    Call(Called),
    /// A call of a `tcc` that is neither confirmed nor cancelled.
    Tried(Called),
    Event {
        wait: WaitNo,
        payload: Value,
    },
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

/// A thread of steps: the flow, a round of a loop, a branch of a `parallel`, or a scope.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fiber {
    pub(super) id: u32,
    /// The fiber whose block this is a part of.
    pub(super) parent: Option<u32>,
    /// Which round or branch, from 0.
    pub(super) round: usize,
    /// The fiber of the innermost scope around: itself, if it is one; 0 is the whole trade.
    pub(super) scope: u32,
    pub(super) course: Course,
    pub(super) body: usize,
    pub(super) pc: Pc,
    pub(super) frame: Arc<Frame>,
    /// `shipping[2]`
    pub(super) prefix: Option<Arc<str>>,
    pub(super) doing: Doing,
}

/// Where a fiber is going. One that is not going forward begins nothing new, and waits for what it has out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    Forward,
    /// The trade ends, with all that was done.
    Ending,
    /// What it is a part of fails and will be taken back.
    Failing,
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
    /// Each with the place of its racer.
    Racing(Vec<(Pc, OpenWait)>),
    Rounds(Rounds),
    /// A `repeat`; which round runs, from 1.
    Repeat(u32),
    /// A `parallel`; how many branches run.
    Branches(usize),
    Scope(Box<Scope>),
    Stuck {
        held: Held,
        again: Again,
    },
    /// Nothing any more: what it is a part of is draining.
    Over,
}

/// What is done again when a held step is resumed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Again {
    Step,
    TakeBack(Called),
    Confirm,
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

/// An `attempt` or a `tcc` that runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scope {
    /// Its fiber.
    pub(super) fiber: u32,
    /// By what it can be cancelled.
    pub(super) cancellable: Option<(WaitNo, Arc<str>, Value)>,
    pub(super) failing: Option<Failing>,
}

/// A scope that fails: what is out in it gets its reply, then it goes backward, then its handler runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failing {
    pub(super) code: Arc<str>,
    pub(super) detail: Value,
    /// None while it drains.
    pub(super) backward: Option<Backward>,
}

/// A wait or sleep that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenWait {
    /// Its number.
    pub wait: WaitNo,
    /// The event's name and the key's value; `None` is a sleep.
    pub event: Option<(Arc<str>, Value)>,
    /// When it is due. The event of a race has no clock of its own.
    pub due: Option<Timestamp>,
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
    pub(super) const fn new(id: u32, parent: Option<u32>, body: usize, pc: Pc, frame: Arc<Frame>) -> Self {
        let (round, scope, course, prefix) = (0, 0, Course::Forward, None);
        Self { id, parent, round, scope, course, body, pc, frame, prefix, doing: Doing::Ready }
    }

    /// Whether it has to be waited for before what it is a part of ends or goes backward.
    pub(super) fn is_busy(&self) -> bool {
        match &self.doing {
            Doing::Calling(_)
            | Doing::TakingBack { .. }
            | Doing::Stuck { again: Again::TakeBack(_) | Again::Confirm, .. } => true,
            Doing::Scope(scope) => scope.failing.is_some(),
            _ => false,
        }
    }

    fn pending(&self) -> Option<&Pending> {
        match &self.doing {
            Doing::Calling(pending) | Doing::TakingBack { pending, .. } => Some(pending),
            Doing::Scope(scope) => scope.backward()?.pending.as_ref().map(|(pending, _)| pending),
            _ => None,
        }
    }

    fn held(&self) -> Option<&Held> {
        match &self.doing {
            Doing::Stuck { held, .. } => Some(held),
            Doing::Scope(scope) => scope.backward()?.held.as_ref(),
            _ => None,
        }
    }

    /// The waits and sleeps that it has open.
    pub(super) fn waits(&self) -> impl Iterator<Item = &OpenWait> {
        let (one, several) = match &self.doing {
            Doing::Waiting(open) => (Some(open), [].as_slice()),
            Doing::Racing(open) => (None, open.as_slice()),
            _ => (None, [].as_slice()),
        };
        one.into_iter().chain(several.iter().map(|(_, open)| open))
    }

    /// The call whose trade it waits for.
    pub(super) fn started(&self) -> Option<CallNo> {
        match &self.doing {
            Doing::Calling(Pending { call, command: Command::Start { .. } }) => Some(*call),
            _ => None,
        }
    }
}

impl Backward {
    pub(super) const fn new(code: Arc<str>) -> Self {
        Self { code, settled: Vec::new(), pending: None, held: None }
    }
}

impl Failing {
    /// Whether an undo is out.
    pub(super) fn is_undoing(&self) -> bool {
        self.backward.as_ref().is_some_and(|backward| backward.pending.is_some())
    }
}

impl Scope {
    fn backward(&self) -> Option<&Backward> {
        self.failing.as_ref()?.backward.as_ref()
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
        let mut waits: Vec<OpenWait> = self.fibers.iter().flat_map(Fiber::waits).cloned().collect();
        waits.sort_unstable_by_key(|open| open.wait);
        waits
    }

    /// When the next of them is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.fibers.iter().flat_map(Fiber::waits).filter_map(|open| open.due).min()
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

    /// Whether a person may let it go backward: it goes forward and has not passed its pivot.
    pub fn can_turn_back(&self) -> bool {
        self.phase == Phase::Forward && !self.passed_pivot
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
        let mut waits = self.fibers.iter().flat_map(Fiber::waits).map(OpenWait::describe);
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

    /// The commands that are still open after a fold of the journal: calls without an outcome, open waits, cancelling
    /// events, late keys, and what is held for a person. Calls and waits in the order of their numbers.
    pub fn outstanding(&self) -> Vec<Command> {
        let mut open = Vec::new();
        let head = self.cancellable.iter().map(|(event, key)| (WaitNo(0), event, key));
        let scopes = self.fibers.iter().filter_map(|fiber| match &fiber.doing {
            Doing::Scope(scope) => scope.cancellable.as_ref().map(|(wait, event, key)| (*wait, event, key)),
            _ => None,
        });
        for (wait, event, key) in head.chain(scopes) {
            open.push(Command::Cancellable { wait, event: event.clone(), key: key.clone() });
        }
        let mut calls: Vec<&Pending> = self.pending().collect();
        calls.sort_unstable_by_key(|pending| pending.call);
        open.extend(calls.into_iter().map(|pending| pending.command.clone()));
        open.extend(self.withdrawn().map(|call| Command::Withdraw { call }));
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
        self.fibers.iter().filter_map(Fiber::held).chain(backward)
    }

    /// The trades that were started and are no longer wanted, by the calls that started them. Those of a trade that ends
    /// forward are waited for.
    pub(super) fn withdrawn(&self) -> impl Iterator<Item = CallNo> {
        self.fibers.iter().filter(|fiber| fiber.course == Course::Failing).filter_map(Fiber::started)
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
            None => {
                let until = self.due.map(|due| format!(" until {due}")).unwrap_or_default();
                format!("sleeps{}{until}", at(&self.path, "sleep"))
            }
        }
    }
}

impl Command {
    fn describe(&self) -> String {
        match self {
            Self::Call { kind: CallKind::Forward, operation, path, .. } => {
                format!("calls {operation}{}", at(path, operation))
            }
            Self::Call { kind: CallKind::Confirm(_), operation, path, .. } => {
                format!("calls {operation} to confirm {}", path.strip_suffix(".confirm").unwrap_or(path))
            }
            Self::Call { operation, path, .. } => {
                let of = path.strip_suffix(".undo").or(path.strip_suffix(".cancel")).unwrap_or(path);
                format!("calls {operation} to take back {of}")
            }
            Self::Start { flow, path, .. } => format!("waits for the trade {flow}{}", at(path, flow)),
            Self::TakeBack { path, .. } => {
                format!("has a trade taken back at {}", path.strip_suffix(".undo").unwrap_or(path))
            }
            _ => String::new(),
        }
    }
}
