//! What a program is made of: operations of the machine, one after another, with jumps. Rounds of a loop, branches of a
//! `parallel` and scopes run their body's stretch of them, each in a frame of its own.

use std::sync::Arc;

use crate::eval::{Mapping, Node};
use crate::machine::Persistence;

/// Where an operation stands.
pub(crate) type Pc = usize;

/// One operation. It goes on at the next one unless it says otherwise.
#[derive(Debug)]
pub(crate) enum Op {
    Call(Box<CallSite>),
    Wait(Box<WaitSite>),
    Sleep(Clock),
    /// Goes on at `otherwise` if the condition does not hold.
    Branch {
        condition: Node,
        otherwise: Pc,
    },
    Jump(Pc),
    /// A `let`, or a block's result.
    Bind {
        slot: u16,
        value: Mapping,
    },
    Foreach(Box<ForeachSite>),
    Repeat(Box<RepeatSite>),
    Parallel(Box<ParallelSite>),
    Scope(Box<ScopeSite>),
    /// Where its racers stand: waits and sleeps that are open at once. Each goes on at its own `do`.
    Race(Box<[Pc]>),
    /// Behind the last step of a body that is not the whole flow's.
    BodyEnd,
    /// Behind the tries of a `tcc`, in their body: all of them are confirmed.
    Confirm,
    Emit {
        event: Arc<str>,
        payload: Mapping,
    },
    Answer(Mapping),
    Pivot,
    /// `rejection` is the slot of the rejection that is being handled.
    Fail {
        code: Arc<str>,
        rejection: Option<u16>,
    },
    End(Arc<str>),
    Attention(Mapping),
    /// Behind the last step.
    Finish,
}

/// `call:`, `start:`, or a call of a `tcc:`.
#[derive(Debug)]
pub(crate) struct CallSite {
    pub(crate) target: Target,
    /// The operation, or the flow.
    pub(crate) operation: Arc<str>,
    pub(crate) with: Mapping,
    /// Where its output is bound.
    pub(crate) slot: Option<u16>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) handlers: Handlers,
    /// Behind the step and its handlers.
    pub(crate) then: Pc,
    pub(crate) undo: Undo,
    /// Of a try: it stands in the body of a `tcc`.
    pub(crate) triple: Option<Box<Triple>>,
    /// What its output holds.
    pub(crate) acquires: Vec<Handle>,
    /// What its input settles for good: only of an operation whose undo is "nothing".
    pub(crate) settles: Vec<Handle>,
    /// Before the pivot.
    pub(crate) persistence: Persistence,
}

impl CallSite {
    /// Whether going backward has to know that it happened.
    pub(crate) fn is_logged(&self) -> bool {
        !matches!(self.undo, Undo::Nothing | Undo::Impossible) || !self.settles.is_empty()
    }
}

/// What a call calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Operation,
    /// A trade of its own.
    Flow,
}

/// What makes a try final, and what takes it back, over `input` (slot 0) and `output` (slot 1).
#[derive(Debug)]
pub(crate) struct Triple {
    pub(crate) confirm: Taking,
    pub(crate) cancel: Taking,
}

/// Who takes which code.
#[derive(Debug, Default)]
pub(crate) struct Handlers {
    pub(crate) by_code: Vec<(Arc<str>, Handler)>,
    pub(crate) any: Option<Handler>,
}

impl Handlers {
    pub(crate) fn of(&self, code: &str) -> Option<Handler> {
        let by_code = self.by_code.iter().find(|(known, _)| **known == *code);
        by_code.map(|(_, handler)| *handler).or(self.any)
    }

    pub(crate) fn starts(&self) -> impl Iterator<Item = Pc> {
        self.by_code.iter().map(|(_, handler)| handler).chain(&self.any).map(|handler| handler.start)
    }
}

/// Where a rejection is handled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handler {
    pub(crate) start: Pc,
    /// Where the rejection is bound.
    pub(crate) rejection: u16,
}

/// How a call is taken back.
#[derive(Debug)]
pub(crate) enum Undo {
    /// There is nothing to take back.
    Nothing,
    /// It cannot be; the checker has seen that nobody will want to.
    Impossible,
    /// By its contract, over `input` (slot 0) and `output` (slot 1).
    Contract(Taking),
    /// By the step, over the flow's names.
    Own(Taking),
    /// The trade that was started takes itself back.
    Child,
}

/// A call that takes back.
#[derive(Debug)]
pub(crate) struct Taking {
    pub(crate) operation: Arc<str>,
    pub(crate) with: Mapping,
}

/// A field that holds a resource, or a path such as `shares[].share`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(crate) resource: Arc<str>,
    /// Fields; those that are lists are walked through.
    pub(crate) path: Box<[Box<str>]>,
}

