//! One way in which a world can go otherwise, with the words by which it is replayed.

use std::fmt;
use std::str::FromStr;

use mortise_types::Span;

use crate::play::DeedId;
use crate::stage::Reach;

/// What is otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Nothing is.
    AsWritten,
    /// A call is rejected.
    Reject(Nth, String),
    /// A peer does not answer a call, so many attempts long.
    Silent(Nth, Silence, u32),
    /// A peer is asked twice; a call that takes back is made twice.
    Repeat(Nth),
    /// Something does not happen.
    Never(DeedName),
    /// Something happens so much later.
    Late(DeedName, Span),
    /// Something happens again, so much later.
    Twice(DeedName, Span),
    /// A peer's message overtakes its answer.
    Early(DeedName),
    /// A trade is cancelled by an event, at a moment after the world began.
    Cancel(String, String, Span),
    /// The process crashes at a point, counted from the start.
    Crash(u64),
}

/// The nth call of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nth {
    /// Which.
    pub operation: String,
    /// From 1.
    pub nth: u32,
}

/// Whether a silent peer has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The request is lost.
    Unasked,
    /// The answer is.
    Unheard,
}

impl From<Silence> for Reach {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::Unasked => Self::Lost,
            Silence::Unheard => Self::Reached,
        }
    }
}

/// A deed, by its name in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeedName(pub(crate) DeedId);

impl fmt::Display for Nth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.operation, self.nth)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsWritten => f.write_str("as-written"),
            Self::Reject(call, code) => write!(f, "reject:{call}:{code}"),
            Self::Silent(call, Silence::Unasked, attempts) => write!(f, "unasked:{call}:{attempts}"),
            Self::Silent(call, Silence::Unheard, attempts) => write!(f, "unheard:{call}:{attempts}"),
            Self::Repeat(call) => write!(f, "repeat:{call}"),
            Self::Never(deed) => write!(f, "never:{}", deed.0),
            Self::Late(deed, span) => write!(f, "late:{}:{span}", deed.0),
            Self::Twice(deed, span) => write!(f, "twice:{}:{span}", deed.0),
            Self::Early(deed) => write!(f, "early:{}", deed.0),
            Self::Cancel(trade, event, at) => write!(f, "cancel:{trade}:{event}:{at}"),
            Self::Crash(point) => write!(f, "crash:{point}"),
        }
    }
}

/// Text that is no way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no way; the explorer prints them, such as reject:inventory.reserve:1:out_of_stock")]
pub struct NoWay(String);

impl FromStr for Way {
    type Err = NoWay;

    fn from_str(text: &str) -> Result<Self, NoWay> {
        parse(text).ok_or_else(|| NoWay(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Way> {
    if text == "as-written" {
        return Some(Way::AsWritten);
    }
    let (word, rest) = text.split_once(':')?;
    let nth = |text: &str| {
        let (operation, nth) = text.rsplit_once(':')?;
        Some(Nth { operation: operation.to_owned(), nth: nth.parse().ok()? })
    };
    let deed = |text: &str| Some(DeedName(text.parse().ok()?));
    let timed = |text: &str| {
        let (of, span) = text.rsplit_once(':')?;
        Some((of.to_owned(), span.parse().ok()?))
    };
    let silent = |silence| {
        let (call, attempts) = rest.rsplit_once(':')?;
        Some(Way::Silent(nth(call)?, silence, attempts.parse().ok()?))
    };
    Some(match word {
        "reject" => {
            let (call, code) = rest.rsplit_once(':')?;
            Way::Reject(nth(call)?, code.to_owned())
        }
        "unasked" => silent(Silence::Unasked)?,
        "unheard" => silent(Silence::Unheard)?,
        "repeat" => Way::Repeat(nth(rest)?),
        "never" => Way::Never(deed(rest)?),
        "early" => Way::Early(deed(rest)?),
        "late" => timed(rest).and_then(|(of, span)| Some(Way::Late(deed(&of)?, span)))?,
        "twice" => timed(rest).and_then(|(of, span)| Some(Way::Twice(deed(&of)?, span)))?,
        "cancel" => {
            let (of, at) = timed(rest)?;
            let (trade, event) = of.rsplit_once(':')?;
            Way::Cancel(trade.to_owned(), event.to_owned(), at)
        }
        "crash" => Way::Crash(rest.parse().ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_replayed() {
        for text in [
            "as-written",
            "reject:inventory.reserve:2:out_of_stock",
            "unasked:payment.request:1:10",
            "unheard:payment.request:1:1",
            "repeat:payment.void:1",
            "never:paying-1",
            "late:paying-1-message-1:31m",
            "twice:entry-3:1d",
            "early:paying-1",
            "cancel:ben:order.cancel_requested:1ms",
            "crash:17",
        ] {
            assert_eq!(text.parse::<Way>().unwrap().to_string(), text);
        }
        for text in ["", "reject", "reject:a:b", "late:paying-1", "crash:x", "never:paying"] {
            assert!(text.parse::<Way>().is_err(), "{text}");
        }
    }
}
