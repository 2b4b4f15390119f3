//! The language's functions. A method's target is its first argument.

use std::cmp::Ordering;

use mortise_contract::Value;
use mortise_types::Span;

use super::operate::{binary, moment_of, order};
use super::{Binary, EvalError, Item};

/// A function of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Duration,
    Timestamp,
    Min,
    Max,
    Sum,
}

impl Function {
    /// The function of this name with so many arguments, the target among them.
    pub(crate) fn named(name: &str, arguments: usize) -> Option<Self> {
        let (function, fits) = match name {
            "size" => (Self::Size, arguments == 1),
            "contains" => (Self::Contains, arguments == 2),
            "startsWith" => (Self::StartsWith, arguments == 2),
            "endsWith" => (Self::EndsWith, arguments == 2),
            "duration" => (Self::Duration, arguments == 1),
            "timestamp" => (Self::Timestamp, arguments == 1),
            "min" => (Self::Min, arguments >= 1),
            "max" => (Self::Max, arguments >= 1),
            "sum" => (Self::Sum, arguments == 1),
            _ => return None,
        };
        fits.then_some(function)
    }

    pub(super) fn apply(self, mut arguments: Vec<Item>) -> Result<Item, EvalError> {
        if matches!(self, Self::Min | Self::Max) {
            return self.extreme(arguments);
        }
        let second = if arguments.len() > 1 { arguments.pop() } else { None };
        let Some(first) = arguments.pop() else {
            return Err(EvalError::Empty("a function"));
        };
        match self {
            Self::Size => size(&first),
            Self::Contains => text("contains", first, second, |a, b| a.contains(b)),
            Self::StartsWith => text("startsWith", first, second, |a, b| a.starts_with(b)),
            Self::EndsWith => text("endsWith", first, second, |a, b| a.ends_with(b)),
            Self::Duration => duration(first),
            Self::Timestamp => moment_of(first).map(Item::Moment),
            Self::Sum => sum(first),
            Self::Min | Self::Max => Err(EvalError::Empty("min")),
        }
    }

    fn extreme(self, mut arguments: Vec<Item>) -> Result<Item, EvalError> {
        let (name, wanted) =
            if self == Self::Min { ("min", Ordering::Less) } else { ("max", Ordering::Greater) };
        match arguments.as_mut_slice() {
            [Item::Value(Value::List(items))] => arguments = items.iter().cloned().map(Item::Value).collect(),
            [Item::List(items)] => arguments = std::mem::take(items),
            _ => {}
        }
        let mut rest = arguments.into_iter();
        let mut best = rest.next().ok_or(EvalError::Empty(name))?;
        if order(&best, &best).is_none() {
            return Err(EvalError::wrong(name, &best));
        }
        for item in rest {
            match order(&item, &best) {
                Some(ordering) if ordering == Some(wanted) => best = item,
                Some(_) => {}
                None => return Err(EvalError::wrong(name, &item)),
            }
        }
        Ok(best)
    }
}

fn size(of: &Item) -> Result<Item, EvalError> {
    let size = match of {
        Item::Value(Value::Text(text)) => text.chars().count(),
        Item::Value(Value::List(items)) => items.len(),
        Item::Value(Value::Record(record)) => record.len(),
        other => return Err(EvalError::wrong("size", other)),
    };
    i64::try_from(size).map(Item::from).map_err(|_| EvalError::Overflow("size"))
}

fn text(
    name: &str,
    of: Item,
    with: Option<Item>,
    holds: impl Fn(&str, &str) -> bool,
) -> Result<Item, EvalError> {
    match (of, with) {
        (Item::Value(Value::Text(a)), Some(Item::Value(Value::Text(b)))) => Ok(holds(&a, &b).into()),
        (Item::Value(Value::Text(_)), Some(other)) | (other, _) => Err(EvalError::wrong(name, &other)),
    }
}

fn sum(of: Item) -> Result<Item, EvalError> {
    let items: Vec<Item> = match of {
        Item::Value(Value::List(items)) => items.iter().cloned().map(Item::Value).collect(),
        Item::List(items) if items.is_empty() => return Ok(Item::Duration(0)),
        Item::List(items) => items,
        other => return Err(EvalError::wrong("sum", &other)),
    };
    let mut items = items.into_iter();
    let Some(first) = items.next() else {
        return Ok(0.into());
    };
    if !matches!(first, Item::Value(Value::Int(_) | Value::Float(_)) | Item::Duration(_)) {
        return Err(EvalError::wrong("sum", &first));
    }
    items.try_fold(first, |total, item| binary(Binary::Add, total, item)).map_err(|error| match error {
        EvalError::Overflow(_) => EvalError::Overflow("sum"),
        other => other,
    })
}

/// The length of time that an item is or writes.
pub(super) fn duration(of: Item) -> Result<Item, EvalError> {
    match of {
        Item::Duration(_) => Ok(of),
        Item::Value(Value::Text(text)) => parse_duration(&text)
            .map(Item::Duration)
            .ok_or_else(|| EvalError::NoDuration(text.as_str().into())),
        other => Err(EvalError::wrong("duration", &other)),
    }
}

/// The language's spans (`30m`, `30d`), and CEL's: a sign, then decimal numbers with units, `1h30m`, `-1.5s`. What lies
/// below the millisecond is cut off.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    if let Ok(span) = text.parse::<Span>() {
        return Some(span.as_millis());
    }
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total_nanos: i128 = 0;
    while !rest.is_empty() {
        let number_end = rest.bytes().position(|b| !b.is_ascii_digit() && b != b'.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.bytes().position(|b| b.is_ascii_digit() || b == b'.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        total_nanos = total_nanos.checked_add(decimal_nanos(number, unit_nanos(unit)?)?)?;
        rest = next;
    }
    let millis = i64::try_from(total_nanos / 1_000_000).ok()?;
    Some(if negative { -millis } else { millis })
}

fn unit_nanos(unit: &str) -> Option<i128> {
    Some(match unit {
        "d" => 86_400_000_000_000,
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" | "µs" => 1_000,
        "ns" => 1,
        _ => return None,
    })
}

fn decimal_nanos(number: &str, unit_nanos: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |text: &str| {
        if text.is_empty() { Some(0) } else { text.parse::<u64>().ok().map(i128::from) }
    };
    let fraction = &fraction[..fraction.len().min(15)];
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    digits(whole)?.checked_mul(unit_nanos)?.checked_add(digits(fraction)?.checked_mul(unit_nanos)? / scale)
}

/// A length of time as the language writes it; a negative one with its sign.
pub(crate) fn span_text(millis: i64) -> String {
    let span = Span::from_millis(millis.unsigned_abs());
    if millis < 0 { format!("-{span}") } else { span.to_string() }
}
