//! An example of a schema's value, for people to start from. It fits the schema, as far as a schema can say.

use serde_json::{Map, Value as Json, json};

/// An example of a schema of `document`: what has to be there, and nothing else.
pub(super) fn of(document: &Json, schema: &Json) -> Json {
    Sampler { document, open: Vec::new() }.sample(schema, "").unwrap_or_default()
}

struct Sampler<'d> {
    document: &'d Json,
    /// The types that the example is in the middle of.
    open: Vec<&'d str>,
}

impl<'d> Sampler<'d> {
    /// None where a type would have to hold itself.
    fn sample(&mut self, schema: &'d Json, name: &str) -> Option<Json> {
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            return self.referred(reference);
        }
        for word in ["default", "const"] {
            if let Some(value) = schema.get(word) {
                return Some(value.clone());
            }
        }
        let list = |word: &str| schema.get(word).and_then(Json::as_array).map(Vec::as_slice);
        if let Some(first) = list("enum").and_then(<[Json]>::first) {
            return Some(first.clone());
        }
        if let Some(ways) = list("anyOf") {
            return ways.iter().find_map(|way| self.sample(way, name));
        }
        let of = match schema.get("type") {
            Some(Json::Array(types)) => types.first().and_then(Json::as_str),
            other => other.and_then(Json::as_str),
        };
        Some(match of {
            Some("object") => self.record(schema)?,
            Some("array") => {
                let item = schema.get("items").and_then(|items| self.sample(items, name));
                Json::Array(item.into_iter().collect())
            }
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
            Some("boolean") => json!(true),
            Some("string") => text(schema, name),
            _ => Json::Null,
        })
    }

    fn referred(&mut self, reference: &'d str) -> Option<Json> {
        if reference.ends_with("/Money") {
            return Some(json!({ "amount": 1299, "currency": "EUR" }));
        }
        if self.open.contains(&reference) {
            return None;
        }
        let target = self.document.pointer(reference.trim_start_matches('#'))?;
        self.open.push(reference);
        let sample = self.sample(target, reference.rsplit(['/', '.']).next().unwrap_or_default());
        self.open.pop();
        sample
    }

    fn record(&mut self, schema: &'d Json) -> Option<Json> {
        let required =
            schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let mut map = Map::new();
        for name in required {
            if let Some(field) = schema.get("properties").and_then(|properties| properties.get(name)) {
                map.insert(name.to_owned(), self.sample(field, name)?);
            }
        }
        Some(Json::Object(map))
    }
}

fn text(schema: &Json, name: &str) -> Json {
    if schema.get("format").and_then(Json::as_str) == Some("date-time") {
        return json!("2027-01-31T12:00:00Z");
    }
    match name {
        "Currency" | "currency" => json!("EUR"),
        "CountryCode" | "country" => json!("DE"),
        "" => json!("text"),
        _ => json!(format!("{}-1", name.to_ascii_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_what_has_to_be_there() {
        let document = json!({ "components": { "schemas": {
            "order.OrderId": { "type": "string" },
            "order.Tree": { "type": "object", "required": ["name", "branches"], "properties": {
                "name": { "type": "string" },
                "branches": { "type": "array", "items": { "$ref": "#/components/schemas/order.Tree" } },
            } },
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
        // A type that holds itself ends where it may.
        let tree = json!({ "$ref": "#/components/schemas/order.Tree" });
        assert_eq!(of(&document, &tree), json!({ "name": "name-1", "branches": [] }));
    }
}
