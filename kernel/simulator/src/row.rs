//! What happens in a world, row by row: what the transcript is written of and what habits answer to.

use std::sync::Arc;

use mortise_contract::Value;
use mortise_types::Timestamp;

use crate::books::Moves;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) at: Timestamp,
    /// Whose it is; none is the world's.
    pub(crate) trade: Option<Arc<str>>,
    pub(crate) what: What,
    /// Events that were written with it.
    pub(crate) tells: Vec<String>,
    pub(crate) moves: Moves,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// The world did something.
    Deed {
        words: String,
        outcome: String,
    },
    Began {
        flow: String,
    },
    Call(CallRow),
    /// A peer was asked and has not answered yet.
    Asked {
        step: Arc<str>,
        operation: Arc<str>,
    },
    /// Another flow is started as a part of this one.
    Starts {
        step: Arc<str>,
        flow: Arc<str>,
    },
    Waits {
        step: Arc<str>,
        event: Arc<str>,
        due: Option<Timestamp>,
    },
    Sleeps {
        step: Arc<str>,
        due: Timestamp,
    },
    Came {
        step: Arc<str>,
        event: Arc<str>,
    },
    /// A clock has passed.
    Due {
        step: Arc<str>,
        event: Option<Arc<str>>,
    },
    Cancelled,
    /// The trade that started this one wants it taken back.
    TakenBack,
    Pivot,
    Answered(Answered),
    Attention {
        step: String,
        text: String,
    },
    /// Events that no call wrote.
    Told,
    Ended {
        outcome: String,
    },
    Crashed,
}

/// What a caller got.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answered {
    Ok(Value),
    Failed { code: String, detail: Value },
}

/// A call that has an outcome.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallRow {
    pub(crate) step: Arc<str>,
    pub(crate) operation: Arc<str>,
    pub(crate) way: Way,
    pub(crate) outcome: Outcome,
    /// It neither writes nor leaves the database.
    pub(crate) only_reads: bool,
    /// Who was asked on the way: `name@version answered`.
    pub(crate) asked: Vec<String>,
}

/// Which way a call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    /// It makes final what this step has tried.
    Confirm(Arc<str>),
    /// It takes back what this step did.
    Back(Arc<str>),
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Done,
    Rejected { code: String, detail: String },
    Unavailable,
}
