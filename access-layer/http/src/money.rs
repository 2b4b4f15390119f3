//! Money at the edge is `{amount, currency}`, inside it is the amount alone: unwrapped and checked on the way in, wrapped
//! on the way out. An amount's currency is said by the nearest record around it that has one, else by the trade.

use std::sync::Arc;

use mortise_contract::{Text, Value};
use mortise_fault::{Fault, codes};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::problem::{FieldError, Problem};
use crate::shapes::{Node, NodeNo, Shapes};

/// Errors that are collected at most.
const ERRORS_MAX: usize = 20;

/// Turns every `{amount, currency}` into its amount. `currency` is the trade's; where it is not known nothing is compared.
///
/// # Errors
/// `invalid-input` where an amount has another form, `currency-mismatch` where it is of another currency.
pub(crate) fn unwrap(value: &mut Value, shapes: &Shapes, currency: Option<&str>) -> Result<(), Problem> {
    let Some(root) = shapes.root() else { return Ok(()) };
    let mut unwrapping =
        Unwrapping { shapes, pointer: String::new(), form: Vec::new(), mismatch: Vec::new() };
    unwrapping.value(value, root, currency.map(Text::from).as_ref());
    let Unwrapping { form, mismatch, .. } = unwrapping;
    let (code, errors) = match (form.is_empty(), mismatch.is_empty()) {
        (false, _) => (&codes::INVALID_INPUT, form),
        (true, false) => (&codes::CURRENCY_MISMATCH, mismatch),
        (true, true) => return Ok(()),
    };
    Err(Problem::of_fields(code, errors))
}

struct Unwrapping<'a> {
    shapes: &'a Shapes,
    pointer: String,
    form: Vec<FieldError>,
    mismatch: Vec<FieldError>,
}

impl Unwrapping<'_> {
    fn value(&mut self, value: &mut Value, node: NodeNo, currency: Option<&Text>) {
        let shapes = self.shapes;
        match (shapes.node(node), value) {
            (Node::Money, value) => self.amount(value, currency),
            (Node::List(item), Value::List(items)) => {
                for (index, inner) in Arc::make_mut(items).iter_mut().enumerate() {
                    self.within(&index.to_string(), |this| this.value(inner, *item, currency));
                }
            }
            (Node::Record { currency: says, .. }, Value::Record(record)) => {
                let nearer = says.as_deref().and_then(|name| match record.get(name) {
                    Some(Value::Text(text)) => Some(text.clone()),
                    _ => None,
                });
                let currency = nearer.as_ref().or(currency);
                for (name, inner) in Arc::make_mut(record).iter_mut() {
                    if let Some(node) = shapes.field(node, name) {
                        self.within(name, |this| this.value(inner, node, currency));
                    }
                }
            }
            // What is no list or record where one is asked for is the schema's to refuse.
            _ => {}
        }
    }

    fn amount(&mut self, value: &mut Value, currency: Option<&Text>) {
        let found = match &*value {
            Value::Null => return,
            Value::Record(record) if record.len() == 2 => record.get("amount").zip(record.get("currency")),
            _ => None,
        };
        let (amount, theirs) = match found {
            Some((Value::Int(amount), Value::Text(theirs))) => (*amount, theirs.clone()),
            _ => {
                let detail =
                    "has to be money: {\"amount\": a whole number of minor units, \"currency\": its code}";
                push(&mut self.form, &self.pointer, detail.to_owned());
                return;
            }
        };
        if let Some(ours) = currency.filter(|ours| **ours != theirs) {
            push(&mut self.mismatch, &self.pointer, format!("has to be in {ours}, is in {}", shown(&theirs)));
        }
        *value = Value::Int(amount);
    }

    fn within(&mut self, step: &str, inner: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        inner(self);
        self.pointer.truncate(length);
    }
}

fn push(errors: &mut Vec<FieldError>, pointer: &str, detail: String) {
    if errors.len() < ERRORS_MAX {
        errors.push(FieldError { pointer: pointer.to_owned(), detail });
    }
}

/// A caller's text is not sent back at any length.
fn shown(text: &str) -> String {
    text.chars().take(16).collect()
}

/// A value that is written as JSON with its amounts wrapped; nothing of it is copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wrapped<'a> {
    pub(crate) value: &'a Value,
    pub(crate) shapes: &'a Shapes,
    pub(crate) node: Option<NodeNo>,
    pub(crate) currency: &'a str,
}

impl<'a> Wrapped<'a> {
    /// A whole value.
    pub(crate) fn new(value: &'a Value, shapes: &'a Shapes, currency: &'a str) -> Self {
        Self { value, shapes, node: shapes.root(), currency }
    }

    /// As JSON.
    pub(crate) fn to_json(self) -> Vec<u8> {
        // Writing to memory does not fail, and a value has no maps with other keys than text.
        serde_json::to_vec(&self).unwrap_or_default()
    }

    /// A part of this value, with the currency that holds there.
    pub(crate) fn part(self, value: &'a Value, node: Option<NodeNo>) -> Self {
        Self { value, node, currency: self.nearest_currency(), ..self }
    }

    fn nearest_currency(self) -> &'a str {
        match self.node.map(|node| self.shapes.node(node)) {
            Some(Node::Record { currency: Some(name), .. }) => {
                self.value.get(name).and_then(Value::as_str).unwrap_or(self.currency)
            }
            _ => self.currency,
        }
    }
}

