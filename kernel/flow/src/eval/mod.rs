//! Works out expressions over values: CEL's meaning, compiled to slots. A plain path is followed, not evaluated.
//! It knows no names and no contracts: `compile` has resolved them.

mod function;
mod mapping;
mod node;
mod operate;

pub(crate) use function::{Function, parse_duration, span_text};
pub(crate) use mapping::{Mapping, Part};
pub(crate) use node::{Binary, Macro, Node, Path};
pub(crate) use operate::moment_of;

use std::sync::Arc;

use mortise_contract::Value;
use mortise_types::Timestamp;

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A number beyond 64 bits, or a moment beyond the year 9999.
    #[error("the result of `{0}` is beyond the range of its type")]
    Overflow(&'static str),
    /// `x / 0`, `x % 0`.
    #[error("division by zero")]
    DivisionByZero,
    /// `list[i]` with no such element.
    #[error("there is no element {at} in a list of {length}")]
    OutOfRange {
        /// The position that was asked for.
        at: i64,
        /// How many there are.
        length: usize,
    },
    /// A field that is not there.
    #[error("there is no field `{0}`")]
    NoField(Box<str>),
    /// A value of another type than the operation works on.
    #[error("{operation} does not work on {found}")]
    WrongType {
        /// The operator, function or field.
        operation: Box<str>,
        /// The kind of value that was found.
        found: &'static str,
    },
    /// The least or greatest of nothing.
    #[error("`{0}` of an empty list")]
    Empty(&'static str),
    /// Text that is no moment.
    #[error("{0:?} is no moment in RFC 3339")]
    NoMoment(Box<str>),
    /// Text that is no length of time.
    #[error("{0:?} is no length of time, such as 30m")]
    NoDuration(Box<str>),
    /// A list that is longer than its loop allows.
    #[error("the loop may have {max} rounds and its list has {length} elements")]
    TooLong {
        /// `max:`
        max: u32,
        /// How many elements there are.
        length: usize,
    },
}

impl EvalError {
    pub(crate) fn wrong(operation: &str, found: &Item) -> Self {
        Self::WrongType { operation: operation.into(), found: found.kind() }
    }

    pub(crate) fn wrong_value(operation: &str, found: &Value) -> Self {
        Self::WrongType { operation: operation.into(), found: found.kind() }
    }
}

/// A value while an expression is worked out. Moments and lengths of time become text when they leave it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// Anything that has a value of its own.
    Value(Value),
    /// A moment.
    Moment(Timestamp),
    /// A length of time in milliseconds; may be negative.
    Duration(i64),
    /// Moments or lengths of time, for `min`, `max` and `sum`.
    List(Vec<Item>),
}

impl Item {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Value(value) => value.kind(),
            Self::Moment(_) => "a moment",
            Self::Duration(_) => "a length of time",
            Self::List(_) => "a list",
        }
    }

    /// The value that leaves an expression: a moment is RFC 3339 in UTC, a length of time is `90m`.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Moment(moment) => Value::text(moment.to_string()),
            Self::Duration(millis) => Value::text(span_text(millis)),
            Self::List(items) => Value::list(items.into_iter().map(Self::into_value)),
        }
    }
}

impl From<bool> for Item {
    fn from(bool: bool) -> Self {
        Self::Value(Value::Bool(bool))
    }
}
impl From<i64> for Item {
    fn from(int: i64) -> Self {
        Self::Value(Value::Int(int))
    }
}

/// The values of a body's names, by slot. A round's frame stands on the frame of the body around it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) parent: Option<Arc<Frame>>,
    pub(crate) slots: Vec<Value>,
}

impl Frame {
    /// A frame on its own.
    pub(crate) fn root(slots: Vec<Value>) -> Self {
        Self { parent: None, slots }
    }

    fn get(&self, up: u8, slot: u16) -> &Value {
        let mut frame = self;
        for _ in 0..up {
            match &frame.parent {
                Some(parent) => frame = parent,
                None => return &Value::Null,
            }
        }
        frame.slots.get(usize::from(slot)).unwrap_or(&Value::Null)
    }
}

/// What an expression sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) now: Timestamp,
    pub(crate) started_at: Timestamp,
}

#[cfg(test)]
mod tests;
