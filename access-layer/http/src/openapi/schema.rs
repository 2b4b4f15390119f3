//! Contract schemas as OpenAPI 3.1 schemas: names become components, amounts become money, closed records say so.

use std::collections::BTreeSet;

use mortise_contract::{Contracts, Schema};
use serde_json::{Map, Value as Json, json};

/// Where components stand.
const COMPONENTS: &str = "#/components/schemas/";
/// The component that every amount is.
const MONEY: &str = "Money";

/// A schema as it stands in a document.
pub(super) fn written(schema: &Schema) -> Json {
    edge(serde_json::to_value(schema).unwrap_or_default())
}

/// A reference to a component.
pub(super) fn component(name: &str) -> Json {
    json!({ "$ref": format!("{COMPONENTS}{name}") })
}

fn edge(schema: Json) -> Json {
    let Json::Object(mut map) = schema else { return schema };
    if let Some(name) = map.get("$ref").and_then(Json::as_str) {
        let name = format!("{COMPONENTS}{}", component_name(name));
        map.insert("$ref".into(), name.into());
        return Json::Object(map);
    }
    if map.get("x-unit").and_then(Json::as_str) == Some("money") {
        return money(&map);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = map.remove(key) {
            map.insert(key.into(), edge(inner));
        }
    }
    if let Some(Json::Object(properties)) = map.remove("properties") {
        let properties: Map<String, Json> =
            properties.into_iter().map(|(name, field)| (name, edge(field))).collect();
        map.insert("properties".into(), properties.into());
    }
    if map.get("type").and_then(Json::as_str) == Some("object") && !map.contains_key("additionalProperties") {
        map.insert("additionalProperties".into(), false.into());
    }
    Json::Object(map)
}

fn money(amount: &Map<String, Json>) -> Json {
    let nullable = amount.get("type").is_some_and(Json::is_array);
    let mut money = component(MONEY);
    if nullable {
        money = json!({ "anyOf": [money, { "type": "null" }] });
    }
    if let (Some(description), Json::Object(map)) = (amount.get("description"), &mut money) {
        map.insert("description".into(), description.clone());
    }
    money
}

/// `order/OrderId` is `order.OrderId`: a component's name has no slash.
fn component_name(name: &str) -> String {
    name.replace('/', ".")
}

/// All components that a document names, and those that they name.
pub(super) fn components(contracts: &Contracts, document: &Json) -> Map<String, Json> {
    let mut found = Map::new();
    let mut open = BTreeSet::new();
    collect(document, &mut open);
    open.extend([MONEY.to_owned(), "Problem".to_owned(), "Running".to_owned()]);
    while let Some(name) = open.pop_first() {
        let schema = match name.as_str() {
            MONEY => money_component(),
            "Problem" => problem_component(),
            "Running" => running_component(),
            _ => contracts.types.get(&name.replacen('.', "/", 1)).map(written).unwrap_or_default(),
        };
        let mut inner = BTreeSet::new();
        collect(&schema, &mut inner);
        found.insert(name, schema);
        open.extend(inner.into_iter().filter(|name| !found.contains_key(name)));
    }
    found
}

fn collect(json: &Json, found: &mut BTreeSet<String>) {
    match json {
        Json::Object(map) => {
            if let Some(name) =
                map.get("$ref").and_then(Json::as_str).and_then(|name| name.strip_prefix(COMPONENTS))
            {
                found.insert(name.to_owned());
            }
            map.values().for_each(|inner| collect(inner, found));
        }
        Json::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
        _ => {}
    }
}

fn money_component() -> Json {
    json!({
        "type": "object",
        "description": "An amount of money in minor units: 12.99 EUR is {\"amount\": 1299, \"currency\": \"EUR\"}.",
        "required": ["amount", "currency"],
        "properties": {
            "amount": { "type": "integer", "format": "int64", "description": "Minor units of the currency." },
            "currency": { "type": "string", "description": "ISO 4217 code.", "minLength": 3, "maxLength": 3 },
        },
        "additionalProperties": false,
    })
}

fn running_component() -> Json {
    json!({
        "type": "object",
        "description": "A trade that has not answered yet. Location says where to ask again.",
        "required": ["trade", "status"],
        "properties": { "trade": { "type": "string" }, "status": { "const": "running" } },
        "additionalProperties": false,
    })
}

fn problem_component() -> Json {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail", "trace_id"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference", "description": "A page that explains the code." },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "For programs: stable." },
            "detail": { "type": "string", "description": "What is wrong in this case." },
            "instance": { "type": "string", "format": "uri-reference", "description": "The trade that failed." },
            "reason": { "type": "string", "description": "The business code, such as out_of_stock." },
            "reason_page": { "type": "string", "format": "uri-reference", "description": "A page that explains the reason." },
            "reason_detail": { "type": "object", "description": "What the reason is about, by its code." },
            "pointer": { "type": "string", "format": "json-pointer", "description": "The place in the request." },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": { "type": "string", "format": "json-pointer" },
                        "detail": { "type": "string" },
                    },
                },
            },
            "trace_id": { "type": "string" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_components_and_amounts_money() {
        let schema: Schema = serde_json::from_str(
            r#"{"type":"object","properties":{"id":{"$ref":"order/OrderId"},"total":{"type":"integer","x-unit":"money","description":"All of it."},
                "tip":{"type":["integer","null"],"x-unit":"money"},"lines":{"type":"array","items":{"$ref":"order/Line"}}}}"#,
        )
        .unwrap();
        let expected = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "id": { "$ref": "#/components/schemas/order.OrderId" },
                "total": { "$ref": "#/components/schemas/Money", "description": "All of it." },
                "tip": { "anyOf": [{ "$ref": "#/components/schemas/Money" }, { "type": "null" }] },
                "lines": { "type": "array", "items": { "$ref": "#/components/schemas/order.Line" } },
            },
        });
        assert_eq!(written(&schema), expected);
    }

    #[test]
    fn every_name_that_is_used_is_a_component() {
        let contracts: Contracts = serde_json::from_str(
            r#"{"types":{"order/Line":{"type":"object","properties":{"sku":{"$ref":"order/Sku"},"next":{"$ref":"order/Line"}}},
                "order/Sku":{"type":"string"},"order/Unused":{"type":"string"}}}"#,
        )
        .unwrap();
        let found = components(&contracts, &json!({ "$ref": "#/components/schemas/order.Line" }));
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            ["Money", "Problem", "Running", "order.Line", "order.Sku"]
        );
    }
}