impl Serialize for Wrapped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(node) = self.node else { return self.value.serialize(serializer) };
        match (self.shapes.node(node), self.value) {
            (Node::Money, Value::Int(amount)) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("amount", amount)?;
                map.serialize_entry("currency", self.currency)?;
                map.end()
            }
            (Node::List(item), Value::List(items)) => {
                serializer.collect_seq(items.iter().map(|value| self.part(value, Some(*item))))
            }
            (Node::Record { .. }, Value::Record(record)) => {
                let mut map = serializer.serialize_map(Some(record.len()))?;
                for (name, value) in record.iter() {
                    map.serialize_entry(name.as_str(), &self.part(value, self.shapes.field(node, name)))?;
                }
                map.end()
            }
            (_, value) => value.serialize(serializer),
        }
    }
}

/// The problem of an amount in a query string, where it cannot be written.
pub(crate) fn not_in_a_query(name: &str) -> Problem {
    Fault::invalid_input(format!("/{name}"), "An amount of money is sent as JSON, with POST.").into()
}

#[cfg(test)]
mod tests {
    use mortise_contract::{Contracts, Schema};
    use proptest::prelude::*;

    use super::*;

    const ORDER: &str = r#"{"type":"object","properties":{
        "total":{"type":"integer","x-unit":"money"},
        "tip":{"type":["integer","null"],"x-unit":"money"},
        "count":{"type":"integer"},
        "lines":{"type":"array","items":{"type":"object","properties":{"price":{"type":"integer","x-unit":"money"}}}},
        "foreign":{"type":"object","properties":{"currency":{"$ref":"pricing/Currency"},"fee":{"type":"integer","x-unit":"money"}}},
        "by_name":{"type":"object","additionalProperties":{"type":"integer","x-unit":"money"}}}}"#;

    fn shapes() -> Shapes {
        let schema: Schema = serde_json::from_str(ORDER).unwrap();
        Shapes::of(&Contracts::default(), &schema)
    }

    fn unwrapped(json: &str) -> Result<String, (String, Vec<(String, String)>)> {
        let mut value = mortise_contract::json(json).unwrap();
        unwrap(&mut value, &shapes(), Some("EUR")).map(|()| value.to_json()).map_err(|problem| {
            let errors = problem.errors().iter().map(|error| (error.pointer.clone(), error.detail.clone()));
            (problem.fault().code().code.to_owned(), errors.collect())
        })
    }

    #[test]
    fn amounts_come_out_as_they_went_in() {
        let outside = r#"{"total":{"amount":1299,"currency":"EUR"},"tip":null,"count":2,"lines":[{"price":{"amount":5,"currency":"EUR"}}],"foreign":{"currency":"USD","fee":{"amount":-7,"currency":"USD"}},"by_name":{"a/b":{"amount":1,"currency":"EUR"}}}"#;
        let inside = r#"{"total":1299,"tip":null,"count":2,"lines":[{"price":5}],"foreign":{"currency":"USD","fee":-7},"by_name":{"a/b":1}}"#;
        assert_eq!(unwrapped(outside).unwrap(), inside);
        let value = mortise_contract::json(inside).unwrap();
        let (shapes, text) = (shapes(), outside.as_bytes());
        assert_eq!(Wrapped::new(&value, &shapes, "EUR").to_json(), text);
    }

    #[test]
    fn another_currency_is_refused_with_its_place() {
        let (code, errors) = unwrapped(
            r#"{"total":{"amount":1,"currency":"USD"},"lines":[{"price":{"amount":5,"currency":"EUR"}},{"price":{"amount":5,"currency":"CHF"}}]}"#,
        )
        .unwrap_err();
        assert_eq!(code, "currency-mismatch");
        let places: Vec<&str> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(places, ["/total", "/lines/1/price"]);
        assert_eq!(errors[0].1, "has to be in EUR, is in USD");
    }

    #[test]
    fn what_is_no_money_is_refused_with_its_place() {
        for wrong in
            ["12", "12.99", r#""12""#, "{}", r#"{"amount":1}"#, r#"{"amount":1.5,"currency":"EUR"}"#, "[1]"]
        {
            let (code, errors) = unwrapped(&format!(r#"{{"by_name":{{"a/b":{wrong}}}}}"#)).unwrap_err();
            assert_eq!((code.as_str(), errors[0].0.as_str()), ("invalid-input", "/by_name/a~1b"), "{wrong}");
        }
    }

    #[test]
    fn another_shape_is_left_to_the_schema() {
        assert_eq!(
            unwrapped(r#"{"lines":7,"total":null,"unknown":[]}"#).unwrap(),
            r#"{"lines":7,"total":null,"unknown":[]}"#
        );
        assert_eq!(unwrapped("[]").unwrap(), "[]");
    }

    proptest! {
        #[test]
        fn any_amount_comes_out_as_it_went_in(total: i64, fee: i64, prices in prop::collection::vec(any::<i64>(), 0..4)) {
            let inside = Value::record([
                ("total", Value::Int(total)),
                ("lines", Value::list(prices.iter().map(|price| Value::record([("price", Value::Int(*price))])))),
                ("foreign", Value::record([("currency", Value::from("USD")), ("fee", Value::Int(fee))])),
            ]);
            let shapes = shapes();
            let outside = Wrapped::new(&inside, &shapes, "EUR").to_json();
            let mut value: Value = serde_json::from_slice(&outside).unwrap();
            prop_assert_ne!(&value, &inside);
            prop_assert!(unwrap(&mut value, &shapes, Some("EUR")).is_ok());
            prop_assert_eq!(value, inside);
        }

        #[test]
        fn anything_at_all_is_unwrapped_or_refused(text in "[{}\\[\\]\",:a-z0-9]{0,60}") {
            if let Ok(mut value) = mortise_contract::json(&text) {
                let _ = unwrap(&mut value, &shapes(), Some("EUR"));
            }
        }
    }
}
