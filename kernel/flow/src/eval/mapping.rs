//! A value with expressions in it, compiled once: literals are shared, plain paths are followed, the rest is evaluated.

use std::fmt::Write;

use mortise_contract::value::Text;
use mortise_contract::{Record, Value};

use super::{Env, EvalError, Node};

/// A compiled template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mapping {
    /// Shared, whatever its size.
    Literal(Value),
    /// Keeps its type; a plain path is [`Node::Path`].
    Expr(Node),
    /// Interpolated text.
    Text(Box<[Part]>),
    List(Box<[Mapping]>),
    /// Names are unique.
    Record(Box<[(Text, Mapping)]>),
}

/// A piece of interpolated text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Plain(Box<str>),
    Expr(Node),
}

impl Mapping {
    /// The value.
    pub(crate) fn evaluate(&self, env: &Env<'_>) -> Result<Value, EvalError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expr(Node::Path(path)) => path.follow(env).cloned(),
            Self::Expr(node) => node.evaluate(env).map(super::Item::into_value),
            Self::Text(parts) => interpolate(parts, env).map(Value::text),
            Self::List(items) => {
                let items: Result<Vec<Value>, _> = items.iter().map(|item| item.evaluate(env)).collect();
                items.map(Value::list)
            }
            Self::Record(fields) => {
                let mut record = Record::with_capacity(fields.len());
                for (name, field) in fields {
                    record.insert(name.clone(), field.evaluate(env)?);
                }
                Ok(Value::Record(record.into()))
            }
        }
    }
}

fn interpolate(parts: &[Part], env: &Env<'_>) -> Result<String, EvalError> {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Plain(text) => out.push_str(text),
            Part::Expr(node) => push(&mut out, &node.evaluate(env)?.into_value()),
        }
    }
    Ok(out)
}

/// Text and numbers as they are, anything else as JSON.
fn push(out: &mut String, value: &Value) {
    match value {
        Value::Text(text) => out.push_str(text),
        Value::Int(int) => {
            let _ = write!(out, "{int}");
        }
        other => out.push_str(&other.to_json()),
    }
}
