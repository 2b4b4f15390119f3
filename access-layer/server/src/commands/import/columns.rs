//! A row's fields as its schema says, and cells as values of them. Bounds, words and moments are judged by the contract when
//! the call is made, so that a file and a program are held to the same.

use mortise_contract::{Contracts, Record, Schema, Type, Unit, Value};

/// The record of a row.
#[derive(Debug)]
pub(super) struct Row {
    fields: Vec<Field>,
}

/// A field that a column may be named after.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: String,
    kind: Kind,
    required: bool,
}

/// What a cell is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer(Option<Unit>),
    Boolean,
    /// A list or a record, written as JSON.
    Json,
}

/// A cell or a header that cannot be used: where in the row, what, and what would mend it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The column, from 1.
    pub(super) column: usize,
    /// What is wrong.
    pub(super) problem: String,
    /// What would mend it.
    pub(super) mend: String,
}

/// The columns of a CSV file, each the field that its name says.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    fields: Vec<&'a Field>,
}

impl Row {
    pub(super) fn of(schema: &Schema, contracts: &Contracts) -> Self {
        let fields = schema.properties.iter().map(|(name, field)| {
            let field = contracts.resolve(field).unwrap_or(field);
            let kind = match field.types.as_ref().and_then(mortise_contract::Types::main) {
                Some(Type::Integer) => Kind::Integer(field.unit),
                Some(Type::Boolean) => Kind::Boolean,
                Some(Type::Object | Type::Array | Type::Number | Type::Null) => Kind::Json,
                Some(Type::String) | None => Kind::Text,
            };
            Field { name: name.clone(), kind, required: schema.required.contains(name) }
        });
        Self { fields: fields.collect() }
    }

    /// The columns of a header: each name once, each a field, none missing that a row must have.
    pub(super) fn columns<'a>(
        &self,
        header: impl IntoIterator<Item = &'a str>,
    ) -> Result<Columns<'_>, Misfit> {
        let mut fields: Vec<&Field> = Vec::new();
        for (index, name) in header.into_iter().enumerate() {
            let name = name.trim_start_matches('\u{feff}').trim();
            let column = index + 1;
            let field = self
                .fields
                .iter()
                .find(|field| field.name == name)
                .ok_or_else(|| self.unknown(column, name))?;
            if fields.iter().any(|known| known.name == name) {
                let problem = format!("the column `{name}` stands twice");
                return Err(Misfit { column, problem, mend: "remove one of them".to_owned() });
            }
            fields.push(field);
        }
        match self.fields.iter().find(|field| field.required && !fields.contains(field)) {
            Some(missing) => Err(Misfit {
                column: fields.len() + 1,
                problem: format!("the column `{}` is missing", missing.name),
                mend: format!("every row needs it; columns may be {}", self.names()),
            }),
            None => Ok(Columns { fields }),
        }
    }

    fn unknown(&self, column: usize, name: &str) -> Misfit {
        let near = mortise_types::nearest(name, self.fields.iter().map(|field| field.name.as_str()));
        let mend = near.map_or_else(
            || format!("columns may be {}", self.names()),
            |near| format!("did you mean `{near}`?"),
        );
        Misfit { column, problem: format!("no field is called `{name}`"), mend }
    }

    fn names(&self) -> String {
        self.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl Columns<'_> {
    /// The row of these cells; an empty cell is an absent field.
    pub(super) fn row<'a>(&self, cells: impl IntoIterator<Item = &'a str>) -> Result<Value, Misfit> {
        let mut record = Record::with_capacity(self.fields.len());
        for (index, (field, cell)) in self.fields.iter().zip(cells).enumerate() {
            if cell.is_empty() {
                if field.required {
                    let problem = format!("`{}` is empty", field.name);
                    return Err(Misfit { column: index + 1, problem, mend: "every row needs it".to_owned() });
                }
                continue;
            }
            let value = field.kind.value(cell).map_err(|mend| Misfit {
                column: index + 1,
                problem: format!("`{}` cannot be {cell:?}", field.name),
                mend: mend.to_owned(),
            })?;
            record.insert(field.name.as_str(), value);
        }
        Ok(Value::Record(record.into()))
    }
}

impl Kind {
    fn value(self, cell: &str) -> Result<Value, &'static str> {
        match self {
            Self::Text => Ok(Value::from(cell)),
            Self::Integer(unit) => cell.trim().parse().map(Value::Int).map_err(|_| match unit {
                Some(Unit::Money) => "write minor units without a point: 12.50 EUR is 1250",
                Some(Unit::RateBp) => "write hundredths of a percent: 7.5% is 750",
                Some(Unit::Quantity | Unit::Count | Unit::DurationS) | None => {
                    "write a whole number in digits"
                }
            }),
            Self::Boolean => match cell.trim() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err("write `true` or `false`"),
            },
            Self::Json => {
                mortise_contract::json(cell).map_err(|_| "write it as JSON, such as [\"a\", \"b\"]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let schema = r#"{"type": "object", "required": ["sku", "amount"], "properties": {
            "sku": {"type": "string"}, "amount": {"type": "integer", "x-unit": "money"}, "per": {"type": "integer"},
            "closed": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}}}}"#;
        Row::of(&serde_json::from_str(schema).unwrap(), &Contracts::default())
    }

    fn misfit(header: &[&str], cells: &[&str]) -> (usize, String, String) {
        let row = row();
        let misfit = match row.columns(header.iter().copied()) {
            Ok(columns) => columns.row(cells.iter().copied()).unwrap_err(),
            Err(misfit) => misfit,
        };
        (misfit.column, misfit.problem, misfit.mend)
    }

    #[test]
    fn cells_become_what_their_fields_are_and_empty_ones_are_absent() {
        let row = row();
        let columns = row.columns(["\u{feff}sku", "amount", "per", "closed", "tags"]).unwrap();
        let value = columns.row(["007", "1250", "", "true", r#"["a"]"#]).unwrap();
        assert_eq!(value.to_json(), r#"{"sku":"007","amount":1250,"closed":true,"tags":["a"]}"#);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_mend() {
        let header = ["sku", "amount", "per", "closed"];
        for (found, column, problem, mend) in [
            (misfit(&header, &["a", "12.50", "", ""]), 2, "12.50", "1250"),
            (misfit(&header, &["a", "1", "two", ""]), 3, "two", "whole number"),
            (misfit(&header, &["a", "1", "1", "yes"]), 4, "yes", "true"),
            (misfit(&header, &["", "1", "1", ""]), 1, "empty", "needs it"),
            (misfit(&["sku"], &[]), 2, "`amount` is missing", "sku"),
            (misfit(&["sku", "ammount"], &[]), 2, "ammount", "did you mean `amount`?"),
            (misfit(&["sku", "sku"], &[]), 2, "twice", "remove"),
        ] {
            assert_eq!(found.0, column, "{found:?}");
            assert!(found.1.contains(problem) && found.2.contains(mend), "{found:?}");
        }
    }
}
