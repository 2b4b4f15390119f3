//! The pure machine: `step(program, state, now, input) -> (state, commands)`. It decides what a trade does next and does
//! nothing itself. The durable driver, the simulator and the crash tests drive the same one.

mod backward;
mod confirm;
mod late;
mod moved;
mod person;
mod reply;
mod rounds;
mod run;
mod scope;
mod state;
mod undo;
mod waits;

use std::sync::Arc;

use mortise_contract::Value;
use mortise_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::compile::Program;

pub use backward::TAKEN_BACK;
pub use run::{EVALUATION_FAILED, UNAVAILABLE};
pub use state::{OpenWait, State};

/// A call's number within its trade: counts up, never reused, the same when the journal is folded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallNo(pub u32);

/// A wait's or sleep's number within its trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WaitNo(pub u32);

/// What a trade is begun with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// By the flow's input schema, defaults filled in.
    pub input: Value,
    /// `{tenant, line, channel}`
    pub scope: Value,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// It happened; this is its output.
    Done(Value),
    /// A business "no"; nothing has changed.
    Rejected {
        /// One of the contract's codes.
        code: String,
        /// By the code's schema.
        detail: Value,
    },
    /// A remote that never answered; `minted` is the part of the output that its intent knew. Before the pivot it is
    /// undone as if it had happened and then rejected with `unavailable`.
    Unavailable {
        /// Stands for the output in the undo.
        minted: Value,
    },
}

/// What the world tells a trade. One stretch is a sequence of inputs with one `now`; the journal keeps exactly these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The first one, once.
    Begin(Begin),
    /// A call that was commanded has an outcome.
    Replied {
        /// Which.
        call: CallNo,
        /// The outcome.
        outcome: CallOutcome,
    },
    /// The event that a wait asked for.
    Event {
        /// Which wait.
        wait: WaitNo,
        /// The payload.
        payload: Value,
    },
    /// The clock of a wait or a sleep.
    Due {
        /// Which.
        wait: WaitNo,
    },
    /// The event of the head's `cancel_on`, between stretches.
    Cancel,
    /// The event of an attempt's `cancel_on`, between stretches.
    CancelAttempt {
        /// The number that [`Command::Cancellable`] gave.
        wait: WaitNo,
    },
    /// The trade that started this one wants it taken back: it fails if it runs and has not passed its pivot; if it has gone
    /// forward to its end without one, it goes backward now.
    TakeBack,
    /// A person says of a trade that is held ([`Command::Stuck`]): try the held steps again.
    Resume,
    /// A person says of it: go on behind the held steps, as if they had not run; an undo, as if it had.
    Skip,
    /// A person says of any trade that has not passed its pivot: go backward.
    Compensate,
}

/// Which way a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// A step of the flow.
    Forward,
    /// Makes final what this call has tried.
    Confirm(CallNo),
    /// Takes back what this call did (or may have done, if it was unavailable), or cancels what it tried.
    Undo(CallNo),
    /// Takes back what an event brought: its contract's `late` call.
    UndoEvent(WaitNo),
}

/// How a trade ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Behind its last step.
    Completed,
    /// By `end: outcome`.
    Early(String),
    /// Went backward with this code, all undone.
    Failed(String),
}

/// What the caller gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// By the flow's answer type.
    Ok(Value),
    /// The trade went backward unanswered: the problem `trade-failed`.
    Failed {
        /// The flow's or the rejection's code.
        code: String,
        /// The rejection's detail, or an empty record.
        detail: Value,
    },
}

/// What a trade asks the world to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Run an operation and reply.
    Call {
        /// Its number.
        call: CallNo,
        /// Forward or backward.
        kind: CallKind,
        /// `capability.operation`
        operation: Arc<str>,
        /// Where it stands in the definition, with rounds: `shipping[2].picking`. For people and call identities.
        path: Arc<str>,
        /// Worked out already.
        input: Value,
        /// The flow's own deadline for one attempt of a remote operation, in milliseconds.
        timeout_ms: Option<u64>,
        /// Whether an `unavailable` outcome may be given (before the pivot), or it is to be asked without end.
        persistence: Persistence,
    },
    /// Start a trade as a part of this one, and reply when it has ended: done with its answer, or rejected with its code when
    /// it has failed and taken everything back.
    Start {
        /// Its number.
        call: CallNo,
        /// The flow's name.
        flow: Arc<str>,
        /// Where it stands in the definition.
        path: Arc<str>,
        /// Its input, worked out already.
        input: Value,
    },
    /// The trade that was started by this call is no longer wanted: tell it [`Input::TakeBack`]. Its start is still replied
    /// to when it has ended.
    Withdraw {
        /// The call that started it.
        call: CallNo,
    },
    /// The trade that was started by `of` has gone forward and is to take itself back: tell it [`Input::TakeBack`], and reply
    /// when it has.
    TakeBack {
        /// The number of this command.
        call: CallNo,
        /// The call that started it.
        of: CallNo,
        /// For people.
        path: Arc<str>,
    },
    /// Tell the trade when the event with this key comes, or when it is due.
    Wait {
        /// Its number.
        wait: WaitNo,
        /// The event's name and the key's value; `None` is a sleep.
        event: Option<(Arc<str>, Value)>,
        /// When it is due. The event of a race has no clock of its own.
        due: Option<Timestamp>,
        /// For people.
        path: Arc<str>,
    },
    /// That wait is over.
    Unwait {
        /// Which.
        wait: WaitNo,
    },
    /// The trade, or an attempt in it, can be cancelled by this event from now on.
    Cancellable {
        /// 0 is the whole trade: [`Input::Cancel`]. Any other is an attempt: [`Input::CancelAttempt`].
        wait: WaitNo,
        /// The event's name.
        event: Arc<str>,
        /// The key's value.
        key: Value,
    },
    /// It no longer can.
    NotCancellable {
        /// Which.
        wait: WaitNo,
    },
    /// An acquiring event with this key would come late from now on: nobody will wait for it.
    LateKey {
        /// The event's name.
        event: Arc<str>,
        /// The key's value.
        key: Value,
    },
    /// An event for the outbox.
    Emit {
        /// The event's name.
        event: Arc<str>,
        /// By its schema.
        payload: Value,
    },
    /// The caller's answer; at most once a trade.
    Answer(Answer),
    /// The trade wants a person's eye; it goes on.
    Attention {
        /// What about.
        text: String,
        /// Where.
        path: Arc<str>,
    },
    /// A step is held for a person: past the pivot an expression had no value or a rejection had no taker, or an undo or a
    /// confirm was refused. What runs beside it goes on. [`Input::Resume`] tries it again.
    Stuck {
        /// Where.
        path: Arc<str>,
        /// Why.
        problem: Arc<str>,
    },
    /// It has passed its pivot.
    PivotPassed,
    /// It is over. The last command, but for a trade that went forward and is told [`Input::TakeBack`].
    End(Ended),
}

/// What to do with a remote peer that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persistence {
    /// After the contract's attempts the outcome is `unavailable`.
    GiveUp,
    /// It is asked without end, with back-off, and shows up for a person after a bound.
    WithoutEnd,
}

/// What becomes of a trade with one more input, and what it asks for. Total: an input that nothing waits for (repeated,
/// late, unknown) changes nothing and commands nothing. The same state, moment and input give the same result.
pub fn step(program: &Program, state: State, now: Timestamp, input: Input) -> (State, Vec<Command>) {
    run::Run::new(program, state, now).take(input)
}
