//! A query string as the input of an operation, by the operation's schema: text, whole numbers, booleans, and lists of
//! them by repeating the name. What needs more structure is sent as JSON.

use axum::extract::Query;
use axum::http::Uri;
use mortise_contract::{Contracts, Record, Schema, Type, Unit, Value};
use mortise_fault::{Fault, codes};

use crate::money::not_in_a_query;
use crate::problem::{FieldError, Problem};

/// Names in a query at most.
const NAMES_MAX: usize = 200;

/// The input that a query string stands for. Names that the schema does not have are left as text, for it to refuse.
///
/// # Errors
/// A value of another type, a name that stands twice without being a list's, a field that takes JSON.
pub(crate) fn input(uri: &Uri, contracts: &Contracts, schema: &Schema) -> Result<Value, Problem> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Fault::invalid_input("", "The query string cannot be read."))?;
    let Query(pairs) = pairs;
    if pairs.len() > NAMES_MAX {
        return Err(Fault::invalid_input("", format!("A query string has at most {NAMES_MAX} names.")).into());
    }
    let mut record = Record::with_capacity(pairs.len());
    let mut errors = Vec::new();
    for (name, text) in pairs {
        let field = schema.properties.get(&name).and_then(|field| contracts.resolve(field));
        let list_of =
            field.and_then(|field| field.items.as_deref()).and_then(|items| contracts.resolve(items));
        if field.is_some_and(|field| field.unit == Some(Unit::Money)) {
            return Err(not_in_a_query(&name));
        }
        let known = record.get(&name).cloned();
        let value = match (list_of.or(field), known) {
            (Some(schema), known) => scalar(schema, &text).and_then(|value| match (list_of, known) {
                (Some(_), known) => {
                    let before = known.as_ref().and_then(Value::as_list).unwrap_or_default().iter().cloned();
                    Ok(Value::list(before.chain([value])))
                }
                (None, None) => Ok(value),
                (None, Some(_)) => Err("stands twice".to_owned()),
            }),
            (None, _) => Ok(Value::from(text.as_str())),
        };
        match value {
            Ok(value) => record.insert(name, value),
            Err(detail) => errors.push(FieldError { pointer: pointer(&name), detail }),
        }
    }
    if errors.is_empty() {
        Ok(Value::Record(record.into()))
    } else {
        Err(Problem::of_fields(&codes::INVALID_INPUT, errors))
    }
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Whether a query string can say a value of this schema.
pub(crate) fn takes(contracts: &Contracts, schema: &Schema) -> bool {
    let plain = |schema: &Schema| {
        let of = schema.types.as_ref().and_then(mortise_contract::Types::main);
        schema.unit != Some(Unit::Money)
            && !matches!(of, Some(Type::Object | Type::Array | Type::Number | Type::Null))
    };
    contracts.resolve(schema).is_some_and(|schema| match &schema.items {
        Some(items) => contracts.resolve(items).is_some_and(plain),
        None => plain(schema),
    })
}

fn scalar(schema: &Schema, text: &str) -> Result<Value, String> {
    match schema.types.as_ref().and_then(mortise_contract::Types::main) {
        Some(Type::Integer) => {
            text.parse().map(Value::Int).map_err(|_| "has to be a whole number".to_owned())
        }
        Some(Type::Boolean) => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("has to be true or false".to_owned()),
        },
        Some(Type::String) | None => Ok(Value::from(text)),
        Some(Type::Object | Type::Array | Type::Number | Type::Null) => {
            Err("cannot be written in a query string: send it as JSON, with POST".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: &str = r#"{"type":"object","properties":{
        "order_id":{"type":"string"},"after":{"type":"integer"},"open":{"type":"boolean"},
        "skus":{"type":"array","items":{"type":"string"}},"total":{"type":"integer","x-unit":"money"},
        "where":{"type":"object"},"state":{"enum":["open","closed"]}}}"#;

    fn read(query: &str) -> Result<String, String> {
        let schema: Schema = serde_json::from_str(SEARCH).unwrap();
        let uri: Uri = format!("/x?{query}").parse().unwrap();
        let input = input(&uri, &Contracts::default(), &schema);
        input
            .map(|value| value.to_json())
            .map_err(|problem| problem.fault().pointer().unwrap_or_default().to_owned())
    }

    #[test]
    fn fields_are_read_by_their_schema() {
        assert_eq!(read("").unwrap(), "{}");
        assert_eq!(
            read("order_id=17&after=17&open=true&state=open").unwrap(),
            r#"{"order_id":"17","after":17,"open":true,"state":"open"}"#
        );
        assert_eq!(read("skus=a%26b&skus=c+d&skus=%E2%82%AC").unwrap(), r#"{"skus":["a&b","c d","€"]}"#);
        assert_eq!(read("colour=red").unwrap(), r#"{"colour":"red"}"#);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (query, pointer) in [
            ("after=x", "/after"),
            ("after=99999999999999999999", "/after"),
            ("open=yes", "/open"),
            ("order_id=1&order_id=2", "/order_id"),
            ("total=5", "/total"),
            ("where=x", "/where"),
        ] {
            assert_eq!(read(query).unwrap_err(), pointer, "{query}");
        }
        let many = "a=1&".repeat(300);
        assert_eq!(read(&many).unwrap_err(), "");
    }
}
