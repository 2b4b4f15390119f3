//! Judges a value by a schema and fills in defaults. Every violation names its place as a JSON pointer.
//! Limits that a schema does not state (size of a body, length of a text) are the access layer's.

use std::sync::Arc;

use crate::contracts::Contracts;
use crate::schema::{Additional, Schema, Type};
use crate::value::{Record, Value};

/// A place in a value that its schema refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the value.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Violations that are collected at most.
const MOST: usize = 20;
/// How deep a value may nest.
const DEPTH: usize = 64;

struct Judge<'a> {
    contracts: &'a Contracts,
    found: Vec<Violation>,
}

impl Contracts {
    /// The value with defaults filled in, or all (at most 20) places that the schema refuses.
    ///
    /// # Errors
    /// The violations, in the order of the value.
    pub fn validate(&self, schema: &Schema, value: &Value) -> Result<Value, Vec<Violation>> {
        let mut judge = Judge { contracts: self, found: Vec::new() };
        let value = judge.value(schema, value, &mut String::new(), 0);
        if judge.found.is_empty() { Ok(value) } else { Err(judge.found) }
    }
}

impl Judge<'_> {
    fn refuse(&mut self, pointer: &str, message: impl Into<String>) {
        if self.found.len() < MOST {
            self.found.push(Violation { pointer: pointer.to_owned(), message: message.into() });
        }
    }

    fn value(&mut self, schema: &Schema, value: &Value, at: &mut String, depth: usize) -> Value {
        if let (Some(name), Value::Text(text)) = (&schema.reference, value)
            && let Err(problem) = mortise_types::judge_text(name, text)
        {
            self.refuse(at, problem);
        }
        let Some(schema) = self.contracts.resolve(schema) else {
            self.refuse(at, "the schema names a type that nothing declares");
            return Value::Null;
        };
        if depth > DEPTH {
            self.refuse(at, format!("nested deeper than {DEPTH} levels"));
            return Value::Null;
        }
        if let Some(constant) = &schema.constant
            && constant != value
        {
            self.refuse(at, format!("has to be {}", constant.to_json()));
        }
        if !schema.allowed.is_empty() && !schema.allowed.contains(value) {
            let words: Vec<String> = schema.allowed.iter().map(Value::to_json).collect();
            self.refuse(at, format!("has to be one of {}", words.join(", ")));
            return value.clone();
        }
        let Some(types) = &schema.types else {
            return value.clone();
        };
        match (types.main(), value) {
            (_, Value::Null) if types.nullable() => Value::Null,
            (Some(Type::Object), Value::Record(record)) => self.record(schema, record, at, depth),
            (Some(Type::Array), Value::List(items)) => self.list(schema, items, at, depth),
            (Some(Type::String), Value::Text(text)) => {
                if schema.format.as_deref() == Some("date-time")
                    && chrono::DateTime::parse_from_rfc3339(text).is_err()
                {
                    self.refuse(at, "has to be a moment in RFC 3339, such as 2027-01-31T12:00:00Z");
                }
                value.clone()
            }
            (Some(Type::Integer), Value::Int(int)) => {
                self.bounds(schema, *int, at);
                value.clone()
            }
            (Some(Type::Number), Value::Int(_) | Value::Float(_)) => value.clone(),
            (Some(Type::Boolean), Value::Bool(_)) => value.clone(),
            (Some(wanted), other) => {
                self.refuse(at, format!("has to be {}, is {}", wanted.name(), other.kind()));
                Value::Null
            }
            (None, _) => value.clone(),
        }
    }

    fn bounds(&mut self, schema: &Schema, int: i64, at: &str) {
        if let Some(least) = schema.minimum.filter(|least| int < *least) {
            self.refuse(at, format!("has to be at least {least}, is {int}"));
        }
        if let Some(most) = schema.maximum.filter(|most| int > *most) {
            self.refuse(at, format!("has to be at most {most}, is {int}"));
        }
    }

    fn list(&mut self, schema: &Schema, items: &[Value], at: &mut String, depth: usize) -> Value {
        let count = items.len() as u64;
        if let Some(least) = schema.min_items.filter(|least| count < *least) {
            self.refuse(at, format!("has to have at least {least} elements, has {count}"));
        }
        if let Some(most) = schema.max_items.filter(|most| count > *most) {
            self.refuse(at, format!("may have at most {most} elements, has {count}"));
            return Value::Null;
        }
        let Some(inner) = &schema.items else {
            return Value::List(Arc::new(items.to_vec()));
        };
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let value =
                self.within(at, &index.to_string(), |judge, at| judge.value(inner, item, at, depth + 1));
            out.push(value);
        }
        Value::List(Arc::new(out))
    }

    fn record(&mut self, schema: &Schema, record: &Record, at: &mut String, depth: usize) -> Value {
        let mut out = Record::with_capacity(record.len());
        for (name, value) in record.iter() {
            let judged = self.within(at, name, |judge, at| {
                match (schema.properties.get(name.as_str()), &schema.additional_properties) {
                    (Some(inner), _) => Some(judge.value(inner, value, at, depth + 1)),
                    (None, Some(Additional::Of(inner))) => Some(judge.value(inner, value, at, depth + 1)),
                    (None, Some(Additional::Allowed(true))) => Some(value.clone()),
                    (None, None | Some(Additional::Allowed(false))) => {
                        let known: Vec<&str> = schema.properties.keys().map(String::as_str).collect();
                        judge.refuse(at, format!("is not a field here; known are {}", known.join(", ")));
                        None
                    }
                }
            });
            if let Some(value) = judged {
                out.insert(name.clone(), value);
            }
        }
        for (name, inner) in &schema.properties {
            if record.get(name).is_some() {
                continue;
            }
            if let Some(default) = &inner.default {
                out.insert(name.as_str(), default.clone());
            } else if schema.required.contains(name) {
                self.within(at, name, |judge, at| judge.refuse(at, "is missing"));
            }
        }
        Value::Record(Arc::new(out))
    }

    fn within<T>(
        &mut self,
        at: &mut String,
        step: &str,
        judge: impl FnOnce(&mut Self, &mut String) -> T,
    ) -> T {
        let length = at.len();
        at.push('/');
        for letter in step.chars() {
            match letter {
                '~' => at.push_str("~0"),
                '/' => at.push_str("~1"),
                letter => at.push(letter),
            }
        }
        let out = judge(self, at);
        at.truncate(length);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(schema: &str, value: &str) -> Result<String, Vec<(String, String)>> {
        let contracts = Contracts::default();
        let schema: Schema = serde_json::from_str(schema).unwrap();
        let value: Value = serde_json::from_str(value).unwrap();
        contracts
            .validate(&schema, &value)
            .map(|v| v.to_json())
            .map_err(|all| all.into_iter().map(|v| (v.pointer, v.message)).collect())
    }

    const BASKET: &str = r#"{"type":"object","required":["lines"],"properties":{
        "lines":{"type":"array","minItems":1,"maxItems":2,"items":{"type":"object","required":["sku"],"properties":{"sku":{"type":"string"},"quantity":{"type":"integer","minimum":1}}}},
        "coupons":{"type":"array","items":{"type":"string"},"default":[]}}}"#;

    #[test]
    fn defaults_are_filled_in() {
        assert_eq!(
            judge(BASKET, r#"{"lines":[{"sku":"a"}]}"#).unwrap(),
            r#"{"lines":[{"sku":"a"}],"coupons":[]}"#
        );
    }

    #[test]
    fn a_named_text_is_held_to_its_type() {
        let mut contracts = Contracts::default();
        contracts.types.insert("pricing/Currency".to_owned(), Schema::of(Type::String));
        let violations =
            contracts.validate(&Schema::reference("pricing/Currency"), &Value::from("XXQ")).unwrap_err();
        assert_eq!(violations.len(), 1);
        assert!(violations[0].message.contains("XXQ"), "{violations:?}");
    }

    #[test]
    fn every_violation_names_its_place() {
        let found = judge(BASKET, r#"{"lines":[{"sku":1,"quantity":0,"a/b":2},{}],"x":1}"#).unwrap_err();
        let places: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(places, ["/lines/0/sku", "/lines/0/quantity", "/lines/0/a~1b", "/lines/1/sku", "/x"]);
        assert_eq!(found[0].1, "has to be string, is an integer");
        assert_eq!(
            judge(BASKET, r#"{"lines":[]}"#).unwrap_err()[0].1,
            "has to have at least 1 elements, has 0"
        );
        assert_eq!(judge(BASKET, "7").unwrap_err()[0].0, "");
    }
}
