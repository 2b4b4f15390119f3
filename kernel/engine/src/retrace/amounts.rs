//! What a value says of money and of held things, by its contract: the engine knows neither payments nor stock.

use mortise_contract::{Contracts, Schema, Unit, Value};

/// Amounts that a value shows at most.
const SHOWN: usize = 4;

/// The fields that are money, outermost first: `amount`, `total.payable`. Lists are left out: their sum stands beside them.
pub(super) fn money(contracts: &Contracts, schema: &Schema, value: &Value) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    collect(contracts, schema, value, "", 0, &mut found);
    found.truncate(SHOWN);
    found
}

fn collect(
    contracts: &Contracts,
    schema: &Schema,
    value: &Value,
    path: &str,
    depth: u32,
    found: &mut Vec<(String, i64)>,
) {
    let (Some(schema), Some(record)) = (contracts.resolve(schema), value.as_record()) else { return };
    let mut deeper = Vec::new();
    for (name, value) in record.iter() {
        let Some(field) = schema.properties.get(name.as_str()).and_then(|field| contracts.resolve(field))
        else {
            continue;
        };
        let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
        match value {
            Value::Int(minor) if field.unit == Some(Unit::Money) => found.push((path, *minor)),
            Value::Record(_) if depth < 1 => deeper.push((field, value, path)),
            _ => {}
        }
    }
    for (field, value, path) in deeper {
        collect(contracts, field, value, &path, depth + 1, found);
    }
}

/// The values under a handle's path, `reservation` or `shares[].share`, as text.
pub(super) fn handles(value: &Value, path: &str) -> Vec<String> {
    let mut values = vec![value];
    for part in path.split('.') {
        let (name, through) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        let mut next = Vec::new();
        for value in values {
            match value.get(name) {
                Some(Value::List(items)) if through => next.extend(items.iter()),
                Some(found) => next.push(found),
                None => {}
            }
        }
        values = next;
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_json(), ToOwned::to_owned);
    values.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        mortise_contract::json(text).expect("JSON")
    }

    #[test]
    fn money_is_found_by_its_unit() {
        let schema: Schema = serde_json::from_str(
            r#"{"type": "object", "properties": {
                "amount": {"type": "integer", "x-unit": "money"}, "count": {"type": "integer", "x-unit": "count"},
                "total": {"type": "object", "properties": {"payable": {"type": "integer", "x-unit": "money"}}}}}"#,
        )
        .expect("a schema");
        let value = json(r#"{"total": {"payable": 250}, "amount": 199, "count": 7, "other": 3}"#);
        let found = money(&Contracts::default(), &schema, &value);
        assert_eq!(found, [("amount".to_owned(), 199), ("total.payable".to_owned(), 250)]);
    }

    #[test]
    fn a_handle_may_lie_in_a_list() {
        let value = json(r#"{"shares": [{"share": "a"}, {"share": "b"}, {}], "hold": 7}"#);
        assert_eq!(handles(&value, "shares[].share"), ["a", "b"]);
        assert_eq!(handles(&value, "hold"), ["7"]);
        assert!(handles(&value, "nothing.there").is_empty());
    }
}
