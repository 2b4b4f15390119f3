//! An example of a schema's value, for people to start from. It fits the schema, as far as a schema can say.

use serde_json::{Map, Value as Json, json};

/// How deep an example goes into types that hold themselves.
const DEPTH: usize = 6;

/// An example of a schema of `document`: what has to be there, and nothing else.
pub(super) fn of(document: &Json, schema: &Json) -> Json {
    sample(document, schema, "", 0)
}

fn sample(document: &Json, schema: &Json, name: &str, depth: usize) -> Json {
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        if reference.ends_with("/Money") {
            return json!({ "amount": 1299, "currency": "EUR" });
        }
        let named = reference.rsplit(['/', '.']).next().unwrap_or(name).to_owned();
        return match document.pointer(reference.trim_start_matches('#')) {
            Some(target) if depth < DEPTH => sample(document, target, &named, depth + 1),
            _ => Json::Null,
        };
    }
    for word in ["default", "const"] {
        if let Some(value) = schema.get(word) {
            return value.clone();
        }
    }
    if let Some(first) = schema.get("enum").and_then(Json::as_array).and_then(|values| values.first()) {
        return first.clone();
    }
    let of = match schema.get("type") {
        Some(Json::Array(types)) => types.first().and_then(Json::as_str),
        other => other.and_then(Json::as_str),
    };
    match of {
        Some("object") => record(document, schema, depth),
        Some("array") => {
            let items = schema.get("items").filter(|_| depth < DEPTH);
            items.map_or_else(|| json!([]), |items| json!([sample(document, items, name, depth + 1)]))
        }
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        Some("string") if schema.get("format").and_then(Json::as_str) == Some("date-time") => {
            json!("2027-01-31T12:00:00Z")
        }
        Some("string") => match name {
            "Currency" | "currency" => json!("EUR"),
            "CountryCode" | "country" => json!("DE"),
            "" => json!("text"),
            _ => json!(format!("{}-1", name.to_ascii_lowercase())),
        },
        _ => Json::Null,
    }
}

fn record(document: &Json, schema: &Json, depth: usize) -> Json {
    let required =
        schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    let mut map = Map::new();
    for name in required {
        if let Some(field) = schema.get("properties").and_then(|properties| properties.get(name))
            && depth < DEPTH
        {
            map.insert(name.to_owned(), sample(document, field, name, depth + 1));
        }
    }
    Json::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_what_has_to_be_there() {
        let document = json!({ "components": { "schemas": {
            "order.OrderId": { "type": "string" },
            "order.Node": { "type": "object", "required": ["next"], "properties": { "next": { "$ref": "#/components/schemas/order.Node" } } },
        } } });
        let schema = json!({
            "type": "object",
            "required": ["id", "lines", "pay_by", "total"],
            "properties": {
                "id": { "$ref": "#/components/schemas/order.OrderId" },
                "lines": { "type": "array", "items": { "type": "object", "required": ["n"], "properties": { "n": { "type": "integer", "minimum": 3 } } } },
                "pay_by": { "enum": ["invoice", "provider"] },
                "total": { "$ref": "#/components/schemas/Money" },
                "note": { "type": "string" },
            },
        });
        assert_eq!(
            of(&document, &schema),
            json!({ "id": "orderid-1", "lines": [{ "n": 3 }], "pay_by": "invoice", "total": { "amount": 1299, "currency": "EUR" } })
        );
        // A type that holds itself ends somewhere.
        of(&document, &json!({ "$ref": "#/components/schemas/order.Node" }));
    }
}
