//! Where a value comes from, whatever the way: from a step that acquires, from the input, or from nowhere that is followed.
//! It is asked of what an operation settles; which way was taken is decided by the walk.

use std::collections::HashSet;

use crate::ast::{Node, NodeKind, Template, TemplateKind};

use super::value::Part;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// It holds nothing that is followed.
    Nothing,
    /// A path that begins with `input`; `[]` stands for an element.
    Input(String),
    /// A handle of this resource.
    Handle(String),
    /// What the step makes whose operation stands at this offset; an event may come for it.
    Made(usize),
    Record(Vec<(String, Source)>),
    List(Box<Source>),
    /// One of them, by a condition.
    Either(Box<Source>, Box<Source>),
}

/// The names that a place sees, innermost last.
pub(super) type Names = Vec<(String, Source)>;

impl Source {
    pub(super) fn record(mut fields: Vec<(String, Self)>) -> Self {
        fields.retain(|(_, source)| *source != Self::Nothing);
        if fields.is_empty() { Self::Nothing } else { Self::Record(fields) }
    }

    pub(super) fn list(of: Self) -> Self {
        if of == Self::Nothing { Self::Nothing } else { Self::List(of.into()) }
    }

    pub(super) fn either(self, other: Self) -> Self {
        if self == other { self } else { Self::Either(self.into(), other.into()) }
    }

    /// A handle at the end of a contract's path.
    pub(super) fn acquired(path: &[Part], resource: &str) -> Self {
        let Some((part, rest)) = path.split_first() else { return Self::Handle(resource.to_owned()) };
        let inner = Self::acquired(rest, resource);
        let inner = if part.listed { Self::list(inner) } else { inner };
        Self::Record(vec![(part.name.clone(), inner)])
    }

    /// Two outputs of one step.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Record(mut fields), Self::Record(others)) => {
                for (name, source) in others {
                    match fields.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => {
                            let before = std::mem::replace(known, Self::Nothing);
                            *known = before.and(source);
                        }
                        None => fields.push((name, source)),
                    }
                }
                Self::Record(fields)
            }
            (Self::List(one), Self::List(other)) => Self::list(one.and(*other)),
            (Self::Nothing, source) | (source, _) => source,
        }
    }

    fn field(&self, name: &str) -> Self {
        match self {
            Self::Input(path) => Self::Input(format!("{path}.{name}")),
            Self::Made(by) => Self::Made(*by),
            Self::Record(fields) => fields
                .iter()
                .find(|(known, _)| known == name)
                .map_or(Self::Nothing, |(_, source)| source.clone()),
            Self::Either(one, other) => one.field(name).either(other.field(name)),
            _ => Self::Nothing,
        }
    }

    /// An element of a list.
    pub(super) fn element(&self) -> Self {
        match self {
            Self::Input(path) => Self::Input(format!("{path}[]")),
            Self::Made(by) => Self::Made(*by),
            Self::List(of) => (**of).clone(),
            Self::Either(one, other) => one.element().either(other.element()),
            _ => Self::Nothing,
        }
    }

    /// Where the values at a path come from, through lists.
    pub(super) fn at(&self, path: &[Part], into: &mut Vec<Source>) {
        match (self, path) {
            (Self::List(of), _) => of.at(path, into),
            (Self::Either(one, other), _) => {
                one.at(path, into);
                other.at(path, into);
            }
            (source, []) => into.push(source.clone()),
            (source, [part, rest @ ..]) => {
                let field = source.field(&part.name);
                let field =
                    if part.listed && matches!(field, Self::Input(_)) { field.element() } else { field };
                field.at(rest, into);
            }
        }
    }

    /// The steps that have made it, or a part of it.
    pub(super) fn makers(&self, into: &mut HashSet<usize>) {
        match self {
            Self::Made(by) => drop(into.insert(*by)),
            Self::Record(fields) => fields.iter().for_each(|(_, source)| source.makers(into)),
            Self::List(of) => of.makers(into),
            Self::Either(one, other) => {
                one.makers(into);
                other.makers(into);
            }
            Self::Nothing | Self::Input(_) | Self::Handle(_) => {}
        }
    }

    pub(super) fn of(template: &Template, names: &Names) -> Self {
        match &template.kind {
            TemplateKind::Literal(_) | TemplateKind::Text(_) => Self::Nothing,
            TemplateKind::Expr(expr) => Self::of_node(&expr.node, names),
            TemplateKind::List(items) => Self::list(
                items.iter().map(|item| Self::of(item, names)).reduce(Self::either).unwrap_or(Self::Nothing),
            ),
            TemplateKind::Record(fields) => Self::record(
                fields.iter().map(|(name, value)| (name.value.clone(), Self::of(value, names))).collect(),
            ),
        }
    }

    pub(super) fn of_node(node: &Node, names: &Names) -> Self {
        match &node.kind {
            NodeKind::Name(name) => names
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map_or(Self::Nothing, |(_, source)| source.clone()),
            NodeKind::Select { of, field } => Self::of_node(of, names).field(field),
            NodeKind::Conditional { yes, no, .. } => {
                Self::of_node(yes, names).either(Self::of_node(no, names))
            }
            NodeKind::List(items) => Self::list(
                items
                    .iter()
                    .map(|item| Self::of_node(item, names))
                    .reduce(Self::either)
                    .unwrap_or(Self::Nothing),
            ),
            NodeKind::Record(fields) => Self::record(
                fields.iter().map(|(name, value)| (name.clone(), Self::of_node(value, names))).collect(),
            ),
            _ => Self::Nothing,
        }
    }

    /// The paths under which handles of a resource are held, for a message.
    pub(super) fn paths(&self, resource: &str, path: &str, into: &mut Vec<String>) {
        match self {
            Self::Handle(of) if of == resource => into.push(path.to_owned()),
            Self::Record(fields) => {
                fields
                    .iter()
                    .for_each(|(name, source)| source.paths(resource, &format!("{path}.{name}"), into));
            }
            Self::List(of) => of.paths(resource, &format!("{path}[]"), into),
            Self::Either(one, other) => {
                one.paths(resource, path, into);
                other.paths(resource, path, into);
            }
            _ => {}
        }
    }
}
