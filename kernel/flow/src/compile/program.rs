//! What a program is made of: operations of the machine, one after another, with jumps. A foreach's rounds run its body's
//! stretch of them, each in a frame of its own.

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
    /// Behind the last step of a foreach's body.
    RoundEnd,
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

/// `call:`
#[derive(Debug)]
pub(crate) struct CallSite {
    pub(crate) operation: Arc<str>,
    pub(crate) with: Mapping,
    /// Where its output is bound.
    pub(crate) slot: Option<u16>,
    pub(crate) timeout_ms: Option<u64>,
    /// By code.
    pub(crate) handlers: Vec<(Arc<str>, Handler)>,
    pub(crate) any: Option<Handler>,
    /// Behind the step and its handlers.
    pub(crate) then: Pc,
    pub(crate) undo: Undo,
    /// What its output holds.
    pub(crate) acquires: Vec<Handle>,
    /// What its input settles for good: only of an operation whose undo is "nothing".
    pub(crate) settles: Vec<Handle>,
    /// Before the pivot.
    pub(crate) persistence: Persistence,
    /// Acquiring waits of the same body whose key depends on this call's output.
    pub(crate) keyed_by: Vec<Pc>,
}

impl CallSite {
    /// Whether going backward has to know that it happened.
    pub(crate) fn is_logged(&self) -> bool {
        !matches!(self.undo, Undo::Nothing | Undo::Impossible) || !self.settles.is_empty()
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

/// `wait:`
#[derive(Debug)]
pub(crate) struct WaitSite {
    pub(crate) event: Arc<str>,
    pub(crate) key: Mapping,
    pub(crate) clock: Clock,
    /// Where the payload is bound.
    pub(crate) slot: Option<u16>,
    /// `on_timeout:`
    pub(crate) on_timeout: Pc,
    /// Behind the step and its handler.
    pub(crate) then: Pc,
    pub(crate) acquiring: Option<Acquiring>,
}

/// What a wait for an acquiring event carries.
#[derive(Debug)]
pub(crate) struct Acquiring {
    /// True once the event has come or the wait has timed out.
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

/// The operations that share a frame: the whole flow, or a foreach's `do`.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) start: Pc,
    /// How many slots a frame has; a round's element is slot 0.
    pub(crate) slots: usize,
    /// Its own acquiring waits.
    pub(crate) waits: Vec<Pc>,
    /// Its loops with acquiring waits inside.
    pub(crate) loops: Vec<Pc>,
}

/// `cancel_on:`
#[derive(Debug)]
pub(crate) struct CancelSite {
    pub(crate) event: Arc<str>,
    pub(crate) key: Mapping,
    pub(crate) code: Arc<str>,
}
