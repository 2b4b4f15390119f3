//! The `input:` of a flow: the contracts' subset of JSON Schema, read with places. Whether the names it refers to exist
//! is the checker's to say.

use mortise_contract::{Additional, Schema, Type, Types, Unit, Value};

use super::reader::{Fields, Reader};
use super::yaml::{Node, Yaml};
use crate::ast::{At, Place};

const OF: &str = "a schema";

impl Reader<'_> {
    pub(super) fn schema(&mut self, yaml: &Yaml) -> Schema {
        let Some(mut fields) = self.fields(yaml, OF) else { return Schema::default() };
        let before = self.found.len();
        let mut schema = Schema::default();
        self.annotations(&mut fields, &mut schema);
        if let Some((_, value)) = fields.take("$ref") {
            let name = self.text(value, "the name of a type");
            if let Some(name) = &name {
                self.type_names.push(name.clone());
            }
            schema.reference = name.map(|name| name.value);
            if let Some(other) = fields.keys().next() {
                let message = format!("`{}` stands beside `$ref`", other.value);
                self.refuse(
                    other.place,
                    message,
                    "beside `$ref` stands nothing but `description` and `default`",
                );
            }
            return schema;
        }
        self.type_words(&mut fields, &mut schema);
        self.object_words(&mut fields, &mut schema);
        self.list_words(&mut fields, &mut schema);
        self.value_words(&mut fields, &mut schema);
        self.finish(&fields, OF);
        if self.found.len() == before {
            self.consistent(&schema, yaml.place);
        }
        schema
    }

    fn annotations(&mut self, fields: &mut Fields<'_>, schema: &mut Schema) {
        if let Some((_, value)) = fields.take("description") {
            schema.description = self.text(value, "a description").map(|text| text.value);
        }
        schema.default = fields.take("default").map(|(_, value)| self.value(value));
    }

    fn type_words(&mut self, fields: &mut Fields<'_>, schema: &mut Schema) {
        let Some((_, value)) = fields.take("type") else { return };
        schema.types = match &value.node {
            Node::List(items) => {
                let types: Vec<Type> = items.iter().filter_map(|item| self.type_word(item)).collect();
                if types.len() != 2 || types.iter().filter(|t| **t == Type::Null).count() != 1 {
                    self.refuse(
                        value.place,
                        "several types in one field",
                        "choose one; `[\"T\", \"null\"]` is what may be null",
                    );
                }
                Some(Types::Several(types))
            }
            _ => self.type_word(value).map(Types::One),
        };
    }

    fn type_word(&mut self, yaml: &Yaml) -> Option<Type> {
        const ALL: [Type; 7] =
            [Type::Object, Type::Array, Type::String, Type::Integer, Type::Number, Type::Boolean, Type::Null];
        let word = self.text(yaml, "a type")?;
        let found = ALL.into_iter().find(|one| one.name() == word.value);
        if found.is_none() {
            let known = ALL.map(Type::name);
            let help = crate::report::nearest_or(&word.value, known, || {
                format!("types are {}", crate::report::listed(known))
            });
            self.refuse(word.place, format!("`{}` is no type", word.value), help);
        }
        found
    }

    fn object_words(&mut self, fields: &mut Fields<'_>, schema: &mut Schema) {
        if let Some((_, value)) = fields.take("properties") {
            match &value.node {
                Node::Map(entries) => {
                    for (key, inner) in entries {
                        let inner = self.schema(inner);
                        schema.properties.insert(key.value.clone(), inner);
                    }
                }
                _ => self.refuse(
                    value.place,
                    "`properties` is a map of names and schemas",
                    "write `name: { type: string }`",
                ),
            }
        }
        if let Some((_, value)) = fields.take("required") {
            for name in self.list_of_text(value, "`required`") {
                if !schema.properties.contains_key(&name.value) {
                    let help = crate::report::nearest_or(
                        &name.value,
                        schema.properties.keys().map(String::as_str),
                        || format!("add `{}` to `properties`, or take it away here", name.value),
                    );
                    self.refuse(
                        name.place,
                        format!("`{}` is required and not among the properties", name.value),
                        help,
                    );
                }
                schema.required.insert(name.value);
            }
        }
        if let Some((_, value)) = fields.take("additionalProperties") {
            schema.additional_properties = Some(match &value.node {
                Node::Scalar(scalar) if scalar.text == "true" => Additional::Allowed(true),
                Node::Scalar(scalar) if scalar.text == "false" => Additional::Allowed(false),
                _ => Additional::Of(Box::new(self.schema(value))),
            });
        }
    }

    fn list_of_text(&mut self, yaml: &Yaml, what: &str) -> Vec<At<String>> {
        match &yaml.node {
            Node::List(items) => items.iter().filter_map(|item| self.text(item, what)).collect(),
            _ => {
                self.refuse(yaml.place, format!("{what} is a list"), "write `[a, b]`");
                Vec::new()
            }
        }
    }

    fn list_words(&mut self, fields: &mut Fields<'_>, schema: &mut Schema) {
        schema.items = fields.take("items").map(|(_, value)| Box::new(self.schema(value)));
        schema.min_items = fields.take("minItems").and_then(|(_, value)| self.size(value));
        schema.max_items = fields.take("maxItems").and_then(|(_, value)| self.size(value));
    }

    fn size(&mut self, yaml: &Yaml) -> Option<u64> {
        let number = self.whole(yaml)?;
        let size = u64::try_from(number).ok();
        if size.is_none() {
            self.refuse(yaml.place, "a number of elements is not negative", "write 0 or more");
        }
        size
    }

    fn whole(&mut self, yaml: &Yaml) -> Option<i64> {
        let number = self.value(yaml).as_int();
        if number.is_none() {
            self.refuse(yaml.place, "a whole number is expected", "write digits");
        }
        number
    }

    fn value_words(&mut self, fields: &mut Fields<'_>, schema: &mut Schema) {
        if let Some((_, value)) = fields.take("enum") {
            match &value.node {
                Node::List(items) if !items.is_empty() => {
                    schema.allowed = items.iter().map(|item| self.value(item)).collect();
                }
                _ => self.refuse(
                    value.place,
                    "`enum` is a list of the values that are allowed",
                    "write `[a, b]`",
                ),
            }
        }
        schema.constant = fields.take("const").map(|(_, value)| self.value(value));
        schema.format =
            fields.take("format").and_then(|(_, value)| self.text(value, "a format")).map(|text| text.value);
        schema.minimum = fields.take("minimum").and_then(|(_, value)| self.whole(value));
        schema.maximum = fields.take("maximum").and_then(|(_, value)| self.whole(value));
        if let Some((_, value)) = fields.take("x-unit") {
            schema.unit = self.unit(value);
        }
    }

    fn unit(&mut self, yaml: &Yaml) -> Option<Unit> {
        const UNITS: [(&str, Unit); 5] = [
            ("money", Unit::Money),
            ("quantity", Unit::Quantity),
            ("rate_bp", Unit::RateBp),
            ("count", Unit::Count),
            ("duration_s", Unit::DurationS),
        ];
        let word = self.text(yaml, "a unit")?;
        let found = UNITS.iter().find(|(name, _)| *name == word.value);
        if found.is_none() {
            let names = UNITS.map(|(name, _)| name);
            let help = crate::report::nearest_or(&word.value, names, || {
                format!("units are {}", crate::report::listed(names))
            });
            self.refuse(word.place, format!("`{}` is no unit", word.value), help);
        }
        found.map(|(_, unit)| *unit)
    }

    fn consistent(&mut self, schema: &Schema, place: Place) {
        let main = schema.types.as_ref().and_then(Types::main);
        if schema.types.is_none() && schema.allowed.is_empty() && schema.constant.is_none() {
            self.refuse(
                place,
                "a schema without a type allows anything",
                "give it a `type`, a `$ref`, an `enum` or a `const`",
            );
        }
        if schema.unit.is_some() && main != Some(Type::Integer) {
            self.refuse(place, "a unit stands at integers only", "add `type: integer`");
        }
        if main == Some(Type::Array) && schema.items.is_none() {
            self.refuse(place, "a list without `items` holds anything", "add `items: { type: ... }`");
        }
        if (!schema.properties.is_empty() || schema.additional_properties.is_some())
            && main != Some(Type::Object)
        {
            self.refuse(place, "fields stand at objects only", "add `type: object`");
        }
        if schema.min_items.zip(schema.max_items).is_some_and(|(least, most)| least > most) {
            self.refuse(place, "`minItems` is above `maxItems`", "swap them");
        }
        if schema.allowed.iter().any(|value| matches!(value, Value::List(_) | Value::Record(_))) {
            self.refuse(place, "`enum` lists single values", "use a list of texts");
        }
    }
}
