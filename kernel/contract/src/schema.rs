//! The subset of JSON Schema that contracts and flows use, parsed once into types.
//! It describes; `validate` judges values by it and `normalise` brings generated schemas into it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// A JSON type of the subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A record.
    Object,
    /// A list.
    Array,
    /// Text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// Any number; only foreign contracts have it.
    Number,
    /// True or false.
    Boolean,
    /// Null.
    Null,
}

impl Type {
    /// The word that a schema writes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}

/// `"T"` or `["T", "null"]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Types {
    /// One type.
    One(Type),
    /// A type that may be null.
    Several(Vec<Type>),
}

impl Types {
    /// The type beside `null`, if there is one.
    pub fn main(&self) -> Option<Type> {
        match self {
            Self::One(one) => Some(*one),
            Self::Several(several) => several.iter().copied().find(|t| *t != Type::Null),
        }
    }

    /// Whether null is allowed.
    pub fn nullable(&self) -> bool {
        match self {
            Self::One(one) => *one == Type::Null,
            Self::Several(several) => several.contains(&Type::Null),
        }
    }
}

/// The unit of an integer; the checker refuses to mix them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Minor units of the trade's currency.
    Money,
    /// Units of a good.
    Quantity,
    /// Hundredths of a percent.
    RateBp,
    /// A number of things.
    Count,
    /// Seconds.
    DurationS,
}

/// What an object may hold beside its named properties. Where a schema says nothing, the object is closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Additional {
    /// Anything, or nothing.
    Allowed(bool),
    /// Values of one schema: a map.
    Of(Box<Schema>),
}

/// A schema of the subset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Schema {
    /// The name of another schema, `capability/Name`; nothing but a description and a default stands beside it.
    #[serde(rename = "$ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The type; absent where `enum` or `const` says all.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Types>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Fields of an object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Schema>,
    /// Fields that must be there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required: BTreeSet<String>,
    /// Fields beside the named ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_properties: Option<Additional>,
    /// The elements of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Schema>>,
    /// The least number of elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// The greatest number of elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// The values that are allowed.
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<Value>,
    /// The only value that is allowed.
    #[serde(rename = "const", default, deserialize_with = "stated", skip_serializing_if = "Option::is_none")]
    pub constant: Option<Value>,
    /// `date-time` makes text a moment; other formats are remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
    /// What an absent field has.
    #[serde(default, deserialize_with = "stated", skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The unit of an integer.
    #[serde(rename = "x-unit", default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

/// A value that is stated, null too; serde alone reads null as nothing stated.
fn stated<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Schema {
    /// A schema of one type and nothing else.
    pub fn of(of: Type) -> Self {
        Self { types: Some(Types::One(of)), ..Self::default() }
    }

    /// A reference by name.
    pub fn reference(name: impl Into<String>) -> Self {
        Self { reference: Some(name.into()), ..Self::default() }
    }

    /// An object without fields.
    pub fn empty_object() -> Self {
        Self::of(Type::Object)
    }

    /// Whether fields beside the named ones are refused.
    pub fn closed(&self) -> bool {
        matches!(self.additional_properties, None | Some(Additional::Allowed(false)))
    }

    /// The names that this schema refers to, itself and beneath.
    pub fn references(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.collect_references(&mut found);
        found
    }

    fn collect_references<'a>(&'a self, found: &mut BTreeSet<&'a str>) {
        if let Some(name) = &self.reference {
            found.insert(name);
        }
        for child in self.children() {
            child.collect_references(found);
        }
    }

    /// The schemas directly beneath this one.
    pub fn children(&self) -> impl Iterator<Item = &Schema> {
        let map = match &self.additional_properties {
            Some(Additional::Of(schema)) => Some(&**schema),
            _ => None,
        };
        self.properties.values().chain(self.items.as_deref()).chain(map)
    }
}
