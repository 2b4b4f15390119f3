//! Which name is bound to which slot where, and what is known of its type: enough to see which texts are moments.

use std::collections::BTreeMap;
use std::rc::Rc;

use mortise_contract::{Additional, Contracts, Schema, Type};

/// What is known of a value's type.
#[derive(Debug, Clone)]
pub(super) enum Shape<'a> {
    Unknown,
    Moment,
    /// A length of time.
    Span,
    Schema(&'a Schema),
    Record(Rc<BTreeMap<String, Shape<'a>>>),
    List(Rc<Shape<'a>>),
}

impl<'a> Shape<'a> {
    pub(super) fn record(fields: impl IntoIterator<Item = (String, Shape<'a>)>) -> Self {
        Self::Record(Rc::new(fields.into_iter().collect()))
    }

    pub(super) fn list(of: Shape<'a>) -> Self {
        Self::List(Rc::new(of))
    }

    pub(super) fn field(&self, name: &str, contracts: &'a Contracts) -> Self {
        match self {
            Self::Record(fields) => fields.get(name).cloned().unwrap_or(Self::Unknown),
            Self::Schema(schema) => {
                let Some(schema) = contracts.resolve(schema) else {
                    return Self::Unknown;
                };
                match (schema.properties.get(name), &schema.additional_properties) {
                    (Some(field), _) => Self::Schema(field),
                    (None, Some(Additional::Of(field))) => Self::Schema(field),
                    _ => Self::Unknown,
                }
            }
            _ => Self::Unknown,
        }
    }

    pub(super) fn element(&self, contracts: &'a Contracts) -> Self {
        match self {
            Self::List(of) => (**of).clone(),
            Self::Schema(schema) => {
                let items = contracts.resolve(schema).and_then(|schema| schema.items.as_deref());
                items.map_or(Self::Unknown, Self::Schema)
            }
            _ => Self::Unknown,
        }
    }

    pub(super) fn is_span(&self) -> bool {
        matches!(self, Self::Span)
    }

    pub(super) fn is_moment(&self, contracts: &'a Contracts) -> bool {
        match self {
            Self::Moment => true,
            Self::Schema(schema) => contracts.resolve(schema).is_some_and(|schema| {
                schema.format.as_deref() == Some("date-time")
                    && schema.types.as_ref().and_then(|types| types.main()) == Some(Type::String)
            }),
            _ => false,
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Bound {
    /// A slot of the body at this level; 0 is the whole flow.
    Slot {
        level: usize,
        slot: u16,
    },
    Now,
    StartedAt,
    /// A macro's variable, counted from the outermost.
    Local(usize),
}

/// The names that are visible at a place, innermost last.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a> {
    names: Vec<(String, Bound, Shape<'a>)>,
}

impl<'a> Names<'a> {
    pub(super) fn bind(&mut self, name: impl Into<String>, bound: Bound, shape: Shape<'a>) {
        self.names.push((name.into(), bound, shape));
    }

    pub(super) fn find(&self, name: &str) -> Option<(&Bound, &Shape<'a>)> {
        self.names.iter().rev().find(|(known, ..)| known == name).map(|(_, bound, shape)| (bound, shape))
    }

    /// Where a block begins.
    pub(super) fn mark(&self) -> usize {
        self.names.len()
    }

    /// Ends the block: its names, in order, are seen no more.
    pub(super) fn close(&mut self, mark: usize) -> Names<'a> {
        Names { names: self.names.split_off(mark) }
    }

    /// Makes the names of a closed block visible again.
    pub(super) fn reopen(&mut self, block: Names<'a>) {
        self.names.extend(block.names);
    }
}

impl<'a> IntoIterator for Names<'a> {
    type Item = (String, Bound, Shape<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.names.into_iter()
    }
}
