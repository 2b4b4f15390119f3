//! Operators over items: checked arithmetic, comparison across numbers, equality of everything.

use std::cmp::Ordering;
use std::sync::Arc;

use mortise_contract::Value;
use mortise_types::Timestamp;

use super::function::parse_duration;
use super::node::Binary;
use super::{EvalError, Item};

/// The moment that an item is or writes.
pub(crate) fn moment_of(item: Item) -> Result<Timestamp, EvalError> {
    match item {
        Item::Moment(moment) => Ok(moment),
        Item::Value(Value::Text(text)) => text.parse().map_err(|_| EvalError::NoMoment(text.as_str().into())),
        other => Err(EvalError::wrong("a moment", &other)),
    }
}

/// The elements of a list, each turned into what it stands for.
pub(super) fn each(item: Item, turn: impl Fn(Item) -> Result<Item, EvalError>) -> Result<Item, EvalError> {
    match item {
        Item::Value(Value::List(items)) => {
            let items: Result<Vec<Item>, _> =
                items.iter().map(|item| turn(Item::Value(item.clone()))).collect();
            items.map(Item::List)
        }
        other => Err(EvalError::wrong("a list of moments or lengths of time", &other)),
    }
}

pub(super) fn index(of: Item, at: &Item) -> Result<Item, EvalError> {
    let value = match (of, at) {
        (Item::Value(Value::List(items)), Item::Value(Value::Int(at))) => {
            let found = usize::try_from(*at).ok().and_then(|at| items.get(at)).cloned();
            found.ok_or(EvalError::OutOfRange { at: *at, length: items.len() })?
        }
        (Item::Value(Value::Record(record)), Item::Value(Value::Text(name))) => {
            record.get(name).cloned().ok_or_else(|| EvalError::NoField(name.as_str().into()))?
        }
        (Item::Value(Value::List(_) | Value::Record(_)), at) => return Err(EvalError::wrong("`[]`", at)),
        (of, _) => return Err(EvalError::wrong("`[]`", &of)),
    };
    Ok(Item::Value(value))
}

pub(super) fn negate(item: Item) -> Result<Item, EvalError> {
    match item {
        Item::Value(Value::Int(int)) => int.checked_neg().map(Item::from).ok_or(EvalError::Overflow("-")),
        Item::Value(Value::Float(float)) => Ok(Item::Value(Value::Float(-float))),
        Item::Duration(millis) => millis.checked_neg().map(Item::Duration).ok_or(EvalError::Overflow("-")),
        other => Err(EvalError::wrong("`-`", &other)),
    }
}

pub(super) fn binary(operator: Binary, left: Item, right: Item) -> Result<Item, EvalError> {
    match operator {
        Binary::Add => add(left, right),
        Binary::Subtract => subtract(left, right),
        Binary::Multiply => number("*", &left, &right, i64::checked_mul, |a, b| a * b),
        Binary::Divide => {
            not_zero(&right)?;
            number("/", &left, &right, i64::checked_div, |a, b| a / b)
        }
        Binary::Remainder => {
            not_zero(&right)?;
            match (&left, &right) {
                (Item::Value(Value::Int(a)), Item::Value(Value::Int(b))) => {
                    a.checked_rem(*b).map(Item::from).ok_or(EvalError::Overflow("%"))
                }
                _ => Err(EvalError::wrong("`%`", unlike(&left, &right))),
            }
        }
        Binary::Equal => Ok(equal(&left, &right).into()),
        Binary::NotEqual => Ok((!equal(&left, &right)).into()),
        Binary::Less => compared("`<`", &left, &right, Ordering::is_lt),
        Binary::LessOrEqual => compared("`<=`", &left, &right, Ordering::is_le),
        Binary::Greater => compared("`>`", &left, &right, Ordering::is_gt),
        Binary::GreaterOrEqual => compared("`>=`", &left, &right, Ordering::is_ge),
        Binary::In => within(&left, &right),
    }
}

/// The one of two items that is to blame: an integer is taken as fitting.
fn unlike<'a>(left: &'a Item, right: &'a Item) -> &'a Item {
    if matches!(left, Item::Value(Value::Int(_))) { right } else { left }
}

fn not_zero(divisor: &Item) -> Result<(), EvalError> {
    if matches!(divisor, Item::Value(Value::Int(0))) { Err(EvalError::DivisionByZero) } else { Ok(()) }
}

fn number(
    operator: &'static str,
    left: &Item,
    right: &Item,
    ints: impl FnOnce(i64, i64) -> Option<i64>,
    floats: impl FnOnce(f64, f64) -> f64,
) -> Result<Item, EvalError> {
    match (left, right) {
        (Item::Value(Value::Int(a)), Item::Value(Value::Int(b))) => {
            ints(*a, *b).map(Item::from).ok_or(EvalError::Overflow(operator))
        }
        (Item::Value(Value::Float(a)), Item::Value(Value::Float(b))) => {
            Ok(Item::Value(Value::Float(floats(*a, *b))))
        }
        _ => Err(EvalError::wrong(&format!("`{operator}`"), unlike(left, right))),
    }
}

