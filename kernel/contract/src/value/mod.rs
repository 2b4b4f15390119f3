//! The value that flows, operations and the journal pass on: JSON's shapes with 64-bit integers, shared instead of copied.
//! A clone is a reference count; field names of Rust types are not allocated. It holds no timestamps or durations:
//! those are text with a format until an expression asks for them.

mod from;
mod into;
mod json;

use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeOwned};
use serde::{Serialize, ser};

pub use json::json;

/// Text that is either part of the program or shared.
#[derive(Clone)]
pub enum Text {
    /// A field name or a variant name of a Rust type.
    Static(&'static str),
    /// Anything else.
    Shared(Arc<str>),
}

impl Text {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl std::ops::Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
impl Eq for Text {}
impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}
impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Shared(text.into())
    }
}
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Shared(text.into())
    }
}

/// Named fields in the order in which they were written; a name stands once.
#[derive(Clone, Debug, Default)]
pub struct Record(Vec<(Text, Value)>);

impl Record {
    /// A record without fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A record with room for `fields` of them.
    pub fn with_capacity(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
    }

    /// Sets a field, replacing what stood there.
    pub fn insert(&mut self, name: impl Into<Text>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(key, _)| key.as_str() == name)?;
        Some(self.0.remove(at).1)
    }

    /// The fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The fields, in order, to be changed in place.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Text, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<K: Into<Text>> FromIterator<(K, Value)> for Record {
    fn from_iter<T: IntoIterator<Item = (K, Value)>>(fields: T) -> Self {
        let mut record = Self::new();
        for (name, value) in fields {
            record.insert(name, value);
        }
        record
    }
}

/// A value of the flow language.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number; money is minor units.
    Int(i64),
    /// A number of a foreign contract; no contract of ours has one.
    Float(f64),
    /// Text, an id, a code, a moment in RFC 3339.
    Text(Text),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A record.
    Record(Arc<Record>),
}

impl Value {
    /// The empty record, which stands for a step that did not run.
    pub fn empty_record() -> Self {
        Self::Record(Arc::default())
    }

    /// A record of these fields.
    pub fn record<K: Into<Text>>(fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Record(Arc::new(fields.into_iter().collect()))
    }

    /// A list of these values.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }

    /// Text of this content.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    /// The field `name` of a record.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Record(record) => record.get(name),
            _ => None,
        }
    }

    /// What stands under a path of field names.
    pub fn path<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<&Value> {
        names.into_iter().try_fold(self, |value, name| value.get(name))
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The record, if it is one.
    pub fn as_record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Record(_) => "a record",
        }
    }

    /// The value as JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "null".into())
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}
impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// A value that does not fit the Rust type that was asked for, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(String);

impl de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}
impl ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The Rust type `T` out of a value.
///
/// # Errors
/// Names the field or the type that does not fit.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, ValueError> {
    T::deserialize(value)
}

/// The value of a Rust type.
///
/// # Errors
/// An unsigned integer above `i64::MAX`, or a map whose keys are not text.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
    value.serialize(into::ToValue)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        ByHand,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        sku: String,
        quantity: u32,
        mode: Mode,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        attributes: BTreeMap<String, String>,
    }

    #[test]
    fn a_rust_type_goes_in_and_comes_out_and_reads_as_its_json() {
        let line = Line {
            sku: "milk".into(),
            quantity: 3,
            mode: Mode::ByHand,
            note: None,
            attributes: [("fat".to_owned(), "low".to_owned())].into(),
        };
        let value = to_value(&line).unwrap();
        assert_eq!(
            value.to_json(),
            r#"{"sku":"milk","quantity":3,"mode":"by_hand","attributes":{"fat":"low"}}"#
        );
        assert_eq!(from_value::<Line>(&value).unwrap(), line);
        assert_eq!(serde_json::from_str::<Value>(&value.to_json()).unwrap(), value);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let value: Value = serde_json::from_str(r#"{"sku":"a","colour":1}"#).unwrap();
        let error = from_value::<Line>(&value).unwrap_err().to_string();
        assert!(error.contains("unknown field `colour`"), "{error}");
        let twice = serde_json::from_str::<Value>(r#"{"a":1,"a":2}"#).unwrap_err().to_string();
        assert!(twice.contains("`a` stands twice"), "{twice}");
    }
}