/// `wait:`, or the event of a racer.
#[derive(Debug)]
pub(crate) struct WaitSite {
    pub(crate) event: Arc<str>,
    pub(crate) key: Mapping,
    /// A racer has none: its race has one.
    pub(crate) clock: Option<Clock>,
    /// Where the payload is bound.
    pub(crate) slot: Option<u16>,
    /// `on_timeout:`; of a racer, its race, behind which the others' ways are.
    pub(crate) on_timeout: Pc,
    /// Behind the step and its handler.
    pub(crate) then: Pc,
    pub(crate) acquiring: Option<Acquiring>,
}

/// What a wait for an acquiring event carries.
#[derive(Debug)]
pub(crate) struct Acquiring {
    /// True once the event has come, the wait has timed out, or another racer has won.
    pub(crate) over: u16,
    /// The event's `late` call, over `event` (slot 0).
    pub(crate) late: Taking,
    /// What the payload holds.
    pub(crate) acquires: Vec<Handle>,
    /// Acquiring waits for the same event, of the same body, that may come behind a timeout of this one.
    pub(crate) later: Vec<Pc>,
}

/// When something is due.
#[derive(Debug)]
pub(crate) enum Clock {
    AfterMs(u64),
    At(Node),
}

/// `foreach:`
#[derive(Debug)]
pub(crate) struct ForeachSite {
    pub(crate) list: Node,
    pub(crate) body: usize,
    /// Behind the last round.
    pub(crate) then: Pc,
    /// Where the list of the rounds' results is bound.
    pub(crate) slot: Option<u16>,
    /// `at_once:`; 1 in order.
    pub(crate) at_once: usize,
    pub(crate) max: Option<u32>,
    /// In the round's frame.
    pub(crate) until: Option<Node>,
    /// In the round's frame.
    pub(crate) result: Option<Mapping>,
    /// True once all rounds are over; only where there are acquiring waits inside.
    pub(crate) over: Option<u16>,
}

/// `repeat:`; the round's number is slot 0 of its frame.
#[derive(Debug)]
pub(crate) struct RepeatSite {
    pub(crate) body: usize,
    /// Behind the last round.
    pub(crate) then: Pc,
    /// Where the last round's result is bound.
    pub(crate) slot: Option<u16>,
    pub(crate) max: u32,
    /// In the round's frame.
    pub(crate) until: Option<Node>,
    /// In the round's frame.
    pub(crate) result: Option<Mapping>,
    /// True once all rounds are over; only where there are acquiring waits inside.
    pub(crate) over: Option<u16>,
}

/// `parallel:`
#[derive(Debug)]
pub(crate) struct ParallelSite {
    pub(crate) branches: Box<[BranchSite]>,
    /// Behind the last branch: the block's result.
    pub(crate) then: Pc,
    /// True once all branches are over; only where there are acquiring waits inside.
    pub(crate) over: Option<u16>,
}

/// A branch of a `parallel:`.
#[derive(Debug)]
pub(crate) struct BranchSite {
    /// The last part of its path.
    pub(crate) name: Arc<str>,
    pub(crate) body: usize,
    pub(crate) exports: Exports,
}

/// Names inside a body that the block's result sees: the slot inside, the slot outside.
pub(crate) type Exports = Box<[(u16, u16)]>;

/// `attempt:` or `tcc:`, a part of the trade that goes backward on its own.
#[derive(Debug)]
pub(crate) struct ScopeSite {
    pub(crate) kind: ScopeKind,
    pub(crate) body: usize,
    pub(crate) cancel_on: Option<CancelSite>,
    /// `else:` or `on:`
    pub(crate) handlers: Handlers,
    /// Where it goes on when nothing failed.
    pub(crate) then: Pc,
    pub(crate) exports: Exports,
    /// True once it is over, either way; only where there are acquiring waits inside.
    pub(crate) over: Option<u16>,
}

/// Which scope it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    Attempt,
    /// What is tried in it is confirmed or cancelled, however the trade ends.
    Tcc,
}

/// The operations that share a frame: the whole flow, a round, a branch, or a scope.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) start: Pc,
    /// How many slots a frame has; a round's element or number is slot 0.
    pub(crate) slots: usize,
    /// What each slot is for: a name of the flow, or `~` and the label of the step that needs it.
    pub(crate) names: Vec<Arc<str>>,
    /// Its own acquiring waits.
    pub(crate) waits: Vec<Pc>,
    /// Its blocks with bodies of their own that have acquiring waits inside.
    pub(crate) blocks: Vec<Pc>,
}

impl Body {
    /// Whether an acquiring event is waited for in it or in a body inside.
    pub(crate) fn acquires(&self) -> bool {
        !self.waits.is_empty() || !self.blocks.is_empty()
    }
}

/// `cancel_on:`
#[derive(Debug)]
pub(crate) struct CancelSite {
    pub(crate) event: Arc<str>,
    pub(crate) key: Mapping,
    pub(crate) code: Arc<str>,
}
