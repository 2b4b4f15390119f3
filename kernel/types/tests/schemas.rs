//! The schemas that contracts embed: closed, named as contracts name them, and within the subset that flows are checked
//! against (plus what the contract's normaliser takes away: descriptions, and `oneOf` of documented constants).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test, a broken schema is a failure")]

use mortise_types::allocate::{ResidualRule, SpreadPolicy, ZeroWeights};
use mortise_types::{
    Address, Allocation, Amount, CouponCode, Currency, CustomerId, Money, OrderId, Parcel, Price, PriceProof,
    RequestedLine, Rounding, RoundingLevel, Scope, Sku, Span, Timestamp,
};
use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

const SUBSET: [&str; 14] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "enum",
    "const",
    "format",
    "minimum",
    "maximum",
    "$ref",
    "x-unit",
];
const TAKEN_AWAY: [&str; 2] = ["description", "oneOf"];

fn schema<T: JsonSchema>() -> Value {
    let mut schema = schema_for!(T).to_value();
    let object = schema.as_object_mut().unwrap();
    object.remove("$schema");
    object.remove("title");
    schema
}

fn check_subset(schema: &Value, place: &str) {
    let Some(object) = schema.as_object() else { panic!("{place}: {schema} is no schema") };
    for (keyword, value) in object {
        let known = SUBSET.contains(&keyword.as_str()) || TAKEN_AWAY.contains(&keyword.as_str());
        assert!(known, "{place}: {keyword} is outside of the subset");
        match keyword.as_str() {
            "properties" => value
                .as_object()
                .unwrap()
                .iter()
                .for_each(|(name, of)| check_subset(of, &format!("{place}.{name}"))),
            "items" => check_subset(value, &format!("{place}[]")),
            "oneOf" => value.as_array().unwrap().iter().for_each(|of| {
                assert!(of["const"].is_string(), "{place}: {of} is no constant");
                check_subset(of, place);
            }),
            _ => {}
        }
    }
    if object.get("type") == Some(&json!("object")) && !place.ends_with(".attributes") {
        assert_eq!(object.get("additionalProperties"), Some(&json!(false)), "{place} is not closed");
    }
    if object.get("type") == Some(&json!("array")) {
        assert!(object.contains_key("maxItems"), "{place} has no bound");
    }
}

fn check_type<T: JsonSchema>(name: &str) {
    assert_eq!(T::schema_name(), name);
    let mut schema = schema::<T>();
    if let Some(definitions) = schema.as_object_mut().unwrap().remove("$defs") {
        definitions.as_object().unwrap().iter().for_each(|(name, of)| check_subset(of, name));
    }
    check_subset(&schema, name);
}

#[test]
fn contract_types_are_named_closed_bounded_and_within_the_subset() {
    check_type::<RequestedLine>("pricing/RequestedLine");
    check_type::<PriceProof>("pricing/PriceProof");
    check_type::<Address>("delivery/Address");
    check_type::<Parcel>("delivery/Parcel");
    check_type::<Allocation>("inventory/Allocation");
    check_type::<Price>("pricing/Price");
    check_type::<Money>("pricing/Money");
    check_type::<Currency>("pricing/Currency");
    check_type::<Scope>("scope/Scope");
    check_type::<OrderId>("order/OrderId");
    check_type::<CustomerId>("customer/CustomerId");
    check_type::<CouponCode>("discount/CouponCode");
    check_type::<Sku>("catalogue/Sku");
    check_type::<Rounding>("pricing/Rounding");
    check_type::<RoundingLevel>("pricing/RoundingLevel");
    check_type::<ResidualRule>("pricing/ResidualRule");
    check_type::<ZeroWeights>("pricing/ZeroWeights");
    check_type::<SpreadPolicy>("pricing/SpreadPolicy");
}

#[test]
fn units_stand_in_the_schema() {
    assert_eq!(schema::<Amount>(), json!({ "type": "integer", "x-unit": "money" }));
    assert_eq!(schema::<Timestamp>(), json!({ "type": "string", "format": "date-time" }));
    assert_eq!(schema::<Span>(), json!({ "type": "string" }));
    let line = schema::<RequestedLine>();
    assert_eq!(line["properties"]["quantity"]["x-unit"], "quantity");
    assert_eq!(line["properties"]["quantity"]["minimum"], 1);
    assert_eq!(line["required"], json!(["sku", "quantity"]));
    assert_eq!(line["properties"]["location"]["$ref"], "#/$defs/inventory~1LocationId");
    assert_eq!(line["properties"]["attributes"]["additionalProperties"], json!({ "type": "string" }));
    assert_eq!(schema::<PriceProof>()["properties"]["lines"]["maxItems"], 500);
    assert_eq!(schema::<Address>()["properties"]["street"]["maxItems"], 4);
}

#[test]
fn absent_fields_are_left_out_and_unknown_ones_refused() {
    let text = r#"{"sku":"milk","quantity":2}"#;
    let line: RequestedLine = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&line).unwrap(), text);
    assert!(serde_json::from_str::<RequestedLine>(r#"{"sku":"milk","quantity":2,"price":1}"#).is_err());
    assert!(serde_json::from_str::<RequestedLine>(r#"{"sku":"","quantity":2}"#).is_err());
    assert!(serde_json::from_str::<RequestedLine>(r#"{"sku":"milk","quantity":2.5}"#).is_err());
}