fn moved(moment: Timestamp, millis: Option<i64>, operator: &'static str) -> Result<Item, EvalError> {
    let millis = millis.ok_or(EvalError::Overflow(operator))?;
    let to = moment.as_millis().checked_add(millis).ok_or(EvalError::Overflow(operator))?;
    let moved = Timestamp::from_millis(to);
    if moved.as_millis() == to { Ok(Item::Moment(moved)) } else { Err(EvalError::Overflow(operator)) }
}

fn add(left: Item, right: Item) -> Result<Item, EvalError> {
    match (left, right) {
        (Item::Value(Value::Text(a)), Item::Value(Value::Text(b))) => {
            Ok(Item::Value(Value::text([a.as_str(), b.as_str()].concat())))
        }
        (Item::Value(Value::List(a)), Item::Value(Value::List(b))) => {
            Ok(Item::Value(Value::List(Arc::new(a.iter().chain(b.iter()).cloned().collect()))))
        }
        (Item::Moment(moment), Item::Duration(millis)) | (Item::Duration(millis), Item::Moment(moment)) => {
            moved(moment, Some(millis), "+")
        }
        (Item::Duration(a), Item::Duration(b)) => {
            a.checked_add(b).map(Item::Duration).ok_or(EvalError::Overflow("+"))
        }
        (left, right) => number("+", &left, &right, i64::checked_add, |a, b| a + b),
    }
}

fn subtract(left: Item, right: Item) -> Result<Item, EvalError> {
    match (left, right) {
        (Item::Moment(a), Item::Moment(b)) => Ok(Item::Duration(a.as_millis() - b.as_millis())),
        (Item::Moment(moment), Item::Duration(millis)) => moved(moment, millis.checked_neg(), "-"),
        (Item::Duration(a), Item::Duration(b)) => {
            a.checked_sub(b).map(Item::Duration).ok_or(EvalError::Overflow("-"))
        }
        (left, right) => number("-", &left, &right, i64::checked_sub, |a, b| a - b),
    }
}

fn compared(
    operator: &str,
    left: &Item,
    right: &Item,
    holds: impl FnOnce(Ordering) -> bool,
) -> Result<Item, EvalError> {
    match order(left, right) {
        Some(ordering) => Ok(ordering.is_some_and(holds).into()),
        None => Err(EvalError::wrong(operator, unlike(left, right))),
    }
}

/// The order of two items: `None` if they have none, `Some(None)` if one of them is not a number (NaN).
pub(super) fn order(left: &Item, right: &Item) -> Option<Option<Ordering>> {
    match (left, right) {
        (Item::Moment(a), Item::Moment(b)) => Some(Some(a.cmp(b))),
        (Item::Duration(a), Item::Duration(b)) => Some(Some(a.cmp(b))),
        (Item::Moment(a), Item::Value(Value::Text(text))) => text.parse().ok().map(|b| Some(a.cmp(&b))),
        (Item::Value(Value::Text(text)), Item::Moment(b)) => {
            text.parse().ok().map(|a: Timestamp| Some(a.cmp(b)))
        }
        (Item::Duration(a), Item::Value(Value::Text(text))) => parse_duration(text).map(|b| Some(a.cmp(&b))),
        (Item::Value(Value::Text(text)), Item::Duration(b)) => parse_duration(text).map(|a| Some(a.cmp(b))),
        (Item::Value(a), Item::Value(b)) => match (a, b) {
            (Value::Int(a), Value::Int(b)) => Some(Some(a.cmp(b))),
            (Value::Text(a), Value::Text(b)) => Some(Some(a.cmp(b))),
            (Value::Bool(a), Value::Bool(b)) => Some(Some(a.cmp(b))),
            (Value::Float(a), Value::Float(b)) => Some(a.partial_cmp(b)),
            (Value::Int(a), Value::Float(b)) => Some(int_to_float(*a, *b)),
            (Value::Float(a), Value::Int(b)) => Some(int_to_float(*b, *a).map(Ordering::reverse)),
            _ => None,
        },
        _ => None,
    }
}

/// Compares without rounding the integer: beyond 2^63 a float is greater than any.
fn int_to_float(int: i64, float: f64) -> Option<Ordering> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= LIMIT {
        return Some(Ordering::Less);
    }
    if float < -LIMIT {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    Some(int.cmp(&(whole as i64)).then_with(|| whole.total_cmp(&float)))
}

pub(super) fn equal(left: &Item, right: &Item) -> bool {
    match (left, right) {
        (Item::Value(a), Item::Value(b)) => equal_values(a, b),
        _ => matches!(order(left, right), Some(Some(Ordering::Equal))),
    }
}

fn equal_values(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
            int_to_float(*int, *float) == Some(Ordering::Equal)
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal_values(a, b))
        }
        (Value::Record(a), Value::Record(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| equal_values(value, other)))
        }
        (a, b) => a == b,
    }
}

fn within(left: &Item, right: &Item) -> Result<Item, EvalError> {
    match (left, right) {
        (left, Item::Value(Value::List(items))) => {
            Ok(items.iter().any(|item| equal(left, &Item::Value(item.clone()))).into())
        }
        (Item::Value(Value::Text(name)), Item::Value(Value::Record(record))) => {
            Ok(record.get(name).is_some().into())
        }
        (_, Item::Value(Value::Record(_))) => Ok(false.into()),
        (_, other) => Err(EvalError::wrong("`in`", other)),
    }
}
