//! Types of expressions: contracts' schemas seen as CEL types with units and nominal texts. What an expression's type is,
//! whether a value of one type goes where another is asked, and the schema of a type. It knows no steps and no ways.

mod fit;
mod functions;
mod infer;
mod join;
mod operators;

use std::borrow::Cow;
use std::sync::Arc;

use mortise_contract::{Additional, Contracts, Schema, Type, Types, Unit, Value};

pub use fit::Misfit;
pub(crate) use infer::written;
pub use infer::{Names, Typing};

/// A type, and the schema that it was read from, if it was.
#[derive(Debug, Clone)]
pub struct Ty<'c> {
    /// What it is.
    pub kind: Kind<'c>,
    origin: Option<&'c Schema>,
}

/// What a type is.
#[derive(Debug, Clone)]
pub enum Kind<'c> {
    /// A finding was made already; fits everything.
    Unknown,
    /// Any JSON; a contract says no more.
    Anything,
    /// Null alone.
    Null,
    /// True or false.
    Bool,
    /// A whole number, with its unit.
    Int(Option<Unit>),
    /// Any number; only foreign contracts have it.
    Number,
    /// Text; of a nominal type if it has a name, one of some values if it is an enumeration.
    Text {
        /// The type's name.
        name: Option<&'c str>,
        /// The values that it may have.
        allowed: Option<Cow<'c, [Value]>>,
    },
    /// A moment.
    Moment,
    /// A length of time.
    Duration,
    /// A list.
    List(ListOf<'c>),
    /// A record.
    Record(Fields<'c>),
    /// A record of any field names, all of one type.
    Map(Element<'c>),
    /// What may be null.
    Nullable(Arc<Ty<'c>>),
}

/// The type of what a list or map holds. Schemas are followed late: they may refer to themselves.
#[derive(Debug, Clone)]
pub enum Element<'c> {
    /// By a contract.
    Declared(&'c Schema),
    /// By an expression.
    Built(Arc<Ty<'c>>),
}

/// A list's type.
#[derive(Debug, Clone)]
pub struct ListOf<'c> {
    /// Of its elements.
    pub items: Element<'c>,
    /// The least number of elements.
    pub min: u64,
    /// The greatest number of elements.
    pub max: Option<u64>,
}

/// The fields of a record.
#[derive(Debug, Clone)]
pub enum Fields<'c> {
    /// By a contract.
    Declared(&'c Schema),
    /// By a flow.
    Built(Arc<Vec<Field<'c>>>),
}

/// A field of a record.
#[derive(Debug, Clone)]
pub struct Field<'c> {
    /// Its name.
    pub name: Cow<'c, str>,
    /// Its type.
    pub ty: Ty<'c>,
    /// Whether it is always there.
    pub presence: Presence,
}

/// Whether a field is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is, and has to be given.
    Always,
    /// It is: what is not given is filled in.
    Defaulted,
    /// It may be absent.
    Optional,
}

impl<'c> From<Kind<'c>> for Ty<'c> {
    fn from(kind: Kind<'c>) -> Self {
        Self { kind, origin: None }
    }
}

impl<'c> Ty<'c> {
    /// The type that a finding leaves behind.
    pub fn unknown() -> Self {
        Kind::Unknown.into()
    }

    /// Text of no particular type.
    pub fn text() -> Self {
        Kind::Text { name: None, allowed: None }.into()
    }

    /// A list built by an expression.
    pub fn list(items: Ty<'c>, min: u64, max: Option<u64>) -> Self {
        Kind::List(ListOf { items: Element::Built(Arc::new(items)), min, max }).into()
    }

    /// A record built by a flow.
    pub fn record(fields: Vec<Field<'c>>) -> Self {
        Kind::Record(Fields::Built(Arc::new(fields))).into()
    }

    /// The type that a schema describes; an undeclared name gives the unknown type.
    pub fn of(schema: &'c Schema, contracts: &'c Contracts) -> Self {
        let mut name = None;
        let mut at = schema;
        for _ in 0..32 {
            let Some(reference) = &at.reference else { break };
            name = Some(reference.as_str());
            let Some(next) = contracts.types.get(reference) else { return Self::unknown() };
            at = next;
        }
        if at.reference.is_some() {
            return Self::unknown();
        }
        let kind = plain(at, name);
        let nullable = at.types.as_ref().is_some_and(Types::nullable);
        if nullable && !matches!(kind, Kind::Null) {
            let inner = Self { kind, origin: None };
            return Self { kind: Kind::Nullable(Arc::new(inner)), origin: Some(schema) };
        }
        Self { kind, origin: Some(schema) }
    }

    /// The type of a value that stands in the flow itself.
    pub fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Kind::Null.into(),
            Value::Bool(_) => Kind::Bool.into(),
            Value::Int(_) => Kind::Int(None).into(),
            Value::Float(_) => Kind::Number.into(),
            Value::Text(_) => Kind::Text { name: None, allowed: Some(vec![value.clone()].into()) }.into(),
            Value::List(items) => {
                let count = items.len() as u64;
                let first = items.first().map_or_else(Self::unknown, Self::of_value);
                Self::list(first, count, Some(count))
            }
            Value::Record(record) => {
                let field = |(name, value): (&mortise_contract::Text, &Value)| Field {
                    name: name.as_str().to_owned().into(),
                    ty: Self::of_value(value),
                    presence: Presence::Always,
                };
                Self::record(record.iter().map(field).collect())
            }
        }
    }

    /// The same without null.
    pub fn non_null(&self) -> &Self {
        match &self.kind {
            Kind::Nullable(inner) => inner,
            _ => self,
        }
    }

    /// Whether null is among its values.
    pub fn is_nullable(&self) -> bool {
        matches!(self.kind, Kind::Nullable(_) | Kind::Null)
    }

    /// Whether 0 is not among its values.
    pub(crate) fn is_never_zero(&self, contracts: &'c Contracts) -> bool {
        let schema = self.origin.and_then(|schema| contracts.resolve(schema));
        schema.is_some_and(|schema| {
            schema.minimum.is_some_and(|least| least > 0) || schema.maximum.is_some_and(|most| most < 0)
        })
    }

    /// Whether a finding was made already, or nothing can be known.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown)
    }

    /// The field of a record or map, if there can be one.
    pub fn field(&self, name: &str, contracts: &'c Contracts) -> Option<Field<'c>> {
        let optional = |ty| Field { name: name.to_owned().into(), ty, presence: Presence::Optional };
        match &self.non_null().kind {
            Kind::Record(Fields::Built(fields)) => fields.iter().find(|field| field.name == name).cloned(),
            Kind::Record(Fields::Declared(schema)) => match schema.properties.get_key_value(name) {
                Some((name, inner)) => Some(declared(schema, name, inner, contracts)),
                None => match &schema.additional_properties {
                    Some(Additional::Of(inner)) => Some(optional(Self::of(inner, contracts))),
                    Some(Additional::Allowed(true)) => Some(optional(Kind::Anything.into())),
                    _ => None,
                },
            },
            Kind::Map(element) => Some(optional(element.ty(contracts))),
            Kind::Anything => Some(optional(Kind::Anything.into())),
            Kind::Unknown => Some(optional(Self::unknown())),
            _ => None,
        }
    }

    /// The named fields of a record.
    pub fn fields(&self, contracts: &'c Contracts) -> Vec<Field<'c>> {
        match &self.non_null().kind {
            Kind::Record(Fields::Built(fields)) => fields.to_vec(),
            Kind::Record(Fields::Declared(schema)) => schema
                .properties
                .iter()
                .map(|(name, inner)| declared(schema, name, inner, contracts))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a record may have fields beside the named ones.
    pub fn is_open(&self) -> bool {
        match &self.non_null().kind {
            Kind::Record(Fields::Declared(schema)) => !schema.closed(),
            Kind::Map(_) | Kind::Anything | Kind::Unknown => true,
            _ => false,
        }
    }

    /// The schema of the type; what a contract declared is named as the contract names it.
    pub fn schema(&self, contracts: &'c Contracts) -> Schema {
        if let Some(origin) = self.origin {
            return origin.clone();
        }
        match &self.kind {
            Kind::Unknown | Kind::Anything => {
                Schema { additional_properties: Some(Additional::Allowed(true)), ..Schema::of(Type::Object) }
            }
            Kind::Null => Schema::of(Type::Null),
            Kind::Bool => Schema::of(Type::Boolean),
            Kind::Int(unit) => Schema { unit: *unit, ..Schema::of(Type::Integer) },
            Kind::Number => Schema::of(Type::Number),
            Kind::Text { name: Some(name), .. } => Schema::reference(*name),
            Kind::Text { name: None, allowed } => {
                let allowed = allowed.as_ref().map(|values| values.to_vec()).unwrap_or_default();
                Schema { allowed, ..Schema::of(Type::String) }
            }
            Kind::Moment => Schema { format: Some("date-time".to_owned()), ..Schema::of(Type::String) },
            Kind::Duration => Schema::of(Type::String),
            Kind::List(list) => Schema {
                items: Some(Box::new(list.items.ty(contracts).schema(contracts))),
                min_items: (list.min > 0).then_some(list.min),
                max_items: list.max,
                ..Schema::of(Type::Array)
            },
            Kind::Record(Fields::Declared(schema)) => (*schema).clone(),
            Kind::Record(Fields::Built(fields)) => {
                let mut schema = Schema::of(Type::Object);
                for field in fields.iter() {
                    schema.properties.insert(field.name.clone().into_owned(), field.ty.schema(contracts));
                    if field.presence != Presence::Optional {
                        schema.required.insert(field.name.clone().into_owned());
                    }
                }
                Schema { additional_properties: Some(Additional::Allowed(false)), ..schema }
            }
            Kind::Map(element) => Schema {
                additional_properties: Some(Additional::Of(Box::new(
                    element.ty(contracts).schema(contracts),
                ))),
                ..Schema::of(Type::Object)
            },
            Kind::Nullable(inner) => {
                let schema = inner.schema(contracts);
                match schema.types {
                    Some(Types::One(one)) => {
                        Schema { types: Some(Types::Several(vec![one, Type::Null])), ..schema }
                    }
                    _ => schema,
                }
            }
        }
    }

    /// What it is, for messages: `a list of text (order/OrderId)`.
    pub fn shown(&self, contracts: &'c Contracts) -> String {
        self.shown_to(contracts, 3)
    }

    fn shown_to(&self, contracts: &'c Contracts, depth: usize) -> String {
        if depth == 0 {
            return "...".to_owned();
        }
        let named = self.origin.and_then(|schema| schema.reference.as_deref());
        match &self.kind {
            Kind::Unknown => "unknown".to_owned(),
            Kind::Anything => "a value of any type".to_owned(),
            Kind::Null => "null".to_owned(),
            Kind::Bool => "a boolean".to_owned(),
            Kind::Int(None) => "an integer".to_owned(),
            Kind::Int(Some(unit)) => format!("an integer ({})", unit_name(*unit)),
            Kind::Number => "a number".to_owned(),
            Kind::Text { name: Some(name), .. } => format!("text ({name})"),
            Kind::Text { name: None, allowed: Some(values) } => {
                let words: Vec<String> = values.iter().take(8).map(Value::to_json).collect();
                if values.len() == 1 {
                    format!("the text {}", words[0])
                } else {
                    format!("one of {}", words.join(", "))
                }
            }
            Kind::Text { .. } => "text".to_owned(),
            Kind::Moment => "a moment".to_owned(),
            Kind::Duration => "a duration".to_owned(),
            Kind::List(list) => {
                format!("a list of {}", list.items.ty(contracts).shown_to(contracts, depth - 1))
            }
            Kind::Record(_) => named.map_or("a record".to_owned(), |name| format!("a record ({name})")),
            Kind::Map(element) => {
                format!("a map of {}", element.ty(contracts).shown_to(contracts, depth - 1))
            }
            Kind::Nullable(inner) => format!("{}, or null", inner.shown_to(contracts, depth)),
        }
    }

    /// The name of the schema that it was read from.
    fn reference(&self) -> Option<&'c str> {
        self.origin.and_then(|schema| schema.reference.as_deref())
    }
}

impl<'c> Element<'c> {
    /// The type.
    pub fn ty(&self, contracts: &'c Contracts) -> Ty<'c> {
        match self {
            Self::Declared(schema) => Ty::of(schema, contracts),
            Self::Built(ty) => (**ty).clone(),
        }
    }
}

fn declared<'c>(schema: &'c Schema, name: &'c str, inner: &'c Schema, contracts: &'c Contracts) -> Field<'c> {
    let presence = match (&inner.default, schema.required.contains(name)) {
        (Some(_), _) => Presence::Defaulted,
        (None, true) => Presence::Always,
        (None, false) => Presence::Optional,
    };
    Field { name: name.into(), ty: Ty::of(inner, contracts), presence }
}

/// The kind of a schema without references, null left out.
fn plain<'c>(schema: &'c Schema, name: Option<&'c str>) -> Kind<'c> {
    let allowed: Option<&'c [Value]> = match &schema.constant {
        Some(constant) => Some(std::slice::from_ref(constant)),
        None => (!schema.allowed.is_empty()).then_some(schema.allowed.as_slice()),
    };
    let main = match &schema.types {
        Some(types) => types.main(),
        None => return by_values(allowed, name),
    };
    match main {
        None => Kind::Null,
        Some(Type::Null) => Kind::Null,
        Some(Type::Boolean) => Kind::Bool,
        Some(Type::Integer) => Kind::Int(schema.unit),
        Some(Type::Number) => Kind::Number,
        Some(Type::String) if schema.format.as_deref() == Some("date-time") => Kind::Moment,
        Some(Type::String) => Kind::Text { name, allowed: allowed.map(Cow::Borrowed) },
        Some(Type::Array) => match &schema.items {
            Some(items) => Kind::List(ListOf {
                items: Element::Declared(items),
                min: schema.min_items.unwrap_or(0),
                max: schema.max_items,
            }),
            None => {
                let items = Element::Built(Arc::new(Kind::Anything.into()));
                Kind::List(ListOf { items, min: schema.min_items.unwrap_or(0), max: schema.max_items })
            }
        },
        Some(Type::Object) => match &schema.additional_properties {
            Some(Additional::Of(inner)) if schema.properties.is_empty() => {
                Kind::Map(Element::Declared(inner))
            }
            Some(Additional::Allowed(true)) if schema.properties.is_empty() => {
                Kind::Map(Element::Built(Arc::new(Kind::Anything.into())))
            }
            _ => Kind::Record(Fields::Declared(schema)),
        },
    }
}

fn by_values<'c>(allowed: Option<&'c [Value]>, name: Option<&'c str>) -> Kind<'c> {
    match allowed {
        Some(values) if values.iter().all(|v| matches!(v, Value::Text(_))) => {
            Kind::Text { name, allowed: Some(Cow::Borrowed(values)) }
        }
        Some(values) if values.iter().all(|v| matches!(v, Value::Int(_))) => Kind::Int(None),
        Some(values) if values.iter().all(|v| matches!(v, Value::Bool(_))) => Kind::Bool,
        _ => Kind::Anything,
    }
}

/// The word that a schema writes.
pub(crate) const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Money => "money",
        Unit::Quantity => "quantity",
        Unit::RateBp => "rate_bp",
        Unit::Count => "count",
        Unit::DurationS => "duration_s",
    }
}

#[cfg(test)]
mod tests;
