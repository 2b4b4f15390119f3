//! Amounts as a server takes them: in a file they are minor units beside a `currency`, over HTTP each says its own.

use mortise_contract::{Contracts, Schema, Unit, Value};

/// An amount of which nothing says the currency.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CurrencyMissing;

/// The value with every amount as `{amount, currency}`; the nearest record's `currency` counts, else `currency`.
pub(super) fn wrap(
    value: &Value,
    schema: &Schema,
    contracts: &Contracts,
    currency: Option<&str>,
) -> Result<Value, CurrencyMissing> {
    let schema = contracts.resolve(schema).unwrap_or(schema);
    match value {
        Value::Int(_) if schema.unit == Some(Unit::Money) => {
            let currency = currency.ok_or(CurrencyMissing)?;
            Ok(Value::record([("amount", value.clone()), ("currency", Value::from(currency))]))
        }
        Value::List(items) => match &schema.items {
            Some(of) => {
                let items: Result<Vec<Value>, _> =
                    items.iter().map(|item| wrap(item, of, contracts, currency)).collect();
                Ok(Value::list(items?))
            }
            None => Ok(value.clone()),
        },
        Value::Record(record) => {
            let currency = record.get("currency").and_then(Value::as_str).or(currency);
            let fields = record.iter().map(|(name, field)| {
                let wrapped = match schema.properties.get(name.as_str()) {
                    Some(schema) => wrap(field, schema, contracts, currency)?,
                    None => field.clone(),
                };
                Ok((name.as_str(), wrapped))
            });
            Ok(Value::record(fields.collect::<Result<Vec<_>, _>>()?))
        }
        plain => Ok(plain.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_say_the_nearest_currency() {
        let schema: Schema = serde_json::from_str(
            r#"{"type": "object", "properties": {"amount": {"type": "integer", "x-unit": "money"}, "per": {"type": "integer"},
                "currency": {"type": "string"}, "tiers": {"type": "array", "items": {"type": "integer", "x-unit": "money"}}}}"#,
        )
        .unwrap();
        let wrapped = |text: &str, currency: Option<&str>| {
            let value = mortise_contract::json(text).unwrap();
            wrap(&value, &schema, &Contracts::default(), currency).map(|value| value.to_json())
        };
        assert_eq!(
            wrapped(r#"{"amount":500,"per":3,"currency":"USD","tiers":[1]}"#, Some("EUR")).unwrap(),
            r#"{"amount":{"amount":500,"currency":"USD"},"per":3,"currency":"USD","tiers":[{"amount":1,"currency":"USD"}]}"#
        );
        assert_eq!(
            wrapped(r#"{"amount":5}"#, Some("EUR")).unwrap(),
            r#"{"amount":{"amount":5,"currency":"EUR"}}"#
        );
        assert_eq!(wrapped(r#"{"amount":5}"#, None), Err(CurrencyMissing));
        assert_eq!(wrapped(r#"{"per":5}"#, None).unwrap(), r#"{"per":5}"#);
    }
}
