//! Brings schemas that schemars generates into the subset of the flow language, or says why they do not fit.
//! It accepts documented enums and optional fields; it refuses unions of records.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::schema::{Additional, Schema, Type, Types};

/// A Rust type whose schema is outside of the subset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct NormaliseError {
    /// Where in the schema, as a JSON pointer.
    pub place: String,
    /// What does not fit and what would mend it.
    pub problem: String,
}

fn refuse<T>(place: &str, problem: impl Into<String>) -> Result<T, NormaliseError> {
    Err(NormaliseError {
        place: if place.is_empty() { "/".into() } else { place.into() },
        problem: problem.into(),
    })
}

/// Named schemas beneath `$defs`; a name without a capability gets `capability/` before it.
pub(crate) struct Names<'a> {
    pub(crate) capability: &'a str,
}

impl Names<'_> {
    pub(crate) fn qualify(&self, name: &str) -> String {
        if name.contains('/') { name.to_owned() } else { format!("{}/{name}", self.capability) }
    }
}

/// A schema that was written by hand, as one of the subset; names beneath `$defs` are `capability`'s.
///
/// # Errors
/// The first place that does not fit.
pub fn foreign_schema(json: &Json, capability: &str) -> Result<Schema, NormaliseError> {
    normalise(json, &Names { capability }, "")
}

/// One generated schema as a schema of the subset.
pub(crate) fn normalise(json: &Json, names: &Names<'_>, place: &str) -> Result<Schema, NormaliseError> {
    let Json::Object(map) = json else {
        return refuse(place, "a schema of `true` allows anything: give the field a type");
    };
    if let Some(inner) = null_or_one(map) {
        let mut schema = normalise(inner, names, place)?;
        keep_remarks(map, &mut schema);
        return Ok(schema);
    }
    if let Some(all) = map.get("allOf").and_then(Json::as_array)
        && let [one] = all.as_slice()
    {
        let mut schema = normalise(one, names, place)?;
        keep_remarks(map, &mut schema);
        return Ok(schema);
    }
    if let Some(variants) = map.get("oneOf").or_else(|| map.get("anyOf")) {
        let mut schema = documented_enum(variants, place)?;
        keep_remarks(map, &mut schema);
        return Ok(schema);
    }
    if let Some(reference) = map.get("$ref").and_then(Json::as_str) {
        let name = reference
            .trim_start_matches("#/$defs/")
            .replace("~1", "/")
            .replace("~0", "~")
            .replace("%2F", "/");
        let mut schema = Schema::reference(names.qualify(&name));
        keep_remarks(map, &mut schema);
        return Ok(schema);
    }
    plain(map, names, place)
}

/// `anyOf: [T, null]` and `type: [T, null]` of an `Option` that is left out when it is none.
fn null_or_one(map: &Map<String, Json>) -> Option<&Json> {
    let variants = map.get("anyOf")?.as_array()?;
    let is_null = |v: &&Json| v.get("type").and_then(Json::as_str) == Some("null");
    match variants.as_slice() {
        [one, null] if is_null(&null) => Some(one),
        [null, one] if is_null(&null) => Some(one),
        _ => None,
    }
}

fn documented_enum(variants: &Json, place: &str) -> Result<Schema, NormaliseError> {
    let mut schema = Schema::of(Type::String);
    let mut remarks = Vec::new();
    for variant in variants.as_array().into_iter().flatten() {
        let codes: Vec<&str> = match (variant.get("const"), variant.get("enum").and_then(Json::as_array)) {
            (Some(Json::String(code)), _) => vec![code],
            (_, Some(list)) => list.iter().filter_map(Json::as_str).collect(),
            _ => {
                return refuse(
                    place,
                    "a union of records has no place in a contract: use a record with optional fields",
                );
            }
        };
        for code in codes {
            schema.allowed.push(code.into());
            if let Some(text) = variant.get("description").and_then(Json::as_str) {
                remarks.push(format!("`{code}`: {text}"));
            }
        }
    }
    if !remarks.is_empty() {
        schema.description = Some(remarks.join("\n"));
    }
    Ok(schema)
}

fn keep_remarks(map: &Map<String, Json>, schema: &mut Schema) {
    if let Some(text) = map.get("description").and_then(Json::as_str) {
        schema.description = Some(match schema.description.take() {
            Some(inner) if schema.reference.is_none() && inner != text => format!("{text}\n{inner}"),
            _ => text.to_owned(),
        });
    }
    if let Some(default) = map.get("default").filter(|d| !d.is_null()) {
        schema.default = serde_json::from_value(default.clone()).ok();
    }
}

fn plain(map: &Map<String, Json>, names: &Names<'_>, place: &str) -> Result<Schema, NormaliseError> {
    let mut schema = Schema::default();
    let mut properties: BTreeMap<String, Schema> = BTreeMap::new();
    for (key, value) in map {
        match key.as_str() {
            "$schema" | "title" | "description" | "default" | "examples" | "minLength" | "maxLength"
            | "pattern" | "uniqueItems" | "deprecated" | "$defs" => {}
            "type" => schema.types = Some(types(value, place)?),
            "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    properties.insert(name.clone(), normalise(inner, names, &format!("{place}/{name}"))?);
                }
            }
            "required" => {
                schema.required = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                    .map(str::to_owned)
                    .collect();
            }
            "additionalProperties" => {
                schema.additional_properties = Some(match value {
                    Json::Bool(bool) => Additional::Allowed(*bool),
                    other => Additional::Of(Box::new(normalise(other, names, &format!("{place}/*"))?)),
                });
            }
            "items" => schema.items = Some(Box::new(normalise(value, names, &format!("{place}/[]"))?)),
            "minItems" => schema.min_items = value.as_u64(),
            "maxItems" => schema.max_items = value.as_u64(),
            "enum" => {
                schema.allowed =
                    serde_json::from_value(value.clone()).or_else(|_| refuse(place, "an odd enum"))?;
                schema.allowed.retain(|v| *v != crate::value::Value::Null);
            }
            "const" => schema.constant = serde_json::from_value(value.clone()).ok(),
            "format" => schema.format = value.as_str().filter(|f| *f == "date-time").map(str::to_owned),
            "minimum" => schema.minimum = whole(value),
            "maximum" => schema.maximum = whole(value),
            "x-unit" => {
                schema.unit = Some(
                    serde_json::from_value(value.clone())
                        .or_else(|_| refuse(place, format!("{value} is not a unit")))?,
                );
            }
            other => return refuse(place, format!("`{other}` is outside of the subset of contracts")),
        }
    }
    schema.properties = properties;
    keep_remarks(map, &mut schema);
    if schema.types.is_none() && schema.allowed.is_empty() && schema.constant.is_none() {
        return refuse(place, "a schema without a type allows anything: give the field a type");
    }
    Ok(schema)
}

fn whole(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64))
}

/// Nulls are dropped: an `Option` of ours is left out, never null.
fn types(value: &Json, place: &str) -> Result<Types, NormaliseError> {
    let words: Vec<Json> = match value {
        Json::Array(several) => several.iter().filter(|t| t.as_str() != Some("null")).cloned().collect(),
        one => vec![one.clone()],
    };
    match words.as_slice() {
        [one] => {
            let one = serde_json::from_value(one.clone())
                .or_else(|_| refuse(place, format!("{one} is not a type of the subset")))?;
            Ok(Types::One(one))
        }
        _ => refuse(place, "several types in one field: choose one"),
    }
}
