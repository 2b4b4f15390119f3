//! Random contracts: operations of all effects, with and without undo, triples, rejections and optional fields.

use mortise_contract::Contracts;
use serde_json::{Map, Value as Json, json};

use crate::choices::Choices;

/// Fields of inputs and outputs: a number, a text, a list of numbers, a record with a number.
const FIELDS: [&str; 4] = ["n", "t", "l", "r"];

fn field(name: &str, choices: &mut Choices<'_>) -> Json {
    match name {
        "n" => match choices.below(3) {
            0 => json!({"type": "integer"}),
            1 => json!({"type": "integer", "minimum": 1, "maximum": 5}),
            _ => json!({"type": "integer", "minimum": -2, "maximum": 3}),
        },
        "t" => json!({"type": "string"}),
        "l" => {
            json!({"type": "array", "minItems": choices.below(2), "maxItems": 3, "items": {"type": "integer"}})
        }
        _ => {
            let required: &[&str] = if choices.once_in(2) { &["x"] } else { &[] };
            json!({"type": "object", "required": required, "additionalProperties": false,
                   "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}})
        }
    }
}

/// A closed object of some of the fields.
fn object(choices: &mut Choices<'_>, least: usize) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for name in FIELDS {
        if choices.below(2) == 0 || properties.len() < least {
            properties.insert(name.to_owned(), field(name, choices));
            if !choices.once_in(3) {
                required.push(name);
            }
        }
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// What is taken: one field, of any value.
fn input(choices: &mut Choices<'_>) -> Json {
    let field = match choices.below(4) {
        0 => json!({"n": {"type": "integer"}}),
        1 => json!({"t": {"type": "string"}}),
        2 => json!({"l": {"type": "array", "maxItems": 4, "items": {"type": "integer"}}}),
        _ => json!({}),
    };
    let required: Vec<&String> = field.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    json!({"type": "object", "properties": field, "required": required, "additionalProperties": false})
}

fn rejections(choices: &mut Choices<'_>) -> Json {
    let mut all = Map::new();
    for code in ["no", "never", "late"] {
        if choices.once_in(3) {
            all.insert(code.to_owned(), object(choices, 0));
        }
    }
    Json::Object(all)
}

/// A call of `c.back` that reads what is always there.
fn back(output: &Json) -> Json {
    let always = |name: &str| output["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
    let mut with = Map::new();
    for name in ["n", "t"] {
        if always(name) {
            with.insert(name.to_owned(), json!(format!("${{ output.{name} }}")));
        }
    }
    json!({"call": "c.back", "with": with})
}

pub(crate) fn random(choices: &mut Choices<'_>) -> Contracts {
    let mut operations = Map::new();
    for number in 0..7 {
        let effect = ["pure", "read", "write", "write", "remote"][choices.below(5)];
        let output = object(choices, 1);
        let mut operation = json!({"effect": effect, "input": input(choices), "output": output,
                                   "rejections": if effect == "pure" { json!({}) } else { rejections(choices) }});
        match choices.below(5) {
            0 | 1 => operation["undo"] = back(&output),
            2 => operation["undo"] = json!("nothing"),
            3 if matches!(effect, "write" | "remote") => {
                operation["tcc"] = json!({"confirm": back(&output), "cancel": back(&output)});
                if choices.once_in(2) {
                    operation["undo"] = back(&output);
                }
            }
            _ if matches!(effect, "pure" | "read") => operation["undo"] = json!("nothing"),
            _ => {}
        }
        operations.insert(format!("c.op{number}"), operation);
    }
    let effect = if choices.once_in(2) { "write" } else { "remote" };
    let taken = json!({"type": "object", "properties": {"n": {"type": "integer"}, "t": {"type": "string"}}});
    operations.insert(
        "c.back".into(),
        json!({"effect": effect, "input": taken, "output": {"type": "object"}, "undo": "nothing"}),
    );
    let event = |choices: &mut Choices<'_>| json!({"key": {"type": "string"}, "payload": object(choices, 1)});
    let noted = json!({"key": {"type": "string"}, "key_from": "t",
                       "payload": {"type": "object", "required": ["t"], "properties": {"t": {"type": "string"}, "n": {"type": "integer"}}}});
    let flow = |choices: &mut Choices<'_>| {
        let fails: &[&str] = [&[][..], &["no"], &["no", "never"]][choices.below(3)];
        json!({"input": input(choices), "answer": object(choices, 0), "fails": fails, "undoable": choices.below(3) > 0})
    };
    let all = json!({
        "types": {}, "operations": operations,
        "events": {"c.ev0": event(choices), "c.ev1": event(choices), "c.noted": noted},
        "flows": {"sub0": flow(choices), "sub1": flow(choices)},
    });
    serde_json::from_value(all).expect("random contracts are contracts")
}
