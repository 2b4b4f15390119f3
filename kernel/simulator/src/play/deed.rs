//! What happens in a world, before and after it has happened: its name, what is otherwise with it, when it is repeated.

use mortise_contract::Value;
use mortise_engine::{Started, TradeId};
use mortise_types::{Scope, Span, Timestamp};
use tokio::sync::oneshot;

use crate::script::Deed;

/// What a deed is, for the explorer, which changes single ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DeedId {
    /// An entry of the script, from 0.
    Script(usize),
    /// A habit's so-manieth time, from 1.
    Habit(String, u32),
    /// What a peer told of the deed.
    Message(Box<DeedId>, usize),
    /// The explorer's own.
    Explored,
}

impl std::fmt::Display for DeedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Script(entry) => write!(f, "entry-{}", entry + 1),
            Self::Habit(name, nth) => write!(f, "{name}-{nth}"),
            Self::Message(of, number) => write!(f, "{of}-message-{}", number + 1),
            Self::Explored => f.write_str("explored"),
        }
    }
}

impl std::str::FromStr for DeedId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let numbered = |text: &str, word: &str| {
            let (of, number) = text.rsplit_once(word)?;
            Some((of.to_owned(), number.parse::<u32>().ok().filter(|number| *number > 0)?))
        };
        if text == "explored" {
            return Ok(Self::Explored);
        }
        if let Some((of, number)) = numbered(text, "-message-") {
            return Ok(Self::Message(Box::new(of.parse()?), number as usize - 1));
        }
        match numbered(text, "-") {
            Some((name, number)) if name == "entry" => Ok(Self::Script(number as usize - 1)),
            Some((name, number)) => Ok(Self::Habit(name, number)),
            None => Err(()),
        }
    }
}

/// What is otherwise with one deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It does not happen.
    Never,
    /// It happens so much later.
    Later(Span),
    /// It happens twice, the second time so much later.
    Twice(Span),
    /// A peer's message overtakes the answer to the call that it is about.
    Early,
}

/// A deed that is due.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) id: DeedId,
    pub(super) scope: Scope,
    pub(super) note: Option<String>,
    pub(super) name: Option<String>,
    pub(super) caller: Option<String>,
    pub(super) deed: Deed,
    pub(super) local: Vec<(&'static str, Value)>,
    pub(super) repeated: Repeated,
    /// The call that a habit answers to.
    pub(super) after: Option<(String, u32)>,
}

/// Whether a deed has been done before, and by whom it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeated {
    No,
    /// A caller tries again, with the same idempotency key.
    ByCaller,
    /// A peer says it again, and knows no key of ours.
    ByPeer,
}

/// A deed that was done, for the explorer.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) id: DeedId,
    pub(crate) at: Timestamp,
    /// The operations that it called, or that its messages did.
    pub(crate) operations: Vec<String>,
    /// Whether it was a start of a flow.
    pub(crate) starts: bool,
    /// The call that a habit answered to.
    pub(crate) after: Option<(String, u32)>,
}

/// A start or a call whose answer is still to come.
pub(super) struct Open {
    pub(super) due: Due,
    pub(super) trade: TradeId,
    pub(super) answer: oneshot::Receiver<Started>,
    pub(super) row: usize,
}
